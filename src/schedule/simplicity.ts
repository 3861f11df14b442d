/**
 * Which of two failing runs is easier to understand.
 *
 * Runs are compared by one total order, the most important part first: switches of tasks, then what I/O and the clock do out of their usual
 * order, then batches, then faults, then the latency bound, then steps. Nothing that comes later makes up for what comes earlier: a run with one switch
 * less is simpler whatever else it costs. So a search that only ever goes to a simpler run comes to an end.
 */
import { isFault } from "./schedule.js";
import { type AlternativeKind, isArrival, type ReadyTask } from "./strategy.js";

/** What of a run is to be small, the most important first. */
export interface Simplicity {
  /**
  /**
   * How often the next step is of another task (or another callback) than the one before. Gates, native timers and reactions stand between steps of
   * tasks and are no task.
   */
  readonly switches: number;
  /**
   * How often a gate settled or a native timer fired before one that had been there earlier, or while a reaction was ready; a reaction ran before one
   * that had been ready earlier; or time passed gates that were open.
   */
  readonly departures: number;
  /** How many gates settled in the step of another one. */
  readonly batches: number;
  /** How many gates failed that need not have. */
  readonly faults: number;
  /** How long a gate could be held back, in virtual milliseconds. */
  readonly ioLatencyMs: number;
  readonly steps: number;
}

/** A step as far as the order of smallness looks at it. */
export interface OrderedStep extends ReadyTask {
  /** Default `"task"`. */
  readonly kind?: AlternativeKind | undefined;
}

/** A decision as far as the order of smallness looks at it. */
export interface OrderedDecision {
  readonly ready: readonly OrderedStep[];
  readonly index: number;
}

/** What else than its steps a run is judged by. */
export interface OrderedRun {
  /** Default: none, as if whatever ran had been first in the order of arrival. */
  readonly decisions?: readonly OrderedDecision[] | undefined;
  /** Default 0. */
  readonly ioLatencyMs?: number | undefined;
}

/** How simple the run of these steps is. */
export function simplicityOf(steps: readonly OrderedStep[], { decisions = [], ioLatencyMs = 0 }: OrderedRun = {}): Simplicity {
  let switches = 0;
  let last: OrderedStep | undefined;
  for (const step of steps) {
    if (isArrival(step.kind)) continue;
    if (last !== undefined && last.name !== step.name) switches++;
    last = step;
  }
  let departures = 0;
  let batches = 0;
  let faults = 0;
  const kindOf = kindsOf(steps, decisions);
  for (const decision of decisions) {
    if (isBatched(decision, kindOf)) batches++;
    if (isDeparture(decision, kindOf)) departures++;
    if (isFault(decision.ready[decision.index])) faults++;
  }
  return { switches, departures, batches, faults, ioLatencyMs, steps: steps.length };
}

/** Whether `a` is strictly simpler than `b`. */
export function isSimpler(a: Simplicity, b: Simplicity): boolean {
  const [ranksA, ranksB] = [ranksOf(a), ranksOf(b)];
  const place = ranksA.findIndex((rank, index) => rank !== ranksB[index]);
  return place >= 0 && (ranksA[place] ?? 0) < (ranksB[place] ?? 0);
}

const ranksOf = ({ switches, departures, batches, faults, ioLatencyMs, steps }: Simplicity): readonly number[] => [
  switches,
  departures,
  batches,
  faults,
  ioLatencyMs,
  steps,
];

type KindOf = (alternative: OrderedStep) => AlternativeKind;

/**
 * Tells what each alternative of the decisions of a run is. A recorded decision may hold names alone; then it is told from the steps that
 * ran, and from decisions that are about gates alone: those of a batch, those of a fault, and those that the clock takes part in.
 */
export function kindsOf(steps: readonly OrderedStep[], decisions: readonly OrderedDecision[]): KindOf {
  const known = new Map<string, AlternativeKind>();
  for (const { name, kind = "task" } of steps) known.set(name, kind);
  for (const { ready } of decisions) {
    for (const { name } of gatesOf(ready)) if (!known.has(name)) known.set(name, "gate");
  }
  return (alternative) => {
    if (isFault(alternative)) return "fault";
    const told = alternative.kind ?? known.get(alternative.name);
    if (told !== undefined) return told;
    return isClock(alternative) ? "clock" : isSettle(alternative) ? "settle" : isReaction(alternative) ? "reaction" : "task";
  };
}

/** The gates of a decision that is known to be about nothing else. */
function gatesOf(ready: readonly OrderedStep[]): readonly OrderedStep[] {
  if (isSettle(ready[0])) return ready.slice(1);
  return isFault(ready[1]) || (isClock(ready.at(-1)) && ready.length > 1) ? ready.slice(0, -1) : [];
}
/** By its name alone: a place in the source, or what a promise calls back. */
const isReaction = ({ name }: OrderedStep): boolean => /:\d+:\d+$|^(then|finally)\(.*\)$/.test(name);

/** By its name alone, no task is taken for it: the operation of a task is never empty. */
const isSettle = (alternative?: OrderedStep): boolean =>
  alternative?.kind === "settle" || (alternative?.kind === undefined && alternative?.name === "settle" && alternative.operation === "");

const isClock = (alternative?: OrderedStep): boolean =>
  alternative?.kind === "clock" || (alternative?.kind === undefined && alternative?.name === "clock");

/** Whether it let one more gate settle in the step of another. */
function isBatched({ ready, index }: OrderedDecision, kindOf: KindOf): boolean {
  const [first] = ready;
  return index > 0 && first !== undefined && kindOf(first) === "settle";
}

/** Whether it let time pass open gates, or took an event or a reaction that was not the first in the order of arrival. */
function isDeparture({ ready, index }: OrderedDecision, kindOf: KindOf): boolean {
  const taken = ready[index];
  if (taken === undefined) return false;
  const kind = kindOf(taken);
  if (kind === "clock") return true;
  if (kind === "reaction") return ready.slice(0, index).some((other) => kindOf(other) === "reaction");
  if (!isArrival(kind)) return false;
  return ready.some((other, place) => kindOf(other) === "reaction" || (place < index && isArrival(kindOf(other))));
}
