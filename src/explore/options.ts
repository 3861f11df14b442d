/**
 * What an exploration can be told.
 */
import { BadInputError, describeValue, UsageError } from "../errors/errors.js";
import { requireDuration, requireStrategy } from "../loop/require-options.js";
import { requireSeed } from "../random/random.js";
import type { Granularity } from "../schedule/schedule.js";
import type { Strategy } from "../schedule/strategy.js";
import { strategyNamed } from "../strategy/named.js";
import type { Coverage } from "./coverage.js";
import { requireLatency } from "./latency.js";
import type { ScenarioEnd } from "./scenario-run.js";

/** How far an exploration has come. */
export interface ExploreProgress {
  readonly runs: number;
  readonly failures: number;
  /** Different schedules so far. */
  readonly distinct: number;
  readonly coverage: Coverage;
}

export interface ExploreOptions {
  /** Runs at most. Default 1,000; no limit for a strategy that comes to an end by itself, as `exhaustive` and `dpor` do. */
  readonly runs?: number;
  /** Seed of the strategy and of the program's own randomness. Default random; the outcome says it. */
  readonly seed?: number;
  /**
   * Who decides which ready task runs next: a name (`portfolio`, `random`, `pct`, `pos`, `urw`, `delay`, `laggards`, `exhaustive`, `dpor`, `fifo`,
   * `seeded`), some with a number behind a colon (`pct:5`), or a strategy. Default `"portfolio"`.
   */
  readonly strategy?: string | Strategy;
  /**
   * What is permuted. `"event"`, the default: what the outside world orders; microtasks keep the order that the language gives them, so whatever fails can
   * happen in production. `"await"`: also every await of instrumented code and every callback of a promise, which finds code whose correctness hangs on
   * the number of microtask turns. A failure found there is tried again at the event grain, and says which it needs.
   */
  readonly granularity?: Granularity;
  /**
   * How long an I/O gate may be held back, in virtual milliseconds. Of a list each run is made under one, drawn by the seed; `exhaustive`, `dpor` and
   * `delay` take the largest, which covers the orders of all. Default 10.
   */
  readonly ioLatencyMs?: number | readonly number[];
  /** How many I/O gates may settle in one step. Default 3. */
  readonly maxBatch?: number;
  /** A run of more steps is a livelock. Default 10,000. */
  readonly maxSteps?: number;
  /**
   * A task that is ready must run after it was passed over so many times, where the strategy does not see to that by itself. Default 250;
   * Infinity leaves it to the strategy.
   */
  readonly starvationBound?: number;
  /**
   * Whether the scenario tells all that it shares, through `env.shared` and the library's own locks, queues and futures. Then a step that
   * touches nothing of it is independent of all others. Default false: such a step may have done anything.
   */
  readonly tracked?: boolean;
  /** End with the first failure. Default true. */
  readonly stopOnFailure?: boolean;
  /** Make the first failure small, and find out what its order is about. Default true. */
  readonly minimise?: boolean;
  /**
   * Have `Math.random`, `crypto.randomUUID` and their like draw from the seed inside of the scenario, the same in every run. Default true;
   * false leaves them alone, and then no replay is promised for a scenario that asks them.
   */
  readonly seedRandom?: boolean;
  /**
   * Look at the first run whether the scenario can be explored: one that has a single order is refused, and the run is made twice, to see
   * whether the scenario is a function of its schedule. Default true.
   */
  readonly selfCheck?: boolean;
  /** Ends the exploration early; the outcome is `"stopped"`. */
  readonly signal?: AbortSignal;
  /** Called about every 10 ms of real time. */
  readonly onProgress?: (progress: ExploreProgress) => void;
  /** Called after each run with how it ended, and as what it counts among the different ones. It must not throw. */
  readonly onRun?: (end: ScenarioEnd, seen: SeenRun) => void;
  /** Real milliseconds after which the exploration is stopped. Default: no limit. */
  readonly timeLimitMs?: number;
  /**
   * A step of more real milliseconds is stopped, whatever it does, and ends its run as a livelock. Default 2,000; Infinity never stops one.
   */
  readonly hardLimitMs?: number;
  /**
   * Find out which timers, intervals and gates the scenario leaves behind: those of the first run that does are in `outcome.leaks`. Default
   * false: they are dropped without a word.
   */
  readonly detectLeaks?: boolean;
  /** See {@link RunOptions}. Default 20. */
  readonly idleGraceMs?: number;
}

/** Which schedule, and which class of equivalent ones, a run was of: hashes that are the same for the same in every exploration of a program. */
export interface SeenRun {
  readonly schedule: Hash;
  /** Undefined where steps are not tracked. */
  readonly runClass: Hash | undefined;
}

/** Two whole numbers; the high one of a schedule is below 2^21, all others below 2^32. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

/** What heddle's own command asks for besides. @internal */
export interface CommandOptions extends ExploreOptions {
  /** The name of the main task. Default `"main"`. */
  readonly mainName?: string | undefined;
  /** Whether it is all right for the program to come to its end in one step. Default false: something is missing then. */
  readonly mayBeOneStep?: boolean | undefined;
}

/** Real milliseconds. */
export const DEFAULT_HARD_LIMIT_MS = 2_000;
export const DEFAULT_STRATEGY = "portfolio";
export const DEFAULT_RUNS = 1_000;
export const DEFAULT_MAX_STEPS = 10_000;

/** Throws UsageError for what makes no sense. */
export function requireOptions(scenario: unknown, options: ExploreOptions): void {
  if (typeof scenario !== "function") throw new UsageError(`explore: scenario must be a function, not ${String(scenario)}`);
  const { runs, maxSteps, maxBatch, starvationBound, seed, strategy, granularity, timeLimitMs, idleGraceMs, hardLimitMs, ioLatencyMs } =
    options;
  for (const [name, value] of Object.entries({ runs, maxSteps, maxBatch, starvationBound })) {
    const isBoundless = value === Number.POSITIVE_INFINITY && name !== "maxSteps";
    if (value !== undefined && !isBoundless && (!Number.isSafeInteger(value) || value < 1)) {
      throw new UsageError(`explore: ${name} must be a whole number, 1 or more, not ${String(value)}`);
    }
  }
  for (const [name, value] of Object.entries({ timeLimitMs, idleGraceMs })) requireDuration(value, `explore: ${name}`);
  if (hardLimitMs !== undefined && hardLimitMs !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(hardLimitMs) || hardLimitMs < 1)) {
    throw new UsageError(`explore: hardLimitMs must be a whole number of milliseconds, 1 or more, not ${describeValue(hardLimitMs)}`);
  }
  requireLatency(ioLatencyMs, "explore: ioLatencyMs");
  if (granularity !== undefined && !["event", "await"].includes(granularity)) {
    throw new UsageError(`explore: granularity must be "event" or "await", not ${describeValue(granularity)}`);
  }
  if (seed !== undefined) requireSeed(seed);
  requireStrategy(strategy, "explore: strategy");
  if (typeof strategy === "string") requireStrategyName(strategy);
}

function requireStrategyName(name: string): void {
  try {
    strategyNamed(name, 0);
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    throw new UsageError(`explore: ${error.message}`); // a text that came from outside elsewhere is an argument here
  }
}
