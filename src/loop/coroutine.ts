/**
 * A coroutine object: a call that has not been made yet. Nothing of it runs until it is awaited or handed to `createTask`, and then
 * it runs once, as in Python. A plain call of an `async` function starts at once; this is for code that wants asyncio's laziness.
 */
import { RuntimeError } from "../errors/errors.js";
import { inspectKey, nameOfFunction } from "./inspect.js";
import { findRunningLoop, outsideError } from "./running.js";
import { isOwnAwaitable, isPromise, isThenable } from "./thenable.js";

/**
 * The object that {@link coroutine} returns.
 *
 * @since 0.1.0
 */
export class Coroutine<T = unknown> implements PromiseLike<T> {
  readonly #fn: () => PromiseLike<T> | T;
  readonly #name: string | undefined;
  #isStarted = false;

  /** @internal Use {@link coroutine}. */
  constructor(fn: () => PromiseLike<T> | T, name?: string) {
    this.#fn = fn;
    this.#name = name;
    findRunningLoop()?.ledger.addCoroutine(this);
  }

  /** The name of its function. */
  get name(): string {
    return this.#name ?? nameOfFunction(this.#fn);
  }

  /**
   * What `await` calls: runs the function inside the task that awaits, without a suspension of its own. Rejects with RuntimeError on the
   * second await, and with UsageError outside of a run.
   */
  then<Result1 = T, Result2 = never>(
    onFulfilled?: ((value: T) => Result1 | PromiseLike<Result1>) | null,
    onRejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): PromiseLike<Result1 | Result2> {
    return this.call().then(onFulfilled, onRejected);
  }

  /** Runs the function, once. @internal */
  call(): PromiseLike<T> {
    try {
      if (findRunningLoop() === undefined) throw outsideError(`Awaiting coroutine ${this.name}`);
      this.take();
      const result: unknown = this.#fn();
      return isThenable(result) && (isPromise(result) || isOwnAwaitable in result)
        ? (result as PromiseLike<T>) // what the function answers
        : Promise.resolve(result as T); // the same
    } catch (error) {
      return Promise.reject(error); // whatever was thrown is passed on unchanged
    }
  }

  /** Marks it as used. Throws RuntimeError when it was used before. @internal */
  take(): void {
    if (this.#isStarted) throw new RuntimeError(`cannot reuse already awaited coroutine ${this.name}`);
    this.#isStarted = true;
  }

  /** Whether it was awaited or handed to a task. @internal */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** The function, for a task that has taken it. @internal */
  get body(): () => PromiseLike<T> | T {
    return this.#fn;
  }

  [inspectKey](): string {
    return `<Coroutine ${this.name}: ${this.#isStarted ? "" : "not "}started>`;
  }
}

/**
 * Wraps a function as a lazy coroutine. One that is never awaited or scheduled is reported when the run ends.
 *
 * @example
 * await run(async () => {
 *   const greeting = coroutine(async () => "hello"); // nothing has run yet
 *   return await greeting; // "hello"; a second await is an error
 * });
 * @since 0.1.0
 */
export function coroutine<T>(fn: () => PromiseLike<T> | T): Coroutine<T> {
  return new Coroutine(fn);
}
