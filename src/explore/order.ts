/**
 * The order in which a run made its steps, as something to follow and to change.
 *
 * A step is known by its lineage where steps are tracked, and by its name and operation where they are not: the name of a task that was not
 * named by the program counts the tasks that were created before it, and so changes with the order.
 */
import { faultOf, formatReadyTask, isFault } from "../schedule/schedule.js";
import { kindsOf, type OrderedDecision } from "../schedule/simplicity.js";
import type { AlternativeKind, Footprint, ReadyTask } from "../schedule/strategy.js";

/** One step of a failing run: its name and operation, and what else is known of it. */
export interface FailingStep extends ReadyTask {
  readonly kind?: AlternativeKind | undefined;
  readonly timeMs?: number | undefined;
  readonly id?: number | undefined;
  /** Where it is known, with those of the writes that were read first, in the same step. */
  readonly footprint?: (Footprint & { readonly updates?: readonly number[] | undefined }) | undefined;
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
  /** Those of the gates, this one and the joined, that fail although they need not. */
  readonly faults: readonly ReadyTask[];
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
    items.push({ name, operation, kind: step.kind ?? "task", id, joined: [], faults: [], step, place, ready });
    place++;
  };
  for (const { ready, index } of decisions) {
    const taken = ready[index];
    const [first] = ready;
    if (taken === undefined || first === undefined) continue;
    if (kindOf(first) === "settle") {
      const batch = items.at(-1);
      if (index > 0 && batch !== undefined) items[items.length - 1] = { ...batch, joined: [...batch.joined, named(taken)] };
    } else if (isFault(ready[1])) {
      const settling = items.at(-1);
      if (index > 0 && settling !== undefined) items[items.length - 1] = { ...settling, faults: [...settling.faults, named(first)] };
    } else if (kindOf(taken) === "clock") items.push({ ...named(taken), kind: "clock", joined: [], faults: [], ready });
    else {
      while (place < steps.length && !isStepOf(steps[place], taken)) pushStep([]);
      if (place < steps.length) pushStep(ready, taken);
    }
  }
  while (place < steps.length) pushStep([]);
  return items;
}

export const named = ({ name, operation }: ReadyTask): ReadyTask => ({ name, operation });

/**
 * The step of a batch is named after the first of its gates, and its operation goes on with a plus and the others; of one that fails it goes on with
 * the mark of that.
 */
function isStepOf(step: FailingStep | undefined, taken: ReadyTask): boolean {
  const { operation } = taken;
  const isOf = (own: string): boolean => step?.operation === own || step?.operation.startsWith(`${own}+`) === true;
  return step?.name === taken.name && (isOf(operation) || isOf(faultOf(taken).operation));
}

/** What an item or a step is called in comparisons: its lineage, or its name and operation. */
export function nameOf({ id, name, operation }: ReadyTask & { readonly id?: number | undefined }): string {
  return id === undefined || id < 0 ? formatReadyTask({ name, operation }) : `#${id}`;
}
