/**
 * Tasks that wait for something outside of the loop: a native promise of a file, a socket, or of another task.
 *
 * While a task awaits only what the loop hands out, the task of the running step is the one that awaits. A native promise breaks
 * that: settled by task A, it resumes task B in the middle of A's step, or in no step at all. So from the first time that a task
 * is seen to wait outside, the loop keeps the task in an AsyncLocalStorage. Programs that never do pay nothing for it.
 */
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
}

type AsyncHooks = typeof import("node:async_hooks");

/** Node's module without a static import, which would keep heddle from loading elsewhere. */
function loadAsyncHooks(): AsyncHooks | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.("node:async_hooks") as AsyncHooks | undefined; // Node's own name for it
}

export class OutsideWatch {
  readonly #storage: InstanceType<AsyncHooks["AsyncLocalStorage"]> | undefined;
  readonly #hook: ReturnType<AsyncHooks["createHook"]> | undefined;
  readonly #sites = new Map<Task, string>();
  #promisesMade = 0;

  /** @param currentTask the task of the running step, if one runs */
  constructor(currentTask: () => Task | undefined) {
    const hooks = loadAsyncHooks();
    this.#storage = hooks === undefined ? undefined : new hooks.AsyncLocalStorage();
    let isLooking = false;
    this.#hook = hooks?.createHook({
      init: (_id, type) => {
        // An await creates a promise at the place where it stands; the last one of a step is the await that ended it.
        if (type !== "PROMISE" || isLooking) return;
        isLooking = true;
        this.#promisesMade++;
        const task = this.findTask() ?? currentTask();
        const site = task === undefined ? undefined : siteOfStack(captureStack(), /^\s*at /);
        if (task !== undefined && site !== undefined) this.#sites.set(task, site);
        isLooking = false;
      },
    });
    this.#hook?.enable();
  }

  /** Runs a step so that all that it sets off is known to belong to `task`. */
  run(task: Task, step: () => void): void {
    if (this.#storage === undefined) step();
    else this.#storage.run(task, step);
  }

  /** The task whose code is running, if that is known. */
  findTask(): Task | undefined {
    const task = this.#storage?.getStore() as Task | undefined; // only run() stores something
    return task?.done() === false ? task : undefined;
  }

  /** Grows as long as native code of the program goes on. */
  get activity(): number {
    return this.#promisesMade;
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
