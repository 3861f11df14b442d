/**
 * What a strategy sees and answers. A strategy is handed a list and returns an index; it never sees the loop.
 */

/** One thing that may run next, known by names that mean the same after a small edit of the program. */
export interface ReadyTask {
  /** The task's name, the label of a gate, or the name of a callback. */
  readonly name: string;
  /** Where it stands: the operation of a task graph (`"0.2.1"`), or the number of the task's next step, counted from 1. */
  readonly operation: string;
}

/**
/**
 * What an alternative of a decision is: the next step of a task; a callback of the program; an I/O gate that would settle; a native timer or
 * immediate that would fire (`"timer"`); at the await grain an await that would go on, or a callback of a promise (`"reaction"`); the virtual clock,
 * which would pass the open gates (`"clock"`); where a batch of gates is put together, the end of it (`"settle"`); and where a gate may fail, that it
 * does (`"fault"`).
 */
export type AlternativeKind = "task" | "callback" | "gate" | "timer" | "reaction" | "clock" | "settle" | "fault";

/**
 * Whether it comes by itself, in an order of arrival, and is no step of a task: a gate, a native timer or a reaction. Among tasks switches are counted,
 * among these departures from that order, in which reactions come before the others, as microtasks come before I/O.
 */
export function isArrival(kind: AlternativeKind | undefined): boolean {
  return kind === "gate" || kind === "timer" || kind === "reaction";
}

/** One alternative of a {@link Decision}. The object stays the same as long as it is ready and in no other run. */
export interface Alternative extends ReadyTask {
  /** Default `"task"`. */
  readonly kind?: AlternativeKind | undefined;
  /** What it is a step of: one object for all steps of a task in one run. Default: there is none but the name. */
  readonly chain?: object | undefined;
}

/** A choice between two or more ready tasks, in the order in which they became ready. */
export interface Decision {
  /**
   * `"next"`: which of them runs. `"batch"`: a gate was chosen, and more of them may settle in the same step; the first alternative is of kind
   * `"settle"` and says that it is enough. `"fault"`: a gate that may fail was chosen, alone or as one of a batch, which is complete by then; the
   * first alternative is that gate with its result, the second is of kind `"fault"`. Default `"next"`.
   */
  readonly kind?: "next" | "batch" | "fault";
  /** Number of the step that this decision starts, counted from 1. */
  readonly step: number;
  /** Virtual time in whole milliseconds. */
  readonly timeMs: number;
  /** How many are ready: `ready.length`, without the cost of making the list. */
  readonly count: number;
  readonly ready: readonly Alternative[];
  /** The {@link StepRecord.id} that each of `ready` would have as a step; undefined where steps are not tracked. */
  readonly ids?: readonly number[] | undefined;
}

/**
 * What a step touched. A location is a number that means the same in every run of an exploration: a property of a shared object, a lock, a
 * future, a task. Two steps are dependent when one writes what the other reads or writes; independent ones can be swapped where they
 * stand side by side, and nothing is different afterwards.
 */
export interface Footprint {
  /** Locations that were only read, in the order of the first access. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Where that is known, in order: each location where it was read first, and the complement (`~`) of each where it was written first. */
  readonly order?: readonly number[] | undefined;
}

/**
 * The location of everything that heddle cannot see. Every step reads it, without its standing in the footprint; a step that may have done
 * something that was not tracked writes it, and so is dependent with all others.
 */
export const WORLD = 0;

/** One executed step, for strategies that learn from it. */
export interface StepRecord extends ReadyTask {
  /** Counted from 1. */
  readonly step: number;
  /** Steps at different times are never swapped: time passes only when nothing that is ready is left, or by a decision of its own. */
  readonly timeMs: number;
  /** How many were ready, this one included. */
  readonly ready: number;
  /** Default `"task"`. */
  readonly kind?: AlternativeKind | undefined;
  readonly chain?: object | undefined;
  /** Only where steps are tracked: the same number in every run of an exploration for the step that continues the same chain of steps. */
  readonly id?: number | undefined;
  /** Only where steps are tracked. */
  readonly footprint?: Footprint | undefined;
  /** Only where steps are tracked: the earlier steps without which it could not have run, those that made it and that made it ready. */
  readonly causes?: readonly number[] | undefined;
}

/** How a run ended, for strategies that learn from it. */
export interface RunResult {
  readonly run: number;
  readonly failed: boolean;
  readonly steps: number;
  /** Whether it was ended because it had too many steps, and not because it was over. Default false. */
  readonly isCutOff?: boolean;
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
  /** Default `"eager"`. With `"inline"` {@link pick} is never called: the loop keeps asyncio's order. Asked at the begin of each run. */
  readonly housekeeping?: Housekeeping;
  /** Whether it needs the ids of decisions, and ids, footprints and causes of steps, which cost more than the steps. Default false. */
  readonly tracks?: boolean;
  /** Whether it comes to an end by itself, so that an exploration needs no number of runs. Default false. */
  readonly isSystematic?: boolean;
  /** Whether some schedule was left out, because of a bound, once {@link begin} has answered false. Default false. */
  readonly leavesOut?: boolean;
  /** An estimate of the runs that are left, where it can tell. */
  readonly remaining?: number | undefined;
  /** Whether a task that is ready runs in the end whatever the others do; one that is not fair by itself is made so. Default false. */
  readonly isFair?: boolean;
  /** Start run `run`, counted from 0; false means that there is nothing left to try. */
  begin(run: number): boolean;
  /** Index in `decision.ready` of the one to run. Called only when there are two or more. The decision is only valid during the call. */
  pick(decision: Decision): number;
  /** What each step ran; when it is given, it is called after every step, before the next decision. */
  observe?(step: StepRecord): void;
  end?(result: RunResult): void;
}
