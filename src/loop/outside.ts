/**
 * Tasks that wait for something outside of the loop: a native promise of a file, a socket, or of another task.
 *
 * While a task awaits only what the loop hands out, the task of the running step is the one that awaits. A native promise breaks
 * that: settled by task A, it resumes task B in the middle of A's step, or in no step at all. So from the first time that a task
 * is seen to wait outside, the loop keeps the task in an AsyncLocalStorage. Programs that never do pay nothing for it.
 *
 * The awaits that were under way at that moment know no storage. Whose they are is read off the engine's async stack when they go on:
 * each such task is made to end in a function with a name of its own, which the engine prints as the last frame. What such a
 * continuation creates is then known to be the task's.
 */
import type { Context } from "./context.js";
import type { Handle } from "./handle.js";
import { type AsyncHooks, loadAsyncHooks } from "./host.js";
import { captureStack, siteOfStack } from "./site.js";
import type { Task } from "./task.js";

/** Where and when a run went out of the loop's control. */
export interface Uncontrolled {
  readonly task: string;
  /** Number of the step after which the run had to wait. */
  readonly step: number;
  readonly timeMs: number;
  /** `src/load.ts:12:5`: the await. Undefined where it came before heddle could look; ask for it with `sites: true`. */
  readonly site: string | undefined;
  /** What was waited for, as Node calls it: `FSReqCallback`, `TCPSocketWrap`; absent where that is not known. */
  readonly resource?: string;
}

/** The last frame of the async stack of a task that began before the watch; the number is its place in the list. */
const TASK_FRAME = /^\s*at async (?:\w+\.)?heddle task (\d+) \(/m;

/** In the place of the task for what is no task's: a callback, although a task has handed it over in its own context. */
const NOBODY = Symbol("nobody");

export class OutsideWatch {
  readonly #hooks: AsyncHooks | undefined;
  /** The tasks that had begun before the watch. */
  readonly #earlierTasks: readonly Task[];
  /** Whose promise or other resource it is, where the storage cannot know. */
  readonly #owners = new WeakMap<object, Task>();
  readonly #storage: InstanceType<AsyncHooks["AsyncLocalStorage"]> | undefined;
  readonly #hook: ReturnType<AsyncHooks["createHook"]> | undefined;
  readonly #sites = new Map<Task, string>();
  #resourcesMade = 0;

  /**
   * @param currentTask the task of the running step, if one runs
   * @param earlierTasks the tasks that have begun already
   */
  constructor(currentTask: () => Task | undefined, earlierTasks: readonly Task[]) {
    const hooks = loadAsyncHooks();
    this.#hooks = hooks;
    this.#earlierTasks = earlierTasks;
    earlierTasks.forEach((task, place) => {
      task.nameFrame(`heddle task ${place}`);
    });
    this.#storage = hooks === undefined ? undefined : new hooks.AsyncLocalStorage();
    let isLooking = false;
    this.#hook = hooks?.createHook({
      init: (_id, type, _trigger, resource) => {
        if (isLooking) return;
        isLooking = true;
        // Those two are the loop's own, while it waits.
        if (type !== "Immediate" && type !== "Timeout") this.#resourcesMade++;
        const stack = type === "PROMISE" ? captureStack() : "";
        const owner = this.findTask() ?? this.#taskOfStack(stack);
        if (owner !== undefined && this.#storage?.getStore() !== owner) this.#owners.set(resource, owner);
        // An await creates a promise at the place where it stands; the last one of a step is the await that ended it.
        if (type === "PROMISE") {
          const task = owner ?? currentTask();
          const site = task === undefined ? undefined : siteOfStack(stack, /^\s*at /);
          if (task !== undefined && site !== undefined) this.#sites.set(task, site);
        }
        isLooking = false;
      },
    });
    this.#hook?.enable();
  }

  /** Runs a step so that all that it sets off is known to belong to `task`, or to none; `context` is its own, if it has one. */
  run(task: Task | undefined, context: Context | undefined, step: Handle): void {
    const watched = (): void => {
      // A wait is resumed in the context of its await, by the engine; what is no task's has a context of its own.
      if (this.#storage === undefined || (task === undefined && context === undefined)) step.run();
      else this.#storage.run(task ?? NOBODY, () => step.run());
    };
    if (context === undefined) watched();
    else context.runInAsyncScope(watched, undefined, undefined);
  }

  /** The task to which what is running belongs, if that is known. */
  findTask(): Task | undefined {
    const stored = this.#storage?.getStore() as Task | typeof NOBODY | undefined; // only run() stores something
    if (stored === NOBODY) return undefined;
    const task = stored ?? (this.#hooks === undefined ? undefined : this.#owners.get(this.#hooks.executionAsyncResource()));
    return task?.isDone === false ? task : undefined;
  }

  /** The same for a call out of the program's own code, whose stack then says it where nothing else does. */
  findCallingTask(): Task | undefined {
    return this.findTask() ?? this.#taskOfStack(captureStack());
  }

  #taskOfStack(stack: string): Task | undefined {
    const place = TASK_FRAME.exec(stack)?.[1];
    const task = place === undefined ? undefined : this.#earlierTasks[Number(place)];
    return task?.isDone === false ? task : undefined;
  }

  /** Grows as long as native code of the program goes on. */
  get activity(): number {
    return this.#resourcesMade;
  }

  /** Where `task` last awaited, if that is known. */
  siteOf(task: Task): string | undefined {
    return this.#sites.get(task);
  }

  close(): void {
    this.#hook?.disable();
    this.#storage?.disable();
  }
}
