/**
 * A future: the cell in which a result or an exception arrives, once.
 *
 * The interface is that of `asyncio.Future` in camelCase. A future is a thenable, so `await future` suspends the task until it is
 * done; an await on a future that is done lets no other task in between.
 *
 * Invariant: the state leaves "pending" once and never changes again; at that moment every waiter moves to the ready queue, in the
 * order in which it came, and the waiter list is empty from then on.
 */
import { CancelledError, describeError, describeValue, InvalidStateError, RuntimeError, UsageError } from "../errors/errors.js";
import type { EventLoop } from "./event-loop.js";
import { CallbackHandle, type Handle } from "./handle.js";
import { inspectKey } from "./inspect.js";
import { nativeThen } from "./native-then.js";
import { findRunningLoop, outsideError } from "./running.js";
import { isOwnAwaitable } from "./thenable.js";
import { Wait } from "./wait.js";

type FutureState = "pending" | "finished" | "failed" | "cancelled";

/** Says in reports what somebody waits for. */
export interface Describer {
  describe(): string;
}

/** A callback of the program that waits for a future. */
class DoneCallback extends CallbackHandle {
  readonly callback: unknown;

  constructor(callback: { readonly name: string }, call: () => unknown, sequence: number) {
    super(callback.name, call, sequence);
    this.callback = callback;
  }
}

/**
 * A result that is not there yet. Made by `loop.createFuture()`.
 *
 * @example
 * await run(async () => {
 *   const answer = getRunningLoop().createFuture<number>();
 *   createTask(async () => answer.setResult(42));
 *   return await answer; // 42
 * });
 * @since 0.1.0
 */
export class Future<T = unknown> implements PromiseLike<T> {
  readonly #loop: EventLoop;
  #state: FutureState = "pending";
  /** The result, the exception, or the message of the cancellation. */
  #outcome: unknown = undefined;
  #waiters: Handle | Handle[] | undefined = undefined;

  readonly #name: string | Describer;

  /**
   * `name` says what it is in reports, or who says it when a report asks. (And not a subclass for each use: the engine is fast only with
   * few classes of futures, and this is used as a task, a gather, and a place in the line of a queue already.) @internal Use `loop.createFuture()`.
   */
  constructor(loop: EventLoop, name: string | Describer = "future") {
    this.#loop = loop;
    this.#name = name;
    loop.tracker?.introduce(this);
  }

  /** @internal */
  get [isOwnAwaitable](): true {
    return true;
  }

  /** The loop that this future belongs to. */
  getLoop(): EventLoop {
    return this.#loop;
  }

  /** Whether there is a result, an exception or a cancellation. */
  done(): boolean {
    this.#loop.tracker?.looked(this);
    return this.#state !== "pending";
  }

  /** Whether it was cancelled. */
  cancelled(): boolean {
    this.#loop.tracker?.looked(this);
    return this.#state === "cancelled";
  }

  /** The result. Throws the exception where there is one, CancelledError when cancelled, InvalidStateError while pending. */
  result(): T {
    this.#loop.tracker?.looked(this);
    if (this.#state === "pending") throw new InvalidStateError("Result is not set.");
    if (this.#state === "cancelled") throw this.#cancelledError();
    if (this.#state === "failed") {
      this.#loop.ledger.removeFailure(this);
      throw this.#outcome;
    }
    return this.#outcome as T; // "finished" was set together with a result of type T
  }

  /** The exception, or undefined when there is a result. Throws CancelledError when cancelled, InvalidStateError while pending. */
  exception(): unknown {
    this.#loop.tracker?.looked(this);
    if (this.#state === "pending") throw new InvalidStateError("Exception is not set.");
    if (this.#state === "cancelled") throw this.#cancelledError();
    if (this.#state === "finished") return undefined;
    this.#loop.ledger.removeFailure(this);
    return this.#outcome;
  }

  /** Completes it with a result. Throws InvalidStateError when it is done already. */
  setResult(value: T): void {
    this.complete("finished", value);
  }

  /** Completes it with an exception. Throws InvalidStateError when it is done already. */
  setException(error: unknown): void {
    this.complete("failed", error);
  }

  /** Cancels it: whoever awaits it gets CancelledError. False, and nothing happens, when it is done already. */
  cancel(message?: string): boolean {
    if (this.#state !== "pending") {
      this.#loop.tracker?.looked(this);
      this.#loop.ledger.removeFailure(this);
      return false;
    }
    this.complete("cancelled", message);
    return true;
  }

  /** Calls `callback(future)` in a step of its own once this is done; soon, when it is done already. */
  addDoneCallback(callback: (future: Future<T>) => unknown): void {
    this.addWaiter(new DoneCallback(callback, () => callback(this), this.#loop.nextCallbackNumber()));
  }

  /** Removes every registration of `callback` that was not called yet; answers how many there were. */
  removeDoneCallback(callback: (future: Future<T>) => unknown): number {
    this.#loop.tracker?.looked(this);
    const waiters = this.#waiters === undefined ? [] : [this.#waiters].flat();
    const kept = waiters.filter((waiter) => !(waiter instanceof DoneCallback && waiter.callback === callback));
    this.#waiters = kept;
    return waiters.length - kept.length;
  }

  /**
   * What `await` calls. The callbacks run in a step of their own, or, when the future is done, in a microtask of this step. (Called by hand,
   * with callbacks of one's own, those run in the loop's context and not in this one; `addDoneCallback` keeps it.)
   *
   * Throws UsageError outside of a run, and in a run of another loop while it is pending; RuntimeError for a task that awaits itself.
   */
  then<Result1 = T, Result2 = never>(
    onFulfilled?: ((value: T) => Result1 | PromiseLike<Result1>) | null,
    onRejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): PromiseLike<Result1 | Result2> {
    const running = findRunningLoop();
    if (running !== this.#loop) this.#requireLoop(running);
    this.#loop.tracker?.looked(this);
    if (this.#state !== "pending") return nativeThen(this.#settled(), onFulfilled, onRejected);
    const task = this.#loop.findAwaitingTask();
    if ((task as Future | undefined) === this) throw new RuntimeError(`${this.describe()} cannot await itself`);
    const wait = new Wait(task, this, onFulfilled, onRejected);
    this.#loop.tracker?.made(wait);
    this.addWaiter(wait);
    task?.suspend(wait);
    return wait as PromiseLike<unknown> as PromiseLike<Result1 | Result2>; // it hands on what the callbacks return
  }

  /** How deadlocks and `inspect` name it. @internal */
  describe(): string {
    return typeof this.#name === "string" ? this.#name : this.#name.describe();
  }

  /** Queues `waiter` on completion, or now when that has been. @internal */
  addWaiter(waiter: Handle): void {
    this.#loop.tracker?.looked(this);
    if (this.#state !== "pending") this.#loop.enqueue(waiter);
    else if (this.#waiters === undefined) this.#waiters = waiter;
    else if (Array.isArray(this.#waiters)) this.#waiters.push(waiter);
    else this.#waiters = [this.#waiters, waiter];
  }

  /** Takes `waiter` out again; one that is on its way already runs all the same, as in asyncio. @internal */
  removeWaiter(waiter: Handle): void {
    this.#loop.tracker?.looked(this);
    if (Array.isArray(this.#waiters)) {
      const place = this.#waiters.indexOf(waiter);
      if (place >= 0) this.#waiters.splice(place, 1);
    } else if (this.#waiters === waiter) this.#waiters = undefined;
  }

  /** Hands the outcome, or the cancellation that interrupts it, to an await that is resumed. @internal */
  deliverTo(wait: Wait, interruption: CancelledError | undefined): void {
    if (interruption !== undefined) wait.reject(interruption);
    else if (this.#state === "finished") wait.fulfil(this.#outcome);
    else if (this.#state === "cancelled") wait.reject(this.#cancelledError());
    else {
      this.#loop.ledger.removeFailure(this);
      wait.reject(this.#outcome);
    }
  }

  /** The one place where a future becomes done. @internal */
  complete(state: Exclude<FutureState, "pending">, outcome: unknown): void {
    if (this.#state !== "pending") {
      this.#loop.tracker?.looked(this);
      throw new InvalidStateError(`${this.describe()} is already done`);
    }
    this.#state = state;
    this.#outcome = outcome;
    this.#loop.tracker?.completed(this);
    if (state === "failed") this.#loop.ledger.addFailure(this);
    const waiters = this.#waiters;
    this.#waiters = undefined;
    if (waiters === undefined) return;
    if (!Array.isArray(waiters)) this.#loop.enqueue(waiters);
    else for (const waiter of waiters) this.#loop.enqueue(waiter);
  }

  /** The exception, without counting as having looked at it. @internal */
  peekException(): unknown {
    return this.#state === "failed" ? this.#outcome : undefined;
  }

  /** {@link done}, without counting as a look at it by the running step. @internal */
  get isDone(): boolean {
    return this.#state !== "pending";
  }

  /** The state in one word. @internal */
  get state(): FutureState {
    return this.#state;
  }

  [inspectKey](): string {
    return `<Future ${this.describe()} ${this.describeState()}>`;
  }

  /** `pending`, `result=5`, `exception=RuntimeError: boom` or `cancelled`. @internal */
  describeState(): string {
    if (this.#state === "finished") return `result=${describeValue(this.#outcome)}`;
    return this.#state === "failed" ? `exception=${describeError(this.#outcome)}` : this.#state;
  }

  #settled(): Promise<T> {
    if (this.#state === "finished") return Promise.resolve(this.#outcome as T); // see result()
    if (this.#state === "failed") this.#loop.ledger.removeFailure(this);
    const error = this.#state === "cancelled" ? this.#cancelledError() : this.#outcome;
    return Promise.reject(error); // the program's exception, whatever it is
  }

  #cancelledError(): CancelledError {
    return this.#outcome instanceof CancelledError ? this.#outcome : new CancelledError(this.#outcome as string | undefined);
  }

  #requireLoop(running: EventLoop | undefined): void {
    if (running === undefined) throw outsideError(`Awaiting ${this.describe()}`);
    if (this.#state === "pending") {
      throw new UsageError(
        `${this.describe()} belongs to another event loop than the one that is running. ` +
          "Usually it was created in an earlier run: create futures and tasks inside the run that awaits them.",
      );
    }
  }
}
