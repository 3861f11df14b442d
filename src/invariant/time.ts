/**
 * The invariant of virtual time.
 */
import { callsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";

/** @since 0.1.0 */
export const exactTime: Invariant = {
  name: "exact-time",
  sentence: "Time never runs backwards; a sleep of d ends exactly d later, because time passes only while nothing is ready; timers fire in order.",
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
    return judgeAll({ exercised: 0, violation: monotonic.violation }, exact, judgeOrder(history));
  },
};

/** Under fifo, where nothing is permuted, sleeps that are due together end in the order in which they began. */
function judgeOrder(history: RunHistory): Judgement {
  if (history.run.schedule.housekeeping !== "inline") return { exercised: 0, violation: undefined };
  const lastEnd = new Map<number, number>();
  return judgeEach(callsOf(history, "sleep"), (call) => {
    if (call.operation[1] === 0 || call.outcome === undefined || isCancelled(call.outcome)) return undefined;
    const dueMs = call.startMs + call.operation[1];
    const before = lastEnd.get(dueMs);
    lastEnd.set(dueMs, call.end);
    return before === undefined || before < call.end ? true : `${placeOfCall(history, call)}: began after another sleep until ${dueMs} and ended before it`;
  });
}
