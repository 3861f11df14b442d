/**
 * The name of what went wrong, where there is one: the patterns are those of Lu, Park, Seo, Zhou: "Learning from Mistakes" (ASPLOS 2008),
 * atomicity violations and order violations, and the cycle of a deadlock. What kind of atomicity violation it is can be told only where it is known what the steps
 * touch. No pattern is named that the pairs do not bear out.
 */
import { describeError } from "../errors/errors.js";
import { type DeadlockCycle, DeadlockError, findCycle } from "../loop/deadlock.js";
import type { ReadyTask } from "../schedule/strategy.js";
import type { FailingRun, FailingStep, OrderItem } from "./order.js";
import { type DescribeLocation, sharedLocation, touchedBy } from "./shared-location.js";

/** Step `between` of another task came between two steps of one task that belong together. */
interface Torn {
  /** The task's step before. */
  readonly before: ReadyTask;
  readonly between: ReadyTask;
  /** The task's step after. */
  readonly after: ReadyTask;
}

export type Pattern =
  /** The task read, another one wrote, and the task wrote over it. */
  | (Torn & { readonly kind: "lost update"; readonly location: string })
  /** The task looked, another one changed what it had seen, and the task acted on it all the same. */
  | (Torn & { readonly kind: "check-then-act"; readonly location: string })
  /** The same where it is not known what the steps touch. */
  | (Torn & { readonly kind: "atomicity violation" })
  /** `use` ran after `close` had ended what it uses. */
  | { readonly kind: "use after close"; readonly close: ReadyTask; readonly use: ReadyTask; readonly location: string | undefined }
  /** `early` ran before `late`, which it relies on to have run. */
  | { readonly kind: "order violation"; readonly early: ReadyTask; readonly late: ReadyTask; readonly location: string | undefined }
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
export function findPattern(run: FailingRun, pairs: readonly Pair[], { error, describeLocation }: PatternOptions = {}): Pattern | undefined {
  if (error instanceof DeadlockError) {
    const cycle = findCycle(error.waiting);
    if (cycle !== undefined) return { kind: "deadlock cycle", cycle };
  }
  const describe = describeLocation ?? NO_NAME;
  return findUseAfterClose(pairs, error, describe) ?? findTorn(run, pairs, describe) ?? findOrderViolation(pairs, describe);
}

/** What an error says of what must not be used any more, and what a property is called that says so. */
const CLOSED = /\b(closed|destroyed|disposed|(already|has|was|is|been) (ended|terminated|shut down)|after (close|end|destroy|dispose|shutdown))\b/i;
const CLOSED_PROPERTY = /^_?(is|was|has|been)?_?(closed|destroyed|disposed|ended|terminated)$/i;

/** Only where the steps say it, or the error does and a pair of steps of different tasks is what it hangs on. */
function findUseAfterClose(pairs: readonly Pair[], error: unknown, describe: DescribeLocation): Pattern | undefined {
  const isSaid = error !== undefined && !(error instanceof DeadlockError) && CLOSED.test(describeError(error));
  for (const { first, then } of pairs) {
    const location = sharedLocation(first.step, then.step, describe);
    const isWritten = location !== undefined && touchedBy(first.step, describe).writes.some((written) => describe(written) === location);
    if (isWritten ? isSaid || CLOSED_PROPERTY.test(location) : isSaid && location === undefined && pairs.length === 1) {
      return { kind: "use after close", close: named(first), use: named(then), location };
    }
  }
  return undefined;
}

/** One task, torn apart by a step of another one that has to come after its earlier and before its later step. */
function findTorn({ steps }: FailingRun, pairs: readonly Pair[], describe: DescribeLocation): Pattern | undefined {
  for (const { first: before, then: between } of pairs) {
    if (before.kind === "gate" || before.name === between.name) continue;
    const later = pairs.find(({ first, then }) => then.name === before.name && first.name === between.name && isEarlier(before, then));
    const location = sharedLocation(before.step, between.step, describe);
    const isRead = location !== undefined && touchedBy(before.step, describe).reads.some((read) => describe(read) === location);
    const isChanged = isRead && touchedBy(between.step, describe).writes.some((written) => describe(written) === location);
    if (isChanged) {
      const torn = afterChange(steps, { before, between, location }, later?.then, describe);
      if (torn !== undefined) return torn;
    }
    const inside = later && [between, later.first].find((step) => isEarlier(before, step) && isEarlier(step, later.then));
    if (later !== undefined && inside !== undefined) {
      return { kind: "atomicity violation", before: named(before), between: named(inside), after: named(later.then) };
    }
  }
  return undefined;
}

const isEarlier = (a: OrderItem, b: OrderItem): boolean => (a.place ?? 0) < (b.place ?? 0);

/** What the task did about what it had read before it was changed. */
function afterChange(
  steps: readonly FailingStep[],
  { before, between, location }: { readonly before: OrderItem; readonly between: OrderItem; readonly location: string },
  known: OrderItem | undefined,
  describe: DescribeLocation,
): Pattern | undefined {
  const rest = steps.filter(({ name }, index) => name === before.name && index > (between.place ?? 0));
  const overwrites = rest.find((step) => touchedBy(step, describe).writes.some((written) => describe(written) === location));
  const rereads = rest.findIndex((step) => touchedBy(step, describe).reads.some((read) => describe(read) === location));
  const torn = { before: named(before), between: named(between), location };
  if (overwrites !== undefined && (rereads < 0 || rereads > rest.indexOf(overwrites))) return { kind: "lost update", ...torn, after: named(overwrites) };
  const acts = known?.step ?? rest.find((step) => touchedBy(step, describe).writes.length > 0);
  return acts === undefined ? undefined : { kind: "check-then-act", ...torn, after: named(acts) };
}

/** What is left is that one step came too early for another one. */
function findOrderViolation([pair]: readonly Pair[], describe: DescribeLocation): Pattern | undefined {
  if (pair === undefined) return undefined;
  const { first, then } = pair;
  return { kind: "order violation", early: named(first), late: named(then), location: sharedLocation(first.step, then.step, describe) };
}

const named = ({ name, operation }: ReadyTask): ReadyTask => ({ name, operation });
