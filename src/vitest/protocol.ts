/**
 * What tests tell the command while they run and when they end. Tests run in workers; this goes through vitest.
 */
import type { CheckProgress } from "../arbitrary/check-invariants.js";
import type { Replay } from "../store/replay-failure.js";

/** What a test leaves in its `meta`, for the summary of the command. */
export interface InvariantTestMeta {
  readonly progress: CheckProgress;
  readonly seed: number;
  readonly isComplete: boolean;
  /** Each invariant with what it says. */
  readonly sentences: Readonly<Record<string, string>>;
  /** The failure file, relative to the project. */
  readonly failureFile?: string;
  readonly failure?: string;
}

/** What a test that ran one recorded failure again leaves in its `meta`. */
export type ReplayTestMeta = Replay | { readonly divergence: string };

/** What a test that explored leaves in its `meta`, for reporters. */
export interface ExplorationTestMeta {
  readonly status: "passed" | "failed" | "stopped";
  readonly runs: number;
  /** Different schedules. */
  readonly distinct: number;
  /** Whether every schedule was covered. */
  readonly complete: boolean;
  readonly strategy: string;
  readonly seed: number;
  /** What a run left behind, where `detectLeaks` asked for it. */
  readonly leaks: readonly string[];
}

declare module "vitest" {
  interface TaskMeta {
    heddle?: InvariantTestMeta;
    heddleExploration?: ExplorationTestMeta;
    heddleReplay?: ReplayTestMeta;
  }
}

/** The type of the annotations that carry progress. */
export const PROGRESS_ANNOTATION = "heddle-progress";
