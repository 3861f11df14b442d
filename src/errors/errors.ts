/**
 * Every error of heddle, in two families.
 *
 * What heddle itself reports extends {@link HeddleError} and carries a stable `code`. What a program under test can catch keeps the
 * name and meaning it has in asyncio ({@link CancelledError}, {@link TimeoutError}, {@link ExceptionGroup} and the others below).
 */

/** The stable codes of {@link HeddleError}. */
export type HeddleErrorCode =
  | "HEDDLE_USAGE"
  | "HEDDLE_INTERNAL"
  | "HEDDLE_BAD_INPUT"
  | "HEDDLE_DEADLOCK"
  | "HEDDLE_LIVELOCK"
  | "HEDDLE_STARVATION"
  | "HEDDLE_DIVERGENCE"
  | "HEDDLE_INVARIANT"
  | "HEDDLE_EXPLORATION";

/** Base of everything that heddle reports. Programs under test never throw it; match on `code`, not on the message. */
export class HeddleError extends Error {
  readonly code: HeddleErrorCode;

  constructor(code: HeddleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  static {
    this.prototype.name = "HeddleError";
  }
}

/** The caller asked for something that heddle cannot do; the message names the argument, the rule and the value. */
export class UsageError extends HeddleError {
  constructor(message: string, options?: ErrorOptions) {
    super("HEDDLE_USAGE", message, options);
  }

  static {
    this.prototype.name = "UsageError";
  }
}

/** A file, token or number from outside that cannot be used; the message says what is wrong and where. */
export class BadInputError extends HeddleError {
  constructor(message: string, options?: ErrorOptions) {
    super("HEDDLE_BAD_INPUT", message, options);
  }

  static {
    this.prototype.name = "BadInputError";
  }
}

/** A promise that heddle makes to itself was broken. Please report it with the seed that the run printed. */
export class InternalError extends HeddleError {
  constructor(message: string, options?: ErrorOptions) {
    super("HEDDLE_INTERNAL", `${message}\nThis is a defect of heddle: please report it together with the seed of this run.`, options);
  }

  static {
    this.prototype.name = "InternalError";
  }
}

/** Raised at the await of a task that was cancelled. As in asyncio it is delivered once, and may be caught. */
export class CancelledError extends Error {
  static {
    this.prototype.name = "CancelledError";
  }
}

/**
 * The cancellation that an exception is or stands for. What Node's own functions raise when their signal is aborted is an AbortError with
 * the reason as its cause, and the reason of a task's signal is a CancelledError.
 */
export function cancellationIn(error: unknown): CancelledError | undefined {
  if (error instanceof CancelledError) return error;
  return error instanceof Error && error.name === "AbortError" && error.cause instanceof CancelledError ? error.cause : undefined;
}

/** Throws UsageError unless `body` is a function; `what` names who was to call it. */
export function requireFunction(body: unknown, what: string): void {
  if (typeof body !== "function") throw new UsageError(`${what}: needs a function to run, () => …, not ${describeValue(body)}`);
}

/** A future was asked for something that its state does not allow: a second completion, or a result that is not there yet. */
export class InvalidStateError extends Error {
  static {
    this.prototype.name = "InvalidStateError";
  }
}

/** An operation took longer than it was given. */
export class TimeoutError extends Error {
  static {
    this.prototype.name = "TimeoutError";
  }
}

/** The program used something in a way that its state does not allow: a lock released that is not locked. asyncio's name for it. */
export class RuntimeError extends Error {
  static {
    this.prototype.name = "RuntimeError";
  }
}

/** Something was given back more often than it was taken: a permit of a bounded semaphore, an item of a queue. asyncio's name for it. */
export class ValueError extends Error {
  static {
    this.prototype.name = "ValueError";
  }
}

/** `getNowait` found the queue empty. */
export class QueueEmpty extends Error {
  static {
    this.prototype.name = "QueueEmpty";
  }
}

/** `putNowait` found the queue full. */
export class QueueFull extends Error {
  static {
    this.prototype.name = "QueueFull";
  }
}

/** The barrier was reset or aborted while a task waited, or before it came. */
export class BrokenBarrierError extends Error {
  static {
    this.prototype.name = "BrokenBarrierError";
  }
}

/** Several tasks of a group failed: `errors` holds what they raised, in the order in which they did. */
export class ExceptionGroup extends AggregateError {
  constructor(message: string, errors: readonly unknown[]) {
    super(errors, `${message} (${errors.length} sub-exception${errors.length === 1 ? "" : "s"})`);
  }

  static {
    this.prototype.name = "ExceptionGroup";
  }
}

/** `RuntimeError: boom`, or the name alone where the message is empty; anything that is not an Error is shown as {@link describeValue} does. */
export function describeError(error: unknown): string {
  try {
    return describeThrown(error);
  } catch {
    return "[error that cannot be shown]"; // its message or name throws
  }
}

function describeThrown(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error === "string" ? error : describeValue(error)}`;
  return error.message === "" ? error.name : `${error.name}: ${error.message}`;
}

/** A value in a message. Never throws, whatever a program has made its objects of. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  try {
    return typeof value === "object" && value !== null ? `[${value.constructor.name}]` : String(value);
  } catch {
    return "[object]"; // without a prototype, or with one that throws
  }
}
