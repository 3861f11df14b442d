/**
 * An exploration for a test of any runner: it throws when a run failed. It stands here and not beside `explore`, because what it throws tells
 * the failure in words, which the folders below do not know how to do.
 */
import { BadInputError, UsageError } from "../errors/errors.js";
import { fromEnvironment, parseRuns, parseSeed } from "../explore/environment.js";
import { explore, replay } from "../explore/explore.js";
import type { ExploreOptions } from "../explore/options.js";
import type { Outcome } from "../explore/outcome.js";
import type { Scenario } from "../explore/scenario-run.js";
import { captureStack } from "../loop/site.js";
import { decodeSchedule } from "../schedule/token.js";
import { strategyNamed } from "../strategy/named.js";
import { ExplorationError } from "./exploration-error.js";

/** A token does not say of which test it is. */
const RUN_ALONE = "HEDDLE_REPLAY is set, perhaps to the schedule of another test: run alone, by its name, the test that printed it.";

/**
 * Runs a scenario many times, as {@link explore} does, and throws an {@link ExplorationError} when a run failed: for a test of node:test, jest,
 * mocha and any other runner. Answers the outcome otherwise, also when `timeLimitMs` ended it early.
 *
 * From outside, `HEDDLE_SEED`, `HEDDLE_RUNS` and `HEDDLE_STRATEGY` override the options, and with `HEDDLE_REPLAY`, a token, only that schedule is run.
 *
 * Rejects with the reason of its signal when that is aborted before a failure was found, with UsageError when the time was over before the
 * first run, and with BadInputError for a variable that cannot be.
 *
 * @example
 * test("a key is loaded once", async () => {
 *   await exploreOrThrow(async ({ io }) => {
 *     const cache = new Cache((key) => io(`load ${key}`));
 *     await Promise.all([cache.get("a"), cache.get("a")]);
 *     assert.equal(cache.loads, 1);
 *   });
 * });
 * @since 0.3.0
 */
export async function exploreOrThrow(scenario: Scenario, options: ExploreOptions = {}): Promise<Outcome> {
  const callStack = captureStack();
  const token = fromEnvironment("replay");
  const outcome = token === undefined ? await explore(scenario, overridden(options)) : await replayToken(scenario, token, options);
  if (outcome.status === "failed") {
    const isAnother = token !== undefined && outcome.failure.kind === "divergence";
    throw new ExplorationError(outcome, { callStack, ...(isAnother && { replay: RUN_ALONE }) });
  }
  if (outcome.status === "stopped") {
    options.signal?.throwIfAborted();
    if (outcome.runs === 0) {
      throw new UsageError(
        `exploreOrThrow: timeLimitMs (${options.timeLimitMs ?? 0}) was over before the first run, so nothing was tried. ` +
          "Explorations that are started together wait for each other; raise it, or start them one after another.",
      );
    }
  }
  return outcome;
}

/** The options with what the environment asks for instead. */
function overridden(options: ExploreOptions): ExploreOptions {
  const runs = fromEnvironment("runs");
  const seed = fromEnvironment("seed");
  const strategy = fromEnvironment("strategy");
  return {
    ...options,
    ...(runs !== undefined && { runs: parseRuns(runs, "HEDDLE_RUNS") }),
    ...(seed !== undefined && { seed: parseSeed(seed, "HEDDLE_SEED") }),
    ...(strategy !== undefined && { strategy: requireName(strategy) }),
  };
}

function requireName(strategy: string): string {
  return naming("HEDDLE_STRATEGY", () => {
    strategyNamed(strategy, 0);
    return strategy;
  });
}

async function replayToken(scenario: Scenario, token: string, { idleGraceMs }: ExploreOptions): Promise<Outcome> {
  const schedule = token.trim();
  naming("HEDDLE_REPLAY", () => decodeSchedule(schedule));
  return await replay(scenario, schedule, idleGraceMs === undefined ? {} : { idleGraceMs });
}

/** Names the variable in the complaint about its value. */
function naming<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    throw new BadInputError(`${variable}: ${error.message}`, { cause: error });
  }
}
