/**
 * The invariant of virtual time.
 */
import { type Call, callsOf, completionsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";
import { bodyEndOf } from "./suspension.js";

/** @since 0.1.0 */
export const exactTime: Invariant = {
  name: "exact-time",
  sentence:
    "Time never runs backwards; a sleep of d ends exactly d later, and a wait for tasks and futures when these are done, because time passes only while nothing is ready, and only to where something is due; timers fire in order.",
  judge(history) {
    const monotonic = judgeEach(history.trace.entries(), ([index, { t }]) => {
      const before = history.trace[index - 1]?.t ?? 0;
      return t >= before ? true : `time ran backwards, from ${before} to ${t}, at line ${index + 1} of the trace`;
    });
    const exact = judgeEach(callsOf(history, "sleep", "yield"), (call) => {
      if (call.outcome?.phase !== "end") return undefined;
      const delayMs = call.operation[0] === "sleep" ? call.operation[1] : 0;
      const endMs = call.outcome.t;
      return endMs === call.startMs + delayMs ? true : `${placeOfCall(history, call)}: began at ${call.startMs} and ended at ${endMs}`;
    });
    const passing = [judgeEnd(history), judgeDue(history)];
    return judgeAll({ exercised: 0, violation: monotonic.violation }, exact, judgeWaits(history), ...passing, judgeOrder(history));
  },
};

/** Who waits for tasks or a future goes on at the time at which that is done, or at once. */
function judgeWaits(history: RunHistory): Judgement {
  const completions = completionsOf(history);
  const timeAt = (index: number | undefined): number | undefined => history.trace[index ?? Number.POSITIVE_INFINITY]?.t;
  return judgeEach(callsOf(history, "await", "shield", "gather", "asCompleted", "taskGroup", "awaitFuture"), (call) => {
    const { operation, outcome } = call;
    if (outcome === undefined) return undefined;
    const doneMs = ((): number | undefined => {
      if (operation[0] === "taskGroup") return groupDoneMs(history, call, operation[1]);
      if (isCancelled(outcome)) return undefined;
      return operation[0] === "awaitFuture"
        ? timeAt(completions.get(operation[1]))
        : childrenDoneMs(history, [operation[1]].flat(), outcome.phase === "error");
    })();
    if (doneMs === undefined) return undefined;
    const dueMs = Math.max(call.startMs, doneMs);
    return outcome.t === dueMs ? true : `${placeOfCall(history, call)}: could go on at ${dueMs}, and went on at ${outcome.t}`;
  });
}

/** When the last of them was done, or with `isRaised` the first that failed; undefined when one was done without a line of its own. */
function childrenDoneMs({ lives }: RunHistory, tasks: readonly number[], isRaised: boolean): number | undefined {
  const ends = tasks.map((task) => lives[task]?.outcome);
  if (isRaised) return Math.min(...ends.flatMap((end) => (end?.error === undefined ? [] : [end.t])));
  return ends.every((end) => end !== undefined) ? Math.max(...ends.map(({ t }) => t)) : undefined;
}

/** When the body of a group and its last task were done. */
function groupDoneMs(history: RunHistory, call: Call, tasks: readonly number[]): number | undefined {
  const [bodyMs, tasksMs] = [bodyEndOf(history, call)?.t, childrenDoneMs(history, tasks, false)];
  return bodyMs === undefined || tasksMs === undefined ? undefined : Math.max(bodyMs, tasksMs);
}

/** Time passes only to a deadline: of a sleep, a timeout or a wait. */
function judgeDue(history: RunHistory): Judgement {
  const dueMs = new Set([0]);
  for (const { operation, startMs } of callsOf(history, "sleep", "timeout", "wait")) {
    const delayMs = operation[0] === "wait" ? operation[3] : operation[1];
    if (delayMs !== null) dueMs.add(startMs + delayMs);
  }
  return {
    exercised: 0,
    violation: judgeEach(history.trace, ({ t }) => (dueMs.has(t) ? true : `time passed to ${t}, when nothing was due`)).violation,
  };
}

/** A run ends when the last thing happens in it: a timer that wakes nobody, of a sleep that was cancelled, moves no clock. */
function judgeEnd(history: RunHistory): Judgement {
  const [last, exit] = history.trace.slice(-2);
  if (last === undefined || exit?.phase !== "exit") return { exercised: 0, violation: undefined };
  // A group that is cancelling its tasks already takes no notice of a timeout around it.
  const isExpired = [...callsOf(history, "timeout")].some(
    ({ operation, startMs, outcome }) => outcome === undefined && startMs + operation[1] === exit.t,
  );
  return {
    exercised: 0,
    violation: exit.t === last.t || isExpired ? undefined : `the run ended at ${exit.t}, and nothing had happened since ${last.t}`,
  };
}

/** Under fifo, where nothing is permuted, sleeps that are due together end in the order in which they began. */
function judgeOrder(history: RunHistory): Judgement {
  if (history.run.schedule.housekeeping !== "inline") return { exercised: 0, violation: undefined };
  const lastEnd = new Map<number, number>();
  return judgeEach(callsOf(history, "sleep"), (call) => {
    if (call.operation[1] === 0 || call.outcome === undefined || isCancelled(call.outcome)) return undefined;
    const dueMs = call.startMs + call.operation[1];
    const before = lastEnd.get(dueMs);
    lastEnd.set(dueMs, call.end);
    return before === undefined || before < call.end
      ? true
      : `${placeOfCall(history, call)}: began after another sleep until ${dueMs} and ended before it`;
  });
}
