/**
 * Writing down the decisions of another strategy.
 */
import type { RecordedDecision } from "../schedule/schedule.js";
import type { Decision, ReadyTask, Strategy } from "../schedule/strategy.js";

/** A strategy that decides as another one does and remembers the decisions of the latest run. */
export interface RecordingStrategy extends Strategy {
  readonly decisions: readonly RecordedDecision[];
}

/** Wraps `strategy`, so that its decisions can be made a schedule. Each decision costs a copy of its ready list. */
export function recording(strategy: Strategy): RecordingStrategy {
  let decisions: RecordedDecision[] = [];
  return {
    ...strategy,
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
