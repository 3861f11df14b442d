/**
 * Many runs of one scenario under one strategy, and what they found.
 */

import { UsageError } from "../errors/errors.js";
import { Stopped } from "../intercept/hard-limit.js";
import { takeOverPlatform } from "../intercept/install.js";
import { takeOverReactions } from "../intercept/reactions.js";
import type { Placement } from "../intercept/replacement.js";
import { takeTurn } from "../loop/run.js";
import { captureStack, siteOfStack } from "../loop/site.js";
import { interceptStrays } from "../loop/strays.js";
import { decodeSchedule } from "../schedule/token.js";
import { following } from "../strategy/replay.js";
import { explorationAtEventGrain, grainLine } from "./at-event-grain.js";
import { picking } from "./counting.js";
import type { Coverage } from "./coverage.js";
import { Exploration, type FailureSeen, type FirstRun } from "./exploration.js";
import { divergence, investigate } from "./investigate.js";
import { type CommandOptions, type ExploreOptions, requireOptions } from "./options.js";
import type { CommonFindings, ExploreFailure, Outcome } from "./outcome.js";
import type { CloseOptions } from "./runner.js";
import type { Scenario } from "./scenario-run.js";
import { findDifference } from "./self-check.js";

/**
 * Runs a scenario many times, in an order of its own each time, and answers what that showed. A failure comes back with the smallest
 * failing order that was found, as a token for {@link replay}.
 *
 * Never rejects for what the scenario did. Throws UsageError for options that make no sense, and inside of a run.
 *
 * @example
 * const outcome = await explore(async ({ gather, sleep }) => {
 *   let balance = 100;
 *   const withdraw = async (amount: number) => {
 *     const before = balance;
 *     await sleep(0);
 *     balance = before - amount;
 *   };
 *   await gather(() => withdraw(10), () => withdraw(20));
 *   if (balance !== 70) throw new Error(`the balance is ${balance}`);
 * }, { seed: 7 });
 * outcome.status; // "failed"
 * @since 0.1.0
 */
export async function explore(scenario: Scenario, options: ExploreOptions = {}): Promise<Outcome> {
  requireOptions(scenario, options);
  const exploration = new Exploration(scenario, options);
  const release = await takeTurn("explore()");
  // The one at the event grain that a failure is tried again in. Of the two the one that has a run under way takes a stray for its own.
  let narrow: Exploration | undefined;
  const isAtAwaitGrain = options.granularity === "await";
  const putBack = interceptStrays(
    (error, promise) => {
      if (error instanceof Stopped) return;
      exploration.runner.noteStray(error, promise);
      narrow?.runner.noteStray(error, promise);
    },
    isAtAwaitGrain ? (promise) => exploration.runner.noteHandled(promise) : undefined,
  );
  let platform: Placement | undefined;
  let putReactionsBack: (() => void) | undefined;
  try {
    platform = takeOverPlatform();
    if (isAtAwaitGrain) putReactionsBack = takeOverReactions();
    await exploration.runner.prepare(platform);
    let failure = await exploration.search((first) => checkFirst(exploration, first, options));
    await exploration.audit();
    const { coverage, isComplete } = exploration; // before runs that are no part of the search add to it
    const leaks = await findLeaks(exploration);
    const seen = exploration.firstFailure;
    if (failure === undefined && seen !== undefined) {
      const isMinimised = options.minimise !== false;
      if (isMinimised && isAtAwaitGrain) narrow = explorationAtEventGrain(scenario, options, seen, exploration);
      failure =
        narrow === undefined ? await lookInto(seen, exploration, isMinimised) : await investigateGrain(seen, exploration, narrow, platform);
    }
    return outcomeOf(exploration, { coverage, isComplete, leaks }, failure);
  } finally {
    putReactionsBack?.();
    platform?.release();
    putBack();
    release();
  }
}

/** A scenario that has one order only. A test with drawn values may have some of which that is so. */
export class NothingToPermuteError extends UsageError {
  constructor(mistake: string) {
    super(`explore: ${mistake}.`);
  }
}

function lookInto(seen: FailureSeen, exploration: Exploration, isMinimised: boolean): Promise<ExploreFailure> {
  const { runner, strategy } = exploration;
  return investigate(seen, { runner, minimise: isMinimised, isOver: () => exploration.isOutOfTime(), strategy });
}

/** The failure `seen` of the exploration `wide` at the await grain, in orders of events alone where `narrow` finds it there. */
async function investigateGrain(seen: FailureSeen, wide: Exploration, narrow: Exploration, platform: Placement): Promise<ExploreFailure> {
  const original = await lookInto(seen, wide, false);
  if (original.kind === "divergence") return original;
  await narrow.runner.prepare(platform);
  await narrow.search(() => Promise.resolve(undefined));
  const { firstFailure } = narrow;
  const failure = firstFailure === undefined ? await lookInto(seen, wide, true) : await lookInto(firstFailure, narrow, true);
  if (failure.kind === "divergence") return failure;
  return { ...failure, run: seen.run, original: original.original, explanation: [grainLine(narrow), ...failure.explanation] };
}

/** What a run left behind, with the places where it was made. */
async function findLeaks({ leaking, runner }: Exploration): Promise<readonly string[]> {
  if (leaking === undefined) return [];
  const again = await runner.runClosely(picking(leaking.picks, leaking.housekeeping), { withSites: true });
  return again?.leaks ?? leaking.leaks;
}

/** Makes the first run again; the failure when it is not the same, with what the scenario asks that no schedule answers. */
async function checkFirst(
  exploration: Exploration,
  first: FirstRun,
  { selfCheck = true, mayBeOneStep = false }: CommandOptions,
): Promise<ExploreFailure | undefined> {
  if (selfCheck && !mayBeOneStep && first.end.kind === "passed" && first.mistake !== undefined) {
    throw new NothingToPermuteError(first.mistake);
  }
  // A failure is made again anyway when it is looked into.
  if (first.hasClass && (!selfCheck || first.end.kind !== "passed")) return undefined;
  const { runner } = exploration;
  const { ioLatencyMs } = first;
  const makeAgain = (close: CloseOptions = {}) => runner.runClosely(picking(first.picks, first.housekeeping), { ...close, ioLatencyMs });
  const second = await makeAgain();
  if (!first.hasClass && second?.runClass !== undefined) exploration.addClassOfFirst(second.runClass);
  if (!selfCheck || first.end.kind !== "passed") return undefined;
  const difference = second && findDifference(first, second);
  // Where real I/O takes part, no replay is promised, and the outcome says so.
  if (difference === undefined || exploration.uncontrolled !== undefined) return undefined;
  const leaks = new Set<string>();
  const onUnseeded = (what: string): void => {
    const site = siteOfStack(captureStack(), /^\s*at /);
    leaks.add(site === undefined ? what : `${what} at ${site}`);
  };
  await makeAgain({ onUnseeded });
  return divergence(
    0,
    runner,
    [
      `the first run was made twice with the same decisions, and did not do the same: ${difference}.`,
      leaks.size === 0
        ? "No clock and no randomness decided it, so it is state kept from one run to the next: make everything inside of the scenario."
        : `The scenario asks what no schedule answers: ${[...leaks].join(", ")}. Use env.random, leave out seedRandom: false, or hand in what the test needs.`,
    ],
    { housekeeping: first.housekeeping, ioLatencyMs },
  );
}

function outcomeOf(
  exploration: Exploration,
  { coverage, isComplete, leaks }: { readonly coverage: Coverage; readonly isComplete: boolean; readonly leaks: readonly string[] },
  failure: ExploreFailure | undefined,
): Outcome {
  const { runs, failures, isStopped, strategy, runner, uncontrolled, untracked } = exploration;
  const findings: CommonFindings = {
    runs,
    failures: failure !== undefined ? Math.max(failures, 1) : failures,
    distinct: coverage.schedules,
    classes: coverage.classes,
    complete: isComplete,
    coverage,
    strategy: strategy.name,
    seed: runner.seed,
    uncontrolled,
    leaks,
    untracked,
  };
  if (failure !== undefined) return { ...findings, status: "failed", failure };
  return { ...findings, status: isStopped ? "stopped" : "passed", failure };
}

/**
 * Runs a scenario once, under a recorded schedule. The outcome's `status` is `"failed"` when it fails again; a program that left the
 * recorded schedule fails with kind `"divergence"`.
 *
 * Throws BadInputError for a token that is not whole, UsageError inside of a run.
 *
 * @example
 * const again = await replay(scenario, outcome.failure.schedule);
 * @since 0.1.0
 */
export async function replay(
  scenario: Scenario,
  token: string,
  options: Pick<ExploreOptions, "maxSteps" | "maxBatch" | "idleGraceMs" | "hardLimitMs" | "seedRandom"> = {},
): Promise<Outcome> {
  const schedule = decodeSchedule(token);
  const { seed, granularity, ioLatencyMs, maxSteps, maxBatch } = schedule;
  const strategy = following(schedule);
  const outcome = await explore(scenario, {
    ...(maxSteps !== undefined && { maxSteps }),
    ...(maxBatch !== undefined && { maxBatch }),
    ...options,
    runs: 1,
    seed,
    granularity,
    ioLatencyMs,
    strategy,
    starvationBound: Number.POSITIVE_INFINITY,
    minimise: false,
    selfCheck: false,
  });
  if (outcome.status !== "passed") return outcome;
  try {
    strategy.requireComplete();
    return outcome;
  } catch (error) {
    const failure: ExploreFailure = {
      kind: "divergence",
      error,
      run: 0,
      seed,
      schedule: token,
      original: token,
      minimised: undefined,
      about: undefined,
      explanation: [],
      granularity,
      slowestIoMs: 0,
      trace: [],
    };
    return { ...outcome, status: "failed", failures: 1, failure };
  }
}
