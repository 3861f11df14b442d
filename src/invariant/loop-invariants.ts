/**
 * The invariants of the loop, in the order in which a failure names them: the cause before what follows from it.
 */
import { completionOrder, waitAnswers } from "./answers.js";
import { atomicSpans, lazyStart } from "./atomicity.js";
import { cancellationOnce, leftoversCancelled } from "./cancellation.js";
import { independentTasks, sameScheduleSameTrace } from "./determinism.js";
import { eventWakesAll } from "./events.js";
import { completesOnce, keptExceptions } from "./futures.js";
import { gatherOrder } from "./gathering.js";
import { groupsEndTogether } from "./groups.js";
import type { Invariant } from "./invariant.js";
import { lockHandOver, semaphoreBounds } from "./locks.js";
import { queueOrder } from "./queues.js";
import { exactTime } from "./time.js";
import { exactTimeouts } from "./timeouts.js";
import { doneAwaitRunsThrough, finishesOrDeadlocks, noLostWakeUp } from "./waiting.js";

/**
 * What must hold of every task graph under every schedule.
 *
 * @since 0.1.0
 */
export const loopInvariants: readonly Invariant[] = [
  atomicSpans,
  completesOnce,
  gatherOrder,
  waitAnswers,
  completionOrder,
  lockHandOver,
  semaphoreBounds,
  eventWakesAll,
  queueOrder,
  groupsEndTogether,
  exactTimeouts,
  lazyStart,
  doneAwaitRunsThrough,
  noLostWakeUp,
  exactTime,
  cancellationOnce,
  keptExceptions,
  leftoversCancelled,
  sameScheduleSameTrace,
  independentTasks,
  finishesOrDeadlocks,
];
