/**
 * What a test with drawn values draws from: a list of arbitraries, or an object of them.
 */
import type * as fc from "fast-check";
import { describeValue, UsageError } from "../errors/errors.js";

export interface Drawing {
  /** Whether each arbitrary is an argument of its own. */
  readonly isList: boolean;
  /** How many arguments the values are. */
  readonly parameters: number;
  /** What draws all values at once. */
  readonly arbitrary: (fastCheck: typeof fc) => fc.Arbitrary<unknown>;
}

/** Throws UsageError for what is no arbitraries of fast-check. */
export function drawnFrom(arbitraries: unknown): Drawing {
  if (Array.isArray(arbitraries)) {
    const list: readonly unknown[] = arbitraries;
    if (list.length === 0) throw new UsageError("test.explore.prop: needs an arbitrary; a test that draws nothing is test.explore");
    const drawing = list.map((arbitrary, index) => requireArbitrary(arbitrary, `[${index}]`));
    return { isList: true, parameters: list.length, arbitrary: (fastCheck) => fastCheck.tuple(...drawing) };
  }
  if (typeof arbitraries !== "object" || arbitraries === null || isArbitrary(arbitraries)) {
    throw new UsageError(`test.explore.prop: needs a list of arbitraries, or an object of them, not ${describeValue(arbitraries)}`);
  }
  const model = Object.fromEntries(Object.entries(arbitraries).map(([name, arbitrary]) => [name, requireArbitrary(arbitrary, `.${name}`)]));
  if (Object.keys(model).length === 0) {
    throw new UsageError("test.explore.prop: needs an arbitrary; a test that draws nothing is test.explore");
  }
  return { isList: false, parameters: 1, arbitrary: (fastCheck) => fastCheck.record(model) };
}

function isArbitrary(value: unknown): value is fc.Arbitrary<unknown> {
  return typeof value === "object" && value !== null && "generate" in value && typeof value.generate === "function";
}

function requireArbitrary(value: unknown, place: string): fc.Arbitrary<unknown> {
  if (isArbitrary(value)) return value;
  throw new UsageError(`test.explore.prop: arbitraries${place} must be an arbitrary of fast-check, not ${describeValue(value)}`);
}
