import { getRunningLoop } from "./running.js";
import type { Task } from "./task.js";

/**
 * The task that is running; undefined in a callback, which belongs to none.
 *
 * Throws UsageError outside of a run.
 *
 * @example
 * const me = currentTask();
 * const response = await fetch(url, { signal: me?.signal ?? null }); // given up when the task is cancelled
 * @since 0.2.0
 */
export function currentTask(): Task | undefined {
  return getRunningLoop("currentTask()").currentTask();
}

/**
 * The tasks of the running loop that are not done, in order of creation. asyncio answers a set, which has no order.
 *
 * Throws UsageError outside of a run.
 *
 * @example
 * for (const task of allTasks()) if (task !== currentTask()) task.cancel();
 * @since 0.2.0
 */
export function allTasks(): readonly Task[] {
  return getRunningLoop("allTasks()").allTasks();
}
