/**
 * `timeout` and `timeoutAt`: a time limit around a piece of a task, as `asyncio.timeout` sets it.
 *
 * They take a function, where asyncio has a context manager: what `await using` disposes of is not told how its block ended, and so
 * could not turn the cancellation into a TimeoutError.
 */
import { cancellationIn, RuntimeError, requireFunction, TimeoutError } from "../errors/errors.js";
import type { CallbackHandle } from "../loop/handle.js";
import { inspectKey } from "../loop/inspect.js";
import { getRunningLoop } from "../loop/running.js";
import { requireDelay } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";

/** The limit around a body, which is handed it. */
export class Timeout {
  readonly #task: Task;
  /** How many cancellations of the task were requested before. */
  readonly #requestsBefore: number;
  #state: "active" | "expiring" | "expired" | "finished" = "active";
  #whenMs: number | undefined;
  #timer: CallbackHandle | undefined;

  /** @internal Use {@link timeout}. */
  constructor(task: Task, whenMs: number | undefined) {
    this.#task = task;
    this.#requestsBefore = task.cancelling();
    this.#setTimer(whenMs);
  }

  /** The virtual time at which it expires; undefined when it never does. */
  when(): number | undefined {
    return this.#whenMs;
  }

  /**
   * Moves the deadline to the virtual time `whenMs`; undefined takes it away. One that has passed expires soon.
   *
   * Throws RuntimeError once it has expired or its body is over.
   */
  reschedule(whenMs: number | undefined): void {
    if (this.#state !== "active") throw new RuntimeError(`Cannot change state of ${this.#state} Timeout`);
    if (whenMs !== undefined) requireDelay(whenMs, "reschedule: whenMs");
    this.#timer?.cancel();
    this.#setTimer(whenMs);
  }

  /** Whether the deadline has come while the body ran. */
  expired(): boolean {
    return this.#state === "expiring" || this.#state === "expired";
  }

  /** Ends it; throws TimeoutError in the place of the cancellation that it caused. @internal */
  exit(thrown: unknown): void {
    this.#timer?.cancel();
    if (this.#state === "active") {
      this.#state = "finished";
      return;
    }
    this.#state = "expired";
    // Where somebody else asked for a cancellation meanwhile, that one goes on.
    if (this.#task.uncancel() <= this.#requestsBefore && cancellationIn(thrown) !== undefined) {
      throw new TimeoutError(`the time limit was over at t=${this.#whenMs}`, { cause: thrown });
    }
  }

  [inspectKey](): string {
    return `<Timeout ${this.#state}${this.#whenMs === undefined ? "" : ` when=${this.#whenMs}`}>`;
  }

  #setTimer(whenMs: number | undefined): void {
    this.#whenMs = whenMs;
    const loop = this.#task.getLoop();
    const expire = (): void => {
      this.#state = "expiring";
      this.#task.cancel();
    };
    if (whenMs === undefined) this.#timer = undefined;
    else this.#timer = whenMs <= loop.time() ? loop.callSoon(expire) : loop.callAt(whenMs, expire);
  }
}

/**
 * Runs `body` for at most `delayMs` of virtual time: then it is cancelled, and TimeoutError is raised in the place of that
 * cancellation. `undefined` sets no limit; the body can set one later. Answers what the body returns.
 *
 * Throws RuntimeError outside of a task, UsageError outside of a run and for a delay that is no whole number of milliseconds from 0 on.
 *
 * @example
 * await timeout(500, async (limit) => {
 *   const parts = await countParts();
 *   limit.reschedule(getRunningLoop().time() + 100 * parts);
 *   await loadParts(parts);
 * });
 * @since 0.2.0
 */
export async function timeout<T>(delayMs: number | undefined, body: (limit: Timeout) => PromiseLike<T> | T): Promise<T> {
  if (delayMs === undefined) return await timeoutAt(undefined, body);
  requireDelay(delayMs, "timeout: delayMs");
  return await timeoutAt(getRunningLoop("timeout()").time() + delayMs, body);
}

/**
 * The same with a deadline on the loop's clock (`loop.time()`).
 *
 * @since 0.2.0
 */
export async function timeoutAt<T>(whenMs: number | undefined, body: (limit: Timeout) => PromiseLike<T> | T): Promise<T> {
  if (whenMs !== undefined) requireDelay(whenMs, "timeoutAt: whenMs");
  requireFunction(body, "timeout");
  const task = getRunningLoop("timeoutAt()").currentTask();
  if (task === undefined) throw new RuntimeError("Timeout should be used inside a task");
  const limit = new Timeout(task, whenMs);
  let result: T;
  try {
    result = await body(limit);
  } catch (error) {
    limit.exit(error);
    throw error;
  }
  limit.exit(undefined);
  return result;
}
