/**
 * Writing down the decisions of another strategy.
 */
import type { RecordedDecision } from "../schedule/schedule.js";
import type { Decision, ReadyTask, RunResult, StepRecord, Strategy } from "../schedule/strategy.js";

/** A strategy that decides as another one does and remembers the decisions of the latest run. */
export interface RecordingStrategy extends Strategy {
  readonly decisions: readonly RecordedDecision[];
}

/**
 * Wraps `strategy`, so that its decisions can be made a schedule. Each decision costs a copy of its ready list. A step that nobody
 * decided about, because nothing else was ready or because asyncio's order was kept, is written down alone: so a replay notices a
 * program that was changed at the first step that differs, and not only at the next decision.
 */
export function recording(strategy: Strategy): RecordingStrategy {
  let decisions: RecordedDecision[] = [];
  let isDecided = false;
  const { name, housekeeping } = strategy;
  return {
    name,
    ...(housekeeping !== undefined && { housekeeping }),
    // Called on the strategy, which may be an object of a class.
    observe(step: StepRecord): void {
      if (!isDecided) decisions.push({ ready: [nameReadyTask(step)], index: 0 });
      isDecided = false;
      strategy.observe?.(step);
    },
    end(result: RunResult): void {
      strategy.end?.(result);
    },
    get decisions() {
      return decisions;
    },
    begin(run: number): boolean {
      decisions = [];
      isDecided = false;
      return strategy.begin(run);
    },
    pick(decision: Decision): number {
      const index = strategy.pick(decision);
      // A gate that nobody decided about comes before its fault, as one that was.
      const [gate] = decision.ready;
      if (decision.kind === "fault" && !isDecided && gate !== undefined) decisions.push({ ready: [nameReadyTask(gate)], index: 0 });
      decisions.push({ ready: decision.ready.map(nameReadyTask), index });
      isDecided = decision.ready[index]?.kind !== "clock"; // no step: what runs next was not decided by it
      return index;
    },
  };
}

/** The names of a ready task alone, to be kept after the decision is over. */
export function nameReadyTask({ name, operation }: ReadyTask): ReadyTask {
  return { name, operation };
}
