/**
 * Where a cancellation arrives: at the await in which its task is suspended, or at those of the tasks that it waits for.
 */
import { type Call, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { handsOnCancellation, isOwnSuspension, suspendedIn } from "./suspension.js";

/** A moment at which tasks are cancelled: an index in the trace, or a half between two, and the time. */
export interface Moment {
  readonly index: number;
  readonly t: number;
}

/** Whether `task`, which is not done, takes a cancellation of that moment; undefined where the trace does not tell. */
export function judgeTarget(history: RunHistory, task: number, at: Moment): string | true | undefined {
  const life = history.lives[task];
  if (life === undefined) return undefined;
  if (life.begin < at.index) return judgeOpen(history, task, at);
  return life.begin === Number.POSITIVE_INFINITY ? true : `${history.nameOf(task)} was cancelled before it began, and yet it began`;
}

/** Whether the await in which `task` is suspended takes the cancellation, or hands it to the tasks that it waits for. */
function judgeOpen(history: RunHistory, task: number, at: Moment): string | true | undefined {
  const open = suspendedIn(history, task, at.index);
  // A group ends once its tasks have, and what comes of the cancellation then hangs on them.
  if (open === undefined || open.operation[0] === "taskGroup") return undefined;
  const { operation, outcome } = open;
  if (operation[0] !== "await" && operation[0] !== "gather") return judgeTaken(history, open, at);
  if (outcome === undefined) return undefined;
  const children = [operation[1]].flat().map((child) => ({ child, life: history.lives[child] }));
  const pending = children.filter(({ life }) => life !== undefined && life.finish > at.index);
  // What it waits for is done, and it waits only for its turn: there is nobody to hand the cancellation to.
  if (pending.length === 0) return judgeTaken(history, open, at);
  // A gather that has raised already is done: its waiter is on its way, and the children go on. So it may be where a child never
  // began, because then it was cancelled, at a time that the trace does not tell.
  const mayHaveRaised = children.some(
    ({ life }) =>
      life?.begin === Number.POSITIVE_INFINITY || (life !== undefined && life.finish < at.index && life.outcome?.error !== undefined),
  );
  if (operation[0] === "gather" && mayHaveRaised && !operation[2]) return undefined;
  for (const { child } of pending) {
    const inner = judgeTarget(history, child, at);
    if (typeof inner === "string") return inner;
  }
  return operation[0] === "gather" && outcome.phase === "end"
    ? `${placeOfCall(history, open)}: was cancelled there, and answered its results`
    : true;
}

/** Whether a task that waits in `open` for no task that would take it gets the cancellation of that moment, and gets it at once. */
export function judgeTaken(history: RunHistory, open: Call, { t }: Moment): string | true | undefined {
  const { outcome } = open;
  const place = placeOfCall(history, open);
  if (outcome === undefined) {
    return history.run.outcome === "deadlock" && isOwnSuspension(open.operation)
      ? `${place}: was cancelled at ${t}, and still waits there`
      : undefined;
  }
  if (!isCancelled(outcome)) return `${place}: was cancelled there, and got ${outcome.error ?? "its result"}`;
  return outcome.t === t ? true : `${place}: was cancelled at ${t}, and got it at ${outcome.t}`;
}

/** Whether a cancellation of the task that is suspended in `open` arrives there, and at nobody else. */
export function isTakenThere({ operation }: Call): boolean {
  return !handsOnCancellation(operation);
}
