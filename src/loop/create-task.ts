import type { TaskOptions } from "./event-loop.js";
import { getRunningLoop } from "./running.js";
import type { Task, TaskBody } from "./task.js";

/**
 * Makes a task on the running loop. Nothing of it runs before the caller suspends.
 *
 * Throws UsageError outside of a run, and for a promise, which has started already: pass the function, not its call.
 *
 * @example
 * const task = createTask(() => fetchUser(7), { name: "fetch 7" });
 * const user = await task;
 * createTask(watchFolder, { signal: shutdown }); // cancelled when the signal is aborted
 * @since 0.1.0
 */
export function createTask<T>(body: TaskBody<T>, options?: TaskOptions): Task<T> {
  return getRunningLoop("createTask()").createTask(body, options);
}
