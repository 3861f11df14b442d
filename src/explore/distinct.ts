/**
 * Counting different things by their hashes, in bounded memory: an open hash table of numbers that doubles up to a limit. (A Set of
 * numbers boxes each of them, which for short runs costs as much as a step.)
 */

const SMALLEST = 1 << 10;

export class DistinctCounter {
  readonly #limit: number;
  /** A hash of 0 stands for an empty place. */
  #table = new Float64Array(SMALLEST);
  #count = 0;

  /** Counts exactly up to `limit`, and stays there. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** Counts what has the hash `high * 2^32 + low`; `high` is below 2^21, `low` below 2^32. */
  add(high: number, low: number): void {
    if (this.#count >= this.#limit) return;
    if (this.#count * 2 >= this.#table.length) this.#grow();
    const hash = high * 0x1_0000_0000 + low;
    if (this.#insert(hash === 0 ? 1 : hash, low)) this.#count++;
  }

  /** Answers whether it was new. */
  #insert(hash: number, low: number): boolean {
    const table = this.#table;
    const mask = table.length - 1;
    for (let place = low & mask; ; place = (place + 1) & mask) {
      const there = table[place];
      if (there === hash) return false;
      if (there === 0) {
        table[place] = hash;
        return true;
      }
    }
  }

  #grow(): void {
    const hashes = this.#table;
    this.#table = new Float64Array(hashes.length * 2);
    for (const hash of hashes) if (hash !== 0) this.#insert(hash, hash % 0x1_0000_0000);
  }
}
