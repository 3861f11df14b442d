/**
 * Makes runs of one scenario under the settings of an exploration: from afar for the search, and closely for whatever is looked into.
 */
import { findHotPlace, hardLimit } from "../intercept/hard-limit.js";
import type { Placement } from "../intercept/replacement.js";
import { countRealIo, detectQuiescence, type Quiescence, realNowMs } from "../loop/host.js";
import { inMacrotask, SLICE_MS } from "../loop/run.js";
import { isOwn, relativeSite } from "../loop/site.js";
import type { TakeOver } from "../loop/taken-over.js";
import { Tracker } from "../loop/tracker.js";
import type { RecordedDecision, Schedule } from "../schedule/schedule.js";
import type { StepRecord, Strategy } from "../schedule/strategy.js";
import { recording } from "../strategy/recording.js";
import type { TraceEvent } from "../trace/trace.js";
import type { FailedRun, IoSites } from "./failed-run.js";
import { LatencyBounds } from "./latency.js";
import { type CommandOptions, DEFAULT_HARD_LIMIT_MS, DEFAULT_MAX_STEPS } from "./options.js";
import { type Scenario, type ScenarioEnd, ScenarioObserver, ScenarioRun } from "./scenario-run.js";

/** A run that was looked at closely. */
export interface CloseRun {
  readonly end: ScenarioEnd;
  readonly steps: readonly StepRecord[];
  readonly trace: readonly TraceEvent[];
  readonly schedule: Schedule;
  readonly slowestIoMs: number;
  /** What it has left behind; see {@link ScenarioRun.leaks}. */
  readonly leaks: readonly string[];
  /** Whether a step would not come to its end and was stopped. */
  readonly isHung: boolean;
  readonly ioSites: IoSites;
  readonly runClass: Tracker["runClass"] | undefined;
}

/** How closely a run is looked at, and under which bound. */
export interface CloseOptions {
  /** Find the places in the source, which costs far more than the steps. Default false. */
  readonly withSites?: boolean;
  /** Asked now and then; true gives the run up. Default: never. */
  readonly isOver?: () => boolean;
  /** Default: the largest of the exploration. */
  readonly ioLatencyMs?: number | undefined;
  /** Told of randomness that is asked and left alone, with its place. */
  readonly onUnseeded?: (what: string) => void;
  /** Real milliseconds that a slice may take. Default: that of the exploration. */
  readonly hardLimitMs?: number;
  /** Where the step goes on for ever that ends the run. Default: unknown. */
  readonly hotPlace?: string | undefined;
}

/** What one run has of its own. */
interface BeginOptions extends Pick<CloseOptions, "ioLatencyMs" | "onUnseeded" | "hotPlace"> {
  readonly observer?: ScenarioObserver | undefined;
}

export class ScenarioRunner {
  readonly seed: number;
  readonly #scenario: Scenario;
  /** Whether a run has waited for something outside of the loop. */
  #mayBeOutside = false;
  readonly #options: CommandOptions;
  /** Real milliseconds that a slice may take. */
  readonly hardLimitMs: number;
  /** Calls work that may take no longer. */
  readonly limit: ReturnType<typeof hardLimit>;
  readonly #latency: LatencyBounds;
  #takeOver: TakeOver;
  #platform: Placement | undefined = undefined;
  #quiescence: Quiescence = "drain";
  #tracker: Tracker | undefined;
  #current: ScenarioRun | undefined = undefined;

  constructor(scenario: Scenario, options: CommandOptions, seed: number, { tracks = false, isSystematic = false }: Partial<Strategy>) {
    this.#scenario = scenario;
    this.#options = options;
    this.seed = seed;
    this.#latency = new LatencyBounds(options.ioLatencyMs, seed, isSystematic);
    this.#tracker = tracks ? new Tracker() : undefined;
    this.hardLimitMs = options.hardLimitMs ?? DEFAULT_HARD_LIMIT_MS;
    this.limit = hardLimit(this.hardLimitMs);
    this.#takeOver = { seed: options.seedRandom === false ? undefined : seed, realIoBefore: countRealIo() };
  }

  /** Who knows what steps touch; undefined as long as nothing is shared and no strategy asks. */
  get tracker(): Tracker | undefined {
    return this.#tracker;
  }

  /** Finds out how a step is brought to its end in this runtime. `platform` has the platform's functions in place for all runs. */
  async prepare(platform?: Placement): Promise<void> {
    this.#platform = platform;
    await inMacrotask(() => {
      this.#quiescence = detectQuiescence();
      // Not when the exploration was asked for: others may have had their turn since.
      this.#takeOver = { ...this.#takeOver, realIoBefore: countRealIo() };
    });
  }

  /** A stray rejection or exception is that of the run that is under way. */
  noteStray(error: unknown, promise?: object): void {
    this.#current?.noteStray(error, promise);
  }

  /** A stray rejection of that run is handled after all. */
  noteHandled(promise: object): void {
    this.#current?.noteHandled(promise);
  }

  /** The next run of the search. */
  beginNext(strategy: Strategy, observer?: ScenarioObserver): ScenarioRun {
    this.#latency.begin();
    return this.begin(strategy, { observer, ioLatencyMs: this.#latency.current });
  }

  /** How long gates may be held back in the run of the search that was begun last. */
  get ioLatencyMs(): number {
    return this.#latency.current;
  }

  /** A new run, the one that is under way from now on. */
  begin(strategy: Strategy, { observer, ioLatencyMs = this.#latency.largest, onUnseeded, hotPlace }: BeginOptions = {}): ScenarioRun {
    const { mainName, maxSteps = DEFAULT_MAX_STEPS, idleGraceMs, maxBatch, granularity, tracked = false } = this.#options;
    this.#current = new ScenarioRun({
      strategy,
      seed: this.seed,
      maxSteps,
      idleGraceMs,
      granularity,
      ioLatencyMs,
      maxBatch,
      quiescence: this.#quiescence,
      mainName,
      tracker: this.#tracker,
      takeOver: onUnseeded === undefined ? this.#takeOver : { ...this.#takeOver, onUnseeded },
      platform: this.#platform,
      limit: this.limit,
      hardLimitMs: this.hardLimitMs,
      hotPlace,
      isTracked: tracked,
      noteShared: this.#noteShared,
      mayBeOutside: this.#mayBeOutside,
      ...(observer && { observer }),
    });
    return this.#current;
  }

  /** What is shared is worth to be tracked: from the next run on, because of this one the begin is lost. */
  readonly #noteShared = (): void => {
    this.#tracker ??= new Tracker();
  };

  /** Starts the run that was begun; answers whether it is over by `sliceEndMs`. */
  start(run: ScenarioRun, sliceEndMs: number): boolean {
    return run.start(this.#scenario, sliceEndMs);
  }

  /** The run is over. */
  end(run: ScenarioRun): void {
    this.#current = undefined;
    if (run.uncontrolled !== undefined) this.#mayBeOutside = true;
    run.restorePlatform();
  }

  /** One run with all its names; undefined when it was given up. */
  async runClosely(
    strategy: Strategy,
    { withSites = false, isOver = () => false, ioLatencyMs, onUnseeded, hardLimitMs, hotPlace }: CloseOptions = {},
  ): Promise<CloseRun | undefined> {
    const recorded = recording(strategy);
    const observer = new ScenarioObserver(withSites && this.#quiescence === "drain");
    recorded.begin(0);
    const run = this.begin(recorded, { observer, ioLatencyMs, hotPlace, ...(onUnseeded && { onUnseeded }) });
    const isTracking = run.loop.tracker !== undefined;
    const limit = hardLimitMs === undefined ? this.limit : hardLimit(hardLimitMs);
    const started = await inMacrotask(() => {
      const first = limit(() => this.start(run, realNowMs() + SLICE_MS));
      if (!first.isOver) run.stop();
      return first;
    });
    if (started.isOver && !started.value) await run.finish(isOver);
    this.end(run);
    if (run.isAbandoned) return undefined;
    return {
      end: run.end,
      steps: observer.steps,
      trace: observer.trace,
      schedule: this.scheduleOf(recorded.decisions, run.loop.housekeeping, ioLatencyMs),
      slowestIoMs: run.loop.slowestIoMs,
      leaks: run.leaks,
      isHung: run.isHung,
      ioSites: observer.ioSites,
      runClass: isTracking ? this.#tracker?.runClass : undefined,
    };
  }

  /**
   * Where the step goes on for ever that ends the run of `strategy`, found out by watching it for a while. Undefined where nobody can tell.
   */
  async findHotPlace(strategy: Strategy, hardLimitMs: number): Promise<string | undefined> {
    const recorded = recording(strategy);
    recorded.begin(0);
    const run = this.begin(recorded);
    const limit = hardLimit(hardLimitMs);
    const place = await inMacrotask(() =>
      findHotPlace(() => {
        if (!limit(() => this.start(run, Number.POSITIVE_INFINITY)).isOver) run.stop();
      }, isOwn),
    );
    this.end(run);
    return run.isHung && place !== undefined ? relativeSite(place) : undefined;
  }

  /** The same for a run that failed; undefined also when it passed. */
  async failClosely(strategy: Strategy, options: CloseOptions = {}): Promise<FailedRun | undefined> {
    const run = await this.runClosely(strategy, options);
    if (run === undefined) return undefined;
    const { end } = run;
    return end.kind === "passed" ? undefined : { ...run, end };
  }

  /** Everything that a replay of these decisions needs. */
  scheduleOf(
    decisions: readonly RecordedDecision[],
    housekeeping: Schedule["housekeeping"],
    ioLatencyMs = this.#latency.largest,
  ): Schedule {
    const { granularity = "event", maxSteps, maxBatch } = this.#options;
    return {
      version: 1,
      seed: this.seed,
      granularity,
      ioLatencyMs,
      housekeeping,
      ...(maxSteps !== undefined && { maxSteps }),
      ...(maxBatch !== undefined && { maxBatch }),
      decisions,
    };
  }
}
