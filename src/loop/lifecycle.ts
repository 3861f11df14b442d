/**
 * The life of a run, as `asyncio.run` has it: main runs to its end; what it leaves behind is cancelled, in order of creation, and
 * waited for; then the run is over.
 *
 * Where a strategy picks, a phase is over as soon as what it waits for is done. In asyncio's order a handle says so from its place in
 * the queue, and the rest of its batch still runs.
 */
import type { EventLoop } from "./event-loop.js";
import type { Handle } from "./handle.js";
import { HousekeepingHandle } from "./handle.js";
import type { Task } from "./task.js";

/** How a run ended. */
export type Completion<T> =
  | { readonly kind: "result"; readonly value: T }
  | {
      readonly kind: "error" | "deadlock" | "livelock" | "starvation" | "invariant" | "strategy";
      readonly error: unknown;
    };

/** `idle` is between two mains of one loop; see {@link Runner}. */
type Phase = "new" | "main" | "idle" | "cancelling" | "ended";

/**
 * At the end `asyncio.run` still runs its loop for `shutdown_asyncgens()` and for `shutdown_default_executor()`, two batches each, in
 * which callbacks and tasks of the program go on.
 */
const ASYNCIO_CLOSINGS = 2;

export class Lifecycle {
  readonly #loop: EventLoop;
  readonly #isInOrder: boolean;
  #phase: Phase = "new";
  #main: Task | undefined = undefined;
  #isOneOfSeveral = false;
  #leftToCancel: readonly Task[] = [];
  /** How many of them, from the first on, are known to be done. */
  #knownDone = 0;
  #closings = 0;
  #isStopping = false;
  #completion: Completion<unknown> | undefined = undefined;

  constructor(loop: EventLoop, isInOrder: boolean) {
    this.#loop = loop;
    this.#isInOrder = isInOrder;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether there is nothing more to run, for good or until the next main. */
  get isHalted(): boolean {
    return this.#phase === "ended" || this.#phase === "idle";
  }

  get main(): Task | undefined {
    return this.#main;
  }

  /** How main, or the whole run, ended last. */
  get completion(): Completion<unknown> | undefined {
    return this.#completion;
  }

  /** With `isOneOfSeveral` the loop is idle after this main, and keeps what it leaves behind for the next one. */
  begin(main: Task, isOneOfSeveral: boolean): void {
    this.#phase = "main";
    this.#main = main;
    this.#isOneOfSeveral = isOneOfSeveral;
    this.#completion = undefined;
    if (this.#isInOrder) main.addWaiter(this.#stopHandle());
  }

  /** There will be no other main: what the last one left behind is to be cancelled. */
  close(): void {
    this.#phase = "main";
    this.#isOneOfSeveral = false;
    this.#isStopping = true;
  }

  end(completion: Completion<unknown>): void {
    this.#phase = "ended";
    this.#completion = completion;
  }

  /** Whether it is time for {@link next}; in asyncio's order to be asked between batches. */
  isPhaseOver(): boolean {
    if (this.#isInOrder) return this.#isStopping;
    if (this.#phase === "main") return this.#main?.isDone === true;
    // Asked before every step, so it must not look at those again that were done before.
    while (this.#leftToCancel[this.#knownDone]?.isDone === true) this.#knownDone++;
    return this.#knownDone === this.#leftToCancel.length;
  }

  /** Goes to the next phase; answers how the run ended, or undefined while it goes on. */
  next(): Completion<unknown> | undefined {
    this.#isStopping = false;
    this.#loop.tracker?.endsPhase();
    if (this.#phase === "main" && this.#isOneOfSeveral) {
      this.#phase = "idle";
      this.#completion = this.#mainCompletion();
      return undefined;
    }
    if (this.#phase === "main") {
      this.#phase = "cancelling";
      this.#leftToCancel = this.#loop.allTasks();
      for (const task of this.#leftToCancel) task.cancel();
      if (this.#isInOrder) this.#stopAfterAll(this.#leftToCancel);
      if (this.#leftToCancel.length > 0) return undefined;
    }
    this.#loop.tracker?.endsRun();
    this.#reportFailedShutdown();
    if (this.#isInOrder && this.#closings < ASYNCIO_CLOSINGS) {
      this.#closings++;
      this.#loop.enqueue(
        new HousekeepingHandle("close", () => {
          this.#loop.enqueue(this.#stopHandle());
        }),
      );
      return undefined;
    }
    return this.#mainCompletion();
  }

  #reportFailedShutdown(): void {
    for (const task of this.#leftToCancel) {
      if (task.state !== "failed") continue;
      const message = "unhandled exception during the shutdown of run()";
      this.#loop.callExceptionHandler({ message, exception: task.exception(), future: task });
    }
    this.#leftToCancel = [];
    this.#knownDone = 0;
  }

  #mainCompletion(): Completion<unknown> {
    try {
      return { kind: "result", value: this.#main?.result() };
    } catch (error) {
      return { kind: "error", error };
    }
  }

  /** Ends the phase after the batch in which the handle runs. */
  #stopHandle(): Handle {
    return new HousekeepingHandle("stop", () => {
      this.#isStopping = true;
    });
  }

  /** As asyncio does with a gather of them. */
  #stopAfterAll(tasks: readonly Task[]): void {
    let unfinished = tasks.length;
    for (const task of tasks) {
      task.addWaiter(
        new HousekeepingHandle("gather", () => {
          unfinished--;
          if (unfinished === 0) this.#loop.enqueue(this.#stopHandle());
        }),
      );
    }
  }
}
