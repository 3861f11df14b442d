/**
 * Timers in their total order: by deadline, and at equal deadlines by creation. Adding and removing cost O(log n).
 */
import type { Handle } from "./handle.js";
import { Heap } from "./heap.js";

interface Timer {
  readonly deadlineMs: number;
  readonly sequence: number;
  readonly handle: Handle;
}

/** The heap is swept of cancelled timers when it has doubled since the last sweep, and never below this size. */
const SMALLEST_SWEEP = 64;

export class Timers {
  readonly #heap = new Heap<Timer>(
    (a, b) => a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.sequence < b.sequence),
  );
  #sequence = 0;
  #sweepAt = SMALLEST_SWEEP;

  /** How many timers wait, cancelled ones left out. */
  countLive(): number {
    return this.#heap.items.filter(({ handle }) => !handle.cancelled()).length;
  }

  add(deadlineMs: number, handle: Handle): void {
    if (this.#heap.length >= this.#sweepAt) {
      this.#heap.keep((timer) => !timer.handle.cancelled());
      this.#sweepAt = Math.max(SMALLEST_SWEEP, 2 * this.#heap.length);
    }
    this.#heap.add({ deadlineMs, sequence: this.#sequence++, handle });
  }

  /** The earliest deadline, or undefined when no timer waits. */
  nextDeadlineMs(): number | undefined {
    while (this.#heap.first?.handle.cancelled() === true) this.#heap.takeFirst();
    return this.#heap.first?.deadlineMs;
  }

  /** Takes out the next timer that is due at `nowMs`. */
  takeDue(nowMs: number): Handle | undefined {
    const deadlineMs = this.nextDeadlineMs();
    return deadlineMs !== undefined && deadlineMs <= nowMs ? this.#heap.takeFirst()?.handle : undefined;
  }
}
