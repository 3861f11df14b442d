/**
 * Sleeping: virtual time passes, real time does not.
 */
import { describeValue, RuntimeError, UsageError } from "../errors/errors.js";
import type { EventLoop } from "./event-loop.js";
import { Future } from "./future.js";
import { Housekeeping } from "./handle.js";
import { inspectKey } from "./inspect.js";
import { getRunningLoop } from "./running.js";
import { isOwnAwaitable } from "./thenable.js";
import { Wait } from "./wait.js";

/** The timer of a sleep: completes its future. When that was cancelled first, the timer goes with it, so that time does not wait. */
class WakeUp extends Housekeeping {
  readonly #delayMs: number;
  readonly future: Future<void>;

  constructor(loop: EventLoop, delayMs: number) {
    super();
    this.#delayMs = delayMs;
    this.future = new Future<void>(loop, this);
  }

  get name(): string {
    return "sleep";
  }

  override cancelled(): boolean {
    return this.future.isDone;
  }

  run(): void {
    if (!this.future.isDone) this.future.setResult();
  }

  describe(): string {
    return `sleep(${this.#delayMs})`;
  }
}

/** In the place of the delay once a sleep was awaited. */
const USED = -1;

/** What {@link sleep} returns. Its time starts to run when it is awaited. */
export class Sleep implements PromiseLike<void> {
  #delayMs: number;

  /** @internal Use {@link sleep}. */
  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** @internal */
  get [isOwnAwaitable](): true {
    return true;
  }

  then<Result1 = void, Result2 = never>(
    onFulfilled?: ((value: void) => Result1 | PromiseLike<Result1>) | null,
    onRejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): PromiseLike<Result1 | Result2> {
    const loop = getRunningLoop("Awaiting sleep()");
    const delayMs = this.#delayMs;
    if (delayMs === USED) throw new RuntimeError("cannot reuse an already awaited sleep()");
    this.#delayMs = USED;
    if (delayMs > 0) {
      const wakeUp = new WakeUp(loop, delayMs);
      loop.addTimer(loop.time() + delayMs, wakeUp);
      return wakeUp.future.then(onFulfilled, onRejected);
    }
    const task = loop.findAwaitingTask();
    const wait = new Wait(task, undefined, onFulfilled, onRejected);
    task?.suspend(wait);
    loop.enqueue(wait);
    return wait as PromiseLike<unknown> as PromiseLike<Result1 | Result2>; // see Future.then
  }

  [inspectKey](): string {
    return this.#delayMs === USED ? "<Sleep, awaited>" : `<Sleep ${this.#delayMs} ms>`;
  }
}

/**
 * Suspends the task for `delayMs` of virtual time; `sleep(0)` gives every other ready task its turn. As in asyncio it always
 * suspends, nothing happens before it is awaited, and it is awaited once.
 *
 * Throws UsageError unless `delayMs` is a whole number of milliseconds, not negative.
 *
 * @example
 * await run(async () => { await sleep(1_500); }); // takes 1,500 ms of virtual and no real time
 * @since 0.1.0
 */
export function sleep(delayMs: number): Sleep {
  requireDelay(delayMs, "sleep: delayMs");
  return new Sleep(delayMs);
}

/** Throws UsageError unless `delayMs` is a whole number of milliseconds from 0 on. */
export function requireDelay(delayMs: number, argument: string): void {
  if (!Number.isSafeInteger(delayMs) || delayMs < 0) {
    throw new UsageError(`${argument} must be a whole number of milliseconds, 0 or more, not ${describeValue(delayMs)}`);
  }
}
