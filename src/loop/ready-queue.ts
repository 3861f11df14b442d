/**
 * The ready queue: handles in the order in which they became ready. Taking the first costs O(1), which is what fifo does. Taking from the
 * middle moves what stands on the shorter side; out of a long queue it leaves a hole instead, and a count of what stands in each block of
 * places finds the next one without looking at them all.
 *
 * Invariants:
 * - The queue is what stands from `#head` up to `#tail`, holes left out. The array is longer than that, because giving back its end each
 *   time that the queue runs empty would cost more than a short step.
 * - There are holes only while there are counts, and never more holes than handles.
 */
import type { Handle } from "./handle.js";

/** The taken part at the front is given back once it is so long and half of the whole. */
const COMPACT_AT = 1024;

/** A queue is long from here on, and until it has shrunk to half of it. */
const LONG = 512;

/** Places in a block, as a power of 2. */
const BLOCK_BITS = 6;

export class ReadyQueue {
  #handles: (Handle | undefined)[] = [];
  #head = 0;
  #tail = 0;
  #holes = 0;
  /** How many handles stand in each block of the array. */
  #counts: number[] | undefined = undefined;

  get length(): number {
    return this.#tail - this.#head - this.#holes;
  }

  push(handle: Handle): void {
    if (this.#counts !== undefined) this.#count(this.#counts, this.#tail, 1);
    this.#handles[this.#tail++] = handle;
  }

  /** Takes the first; the queue must not be empty. */
  shift(): Handle {
    if (this.#counts !== undefined) return this.#takeOutOfBlocks(this.#counts, 0);
    const handle = this.#handles[this.#head] as Handle; // the queue is not empty
    this.#handles[this.#head++] = undefined; // or it would be kept, with all that it refers to, until the front is given back
    if (this.#head === this.#tail) {
      if (this.#tail > COMPACT_AT) this.#handles = [];
      this.#head = 0;
      this.#tail = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#tail) this.#replace(this.list());
    return handle;
  }

  /** Takes the one at `index`. */
  take(index: number): Handle {
    if (this.#counts === undefined && this.length > LONG) this.#counts = this.#makeCounts();
    if (this.#counts !== undefined) return this.#takeOutOfBlocks(this.#counts, index);
    const handles = this.#handles;
    let gap = this.#head + index;
    const handle = handles[gap] as Handle; // the caller has checked the index
    if (index * 2 < this.length) {
      for (; gap > this.#head; gap--) handles[gap] = handles[gap - 1];
      this.shift();
    } else {
      for (this.#tail--; gap < this.#tail; gap++) handles[gap] = handles[gap + 1];
      handles[this.#tail] = undefined;
    }
    return handle;
  }

  /** All of them, as a list of its own. */
  list(): Handle[] {
    return this.#handles.slice(this.#head, this.#tail).filter((handle) => handle !== undefined);
  }

  dropCancelled(): void {
    this.#replace(this.list().filter((handle) => !handle.cancelled()));
  }

  /** Takes the one that has `index` handles before it. */
  #takeOutOfBlocks(counts: number[], index: number): Handle {
    let before = index;
    let block = this.#head >> BLOCK_BITS;
    for (let count = counts[block] ?? 0; count <= before; count = counts[++block] ?? 0) before -= count;
    let place = Math.max(this.#head, block << BLOCK_BITS);
    for (; this.#handles[place] === undefined || before > 0; place++) if (this.#handles[place] !== undefined) before--;
    const handle = this.#handles[place] as Handle; // just seen
    this.#handles[place] = undefined;
    this.#holes++;
    this.#count(counts, place, -1);
    if (this.#holes >= this.length || this.length <= LONG / 2) this.#replace(this.list());
    return handle;
  }

  #count(counts: number[], place: number, change: number): void {
    const block = place >> BLOCK_BITS;
    counts[block] = (counts[block] ?? 0) + change;
  }

  #makeCounts(): number[] {
    const counts = new Array<number>((this.#tail >> BLOCK_BITS) + 1).fill(0);
    for (let place = this.#head; place < this.#tail; place++) this.#count(counts, place, 1); // there are no holes yet
    return counts;
  }

  #replace(handles: Handle[]): void {
    this.#handles = handles;
    this.#head = 0;
    this.#tail = handles.length;
    this.#holes = 0;
    this.#counts = undefined;
  }
}
