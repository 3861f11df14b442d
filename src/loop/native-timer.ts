/**
 * A native timer or immediate that a loop has taken over, from one arming to its firing: an event of the outside world, as an I/O gate is,
 * but never permuted with its like.
 */
import type { AlternativeKind } from "../schedule/strategy.js";
import { type Context, captureContext } from "./context.js";
import { Handle } from "./handle.js";
import type { Task } from "./task.js";

/** The name of every immediate. */
export const IMMEDIATE = "setImmediate";

export class NativeTimer extends Handle {
  /** `setTimeout(50)`, `setImmediate`. */
  readonly name: string;
  /** Which of that name it is, from 1; `2.3` for the third firing of the second one. */
  readonly operation: string;
  /** Where in the program it was set; only looked for in runs that are followed closely. */
  readonly site: string | undefined;
  /** Whether it keeps the run alive. */
  isRef = true;
  readonly #opener: Task | undefined;
  readonly #context = captureContext();
  readonly #fire: () => void;
  #isCancelled = false;
  #isOver = false;

  constructor(
    { name, operation }: { readonly name: string; readonly operation: string },
    origin: { readonly opener: Task | undefined; readonly site: string | undefined },
    fire: () => void,
  ) {
    super();
    this.name = name;
    this.operation = operation;
    this.site = origin.site;
    this.#opener = origin.opener;
    this.#fire = fire;
  }

  /** Who set it: what goes on there is most often its task's. */
  override get task(): Task | undefined {
    return this.#opener;
  }

  override get context(): Context | undefined {
    return this.#context;
  }

  override get kind(): AlternativeKind {
    return "timer";
  }

  /** Whether it waits for no time, only for its turn. */
  get isImmediate(): boolean {
    return this.name === IMMEDIATE;
  }

  /** Each firing is a chain of its own, whoever set it. */
  override get chain(): object {
    return this;
  }

  override cancelled(): boolean {
    return this.#isCancelled;
  }

  /** It will not fire; false when it has fired, or was cancelled before. To be called through the loop, which counts those that are left. */
  cancel(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#isCancelled = true;
    return true;
  }

  run(): void {
    this.#isOver = true;
    this.#fire();
  }
}
