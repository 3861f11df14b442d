/**
 * Whether an order was seen before: the decisions of a run as a hash, and a table of hashes that forgets the oldest where it runs out of places.
 */

/** Places in the table, a power of 2. */
const PLACES = 1 << 14;

export class SeenOrders {
  readonly #table = new Int32Array(PLACES);
  #hash = 0;

  begin(): void {
    this.#hash = 0;
  }

  /** The decision took `index` of `count`. */
  note(index: number, count: number): void {
    const mixed = Math.imul(this.#hash ^ (index * 1024 + count), 0x9e3779b1);
    this.#hash = mixed ^ (mixed >>> 15);
  }

  /** The run is over; answers whether its decisions are new. */
  end(): boolean {
    // A hash of 0 stands for an empty place.
    const hash = this.#hash === 0 ? 1 : this.#hash;
    const mixed = Math.imul(hash, 0x85ebca6b);
    const place = (mixed ^ (mixed >>> 16)) & (PLACES - 1);
    const isNew = this.#table[place] !== hash;
    this.#table[place] = hash;
    return isNew;
  }
}
