/**
 * What is to run, and when: the ready queue, the timers, the virtual clock, and the choice of the next handle.
 *
 * Under asyncio's own order (`"inline"` housekeeping) the queue runs in batches like `BaseEventLoop._run_once`; otherwise the
 * library's own handles and the timers that are due run at once, and the strategy picks among the rest.
 *
 * Invariant: virtual time moves only while nothing is ready, and only to the earliest deadline.
 */
import { UsageError } from "../errors/errors.js";
import type { Decision, Housekeeping, Strategy } from "../schedule/strategy.js";
import type { Handle } from "./handle.js";
import { OpenDecision } from "./open-decision.js";
import { ReadyQueue } from "./ready-queue.js";
import { Timers } from "./timers.js";

export class Agenda {
  readonly #strategy: Strategy | undefined;
  readonly housekeeping: Housekeeping;
  readonly #ready = new ReadyQueue();
  /** The library's own handles, where they run before the next decision. */
  readonly #eager = new ReadyQueue();
  readonly #timers = new Timers();
  /** Timers of the program that were due when they were made, where a strategy decides. The first of them is ready. */
  readonly #immediate: Handle[] = [];
  #nowMs = 0;
  #steps = 0;
  /** Handles of the current batch that were not taken yet; only in asyncio's order. */
  #batch = 0;
  #hasCancelledHandle = false;
  #decision: Decision | undefined = undefined;

  constructor(strategy: Strategy | undefined) {
    this.#strategy = strategy;
    this.housekeeping = strategy === undefined ? "inline" : (strategy.housekeeping ?? "eager");
  }

  /** Virtual milliseconds since the run began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many steps have begun. */
  get steps(): number {
    return this.#steps;
  }

  /** How many handles are ready. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** How many timers wait. */
  get timerCount(): number {
    return this.#timers.countLive();
  }

  /** Whether the batch that began with {@link beginBatch} still has handles. */
  get isInBatch(): boolean {
    return this.#batch > 0;
  }

  beginStep(): number {
    return ++this.#steps;
  }

  enqueue(handle: Handle): void {
    if (this.housekeeping === "eager" && handle.isHousekeeping) this.#eager.push(handle);
    else this.#ready.push(handle);
  }

  /** Throws UsageError when the clock does not reach so far. */
  addTimer(deadlineMs: number, handle: Handle): void {
    if (!Number.isSafeInteger(deadlineMs)) {
      throw new UsageError(`a deadline of ${deadlineMs} ms is beyond the clock, which ends at 2^53 - 1`);
    }
    if (deadlineMs <= this.#nowMs && this.housekeeping === "eager") this.#addImmediate(handle);
    else this.#timers.add(deadlineMs, handle);
  }

  /** Timers are not permuted among themselves: of those that are due at once, only the first is ready. */
  #addImmediate(handle: Handle): void {
    this.#immediate.push(handle);
    if (this.#immediate.length === 1) this.#ready.push(handle);
  }

  noteCancelledHandle(): void {
    this.#hasCancelledHandle = true;
  }

  /** Moves the clock to the next deadline; false when there is none. */
  passTime(): boolean {
    const deadlineMs = this.#timers.nextDeadlineMs();
    if (deadlineMs === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, deadlineMs);
    return true;
  }

  /** asyncio's order: what is ready now, and the timers that are due, run before anything that they queue. */
  beginBatch(): void {
    for (let due = this.#timers.takeDue(this.#nowMs); due !== undefined; due = this.#timers.takeDue(this.#nowMs)) this.#ready.push(due);
    this.#batch = this.#ready.length;
  }

  /** The next handle of the batch, which must have one. */
  takeOfBatch(): Handle {
    this.#batch--;
    return this.#ready.shift();
  }

  /** Every other order: housekeeping first, then due timers, then what the strategy picks; undefined when nothing is ready. */
  takeByStrategy(): Handle | undefined {
    if (this.#eager.length > 0) return this.#eager.shift();
    const due = this.#timers.takeDue(this.#nowMs);
    if (due !== undefined) return due;
    if (this.#hasCancelledHandle || this.#hasCancelledTimer()) this.#dropCancelled();
    if (this.#ready.length === 0) return undefined;
    const taken =
      this.#ready.length > 1 && this.#strategy !== undefined ? this.#ready.take(this.#decide(this.#strategy)) : this.#ready.shift();
    if (taken === this.#immediate[0]) {
      this.#immediate.shift();
      const next = this.#immediate.at(0);
      if (next !== undefined) this.#ready.push(next);
    }
    return taken;
  }

  /** What is cancelled is no alternative, and the next of the immediate timers is ready in the place of one that is. */
  #dropCancelled(): void {
    this.#hasCancelledHandle = false;
    this.#ready.dropCancelled();
    if (!this.#hasCancelledTimer()) return;
    while (this.#hasCancelledTimer()) this.#immediate.shift();
    const next = this.#immediate.at(0);
    if (next !== undefined) this.#ready.push(next);
  }

  #hasCancelledTimer(): boolean {
    return this.#immediate[0]?.cancelled() === true;
  }

  #decide(strategy: Strategy): number {
    const count = this.#ready.length;
    const index = strategy.pick((this.#decision ??= new OpenDecision(this, this.#ready)));
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new UsageError(`strategy ${strategy.name}: picked ${index} of ${count} ready tasks`);
    }
    return index;
  }
}
