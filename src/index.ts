/** heddle: everything that `import … from "heddle"` offers. Nothing else is public. */
export { AsCompleted, type AsCompletedOptions, asCompleted } from "./combine/as-completed.js";
export { type Awaitable, ensureFuture, type ResultOf } from "./combine/ensure-future.js";
export { type GatheredOutcomes, type GatheredResults, type GatherOptions, gather } from "./combine/gather.js";
export { shield } from "./combine/shield.js";
export { TaskGroup, taskGroup } from "./combine/task-group.js";
export { Timeout, timeout, timeoutAt } from "./combine/timeout.js";
export { type DoneAndPending, type FutureOf, type ReturnWhen, type WaitOptions, wait } from "./combine/wait.js";
export { waitFor } from "./combine/wait-for.js";
export {
  BadInputError,
  BrokenBarrierError,
  CancelledError,
  ExceptionGroup,
  HeddleError,
  type HeddleErrorCode,
  InternalError,
  InvalidStateError,
  QueueEmpty,
  QueueFull,
  RuntimeError,
  TimeoutError,
  UsageError,
  ValueError,
} from "./errors/errors.js";
export type { Coverage } from "./explore/coverage.js";
export { explore, replay } from "./explore/explore.js";
export type { ExploreOptions, ExploreProgress } from "./explore/options.js";
export type { ExploreFailure, FailureKind, Outcome } from "./explore/outcome.js";
export type { Scenario, ScenarioEnv } from "./explore/scenario-run.js";
export { checkTaskGraph } from "./graph/check.js";
export { type GraphOutcome, type GraphRun, type GraphRunOptions, runTaskGraph } from "./graph/graph-run.js";
export type { Body, GraphTask, Operation, TaskGraph } from "./graph/task-graph.js";
export { completionOrder, waitAnswers } from "./invariant/answers.js";
export { atomicSpans, lazyStart } from "./invariant/atomicity.js";
export { cancellationOnce, leftoversCancelled } from "./invariant/cancellation.js";
export { independentTasks, sameScheduleSameTrace } from "./invariant/determinism.js";
export { eventWakesAll } from "./invariant/events.js";
export { completesOnce, keptExceptions } from "./invariant/futures.js";
export { gatherOrder } from "./invariant/gathering.js";
export { groupsEndTogether } from "./invariant/groups.js";
export { historyOf, type RunHistory } from "./invariant/history.js";
export type { Invariant, Judgement, Reruns } from "./invariant/invariant.js";
export { lockHandOver, semaphoreBounds } from "./invariant/locks.js";
export { loopInvariants } from "./invariant/loop-invariants.js";
export { queueOrder } from "./invariant/queues.js";
export { exactTime } from "./invariant/time.js";
export { exactTimeouts } from "./invariant/timeouts.js";
export { doneAwaitRunsThrough, finishesOrDeadlocks, noLostWakeUp } from "./invariant/waiting.js";
export { type Coroutine, coroutine } from "./loop/coroutine.js";
export { createTask } from "./loop/create-task.js";
export { allTasks, currentTask } from "./loop/current-task.js";
export { DeadlockError, type WaitingTask } from "./loop/deadlock.js";
export { EventLoop, type EventLoopOptions, type LoopObserver, type TaskOptions } from "./loop/event-loop.js";
export type { ExceptionContext, ExceptionHandler } from "./loop/exception-reports.js";
export { Future } from "./loop/future.js";
export { type CallbackHandle, type Handle, type TimerHandle } from "./loop/handle.js";
export { type IoOptions, type IoResult, io } from "./loop/io.js";
export type { Uncontrolled } from "./loop/outside.js";
export { type RunOptions, run, runUntilComplete } from "./loop/run.js";
export { Runner } from "./loop/runner.js";
export { getRunningLoop } from "./loop/running.js";
export { type Sleep, sleep } from "./loop/sleep.js";
export { InvariantError } from "./loop/step-invariants.js";
export { Task, type TaskBody } from "./loop/task.js";
export { Random } from "./random/random.js";
export { ExplorationError, type ExplorationErrorOptions, type FailedOutcome } from "./report/exploration-error.js";
export { exploreOrThrow } from "./report/explore-or-throw.js";
export { renderMermaid } from "./report/mermaid.js";
export { renderOutcome } from "./report/outcome-text.js";
export { renderTimeline } from "./report/timeline.js";
export type { Granularity, RecordedDecision, Schedule } from "./schedule/schedule.js";
export type { Decision, Housekeeping, ReadyTask, RunResult, StepRecord, Strategy } from "./schedule/strategy.js";
export { decodeSchedule, encodeSchedule } from "./schedule/token.js";
export { type DelayBoundedOptions, delayBounded } from "./strategy/delay.js";
export { type DporOptions, dpor } from "./strategy/dpor.js";
export { type ExhaustiveOptions, exhaustive } from "./strategy/exhaustive.js";
export { type FairOptions, fair } from "./strategy/fair.js";
export { fifo } from "./strategy/fifo.js";
export { type LaggardsOptions, laggards } from "./strategy/laggards.js";
export { type PctOptions, pct } from "./strategy/pct.js";
export { portfolio } from "./strategy/portfolio.js";
export { pos } from "./strategy/pos.js";
export { followingThen, type PrefixDeparture, type PrefixReport, type PrefixStrategy } from "./strategy/prefix.js";
export { random } from "./strategy/random.js";
export { DivergenceError, following } from "./strategy/replay.js";
export { seeded } from "./strategy/seeded.js";
export { urw } from "./strategy/urw.js";
export { Barrier } from "./sync/barrier.js";
export { Condition } from "./sync/condition.js";
export { Event } from "./sync/event.js";
export { type Held } from "./sync/holding.js";
export { Lock } from "./sync/lock.js";
export { LifoQueue, PriorityQueue, type PriorityQueueOptions, Queue } from "./sync/queue.js";
export { BoundedSemaphore, Semaphore } from "./sync/semaphore.js";
export { type PrimitiveOptions } from "./sync/waiters.js";
export { formatTrace, type TraceEvent, type TraceValue } from "./trace/trace.js";
