/**
 * Whether a failure that was found at the await grain also exists at the event grain: then it can happen in production as it is, and otherwise it hangs on
 * the number of microtask turns, which the next refactoring or dependency changes.
 */
import { strategyNamed } from "../strategy/named.js";
import { Exploration, type FailureSeen } from "./exploration.js";
import { isSameFailure } from "./failed-run.js";
import { DEFAULT_STRATEGY, type ExploreOptions } from "./options.js";
import type { Scenario } from "./scenario-run.js";

/** So many runs are made at the event grain. */
const RUNS_AT_EVENT_GRAIN = 1_000;

/** The exploration that looks for the failure `seen` again, among orders of events alone. Other failures do not end it. */
export function explorationAtEventGrain(scenario: Scenario, options: ExploreOptions, { end }: FailureSeen, wide: Exploration): Exploration {
  const { seed } = wide.runner;
  const { strategy } = options;
  // One that comes to an end may show that there is no such order. An object is in the middle of what it does.
  const isSystematic = typeof strategy === "string" && strategyNamed(strategy, seed).isSystematic === true;
  const narrow: ExploreOptions = {
    ...options,
    granularity: "event",
    strategy: isSystematic ? strategy : DEFAULT_STRATEGY,
    seed,
    runs: RUNS_AT_EVENT_GRAIN,
    stopOnFailure: true,
    timeLimitMs: wide.remainingMs,
    onProgress: () => undefined,
    onRun: () => undefined,
  };
  return new Exploration(scenario, narrow, (other) => isSameFailure(other, end));
}

/** What the exploration at the event grain showed, as a sentence. */
export function grainLine({ firstFailure, isComplete, runs }: Exploration): string {
  if (firstFailure !== undefined) return "also at the event grain: it can happen in production as it is";
  const searched = isComplete ? "no order at the event grain fails" : `none of ${runs} runs at the event grain failed`;
  return `only at the await grain (${searched}): it hangs on the number of microtask turns`;
}
