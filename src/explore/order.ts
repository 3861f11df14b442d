/**
 * The order in which a run made its steps, as something to follow and to change.
 *
 * A step is known by its lineage where steps are tracked, and by its name and operation where they are not: the name of a task that was not
 * named by the program counts the tasks that were created before it, and so changes with the order.
 */
import { formatReadyTask } from "../schedule/schedule.js";
import { kindsOf, type OrderedDecision } from "../schedule/simplicity.js";
import type { Alternative, AlternativeKind, Decision, Footprint, ReadyTask, StepRecord, Strategy } from "../schedule/strategy.js";

/** One step of a failing run: its name and operation, and what else is known of it. */
export interface FailingStep extends ReadyTask {
  readonly kind?: AlternativeKind | undefined;
  readonly timeMs?: number | undefined;
  readonly id?: number | undefined;
  readonly footprint?: Footprint | undefined;
  /** The numbers of earlier steps, the first step having 1. */
  readonly causes?: readonly number[] | undefined;
}

/** A run that fails, as far as making it small and explaining it need to know it. */
export interface FailingRun {
  /** All of them, in order. */
  readonly steps: readonly FailingStep[];
  /** All decisions, those of a single alternative included. Without them it is not known what was ready. */
  readonly schedule?: { readonly decisions: readonly OrderedDecision[]; readonly ioLatencyMs: number };
}

/** What comes next in an order: a step of a task or a callback, a gate with those that settle in its step, or that time passes. */
export interface OrderItem extends ReadyTask {
  readonly kind: AlternativeKind;
  readonly id?: number | undefined;
  /** The gates that settle in the same step. */
  readonly joined: readonly ReadyTask[];
  /** What is known of the step, and its place in {@link FailingRun.steps}; nothing where time passes. */
  readonly step?: FailingStep;
  readonly place?: number;
  /** What was ready when it was chosen, in order of arrival; empty where that is not known. */
  readonly ready: readonly ReadyTask[];
}

/** What a run did, item by item. */
export function orderOf({ steps, schedule }: FailingRun): readonly OrderItem[] {
  const decisions = schedule?.decisions ?? [];
  const kindOf = kindsOf(steps, decisions);
  const items: OrderItem[] = [];
  let place = 0;
  const pushStep = (ready: readonly ReadyTask[], taken?: ReadyTask): void => {
    const step = steps[place] as FailingStep; // asked only while there is one
    const { name, operation } = taken ?? step;
    // A batch is a step with a lineage of its own, but what is chosen first is a gate like any other.
    const id = operation === step.operation ? step.id : undefined;
    items.push({ name, operation, kind: step.kind ?? "task", id, joined: [], step, place, ready });
    place++;
  };
  for (const { ready, index } of decisions) {
    const taken = ready[index];
    const [first] = ready;
    if (taken === undefined || first === undefined) continue;
    if (kindOf(first) === "settle") {
      const batch = items.at(-1);
      if (index > 0 && batch !== undefined) items[items.length - 1] = { ...batch, joined: [...batch.joined, named(taken)] };
    } else if (kindOf(taken) === "clock") items.push({ ...named(taken), kind: "clock", joined: [], ready });
    else {
      while (place < steps.length && !isStepOf(steps[place], taken)) pushStep([]);
      if (place < steps.length) pushStep(ready, taken);
    }
  }
  while (place < steps.length) pushStep([]);
  return items;
}

const named = ({ name, operation }: ReadyTask): ReadyTask => ({ name, operation });

/** The step of a batch is named after the first of its gates, and its operation goes on with a plus and the others. */
function isStepOf(step: FailingStep | undefined, { name, operation }: ReadyTask): boolean {
  return step?.name === name && (step.operation === operation || step.operation.startsWith(`${operation}+`));
}

/** A strategy that can say afterwards in which order it let the steps run. */
export interface OrderStrategy extends Strategy {
  /** What ran in the latest run, by {@link nameOf}. */
  readonly ran: readonly string[];
}

/** What an item or a step is called in comparisons: its lineage, or its name and operation. */
export function nameOf({ id, name, operation }: ReadyTask & { readonly id?: number | undefined }): string {
  return id === undefined || id < 0 ? formatReadyTask({ name, operation }) : `#${id}`;
}

/** A task that went on for so many steps that no order speaks of, while others were ready, may be polling: from then on the others go first. */
export const MAX_STAY = 100;

/**
 * Runs the program in the order of `items` as far as it applies: of what is ready, what stands first in the order. What does not stand in
 * it comes after what does; there the task that ran last goes on as long as it can, and then the first in the order of arrival, so an empty order
 * gives a run of few switches. Time passes open gates, and gates join a batch, only where the order says so.
 */
export function inOrder(items: readonly OrderItem[]): OrderStrategy {
  const places = new Map<string, number>();
  const note = (name: string, place: number): void => {
    if (!places.has(name)) places.set(name, place);
  };
  items.forEach((item, place) => {
    note(nameOf(item), place);
    note(formatReadyTask(item), place);
    // Where they cannot join, they come right after.
    for (const gate of item.joined) note(formatReadyTask(gate), place + 0.5);
  });
  let last: StepRecord | undefined;
  let batch: ReadonlySet<string> = new Set();
  let ran: string[] = [];
  let stays = 0;
  let polling = new Set<string>();
  const placeOf = (alternative: Alternative, id: number | undefined): number => {
    const place = places.get(nameOf({ ...named(alternative), id })) ?? places.get(formatReadyTask(alternative));
    if (place !== undefined) return place;
    if (alternative.kind === "clock") return Number.POSITIVE_INFINITY;
    if (polling.has(alternative.name)) return items.length + 2;
    return last !== undefined && isSameChain(alternative, last) ? items.length : items.length + 1;
  };
  const pickNext = ({ ready, ids }: Decision): number => {
    const order = ready.map((alternative, index) => placeOf(alternative, ids?.[index]));
    const index = order.indexOf(Math.min(...order));
    const item = items[Math.floor(order[index] ?? items.length)];
    stays = order[index] === items.length ? stays + 1 : 0;
    if (stays >= MAX_STAY) polling.add(ready[index]?.name ?? "");
    batch = new Set(item && [item, ...item.joined].map(formatReadyTask));
    return index;
  };
  return {
    name: "in order",
    isFair: true, // what the order does not name runs as it became ready
    tracks: items.some(({ id }) => id !== undefined),
    begin(): boolean {
      last = undefined;
      batch = new Set();
      ran = [];
      stays = 0;
      polling = new Set();
      return true;
    },
    pick(decision: Decision): number {
      if (decision.kind !== "batch") return pickNext(decision);
      return Math.max(
        0,
        decision.ready.findIndex((gate, index) => index > 0 && batch.has(formatReadyTask(gate))),
      );
    },
    observe(step: StepRecord): void {
      if (step.kind !== "gate") last = step;
      // A batch is known by the first of its gates.
      const [first = ""] = step.operation.split("+");
      ran.push(step.kind === "gate" && first !== step.operation ? formatReadyTask({ ...step, operation: first }) : nameOf(step));
    },
    get ran() {
      return ran;
    },
  };
}

/** Whether both are of one task. Objects tell for certain, names only where there are none. */
function isSameChain(a: Alternative, b: StepRecord): boolean {
  return a.chain !== undefined && b.chain !== undefined ? a.chain === b.chain : a.name === b.name;
}
