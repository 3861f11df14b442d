/**
 * Looking into a failure that the search has seen: the same decisions again, with names and places this time, then made small.
 */
import { describeError } from "../errors/errors.js";
import { type Simplicity, simplicityOf } from "../schedule/simplicity.js";
import type { Strategy } from "../schedule/strategy.js";
import { encodeSchedule } from "../schedule/token.js";
import { DivergenceError, following } from "../strategy/replay.js";
import { picking } from "./counting.js";
import { type Explanation, explain } from "./explain.js";
import { explanationLines } from "./explanation-text.js";
import type { FailureSeen } from "./exploration.js";
import { type FailedRun, isSameFailure } from "./failed-run.js";
import type { Verdict } from "./inquiry.js";
import { type Attempt, type Minimised, minimise } from "./minimise.js";
import { minimiseLivelock } from "./minimise-livelock.js";
import type { ExploreFailure } from "./outcome.js";
import type { ScenarioRunner } from "./runner.js";

/** How long a step that does not come to its end is watched, in real milliseconds, to see where it is. */
const HOT_PLACE_MS = 200;

export interface Investigation {
  readonly runner: ScenarioRunner;
  readonly minimise: boolean;
  /** Asked before each rerun; true ends it with the best so far. */
  readonly isOver: () => boolean;
  /** The strategy of the search: a replay that left its schedule does so again only by following it again. */
  readonly strategy: Strategy;
}

const MAX_HUNG_TRIES = 3;

/** The failure with all that is known of it. */
export async function investigate(seen: FailureSeen, investigation: Investigation): Promise<ExploreFailure> {
  const { runner, strategy } = investigation;
  const isDivergence = seen.end.kind === "divergence";
  const again = isDivergence ? strategy : picking(seen.picks, seen.housekeeping);
  const { ioLatencyMs } = seen;
  const hotPlace = seen.isHung ? await runner.findHotPlace(again, HOT_PLACE_MS) : undefined;
  const runAgain = () => runner.failClosely(again, { withSites: !seen.isHung, ioLatencyMs, ...(seen.isHung && { hotPlace }) });
  let original = await runAgain();
  // What is stopped in the middle may be stopped where that shows in the program.
  for (let tries = 1; seen.isHung && tries < MAX_HUNG_TRIES && !(original && isSameFailure(original.end, seen.end)); tries++) {
    original = await runAgain();
  }
  if (original === undefined || !isSameFailure(original.end, seen.end)) return leftItsSchedule(seen, original, runner);
  // Each rerun of a step that never ends takes as long as the limit.
  const isMinimised = investigation.minimise && !isDivergence && !seen.isHung;
  const { run, reruns } = isMinimised ? await makeSmall(original, investigation) : { run: original, reruns: 0 };
  const about = isMinimised ? await explainOrder(run, investigation) : undefined;
  return {
    kind: run.end.kind,
    error: run.end.error,
    run: seen.run,
    seed: runner.seed,
    schedule: encodeSchedule(run.schedule),
    original: encodeSchedule(original.schedule),
    minimised: reruns === 0 ? undefined : { before: sizeOf(original), after: sizeOf(run), reruns },
    about,
    explanation: about === undefined ? [] : explanationLines(about),
    granularity: run.schedule.granularity,
    slowestIoMs: run.slowestIoMs,
    ioSites: run.ioSites,
    trace: run.trace,
  };
}

const sizeOf = ({ steps, schedule }: FailedRun): Simplicity => simplicityOf(steps, schedule);

async function makeSmall(original: FailedRun, { runner, isOver }: Investigation): Promise<Minimised<FailedRun>> {
  const bound = original.schedule.ioLatencyMs;
  const attempt = async (strategy: Strategy, ioLatencyMs = bound, withSites = false): Promise<FailedRun | undefined> => {
    const run = await runner.failClosely(strategy, { withSites, isOver, ioLatencyMs });
    return run !== undefined && isSameFailure(run.end, original.end) ? run : undefined;
  };
  let start: FailedRun = original;
  if (original.schedule.housekeeping === "inline") {
    // asyncio's own order may be what the failure hangs on; only if it fails without can it be made smaller.
    const eager = await attempt(picking([], "eager"));
    if (eager === undefined) return { run: original, reruns: 0 };
    start = eager;
  }
  const { run, reruns } = await smallest(start, attempt, isOver);
  return { run: (await attempt(following(run.schedule), run.schedule.ioLatencyMs, true)) ?? run, reruns };
}

async function smallest(start: FailedRun, attempt: Attempt<FailedRun>, isOver: () => boolean): Promise<Minimised<FailedRun>> {
  switch (start.end.kind) {
    case "livelock":
      return await minimiseLivelock(start, attempt, { isOver });
    case "starvation": // lasts as long as somebody is passed over
      return { run: start, reruns: 0 };
    default:
      return await minimise(start, attempt, { isOver });
  }
}

/** Which of its steps must run in the order in which they do. */
async function explainOrder(run: FailedRun, { runner, isOver }: Investigation): Promise<Explanation | undefined> {
  if (run.end.kind === "livelock" || run.end.kind === "starvation") return undefined;
  const { ioLatencyMs } = run.schedule;
  const judge = async (strategy: Strategy): Promise<Verdict> => {
    const other = await runner.runClosely(strategy, { isOver, ioLatencyMs });
    if (other === undefined || other.end.kind === "passed") return "passes";
    return isSameFailure(other.end, run.end) ? "fails" : "fails otherwise";
  };
  const describeLocation = runner.tracker && ((location: number) => runner.tracker?.describeLocation(location) ?? "");
  return await explain(run, judge, { error: run.end.error, describeLocation, isOver });
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
    { again, cause: seen.end.error, housekeeping: seen.housekeeping, ioLatencyMs: seen.ioLatencyMs },
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
    ioLatencyMs,
  }: {
    readonly again?: FailedRun | undefined;
    readonly cause?: unknown;
    readonly housekeeping: "inline" | "eager";
    readonly ioLatencyMs: number;
  },
): ExploreFailure {
  const error = new DivergenceError(0, undefined, undefined, message.join("\n"));
  if (cause !== undefined) error.cause = cause;
  const token = encodeSchedule(again?.schedule ?? runner.scheduleOf([], housekeeping, ioLatencyMs));
  return {
    kind: "divergence",
    error,
    run,
    seed: runner.seed,
    schedule: token,
    original: token,
    minimised: undefined,
    about: undefined,
    explanation: [],
    granularity: runner.scheduleOf([], housekeeping).granularity,
    slowestIoMs: again?.slowestIoMs ?? 0,
    trace: again?.trace ?? [],
  };
}
