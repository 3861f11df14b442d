/**
 * One graph under one schedule, held against a list of invariants.
 */
import { type GraphRun, runTaskGraphNow } from "../graph/graph-run.js";
import type { PlacedGraph } from "../graph/interpret.js";
import type { Strategy } from "../schedule/strategy.js";
import { following } from "../strategy/replay.js";
import { historyOf } from "./history.js";
import type { Invariant } from "./invariant.js";

/** A broken invariant, with the run that broke it. */
export interface Violation {
  readonly invariant: Invariant;
  /** What broke it, in one sentence with the place. */
  readonly message: string;
  readonly run: GraphRun;
}

export interface Verdict {
  readonly run: GraphRun;
  /** By invariant, in the order given: how many places of the run put it to the test. */
  readonly exercised: readonly number[];
  /** The first that was broken. */
  readonly violation: Violation | undefined;
}

const LAST_FIRST: Strategy = { name: "last first", begin: () => true, pick: ({ count }) => count - 1 };

/**
 * Runs a graph once and judges the run; invariants that compare runs make the others themselves. Only from a macrotask of a runtime
 * that can drain microtasks; the caller has the realm.
 */
export function judgeNow(placed: PlacedGraph, strategy: Strategy, invariants: readonly Invariant[]): Verdict {
  const run = runTaskGraphNow(placed, { strategy });
  const history = historyOf(run);
  const reruns = {
    replay: () => runTaskGraphNow(placed, { strategy: following(run.schedule) }),
    fifo: () => runTaskGraphNow(placed),
    lastFirst: () => runTaskGraphNow(placed, { strategy: LAST_FIRST }),
  };
  let violation: Violation | undefined;
  const exercised = invariants.map((invariant) => {
    const judgement = invariant.judge(history, reruns);
    if (judgement.violation !== undefined) violation ??= { invariant, message: judgement.violation, run };
    return judgement.exercised;
  });
  return { run, exercised, violation };
}
