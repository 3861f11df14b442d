import { UsageError } from "../errors/errors.js";

/** Throws UsageError that names `argument` unless `value` is a whole number of at least `minimum`. */
export function requireWholeNumber(value: number, minimum: number, argument: string): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new UsageError(`${argument} must be a whole number, ${minimum} or more, not ${String(value)}`);
  }
}
