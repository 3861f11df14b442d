/** What an exploration found, as the one JSON object of `heddle explore --json`. */
import type { Findings } from "../explore/findings.js";

interface WholeExploration {
  readonly findings: Findings;
  readonly strategy: string;
  readonly seed: number;
  /** The failure file, relative to the project. */
  readonly file: string | undefined;
  readonly replay: readonly string[];
}

export function explorationAsJson({ findings, strategy, seed, file, replay }: WholeExploration): string {
  const { status, runs, failures, complete, coverage, results, otherResults, failure, uncontrolled, untracked, leaks } = findings;
  return JSON.stringify(
    {
      status,
      runs,
      failures,
      complete,
      distinct: coverage.schedules,
      classes: coverage.classes ?? null,
      outcomes: results.map(([result, count]) => ({ result: JSON.parse(result) as unknown, count })),
      // Left out where there are none.
      otherOutcomes: otherResults === 0 ? undefined : otherResults,
      failure: failure === undefined ? null : { ...failure, file: file ?? null, replay: replay[0] ?? null },
      strategy,
      seed,
      coverage,
      uncontrolled,
      untracked,
      leaks: leaks.length === 0 ? undefined : leaks,
    },
    undefined,
    2,
  );
}
