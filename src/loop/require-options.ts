/**
 * Checks of what callers hand in, at the public edge.
 */
import { describeValue, UsageError } from "../errors/errors.js";

/** Throws UsageError unless `value` is undefined or a number of milliseconds, 0 or more; Infinity is one. */
export function requireDuration(value: number | undefined, argument: string): void {
  if (value !== undefined && !(value >= 0)) throw new UsageError(`${argument} must be a number of milliseconds, 0 or more, not ${value}`);
}

/** Throws UsageError unless `value` is undefined, a name, or an object with what every strategy has. */
export function requireStrategy(value: unknown, argument: string): void {
  if (value === undefined || typeof value === "string") return;
  const { name, begin, pick } = (value ?? {}) as { readonly name?: unknown; readonly begin?: unknown; readonly pick?: unknown };
  if (typeof name === "string" && typeof begin === "function" && typeof pick === "function") return;
  throw new UsageError(`${argument} must be a name or an object with name, begin(run) and pick(decision), not ${describeValue(value)}`);
}
