/**
 * What an exploration answers.
 */
import type { Uncontrolled } from "../loop/outside.js";
import type { Granularity } from "../schedule/schedule.js";
import type { TraceEvent } from "../trace/trace.js";

/** In which way a run failed. */
export type FailureKind = "error" | "deadlock" | "livelock" | "divergence" | "unhandledRejection";

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
  readonly granularity: Granularity;
  /** How slow the slowest I/O had to be, in virtual milliseconds. */
  readonly slowestIoMs: number;
  /** The steps of the smallest failing run, each with its place in the source. */
  readonly trace: readonly TraceEvent[];
}

/**
 * The result of an exploration.
 *
 * @since 0.1.0
 */
export interface Outcome {
  /** `"passed"` also when the number of runs was reached; `"stopped"` by the signal or the time limit. */
  readonly status: "passed" | "failed" | "stopped";
  /** Runs of the search; what was run again to check and to minimise does not count. */
  readonly runs: number;
  /** How many of them failed. */
  readonly failures: number;
  /** Different schedules seen, counted exactly up to 100,000. */
  readonly distinct: number;
  /** True when the strategy has nothing left to try. */
  readonly complete: boolean;
  readonly failure: ExploreFailure | undefined;
  readonly seed: number;
  /** Set when a run had to wait for something outside of the loop: its replay is not promised. */
  readonly uncontrolled: Uncontrolled | undefined;
}
