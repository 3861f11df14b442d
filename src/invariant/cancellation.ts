/**
 * Invariants of cancellation.
 */
import { isTakenThere, judgeTaken, judgeTarget } from "./delivery.js";
import { type Call, callsOf, isCancelled, isStartedAfterMain, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";
import { Requests } from "./requests.js";
import { enteredAt, isOwnSuspension, suspendedIn } from "./suspension.js";

/** @since 0.1.0 */
export const cancellationOnce: Invariant = {
  name: "cancellation-once",
  sentence:
    "A cancellation is delivered at an await, once, and no handler of exceptions takes it; finally runs; a cancelled gather cancels its children, and what waits at a shield is left alone.",
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
    const mainFinishMs = lives[0]?.outcome?.t ?? 0;
    if (run.outcome === "deadlock" || run.outcome === "livelock") return { exercised: 0, violation: undefined };
    return judgeEach(lives.entries(), ([task, { begin, finish }]) => {
      if (task === 0 || finish < mainFinish || isStartedAfterMain(history, task)) return undefined;
      if (begin === Number.POSITIVE_INFINITY) return true;
      if (finish === Number.POSITIVE_INFINITY) return `${nameOf(task)} was left behind: it neither finished nor was cancelled`;
      const open = suspendedIn(history, task, mainFinish);
      if (open === undefined || !isTakenThere(open)) return true;
      // Under fifo the rest of the batch still runs, so only a sleep that was not due can be held to it.
      const isDue = run.schedule.housekeeping === "inline" && !isSleepBeyond(open, mainFinishMs);
      const isTaken = isDue || judgeTaken(history, open, { index: mainFinish, t: mainFinishMs }) === true;
      return isTaken ? true : `${placeOfCall(history, open)}: was open when main ended, and was not cancelled`;
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
    return isDone ? true : judgeTarget(history, target, { index: call.end, t: call.outcome.t });
  });
}

/** What ends only by a cancellation of its own task ends so at most as often as there were requests by then. */
function judgeCount(history: RunHistory): Judgement {
  const delivered = history.calls.filter(
    (call) =>
      isCancelled(call.outcome) &&
      isOwnSuspension(call.operation) &&
      (call.placed.parts.length === 0 || enteredAt(history, call) > call.end),
  );
  if (delivered.length === 0) return { exercised: 0, violation: undefined };
  const requests = new Requests(history);
  return judgeEach(new Set(delivered.map(({ task }) => task)), (task) => {
    const reaching = requests.reaching(task);
    const ends = delivered.filter((call) => call.task === task).map(({ end }) => end);
    for (const [before, end] of ends.sort((a, b) => a - b).entries()) {
      const allowed = reaching.filter(({ since }) => since < end).length;
      if (before + 1 > allowed) return `${history.nameOf(task)}: got ${before + 1} cancellations for ${allowed} requests`;
    }
    return true;
  });
}

/** The handler of a `try` runs when its body raised an exception, and only then: a cancellation passes it by. */
function judgeHandler(history: RunHistory): Judgement {
  return judgeEach(callsOf(history, "try"), (call) => {
    const [body = [], [first] = []] = call.placed.parts;
    if (first === undefined) return undefined;
    const raised = call.inside.find(({ placed, outcome }) => body.includes(placed) && outcome?.error !== undefined);
    const hasRun = call.inside.some(({ placed }) => placed === first);
    if (hasRun === (raised !== undefined && !isCancelled(raised.outcome))) return raised === undefined ? undefined : true;
    return `${placeOfCall(history, call)}: its handler ${hasRun ? "ran" : "did not run"} after ${raised?.outcome?.error ?? "a body that raised nothing"}`;
  });
}

/** The last part of every `try` that was left runs. */
function judgeFinally(history: RunHistory): Judgement {
  return judgeEach(callsOf(history, "try"), (call) => {
    const first = call.placed.parts[2]?.[0];
    if (first === undefined || call.end === Number.POSITIVE_INFINITY) return undefined;
    const hasRun = call.inside.some(({ placed }) => placed === first);
    return hasRun ? true : `${placeOfCall(history, call)}: was left without its finally part`;
  });
}

function isSleepBeyond({ operation, startMs }: Call, nowMs: number): boolean {
  return operation[0] === "sleep" && startMs + operation[1] > nowMs;
}
