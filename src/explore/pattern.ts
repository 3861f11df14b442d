/**
 * The name of what went wrong, where there is one: the patterns are those of Lu, Park, Seo, Zhou: "Learning from Mistakes" (ASPLOS 2008),
 * atomicity violations and order violations, and the circle of a deadlock. Of which kind an atomicity violation is can be told only where
 * it is known what the steps touch. No pattern is named that the pairs whose order matters do not bear out.
 */
import { describeError } from "../errors/errors.js";
import { type DeadlockCycle, DeadlockError, findCycle } from "../loop/deadlock.js";
import { isArrival, type ReadyTask } from "../schedule/strategy.js";
import { type FailingRun, type FailingStep, named, type OrderItem } from "./order.js";
import { type DescribeLocation, sharedLocation, touchedBy } from "./shared-location.js";

/** A step as an explanation names it. */
export interface ExplainedStep extends ReadyTask {
  /** Only for what is no step of a task. */
  readonly kind?: "gate" | "timer" | "reaction";
}

/** The step `between` of another task came between two steps of one task that belong together. */
interface Torn {
  readonly before: ExplainedStep;
  readonly between: ExplainedStep;
  readonly after: ExplainedStep;
}

export type Pattern =
  /** The task read, another one wrote, and the task wrote over that. */
  | (Torn & { readonly kind: "lost update"; readonly location: string })
  /** The task looked, another one changed what it had seen, and the task acted on it all the same. */
  | (Torn & { readonly kind: "check-then-act"; readonly location: string })
  /** One of these, where it is not known what the steps touch. */
  | (Torn & { readonly kind: "atomicity violation" })
  /** `use` ran after `close` had ended what it uses. */
  | { readonly kind: "use after close"; readonly close: ExplainedStep; readonly use: ExplainedStep; readonly location: string | undefined }
  /** `early` ran before `late`, which should have come first. */
  | { readonly kind: "order violation"; readonly early: ExplainedStep; readonly late: ExplainedStep; readonly location: string | undefined }
  | { readonly kind: "deadlock cycle"; readonly cycle: DeadlockCycle };

/** A pair whose order matters. */
interface Pair {
  readonly first: OrderItem;
  readonly then: OrderItem;
}

export interface PatternOptions {
  readonly error?: unknown;
  readonly describeLocation?: DescribeLocation | undefined;
}

const NO_NAME: DescribeLocation = () => "";

/** The pattern that the pairs of `run` show; undefined where none can be named. */
export function findPattern(
  run: FailingRun,
  pairs: readonly Pair[],
  { error, describeLocation = NO_NAME }: PatternOptions = {},
): Pattern | undefined {
  if (error instanceof DeadlockError) {
    const cycle = findCycle(error.waiting);
    if (cycle !== undefined) return { kind: "deadlock cycle", cycle };
  }
  return (
    findUseAfterClose(pairs, error, describeLocation) ??
    findLostUpdate(run, pairs, describeLocation) ??
    findCheckThenAct(run, pairs, describeLocation) ??
    findAtomicityViolation(pairs) ??
    findOrderViolation(pairs, describeLocation)
  );
}

/** A step of a run as an explanation names it. */
export const explained = ({ kind, ...step }: ReadyTask & { readonly kind?: string | undefined }): ExplainedStep => ({
  ...named(step),
  ...((kind === "gate" || kind === "timer" || kind === "reaction") && { kind }),
});

/** What an error says of what must not be used any more, and what a property is called that says so. */
const CLOSED =
  /\b(closed|destroyed|disposed|(already|has|was|is|been) (ended|terminated|shut down)|after (close|end|destroy|dispose|shutdown))\b/i;
const CLOSED_PROPERTY = /^_?(is|was|has|been)?_?(closed|destroyed|disposed|ended|terminated)$/i;

/** Only where the steps say it, or the error does and there is one pair alone that it can mean. */
function findUseAfterClose(pairs: readonly Pair[], error: unknown, describe: DescribeLocation): Pattern | undefined {
  const isSaid = error !== undefined && !(error instanceof DeadlockError) && CLOSED.test(describeError(error));
  for (const { first, then } of pairs) {
    const location = sharedLocation(first.step, then.step, describe);
    const isWritten = location !== undefined && accesses(first.step, location, describe).writes;
    if (isWritten ? isSaid || CLOSED_PROPERTY.test(location) : isSaid && location === undefined && pairs.length === 1) {
      return { kind: "use after close", close: explained(first), use: explained(then), location };
    }
  }
  return undefined;
}

/** Each pair, in both roles of its tasks: whose work is torn, and who comes in between. */
function* rolesIn(pairs: readonly Pair[]): Generator<{ readonly torn: string; readonly other: string; readonly pair: Pair }> {
  for (const pair of pairs) {
    const { first, then } = pair;
    if (isArrival(first.kind) || isArrival(then.kind) || first.name === then.name) continue;
    yield { torn: first.name, other: then.name, pair };
    yield { torn: then.name, other: first.name, pair };
  }
}

/** A task that reads and writes again without a look, another one's write in between, and the pair among these steps. */
function findLostUpdate({ steps }: FailingRun, pairs: readonly Pair[], describe: DescribeLocation): Pattern | undefined {
  for (const { torn, other, pair } of rolesIn(pairs)) {
    for (const [place, before] of steps.entries()) {
      if (before.name !== torn || place > (pair.first.place ?? 0)) continue;
      for (const location of touchedBy(before, describe).reads.map(describe)) {
        const next = steps.findIndex((step, index) => index > place && step.name === torn && touches(step, location, describe));
        const after = steps[next];
        if (after === undefined || next < (pair.then.place ?? 0) || !overwrites(after, location, describe)) continue;
        const between = steps.slice(place, next).find((step) => step.name === other && accesses(step, location, describe).writes);
        if (between === undefined) continue;
        return { kind: "lost update", before: explained(before), between: explained(between), after: explained(after), location };
      }
    }
  }
  return undefined;
}

/** A task that reads what another one's step writes later, as the pair says, and then writes something without another look. */
function findCheckThenAct({ steps }: FailingRun, pairs: readonly Pair[], describe: DescribeLocation): Pattern | undefined {
  for (const { first: before, then: between } of pairs) {
    const location = sharedLocation(before.step, between.step, describe);
    if (isArrival(before.kind) || before.name === between.name || location === undefined) continue;
    if (!accesses(before.step, location, describe).reads || !accesses(between.step, location, describe).writes) continue;
    const later = steps.filter(({ name }, place) => name === before.name && place > (between.place ?? 0));
    const after = later.find((step) => touchedBy(step, describe).writes.length > 0 || touches(step, location, describe));
    if (after === undefined || accesses(after, location, describe).reads) continue;
    return { kind: "check-then-act", before: explained(before), between: explained(between), after: explained(after), location };
  }
  return undefined;
}

/** A step of one task that has to come before one of another, and a step of that one before a later step of the first. */
function findAtomicityViolation(pairs: readonly Pair[]): Pattern | undefined {
  for (const { first: before, then } of pairs) {
    for (const { first, then: after } of pairs) {
      if (before.name !== after.name || then.name !== first.name || isArrival(before.kind) || !isEarlier(before, after)) continue;
      const between = [then, first].find((step) => isEarlier(before, step) && isEarlier(step, after));
      if (between === undefined) continue;
      return { kind: "atomicity violation", before: explained(before), between: explained(between), after: explained(after) };
    }
  }
  return undefined;
}

/** What is left is that one step came too early for another one. */
function findOrderViolation([pair]: readonly Pair[], describe: DescribeLocation): Pattern | undefined {
  if (pair === undefined) return undefined;
  const { first, then } = pair;
  return {
    kind: "order violation",
    early: explained(first),
    late: explained(then),
    location: sharedLocation(first.step, then.step, describe),
  };
}

const isEarlier = (a: OrderItem, b: OrderItem): boolean => (a.place ?? 0) < (b.place ?? 0);

/** Whether the step writes the location without having looked at it, as far as that is known. */
function overwrites(step: FailingStep, location: string, describe: DescribeLocation): boolean {
  const isUpdated = step.footprint?.updates?.some((updated) => describe(updated) === location) === true;
  return accesses(step, location, describe).writes && !isUpdated;
}

/** How a step touches the location of that name. One that it both reads and writes counts as written. */
function accesses(
  step: FailingStep | undefined,
  location: string,
  describe: DescribeLocation,
): { readonly reads: boolean; readonly writes: boolean } {
  const { reads, writes } = touchedBy(step, describe);
  const isIt = (touched: number): boolean => describe(touched) === location;
  return { reads: reads.some(isIt), writes: writes.some(isIt) };
}

function touches(step: FailingStep, location: string, describe: DescribeLocation): boolean {
  const { reads, writes } = accesses(step, location, describe);
  return reads || writes;
}

/** The steps that a pattern names; none for a circle of waiting tasks, which are named by what they wait for. */
export function stepsOfPattern(pattern: Pattern): readonly ExplainedStep[] {
  switch (pattern.kind) {
    case "lost update":
    case "check-then-act":
    case "atomicity violation":
      return [pattern.before, pattern.between, pattern.after];
    case "use after close":
      return [pattern.close, pattern.use];
    case "order violation":
      return [pattern.early, pattern.late];
    case "deadlock cycle":
      return [];
  }
}
