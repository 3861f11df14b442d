/**
 * What a failing order is about: the two or three pairs of steps whose order matters, and the name of the pattern that they show.
 */
import { Inquiry, type InquiryLimits, type Judge, type MatteringPair, type OddGates, type Verdict } from "./inquiry.js";
import type { FailingRun } from "./order.js";
import { type ExplainedStep, explained, findPattern, type Pattern } from "./pattern.js";
import { type DescribeLocation, sharedLocation } from "./shared-location.js";

/** Two steps that run in this order in the failing run. */
export interface OrderedPair {
  readonly first: ExplainedStep;
  readonly then: ExplainedStep;
  /** What happens when `then` runs before `first`. */
  readonly swapped: Exclude<Verdict, "fails">;
  /** Whether not only `then` but all that its task does after it has to run before `first`. */
  readonly toItsEnd: boolean;
  /** What both of them touch, where it is known. */
  readonly location?: string;
}

/** Gates that settled in one step, settled late because time passed first, or failed, and what happens otherwise. */
export interface GateFact {
  readonly kind: OddGates["kind"];
  readonly gates: readonly ExplainedStep[];
  readonly otherwise: Exclude<Verdict, "fails">;
}

export interface Explanation {
  /** The most telling first. */
  readonly pairs: readonly OrderedPair[];
  readonly gates: readonly GateFact[];
  /** Undefined where none can be named. */
  readonly pattern: Pattern | undefined;
  readonly reruns: number;
}

export interface ExplainOptions extends InquiryLimits {
  /** What the run threw: a deadlock says who waits for whom. */
  readonly error?: unknown;
  /** What a location of a footprint is called. */
  readonly describeLocation?: DescribeLocation | undefined;
}

/** Finds out which orders of steps `run`, the smallest failing one, hangs on. */
export async function explain(run: FailingRun, judge: Judge, options: ExplainOptions = {}): Promise<Explanation> {
  const { describeLocation, error } = options;
  const inquiry = new Inquiry(run, judge, options);
  const pairs = await inquiry.findPairs();
  const facts = await inquiry.findGateFacts();
  return {
    pairs: pairs.map((pair) => told(pair, describeLocation)),
    gates: facts.map(({ gates, ...fact }) => ({ ...fact, gates: gates.map((gate) => explained({ ...gate, kind: "gate" })) })),
    pattern: findPattern(run, pairs, { error, describeLocation }),
    reruns: inquiry.reruns,
  };
}

function told({ first, then, swapped, toItsEnd }: MatteringPair, describeLocation: DescribeLocation | undefined): OrderedPair {
  const location = describeLocation && sharedLocation(first.step, then.step, describeLocation);
  return { first: explained(first), then: explained(then), swapped, toItsEnd, ...(location !== undefined && { location }) };
}
