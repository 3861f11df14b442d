/**
 * What can be awaited in a task of its own, and the future for it.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import type { EventLoop } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";
import { nativeThen } from "../loop/native-then.js";
import { getRunningLoop } from "../loop/running.js";
import { isPromise, isThenable } from "../loop/thenable.js";

/** A future or task, a coroutine, a function to be called in a task of its own, or anything with a `then`. */
export type Awaitable<T = unknown> = PromiseLike<T> | (() => PromiseLike<T> | T);

/** What awaiting an {@link Awaitable} answers. */
export type ResultOf<Item> = Item extends PromiseLike<infer T> ? T : Item extends () => infer R ? Awaited<R> : never;

/**
 * A future for anything that can be awaited: a future itself, and for everything else a new task.
 *
 * Throws UsageError outside of a run, and for what cannot be awaited.
 *
 * @example
 * const loading = ensureFuture(() => load("a"));
 * loading.addDoneCallback((done) => report(done));
 * @since 0.2.0
 */
export function ensureFuture<Item extends Awaitable>(item: Item): Future<ResultOf<Item>> {
  const future = futureFor(getRunningLoop("ensureFuture()"), item, "ensureFuture: the argument");
  return future as Future<ResultOf<Item>>; // of the item, whose result that is
}

/** The same for a loop that is known; `argument` names what is refused. */
export function futureFor(loop: EventLoop, item: unknown, argument: string): Future {
  // A future of an earlier run is awaited like anything else: its result is there, or the await says what is wrong.
  if (item instanceof Future && item.getLoop() === loop) return item as Future;
  if (item instanceof Coroutine || typeof item === "function") return loop.createTask(item as Coroutine | (() => unknown));
  // Its task takes a rejection in a later step, and until then the runtime must not think that nobody does.
  if (isPromise(item)) void nativeThen(item, undefined, () => undefined);
  requireAwaitable(item, argument);
  return loop.createTask(async () => await item);
}

/** Throws UsageError for what cannot be awaited; `argument` names it. */
export function requireAwaitable(item: unknown, argument: string): asserts item is PromiseLike<unknown> | (() => unknown) {
  if (typeof item === "function" || isThenable(item)) return;
  throw new UsageError(
    `${argument} cannot be awaited: ${describeValue(item)}. Pass a task, a future, a coroutine, a function or something with a then().`,
  );
}

/**
 * The futures for a list of them, each once; a function that is named twice is called twice. Throws UsageError for what is no list, or an
 * empty one unless `mayBeEmpty`.
 */
export function futuresFor(loop: EventLoop, items: unknown, what: string, mayBeEmpty: boolean): Set<Future> {
  if (typeof items !== "object" || items === null || !(Symbol.iterator in items)) {
    throw new UsageError(`${what}: needs a list of tasks and futures, not ${describeValue(items)}`);
  }
  const known = new Map<unknown, Future>();
  const futures = [...(items as Iterable<unknown>)].map((item, index) => {
    const future = known.get(item) ?? futureFor(loop, item, `${what}: argument ${index}`);
    if (typeof item !== "function") known.set(item, future);
    return future;
  });
  if (futures.length === 0 && !mayBeEmpty) {
    throw new UsageError(`${what}: the list of tasks and futures is empty, so the wait would have no end`);
  }
  return new Set(futures);
}

/** `, of which pending: t1, t2`: for the futures that wait for others. */
export function describePending(futures: Iterable<Future>): string {
  const pending = [...futures].filter((future) => !future.done()).map((future) => future.describe());
  return pending.length === 0 ? "" : `, of which pending: ${pending.join(", ")}`;
}
