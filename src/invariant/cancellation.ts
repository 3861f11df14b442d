/**
 * Invariants of cancellation.
 */
import { type Operation } from "../graph/task-graph.js";
import { type Call, callsOf, canSuspend, isCancelled, isStartedAfterMain, mayWaitFor, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";

/** @since 0.1.0 */
export const cancellationOnce: Invariant = {
  name: "cancellation-once",
  sentence:
    "A cancellation is delivered at an await, once, and no handler of exceptions takes it; finally runs; a cancelled gather cancels its children.",
  judge(history) {
    return judgeAll(judgeDelivery(history), judgeCount(history), judgeHandler(history), judgeFinally(history));
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

/** Who is suspended when a cancellation is requested gets it where it is; who has not begun never does; who is done cannot get it. */
function judgeDelivery(history: RunHistory): Judgement {
  return judgeEach(callsOf(history, "cancel"), (call) => {
    const [, target] = call.operation;
    const life = history.lives[target];
    if (life === undefined || call.outcome === undefined) return undefined;
    const isRequested = call.outcome.value === true;
    // A task that was cancelled before it began may be done, and no line of the trace says so.
    if (life.begin > call.start && !isRequested) return undefined;
    const isDone = life.finish < call.start;
    if (isRequested === isDone) {
      return `${placeOfCall(history, call)}: answered ${isRequested} although ${history.nameOf(target)} was ${isDone ? "done" : "not done"}`;
    }
    return isDone ? true : judgeTarget(history, target, call.end);
  });
}

/** Whether `task`, which is not done at `index`, takes the cancellation of that moment. */
function judgeTarget(history: RunHistory, task: number, index: number): string | true | undefined {
  const life = history.lives[task];
  if (life === undefined) return undefined;
  if (life.begin < index) return judgeOpen(history, task, index);
  return life.begin === Number.POSITIVE_INFINITY ? true : `${history.nameOf(task)} was cancelled before it began, and yet it began`;
}

/** Whether the await in which `task` is suspended at `index` takes the cancellation, or hands it to the tasks that it waits for. */
function judgeOpen(history: RunHistory, task: number, index: number): string | true | undefined {
  const open = openCallAt(history, task, index);
  if (open === undefined || open.end === Number.POSITIVE_INFINITY) return undefined;
  const { operation, outcome } = open;
  if (operation[0] !== "await" && operation[0] !== "gather") return judgeTaken(history, open, index);
  const children = [operation[1]].flat().map((child) => ({ child, life: history.lives[child] }));
  const pending = children.filter(({ life }) => life !== undefined && life.finish > index);
  // What it waits for is done, and it waits only for its turn: there is nobody to hand the cancellation to.
  if (pending.length === 0) return judgeTaken(history, open, index);
  // A gather that has raised already is done: its waiter is on its way, and the children go on. So it may be where a child never
  // began, because then it was cancelled, at a time that the trace does not tell.
  const mayHaveRaised = children.some(
    ({ life }) =>
      life?.begin === Number.POSITIVE_INFINITY || (life !== undefined && life.finish < index && life.outcome?.error !== undefined),
  );
  if (operation[0] === "gather" && mayHaveRaised && !operation[2]) return undefined;
  for (const { child } of pending) {
    const inner = judgeTarget(history, child, index);
    if (typeof inner === "string") return inner;
  }
  return operation[0] === "gather" && outcome?.phase === "end"
    ? `${placeOfCall(history, open)}: was cancelled there, and answered its results`
    : true;
}

/** Whether `open` ends with the cancellation that was requested at `index`, and at that time. */
function judgeTaken(history: RunHistory, open: Call, index: number): string | true {
  const { outcome } = open;
  if (!isCancelled(outcome)) return `${placeOfCall(history, open)}: was cancelled there, and got ${outcome?.error ?? "its result"}`;
  const requestedMs = history.trace[index]?.t;
  return outcome?.t === requestedMs
    ? true
    : `${placeOfCall(history, open)}: was cancelled at ${requestedMs ?? "?"}, and got it at ${outcome?.t ?? "?"}`;
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

/** The handler of a `try` runs when its body raised an exception, and only then: a cancellation passes it by. */
function judgeHandler(history: RunHistory): Judgement {
  return judgeEach(callsOf(history, "try"), (call) => {
    const [body = [], [first] = []] = call.placed.parts;
    if (first === undefined) return undefined;
    const own = history.calls.filter(({ task }) => task === call.task);
    const raised = own.find(({ placed, outcome }) => body.includes(placed) && outcome?.error !== undefined);
    const hasRun = own.some(({ placed }) => placed === first);
    if (hasRun === (raised !== undefined && !isCancelled(raised.outcome))) return raised === undefined ? undefined : true;
    return `${placeOfCall(history, call)}: its handler ${hasRun ? "ran" : "did not run"} after ${raised?.outcome?.error ?? "a body that raised nothing"}`;
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
