/**
 * `waitFor`: waits for one thing with a time limit, as `asyncio.wait_for` does.
 */
import { CancelledError, TimeoutError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import type { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { HousekeepingHandle } from "../loop/handle.js";
import { getRunningLoop } from "../loop/running.js";
import { requireDelay } from "../loop/sleep.js";
import { type Awaitable, futureFor, type ResultOf, requireAwaitable } from "./ensure-future.js";
import { makeLatch } from "./latch.js";

/**
 * The result of `item`. When `timeoutMs` of virtual time have passed before it is there, `item` is cancelled, and once it has ended
 * TimeoutError is raised; when it swallows the cancellation, its own outcome counts. Cancelling the wait cancels `item` too, and waits
 * for its end as well; {@link shield} keeps it out of both. Without a limit (`undefined`) it is the same as awaiting `item`.
 *
 * Throws UsageError outside of a run, for what cannot be awaited, and for a limit that is no whole number of milliseconds from 0 on.
 *
 * @example
 * const item = await waitFor(queue.get(), 1_000);
 * @since 0.2.0
 */
export function waitFor<Item extends Awaitable>(item: Item, timeoutMs: number | undefined): Coroutine<ResultOf<Item>> {
  const loop = getRunningLoop("waitFor()");
  if (timeoutMs !== undefined) requireDelay(timeoutMs, "waitFor: timeoutMs");
  requireAwaitable(item, "waitFor: the first argument"); // before the wait begins, so that it is refused where it was handed in
  const waiting = new Coroutine(async () => {
    if (timeoutMs === undefined) return await (typeof item === "function" ? item() : item);
    const future = futureFor(loop, item, "waitFor: the first argument");
    return timeoutMs === 0 ? await resultNow(loop, future) : await resultWithin(loop, future, timeoutMs);
  }, "waitFor");
  return waiting as Coroutine<ResultOf<Item>>; // it answers the result of the item
}

/** Without any time to wait: what is not done is cancelled at once. */
async function resultNow(loop: EventLoop, future: Future): Promise<unknown> {
  if (future.done()) return future.result();
  await cancelAndWait(loop, future);
  return resultOrTimeout(future, 0);
}

async function resultWithin(loop: EventLoop, future: Future, timeoutMs: number): Promise<unknown> {
  // In the place of the future itself, so that cancelling this wait does not cancel the future behind its back.
  const { future: over, release } = makeLatch(loop, () => `at most ${timeoutMs} ms for ${future.describe()}`);
  const timer = loop.callLater(timeoutMs, release);
  const handle = new HousekeepingHandle("waitFor", release);
  future.addWaiter(handle);
  try {
    try {
      await over;
    } catch (error) {
      // Both came at once: what is done is not thrown away. (The cancellation is; CPython 3.12 raises it instead.)
      if (future.done()) return future.result();
      future.removeWaiter(handle);
      await cancelAndWait(loop, future);
      throw error;
    }
    if (future.done()) return future.result();
    future.removeWaiter(handle);
    await cancelAndWait(loop, future);
    return resultOrTimeout(future, timeoutMs);
  } finally {
    timer.cancel();
  }
}

/** Cancels `future` and waits until it has ended; a cancellation that comes meanwhile ends this wait alone. */
async function cancelAndWait(loop: EventLoop, future: Future): Promise<void> {
  const { future: over, release } = makeLatch(loop, () => `the end of ${future.describe()}`);
  const handle = new HousekeepingHandle("waitFor", release);
  future.addWaiter(handle);
  try {
    future.cancel();
    await over;
  } finally {
    future.removeWaiter(handle);
  }
}

function resultOrTimeout(future: Future, timeoutMs: number): unknown {
  try {
    return future.result();
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    throw new TimeoutError(`${timeoutMs} ms were over, waiting for ${future.describe()}`, { cause: error });
  }
}
