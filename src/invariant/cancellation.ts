/**
 * Invariants of cancellation.
 */
import { type Operation } from "../graph/task-graph.js";
import { type Call, callsOf, canSuspend, isCancelled, isStartedAfterMain, mayWaitFor, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";

/** @since 0.1.0 */
export const cancellationOnce: Invariant = {
  name: "cancellation-once",
  sentence: "A cancellation is delivered at an await, once; finally runs; a cancelled gather cancels its children.",
  judge(history) {
    return judgeAll(judgeDelivery(history), judgeCount(history), judgeFinally(history));
  },
};

/** @since 0.1.0 */
export const leftoversCancelled: Invariant = {
  name: "leftovers-cancelled",
  sentence: "When main ends, what is left is cancelled, and its finally parts run.",
  judge(history) {
    const { run, lives, nameOf } = history;
    const mainFinish = lives[0]?.finish ?? Number.POSITIVE_INFINITY;
    if (run.outcome === "deadlock" || run.outcome === "livelock") return { exercised: 0, violation: undefined };
    return judgeEach(lives.entries(), ([task, { begin, finish }]) => {
      if (task === 0 || finish < mainFinish || isStartedAfterMain(history, task)) return undefined;
      if (begin === Number.POSITIVE_INFINITY) return true;
      if (finish === Number.POSITIVE_INFINITY) return `${nameOf(task)} was left behind: it neither finished nor was cancelled`;
      const open = openCallAt(history, task, mainFinish);
      if (open === undefined || !isOwnSuspension(open.operation)) return true;
      // Under fifo the rest of the batch still runs, so only a sleep that was not due can be held to it.
      const isDue = run.schedule.housekeeping === "inline" && !isSleepBeyond(open, history.trace[mainFinish]?.t ?? 0);
      return isDue || isCancelled(open.outcome) ? true : `${placeOfCall(history, open)}: was open when main ended, and was not cancelled`;
    });
  },
};

/** Who is suspended when a cancellation is requested gets it where it is; who has not begun never does. */
function judgeDelivery(history: RunHistory): Judgement {
  return judgeEach(callsOf(history, "cancel"), (call) => {
    const [, target] = call.operation;
    if (call.outcome?.value !== true) return undefined;
    const life = history.lives[target];
    if (life === undefined) return undefined;
    if (life.begin > call.start) return life.begin === Number.POSITIVE_INFINITY ? true : `${placeOfCall(history, call)}: cancelled ${history.nameOf(target)} before it began, and yet it began`;
    return judgeOpen(history, target, call.end);
  });
}

/** Whether the await in which `task` is suspended at `index` takes the cancellation; a gather hands it to its children. */
function judgeOpen(history: RunHistory, task: number, index: number): string | true | undefined {
  const open = openCallAt(history, task, index);
  if (open === undefined || open.end === Number.POSITIVE_INFINITY) return undefined;
  if (isOwnSuspension(open.operation)) return isCancelled(open.outcome) ? true : `${placeOfCall(history, open)}: was cancelled there, and got ${open.outcome?.error ?? "its result"}`;
  if (open.operation[0] !== "gather") return undefined;
  const [, , returnExceptions] = open.operation;
  // A gather that has raised already is done: its waiter is on its way, and the children go on. So it may be where a child never
  // began, because then it was cancelled, at a time that the trace does not tell.
  const mayHaveFailed = open.operation[1].some((child) => {
    const life = history.lives[child];
    return life?.begin === Number.POSITIVE_INFINITY || (life !== undefined && life.finish < index && life.outcome?.error !== undefined);
  });
  if (mayHaveFailed && !returnExceptions) return undefined;
  for (const child of open.operation[1]) {
    const life = history.lives[child];
    if (life === undefined || life.begin > index || life.finish < index) continue;
    const inner = judgeOpen(history, child, index);
    if (typeof inner === "string") return inner;
  }
  return true;
}

/** A turn or a sleep is cancelled only by a request to its own task, so there are at most as many as requests. */
function judgeCount(history: RunHistory): Judgement {
  const waitFor = mayWaitFor(history);
  const requests = [...callsOf(history, "cancel")].filter(({ outcome }) => outcome?.value === true).map(({ operation }) => operation[1]);
  return judgeEach(history.lives.keys(), (task) => {
    const delivered = [...callsOf(history, "sleep", "yield")].filter((call) => call.task === task && isCancelled(call.outcome)).length;
    if (delivered === 0) return undefined;
    const reaches = (from: number): boolean => from === task || waitFor[from]?.has(task) === true;
    const allowed = requests.filter(reaches).length + history.lives.filter((_, other) => other !== 0 && reaches(other)).length;
    return delivered <= allowed ? true : `${history.nameOf(task)}: got ${delivered} cancellations for ${allowed} requests`;
  });
}

/** The last part of every `try` that was left runs. */
function judgeFinally(history: RunHistory): Judgement {
  return judgeEach(callsOf(history, "try"), (call) => {
    const first = call.placed.parts[2]?.[0];
    if (first === undefined || call.end === Number.POSITIVE_INFINITY) return undefined;
    const hasRun = history.calls.some((other) => other.task === call.task && other.placed === first);
    return hasRun ? true : `${placeOfCall(history, call)}: was left without its finally part`;
  });
}

/** The operation in which `task` is suspended at `index`. */
function openCallAt({ calls }: RunHistory, task: number, index: number): Call | undefined {
  return calls.find((call) => call.task === task && canSuspend(call.operation) && call.start < index && call.end > index);
}

/** Whether only a cancellation of the task itself, or of a future that nobody else can have completed, ends it with CancelledError. */
function isOwnSuspension(operation: Operation): boolean {
  return operation[0] === "sleep" || operation[0] === "yield" || operation[0] === "awaitFuture";
}

function isSleepBeyond({ operation, startMs }: Call, nowMs: number): boolean {
  return operation[0] === "sleep" && startMs + operation[1] > nowMs;
}
