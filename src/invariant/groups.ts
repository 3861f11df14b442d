/**
 * The invariant of task groups.
 */
import { judgeTarget } from "./delivery.js";
import { type Call, callsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";
import { firstFailureOf, Requests } from "./requests.js";
import { type BodyEnd, bodyEndOf, isOwnSuspension, restsOf, suspendedIn } from "./suspension.js";

/** @since 0.2.0 */
export const groupsEndTogether: Invariant = {
  name: "groups-end-together",
  sentence:
    "A task group ends after every task that it started, with the group of all that these and its body raised; when one of them fails or the group is cancelled, the others are cancelled.",
  judge(history) {
    const groups = [...callsOf(history, "taskGroup")];
    if (groups.length === 0) return { exercised: 0, violation: undefined };
    return judgeAll(
      judgeEach(groups, (group) => judgeEnd(history, group)),
      judgeAborts(history, groups),
    );
  },
};

type Group = Call & { readonly operation: readonly ["taskGroup", readonly number[], ...unknown[]] };

/** Whether the group ends last, and with all that was raised. */
function judgeEnd(history: RunHistory, group: Group): string | true | undefined {
  const { lives, nameOf } = history;
  const body = bodyEndOf(history, group);
  if (group.outcome === undefined) return undefined;
  const place = placeOfCall(history, group);
  const tasks = group.operation[1];
  const early = tasks.find((task) => {
    const life = lives[task];
    return life !== undefined && life.begin !== Number.POSITIVE_INFINITY && life.finish > group.end;
  });
  if (early !== undefined) return `${place}: ended before ${nameOf(early)} had`;
  if (body === undefined) return `${place}: ended before its body had`;
  const failed = tasks
    .flatMap((task) => {
      const life = lives[task];
      return life?.outcome?.error === undefined || isCancelled(life.outcome) ? [] : [{ at: life.finish, error: life.outcome.error }];
    })
    .sort((a, b) => a.at - b.at);
  const raised = failed.map(({ error }) => error);
  if (body.error !== undefined && body.error !== "CancelledError") raised.push(body.error);
  const { error } = group.outcome;
  if (raised.length > 0) {
    const expected = `ExceptionGroup: ${raised.join("; ")}`;
    return error === expected ? true : `${place}: ended with ${error ?? "no exception"} and not with ${expected}`;
  }
  if (error === "CancelledError") return true;
  if (error !== undefined) return `${place}: raised ${error} although nothing in it was raised`;
  return body.error === undefined ? true : `${place}: its body was cancelled, and it ended without an exception`;
}

function judgeAborts(history: RunHistory, groups: readonly Group[]): Judgement {
  const requests = new Requests(history);
  return judgeEach(groups, (group) => {
    const failure = firstFailureOf(history, group);
    const body = bodyEndOf(history, group);
    const cancelled = requests.reaching(group.task).filter(({ since, until }) => since < group.end && until > group.start);
    const firstCancelled = cancelled.find(({ since }) => since !== failure)?.since ?? Number.POSITIVE_INFINITY;
    if (body?.error !== undefined && body.index < failure) return judgeTasks(history, group, body.index, body.t);
    if (failure < firstCancelled) return judgeFailure(history, group, failure, body);
    return body !== undefined && firstCancelled < failure ? judgeCancelled(history, group, body) : undefined;
  });
}

/** When the first task fails, the others are cancelled, and the body too unless it is over. Under fifo that takes a turn. */
function judgeFailure(history: RunHistory, group: Group, failure: number, body: BodyEnd | undefined): string | true | undefined {
  if (history.run.schedule.housekeeping === "inline" || failure === Number.POSITIVE_INFINITY) return undefined;
  const [index, t] = [failure + 0.5, history.trace[failure]?.t ?? 0];
  const isBodyOver = body !== undefined && body.index < failure;
  const inBody = isBodyOver ? undefined : judgeTarget(history, group.task, { index, t });
  return typeof inBody === "string" ? inBody : judgeTasks(history, group, index, t);
}

/** Whether all tasks of the group that are not done are cancelled at that moment. */
function judgeTasks(history: RunHistory, { operation }: Group, index: number, t: number): string | true {
  for (const task of operation[1]) {
    const life = history.lives[task];
    if (life === undefined || life.finish < index) continue;
    const verdict = judgeTarget(history, task, { index, t });
    if (typeof verdict === "string") return verdict;
  }
  return true;
}

/** A group that is cancelled while it waits for its tasks cancels them in its next step, and so before time passes. */
function judgeCancelled(history: RunHistory, group: Group, body: BodyEnd): string | true | undefined {
  const request = [...callsOf(history, "cancel")].find(
    ({ operation, outcome, end }) => operation[1] === group.task && outcome?.value === true && end > group.start && end < group.end,
  );
  if (request === undefined || request.start < body.index || firstFailureOf(history, group) < request.end) return undefined;
  if (group.outcome !== undefined && group.outcome.error === undefined) {
    return `${placeOfCall(history, group)}: was cancelled there, and ended without an exception`;
  }
  const rest = [...restsOf(history)].find(({ index }) => index > request.end);
  if (rest === undefined) return true;
  for (const task of group.operation[1]) {
    const before = suspendedIn(history, task, request.end);
    const isStuck = before !== undefined && isOwnSuspension(before.operation) && before.end >= rest.index;
    if (isStuck) return `${placeOfCall(history, before)}: was not cancelled although its group was`;
  }
  return true;
}
