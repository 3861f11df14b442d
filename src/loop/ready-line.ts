/**
 * A line of handles that are not permuted among themselves, as native timers that are due: only the first of them stands in the ready
 * queue.
 */
import type { Handle } from "./handle.js";
import type { ReadyQueue } from "./ready-queue.js";

export class ReadyLine {
  readonly #ready: ReadyQueue;
  /** The first of them is ready. */
  readonly #handles: Handle[] = [];

  constructor(ready: ReadyQueue) {
    this.#ready = ready;
  }

  get isEmpty(): boolean {
    return this.#handles.length === 0;
  }

  get first(): Handle | undefined {
    return this.#handles[0];
  }

  push(handle: Handle): void {
    this.#handles.push(handle);
    if (this.#handles.length === 1) this.#ready.push(handle);
  }

  /** `taken` has left the ready queue: if it was the first of the line, the next one is ready in its place. */
  noteTaken(taken: Handle): void {
    if (taken !== this.#handles[0]) return;
    this.#handles.shift();
    this.#advance();
  }

  /** The ready queue has dropped what is cancelled: the next of the line is ready in the place of a first one that was. */
  noteDropped(): void {
    if (this.#handles[0]?.cancelled() === true) this.#advance();
  }

  /** All that are in line, the ready one included. */
  list(): readonly Handle[] {
    return this.#handles;
  }

  #advance(): void {
    while (this.#handles[0]?.cancelled() === true) this.#handles.shift();
    const next = this.#handles[0];
    if (next !== undefined) this.#ready.push(next);
  }
}
