/**
 * What every run of an exploration pays for: its picks as numbers, and a hash of its schedule.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import type { Decision, Housekeeping, StepRecord, Strategy } from "../schedule/strategy.js";

/** Decides as another strategy does, and keeps the picks of the latest run. Cheap enough for every run. */
export class CountingStrategy implements Strategy {
  readonly #picks: number[] = [];
  #count = 0;
  readonly observe?: Strategy["observe"] & {};
  readonly #strategy: Strategy;
  #low = 0;
  #high = 0;

  /** `onStep` is told of every step, where it is given. */
  constructor(strategy: Strategy, onStep?: (step: StepRecord) => void) {
    this.#strategy = strategy;
    if (onStep !== undefined) {
      this.observe = (step) => {
        onStep(step);
        strategy.observe?.(step);
      };
    } else if (strategy.observe !== undefined) this.observe = (step) => strategy.observe?.(step);
  }

  get name(): string {
    return this.#strategy.name;
  }

  get housekeeping(): Housekeeping {
    return this.#strategy.housekeeping ?? "eager";
  }

  /** The picks of the latest run. */
  get picks(): readonly number[] {
    return this.#picks.slice(0, this.#count);
  }

  /** The hash of the schedule of the latest run, of 53 bits. */
  get schedule(): { readonly high: number; readonly low: number } {
    // The table that counts them is indexed by the low bits, in which few of the picks have arrived without a last turn.
    const mixed = Math.imul(this.#low ^ (this.#low >>> 15), 0x2c1b3c6d);
    return { high: this.#high, low: (mixed ^ (mixed >>> 12)) >>> 0 };
  }

  begin(run: number): boolean {
    this.#count = 0;
    this.#low = 0;
    this.#high = 0;
    const goesOn: unknown = this.#strategy.begin(run);
    if (typeof goesOn === "boolean") return goesOn;
    throw new UsageError(
      `strategy ${this.name}: begin(run) must answer true, or false when nothing is left to try, not ${describeValue(goesOn)}`,
    );
  }

  pick(decision: Decision): number {
    const index = this.#strategy.pick(decision);
    this.#picks[this.#count++] = index;
    // Two multiplicative hashes of the picks and the number of alternatives: 53 bits together.
    const value = index * 1024 + decision.count;
    this.#low = Math.imul(this.#low ^ value, 0x9e3779b1) >>> 0;
    this.#high = Math.imul(this.#high + value, 0x85ebca6b) >>> 11;
    return index;
  }

  end(result: Parameters<NonNullable<Strategy["end"]>>[0]): void {
    this.#strategy.end?.(result);
  }
}

/** Makes the same picks again, by index. */
export function picking(picks: readonly number[], housekeeping: Housekeeping): Strategy {
  let next = 0;
  return {
    name: "replay",
    housekeeping,
    begin(): boolean {
      next = 0;
      return true;
    },
    pick: ({ count }) => Math.min(picks[next++] ?? 0, count - 1),
  };
}
