/**
 * Invariants of futures: one completion, one outcome, kept for everybody.
 */
import type { TraceEvent } from "../trace/trace.js";
import { callsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, judgeAll, judgeEach } from "./invariant.js";
import { Requests } from "./requests.js";

/** How a future was completed, as far as the trace tells. */
interface Completion {
  readonly index: number;
  /** Undefined for a cancellation, which looks to a waiter like one of its own. */
  readonly outcome: Pick<TraceEvent, "value" | "error"> | undefined;
}

/** @since 0.1.0 */
export const completesOnce: Invariant = {
  name: "completes-once",
  sentence: "A future completes once: a second completion raises InvalidStateError and changes nothing.",
  judge(history) {
    const completed = new Map<number, Completion>();
    // A cancelled task cancels the future that it waits for, which is no operation of the future.
    const firstCancellation = new Requests(history).all[0]?.since ?? Number.POSITIVE_INFINITY;
    return judgeEach(callsOf(history, "setResult", "setException", "cancelFuture"), (call) => {
      const [name, future] = call.operation;
      const isAccepted = name === "cancelFuture" ? call.outcome?.value === true : call.outcome?.phase === "end";
      const before = completed.get(future);
      const place = placeOfCall(history, call);
      if (isAccepted) {
        completed.set(future, { index: call.end, outcome: outcomeOf(call.operation) });
        return before === undefined ? true : `${place}: completed future ${future} a second time`;
      }
      if (before === undefined && call.start < firstCancellation) return `${place}: was refused although future ${future} was pending`;
      if (name !== "cancelFuture" && call.outcome?.error !== "InvalidStateError") {
        return `${place}: raised ${call.outcome?.error ?? "nothing"} in the place of InvalidStateError`;
      }
      return true;
    });
  },
};

/** @since 0.1.0 */
export const keptExceptions: Invariant = {
  name: "kept-exceptions",
  sentence: "An outcome is kept: every waiter gets the same result or exception, and an exception that nobody retrieved is reported.",
  judge(history) {
    return judgeAll(judgeFutureWaiters(history), judgeTaskWaiters(history), judgeReports(history));
  },
};

function judgeFutureWaiters(history: RunHistory): ReturnType<typeof judgeEach> {
  const completions = new Map<number, Completion>();
  for (const call of callsOf(history, "setResult", "setException", "cancelFuture")) {
    const isAccepted = call.operation[0] === "cancelFuture" ? call.outcome?.value === true : call.outcome?.phase === "end";
    if (isAccepted && !completions.has(call.operation[1])) {
      completions.set(call.operation[1], { index: call.end, outcome: outcomeOf(call.operation) });
    }
  }
  return judgeEach(callsOf(history, "awaitFuture"), (call) => {
    const completion = completions.get(call.operation[1]);
    if (call.outcome === undefined || isCancelled(call.outcome)) return undefined;
    const place = placeOfCall(history, call);
    if (completion === undefined || completion.index > call.end) {
      return `${place}: future ${call.operation[1]} was not done when its waiter went on`;
    }
    const expected = completion.outcome ?? { error: "CancelledError" };
    return isSameOutcome(call.outcome, expected) ? true : `${place}: got ${show(call.outcome)} and not ${show(expected)}`;
  });
}

function judgeTaskWaiters(history: RunHistory): ReturnType<typeof judgeEach> {
  return judgeEach(callsOf(history, "await", "shield"), (call) => {
    const life = history.lives[call.operation[1]];
    if (call.outcome === undefined || isCancelled(call.outcome)) return undefined;
    const name = history.nameOf(call.operation[1]);
    if (life?.outcome === undefined || life.finish > call.end) {
      return `${placeOfCall(history, call)}: ${name} was not done when its waiter went on`;
    }
    return isSameOutcome(call.outcome, life.outcome)
      ? true
      : `${placeOfCall(history, call)}: got ${show(call.outcome)}, but ${name} ended with ${show(life.outcome)}`;
  });
}

/** Of tasks that failed before main's end: asyncio reports what the shutdown finds in another way. */
function judgeReports(history: RunHistory): ReturnType<typeof judgeEach> {
  const { run, lives, nameOf } = history;
  if (run.outcome === "deadlock" || run.outcome === "livelock") return { exercised: 0, violation: undefined };
  const mainFinish = lives[0]?.finish ?? Number.POSITIVE_INFINITY;
  return judgeEach(lives.entries(), ([task, { finish, outcome }]) => {
    if (task === 0 || outcome?.error === undefined || isCancelled(outcome) || finish > mainFinish) return undefined;
    // As in asyncio, a request to cancel a task that has failed already counts as having seen its exception.
    if ([...callsOf(history, "cancel")].some(({ operation, start }) => operation[1] === task && start > finish)) return undefined;
    const waiters = [...callsOf(history, "await", "gather", "shield", "asCompleted", "taskGroup", "wait")].filter(
      // A wait raises nothing, and only one for the first exception looks at what its tasks have raised.
      ({ operation }) => [operation[1]].flat().includes(task) && (operation[0] !== "wait" || operation[2] === "FIRST_EXCEPTION"),
    );
    const isReported = run.reports.includes(`Task exception was never retrieved (task ${nameOf(task)})`);
    if (waiters.length === 0) {
      return isReported ? true : `${nameOf(task)} ended with ${outcome.error}, nobody retrieved it, and it was not reported`;
    }
    // A gather that is over has looked at each child, or does so as soon as the child is done; one that was cut off may not have. A group
    // is over when it has looked at all. Of the others it is sure where they have raised what the task has.
    const isRetrieved = waiters.some(({ operation, outcome: got }) => {
      if (operation[0] === "gather" || operation[0] === "taskGroup") return got !== undefined;
      return operation[0] !== "asCompleted" && operation[0] !== "wait" && got?.error === outcome.error;
    });
    if (!isRetrieved) return undefined;
    return isReported ? `${nameOf(task)}: a waiter retrieved ${outcome.error}, and it was reported as never retrieved` : true;
  });
}

function outcomeOf(
  operation: readonly ["setResult", number, number] | readonly ["setException", number, string] | readonly ["cancelFuture", number],
): Completion["outcome"] {
  switch (operation[0]) {
    case "setResult":
      return { value: operation[2] };
    case "setException":
      return { error: `RuntimeError: ${operation[2]}` };
    case "cancelFuture":
      return undefined;
  }
}

function isSameOutcome(a: Pick<TraceEvent, "value" | "error">, b: Pick<TraceEvent, "value" | "error">): boolean {
  return a.error === b.error && JSON.stringify(a.value ?? null) === JSON.stringify(b.value ?? null);
}

function show({ value, error }: Pick<TraceEvent, "value" | "error">): string {
  return error ?? JSON.stringify(value ?? null);
}
