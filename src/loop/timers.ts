/**
 * Timers in their total order: by deadline, and at equal deadlines by creation. A binary heap; adding and removing cost O(log n).
 */
import type { Handle } from "./handle.js";

interface Timer {
  readonly deadlineMs: number;
  readonly sequence: number;
  readonly handle: Handle;
}

/** The heap is swept of cancelled timers when it has doubled since the last sweep, and never below this size. */
const SMALLEST_SWEEP = 64;

export class Timers {
  #heap: Timer[] = [];
  #sequence = 0;
  #sweepAt = SMALLEST_SWEEP;

  /** How many timers wait, cancelled ones left out. */
  countLive(): number {
    return this.#heap.filter(({ handle }) => !handle.cancelled()).length;
  }

  add(deadlineMs: number, handle: Handle): void {
    if (this.#heap.length >= this.#sweepAt) this.#sweep();
    this.#heap.push({ deadlineMs, sequence: this.#sequence++, handle });
    this.#siftUp(this.#heap.length - 1);
  }

  /** A sorted array is a heap, and the order is total, so sweeping cannot change what fires next. */
  #sweep(): void {
    this.#heap = this.#heap.filter(({ handle }) => !handle.cancelled()).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#sweepAt = Math.max(SMALLEST_SWEEP, 2 * this.#heap.length);
  }

  /** The earliest deadline, or undefined when no timer waits. */
  nextDeadlineMs(): number | undefined {
    while (this.#heap[0]?.handle.cancelled() === true) this.#removeFirst();
    return this.#heap[0]?.deadlineMs;
  }

  /** Takes out the next timer that is due at `nowMs`. */
  takeDue(nowMs: number): Handle | undefined {
    const deadlineMs = this.nextDeadlineMs();
    return deadlineMs !== undefined && deadlineMs <= nowMs ? this.#removeFirst() : undefined;
  }

  #removeFirst(): Handle | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first !== undefined && last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown();
    }
    return first?.handle;
  }

  #siftUp(start: number): void {
    const heap = this.#heap;
    for (let child = start; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!swapIfBefore(heap, child, parent)) return;
      child = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const leftTimer = heap[left];
      const rightTimer = heap[right];
      if (leftTimer === undefined) return;
      const child = rightTimer !== undefined && isBefore(rightTimer, leftTimer) ? right : left;
      if (!swapIfBefore(heap, child, parent)) return;
      parent = child;
    }
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.sequence < b.sequence);
}

/** Swaps the two where the child is to fire before its parent; answers whether it did. */
function swapIfBefore(heap: Timer[], child: number, parent: number): boolean {
  const lower = heap[child];
  const upper = heap[parent];
  if (lower === undefined || upper === undefined || !isBefore(lower, upper)) return false;
  heap[child] = upper;
  heap[parent] = lower;
  return true;
}
