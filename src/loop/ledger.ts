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

export class Ledger {
  // Most runs owe nothing, and short runs are many, so the sets are made when they are needed.
  #failures: Set<Future> | undefined;
  #coroutines: Set<Coroutine> | undefined;

  addFailure(future: Future): void {
    (this.#failures ??= new Set()).add(future);
  }

  removeFailure(future: Future): void {
    this.#failures?.delete(future);
  }

  addCoroutine(made: Coroutine): void {
    (this.#coroutines ??= new Set()).add(made);
  }

  removeCoroutine(used: Coroutine): void {
    this.#coroutines?.delete(used);
  }

  /** Everything that is still owed, each once. `left` are the tasks that are not done. */
  *settle(left: readonly Task[]): Generator<ExceptionContext> {
    for (const task of left) yield { message: "Task was destroyed but it is pending", future: task };
    for (const made of this.#coroutines ?? []) yield { message: `coroutine ${made.name} was never awaited` };
    const failures = [...(this.#failures ?? [])];
    this.#failures = undefined;
    this.#coroutines = undefined;
    for (const future of failures) {
      const kind = future instanceof Task ? "Task" : "Future";
      yield { message: `${kind} exception was never retrieved`, future, exception: future.exception() };
    }
  }
}
