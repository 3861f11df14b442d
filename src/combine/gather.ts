/**
 * `gather`: waits for several awaitables together, as `asyncio.gather` does.
 */
import { CancelledError, describeValue, UsageError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import type { EventLoop } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";
import { HousekeepingHandle } from "../loop/handle.js";
import { getRunningLoop } from "../loop/running.js";
import { isThenable } from "../loop/task.js";

/** What can be gathered: a future or task, a coroutine, a function to be called in a task of its own, or anything with a `then`. */
export type Gatherable<T = unknown> = PromiseLike<T> | (() => PromiseLike<T> | T);

/** The result of each of `Items`, in their order. */
export type GatheredResults<Items extends readonly Gatherable[]> = {
  -readonly [Index in keyof Items]: Items[Index] extends PromiseLike<infer T> ? T : Items[Index] extends () => infer R ? Awaited<R> : never;
};

/** The same with `returnExceptions`: an exception stands in the place of its result. */
export type GatheredOutcomes<Items extends readonly Gatherable[]> = {
  -readonly [Index in keyof GatheredResults<Items>]: GatheredResults<Items>[Index] | Error;
};

export interface GatherOptions {
  /** Put exceptions in the place of results in the place of raising the first. Default false. */
  readonly returnExceptions?: boolean;
}

/** The future of a gather: cancelling it cancels the children, and it is done once they all are. */
class GatheringFuture extends Future<unknown[]> {
  readonly #children: readonly Future[];
  #isCancelRequested = false;

  constructor(loop: EventLoop, children: readonly Future[]) {
    super(loop);
    this.#children = children;
  }

  get isCancelRequested(): boolean {
    return this.#isCancelRequested;
  }

  override cancel(message?: string): boolean {
    if (this.done()) return false;
    let isRequested = false;
    for (const child of this.#children) {
      if (child.cancel(message)) isRequested = true;
    }
    // If nothing was cancelled there is nothing to propagate: the children are done and their callbacks are under way.
    if (isRequested) this.#isCancelRequested = true;
    return isRequested;
  }

  override describe(): string {
    const pending = this.#children.filter((child) => !child.done()).map((child) => child.describe());
    return `gather of ${this.#children.length}${pending.length === 0 ? "" : `, of which pending: ${pending.join(", ")}`}`;
  }
}

/**
 * Starts those of its arguments that have not started, and waits for all. The results stand in the order of the arguments, whatever
 * the order of completion. The first exception is raised at once and the others go on; with `returnExceptions` it stands in the
 * place of its result. An awaitable that is named twice runs once; a function that is named twice is called twice.
 * Cancelling the gather cancels what it waits for.
 *
 * Throws UsageError outside of a run, and for an argument that cannot be awaited.
 *
 * @example
 * const [a, b] = await gather(() => load("a"), () => load("b"));
 * const outcomes = await gather([task1, task2], { returnExceptions: true });
 * @since 0.1.0
 */
export function gather<const Items extends readonly Gatherable[]>(
  items: Items,
  options: GatherOptions & { readonly returnExceptions: true },
): Future<GatheredOutcomes<Items>>;
export function gather<const Items extends readonly Gatherable[]>(items: Items, options?: GatherOptions): Future<GatheredResults<Items>>;
export function gather<const Items extends readonly Gatherable[]>(...items: Items): Future<GatheredResults<Items>>;
export function gather(...args: readonly unknown[]): Future<unknown[]> {
  const [first, options] = args;
  return Array.isArray(first)
    ? gatherAll(first as readonly Gatherable[], ((options ?? {}) as GatherOptions).returnExceptions === true) // by the overloads
    : gatherAll(args as readonly Gatherable[], false);
}

function gatherAll(items: readonly Gatherable[], returnExceptions: boolean): Future<unknown[]> {
  const loop = getRunningLoop("gather()");
  // A function is called each time that it is named; everything else is one thing, however often it is named.
  const known = items.every((item) => typeof item === "function") ? undefined : new Map<Gatherable, Future>();
  const children = items.map((item, index) => {
    const before = known?.get(item);
    if (before !== undefined) return before;
    const child = ensureFuture(loop, item, `gather: argument ${index}`);
    if (typeof item !== "function") known?.set(item, child);
    return child;
  });
  const distinct = known === undefined ? children : [...new Set(children)];
  const outer = new GatheringFuture(loop, distinct);
  if (children.length === 0) {
    outer.setResult([]);
    return outer;
  }
  let unfinished = distinct.length;
  for (const child of distinct) {
    child.addWaiter(
      new HousekeepingHandle("gather", () => {
        unfinished--;
        onChildDone(outer, child, unfinished === 0 ? children : undefined, returnExceptions);
      }),
    );
  }
  return outer;
}

/** `children` is given when this was the last of them. */
function onChildDone(outer: GatheringFuture, child: Future, children: readonly Future[] | undefined, returnExceptions: boolean): void {
  if (outer.done()) {
    if (!child.cancelled()) child.exception(); // nobody else will look at it, so it counts as retrieved
    return;
  }
  if (!returnExceptions) {
    if (child.cancelled()) {
      outer.setException(outcomeOf(child));
      return;
    }
    const exception = child.exception();
    if (child.state === "failed") {
      outer.setException(exception);
      return;
    }
  }
  if (children === undefined) return;
  const results = children.map(outcomeOf);
  // A cancellation of the gather is raised even when every child has swallowed its own.
  if (outer.isCancelRequested) outer.setException(cancellationOf(children));
  else outer.setResult(results);
}

/** The result, or the exception in its place. */
function outcomeOf(future: Future): unknown {
  if (future.cancelled()) return cancellationOf([future]);
  return future.state === "failed" ? future.exception() : future.result();
}

function cancellationOf(futures: readonly Future[]): CancelledError {
  for (const future of futures) {
    if (!future.cancelled()) continue;
    try {
      future.result();
    } catch (error) {
      if (error instanceof CancelledError) return error;
    }
  }
  return new CancelledError();
}

/** A future for anything that can be awaited: itself, or a new task. Throws UsageError for the rest. */
function ensureFuture(loop: EventLoop, item: Gatherable, argument: string): Future {
  // A future of an earlier run is awaited like anything else: its result is there, or the await says what is wrong.
  if (item instanceof Future && item.getLoop() === loop) return item as Future;
  if (item instanceof Coroutine || typeof item === "function") return loop.createTask(item as Coroutine | (() => unknown));
  // Its task takes a rejection in a later step, and until then the runtime must not think that nobody does.
  const awaitable: unknown = item;
  if (awaitable instanceof Promise) awaitable.catch(() => undefined);
  if (isThenable(item)) return loop.createTask(async () => await item);
  throw new UsageError(
    `${argument} cannot be awaited: ${describeValue(item)}. Pass a task, a future, a coroutine, a function or something with a then().`,
  );
}
