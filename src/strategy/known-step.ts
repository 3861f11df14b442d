/**
 * What a search needs to know of a step that ran: what it can be swapped with.
 */
import { type Footprint, isArrival, type ReadyTask, type StepRecord, WORLD } from "../schedule/strategy.js";

/** A step that ran after some prefix of a run. After an equivalent prefix it does the same. */
export interface KnownStep extends ReadyTask {
  /** The same number in every run, also for a batch of gates. */
  readonly id: number;
  /** What has to be chosen for it: itself, or the gates of a batch in their order. */
  readonly choice: readonly number[];
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** See {@link Footprint.order}. */
  readonly order: readonly number[] | undefined;
  /** For each location that it touches, or writes, the bit of its number modulo 32: most pairs of steps need no closer look. */
  readonly touchMask: number;
  readonly writeMask: number;
  /** Whether it is dependent with every other step. */
  readonly isOpaque: boolean;
  /** Whether it is so wherever it runs. */
  readonly isAlwaysOpaque: boolean;
  /** The id of the step with which its task could go on right after it, where that is asked for. */
  readonly next?: number | undefined;
}

/** What a step touched, as far as it is told. What settles gates or goes on at an await is taken to have done anything. */
export function knownStep(id: number, choice: readonly number[], record: Partial<StepRecord>): KnownStep {
  const { name = "", operation = "", footprint = UNKNOWN } = record;
  const { reads, writes, order } = footprint;
  const isAlwaysOpaque = isArrivalOrClock(record);
  const writeMask = maskOf(writes);
  return {
    id,
    choice,
    name,
    operation,
    reads,
    writes,
    order,
    touchMask: maskOf(reads) | writeMask,
    writeMask,
    isOpaque: isAlwaysOpaque || writes.includes(WORLD),
    isAlwaysOpaque,
  };
}

const UNKNOWN: Footprint = { reads: [], writes: [WORLD] };

function isArrivalOrClock({ kind }: Partial<StepRecord>): boolean {
  return isArrival(kind) || kind === "clock";
}

/** Steps that were seen, each only once: most of those of a run are those of many runs before. */
export class KnownSteps {
  /** By id. What made a step may have seen something else in another run; then it is another step, or touches other things. */
  readonly #steps = new Map<number, KnownStep[]>();

  /** The step of a record. */
  of(id: number, choice: readonly number[], record: StepRecord): KnownStep {
    const { reads, writes, order } = record.footprint ?? UNKNOWN;
    const variants = this.#steps.get(id);
    for (const variant of variants ?? []) {
      const isSameKind = variant.isAlwaysOpaque === isArrivalOrClock(record);
      if (isSameKind && areSame(variant.reads, reads) && areSame(variant.writes, writes) && areSame(variant.order, order)) return variant;
    }
    const step = knownStep(id, choice, record);
    if (variants === undefined) this.#steps.set(id, [step]);
    else variants.push(step);
    return step;
  }
}

/** Whether the same is known of two steps. */
export function isSameStep(a: KnownStep, b: KnownStep): boolean {
  return a === b || (a.id === b.id && a.isOpaque === b.isOpaque && areSame(a.reads, b.reads) && areSame(a.writes, b.writes));
}

function areSame(some: readonly number[] | undefined, others: readonly number[] | undefined): boolean {
  if (some === undefined || others === undefined) return some === others;
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

function maskOf(locations: readonly number[]): number {
  let mask = 0;
  for (const location of locations) mask |= 1 << (location & 31);
  return mask;
}

/** Whether two steps can be swapped where they stand side by side. */
export function areIndependent(a: KnownStep, b: KnownStep): boolean {
  if (a.isOpaque || b.isOpaque) return false;
  if (((a.writeMask & b.touchMask) | (a.touchMask & b.writeMask)) === 0) return true;
  return !haveCommon(a.writes, b.reads) && !haveCommon(a.writes, b.writes) && !haveCommon(a.reads, b.writes);
}

function haveCommon(some: readonly number[], others: readonly number[]): boolean {
  for (const location of some) if (others.includes(location)) return true;
  return false;
}

/**
 * What `step`, which ran after `earlier`, is bound to do when it runs without it: whatever it did up to the first access that is dependent with
 * `earlier`. From there on it may do something else. Where the order of its accesses is not known, all of them are taken for that.
 */
export function stablePart(step: KnownStep, earlier: KnownStep): KnownStep {
  const { order } = step;
  if (step.isAlwaysOpaque || (order === undefined && !earlier.isOpaque)) return step;
  const kept = earlier.isOpaque ? [] : (order ?? []).slice(0, 1 + (order ?? []).findIndex((access) => isDependent(access, earlier)));
  if (kept.length === order?.length) return step;
  const writes = kept.filter((access) => access < 0).map((access) => ~access);
  const reads = kept.filter((access) => access >= 0 && !writes.includes(access));
  const writeMask = maskOf(writes);
  return { ...step, reads, writes, touchMask: maskOf(reads) | writeMask, writeMask, isOpaque: writes.includes(WORLD) };
}

/** Whether an access, as it stands in the order of a footprint, is dependent with a step that ran before it. */
function isDependent(access: number, { reads, writes }: KnownStep): boolean {
  if (access >= 0) return writes.includes(access);
  return ~access === WORLD || writes.includes(~access) || reads.includes(~access);
}
