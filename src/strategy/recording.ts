/**
 * Writing down the decisions of another strategy.
 */
import type { RecordedDecision } from "../schedule/schedule.js";
import type { Decision, ReadyTask, RunResult, StepRecord, Strategy } from "../schedule/strategy.js";

/** A strategy that decides as another one does and remembers the decisions of the latest run. */
export interface RecordingStrategy extends Strategy {
  readonly decisions: readonly RecordedDecision[];
}

/** Wraps `strategy`, so that its decisions can be made a schedule. Each decision costs a copy of its ready list. */
export function recording(strategy: Strategy): RecordingStrategy {
  let decisions: RecordedDecision[] = [];
  const { name, housekeeping } = strategy;
  return {
    name,
    ...(housekeeping !== undefined && { housekeeping }),
    // Called on the strategy, which may be an object of a class. A loop that finds no `observe` saves the records.
    ...(strategy.observe !== undefined && {
      observe(step: StepRecord): void {
        strategy.observe?.(step);
      },
    }),
    end(result: RunResult): void {
      strategy.end?.(result);
    },
    get decisions() {
      return decisions;
    },
    begin(run: number): boolean {
      decisions = [];
      return strategy.begin(run);
    },
    pick(decision: Decision): number {
      const index = strategy.pick(decision);
      decisions.push({ ready: decision.ready.map(nameReadyTask), index });
      return index;
    },
  };
}

/** The names of a ready task alone, to be kept after the decision is over. */
export function nameReadyTask({ name, operation }: ReadyTask): ReadyTask {
  return { name, operation };
}
