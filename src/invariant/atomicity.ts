/**
 * Invariants of the synchronous parts: what stands between two suspensions is never interrupted.
 */
import { callsOf, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, judgeEach } from "./invariant.js";
import { bodyEndOf, canSuspend } from "./suspension.js";

/** @since 0.1.0 */
export const atomicSpans: Invariant = {
  name: "atomic-spans",
  sentence:
    "A synchronous span is atomic: no event of another task falls between its start and its end, and a cell is the sum of whole spans.",
  judge(history) {
    const cells = new Map<number, number>();
    return judgeEach(callsOf(history, "span"), (call) => {
      const [, cell, n] = call.operation;
      const before = cells.get(cell) ?? 0;
      cells.set(cell, before + n);
      if (call.end !== call.start + 1) {
        return `${placeOfCall(history, call)}: ${describeGap(history, call.start)} came between its start and its end`;
      }
      if (call.outcome?.value !== before + n) {
        return `${placeOfCall(history, call)}: cell ${cell} was ${before}, and is ${JSON.stringify(call.outcome?.value ?? null)} after ${n} more`;
      }
      return true;
    });
  },
};

/** @since 0.1.0 */
export const lazyStart: Invariant = {
  name: "lazy-start",
  sentence: "Creating a task starts nothing before its creator suspends, and the code before a task's first await runs without a gap.",
  judge(history) {
    return judgeEach(history.lives.entries(), ([task, { begin }]) => {
      if (task === 0 || begin === Number.POSITIVE_INFINITY) return undefined;
      const before = history.trace[begin - 1];
      if (before !== undefined && !isSuspension(history, begin - 1)) {
        return `${history.nameOf(task)} began while ${before.task ?? "?"} had not suspended, after ${describeGap(history, begin - 2)}`;
      }
      const gap = firstGapAfter(history, task, begin);
      return gap === undefined ? true : `${history.nameOf(task)}: ${describeGap(history, gap)} came before its first await`;
    });
  },
};

/** The index before the first event of another task that comes before `task` suspends or finishes. */
function firstGapAfter(history: RunHistory, task: number, begin: number): number | undefined {
  for (let index = begin; index < history.trace.length - 1; index++) {
    if (isSuspension(history, index)) return undefined;
    if (history.trace[index + 1]?.task !== history.nameOf(task)) return index;
  }
  return undefined;
}

/**
 * Whether another task may run after this event: the start of an operation that can suspend, the end of a task, or that of the body of a
 * task group, which waits then.
 */
function isSuspension(history: RunHistory, index: number): boolean {
  const { trace, startingAt, endingAt } = history;
  if (trace[index]?.phase === "finish") return true;
  const starting = startingAt.get(index);
  if (starting !== undefined && canSuspend(starting.operation)) return true;
  const group = starting ?? endingAt.get(index)?.parent;
  return group?.operation[0] === "taskGroup" && bodyEndOf(history, group)?.index === index;
}

/** The event after `index`, in words. */
function describeGap({ trace }: RunHistory, index: number): string {
  const event = trace[index + 1];
  return event === undefined
    ? "the end of the run"
    : `${event.phase} of ${event.task ?? "the run"}${event.op === undefined ? "" : ` at ${event.op}`}`;
}
