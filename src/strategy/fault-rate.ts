/**
 * How strategies that draw decide whether a gate that may fail does: each run draws how likely all of them are to. Some bugs need one failure among
 * many calls that go well, and some need a call to fail each time that it is tried again, and no single rate is good at both.
 */
import type { Random } from "../random/random.js";

/** How likely a gate fails that may, of which a run draws one. */
export const FAULT_RATES: readonly number[] = [0.5, 0.25, 0.1];

export class FaultRate {
  /** Drawn for the first gate of a run that may fail, so that the other runs draw nothing. */
  #rate: number | undefined = undefined;

  /** A run begins. */
  begin(): void {
    this.#rate = undefined;
  }

  /** The index taken in a decision of kind `"fault"`: 1 where the gate fails. */
  pick(stream: Random): number {
    this.#rate ??= FAULT_RATES[stream.below(FAULT_RATES.length)] ?? 0; // below the length
    return stream.next() < this.#rate ? 1 : 0;
  }
}
