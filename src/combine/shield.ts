/**
 * `shield`: waits for something that a cancellation of the waiter leaves alone, as `asyncio.shield` does.
 */
import type { EventLoop } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";
import { HousekeepingHandle } from "../loop/handle.js";
import { getRunningLoop } from "../loop/running.js";
import { type Awaitable, futureFor, type ResultOf } from "./ensure-future.js";

/**
 * A future with the outcome of `item`. When the task that awaits it is cancelled, `item` goes on. Keep the task that you shield, or
 * nobody learns how it ended.
 *
 * Throws UsageError outside of a run, and for what cannot be awaited.
 *
 * @example
 * const saving = createTask(save);
 * await shield(saving); // cancelled here, the save still comes to its end
 * @since 0.2.0
 */
export function shield<Item extends Awaitable>(item: Item): Future<ResultOf<Item>> {
  const loop = getRunningLoop("shield()");
  const inner = futureFor(loop, item, "shield: the argument");
  return shieldFuture(loop, inner) as Future<ResultOf<Item>>; // its outcome is that of the item
}

function shieldFuture(loop: EventLoop, inner: Future): Future {
  if (inner.done()) return inner;
  // Stands between the waiter and what it waits for: cancelling it cancels nothing else.
  const outer = new Future(loop, { describe: () => `shield of ${inner.describe()}` });
  const passOn = new HousekeepingHandle("shield", () => {
    if (outer.cancelled()) {
      if (!inner.cancelled()) inner.exception(); // nobody else will look at it, so it counts as retrieved
    } else if (inner.cancelled()) outer.cancel();
    else if (inner.state === "failed") outer.setException(inner.exception());
    else outer.setResult(inner.result());
  });
  inner.addWaiter(passOn);
  outer.addWaiter(
    new HousekeepingHandle("shield", () => {
      inner.removeWaiter(passOn);
    }),
  );
  return outer;
}
