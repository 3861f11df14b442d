import type { Decision } from "../schedule/strategy.js";
import type { Handle } from "./handle.js";
import type { ReadyQueue } from "./ready-queue.js";

/** What a loop knows of its own progress. */
export interface Progressing {
  readonly steps: number;
  readonly nowMs: number;
}

/** What a strategy is handed. One object serves all decisions of a loop, and its list is made only for a strategy that looks at it. */
export class OpenDecision implements Decision {
  readonly #progress: Progressing;
  readonly #queue: ReadyQueue;

  constructor(progress: Progressing, queue: ReadyQueue) {
    this.#progress = progress;
    this.#queue = queue;
  }

  get step(): number {
    return this.#progress.steps + 1;
  }

  get timeMs(): number {
    return this.#progress.nowMs;
  }

  get count(): number {
    return this.#queue.length;
  }

  get ready(): readonly Handle[] {
    return this.#queue.list();
  }
}
