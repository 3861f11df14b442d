/**
 * The tasks of a loop in order of creation. Those that are done are let go now and then, so that a task costs O(1) and a long run
 * does not keep them all.
 */
import type { Task } from "./task.js";

const SWEEP_AT = 64;

export class TaskList {
  #tasks: Task[] = [];
  #created = 0;
  #doneSinceSweep = 0;

  /** How many were ever added. */
  get created(): number {
    return this.#created;
  }

  add(task: Task): void {
    this.#created++;
    this.#tasks.push(task);
  }

  /** To be called for each task that is done. */
  noteDone(): void {
    this.#doneSinceSweep++;
    if (this.#doneSinceSweep < SWEEP_AT || this.#doneSinceSweep * 2 <= this.#tasks.length) return;
    this.#tasks = this.pending();
    this.#doneSinceSweep = 0;
  }

  /** Those that are not done. */
  pending(): Task[] {
    return this.#tasks.filter((task) => !task.isDone);
  }

  /** One that may wait for something outside of the loop, though it waits for something of the loop's as well. */
  findPossiblyOutside(): Task | undefined {
    return this.#tasks.find((task) => task.mayBeOutside);
  }

  /** Those that wait for something outside of the loop. */
  outside(): Task[] {
    return this.#tasks.filter((task) => task.isOutside);
  }
}
