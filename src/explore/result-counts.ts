/**
 * How often each result of a run came.
 */

/** Different results are told apart up to here, so that memory does not grow with the number of runs. */
const MAX_RESULTS = 10_000;

export class ResultCounts {
  readonly #counts = new Map<string, number>();
  #others = 0;

  /** How many runs had a result that is not among those which were counted, because there were too many different ones. */
  get others(): number {
    return this.#others;
  }

  /** Results as JSON, in the order in which they came first. */
  get entries(): readonly (readonly [result: string, count: number])[] {
    return [...this.#counts];
  }

  add(result: string, count = 1): void {
    const before = this.#counts.get(result);
    if (before === undefined && this.#counts.size >= MAX_RESULTS) this.#others += count;
    else this.#counts.set(result, (before ?? 0) + count);
  }

  addOthers(count: number): void {
    this.#others += count;
  }

  /** The most frequent first; of those that came equally often, by their text. */
  sorted(): readonly (readonly [result: string, count: number])[] {
    return this.entries.toSorted(([a, timesA], [b, timesB]) => timesB - timesA || (a < b ? -1 : 1));
  }
}
