/**
 * Looking into a failure that the search has seen: the same decisions again, with names and places this time, then made small.
 */
import { describeError } from "../errors/errors.js";
import { simplicityOf } from "../schedule/simplicity.js";
import type { Strategy } from "../schedule/strategy.js";
import { encodeSchedule } from "../schedule/token.js";
import { DivergenceError, following, followingOrder } from "../strategy/replay.js";
import { picking } from "./counting.js";
import type { FailureSeen } from "./exploration.js";
import { type FailedRun, isSameFailure } from "./failed-run.js";
import { MAX_RERUNS, minimise } from "./minimise.js";
import type { ExploreFailure } from "./outcome.js";
import type { ScenarioRunner } from "./runner.js";

export interface Investigation {
  readonly runner: ScenarioRunner;
  readonly minimise: boolean;
  /** Asked before each rerun; true ends it with the best so far. */
  readonly isOver: () => boolean;
  /** The strategy of the search: a replay that left its schedule does so again only by following it again. */
  readonly strategy: Strategy;
}

/** The failure with all that is known of it. */
export async function investigate(seen: FailureSeen, investigation: Investigation): Promise<ExploreFailure> {
  const { runner, strategy } = investigation;
  const isDivergence = seen.end.kind === "divergence";
  const again = isDivergence ? strategy : picking(seen.picks, seen.housekeeping);
  const original = await runner.failClosely(again, { withSites: true });
  if (original === undefined || !isSameFailure(original.end, seen.end)) return leftItsSchedule(seen, original, runner);
  const { run, reruns } = investigation.minimise && !isDivergence ? await makeSmall(original, investigation) : { run: original, reruns: 0 };
  return {
    kind: run.end.kind,
    error: run.end.error,
    run: seen.run,
    seed: runner.seed,
    schedule: encodeSchedule(run.schedule),
    original: encodeSchedule(original.schedule),
    minimised: reruns === 0 ? undefined : { before: simplicityOf(original.steps), after: simplicityOf(run.steps), reruns },
    granularity: run.schedule.granularity,
    slowestIoMs: run.slowestIoMs,
    trace: run.trace,
  };
}

async function makeSmall(
  original: FailedRun,
  { runner, isOver }: Investigation,
): Promise<{ readonly run: FailedRun; readonly reruns: number }> {
  const attempt = async (strategy: Strategy, withSites = false): Promise<FailedRun | undefined> => {
    const run = await runner.failClosely(strategy, { withSites, isOver });
    return run !== undefined && isSameFailure(run.end, original.end) ? run : undefined;
  };
  let start: FailedRun = original;
  if (original.schedule.housekeeping === "inline") {
    // asyncio's own order may be what the failure hangs on; only if it fails without can it be made smaller.
    const eager = await attempt(followingOrder([]));
    if (eager === undefined) return { run: original, reruns: 0 };
    start = eager;
  }
  // A livelock is as long as it may be in any order, and running it again and again takes the longest of all.
  if (original.end.kind === "livelock") return { run: original, reruns: 0 };
  const { run, reruns } = await minimise(start, (strategy) => attempt(strategy), { maxReruns: MAX_RERUNS, isOver });
  return { run: (await attempt(following(run.schedule), true)) ?? run, reruns };
}

/** The same picks did not fail in the same way again: the scenario is not a function of its schedule. */
function leftItsSchedule(seen: FailureSeen, again: FailedRun | undefined, runner: ScenarioRunner): ExploreFailure {
  const ended = again === undefined ? "no failure" : describeError(again.end.error);
  return divergence(
    seen.run,
    runner,
    [
      `run ${seen.run} failed with ${describeError(seen.end.error)}, and the same decisions made again ended with ${ended}.`,
      "Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run.",
    ],
    { again, cause: seen.end.error, housekeeping: seen.housekeeping },
  );
}

/** The failure of a scenario that is no function of its schedule. */
export function divergence(
  run: number,
  runner: ScenarioRunner,
  message: readonly string[],
  {
    again,
    cause,
    housekeeping,
  }: { readonly again?: FailedRun | undefined; readonly cause?: unknown; readonly housekeeping: "inline" | "eager" },
): ExploreFailure {
  const error = new DivergenceError(0, undefined, undefined, message.join("\n"));
  if (cause !== undefined) error.cause = cause;
  const token = encodeSchedule(again?.schedule ?? runner.scheduleOf([], housekeeping));
  return {
    kind: "divergence",
    error,
    run,
    seed: runner.seed,
    schedule: token,
    original: token,
    minimised: undefined,
    granularity: "event",
    slowestIoMs: again?.slowestIoMs ?? 0,
    trace: again?.trace ?? [],
  };
}
