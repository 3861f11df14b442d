/**
 * Invariants of waiting: who waits goes on when it is time, not before, and not never.
 */
import { DeadlockError } from "../loop/deadlock.js";
import { type Call, callsOf, completionsOf, isCancelled, isStartedAfterMain, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";

/** @since 0.1.0 */
export const doneAwaitRunsThrough: Invariant = {
  name: "done-await-runs-through",
  sentence: "Awaiting something that is already done does not let another task run in between.",
  judge(history) {
    const completed = completionsOf(history);
    return judgeEach(callsOf(history, "await", "shield", "awaitFuture"), (call) => {
      const doneAt =
        call.operation[0] === "awaitFuture"
          ? (completed.get(call.operation[1]) ?? Number.POSITIVE_INFINITY)
          : (history.lives[call.operation[1]]?.finish ?? Number.POSITIVE_INFINITY);
      if (doneAt >= call.start) return undefined;
      return call.end === call.start + 1
        ? true
        : `${placeOfCall(history, call)}: it was done already, and other events came before the await was over`;
    });
  },
};

/** @since 0.1.0 */
export const noLostWakeUp: Invariant = {
  name: "no-lost-wake-up",
  sentence:
    "Every handle runs exactly once; a task resumes only after what it awaited is done, and always resumes, under fifo in the order of arrival.",
  judge(history) {
    const { run } = history;
    const handles: Judgement = {
      exercised: run.steps.length,
      violation:
        run.ranTwice.length > 0
          ? `the handle of ${run.ranTwice.join(", ")} ran twice`
          : run.neverRan.length > 0
            ? `the handle of ${run.neverRan.join(", ")} never ran, and nothing else was left to run`
            : undefined,
    };
    const causes = judgeEach(callsOf(history, "await", "shield", "gather", "asCompleted"), (call) => {
      if (call.outcome?.phase !== "end") return undefined;
      const early = [call.operation[1]]
        .flat()
        .find((task) => (history.lives[task]?.finish ?? 0) > call.end && history.lives[task]?.begin !== Number.POSITIVE_INFINITY);
      return early === undefined ? true : `${placeOfCall(history, call)}: went on before ${history.nameOf(early)} was done`;
    });
    return judgeAll(handles, causes, judgeDeadlock(history), judgeWakeOrder(history));
  },
};

/** Under fifo, where nothing is permuted, those who wait for the same task or future go on in the order in which they came. */
function judgeWakeOrder(history: RunHistory): Judgement {
  if (history.run.schedule.housekeeping !== "inline") return { exercised: 0, violation: undefined };
  const lastEnd = new Map<string, number>();
  return judgeEach(callsOf(history, "await", "shield", "awaitFuture"), (call) => {
    // Who came when it was done already did not wait, and a cancelled waiter was perhaps woken by another.
    if (call.end === Number.POSITIVE_INFINITY || call.end === call.start + 1 || isCancelled(call.outcome)) return undefined;
    const awaited = call.operation.join(" ");
    const before = lastEnd.get(awaited);
    lastEnd.set(awaited, call.end);
    if (before === undefined) return undefined;
    return before < call.end ? true : `${placeOfCall(history, call)}: came after another that waits for the same, and went on before it`;
  });
}

/** A task that waits in a deadlock must wait for something that is not done. */
function judgeDeadlock(history: RunHistory): Judgement {
  if (history.run.outcome !== "deadlock") return { exercised: 0, violation: undefined };
  const completed = completionsOf(history);
  return judgeEach(history.lives.keys(), (task) => {
    const call = innermostOpenCall(history, task);
    if (call === undefined) return undefined;
    const isDone = isTargetDone(history, call, completed);
    return isDone ? `${placeOfCall(history, call)}: what it waits for is done, and it was never resumed` : true;
  });
}

function isTargetDone({ lives }: RunHistory, { operation }: Call, completed: ReadonlyMap<number, number>): boolean {
  const isDone = (task: number): boolean => lives[task]?.finish !== Number.POSITIVE_INFINITY;
  const hasFailed = (task: number): boolean => isDone(task) && lives[task]?.outcome?.error !== undefined;
  const hasRaised = (task: number): boolean => hasFailed(task) && !isCancelled(lives[task]?.outcome);
  switch (operation[0]) {
    case "awaitFuture":
      return completed.has(operation[1]);
    case "await":
    case "shield":
      return isDone(operation[1]);
    case "taskGroup":
      return operation[1].every(isDone);
    case "gather":
      return operation[1].every(isDone) || (!operation[2] && operation[1].some(hasFailed));
    case "asCompleted":
      return operation[1].every(isDone) || operation[1].some(hasFailed);
    case "wait": {
      const [, tasks, mode, ms] = operation;
      if (ms !== null || tasks.every(isDone)) return true;
      return (mode === "FIRST_COMPLETED" && tasks.some(isDone)) || (mode === "FIRST_EXCEPTION" && tasks.some(hasRaised));
    }
    case "withLock":
    case "withSemaphore":
    case "waitEvent":
    case "put":
    case "get":
      return false; // judged where all who use them are looked at
    default:
      return true; // a turn, a sleep: nothing else has to happen for them to be over
  }
}

/** @since 0.1.0 */
export const finishesOrDeadlocks: Invariant = {
  name: "finishes-or-deadlocks",
  sentence: "A graph either finishes or is reported as a deadlock that names every waiting task; it never hangs.",
  judge(history) {
    const { run, lives, nameOf } = history;
    const exit = history.trace.at(-1);
    if (run.outcome === "livelock") return { exercised: 1, violation: "the run did not end" };
    if (exit?.phase !== "exit") return { exercised: 1, violation: "the trace does not end with an exit" };
    const unfinished = lives.flatMap(({ begin, finish }, task) => {
      const isUnfinished = begin < finish && finish === Number.POSITIVE_INFINITY;
      // Who was started after main's end is left where it stands when the run is over; in a deadlock it waits like everybody.
      return isUnfinished && (run.outcome === "deadlock" || !isStartedAfterMain(history, task)) ? [{ begin, task }] : [];
    });
    const places = unfinished
      .sort((a, b) => a.begin - b.begin)
      .map(({ task }) => placeOfWait(nameOf(task), innermostOpenCall(history, task)?.placed.path));
    // What the trace says, and what the error says that the run ended with.
    const traced = (exit.waiting ?? []).map(({ task, op }) => placeOfWait(task, op));
    const reported =
      run.error instanceof DeadlockError ? run.error.waiting.map(({ task, operation }) => placeOfWait(task, operation)) : traced;
    for (const named of [traced, reported]) {
      if (places.join() !== named.join()) {
        return {
          exercised: 1,
          violation: `waiting at the end: ${places.join(", ") || "nobody"}; reported: ${named.join(", ") || "nobody"}`,
        };
      }
    }
    if (run.outcome === "deadlock" && places.length === 0) {
      return { exercised: 1, violation: "a deadlock was reported in which nobody waits" };
    }
    return { exercised: 1, violation: undefined };
  },
};

/** The operation that `task` is still in when the trace ends: of a try and what is in it, what is in it. */
function innermostOpenCall({ calls }: RunHistory, task: number): Call | undefined {
  return calls.findLast((call) => call.task === task && call.end === Number.POSITIVE_INFINITY);
}

function placeOfWait(task: string, path: string | undefined): string {
  return path === undefined ? task : `${task} at ${path}`;
}
