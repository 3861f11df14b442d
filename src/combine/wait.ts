/**
 * `wait`: waits until some of several futures are done, as `asyncio.wait` does, and raises nothing.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import type { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { HousekeepingHandle } from "../loop/handle.js";
import { getRunningLoop } from "../loop/running.js";
import { requireDelay } from "../loop/sleep.js";
import { type Awaitable, describePending, futuresFor, type ResultOf } from "./ensure-future.js";
import { makeLatch } from "./latch.js";

export const RETURN_WHEN = ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"] as const;

/** `FIRST_COMPLETED`: as soon as one is done; `FIRST_EXCEPTION`: as soon as one has failed, or all are done; `ALL_COMPLETED`: when all are. */
export type ReturnWhen = (typeof RETURN_WHEN)[number];

export interface WaitOptions {
  /** When to answer. Default `ALL_COMPLETED`. */
  readonly returnWhen?: ReturnWhen;
  /** Answer after so much virtual time at the latest. Default: never. */
  readonly timeoutMs?: number | undefined;
}

/** What {@link wait} answers: every future of its argument in one of the two, in the order of the argument. */
export interface DoneAndPending<F> {
  readonly done: ReadonlySet<F>;
  readonly pending: ReadonlySet<F>;
}

/** The future that {@link wait} answers for an argument: itself, or the task that was made for it. */
export type FutureOf<Item> = Item extends Future ? Item : Future<ResultOf<Item>>;

/**
 * Waits until the futures are done as `returnWhen` says, or the time is up, and answers which of them are. It raises nothing that they
 * raise, and a time-out cancels nothing. A function or a coroutine is started in a task of its own.
 *
 * Throws UsageError outside of a run, for an empty list, an unknown `returnWhen`, and a `timeoutMs` that is no whole number from 0 on.
 *
 * @example
 * const { done, pending } = await wait([fast, slow], { returnWhen: "FIRST_COMPLETED" });
 * for (const task of pending) task.cancel();
 * @since 0.2.0
 */
export function wait<Item extends Awaitable>(items: Iterable<Item>, options: WaitOptions = {}): Coroutine<DoneAndPending<FutureOf<Item>>> {
  const { returnWhen = "ALL_COMPLETED", timeoutMs } = options;
  if (!RETURN_WHEN.includes(returnWhen)) {
    throw new UsageError(`wait: returnWhen must be one of ${RETURN_WHEN.join(", ")}, not ${describeValue(returnWhen)}`);
  }
  if (timeoutMs !== undefined) requireDelay(timeoutMs, "wait: timeoutMs");
  const loop = getRunningLoop("wait()");
  const futures = futuresFor(loop, items, "wait", false);
  const waiting = new Coroutine(() => waitForSome(loop, futures, returnWhen, timeoutMs), "wait");
  return waiting as Coroutine as Coroutine<DoneAndPending<FutureOf<Item>>>; // they are the futures of the items
}

async function waitForSome(
  loop: EventLoop,
  futures: ReadonlySet<Future>,
  returnWhen: ReturnWhen,
  timeoutMs: number | undefined,
): Promise<DoneAndPending<Future>> {
  const { future: enough, release } = makeLatch(loop, () => `wait of ${futures.size}${describePending(futures)}`);
  const timer = timeoutMs === undefined ? undefined : loop.callLater(timeoutMs, release);
  let unfinished = futures.size;
  const noteDone = (future: Future): void => {
    loop.tracker?.touchInternally(enough, true); // whoever comes first is told
    unfinished--;
    const isEnough = unfinished <= 0 || returnWhen === "FIRST_COMPLETED" || (returnWhen === "FIRST_EXCEPTION" && hasFailed(future));
    if (!isEnough) return;
    timer?.cancel();
    release();
  };
  const handles = new Map<Future, HousekeepingHandle>();
  for (const future of futures) {
    const handle = new HousekeepingHandle("wait", () => {
      noteDone(future);
    });
    handles.set(future, handle);
    future.addWaiter(handle);
  }
  try {
    await enough;
  } finally {
    timer?.cancel();
    for (const [future, handle] of handles) future.removeWaiter(handle);
  }
  const all = [...futures];
  return { done: new Set(all.filter((future) => future.done())), pending: new Set(all.filter((future) => !future.done())) };
}

/** Whether it raised something, which may be undefined. Whoever waits for the first exception has seen it, so it counts as retrieved. */
function hasFailed(future: Future): boolean {
  if (future.state !== "failed") return false;
  future.exception();
  return true;
}
