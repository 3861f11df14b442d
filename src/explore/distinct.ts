/**
 * Counting different things by their hashes, in bounded memory: an open hash table of numbers that doubles up to a limit. (A Set of
 * numbers boxes each of them, which for short runs costs as much as a step.)
 */

const SMALLEST = 1 << 10;

/** Of whatever came more often than once it is only known that it did. */
const OFTEN = 2;

export class DistinctCounter {
  readonly #limit: number;
  /** A hash of 0 stands for an empty place. */
  #table = new Float64Array(SMALLEST);
  /** How often each came, up to {@link OFTEN}. */
  #times = new Uint8Array(SMALLEST);
  #count = 0;
  #once = 0;

  /** Counts exactly up to `limit`, and stays there. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** How many of them came only once. */
  get once(): number {
    return this.#once;
  }

  /** Whether there may be more than were counted. */
  get isFull(): boolean {
    return this.#count >= this.#limit;
  }

  /** Counts what has the hash `high * 2^32 + low`, `high` below 2^21 and `low` below 2^32; answers whether it is new. */
  add(high: number, low: number): boolean {
    const hash = high * 0x1_0000_0000 + low;
    return this.addHash(hash === 0 ? 1 : hash);
  }

  /** Counts what has this hash, a whole number from 1 to 2^53; answers whether it is new. */
  addHash(hash: number): boolean {
    if (this.#count * 2 >= this.#table.length) this.#grow();
    const place = this.#placeOf(hash);
    const isNew = this.#table[place] === 0;
    if (isNew) {
      if (this.isFull) return false;
      this.#table[place] = hash;
      this.#times[place] = 1;
      this.#count++;
      this.#once++;
    } else if (this.#times[place] === 1) {
      this.#times[place] = OFTEN;
      this.#once--;
    }
    return isNew;
  }

  /** Where it stands, or is to stand. */
  #placeOf(hash: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let place = (hash % 0x1_0000_0000) & mask;
    while (table[place] !== hash && table[place] !== 0) place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [hashes, times] = [this.#table, this.#times];
    this.#table = new Float64Array(hashes.length * 2);
    this.#times = new Uint8Array(hashes.length * 2);
    hashes.forEach((hash, index) => {
      if (hash === 0) return;
      const place = this.#placeOf(hash);
      this.#table[place] = hash;
      this.#times[place] = times[index] ?? 0; // the tables are as long as each other
    });
  }
}
