/**
 * How long the runs of an exploration are, counted in the places between two steps at which something else could go on, from the first decision
 * on. A strategy that changes its mind a few times in a run wants to know it in advance, and learns it from the runs before.
 */
import type { Random } from "../random/random.js";

/**
 * How likely the longest run so far is taken for the length of the next one, instead of the average. An upper bound would waste most changes
 * behind the end of the run where few runs are long, so the longest is taken only so often that every place is reached.
 */
const LONGEST_PROBABILITY = 1 / 8;

export class RunLength {
  #runs = 0;
  #total = 0;
  #longest = 0;
  #firstStep = 0;

  begin(): void {
    this.#firstStep = 0;
  }

  /** `step` is decided; answers how many places have gone by before it. */
  note(step: number): number {
    if (this.#firstStep === 0) this.#firstStep = step;
    return step - this.#firstStep;
  }

  /** The run is over after so many steps. */
  end(steps: number): void {
    if (this.#firstStep === 0) return; // there was nothing to decide
    const places = steps - this.#firstStep;
    this.#runs++;
    this.#total += places;
    this.#longest = Math.max(this.#longest, places);
  }

  /** How many places the next run is expected to have; undefined as long as no run had any. */
  draw(stream: Random): number | undefined {
    if (this.#runs === 0) return undefined;
    return stream.next() < LONGEST_PROBABILITY ? this.#longest : Math.ceil(this.#total / this.#runs);
  }
}
