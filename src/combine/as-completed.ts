/**
 * `asCompleted`: results in the order in which they come, as `asyncio.as_completed` hands them out.
 */
import { TimeoutError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import type { EventLoop } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";
import { HousekeepingHandle, type TimerHandle } from "../loop/handle.js";
import { inspectKey } from "../loop/inspect.js";
import { getRunningLoop } from "../loop/running.js";
import { requireDelay } from "../loop/sleep.js";
import { type Awaitable, describePending, futuresFor, type ResultOf } from "./ensure-future.js";

export interface AsCompletedOptions {
  /** Raise TimeoutError for whatever is not done after so much virtual time. Default: never. */
  readonly timeoutMs?: number | undefined;
}

/**
 * What {@link asCompleted} answers. As an iterable it gives as many coroutines as there are futures, of which each awaits the next
 * result; as an async iterable it gives the results. Both raise what a future raised, in its turn.
 */
export class AsCompleted<T> implements Iterable<Coroutine<T>>, AsyncIterable<T> {
  readonly #loop: EventLoop;
  /** Those that are not done, each with what notes that it is. */
  readonly #todo = new Map<Future, HousekeepingHandle>();
  readonly #done: (Future | "timeout")[] = [];
  readonly #waiters = new Set<Future<void>>();
  readonly #timer: TimerHandle | undefined;
  /** How many results were not handed out. */
  #left: number;

  /** @internal Use {@link asCompleted}. */
  constructor(loop: EventLoop, futures: ReadonlySet<Future>, timeoutMs: number | undefined) {
    this.#loop = loop;
    loop.tracker?.introduce(this);
    this.#left = futures.size;
    for (const future of futures) {
      const handle = new HousekeepingHandle("asCompleted", () => {
        this.#noteDone(future);
      });
      this.#todo.set(future, handle);
      future.addWaiter(handle);
    }
    if (futures.size > 0 && timeoutMs !== undefined) this.#timer = loop.callLater(timeoutMs, this.#expire);
  }

  *[Symbol.iterator](): Generator<Coroutine<T>, undefined> {
    for (; this.#left > 0; this.#left--) yield new Coroutine(() => this.#next(), "asCompleted");
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    try {
      for (; this.#left > 0; this.#left--) yield await this.#next();
    } finally {
      // Whoever leaves early wants no more of them, and the clock need not wait for their time limit.
      this.#timer?.cancel();
      this.#forgetRest();
    }
  }

  [inspectKey](): string {
    return `<AsCompleted pending=${this.#todo.size} left=${this.#left}>`;
  }

  /** The next result. Of several that wait for one, the first to come gets it. */
  async #next(): Promise<T> {
    while (!this.#hasResult()) {
      this.#loop.tracker?.touchInternally(this, false);
      const waiter = new Future<void>(this.#loop, { describe: () => `the next as completed${describePending(this.#todo.keys())}` });
      this.#waiters.add(waiter);
      try {
        await waiter;
      } catch (error) {
        this.#waiters.delete(waiter);
        if (this.#hasResult() && !waiter.cancelled()) this.#wakeNext();
        throw error;
      }
    }
    this.#loop.tracker?.touchInternally(this, true);
    const next = this.#done.shift();
    if (next === "timeout" || next === undefined) throw new TimeoutError();
    return next.result() as T; // its futures are those of the items
  }

  #hasResult(): boolean {
    return this.#done.length > 0;
  }

  #noteDone(future: Future): void {
    if (!this.#todo.delete(future)) return;
    this.#loop.tracker?.touchInternally(this, true);
    this.#done.push(future);
    this.#wakeNext();
    if (this.#todo.size === 0) this.#timer?.cancel();
  }

  readonly #expire = (): void => {
    this.#loop.tracker?.touchInternally(this, true);
    for (let left = this.#todo.size; left > 0; left--) {
      this.#done.push("timeout");
      this.#wakeNext();
    }
    this.#forgetRest();
  };

  #forgetRest(): void {
    for (const [future, handle] of this.#todo) future.removeWaiter(handle);
    this.#todo.clear();
  }

  #wakeNext(): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      if (waiter.done()) continue;
      waiter.setResult();
      return;
    }
  }
}

/**
 * Starts those of its arguments that have not started, and hands out their results in the order in which they are done; of those that
 * are done already, in argument order. What is named twice comes once.
 *
 * Throws UsageError outside of a run, for what cannot be awaited, and for a `timeoutMs` that is no whole number from 0 on.
 *
 * @example
 * for await (const page of asCompleted([() => load("a"), () => load("b")])) show(page);
 * for (const next of asCompleted(tasks)) await next.then(show, report); // goes on after one that failed
 * @since 0.2.0
 */
export function asCompleted<Item extends Awaitable>(items: Iterable<Item>, options: AsCompletedOptions = {}): AsCompleted<ResultOf<Item>> {
  const { timeoutMs } = options;
  if (timeoutMs !== undefined) requireDelay(timeoutMs, "asCompleted: timeoutMs");
  const loop = getRunningLoop("asCompleted()");
  return new AsCompleted(loop, futuresFor(loop, items, "asCompleted", true), timeoutMs);
}
