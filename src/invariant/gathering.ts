/**
 * The invariant of gather: results in argument order, and the first exception to the waiter.
 */
import type { TraceValue } from "../trace/trace.js";
import { type Call, callsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, judgeEach } from "./invariant.js";

/** @since 0.1.0 */
export const gatherOrder: Invariant = {
  name: "gather-order",
  sentence: "The results of gather stand in argument order whatever the order of completion, and its first exception reaches the waiter.",
  judge(history) {
    return judgeEach(callsOf(history, "gather"), (call) => {
      if (call.outcome === undefined || isCancelled(call.outcome)) return undefined;
      return call.outcome.phase === "end"
        ? judgeResults(history, call, call.outcome.value ?? null)
        : judgeException(history, call, call.outcome.error ?? "");
    });
  },
};

type Gather = Call & { readonly operation: readonly ["gather", readonly number[], boolean] };

function judgeResults(history: RunHistory, call: Gather, value: TraceValue): string | true {
  const [, tasks, returnExceptions] = call.operation;
  const expected: TraceValue[] = [];
  for (const task of tasks) {
    const life = history.lives[task];
    const isNeverBegun = life?.begin === Number.POSITIVE_INFINITY;
    if (life !== undefined && life.finish > call.end && !isNeverBegun) {
      return `${placeOfCall(history, call)}: ${history.nameOf(task)} was not done when gather answered`;
    }
    // A task that was cancelled before it began leaves no line.
    const error = isNeverBegun ? "CancelledError" : life?.outcome?.error;
    if (error !== undefined && !returnExceptions) {
      return `${placeOfCall(history, call)}: answered although ${history.nameOf(task)} ended with ${error}`;
    }
    expected.push(error === undefined ? (life?.outcome?.value ?? null) : { error });
  }
  return JSON.stringify(value) === JSON.stringify(expected)
    ? true
    : `${placeOfCall(history, call)}: answered ${JSON.stringify(value)}, but the tasks ended, in argument order, with ${JSON.stringify(expected)}`;
}

function judgeException(history: RunHistory, call: Gather, error: string): string | true {
  const [, tasks, returnExceptions] = call.operation;
  const failed = [...new Set(tasks)].filter((task) => {
    const life = history.lives[task];
    return life?.outcome?.error !== undefined && life.finish < call.end;
  });
  // What was done before the gather is looked at in argument order, the rest as it comes.
  const since = (task: number): number => Math.max(history.lives[task]?.finish ?? 0, call.start);
  const first = failed.toSorted((a, b) => since(a) - since(b))[0];
  const expected = first === undefined ? undefined : history.lives[first]?.outcome?.error;
  if (returnExceptions) return `${placeOfCall(history, call)}: raised ${error} although exceptions were to be returned`;
  return expected === error ? true : `${placeOfCall(history, call)}: raised ${error}, but the first exception was ${expected ?? "none"}`;
}
