/**
 * What a run owes its user at the end: exceptions that nobody retrieved, coroutines that nobody awaited, tasks left behind.
 *
 * asyncio reports the first two when the garbage collector finds them; here it is when the run ends, so that two runs of the same
 * schedule say the same.
 */
import type { Coroutine } from "./coroutine.js";
import type { ExceptionContext } from "./exception-reports.js";
import type { Future } from "./future.js";
import { Task } from "./task.js";

/** The list of coroutines is swept when it has doubled since the last sweep, and never below this size. */
const SMALLEST_SWEEP = 64;

export class Ledger {
  // Most runs owe nothing, and short runs are many, so the sets are made when they are needed.
  #failures: Set<Future> | undefined;
  /** Those that were made, and of these at least all that were not started. */
  #coroutines: Coroutine[] = [];
  #sweepAt = SMALLEST_SWEEP;

  addFailure(future: Future): void {
    (this.#failures ??= new Set()).add(future);
  }

  removeFailure(future: Future): void {
    this.#failures?.delete(future);
  }

  /** Most are started in the step that makes them, so it is cheaper to look through the list when it has doubled than to keep it exact. */
  addCoroutine(made: Coroutine): void {
    this.#coroutines.push(made);
    if (this.#coroutines.length < this.#sweepAt) return;
    this.#coroutines = this.#coroutines.filter(({ isStarted }) => !isStarted);
    this.#sweepAt = Math.max(SMALLEST_SWEEP, 2 * this.#coroutines.length);
  }

  /** Everything that is still owed, each once. `left` are the tasks that are not done. */
  *settle(left: readonly Task[]): Generator<ExceptionContext> {
    for (const task of left) yield { message: "Task was destroyed but it is pending", future: task };
    for (const made of this.#coroutines) if (!made.isStarted) yield { message: `coroutine ${made.name} was never awaited` };
    const failures = [...(this.#failures ?? [])];
    this.#failures = undefined;
    this.#coroutines = [];
    for (const future of failures) {
      const kind = future instanceof Task ? "Task" : "Future";
      yield { message: `${kind} exception was never retrieved`, future, exception: future.exception() };
    }
  }
}
