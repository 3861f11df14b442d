/**
 * The options of `io`, and of whatever else opens a gate.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { requireDuration } from "./require-options.js";

export interface IoOptions {
  /** How long the scheduler may hold it back, in virtual milliseconds. Default: the latency bound of the run, 10 unless it says otherwise. */
  readonly maxMs?: number;
  /**
   * What it fails with, an Error or a function that makes one, where the scheduler decides that it fails; an exploration tries both. Default: it
   * never fails.
   */
  readonly mayFail?: Fault;
}

export type Fault = Error | (() => Error);

/** Options that are no result: at least one is given. */
export type OnlyOptions = (IoOptions & { readonly maxMs: number }) | (IoOptions & { readonly mayFail: Fault });

/** What stands where a result or options may stand, where it can only be options: an object of no class with one of their keys and no others. */
export function optionsAmong(value: unknown): OnlyOptions | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const keys = Reflect.ownKeys(value);
  // As many keys as options, and none of another name.
  return keys.length > 0 && keys.every((key) => key === "maxMs" || key === "mayFail") ? (value as OnlyOptions) : undefined;
}

/** Throws UsageError, in the name of `what`, for a label or options that a gate cannot have. */
export function requireIo(what: string, label: unknown, { maxMs, mayFail }: IoOptions): void {
  if (typeof label !== "string") throw new UsageError(`${what}: label must be a text, not ${describeValue(label)}`);
  requireDuration(maxMs, `${what}: maxMs`);
  if (mayFail !== undefined && typeof mayFail !== "function" && !(mayFail instanceof Error)) {
    throw new UsageError(`${what}: mayFail must be an Error or a function that makes one, not ${describeValue(mayFail)}`);
  }
}

/** What a fault rejects with; what the function throws instead of making an error is one, too. */
export function errorOf(fault: Fault | undefined): unknown {
  if (typeof fault !== "function") return fault;
  try {
    return fault();
  } catch (error) {
    return error;
  }
}
