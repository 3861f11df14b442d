/**
 * What stands in the ready queue. A step is one handle plus every microtask that it sets off.
 */
import type { Alternative, AlternativeKind } from "../schedule/strategy.js";
import { type Context, captureContext } from "./context.js";
import type { Task } from "./task.js";

/** An entry of the ready queue. It has no fields of its own, because most handles live for one step and each field is paid for. */
export abstract class Handle implements Alternative {
  /** The task that this handle resumes, if it resumes one. @internal */
  get task(): Task | undefined {
    return undefined;
  }

  /** The context in which it is to run, where the engine does not keep it by itself. @internal */
  get context(): Context | undefined {
    return undefined;
  }

  /**
   * True for what the library queues for itself: such a handle runs no code of the program, so it needs no drain, and outside fifo
   * it is no decision. @internal
   */
  get isHousekeeping(): boolean {
    return false;
  }

  abstract get name(): string;
  abstract get operation(): string;

  get kind(): AlternativeKind {
    return this.task === undefined ? "callback" : "task";
  }

  /** What it is a step of. */
  get chain(): object {
    return this.task ?? this;
  }

  /** Whether it was taken out of the queue and will not run. */
  cancelled(): boolean {
    return false;
  }

  /** Whether it has to wait, although it was chosen, for real work that is not done. @internal */
  get isUnderWay(): boolean {
    return false;
  }

  /** Runs it. Only the loop calls this. @internal */
  abstract run(): void;
}

/** A callback of the program, queued by `callSoon`, by a timer or by the completion of a future. */
export class CallbackHandle extends Handle {
  readonly #name: string;
  readonly #sequence: number;
  readonly #call: () => unknown;
  readonly #onCancel: (() => void) | undefined;
  readonly #context = captureContext();
  #isCancelled = false;

  /** @internal */
  constructor(name: string, call: () => unknown, sequence: number, onCancel?: () => void) {
    super();
    this.#name = name;
    this.#sequence = sequence;
    this.#call = call;
    this.#onCancel = onCancel;
  }

  /** @internal */
  override get context(): Context | undefined {
    return this.#context;
  }

  override get name(): string {
    return this.#name === "" ? "callback" : this.#name;
  }

  override get operation(): string {
    return String(this.#sequence);
  }

  /** Takes the handle out of the queue: it will not run. Cancelling one that has run does nothing. */
  cancel(): void {
    this.#isCancelled = true;
    this.#onCancel?.();
  }

  override cancelled(): boolean {
    return this.#isCancelled;
  }

  run(): void {
    this.#call();
  }
}

/** A {@link CallbackHandle} that is due at a time; `callLater` and `callAt` return it. */
export class TimerHandle extends CallbackHandle {
  readonly #whenMs: number;

  /** @internal */
  constructor(name: string, call: () => unknown, sequence: number, whenMs: number) {
    super(name, call, sequence);
    this.#whenMs = whenMs;
  }

  /** When it is due, in virtual milliseconds on the loop's clock. */
  when(): number {
    return this.#whenMs;
  }
}

/** Something that the library does for itself at this place of the queue. @internal */
export abstract class Housekeeping extends Handle {
  override get isHousekeeping(): boolean {
    return true;
  }

  override get operation(): string {
    return "";
  }
}

/** The same with a function to call. @internal */
export class HousekeepingHandle extends Housekeeping {
  readonly #name: string;
  readonly #call: () => void;

  constructor(name: string, call: () => void) {
    super();
    this.#name = name;
    this.#call = call;
  }

  override get name(): string {
    return this.#name;
  }

  run(): void {
    this.#call();
  }
}
