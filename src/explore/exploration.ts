/**
 * The search: run after run under one strategy, until a failure is found, nothing is left to try, or it is enough.
 */

import { InternalError } from "../errors/errors.js";
import { freshSeed, realNowMs } from "../loop/host.js";
import type { Uncontrolled } from "../loop/outside.js";
import { inMacrotask, SLICE_MS } from "../loop/run.js";
import type { Tracker } from "../loop/tracker.js";
import type { StepRecord, Strategy } from "../schedule/strategy.js";
import { fair } from "../strategy/fair.js";
import { strategyNamed } from "../strategy/named.js";
import { Audit } from "./audit.js";
import { CountingStrategy } from "./counting.js";
import { type Coverage, CoverageCounter } from "./coverage.js";
import type { FailedEnd } from "./failed-run.js";
import { DEFAULT_RUNS, DEFAULT_STRATEGY, type ExploreOptions, type ExploreProgress } from "./options.js";
import type { ExploreFailure } from "./outcome.js";
import { ScenarioRunner } from "./runner.js";
import { type Scenario, type ScenarioEnd, ScenarioObserver, type ScenarioRun } from "./scenario-run.js";

/** A run that failed, as the search has seen it from afar. */
export interface FailureSeen {
  readonly run: number;
  readonly picks: readonly number[];
  readonly housekeeping: "inline" | "eager";
  readonly ioLatencyMs: number;
  readonly end: FailedEnd;
  /** Whether a step of it would not come to its end. */
  readonly isHung: boolean;
}

/** A run that left something behind. */
export interface LeakingRun {
  readonly picks: readonly number[];
  readonly housekeeping: "inline" | "eager";
  readonly leaks: readonly string[];
}

/** The first run, for the self-check. */
export interface FirstRun {
  readonly picks: readonly number[];
  readonly housekeeping: "inline" | "eager";
  readonly ioLatencyMs: number;
  readonly steps: readonly StepRecord[];
  readonly end: ScenarioEnd;
  /** False where its class is not known, although those of later ones will be. */
  readonly hasClass: boolean;
  /** Why nothing can be said of the scenario, though the run passed. */
  readonly mistake: string | undefined;
}

export class Exploration {
  readonly runner: ScenarioRunner;
  readonly strategy: Strategy;
  readonly #options: ExploreOptions;
  readonly #isWanted: (end: FailedEnd) => boolean;
  readonly #maxRuns: number;
  readonly #counting: CountingStrategy;
  readonly #audit: Audit | undefined;
  readonly #coverage = new CoverageCounter();
  readonly #startMs = realNowMs();
  #runs = 0;
  #failures = 0;
  #isComplete = false;
  #isStopped = false;
  #isRefuted = false;
  /** The run that was started last. */
  #current: ScenarioRun | undefined = undefined;
  /** Follows the first run. */
  #observer: ScenarioObserver | undefined = undefined;
  #uncontrolled: Uncontrolled | undefined = undefined;
  #untracked: string | undefined = undefined;
  #first: FirstRun | undefined = undefined;
  #firstFailure: FailureSeen | undefined = undefined;
  #leaking: LeakingRun | undefined = undefined;

  /** Failures that `isWanted` does not answer true for count as none. */
  constructor(scenario: Scenario, options: ExploreOptions, isWanted: (end: FailedEnd) => boolean = () => true) {
    this.#options = options;
    this.#isWanted = isWanted;
    const { starvationBound } = options;
    const seed = options.seed ?? freshSeed();
    const strategy = strategyFor(options, seed);
    this.runner = new ScenarioRunner(scenario, options, seed, strategy);
    const isLeftAlone = strategy.isFair === true || starvationBound === Number.POSITIVE_INFINITY;
    this.strategy = isLeftAlone ? strategy : fair(strategy, starvationBound === undefined ? {} : { starvationBound });
    this.#maxRuns = options.runs ?? (strategy.isSystematic === true ? Number.POSITIVE_INFINITY : DEFAULT_RUNS);
    const isAudited = strategy.tracks === true && strategy.isSystematic === true;
    this.#audit = isAudited ? new Audit(seed) : undefined;
    this.#counting = new CountingStrategy(this.strategy, this.#audit && ((step) => this.#audit?.note(step)));
  }

  get runs(): number {
    return this.#runs;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Whether the strategy has nothing left to try, and has left nothing out. */
  get isComplete(): boolean {
    return this.#isComplete && this.strategy.leavesOut !== true && !this.#isRefuted;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get uncontrolled(): Uncontrolled | undefined {
    return this.#uncontrolled;
  }

  /** The first step that may have done anything, although steps are tracked and others were ready. */
  get untracked(): string | undefined {
    return this.#untracked;
  }

  /** The first run that left something behind, if that is looked for. */
  get leaking(): LeakingRun | undefined {
    return this.#leaking;
  }

  get firstFailure(): FailureSeen | undefined {
    return this.#firstFailure;
  }

  get coverage(): Coverage {
    return this.#coverage.summary(this.runner.tracker?.pairs, this.strategy);
  }

  /** How different schedules were seen. */
  get progress(): ExploreProgress {
    return { runs: this.#runs, failures: this.#failures, distinct: this.#coverage.schedules.count, coverage: this.coverage };
  }

  /** Real milliseconds until the time limit. */
  get remainingMs(): number {
    const { timeLimitMs = Number.POSITIVE_INFINITY } = this.#options;
    return Math.max(0, timeLimitMs - (realNowMs() - this.#startMs));
  }

  isOutOfTime(): boolean {
    return this.#options.signal?.aborted === true || this.remainingMs <= 0;
  }

  /** The class of the first run, which was not tracked when it was made, because nobody knew yet that something is shared. */
  addClassOfFirst(runClass: NonNullable<Tracker["runClass"]>): void {
    this.#coverage.classes.add(runClass.high >>> 11, runClass.low);
  }

  /** Makes the runs. `onFirst` is called after the first; a failure that it answers ends the search, and is answered. */
  async search(onFirst: (first: FirstRun) => Promise<ExploreFailure | undefined>): Promise<ExploreFailure | undefined> {
    while (!this.#isOver()) {
      const unfinished = await inMacrotask(() => this.#runLimitedSlice());
      if (unfinished !== undefined) {
        await unfinished.finish(() => this.isOutOfTime());
        if (!unfinished.isAbandoned) this.#endRun(unfinished);
      }
      const first = this.#first;
      this.#first = undefined;
      const failure = first && (await onFirst(first));
      if (failure !== undefined) return failure;
      this.#options.onProgress?.(this.progress);
    }
    return undefined;
  }

  /** Tries orders that should be equivalent to some that were run; those that are not show that the search may have missed some. */
  async audit(): Promise<void> {
    if (!this.isComplete) return;
    const refuted = await this.#audit?.findDifference(this.runner, () => this.isOutOfTime());
    if (refuted === undefined) return;
    this.#isRefuted = true;
    this.#untracked = refuted;
  }

  #isOver(): boolean {
    const { stopOnFailure = true } = this.#options;
    if (this.#isComplete || this.#runs >= this.#maxRuns || (stopOnFailure && this.#failures > 0)) return true;
    this.#isStopped = this.isOutOfTime();
    return this.#isStopped;
  }

  /** The same, and what would never give way is stopped. */
  #runLimitedSlice(): ScenarioRun | undefined {
    const slice = this.runner.limit(() => this.#runSlice());
    if (slice.isOver) return slice.value;
    const run = this.#current;
    if (run === undefined) throw new InternalError("something else than a run of the scenario did not come to its end");
    run.stop();
    this.#endRun(run);
    return undefined;
  }

  /** Makes runs until it is time to give way to the real event loop; answers a run that is not over yet. */
  #runSlice(): ScenarioRun | undefined {
    const { stopOnFailure = true } = this.#options;
    const sliceEndMs = realNowMs() + SLICE_MS;
    do {
      if (!this.#counting.begin(this.#runs)) {
        this.#isComplete = true;
        return undefined;
      }
      this.#audit?.begin();
      const isFirst = this.#runs === 0;
      this.#observer = isFirst ? new ScenarioObserver(false) : undefined;
      const run = this.runner.beginNext(this.#counting, this.#observer);
      this.#current = run;
      if (!this.runner.start(run, sliceEndMs)) return run;
      this.#endRun(run);
      if (isFirst) return undefined;
    } while (this.#runs < this.#maxRuns && !(stopOnFailure && this.#failures > 0) && realNowMs() < sliceEndMs);
    return undefined;
  }

  #endRun(run: ScenarioRun): void {
    this.runner.end(run);
    const { end } = run;
    const { ioLatencyMs } = this.runner;
    const { schedule } = this.#counting;
    const isCutOff = end.kind === "livelock" || end.kind === "starvation";
    const { tracker, housekeeping } = run.loop;
    this.#counting.end({ run: this.#runs, failed: end.kind !== "passed", steps: run.loop.steps, isCutOff });
    // In asyncio's own order the library's handles have steps' places, and the classes are others.
    if (tracker !== undefined) this.#audit?.end({ end, runClass: tracker.runClass });
    const runClass = housekeeping === "eager" ? tracker?.runClass : undefined;
    this.#coverage.add(schedule, runClass);
    this.#uncontrolled ??= run.uncontrolled;
    this.#untracked ??= tracker?.untracked;
    if (this.#observer !== undefined) {
      const hasClass = tracker !== undefined || this.runner.tracker === undefined || housekeeping === "inline";
      this.#first = {
        picks: this.#counting.picks,
        housekeeping,
        ioLatencyMs,
        steps: this.#observer.steps,
        end,
        hasClass,
        mistake: run.mistake,
      };
    }
    if (this.#options.detectLeaks === true && this.#leaking === undefined && end.kind === "passed" && run.leaks.length > 0) {
      this.#leaking = { picks: this.#counting.picks, housekeeping, leaks: run.leaks };
    }
    if (end.kind !== "passed" && this.#isWanted(end)) {
      this.#failures++;
      this.#firstFailure ??= { run: this.#runs, picks: this.#counting.picks, housekeeping, ioLatencyMs, end, isHung: run.isHung };
    }
    this.#runs++;
    this.#options.onRun?.(end, { schedule, runClass });
  }
}

function strategyFor({ strategy = DEFAULT_STRATEGY }: ExploreOptions, seed: number): Strategy {
  return typeof strategy === "string" ? strategyNamed(strategy, seed) : strategy;
}
