/**
 * Where a task is suspended, as far as the trace tells: in which operation, whether it has come to the body of that, and where everything
 * had come to rest.
 */
import type { Operation, OperationName } from "../graph/task-graph.js";
import type { Call, RunHistory } from "./history.js";

/** Operations in which a task waits for others: it is cancelled there, and who cancels it may cancel them. */
const WAITING_FOR_TASKS: ReadonlySet<OperationName> = new Set(["await", "gather", "taskGroup"]);

/** Operations that end with CancelledError only where their own task is cancelled. */
const OWN_SUSPENSIONS: ReadonlySet<OperationName> = new Set([
  "yield",
  "sleep",
  "wait",
  "waitEvent",
  "put",
  "get",
  "withLock",
  "withSemaphore",
]);

/** The others that can suspend their task: what they wait for may be cancelled by itself. */
const OTHER_SUSPENSIONS: ReadonlySet<OperationName> = new Set(["await", "gather", "asCompleted", "shield", "awaitFuture"]);

/** Whether a task can be suspended where this operation starts; of one with a body, while it waits to come to that. */
export function canSuspend(operation: Operation): boolean {
  return OWN_SUSPENSIONS.has(operation[0]) || OTHER_SUSPENSIONS.has(operation[0]);
}

/**
 * Whether a task that is suspended in this operation, and in nothing inside of it, gets CancelledError there only by a cancellation of its
 * own.
 */
export function isOwnSuspension(operation: Operation): boolean {
  return OWN_SUSPENSIONS.has(operation[0]);
}

/** Whether cancelling a task that is suspended in this operation cancels the tasks that it names. */
export function handsOnCancellation(operation: Operation): boolean {
  return WAITING_FOR_TASKS.has(operation[0]);
}

/** What `task` is in at `index`: of operations inside of others, the innermost. */
function innermostCallAt({ calls }: RunHistory, task: number, index: number): Call | undefined {
  return calls.findLast((call) => call.task === task && call.start < index && call.end > index);
}

/** The operation in which `task` is suspended at `index`; undefined where it is running, has not begun, or is done. */
export function suspendedIn(history: RunHistory, task: number, index: number): Call | undefined {
  const call = innermostCallAt(history, task, index);
  if (call === undefined || history.trace[index]?.task === history.nameOf(task)) return undefined;
  return canSuspend(call.operation) || call.operation[0] === "taskGroup" ? call : undefined;
}

/** The index of the next event of the task of `call` after its start; Infinity when there is none. */
function nextEventOf({ eventsOf }: RunHistory, { task, start }: Call): number {
  return eventsOf[task]?.find((index) => index > start) ?? Number.POSITIVE_INFINITY;
}

/**
 * When the body of an operation that may have to wait first began: where the first event inside is, or the end where it is empty.
 * Infinity when it never came to that.
 */
export function enteredAt(history: RunHistory, call: Call): number {
  const next = nextEventOf(history, call);
  return next === call.end && call.outcome?.phase === "error" ? Number.POSITIVE_INFINITY : next;
}

/** How the body of an operation ended: with what was raised in it, if anything was, and where. */
export interface BodyEnd {
  readonly index: number;
  readonly t: number;
  /** Undefined when the body ran out or returned. */
  readonly error: string | undefined;
}

/** How the body of `call` ended; undefined while it runs. An operation that starts nothing else is over with its last line. */
export function bodyEndOf(history: RunHistory, call: Call): BodyEnd | undefined {
  const last = call.inside.at(-1);
  if (last === undefined) return { index: call.start, t: call.startMs, error: undefined };
  if (last.outcome === undefined) return undefined;
  const { index, t, error } = { index: last.end, t: last.outcome.t, error: last.outcome.error };
  if (error !== undefined) return { index, t, error };
  const isLast = last.placed === call.placed.parts.at(-1)?.at(-1);
  const next = history.eventsOf[call.task]?.find((place) => place > index);
  // Behind a return the body is over before its last operation.
  return isLast || next === undefined || next === call.end ? { index, t, error } : undefined;
}

/**
 * Where everything had come to rest, as indices in the trace: all events before had no other to follow them, because time passed then or
 * because nobody could go on. Who waits there must have a reason.
 */
export function* restsOf({ run, trace }: RunHistory): Generator<{ readonly index: number; readonly t: number }> {
  for (let index = 1; index < trace.length; index++) {
    const [before, after] = [trace[index - 1]?.t ?? 0, trace[index]?.t ?? 0];
    const isDeadlock = run.outcome === "deadlock" && trace[index]?.phase === "exit";
    if (after > before || isDeadlock) yield { index, t: before };
  }
}
