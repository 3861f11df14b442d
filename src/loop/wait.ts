/**
 * A suspension: one `await` of something of the loop, from the moment it suspends until it is resumed. It is the handle that
 * resumes it, and (because the language asks every `then` for a promise) the thenable that `then` returns.
 *
 * Invariant: a pending wait stands either in the ready queue or in the waiter list of exactly one future, its `source`. Only
 * completing the source moves it from the second to the first.
 */
import type { Future } from "./future.js";
import { Handle } from "./handle.js";
import { nativeThen } from "./native-then.js";
import type { Task } from "./task.js";

export type OnFulfilled = ((value: never) => unknown) | null | undefined;
export type OnRejected = ((reason: unknown) => unknown) | null | undefined;

export class Wait extends Handle implements PromiseLike<unknown> {
  readonly #task: Task | undefined;
  #source: Future | undefined;
  #onFulfilled: OnFulfilled;
  #onRejected: OnRejected;
  #settleDerived: ((result: unknown) => void) | undefined;

  constructor(task: Task | undefined, source: Future | undefined, onFulfilled: OnFulfilled, onRejected: OnRejected) {
    super();
    this.#task = task;
    this.#source = source;
    this.#onFulfilled = onFulfilled;
    this.#onRejected = onRejected;
  }

  /** The task that awaits; undefined where a plain callback does. */
  override get task(): Task | undefined {
    return this.#task;
  }

  /** What it waits for; undefined for `sleep(0)`, which waits only for its turn. */
  get source(): Future | undefined {
    return this.#source;
  }

  get name(): string {
    return this.#task?.getName() ?? "callback";
  }

  get operation(): string {
    return this.#task?.operation ?? "";
  }

  run(): void {
    const interruption = this.#task?.resume(this);
    if (this.#source !== undefined) this.#source.deliverTo(this, interruption);
    else if (interruption === undefined) this.fulfil(undefined);
    else this.reject(interruption);
  }

  /** Is not over yet: what it was woken for is gone, and it waits for `source` now. */
  waitAgain(source: Future<void>): void {
    this.#source = source; // nobody completes it through here
    source.getLoop().tracker?.made(this);
    source.addWaiter(this);
    this.#task?.suspend(this);
  }

  fulfil(value: unknown): void {
    // The language's own `resolve` takes any value, as does a callback of the program written for this future.
    this.#settle(this.#onFulfilled as ((value: unknown) => unknown) | null | undefined, value, false);
  }

  reject(error: unknown): void {
    this.#settle(this.#onRejected, error, true);
  }

  /** Only code that calls `then` by hand gets here: an `await` ignores what `then` returns. */
  then<Result1 = unknown, Result2 = never>(
    onFulfilled?: ((value: unknown) => Result1 | PromiseLike<Result1>) | null,
    onRejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): Promise<Result1 | Result2> {
    const derived = new Promise<unknown>((resolve) => {
      const settleEarlier = this.#settleDerived;
      this.#settleDerived = (result) => {
        settleEarlier?.(result);
        resolve(result);
      };
    });
    return nativeThen(derived, onFulfilled, onRejected);
  }

  /**
   * Puts `resolve` and `reject` of a promise that the await follows from now on in the place of the await's own. Used to find out
   * where in the source it stands, without resuming it. Answers false, and does nothing, for a `then` that the program called with a
   * callback of its own, which it would call.
   */
  redirect(through: Promise<unknown>, resolve: (value: unknown) => void, reject: (reason: unknown) => void): boolean {
    if (!isEngineResolver(this.#onFulfilled)) return false;
    this.fulfil(through);
    this.#onFulfilled = resolve;
    this.#onRejected = reject;
    return true;
  }

  #settle(callback: ((value: unknown) => unknown) | null | undefined, value: unknown, isError: boolean): void {
    if (this.#settleDerived === undefined) {
      // Nobody took the promise of this `then`: it is an await, whose callbacks are the language's own and never throw.
      if (typeof callback === "function") callback(value);
      return;
    }
    try {
      if (typeof callback === "function") this.#settleDerived(callback(value));
      else this.#settleDerived(isError ? Promise.reject(value) : value);
    } catch (error) {
      this.#settleDerived(Promise.reject(error)); // whatever was thrown is passed on unchanged
    }
  }
}

/** Whether `callback` is the `resolve` that the engine makes for a promise: native, and without the name that a bound function has. @internal */
export function isEngineResolver(callback: unknown): boolean {
  return (
    typeof callback === "function" &&
    callback.name === "" &&
    /^function \(\) \{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(callback))
  );
}
