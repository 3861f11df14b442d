/**
 * The report of a deadlock: who waits, for what, and where in the source.
 */
import { HeddleError } from "../errors/errors.js";
import { findSite } from "./site.js";
import type { Task } from "./task.js";

/** One task of a deadlock. */
export interface WaitingTask {
  readonly task: string;
  readonly operation: string;
  /** `future 3`, `task t1`, or `something outside the loop`. */
  readonly waitsFor: string;
  /** `src/pool.ts:41:20`, where it is known. */
  readonly site: string | undefined;
}

/**
 * Nothing is ready, no timer is left, and main is not done.
 *
 * @since 0.1.0
 */
export class DeadlockError extends HeddleError {
  /** Every task that waits, in the order in which they began. */
  readonly waiting: readonly WaitingTask[];

  constructor(waiting: readonly WaitingTask[], step: number, timeMs: number, judgedAfterMs: number | undefined) {
    const width = Math.max(...waiting.map(({ task }) => task.length));
    const lines = waiting.map(
      ({ task, waitsFor, site }) => `  ${task.padEnd(width)}  waits for ${waitsFor}${site === undefined ? "" : `  at ${site}`}`,
    );
    const isOne = waiting.length === 1;
    super(
      "HEDDLE_DEADLOCK",
      [
        `deadlock at step ${step}, t=${timeMs}: ${waiting.length} task${isOne ? " waits" : "s wait"} and nothing can wake ${isOne ? "it" : "them"}.`,
        ...lines,
        judgedAfterMs === undefined
          ? "Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
          : `Judged so because nothing arrived from outside the loop in ${judgedAfterMs} ms of real time; raise idleGraceMs if real I/O is slower.`,
      ].join("\n"),
    );
    this.waiting = waiting;
  }

  static {
    this.prototype.name = "DeadlockError";
  }
}

/** Describes what each of `tasks` waits for; with `sites`, also where, which needs a synchronous drain. */
export function describeWaiting(tasks: readonly Task[], sites: boolean): WaitingTask[] {
  return tasks
    .filter((task) => task.hasBegun)
    .map((task) => {
      const waits = task.waits();
      return {
        task: task.getName(),
        operation: task.operation,
        waitsFor: [...new Set(waits.map(({ source }) => source?.describe() ?? "its turn"))].join(" and ") || "something outside the loop",
        site: sites ? waits.map(findSite).find((site) => site !== undefined) : undefined,
      };
    });
}
