/**
 * A coroutine object: a call that has not been made yet. Nothing of it runs until it is awaited or handed to `createTask`, and then
 * it runs once, as in Python. A plain call of an `async` function starts at once; this is for code that wants asyncio's laziness.
 */

import { inspectKey, nameOfFunction } from "./inspect.js";
import { findRunningLoop, outsideError } from "./running.js";

/**
 * The object that {@link coroutine} returns.
 *
 * @since 0.1.0
 */
export class Coroutine<T = unknown> implements PromiseLike<T> {
  readonly #fn: () => PromiseLike<T> | T;
  readonly #name: string | undefined;
  #state: "not started" | "started" = "not started";

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
   * What `await` calls: runs the function inside the task that awaits, without a suspension of its own. Rejects with an Error on the
   * second await, and with UsageError outside of a run.
   */
  then<Result1 = T, Result2 = never>(
    onFulfilled?: ((value: T) => Result1 | PromiseLike<Result1>) | null,
    onRejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): PromiseLike<Result1 | Result2> {
    return this.call().then(onFulfilled, onRejected);
  }

  /** Runs the function, once. @internal */
  async call(): Promise<T> {
    const loop = findRunningLoop();
    if (loop === undefined) throw outsideError(`Awaiting coroutine ${this.name}`);
    this.take();
    return await this.#fn();
  }

  /** Marks it as used. Throws when it was used before. @internal */
  take(): void {
    if (this.#state === "started") throw new Error(`cannot reuse already awaited coroutine ${this.name}`);
    this.#state = "started";
    findRunningLoop()?.ledger.removeCoroutine(this);
  }

  /** The function, for a task that has taken it. @internal */
  get body(): () => PromiseLike<T> | T {
    return this.#fn;
  }

  [inspectKey](): string {
    return `<Coroutine ${this.name}: ${this.#state}>`;
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
