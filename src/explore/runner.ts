/**
 * Makes runs of one scenario under the settings of an exploration: from afar for the search, and closely for whatever is looked into.
 */
import { IO_LATENCY_MS } from "../loop/event-loop.js";
import { detectQuiescence, type Quiescence, realNowMs } from "../loop/host.js";
import { inMacrotask, SLICE_MS } from "../loop/run.js";
import { Tracker } from "../loop/tracker.js";
import type { RecordedDecision, Schedule } from "../schedule/schedule.js";
import type { StepRecord, Strategy } from "../schedule/strategy.js";
import { recording } from "../strategy/recording.js";
import type { TraceEvent } from "../trace/trace.js";
import type { FailedRun } from "./failed-run.js";
import { type CommandOptions, DEFAULT_MAX_STEPS } from "./options.js";
import { type Scenario, type ScenarioEnd, ScenarioObserver, ScenarioRun } from "./scenario-run.js";

/** A run that was looked at closely. */
export interface CloseRun {
  readonly end: ScenarioEnd;
  readonly steps: readonly StepRecord[];
  readonly trace: readonly TraceEvent[];
  readonly schedule: Schedule;
  readonly slowestIoMs: number;
  readonly runClass: Tracker["runClass"] | undefined;
}

/** How closely a run is looked at, and under which bound. */
export interface CloseOptions {
  /** Find the places in the source, which costs far more than the steps. Default false. */
  readonly withSites?: boolean;
  /** Asked now and then; true gives the run up. Default: never. */
  readonly isOver?: () => boolean;
  /** Default: that of the exploration. */
  readonly ioLatencyMs?: number | undefined;
}

export class ScenarioRunner {
  readonly seed: number;
  readonly #scenario: Scenario;
  readonly #options: CommandOptions;
  #quiescence: Quiescence = "drain";
  #tracker: Tracker | undefined;
  #current: ScenarioRun | undefined = undefined;

  constructor(scenario: Scenario, options: CommandOptions, seed: number, tracks: boolean) {
    this.#scenario = scenario;
    this.#options = options;
    this.seed = seed;
    this.#tracker = tracks ? new Tracker() : undefined;
  }

  /** Who knows what steps touch; undefined as long as nothing is shared and no strategy asks. */
  get tracker(): Tracker | undefined {
    return this.#tracker;
  }

  /** Finds out how a step is brought to its end in this runtime. */
  async prepare(): Promise<void> {
    await inMacrotask(() => {
      this.#quiescence = detectQuiescence();
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

  /** A new run, the one that is under way from now on. */
  begin(strategy: Strategy, observer?: ScenarioObserver, ioLatencyMs = this.#options.ioLatencyMs): ScenarioRun {
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
      isTracked: tracked,
      noteShared: this.#noteShared,
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
  end(): void {
    this.#current = undefined;
  }

  /** One run with all its names; undefined when it was given up. */
  async runClosely(
    strategy: Strategy,
    { withSites = false, isOver = () => false, ioLatencyMs }: CloseOptions = {},
  ): Promise<CloseRun | undefined> {
    const recorded = recording(strategy);
    const observer = new ScenarioObserver(withSites && this.#quiescence === "drain");
    recorded.begin(0);
    const run = this.begin(recorded, observer, ioLatencyMs);
    const isTracking = run.loop.tracker !== undefined;
    const isEnded = await inMacrotask(() => this.start(run, realNowMs() + SLICE_MS));
    if (!isEnded) await run.finish(isOver);
    this.end();
    if (run.isAbandoned) return undefined;
    return {
      end: run.end,
      steps: observer.steps,
      trace: observer.trace,
      schedule: this.scheduleOf(recorded.decisions, run.loop.housekeeping, ioLatencyMs),
      slowestIoMs: run.loop.slowestIoMs,
      runClass: isTracking ? this.#tracker?.runClass : undefined,
    };
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
    ioLatencyMs = this.#options.ioLatencyMs ?? IO_LATENCY_MS,
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
