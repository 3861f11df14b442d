/**
 * The invariant of timeouts.
 */
import { judgeTarget } from "./delivery.js";
import { type Call, callsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, judgeEach } from "./invariant.js";
import { deadlineOf, Requests } from "./requests.js";
import { bodyEndOf, isOwnSuspension, restsOf, suspendedIn } from "./suspension.js";

/** @since 0.2.0 */
export const exactTimeouts: Invariant = {
  name: "exact-timeouts",
  sentence:
    "A timeout cancels its body at its deadline and not before; it raises TimeoutError in the place of that cancellation, and passes on whatever else its body ends with.",
  judge(history) {
    return judgeEach(callsOf(history, "timeout"), (call) => {
      const expiry = judgeExpiry(history, call);
      return typeof expiry === "string" ? expiry : (judgeOutcome(history, call) ?? expiry);
    });
  },
};

type Timeout = Call & { readonly operation: readonly ["timeout", number, ...unknown[]] };

/** Whether the body is cancelled when the deadline comes. */
function judgeExpiry(history: RunHistory, call: Timeout): string | true | undefined {
  const { run, trace } = history;
  const [, ms] = call.operation;
  const deadlineMs = call.startMs + ms;
  if (ms === 0) return judgeAtOnce(history, call);
  const index = deadlineOf(history, call, ms);
  if (index !== Number.POSITIVE_INFINITY) return judgeTarget(history, call.task, { index, t: deadlineMs });
  const isStopped = call.outcome === undefined && run.outcome === "deadlock";
  return isStopped
    ? `${placeOfCall(history, call)}: the run ended in a deadlock at ${trace.at(-1)?.t ?? "?"}, before its deadline at ${deadlineMs}`
    : undefined;
}

/** One that is due when it begins expires as soon as its task waits, and before time passes. */
function judgeAtOnce(history: RunHistory, call: Timeout): string | true | undefined {
  for (const { index } of restsOf(history)) {
    if (index <= call.start) continue;
    if (index > call.end) return undefined;
    const open = suspendedIn(history, call.task, index - 0.5);
    // Cancelled before, it may have come to wait again on its way out.
    const isBeyond = history.calls.some(
      ({ task, end, outcome }) => task === call.task && end > call.start && end < index && isCancelled(outcome),
    );
    if (open === undefined || isBeyond || !isOwnSuspension(open.operation)) return undefined;
    return `${placeOfCall(history, open)}: was not cancelled although the timeout at ${call.placed.path} was over at ${call.startMs}`;
  }
  return undefined;
}

/** Whether it ends with what its body ended with, or with TimeoutError where its own cancellation ended that. */
function judgeOutcome(history: RunHistory, call: Timeout): string | true | undefined {
  const body = bodyEndOf(history, call);
  if (call.outcome === undefined || body === undefined) return undefined;
  const { error, t } = call.outcome;
  const place = placeOfCall(history, call);
  if (t !== body.t) return `${place}: its body ended at ${body.t}, and it ended at ${t}`;
  if (body.error !== "CancelledError") {
    return error === body.error
      ? true
      : `${place}: its body ended with ${body.error ?? "no exception"}, and it ended with ${error ?? "no exception"}`;
  }
  const deadlineMs = call.startMs + call.operation[1];
  switch (error) {
    case "CancelledError":
      return isOwnCancellation(history, call, t) ? `${place}: nobody else had cancelled its task, and it raised no TimeoutError` : true;
    case "TimeoutError":
      if (t < deadlineMs) return `${place}: raised TimeoutError at ${t}, before its deadline at ${deadlineMs}`;
      return isCancelledByOthers(history, call) ? `${place}: turned the cancellation of somebody else into TimeoutError` : true;
    default:
      return `${place}: its body was cancelled, and it ended with ${error ?? "no exception"}`;
  }
}

/** Whether it must have expired, and no other request can have reached its task meanwhile. Timeouts inside take back their own. */
function isOwnCancellation(history: RunHistory, call: Timeout, endMs: number): boolean {
  const [, ms] = call.operation;
  const hasExpired = ms === 0 ? endMs > call.startMs : deadlineOf(history, call, ms) < call.end;
  if (!hasExpired) return false;
  return !new Requests(history)
    .reaching(call.task)
    .some(({ since, until, limit }) => since < call.end && until > call.start && !(limit !== undefined && isIn(limit, call)));
}

/** Whether another request has certainly come while it ran: an operation's, or that of a timeout around it. */
function isCancelledByOthers(history: RunHistory, call: Timeout): boolean {
  const isDuring = (index: number): boolean => index > call.start && index < call.end;
  const isAsked = [...callsOf(history, "cancel")].some(
    ({ operation, outcome, end }) => operation[1] === call.task && outcome?.value === true && isDuring(end),
  );
  if (isAsked) return true;
  return [...callsOf(history, "timeout")].some(
    (around) =>
      around !== call && isIn(call, around) && around.operation[1] > 0 && isDuring(deadlineOf(history, around, around.operation[1])),
  );
}

/** Whether `call` is `around` or stands somewhere inside of it. */
function isIn(call: Call, around: Call): boolean {
  for (let place: Call | undefined = call; place !== undefined; place = place.parent) if (place === around) return true;
  return false;
}
