/**
 * What the environment asks of tests: `HEDDLE_RUNS`, `HEDDLE_SEED`, `HEDDLE_STRATEGY`, `HEDDLE_REPLAY`, and what the command sets
 * for its own use.
 */
import { BadInputError } from "../errors/errors.js";
import { MAX_SEED } from "../random/random.js";

/** The names of the variables. */
export const VARIABLES = {
  runs: "HEDDLE_RUNS",
  seed: "HEDDLE_SEED",
  strategy: "HEDDLE_STRATEGY",
  replay: "HEDDLE_REPLAY",
  /** Only tests and invariants whose name holds this text. */
  only: "HEDDLE_ONLY",
  /** Set by the command, which shows the progress that tests tell. */
  progress: "HEDDLE_PROGRESS",
} as const;

/** A whole number from text. Throws BadInputError that names `what`, the range and the text. */
export function parseWholeNumber(text: string, what: string, minimum: number, maximum: number): number {
  const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new BadInputError(`${what}: must be a whole number from ${minimum} to ${maximum}, not ${JSON.stringify(text.slice(0, 40))}`);
  }
  return value;
}

export function parseSeed(text: string, what: string): number {
  return parseWholeNumber(text, what, 0, MAX_SEED);
}

export function parseRuns(text: string, what: string): number {
  return parseWholeNumber(text, what, 1, 1_000_000_000);
}

/** The variable's value, undefined where it is not set or empty, and where there is no environment to ask, as in a browser. */
export function fromEnvironment(variable: keyof typeof VARIABLES): string | undefined {
  const { process: host } = globalThis as { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } };
  try {
    const value = host?.env?.[VARIABLES[variable]];
    return value === "" ? undefined : value;
  } catch {
    return undefined; // Deno throws where it was not allowed to look
  }
}
