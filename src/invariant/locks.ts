/**
 * Invariants of locks and semaphores. Who holds one, and since when, is told by the trace alone: the body begins in the step that
 * takes it, and the line that ends the operation stands in the step that gives it back.
 */
import { type Call, callsOf, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeAll, judgeEach } from "./invariant.js";
import { enteredAt, restsOf } from "./suspension.js";

/** One who takes a lock or semaphore, as indices in the trace; `entered` is Infinity for who never got it. */
interface Visit {
  readonly call: Call;
  readonly start: number;
  readonly entered: number;
  readonly end: number;
}

/** @since 0.2.0 */
export const lockHandOver: Invariant = {
  name: "lock-hand-over",
  sentence:
    "A lock has one holder at a time; who waits gets it in the order of arrival, as soon as it is free, also when another who waits is cancelled.",
  judge(history) {
    const locks = visitsOf(history, "withLock");
    return judgeAll(
      ...[...locks.values()].flatMap((visits) => [
        judgeBound(history, visits, 1),
        judgeArrival(history, visits),
        judgeFree(history, visits, 1),
        judgeRests(history, visits, 1),
      ]),
    );
  },
};

/** @since 0.2.0 */
export const semaphoreBounds: Invariant = {
  name: "semaphore-bounds",
  sentence:
    "A semaphore lets in as many as it has permits and no more; nobody waits while one is free, and nobody takes one that is due to another who came before.",
  judge(history) {
    const permits = history.run.placed.graph.semaphores ?? [];
    const semaphores = visitsOf(history, "withSemaphore");
    const isInOrder = history.run.schedule.housekeeping === "inline";
    return judgeAll(
      ...[...semaphores].flatMap(([index, visits]) => {
        const bound = permits[index] ?? 0;
        return [
          judgeBound(history, visits, bound),
          isInOrder ? judgeArrival(history, visits) : judgeDue(history, visits, bound),
          judgeFree(history, visits, bound),
          judgeRests(history, visits, bound),
        ];
      }),
    );
  },
};

/** Who takes each of them, in the order of arrival. */
function visitsOf(history: RunHistory, name: "withLock" | "withSemaphore"): ReadonlyMap<number, readonly Visit[]> {
  const visits = new Map<number, Visit[]>();
  for (const call of callsOf(history, name)) {
    const { start, end } = call;
    const others = visits.get(call.operation[1]) ?? [];
    visits.set(call.operation[1], others);
    others.push({ call, start, entered: enteredAt(history, call), end });
  }
  return visits;
}

const isInside = ({ entered, end }: Visit, index: number): boolean => entered < index && end >= index;

const isWaiting = ({ start, entered, end }: Visit, index: number): boolean => start < index && entered >= index && end >= index;

const hasEntered = ({ entered }: Visit): boolean => entered !== Number.POSITIVE_INFINITY;

function judgeBound(history: RunHistory, visits: readonly Visit[], bound: number): Judgement {
  return judgeEach(visits.filter(hasEntered), (visit) => {
    const inside = visits.filter((other) => other !== visit && isInside(other, visit.entered));
    if (inside.length < bound) return true;
    const names = inside.map(({ call }) => placeOfCall(history, call)).join(" and ");
    return `${placeOfCall(history, visit.call)}: came in while ${names === "" ? "there was no permit" : `${names} held it`}`;
  });
}

/** Those that get in get in in the order in which they came. */
function judgeArrival(history: RunHistory, visits: readonly Visit[]): Judgement {
  const entered = visits.filter(hasEntered);
  return judgeEach(entered.entries(), ([place, visit]) => {
    const before = entered[place - 1];
    if (before === undefined) return undefined;
    return before.entered < visit.entered
      ? true
      : `${placeOfCall(history, visit.call)}: came in before ${placeOfCall(history, before.call)}, who had come first`;
  });
}

/** Who is still to come in and came before has a permit of its own by then, so that it may take its turn after. */
function judgeDue(history: RunHistory, visits: readonly Visit[], bound: number): Judgement {
  const isDeadlock = history.run.outcome === "deadlock";
  return judgeEach(visits.filter(hasEntered), (visit) => {
    const first = visits.filter(
      (other) =>
        other.start < visit.start &&
        other.entered > visit.entered &&
        (hasEntered(other) || (isDeadlock && other.end > visit.entered && other.call.outcome === undefined)),
    );
    const inside = visits.filter((other) => other !== visit && isInside(other, visit.entered));
    const [other] = first;
    if (other === undefined) return undefined;
    return inside.length + first.length < bound
      ? true
      : `${placeOfCall(history, visit.call)}: came in before ${placeOfCall(history, other.call)}, who had come first, and took the permit that was due to it`;
  });
}

/** Who comes when nobody is in the way does not wait. */
function judgeFree(history: RunHistory, visits: readonly Visit[], bound: number): Judgement {
  return judgeEach(visits, (visit) => {
    const index = visit.start;
    if (visits.filter((other) => isInside(other, index)).length >= bound) return undefined;
    if (visits.some((other) => isWaiting(other, index))) return undefined;
    return visit.entered === index + 1 ? true : `${placeOfCall(history, visit.call)}: had to wait although it was free`;
  });
}

/** Nobody waits at rest for what is free: who gave it back, or was cancelled on the way to it, has woken the next. */
function judgeRests(history: RunHistory, visits: readonly Visit[], bound: number): Judgement {
  return judgeEach(restsOf(history), ({ index, t }) => {
    const waiting = visits.find((visit) => isWaiting(visit, index));
    if (waiting === undefined) return undefined;
    return visits.filter((visit) => isInside(visit, index)).length >= bound
      ? true
      : `${placeOfCall(history, waiting.call)}: still waited after ${t}, and it was free`;
  });
}
