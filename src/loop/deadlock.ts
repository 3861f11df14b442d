/**
 * The report of a deadlock: who waits, for what, and where in the source.
 */
import { HeddleError } from "../errors/errors.js";
import { formatReadyTask } from "../schedule/schedule.js";
import type { ReadyTask } from "../schedule/strategy.js";
import type { Handle } from "./handle.js";
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

  constructor(waiting: readonly WaitingTask[], step: number, timeMs: number, judgedAfterMs: number | undefined, gate?: ReadyTask) {
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
        ...circleLines(waiting),
        judgement(judgedAfterMs, gate),
      ].join("\n"),
    );
    this.waiting = waiting;
  }

  static {
    this.prototype.name = "DeadlockError";
  }
}

function judgement(judgedAfterMs: number | undefined, gate: ReadyTask | undefined): string {
  if (judgedAfterMs === undefined) {
    return "Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.";
  }
  if (gate === undefined) {
    return `Judged so because nothing arrived from outside the loop in ${judgedAfterMs} ms of real time; raise idleGraceMs if real I/O is slower.`;
  }
  return (
    `Judged so because the work of gate ${formatReadyTask(gate)} was to be settled, and in ${judgedAfterMs} ms of real time it was not done and nothing else arrived; ` +
    "raise idleGraceMs if it is slower. Work that waits for the loop's own (io, a sleep, a timer) needs no gate: io(label, () => work()) runs it in its step."
  );
}

/** Tasks that wait for each other: each for what the next one holds or is, the last for the first. */
export type DeadlockCycle = readonly WaitingTask[];

/** The shortest circle of tasks that wait for each other; the first of those that are as short. Undefined where there is none. */
export function findCycle(waiting: readonly WaitingTask[]): DeadlockCycle | undefined {
  const byName = new Map<string, WaitingTask[]>();
  for (const task of waiting) byName.set(task.task, [...(byName.get(task.task) ?? []), task]);
  const nexts = new Map(waiting.map((task) => [task, tasksNamedIn(task.waitsFor, byName)]));
  let shortest: DeadlockCycle | undefined;
  for (const start of waiting) {
    const found = findWayBack(start, nexts);
    if (found !== undefined && (shortest === undefined || found.length < shortest.length)) shortest = found;
  }
  return shortest;
}

/** The shortest way from `start` back to itself, along who waits for whom. */
function findWayBack(start: WaitingTask, nexts: ReadonlyMap<WaitingTask, readonly WaitingTask[]>): DeadlockCycle | undefined {
  const cameFrom = new Map<WaitingTask, WaitingTask>();
  const open = [start];
  for (const task of open) {
    for (const next of nexts.get(task) ?? []) {
      if (next === start) {
        const way = [task];
        for (let at = cameFrom.get(task); at !== undefined; at = cameFrom.get(at)) way.unshift(at);
        return way;
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, task);
      open.push(next);
    }
  }
  return undefined;
}

/** The waiting tasks that `text` says are waited for, or hold what is: `task t1`, `lock a, held by t1`. A name may hold any characters. */
function tasksNamedIn(text: string, byName: ReadonlyMap<string, readonly WaitingTask[]>): readonly WaitingTask[] {
  const named: WaitingTask[] = [];
  for (const { index, 0: before } of text.matchAll(/\b(?:task|held by) /g)) {
    const rest = text.slice(index + before.length);
    for (const end of rest.matchAll(/, | and |$/g)) {
      const tasks = byName.get(rest.slice(0, end.index));
      if (tasks === undefined) continue;
      named.push(...tasks);
      break;
    }
  }
  return named;
}

/** Who waits for whom, in one sentence: `t1 waits for lock a, held by t2, which waits for lock b, held by t1`. */
export function describeCycle(cycle: DeadlockCycle): string {
  return cycle.map(({ task, waitsFor }, place) => `${place === 0 ? task : "which"} waits for ${waitsFor}`).join(", ");
}

function circleLines(waiting: readonly WaitingTask[]): readonly string[] {
  const cycle = findCycle(waiting);
  return cycle === undefined ? [] : [`They wait in a circle: ${describeCycle(cycle)}.`];
}

/**
 * Describes what each of `tasks` waits for; with `sites`, also where, which needs a synchronous drain. `gate` was chosen, and its work is not
 * done.
 */
export function describeWaiting(tasks: readonly Task[], sites: boolean, gate?: Handle): WaitingTask[] {
  return tasks
    .filter((task) => task.hasBegun)
    .map((task) => {
      const waits = task.waits();
      return {
        task: task.getName(),
        operation: task.operation,
        waitsFor:
          [...new Set(waits.map(({ source }) => source?.describe() ?? "its turn"))].join(" and ") ||
          (gate?.task === task ? `gate ${gate.name}, whose work is not done` : "something outside the loop"),
        site: sites ? waits.map(findSite).find((site) => site !== undefined) : undefined,
      };
    });
}
