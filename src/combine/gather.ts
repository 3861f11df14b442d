/**
 * `gather`: waits for several awaitables together, as `asyncio.gather` does.
 */
import { CancelledError, UsageError } from "../errors/errors.js";
import type { EventLoop } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";
import { Housekeeping } from "../loop/handle.js";
import { getRunningLoop } from "../loop/running.js";
import { type Awaitable, describePending, futureFor, type ResultOf } from "./ensure-future.js";

/** The result of each of `Items`, in their order. */
export type GatheredResults<Items extends readonly Awaitable[]> = {
  -readonly [Index in keyof Items]: ResultOf<Items[Index]>;
};

/** The same with `returnExceptions`: an exception stands in the place of its result. */
export type GatheredOutcomes<Items extends readonly Awaitable[]> = {
  -readonly [Index in keyof GatheredResults<Items>]: GatheredResults<Items>[Index] | Error;
};

export interface GatherOptions {
  /** Put exceptions in the place of results in the place of raising the first. Default false. */
  readonly returnExceptions?: boolean;
}

/** The future of a gather: cancelling it cancels the children, and it is done once they all are. */
class GatheringFuture extends Future<unknown[]> {
  /** In argument order; one that is named twice is cancelled twice, as in asyncio, which `cancelling()` counts. */
  readonly #children: readonly Future[];
  #isCancelRequested = false;

  constructor(loop: EventLoop, children: readonly Future[]) {
    super(loop);
    this.#children = children;
    loop.tracker?.counts(this);
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
    return `gather of ${this.#children.length}${describePending(this.#children)}`;
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
export function gather<const Items extends readonly Awaitable[]>(
  items: Items,
  options: GatherOptions & { readonly returnExceptions: true },
): Future<GatheredOutcomes<Items>>;
export function gather<const Items extends readonly Awaitable[]>(items: Items, options?: GatherOptions): Future<GatheredResults<Items>>;
export function gather<const Items extends readonly Awaitable[]>(...items: Items): Future<GatheredResults<Items>>;
export function gather(...args: readonly unknown[]): Future<unknown[]> {
  const [first, options] = args;
  if (Array.isArray(first) && (args.length > 2 || Array.isArray(options) || typeof options === "function")) {
    throw new UsageError(
      "gather: takes one list and its options, gather([a, b], { returnExceptions: true }), or what to gather itself, gather(a, b)",
    );
  }
  return Array.isArray(first)
    ? gatherAll(first as readonly Awaitable[], ((options ?? {}) as GatherOptions).returnExceptions === true) // by the overloads
    : gatherAll(args as readonly Awaitable[], false);
}

function gatherAll(items: readonly Awaitable[], returnExceptions: boolean): Future<unknown[]> {
  const loop = getRunningLoop("gather()");
  // A function is called each time that it is named; everything else is one thing, however often it is named.
  const known = items.every((item) => typeof item === "function") ? undefined : new Map<Awaitable, Future>();
  const children = items.map((item, index) => {
    const before = known?.get(item);
    if (before !== undefined) return before;
    const child = futureFor(loop, item, `gather: argument ${index}`);
    if (typeof item !== "function") known?.set(item, child);
    return child;
  });
  const distinct = known === undefined ? children : [...new Set(children)];
  const outer = new GatheringFuture(loop, children);
  if (children.length === 0) {
    outer.setResult([]);
    return outer;
  }
  const gathering: Gathering = { outer, children, returnExceptions, unfinished: distinct.length };
  for (const child of distinct) child.addWaiter(new ChildDone(gathering, child));
  return outer;
}

/** One gather under way. */
interface Gathering {
  readonly outer: GatheringFuture;
  readonly children: readonly Future[];
  readonly returnExceptions: boolean;
  unfinished: number;
}

/** Notes that a child is done. A class, and no closure for each child, because gathers of many thousands are common. */
class ChildDone extends Housekeeping {
  readonly #gathering: Gathering;
  readonly #child: Future;

  constructor(gathering: Gathering, child: Future) {
    super();
    this.#gathering = gathering;
    this.#child = child;
  }

  get name(): string {
    return "gather";
  }

  run(): void {
    const { outer, returnExceptions } = this.#gathering;
    const { tracker } = outer.getLoop();
    if (tracker === undefined) {
      noteChildDone(this.#gathering, this.#child);
      return;
    }
    // Which of them is done first matters only for what is raised.
    tracker.contribute(outer, this.#child, !returnExceptions && this.#child.state !== "finished");
    tracker.quietly(() => {
      noteChildDone(this.#gathering, this.#child);
    });
  }
}

function noteChildDone(gathering: Gathering, child: Future): void {
  gathering.unfinished--;
  const { outer, children, returnExceptions, unfinished } = gathering;
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
  if (unfinished > 0) return;
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
