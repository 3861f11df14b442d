/**
 * The ready queue: handles in the order in which they became ready. Taking the first costs O(1), which is what fifo does;
 * taking from the middle moves what stands behind.
 */
import type { Handle } from "./handle.js";

/** The taken part at the front is given back once it is so long and half of the whole. */
const COMPACT_AT = 1024;

export class ReadyQueue {
  #handles: Handle[] = [];
  #head = 0;

  get length(): number {
    return this.#handles.length - this.#head;
  }

  push(handle: Handle): void {
    this.#handles.push(handle);
  }

  /** Takes the first; the queue must not be empty. */
  shift(): Handle {
    const head = this.#head++;
    const handle = this.#handles[head] as Handle; // the queue is not empty
    if (this.#head === this.#handles.length) {
      this.#handles.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#handles.length) this.#compact();
    return handle;
  }

  /** Takes the one at `index`, and closes the gap from the shorter side. */
  take(index: number): Handle {
    const handles = this.#handles;
    let gap = this.#head + index;
    const handle = handles[gap] as Handle; // the caller has checked the index
    if (index * 2 < this.length) {
      for (; gap > this.#head; gap--) handles[gap] = handles[gap - 1] as Handle;
      this.shift();
    } else {
      for (; gap < handles.length - 1; gap++) handles[gap] = handles[gap + 1] as Handle;
      handles.pop();
    }
    return handle;
  }

  /** All of them, as a list that is valid until the queue changes. */
  list(): readonly Handle[] {
    this.#compact();
    return this.#handles;
  }

  dropCancelled(): void {
    this.#compact();
    this.#handles = this.#handles.filter((handle) => !handle.cancelled());
  }

  #compact(): void {
    if (this.#head === 0) return;
    this.#handles.splice(0, this.#head);
    this.#head = 0;
  }
}
