/**
 * What a test explores, seen from the test: it can be searched, and a failure of it can be run again.
 */
import { BadInputError } from "../errors/errors.js";
import { explore } from "../explore/explore.js";
import type { ExploreFailure, Outcome } from "../explore/outcome.js";
import type { Scenario } from "../explore/scenario-run.js";
import { decodeToken } from "../schedule/prop-token.js";
import type { Schedule } from "../schedule/schedule.js";
import { followingThen } from "../strategy/prefix.js";
import { DivergenceError, following } from "../strategy/replay.js";
import type { ExplorationOptions } from "./explore-options.js";

/** A failure with all that brings it back. */
export interface Found {
  readonly failure: ExploreFailure;
  /** Of the smallest order, with its values where there are some. */
  readonly token: string;
  /** Of the one that failed first. */
  readonly original: string;
  /** The drawn values as text. */
  readonly values?: { readonly smallest: string; readonly first: string };
  readonly uncontrolled: Outcome["uncontrolled"];
}

/** What a search came to. */
export interface Searched {
  readonly status: Outcome["status"];
  readonly found: Found | undefined;
  readonly runs: number;
  readonly distinct: number;
  readonly complete: boolean;
  readonly strategy: string;
  /** What a run left behind, where that was asked for. */
  readonly leaks: readonly string[];
}

/** What came of running a failure again. */
export type Rerun =
  | { readonly kind: "fails"; readonly found: Found }
  | { readonly kind: "holds" }
  /** The program left the recorded order. */
  | { readonly kind: "left"; readonly error: DivergenceError }
  /** Its values cannot be drawn any more. */
  | { readonly kind: "lost"; readonly reason: string };

/** When an exploration has to end. */
export interface Limits {
  readonly signal: AbortSignal;
  /** Real milliseconds that are left. */
  readonly leftMs: () => number;
}

export interface Subject {
  search(limits: Limits): Promise<Searched>;
  /** Exactly the recorded order. */
  replay(token: string, limits: Limits): Promise<Rerun>;
  /** The recorded order as far as it applies, a few times. */
  follow(token: string, limits: Limits): Promise<Rerun>;
}

/** An edited program is followed so often, each time going on in another way where the recording does not apply. */
const FOLLOWED_RUNS = 25;

/** The subject that a scenario is. */
export function scenarioSubject(scenario: Scenario, options: ExplorationOptions & { readonly seed: number }): Subject {
  return {
    search: async (limits) => {
      const outcome = await explore(scenario, { ...options, ...within(limits, options) });
      const { status, failure, runs, distinct, complete, strategy, uncontrolled, leaks } = outcome;
      const found = failure && { failure, token: failure.schedule, original: failure.original, uncontrolled };
      return { status, found, runs, distinct, complete, strategy, leaks };
    },
    replay: async (token, limits) => await rerun(scenario, scheduleIn(token), options, limits),
    follow: async (token, limits) => await followLoosely(scenario, scheduleIn(token), options, limits),
  };
}

function scheduleIn(token: string): Schedule {
  const { schedule, drawn } = decodeToken(token);
  if (drawn !== undefined) throw new BadInputError("the token holds drawn values, and this test draws none");
  return schedule;
}

/** Exactly the decisions of `schedule`; what fails is made small again, which costs little where it is small, and explained. */
export async function rerun(scenario: Scenario, schedule: Schedule, options: ExplorationOptions, limits: Limits): Promise<Rerun> {
  const strategy = following(schedule);
  const outcome = await explore(scenario, {
    ...settingsOf(schedule, options),
    ...within(limits, options),
    strategy,
    runs: 1,
    starvationBound: Number.POSITIVE_INFINITY,
    selfCheck: false,
    minimise: true,
  });
  const { failure, uncontrolled } = outcome;
  if (failure !== undefined) {
    if (failure.kind === "divergence" && failure.error instanceof DivergenceError) return { kind: "left", error: failure.error };
    return { kind: "fails", found: { failure, token: failure.schedule, original: failure.original, uncontrolled } };
  }
  try {
    strategy.requireComplete();
    return { kind: "holds" };
  } catch (error) {
    if (error instanceof DivergenceError) return { kind: "left", error };
    throw error;
  }
}

/** The recorded order as far as it applies to a program that was edited since. */
export async function followLoosely(
  scenario: Scenario,
  schedule: Schedule,
  options: ExplorationOptions,
  limits: Limits,
  runs: number = FOLLOWED_RUNS,
): Promise<Rerun> {
  for (const newcomersFirst of [false, true]) {
    const { failure, uncontrolled } = await explore(scenario, {
      ...settingsOf(schedule, options),
      ...within(limits, options),
      strategy: followingThen(schedule, "random", { newcomersFirst }),
      runs: Math.ceil(runs / 2),
      selfCheck: false,
      stopOnFailure: true,
    });
    if (failure !== undefined) {
      return { kind: "fails", found: { failure, token: failure.schedule, original: failure.original, uncontrolled } };
    }
  }
  return { kind: "holds" };
}

/** The options of the test, with what the schedule was recorded under. */
function settingsOf({ seed, ioLatencyMs, maxSteps, maxBatch }: Schedule, options: ExplorationOptions): ExplorationOptions {
  const { onRun: _onRun, onProgress: _onProgress, ...rest } = options; // who listens to a search is not told of what is run again
  return { ...rest, seed, ioLatencyMs, ...(maxSteps !== undefined && { maxSteps }), ...(maxBatch !== undefined && { maxBatch }) };
}

/** The smaller one of the test's own limit and of what is left of it. */
export function within(
  { signal, leftMs }: Limits,
  { timeLimitMs = Number.POSITIVE_INFINITY }: ExplorationOptions,
): { readonly signal: AbortSignal; readonly timeLimitMs?: number } {
  const limitMs = Math.min(timeLimitMs, Math.max(0, leftMs()));
  return { signal, ...(limitMs !== Number.POSITIVE_INFINITY && { timeLimitMs: limitMs }) };
}
