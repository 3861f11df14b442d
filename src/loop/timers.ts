/**
 * Timers in their total order: by deadline, and at equal deadlines by creation. A binary heap; adding and removing cost O(log n).
 *
 * The heap stands in three arrays side by side, so that finding a place reads numbers that lie together, and not objects all over the
 * memory: with 100,000 timers that is what costs.
 */
import type { Handle } from "./handle.js";

/** The heap is swept of cancelled timers when it has doubled since the last sweep, and never below this size. */
const SMALLEST_SWEEP = 64;

export class Timers {
  #deadlines: number[] = [];
  /** In which order they were made. */
  #sequences: number[] = [];
  #handles: Handle[] = [];
  #sequence = 0;
  #sweepAt = SMALLEST_SWEEP;

  /** How many timers wait, cancelled ones left out. */
  countLive(): number {
    return this.live().length;
  }

  /** The timers that wait, in no order that matters. */
  live(): readonly Handle[] {
    return this.#handles.filter((handle) => !handle.cancelled());
  }

  add(deadlineMs: number, handle: Handle): void {
    if (this.#handles.length >= this.#sweepAt) this.#sweep();
    const place = this.#handles.length;
    this.#handles.push(handle);
    this.#siftUp(place, deadlineMs, this.#sequence++, handle);
  }

  /** The earliest deadline, or undefined when no timer waits. */
  nextDeadlineMs(): number | undefined {
    while (this.#handles[0]?.cancelled() === true) this.#removeFirst();
    return this.#handles.length === 0 ? undefined : this.#deadlines[0];
  }

  /** Takes out the next timer that is due at `nowMs`. */
  takeDue(nowMs: number): Handle | undefined {
    const deadlineMs = this.nextDeadlineMs();
    return deadlineMs !== undefined && deadlineMs <= nowMs ? this.#removeFirst() : undefined;
  }

  /** Keeps what is not cancelled. The order is total, so what fires next stays the same. */
  #sweep(): void {
    const [deadlines, sequences, handles] = [this.#deadlines, this.#sequences, this.#handles];
    this.#deadlines = [];
    this.#sequences = [];
    this.#handles = [];
    handles.forEach((handle, place) => {
      if (handle.cancelled()) return;
      this.#handles.push(handle);
      this.#siftUp(this.#handles.length - 1, deadlines[place] ?? 0, sequences[place] ?? 0, handle); // the place is within all three
    });
    this.#sweepAt = Math.max(SMALLEST_SWEEP, 2 * this.#handles.length);
  }

  #removeFirst(): Handle | undefined {
    const first = this.#handles[0];
    const last = this.#handles.pop();
    const length = this.#handles.length;
    if (last !== undefined && length > 0) this.#siftDown(this.#deadlines[length] ?? 0, this.#sequences[length] ?? 0, last); // its place
    return first;
  }

  /** Puts the timer where it belongs between `place` and the top. */
  #siftUp(place: number, deadlineMs: number, sequence: number, handle: Handle): void {
    let child = place;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(deadlineMs, sequence, parent)) break;
      this.#move(parent, child);
      child = parent;
    }
    this.#put(child, deadlineMs, sequence, handle);
  }

  /** Puts the timer where it belongs between the top and the bottom. */
  #siftDown(deadlineMs: number, sequence: number, handle: Handle): void {
    const { length } = this.#handles;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && this.#isBefore(this.#deadlines[right] ?? 0, this.#sequences[right] ?? 0, child)) child = right;
      if (this.#isBefore(deadlineMs, sequence, child)) break;
      this.#move(child, parent);
      parent = child;
    }
    this.#put(parent, deadlineMs, sequence, handle);
  }

  /** Whether a timer of these fires before the one at `place`. */
  #isBefore(deadlineMs: number, sequence: number, place: number): boolean {
    const other = this.#deadlines[place] ?? 0; // the place is within the heap
    return deadlineMs < other || (deadlineMs === other && sequence < (this.#sequences[place] ?? 0));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#deadlines[from] ?? 0, this.#sequences[from] ?? 0, this.#handles[from] as Handle); // within the heap
  }

  #put(place: number, deadlineMs: number, sequence: number, handle: Handle): void {
    this.#deadlines[place] = deadlineMs;
    this.#sequences[place] = sequence;
    this.#handles[place] = handle;
  }
}
