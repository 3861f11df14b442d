/**
 * Who asked for a cancellation, of whom and when, as far as the trace tells: never less than there was.
 */
import { tasksNamedBy, walkBody } from "../graph/task-graph.js";
import { type Call, callsOf, isCancelled, type RunHistory } from "./history.js";
import { bodyEndOf, handsOnCancellation, restsOf } from "./suspension.js";

/** A request that a task be cancelled, together with those that it waits for then. */
export interface Request {
  readonly task: number;
  /** Not before this index of the trace; a half stands between two events. */
  readonly since: number;
  /** Not after this one. */
  readonly until: number;
  /** The timeout whose deadline it is. */
  readonly limit?: Call;
}

/** The requests of a run. */
export class Requests {
  readonly all: readonly Request[];
  readonly #waitFor: readonly ReadonlySet<number>[];

  constructor(history: RunHistory) {
    this.#waitFor = mayWaitFor(history);
    const direct = [...cancelRequests(history), ...deadlineRequests(history), ...endRequests(history)];
    const failures = [...callsOf(history, "taskGroup")].map((call) => ({ call, failed: firstFailureOf(history, call) }));
    const ofParents = failures.map(({ call, failed }) => ({ task: call.task, since: failed, until: call.end }));
    const known = [...direct, ...ofParents.filter(({ since }) => since !== Number.POSITIVE_INFINITY)];
    // A group cancels its tasks when one of them fails, when its body does, and when its parent is cancelled.
    const ofChildren = failures.flatMap(({ call, failed }) => {
      const raised = bodyEndOf(history, call);
      const cancelled = known.filter(({ task, until }) => this.#reaches(task, call.task) && until > call.start).map(({ since }) => since);
      const since = Math.min(failed, raised?.error === undefined ? Number.POSITIVE_INFINITY : raised.index, ...cancelled);
      if (since === Number.POSITIVE_INFINITY) return [];
      return tasksNamedBy(call.operation).map((task) => ({ task, since, until: call.end }));
    });
    this.all = [...known, ...ofChildren].sort((a, b) => a.since - b.since);
  }

  /** Those that may have cancelled `task`, directly or through a task that waits for it, in the order in which they may have come. */
  reaching(task: number): readonly Request[] {
    return this.all.filter((request) => this.#reaches(request.task, task));
  }

  #reaches(from: number, to: number): boolean {
    return from === to || this.#waitFor[from]?.has(to) === true;
  }
}

function cancelRequests(history: RunHistory): readonly Request[] {
  return [...callsOf(history, "cancel")]
    .filter(({ outcome }) => outcome?.value === true)
    .map(({ operation, start, end }) => ({ task: operation[1], since: start, until: end }));
}

/** The first place at which a deadline of `ms` after the start of a call has come; Infinity when the call was over before. */
export function deadlineOf({ trace }: RunHistory, call: Call, ms: number): number {
  if (ms === 0) return call.start + 0.5;
  const first = trace.findIndex(({ t }, index) => index > call.start && t >= call.startMs + ms);
  return first < 0 || first > call.end ? Number.POSITIVE_INFINITY : first - 0.5;
}

function deadlineRequests(history: RunHistory): readonly Request[] {
  return [...callsOf(history, "timeout")].flatMap((call) => {
    const since = deadlineOf(history, call, call.operation[1]);
    return since === Number.POSITIVE_INFINITY
      ? []
      : [{ task: call.task, since, until: call.operation[1] === 0 ? call.end : since, limit: call }];
  });
}

/** When main ends, everybody is cancelled: at once, or under fifo when the rest of the batch has run, and so before time passes. */
function endRequests(history: RunHistory): readonly Request[] {
  const { run, lives } = history;
  const since = lives[0]?.finish ?? Number.POSITIVE_INFINITY;
  if (since === Number.POSITIVE_INFINITY) return [];
  const rest = [...restsOf(history)].find(({ index }) => index > since)?.index ?? Number.POSITIVE_INFINITY;
  const until = run.schedule.housekeeping === "inline" ? rest : since;
  return lives.flatMap((_, task) => (task === 0 ? [] : [{ task, since, until }]));
}

/** Where the first task of a group failed before the group was over; Infinity when none did. */
export function firstFailureOf({ lives }: RunHistory, group: Call): number {
  const failed = tasksNamedBy(group.operation).flatMap((task) => {
    const life = lives[task];
    return life?.outcome?.error !== undefined && !isCancelled(life.outcome) && life.finish < group.end ? [life.finish] : [];
  });
  return Math.min(Number.POSITIVE_INFINITY, ...failed);
}

/** The tasks that each task may come to wait for, directly or through others, so that they are cancelled with it. */
function mayWaitFor({ run }: RunHistory): readonly ReadonlySet<number>[] {
  const direct = run.placed.bodies.map(
    (body) => new Set([...walkBody(body)].flatMap(({ operation }) => (handsOnCancellation(operation) ? tasksNamedBy(operation) : []))),
  );
  return direct.map((first) => {
    const reached = new Set<number>();
    const toVisit = [...first];
    for (let task = toVisit.pop(); task !== undefined; task = toVisit.pop()) {
      if (reached.has(task)) continue;
      reached.add(task);
      toVisit.push(...(direct[task] ?? []));
    }
    return reached;
  });
}
