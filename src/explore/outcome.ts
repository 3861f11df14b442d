/**
 * What an exploration answers.
 */
import type { Uncontrolled } from "../loop/outside.js";
import type { Granularity } from "../schedule/schedule.js";
import type { Simplicity } from "../schedule/simplicity.js";
import type { TraceEvent } from "../trace/trace.js";
import type { Coverage } from "./coverage.js";
import type { Explanation } from "./explain.js";
import type { IoSites } from "./failed-run.js";

/** In which way a run failed. */
export type FailureKind = "error" | "deadlock" | "livelock" | "starvation" | "divergence" | "unhandledRejection" | "invariant";

/** A failing order, made small. */
export interface ExploreFailure {
  readonly kind: FailureKind;
  /** What the scenario threw, or the report of the deadlock, livelock or divergence. */
  readonly error: unknown;
  /** Number of the run that failed first, counted from 0. */
  readonly run: number;
  readonly seed: number;
  /** Token of the smallest failing schedule that was found. */
  readonly schedule: string;
  /** Token of the first failing schedule. */
  readonly original: string;
  /** How small each of them is, and how many runs it took to get there; undefined where nothing was made smaller. */
  readonly minimised: { readonly before: Simplicity; readonly after: Simplicity; readonly reruns: number } | undefined;
  /** Which of its steps must run in the order in which they do; undefined where that was not looked into. */
  readonly about: Explanation | undefined;
  /** The same in sentences: `passes if rent step 2 runs after food step 2`. */
  readonly explanation: readonly string[];
  /** What the failure needs: `"event"` also where it was found at the await grain, and orders of events alone show it too. */
  readonly granularity: Granularity;
  /** How slow the slowest I/O had to be, in virtual milliseconds. */
  readonly slowestIoMs: number;
  /** The calls by which each I/O gate of that run was opened, the innermost first, by its label and number, `load@2`. */
  readonly ioSites?: IoSites;
  /** The steps of the smallest failing run, each with its place in the source. */
  readonly trace: readonly TraceEvent[];
}

/**
 * The result of an exploration. Whether there is a `failure` can be told by the `status`.
 *
 * @since 0.1.0
 */
export type Outcome = CommonFindings &
  (
    | { readonly status: "failed"; readonly failure: ExploreFailure }
    /** `"passed"` also when the number of runs was reached; `"stopped"` by the signal or the time limit. */
    | { readonly status: "passed" | "stopped"; readonly failure: undefined }
  );

/** What an exploration answers in any case. */
export interface CommonFindings {
  /** Runs of the search; what was run again to check and to minimise does not count. */
  readonly runs: number;
  /** How many of them failed. */
  readonly failures: number;
  /** Different schedules seen, counted exactly up to 100,000. */
  readonly distinct: number;
  /** Different classes of equivalent schedules seen, counted exactly up to 100,000; undefined where steps are not tracked. */
  readonly classes: number | undefined;
  /** True when every schedule was covered, by itself or by an equivalent one. */
  readonly complete: boolean;
  readonly coverage: Coverage;
  /** Name of the strategy. */
  readonly strategy: string;
  readonly seed: number;
  /** Set when a run had to wait for something outside of the loop: its replay is not promised. */
  readonly uncontrolled: Uncontrolled | undefined;
  /**
   * What the scenario left behind in the first run that left anything, each with its place where it is known: `setInterval(1000) at
   * src/pool.ts:12:5`. Empty without `detectLeaks`.
   */
  readonly leaks: readonly string[];
  /**
   * Set where steps are tracked and something was not: the first step that told nothing of what it touches, `t1@2`, which was taken to be
   * dependent with every other; or how two orders differed that should have been equivalent, and then the exploration is not complete.
   */
  readonly untracked: string | undefined;
}
