/**
 * The invariant of virtual time.
 */
import { callsOf, completionsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";

/** @since 0.1.0 */
export const exactTime: Invariant = {
  name: "exact-time",
  sentence:
    "Time never runs backwards; a sleep of d ends exactly d later, and any other wait at the moment when what it waits for is done, because time passes only while nothing is ready; timers fire in order.",
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
    return judgeAll({ exercised: 0, violation: monotonic.violation }, exact, judgeWaits(history), judgeEnd(history), judgeOrder(history));
  },
};

/** Who waits for a task, a gather or a future goes on at the time at which that is done, or at once. */
function judgeWaits(history: RunHistory): Judgement {
  const completions = completionsOf(history);
  const timeAt = (index: number | undefined): number | undefined => history.trace[index ?? Number.POSITIVE_INFINITY]?.t;
  return judgeEach(callsOf(history, "await", "gather", "awaitFuture"), (call) => {
    if (call.outcome === undefined || isCancelled(call.outcome)) return undefined;
    const doneMs =
      call.operation[0] === "awaitFuture"
        ? timeAt(completions.get(call.operation[1]))
        : childrenDoneMs(history, call.operation, call.outcome.phase === "error");
    if (doneMs === undefined) return undefined;
    const dueMs = Math.max(call.startMs, doneMs);
    return call.outcome.t === dueMs ? true : `${placeOfCall(history, call)}: could go on at ${dueMs}, and went on at ${call.outcome.t}`;
  });
}

/** When the last of them was done, or with `isRaised` the first that failed; undefined when one was done without a line of its own. */
function childrenDoneMs(
  { lives }: RunHistory,
  [, tasks]: readonly ["await", number] | readonly ["gather", readonly number[], boolean],
  isRaised: boolean,
): number | undefined {
  const ends = [tasks].flat().map((task) => lives[task]?.outcome);
  if (isRaised) return Math.min(...ends.flatMap((end) => (end?.error === undefined ? [] : [end.t])));
  return ends.every((end) => end !== undefined) ? Math.max(...ends.map(({ t }) => t)) : undefined;
}

/** A run ends when the last thing happens in it: a timer that wakes nobody, of a sleep that was cancelled, moves no clock. */
function judgeEnd({ trace }: RunHistory): Judgement {
  const [last, exit] = trace.slice(-2);
  if (last === undefined || exit?.phase !== "exit") return { exercised: 0, violation: undefined };
  return {
    exercised: 0,
    violation: exit.t === last.t ? undefined : `the run ended at ${exit.t}, and nothing had happened since ${last.t}`,
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
