/**
 * A schedule: everything besides the program that a replay needs, as plain data.
 */
import type { Housekeeping, ReadyTask } from "./strategy.js";

/** One decision as it was made: what was ready, in order, and which of them ran. */
export interface RecordedDecision {
  readonly ready: readonly ReadyTask[];
  readonly index: number;
}

/** At which granularity a run was permuted. See the README for what each can find. */
export type Granularity = "event" | "await";

/**
 * The decisions of one run, and the settings under which they were made.
 *
 * @since 0.1.0
 */
export interface Schedule {
  readonly version: 1;
  /** Seed of the program's own randomness (`env.random`), the same in every run of an exploration. */
  readonly seed: number;
  readonly granularity: Granularity;
  /** How long an I/O gate may be held back, in virtual milliseconds. */
  readonly ioLatencyMs: number;
  readonly housekeeping: Housekeeping;
  /** A run of more steps was a livelock. Absent: the default of whoever runs it. */
  readonly maxSteps?: number;
  /** How many gates may settle in one step. Absent: the default of whoever runs it. */
  readonly maxBatch?: number;
  readonly decisions: readonly RecordedDecision[];
}

/** What the operation of a gate ends with where it fails. No other operation does. */
const FAULT_MARK = "!";

/** `load@1!`: what stands for the fault of the gate `load@1`, as an alternative and as the step that it becomes. */
export function faultOf({ name, operation }: ReadyTask): ReadyTask {
  return { name, operation: operation + FAULT_MARK };
}

/** Whether it stands for the fault of a gate. A recorded decision about a fault is known by its second alternative, which does. */
export function isFault(task: ReadyTask | undefined): boolean {
  return task?.operation.endsWith(FAULT_MARK) === true;
}

/** `t2@1.0`: a ready task as messages and reports show it. */
export function formatReadyTask({ name, operation }: ReadyTask): string {
  return operation === "" ? name : `${name}@${operation}`;
}

/** Whether two ready tasks are the same one by name. */
export function isSameReadyTask(a: ReadyTask, b: ReadyTask | undefined): boolean {
  return a.name === b?.name && a.operation === b.operation;
}
