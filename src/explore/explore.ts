/**
 * Many runs of one scenario under one strategy, and what they found.
 */
import { describeError, UsageError } from "../errors/errors.js";
import { detectQuiescence, freshSeed, type Quiescence, realNowMs } from "../loop/host.js";
import type { Uncontrolled } from "../loop/outside.js";
import { requireDuration, requireStrategy } from "../loop/require-options.js";
import { inMacrotask, SLICE_MS, takeTurn } from "../loop/run.js";
import { interceptStrays } from "../loop/strays.js";
import { requireSeed } from "../random/random.js";
import type { Schedule } from "../schedule/schedule.js";
import type { ReadyTask, Strategy } from "../schedule/strategy.js";
import { decodeSchedule, encodeSchedule } from "../schedule/token.js";
import { STRATEGY_NAMES, strategyNamed } from "../strategy/named.js";
import { recording } from "../strategy/recording.js";
import { DivergenceError, following, followingOrder } from "../strategy/replay.js";
import type { TraceEvent } from "../trace/trace.js";
import { CountingStrategy, picking } from "./counting.js";
import { MAX_RERUNS, minimise } from "./minimise.js";
import type { ExploreFailure, Outcome } from "./outcome.js";
import { type Scenario, type ScenarioEnd, ScenarioObserver, ScenarioRun } from "./scenario-run.js";

export interface ExploreOptions {
  /** Runs at most. Default 1,000. */
  readonly runs?: number;
  /** Seed of the strategy and of the program's own randomness. Default random; the outcome says it. */
  readonly seed?: number;
  /** Who decides which ready task runs next: a name (`fifo`, `random`, `seeded`) or a strategy. Default `"random"`. */
  readonly strategy?: string | Strategy;
  /** A run of more steps is a livelock. Default 10,000. */
  readonly maxSteps?: number;
  /** End with the first failure. Default true. */
  readonly stopOnFailure?: boolean;
  /** Make the first failure small. Default true. */
  readonly minimise?: boolean;
  /** Ends the exploration early; the outcome is `"stopped"`. */
  readonly signal?: AbortSignal;
  /** Called about every 10 ms of real time. */
  readonly onProgress?: (progress: { readonly runs: number; readonly failures: number; readonly distinct: number }) => void;
  /** Real milliseconds after which the exploration is stopped. Default: no limit. */
  readonly timeLimitMs?: number;
  /** See {@link RunOptions}. Default 20. */
  readonly idleGraceMs?: number;
}

const DEFAULT_RUNS = 1_000;
const DEFAULT_MAX_STEPS = 10_000;

/** Different schedules are counted exactly up to here, so that memory does not grow with the number of runs. */
const MAX_DISTINCT = 100_000;

/**
 * Runs a scenario many times, in an order of its own each time, and answers what that showed. A failure comes back with the smallest
 * failing order that was found, as a token for {@link replay}.
 *
 * Never rejects for what the scenario did. Throws UsageError for options that make no sense, and inside of a run.
 *
 * @example
 * const outcome = await explore(async ({ gather, sleep }) => {
 *   let balance = 100;
 *   const withdraw = async (amount: number) => {
 *     const before = balance;
 *     await sleep(0);
 *     balance = before - amount;
 *   };
 *   await gather(() => withdraw(10), () => withdraw(20));
 *   if (balance !== 70) throw new Error(`the balance is ${balance}`);
 * }, { seed: 7 });
 * outcome.status; // "failed"
 * @since 0.1.0
 */
export async function explore(scenario: Scenario, options: ExploreOptions = {}): Promise<Outcome> {
  requireOptions(scenario, options);
  const exploration = new Exploration(scenario, options);
  const release = await takeTurn("explore()");
  const putBack = interceptStrays((error) => {
    exploration.noteStray(error);
  });
  try {
    return await exploration.run();
  } finally {
    putBack();
    release();
  }
}

/**
 * Runs a scenario once, under a recorded schedule. The outcome's `status` is `"failed"` when it fails again; a program that left the
 * recorded schedule fails with kind `"divergence"`.
 *
 * Throws BadInputError for a token that is not whole, UsageError inside of a run.
 *
 * @example
 * const again = await replay(scenario, outcome.failure.schedule);
 * @since 0.1.0
 */
export async function replay(
  scenario: Scenario,
  token: string,
  options: Pick<ExploreOptions, "maxSteps" | "idleGraceMs"> = {},
): Promise<Outcome> {
  const schedule = decodeSchedule(token);
  const strategy = following(schedule);
  const once: ExploreOptions = { ...options, runs: 1, seed: schedule.seed, strategy, minimise: false };
  const outcome = await explore(scenario, once);
  if (outcome.status !== "passed") return outcome;
  try {
    strategy.requireComplete();
    return outcome;
  } catch (error) {
    const { seed, granularity, ioLatencyMs: slowestIoMs } = schedule;
    const failure: ExploreFailure = {
      kind: "divergence",
      error,
      run: 0,
      seed,
      schedule: token,
      original: token,
      granularity,
      slowestIoMs,
      trace: [],
    };
    return { ...outcome, status: "failed", failures: 1, failure };
  }
}

function requireOptions(scenario: unknown, options: ExploreOptions): void {
  if (typeof scenario !== "function") throw new UsageError(`explore: scenario must be a function, not ${String(scenario)}`);
  const { runs, maxSteps, seed, strategy, timeLimitMs, idleGraceMs } = options;
  for (const [name, value] of Object.entries({ runs, maxSteps })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new UsageError(`explore: ${name} must be a whole number, 1 or more, not ${String(value)}`);
    }
  }
  for (const [name, value] of Object.entries({ timeLimitMs, idleGraceMs })) requireDuration(value, `explore: ${name}`);
  if (seed !== undefined) requireSeed(seed);
  requireStrategy(strategy, "explore: strategy");
  if (typeof strategy === "string" && !STRATEGY_NAMES.includes(strategy)) {
    throw new UsageError(`explore: strategy ${JSON.stringify(strategy)} is not known; known are ${STRATEGY_NAMES.join(", ")}`);
  }
}

/** A run that failed, with all that is needed to judge whether another one fails in the same way. */
interface FailedRun {
  readonly end: Exclude<ScenarioEnd, { readonly kind: "passed" }>;
  readonly schedule: Schedule;
  readonly steps: readonly ReadyTask[];
  readonly trace: readonly TraceEvent[];
}

/** The first run that failed, as it was seen from afar. */
interface FirstFailure {
  readonly run: number;
  readonly picks: readonly number[];
  readonly end: FailedRun["end"];
}

class Exploration {
  readonly #scenario: Scenario;
  readonly #options: ExploreOptions;
  readonly #seed: number;
  readonly #strategy: Strategy;
  readonly #counting: CountingStrategy;
  readonly #startMs = realNowMs();
  #quiescence: Quiescence = "drain";
  #current: ScenarioRun | undefined = undefined;
  #runs = 0;
  #failures = 0;
  #isComplete = false;
  #isStopped = false;
  #uncontrolled: Uncontrolled | undefined = undefined;
  #first: FirstFailure | undefined = undefined;

  constructor(scenario: Scenario, options: ExploreOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#seed = options.seed ?? freshSeed();
    const { strategy = "random" } = options;
    this.#strategy = typeof strategy === "string" ? strategyNamed(strategy, this.#seed) : strategy;
    this.#counting = new CountingStrategy(this.#strategy, MAX_DISTINCT);
  }

  noteStray(error: unknown): void {
    this.#current?.noteStray(error);
  }

  async run(): Promise<Outcome> {
    await inMacrotask(() => {
      this.#quiescence = detectQuiescence();
    });
    while (!this.#isOver()) {
      const unfinished = await inMacrotask(() => this.#runSlice());
      if (unfinished !== undefined) {
        await unfinished.finish(() => this.#isOutOfTime());
        if (!unfinished.isAbandoned) this.#endRun(unfinished);
      }
      this.#options.onProgress?.({ runs: this.#runs, failures: this.#failures, distinct: this.#counting.distinct });
    }
    const failure = this.#first === undefined ? undefined : await this.#report(this.#first);
    return {
      status: this.#first !== undefined ? "failed" : this.#isStopped ? "stopped" : "passed",
      runs: this.#runs,
      failures: this.#failures,
      distinct: this.#counting.distinct,
      complete: this.#isComplete,
      failure,
      seed: this.#seed,
      uncontrolled: this.#uncontrolled,
    };
  }

  #isOver(): boolean {
    const { runs = DEFAULT_RUNS, stopOnFailure = true } = this.#options;
    if (this.#isComplete || this.#runs >= runs || (stopOnFailure && this.#failures > 0)) return true;
    this.#isStopped = this.#isOutOfTime();
    return this.#isStopped;
  }

  #isOutOfTime(): boolean {
    const { signal, timeLimitMs = Number.POSITIVE_INFINITY } = this.#options;
    return signal?.aborted === true || realNowMs() - this.#startMs >= timeLimitMs;
  }

  /** Makes runs until it is time to give way to the real event loop; answers a run that is not over yet. */
  #runSlice(): ScenarioRun | undefined {
    const { runs = DEFAULT_RUNS, stopOnFailure = true } = this.#options;
    const sliceEndMs = realNowMs() + SLICE_MS;
    do {
      if (!this.#counting.begin(this.#runs)) {
        this.#isComplete = true;
        return undefined;
      }
      const run = this.#newRun(this.#counting);
      this.#current = run;
      if (!run.start(this.#scenario, sliceEndMs)) return run;
      this.#endRun(run);
    } while (this.#runs < runs && !(stopOnFailure && this.#failures > 0) && realNowMs() < sliceEndMs);
    return undefined;
  }

  #endRun(run: ScenarioRun): void {
    const { end } = run;
    this.#counting.end({ run: this.#runs, failed: end.kind !== "passed", steps: run.loop.steps });
    this.#uncontrolled ??= run.uncontrolled;
    if (end.kind !== "passed") {
      this.#failures++;
      this.#first ??= { run: this.#runs, picks: this.#counting.picks, end };
    }
    this.#runs++;
    this.#current = undefined;
  }

  #newRun(strategy: Strategy, observer?: ScenarioObserver): ScenarioRun {
    const { maxSteps = DEFAULT_MAX_STEPS, idleGraceMs } = this.#options;
    return new ScenarioRun({
      strategy,
      seed: this.#seed,
      maxSteps,
      idleGraceMs,
      quiescence: this.#quiescence,
      ...(observer && { observer }),
    });
  }

  /** Runs the failing schedule again, with its names and places this time, and makes it small. */
  async #report(first: FirstFailure): Promise<ExploreFailure> {
    // A replay that left its schedule does so again only by following it again.
    const isDivergence = first.end.kind === "divergence";
    const original = await this.#runClosely(isDivergence ? this.#strategy : picking(first.picks, this.#counting.housekeeping), true);
    if (original === undefined || !isSameFailure(original.end, first.end)) return this.#leftItsSchedule(first, original);
    const smallest = this.#options.minimise === false || isDivergence ? original : await this.#minimised(original);
    return {
      kind: smallest.end.kind,
      error: smallest.end.error,
      run: first.run,
      seed: this.#seed,
      schedule: encodeSchedule(smallest.schedule),
      original: encodeSchedule(original.schedule),
      granularity: smallest.schedule.granularity,
      slowestIoMs: 0,
      trace: smallest.trace,
    };
  }

  async #minimised(original: FailedRun): Promise<FailedRun> {
    const attempt = async (strategy: Strategy, withSites = false): Promise<FailedRun | undefined> => {
      const run = await this.#runClosely(strategy, withSites, () => this.#isOutOfTime());
      return run !== undefined && isSameFailure(run.end, original.end) ? run : undefined;
    };
    let start: FailedRun = original;
    if (original.schedule.housekeeping === "inline") {
      // asyncio's own order may be what the failure hangs on; only if it fails without can it be made smaller.
      const eager = await attempt(followingOrder([]));
      if (eager === undefined) return original;
      start = eager;
    }
    // A livelock is as long as it may be in any order, and running it again and again takes the longest of all.
    if (original.end.kind === "livelock") return original;
    const { run } = await minimise(start, (strategy) => attempt(strategy), { maxReruns: MAX_RERUNS, isOver: () => this.#isOutOfTime() });
    return (await attempt(following(run.schedule), true)) ?? run;
  }

  /**
   * One run with all its names; undefined when it passed, or was given up because `isOver` said so. A failure that was seen already is
   * run to its end whatever the time, or it could not be told from one that does not come back.
   */
  async #runClosely(strategy: Strategy, withSites: boolean, isOver: () => boolean = () => false): Promise<FailedRun | undefined> {
    const recorded = recording(strategy);
    const observer = new ScenarioObserver(withSites && this.#quiescence === "drain");
    const run = this.#newRun(recorded, observer);
    recorded.begin(0);
    this.#current = run;
    const isEnded = await inMacrotask(() => run.start(this.#scenario, realNowMs() + SLICE_MS));
    if (!isEnded) await run.finish(isOver);
    this.#current = undefined;
    if (run.isAbandoned) return undefined;
    const { end } = run;
    if (end.kind === "passed") return undefined;
    const schedule: Schedule = {
      version: 1,
      seed: this.#seed,
      granularity: "event",
      ioLatencyMs: 0,
      housekeeping: run.loop.housekeeping,
      decisions: recorded.decisions,
    };
    return { end, schedule, steps: observer.steps, trace: observer.trace };
  }

  /** The same picks did not fail in the same way again: the scenario is not a function of its schedule. */
  #leftItsSchedule(first: FirstFailure, again: FailedRun | undefined): ExploreFailure {
    const error = new DivergenceError(first.picks.length, undefined, undefined);
    error.message = [
      `run ${first.run} failed with ${describeError(first.end.error)}, and the same decisions made again ended with ${again === undefined ? "no failure" : describeError(again.end.error)}.`,
      "Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run.",
    ].join("\n");
    error.cause = first.end.error;
    const empty = encodeSchedule({
      version: 1,
      seed: this.#seed,
      granularity: "event",
      ioLatencyMs: 0,
      housekeeping: this.#counting.housekeeping,
      decisions: [],
    });
    const token = again === undefined ? empty : encodeSchedule(again.schedule);
    return {
      kind: "divergence",
      error,
      run: first.run,
      seed: this.#seed,
      schedule: token,
      original: token,
      granularity: "event",
      slowestIoMs: 0,
      trace: again?.trace ?? [],
    };
  }
}

/** Same kind and same message, numbers aside: data may differ from order to order where the defect is the same. */
function isSameFailure(a: FailedRun["end"], b: FailedRun["end"]): boolean {
  const signature = ({ kind, error }: FailedRun["end"]): string => (kind === "error" ? describeError(error).replaceAll(/\d+/g, "#") : kind);
  return a.kind === b.kind && signature(a) === signature(b);
}
