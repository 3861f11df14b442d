/**
 * Task groups: tasks that end together, as in `asyncio.TaskGroup`.
 *
 * A group takes a function, where asyncio has a context manager: what `await using` disposes of is not told that its block has failed,
 * and a group must cancel its tasks then.
 */
import { cancellationIn, ExceptionGroup, RuntimeError, requireFunction } from "../errors/errors.js";
import type { TaskOptions } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";
import { HousekeepingHandle } from "../loop/handle.js";
import { inspectKey } from "../loop/inspect.js";
import { getRunningLoop } from "../loop/running.js";
import type { Task, TaskBody } from "../loop/task.js";
import { describePending } from "./ensure-future.js";

/** The group of a {@link taskGroup}: its body starts tasks in it. */
export class TaskGroup {
  readonly #parent: Task;
  /** Those whose end the group has not seen, in order of creation. */
  readonly #tasks = new Set<Task>();
  readonly #errors: unknown[] = [];
  #isExiting = false;
  #isAborting = false;
  /** Whether the group has cancelled its parent, to interrupt the body; it takes that back. */
  #hasCancelledParent = false;
  #done: Future<void> | undefined = undefined;

  /** @internal Use {@link taskGroup}. */
  constructor(parent: Task) {
    this.#parent = parent;
    parent.getLoop().tracker?.introduce(this);
  }

  /**
   * Starts a task in the group. Also from one of its tasks, as long as the group is not over.
   *
   * Throws RuntimeError when the group is over or is cancelling its tasks, UsageError for a promise, which has started already.
   */
  createTask<T>(body: TaskBody<T>, options?: TaskOptions): Task<T> {
    if (this.#isExiting && this.#tasks.size === 0) throw new RuntimeError("TaskGroup is finished");
    if (this.#isAborting) throw new RuntimeError("TaskGroup is shutting down");
    const task = this.#parent.getLoop().createTask(body, options);
    this.#tasks.add(task);
    task.addWaiter(
      new HousekeepingHandle("task group", () => {
        this.#noteDone(task);
      }),
    );
    return task;
  }

  /** Waits for the tasks; `thrown` is what ended the body. Throws what the group answers in the place of that. @internal */
  async exit(thrown: { readonly error: unknown } | undefined): Promise<void> {
    this.#isExiting = true;
    const own = cancellationIn(thrown?.error);
    let cancellation: { readonly error: unknown } | undefined = own === undefined ? undefined : { error: own };
    // The request that the group itself has made is taken back; the cancellation goes on only where there is another.
    if (this.#hasCancelledParent && this.#parent.uncancel() === 0) cancellation = undefined;
    if (thrown !== undefined && !this.#isAborting) this.#abort();
    // As often as the parent is cancelled while it waits, it waits again: nobody is left behind.
    while (this.#hasTasks()) {
      this.#done ??= new Future<void>(this.#parent.getLoop(), { describe: () => `task group${describePending(this.#tasks)}` });
      try {
        await this.#done;
      } catch (error) {
        if (!this.#isAborting) {
          cancellation = { error };
          this.#abort();
        }
      }
      this.#done = undefined;
    }
    if (cancellation !== undefined && this.#errors.length === 0) throw cancellation.error;
    if (thrown !== undefined && own === undefined) this.#errors.push(thrown.error);
    if (this.#errors.length > 0) throw new ExceptionGroup("unhandled errors in a TaskGroup", this.#errors);
  }

  [inspectKey](): string {
    const state = this.#isAborting ? "cancelling" : this.#isExiting ? "exiting" : "entered";
    return `<TaskGroup ${state} tasks=${this.#tasks.size} errors=${this.#errors.length}>`;
  }

  #hasTasks(): boolean {
    this.#parent.getLoop().tracker?.touchInternally(this, false);
    return this.#tasks.size > 0;
  }

  #abort(): void {
    this.#isAborting = true;
    for (const task of this.#tasks) if (!task.done()) task.cancel();
  }

  #noteDone(task: Task): void {
    this.#parent.getLoop().tracker?.touchInternally(this, true);
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#done?.done() === false) this.#done.setResult();
    if (task.state !== "failed") return;
    const exception = task.exception();
    this.#errors.push(exception);
    if (this.#parent.done()) {
      const message = "Task of a TaskGroup has failed but its parent task is already completed";
      this.#parent.getLoop().callExceptionHandler({ message, exception, future: task });
      return;
    }
    if (this.#isAborting || this.#hasCancelledParent) return;
    this.#abort();
    this.#hasCancelledParent = true;
    this.#parent.cancel();
  }
}

/**
 * Runs `body` with a group to start tasks in, and waits until it and all of them have ended; answers what the body returns. When one of
 * them fails, the others and the body are cancelled, and ExceptionGroup (an AggregateError) is raised with all that was raised.
 * When the task around it is cancelled, so is the group, and CancelledError is raised once everybody has ended.
 *
 * Throws RuntimeError outside of a task, UsageError outside of a run.
 *
 * @example
 * const [user, posts] = await taskGroup(async (group) => {
 *   const user = group.createTask(() => loadUser(7));
 *   const posts = group.createTask(() => loadPosts(7));
 *   return [await user, await posts];
 * });
 * @since 0.2.0
 */
export async function taskGroup<T>(body: (group: TaskGroup) => PromiseLike<T> | T): Promise<T> {
  requireFunction(body, "taskGroup");
  const parent = getRunningLoop("taskGroup()").currentTask();
  if (parent === undefined) throw new RuntimeError("TaskGroup cannot determine the parent task");
  const group = new TaskGroup(parent);
  let result: T;
  try {
    result = await body(group);
  } catch (error) {
    await group.exit({ error });
    throw error;
  }
  await group.exit(undefined);
  return result;
}
