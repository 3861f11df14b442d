/**
 * How long the runs of an exploration are, counted in the places between two steps at which something else could go on, from the first decision
 * on. It is what strategies that change their mind a few times in a run want to know in advance, and learn from the runs before.
 */
export class RunLength {
  #runs = 0;
  #total = 0;
  #longest = 0;
  #firstStep = 0;

  /** How many runs with a decision there were. */
  get runs(): number {
    return this.#runs;
  }

  /** The average of the runs that had a decision; 0 before the first. */
  get average(): number {
    return this.#runs === 0 ? 0 : this.#total / this.#runs;
  }

  get longest(): number {
    return this.#longest;
  }

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
    if (this.#firstStep === 0) return;
    const places = steps - this.#firstStep;
    this.#runs++;
    this.#total += places;
    this.#longest = Math.max(this.#longest, places);
  }
}
