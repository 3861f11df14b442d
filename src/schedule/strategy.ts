/**
 * What a strategy sees and answers. A strategy is handed a list and returns an index; it never sees the loop.
 */

/** One thing that may run next, known by names that mean the same after a small edit of the program. */
export interface ReadyTask {
  /** The task's name, or that of a callback. */
  readonly name: string;
  /** Where it stands: the operation of a task graph (`"0.2.1"`), or the number of the task's next step, counted from 1. */
  readonly operation: string;
}

/** A choice between two or more ready tasks, in the order in which they became ready. */
export interface Decision {
  /** Number of the step that this decision starts, counted from 1. */
  readonly step: number;
  /** Virtual time in whole milliseconds. */
  readonly timeMs: number;
  /** How many are ready: `ready.length`, without the cost of making the list. */
  readonly count: number;
  readonly ready: readonly ReadyTask[];
}

/** One executed step, for strategies that learn from it. */
export interface StepRecord extends ReadyTask {
  readonly step: number;
  readonly timeMs: number;
  /** How many were ready, this one included. */
  readonly ready: number;
}

/** How a run ended, for strategies that learn from it. */
export interface RunResult {
  readonly run: number;
  readonly failed: boolean;
  readonly steps: number;
}

/**
 * Where the library's own handles run. `"inline"`: at their place in the ready queue, which is asyncio's order, and no decision is
 * made at all. `"eager"`: before the next decision, so that they never multiply schedules.
 */
export type Housekeeping = "inline" | "eager";

/**
 * Makes the decisions of the runs of one exploration.
 *
 * @example
 * const lastComeFirstServed: Strategy = { name: "lifo", begin: () => true, pick: ({ ready }) => ready.length - 1 };
 * @since 0.1.0
 */
export interface Strategy {
  /** A short name for reports. */
  readonly name: string;
  /** Default `"eager"`. With `"inline"` {@link pick} is never called: the loop keeps asyncio's order. */
  readonly housekeeping?: Housekeeping;
  /** Start run `run`, counted from 0; false means that there is nothing left to try. */
  begin(run: number): boolean;
  /** Index in `decision.ready` of the one to run. Called only when there are two or more. The decision is only valid during the call. */
  pick(decision: Decision): number;
  /** What each step ran; when it is given, it is called after every step. */
  observe?(step: StepRecord): void;
  end?(result: RunResult): void;
}
