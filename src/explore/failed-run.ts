/**
 * A run that failed, and whether another one fails in the same way.
 */
import { describeError } from "../errors/errors.js";
import { DeadlockError } from "../loop/deadlock.js";
import type { Schedule } from "../schedule/schedule.js";
import type { StepRecord } from "../schedule/strategy.js";
import type { TraceEvent } from "../trace/trace.js";
import type { ScenarioEnd } from "./scenario-run.js";

/** How a run ended that failed. */
export type FailedEnd = Exclude<ScenarioEnd, { readonly kind: "passed" }>;

/** Places in the source for each I/O gate, by its label and number. */
export type IoSites = Readonly<Record<string, readonly string[]>>;

/** A run that failed, looked at closely. */
export interface FailedRun {
  readonly end: FailedEnd;
  readonly schedule: Schedule;
  readonly steps: readonly StepRecord[];
  readonly trace: readonly TraceEvent[];
  readonly slowestIoMs: number;
  /** The calls by which each I/O gate was opened, the innermost first, by its label and number, `load@2`; empty where nobody looked. */
  readonly ioSites: IoSites;
}

/**
 * What stays the same of a failure from order to order. Numbers are left out: data may differ where the defect is the same. A deadlock is
 * known by what is waited for, whoever waits.
 */
export function signatureOf({ kind, error }: FailedEnd): string {
  switch (kind) {
    case "error":
    case "unhandledRejection":
    case "invariant":
      return `${kind} ${withoutNumbers(describeError(error))}`;
    case "deadlock": {
      const waiting = error instanceof DeadlockError ? error.waiting.map(({ waitsFor }) => withoutNumbers(waitsFor)) : [];
      return `${kind} ${[...new Set(waiting)].sort().join(", ")}`;
    }
    case "livelock":
    case "starvation":
    case "divergence":
      return kind;
  }
}

export function isSameFailure(a: FailedEnd, b: FailedEnd): boolean {
  return signatureOf(a) === signatureOf(b);
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, "#");
}
