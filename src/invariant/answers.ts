/**
 * Invariants of `wait` and `asCompleted`: what they answer of the tasks that they wait for, and when.
 */
import type { TraceValue } from "../trace/trace.js";
import { type Call, callsOf, isCancelled, type Life, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, judgeEach } from "./invariant.js";

/** @since 0.2.0 */
export const waitAnswers: Invariant = {
  name: "wait-answers",
  sentence:
    "A wait answers as soon as enough tasks are done, or when its time is over; it answers which are done and which are not, and raises nothing.",
  judge(history) {
    return judgeEach(callsOf(history, "wait"), (call) => {
      if (call.outcome === undefined || isCancelled(call.outcome)) return undefined;
      if (call.outcome.error !== undefined) return `${placeOfCall(history, call)}: raised ${call.outcome.error}`;
      const partition = judgePartition(history, call, call.outcome.value ?? null);
      return partition === true ? judgeMoment(history, call, call.outcome.t) : partition;
    });
  },
};

type Wait = Call & { readonly operation: readonly ["wait", readonly number[], string, number | null] };

/** Whether it answers who is done at that moment; of who was cancelled before it began the trace does not tell since when. */
function judgePartition(history: RunHistory, call: Wait, value: TraceValue): string | true {
  const { lives } = history;
  const tasks = [...new Set(call.operation[1])].sort((a, b) => a - b);
  const [done, pending] = Array.isArray(value) ? (value as readonly TraceValue[]) : [];
  const answered = new Set(Array.isArray(done) ? (done as readonly TraceValue[]) : []);
  const isDone = (task: number): boolean => {
    const { begin, finish } = lives[task] ?? { begin: 0, finish: 0 };
    return begin === Number.POSITIVE_INFINITY ? answered.has(task) : finish < call.end;
  };
  const expected = [tasks.filter(isDone), tasks.filter((task) => !isDone(task))];
  const got = [done ?? null, pending ?? null];
  return JSON.stringify(got) === JSON.stringify(expected)
    ? true
    : `${placeOfCall(history, call)}: answered ${JSON.stringify(value)}, but done and pending were ${JSON.stringify(expected)}`;
}

function judgeMoment(history: RunHistory, call: Wait, t: number): string | true {
  const [, tasks, mode, ms] = call.operation;
  const lives = tasks.map((task) => history.lives[task]).filter((life) => life !== undefined);
  // Who never began was cancelled, at a time that the trace does not tell.
  const isSure = lives.every(({ begin }) => begin !== Number.POSITIVE_INFINITY);
  const deadlineMs = ms === null ? Number.POSITIVE_INFINITY : call.startMs + ms;
  const latestMs = Math.min(deadlineMs, Math.max(call.startMs, enoughMs(lives, mode)));
  const place = placeOfCall(history, call);
  if (t > latestMs) return `${place}: could answer at ${latestMs}, and answered at ${t}`;
  return t === latestMs || !isSure ? true : `${place}: answered at ${t}, before enough were done at ${latestMs}`;
}

/** When enough of them were done. */
function enoughMs(lives: readonly Life[], mode: string): number {
  const ends = lives.map(({ outcome }) => outcome?.t ?? Number.POSITIVE_INFINITY);
  const all = Math.max(...ends);
  if (mode === "ALL_COMPLETED") return all;
  const isEnough = ({ outcome }: Life): boolean => mode === "FIRST_COMPLETED" || (outcome?.error !== undefined && !isCancelled(outcome));
  return Math.min(all, ...lives.filter(isEnough).map(({ outcome }) => outcome?.t ?? Number.POSITIVE_INFINITY));
}

/** @since 0.2.0 */
export const completionOrder: Invariant = {
  name: "completion-order",
  sentence: "The results of asCompleted stand in the order in which its tasks were done, and the first exception is raised in its turn.",
  judge(history) {
    return judgeEach(callsOf(history, "asCompleted"), (call) => {
      if (call.outcome === undefined || isCancelled(call.outcome)) return undefined;
      return judgeOrder(history, call, call.operation[1]);
    });
  },
};

function judgeOrder(history: RunHistory, call: Call, named: readonly number[]): string | true {
  const place = placeOfCall(history, call);
  const tasks = [...new Set(named)];
  // Of those that were done before, in argument order.
  const since = (task: number): number => Math.max(history.lives[task]?.finish ?? 0, call.start);
  const done = tasks.filter((task) => since(task) < call.end).sort((a, b) => since(a) - since(b));
  const failed = done.find((task) => history.lives[task]?.outcome?.error !== undefined);
  const error = failed === undefined ? undefined : history.lives[failed]?.outcome?.error;
  if (call.outcome?.error !== undefined) {
    return error === call.outcome.error ? true : `${place}: raised ${call.outcome.error}, but the first exception was ${error ?? "none"}`;
  }
  const missing = tasks.find((task) => !done.includes(task));
  if (missing !== undefined) return `${place}: answered all results, and ${history.nameOf(missing)} had none`;
  if (failed !== undefined) return `${place}: answered although ${history.nameOf(failed)} ended with ${error ?? ""}`;
  const expected = JSON.stringify(done.map((task) => history.lives[task]?.outcome?.value ?? null));
  const got = JSON.stringify(call.outcome?.value ?? null);
  return got === expected ? true : `${place}: answered ${got}, but the tasks ended, one after the other, with ${expected}`;
}
