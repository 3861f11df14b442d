/**
 * The options of a test that explores: heddle's beside those of vitest, and where those come from that the test does not give itself.
 */
import { inject, type TestOptions } from "vitest";
import { BadInputError, describeValue, UsageError } from "../errors/errors.js";
import { fromEnvironment, parseRuns, parseSeed, VARIABLES } from "../explore/environment.js";
import { type ExploreOptions, requireOptions } from "../explore/options.js";
import { freshSeed } from "../loop/host.js";
import { strategyNamed } from "../strategy/named.js";

/** What every test may be told about its exploration. */
export type ExplorationOptions = Omit<ExploreOptions, "signal">;

/** vitest's own options of a test. */
export type RunnerOptions = Omit<TestOptions, "shuffle">;

/** heddle's options and vitest's in one object, because none has the name of another. */
export type ExploreTestOptions = ExplorationOptions & RunnerOptions;

/** Those of {@link ExplorationOptions} that survive the way from a configuration file to a worker. */
export type ProvidedOptions = Omit<ExplorationOptions, "strategy" | "onProgress" | "onRun"> & { readonly strategy?: string };

declare module "vitest" {
  interface ProvidedContext {
    /** Options for all tests that explore: `provide: { heddle: { runs: 200 } }` in the configuration. */
    heddle?: ProvidedOptions;
  }
}

/** All of heddle's, so that the compiler says when there is a new one. */
const NAMES: { readonly [name in keyof Required<ExplorationOptions>]: true } = {
  runs: true,
  seed: true,
  strategy: true,
  granularity: true,
  ioLatencyMs: true,
  maxBatch: true,
  maxSteps: true,
  starvationBound: true,
  tracked: true,
  stopOnFailure: true,
  minimise: true,
  selfCheck: true,
  timeLimitMs: true,
  idleGraceMs: true,
  hardLimitMs: true,
  seedRandom: true,
  detectLeaks: true,
  onProgress: true,
  onRun: true,
};

/** What {@link configureExplore} was told last, in the only field. */
const configured: { options: ExplorationOptions } = { options: {} };

/**
 * Options for all tests that explore, for a setup file of vitest (`setupFiles`). What a test says itself goes before, and the environment's
 * variables before both. A second call adds to the first.
 *
 * Throws UsageError for options that make no sense.
 *
 * @example
 * // vitest.setup.ts
 * import { configureExplore } from "heddle/vitest";
 * configureExplore({ runs: 200, strategy: "pct" });
 * @since 0.3.0
 */
export function configureExplore(options: ExplorationOptions): void {
  requireKnown(options, "configureExplore");
  configured.options = { ...configured.options, ...options };
}

/** The options of a test as it gave them, heddle's apart from vitest's. */
export function splitOptions(options: ExploreTestOptions): {
  readonly exploration: ExplorationOptions;
  readonly runner: RunnerOptions;
} {
  const mine: [string, unknown][] = [];
  const rest: [string, unknown][] = [];
  for (const entry of Object.entries(options)) (isName(entry[0]) ? mine : rest).push(entry);
  return { exploration: Object.fromEntries(mine), runner: Object.fromEntries(rest) };
}

/** The options of one exploration, and its seed, which is drawn where nobody gave one. Throws UsageError and BadInputError that name what is wrong. */
export function resolveOptions(own: ExplorationOptions): ExplorationOptions & { readonly seed: number } {
  const runs = fromEnvironment("runs");
  const seed = fromEnvironment("seed");
  const strategy = fromEnvironment("strategy");
  const resolved = {
    ...provided(),
    ...configured.options,
    ...own,
    ...(runs !== undefined && { runs: parseRuns(runs, VARIABLES.runs) }),
    ...(seed !== undefined && { seed: parseSeed(seed, VARIABLES.seed) }),
    ...(strategy !== undefined && { strategy: requireStrategyOfEnvironment(strategy) }),
  };
  return { ...resolved, seed: resolved.seed ?? freshSeed() };
}

function provided(): ExplorationOptions {
  const options: unknown = inject("heddle");
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new UsageError(`provide.heddle: must be an object with options of explore(), not ${describeValue(options)}`);
  }
  requireKnown(options, "provide.heddle");
  return options;
}

function requireKnown(options: ExplorationOptions, what: string): void {
  for (const name of Object.keys(options)) {
    if (!isName(name)) throw new UsageError(`${what}: ${name} is no option of an exploration; known are ${Object.keys(NAMES).join(", ")}`);
  }
  try {
    requireOptions(() => undefined, options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message.replace(/^explore: /, `${what}: `), { cause: error });
  }
}

function requireStrategyOfEnvironment(strategy: string): string {
  try {
    strategyNamed(strategy, 0);
    return strategy;
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    throw new BadInputError(`${VARIABLES.strategy}: ${error.message}`, { cause: error });
  }
}

function isName(name: string): boolean {
  return Object.hasOwn(NAMES, name);
}
