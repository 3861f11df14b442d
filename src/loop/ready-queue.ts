/**
 * The ready queue: handles in the order in which they became ready. Taking the first costs O(1), which is what fifo does;
 * taking from the middle moves what stands on the shorter side.
 *
 * Invariant: the queue is what stands from `#head` up to `#tail`. The array is longer than that, because giving back its end each
 * time that the queue runs empty would cost more than a short step.
 */
import type { Handle } from "./handle.js";

/** The taken part at the front is given back once it is so long and half of the whole. */
const COMPACT_AT = 1024;

export class ReadyQueue {
  #handles: (Handle | undefined)[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(handle: Handle): void {
    this.#handles[this.#tail++] = handle;
  }

  /** Takes the first; the queue must not be empty. */
  shift(): Handle {
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
    const handles = this.#handles;
    let gap = this.#head + index;
    const handle = handles[gap] as Handle; // the caller has checked the index
    if (index * 2 < this.length) {
      for (; gap > this.#head; gap--) handles[gap] = handles[gap - 1]; // within the queue
      this.shift();
    } else {
      for (this.#tail--; gap < this.#tail; gap++) handles[gap] = handles[gap + 1]; // within the queue
    }
    return handle;
  }

  /** All of them, as a list of its own. */
  list(): Handle[] {
    return this.#handles.slice(this.#head, this.#tail) as Handle[]; // within the queue
  }

  dropCancelled(): void {
    this.#replace(this.list().filter((handle) => !handle.cancelled()));
  }

  #replace(handles: Handle[]): void {
    this.#handles = handles;
    this.#head = 0;
    this.#tail = handles.length;
  }
}
