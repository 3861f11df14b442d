/**
 * The outcome of `explore`, as text.
 */
import { describeError } from "../errors/errors.js";
import type { Outcome } from "../explore/outcome.js";
import { count, describeCoverage, describeLeaks, describeUncontrolled, renderFailure } from "./exploration-text.js";

/**
 * What an exploration found, to be read: the error, the smallest order that fails as a timeline, what its order is about, what has been covered, and how to
 * replay it. The same outcome gives the same text.
 *
 * @example
 * console.log(renderOutcome(await explore(scenario, { seed: 7 })));
 * @since 0.2.0
 */
export function renderOutcome(outcome: Outcome): string {
  const { status, runs, failures, failure, strategy, seed, complete, coverage, untracked, uncontrolled, leaks } = outcome;
  const of = `of ${count(runs, "run")}`;
  const verdict = status === "failed" ? `FAILED: ${failures} ${of}` : `${status}: none ${of} failed`;
  return [
    `${verdict}, strategy ${strategy}, seed ${seed}${complete ? "; every schedule was tried, by itself or by one that is equivalent" : ""}`,
    ...(failure === undefined ? [] : renderFailure({ ...failure, message: describeError(failure.error) })),
    "",
    ...describeCoverage(coverage),
    ...(untracked === undefined ? [] : [`Not all was tracked: ${untracked}`]),
    ...describeUncontrolled(uncontrolled),
    ...describeLeaks(leaks),
    ...(failure === undefined ? [] : [`Replay it: await replay(scenario, "${failure.schedule}")`]),
  ].join("\n");
}
