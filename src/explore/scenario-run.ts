/**
 * One run of a scenario.
 */
import { gather } from "../combine/gather.js";
import { describeError } from "../errors/errors.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop, type LoopObserver } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import type { Handle } from "../loop/handle.js";
import { onNextMacrotask, type Quiescence } from "../loop/host.js";
import { io } from "../loop/io.js";
import type { Uncontrolled } from "../loop/outside.js";
import { Reaction } from "../loop/reaction.js";
import { continueDriving } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { findSite } from "../loop/site.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Tracker } from "../loop/tracker.js";
import { Wait } from "../loop/wait.js";
import { Random } from "../random/random.js";
import type { Granularity } from "../schedule/schedule.js";
import type { StepRecord, Strategy } from "../schedule/strategy.js";
import { shared } from "../shared/shared.js";
import { DivergenceError } from "../strategy/replay.js";
import type { TraceEvent } from "../trace/trace.js";
import type { FailureKind } from "./outcome.js";

/** What a scenario is handed. Its functions are those of the package, bound to nothing, so they can be taken apart. */
export interface ScenarioEnv {
  readonly sleep: typeof sleep;
  readonly gather: typeof gather;
  readonly createTask: typeof createTask;
  /** A call to the outside world, which the scheduler answers when it likes. See {@link io}. */
  readonly io: typeof io;
  /**
   * The same object, seen through: what each step reads and writes of it is known, so that strategies tell orders that differ from orders
   * that only look different, and reports name what was read and written.
   */
  readonly shared: typeof shared;
  /** Registers what must hold after every step: false, or what it throws, fails the run at once. It must not wait for anything. */
  readonly invariant: (holds: () => unknown) => void;
  /** A pending future, with a name for reports. */
  readonly createFuture: <T = unknown>(name?: string) => Future<T>;
  /** Virtual milliseconds since the run began. */
  readonly time: () => number;
  /** The program's own randomness: seeded once per exploration, the same in every run. */
  readonly random: Random;
}

class Environment implements ScenarioEnv {
  readonly #seed: number;
  readonly #noteShared: () => void;
  #random: Random | undefined = undefined;

  constructor(seed: number, noteShared: () => void) {
    this.#seed = seed;
    this.#noteShared = noteShared;
  }

  // Getters and no fields, because there is an environment for each run, and short runs are many.
  get sleep(): typeof sleep {
    return sleep;
  }

  get gather(): typeof gather {
    return gather;
  }

  get createTask(): typeof createTask {
    return createTask;
  }

  get io(): typeof io {
    return io;
  }

  get invariant(): typeof addInvariant {
    return addInvariant;
  }

  get createFuture(): typeof createFuture {
    return createFuture;
  }

  get time(): typeof currentTime {
    return currentTime;
  }

  /** Whoever asks for it shares something, and his steps are worth to be tracked. */
  get shared(): typeof shared {
    this.#noteShared();
    return shared;
  }

  /** Seeding costs as much as a short run, so only programs that draw pay for it. */
  get random(): Random {
    return (this.#random ??= new Random(this.#seed, "program"));
  }
}

function addInvariant(holds: () => unknown): void {
  getRunningLoop("invariant()").addInvariant(holds);
}

function createFuture<T>(name?: string): Future<T> {
  return getRunningLoop("createFuture()").createFuture<T>(name);
}

function currentTime(): number {
  return getRunningLoop("time()").time();
}

/** A program to be explored: it builds its own objects, and throws when something is wrong. */
export type Scenario = (env: ScenarioEnv) => unknown;

/** How a run of a scenario ended; the value is what it returned. */
export type ScenarioEnd = { readonly kind: "passed"; readonly value: unknown } | { readonly kind: FailureKind; readonly error: unknown };

export interface ScenarioRunOptions {
  readonly strategy: Strategy;
  readonly seed: number;
  readonly maxSteps: number;
  readonly idleGraceMs: number | undefined;
  readonly quiescence: Quiescence;
  /** The name of the main task. Default `"main"`. */
  readonly mainName: string | undefined;
  readonly granularity: Granularity | undefined;
  readonly ioLatencyMs: number | undefined;
  readonly maxBatch: number | undefined;
  /** Who is told what each step touches, if anybody is. */
  readonly tracker: Tracker | undefined;
  /** Whether a step that tells nothing has touched nothing. */
  readonly isTracked: boolean;
  /** Called when the scenario begins to share something. */
  readonly noteShared: () => void;
  /** Follows the run closely; costs much more than the run itself. */
  readonly observer?: ScenarioObserver;
}

/** A scenario under way. Started in a macrotask, it usually ends in the same one. */
export class ScenarioRun {
  readonly loop: EventLoop;
  readonly #options: ScenarioRunOptions;
  #stray: { readonly error: unknown; readonly promise: object | undefined } | undefined;
  /** The rejections that nobody has handled so far. */
  #rejected: Map<object, unknown> | undefined = undefined;

  constructor(options: ScenarioRunOptions) {
    this.#options = options;
    const { strategy, maxSteps, idleGraceMs, observer, granularity, ioLatencyMs, maxBatch, tracker, isTracked } = options;
    tracker?.begin(isTracked);
    this.loop = new EventLoop({
      strategy,
      maxSteps,
      idleGraceMs,
      observer,
      granularity,
      ioLatencyMs,
      maxBatch,
      tracker,
      slowStepMs: Number.POSITIVE_INFINITY,
      sites: observer?.withSites === true,
    });
    observer?.follow(this.loop);
    // What a background task throws and nobody retrieves is the rejection that nobody handles.
    this.loop.setExceptionHandler((_loop, context) => {
      if ("exception" in context) this.noteStray(context.exception);
    });
  }

  /** Runs until it is over or `sliceEndMs`; answers whether it is over. */
  start(scenario: Scenario, sliceEndMs: number): boolean {
    const { seed, quiescence, noteShared, mainName } = this.#options;
    this.loop.start(() => scenario(new Environment(seed, noteShared)), quiescence, mainName);
    return this.loop.advance(sliceEndMs) === "ended";
  }

  /** Goes on with a run that was not over, in as many macrotasks as it takes, until it is over or `isOver` says that it is enough. */
  finish(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      onNextMacrotask(() => {
        continueDriving(this.loop, resolve, isOver);
      });
    });
  }

  /** Whether it was given up before its end. */
  get isAbandoned(): boolean {
    return this.loop.completion === undefined;
  }

  /** A rejection, whose `promise` it is, or an exception that nobody handled, and that happened while this run was under way. */
  noteStray(error: unknown, promise?: object): void {
    this.#stray ??= { error, promise };
    if (promise !== undefined) (this.#rejected ??= new Map<object, unknown>()).set(promise, error);
  }

  /**
   * It is handled after all. At the await grain the turns in which it was not are steps, in which there is time to be told of it, and which no
   * program is to be blamed for.
   */
  noteHandled(promise: object): void {
    this.#rejected?.delete(promise);
    if (this.#stray?.promise !== promise) return;
    const [next] = this.#rejected ?? [];
    this.#stray = next && { promise: next[0], error: next[1] };
  }

  get end(): ScenarioEnd {
    const { completion } = this.loop;
    if (completion?.kind === "strategy") {
      if (completion.error instanceof DivergenceError) return { kind: "divergence", error: completion.error };
      throw completion.error;
    }
    if (completion !== undefined && completion.kind !== "result") return { kind: completion.kind, error: completion.error };
    return this.#stray === undefined
      ? { kind: "passed", value: completion?.value }
      : { kind: "unhandledRejection", error: this.#stray.error };
  }

  get uncontrolled(): Uncontrolled | undefined {
    return this.loop.uncontrolled;
  }
}

/** Writes down the steps of a run, each with the place in the source where it goes on. */
export class ScenarioObserver implements LoopObserver {
  readonly steps: StepRecord[] = [];
  readonly trace: TraceEvent[] = [];
  /** Whether it looks for places in the source, which costs far more than the steps. */
  readonly withSites: boolean;
  #loop: EventLoop | undefined;

  constructor(withSites: boolean) {
    this.withSites = withSites;
  }

  follow(loop: EventLoop): void {
    this.#loop = loop;
  }

  stepEnded(step: StepRecord): void {
    this.steps.push(step);
  }

  running(handle: Handle): void {
    if (handle.isHousekeeping) return;
    const { name, operation } = handle;
    const t = this.#loop?.time() ?? 0;
    if (handle.kind === "gate") {
      this.trace.push({ t, task: name, op: operation, name: "io", phase: "end" });
      return;
    }
    if (handle instanceof Reaction) {
      const { site } = handle;
      this.trace.push({ t, task: name, op: operation, name: "reaction", phase: "end", ...(site !== undefined && { site }) });
      return;
    }
    if (!(handle instanceof Wait)) {
      this.trace.push({ t, task: name, phase: "begin" });
      return;
    }
    const site = this.withSites ? findSite(handle) : undefined;
    this.trace.push({ t, task: name, op: operation, name: "step", phase: "start", ...(site !== undefined && { site }) });
  }

  taskDone(task: Task): void {
    const error = task.state === "cancelled" ? "CancelledError" : task.state === "failed" ? describeError(task.peekException()) : undefined;
    this.trace.push({ t: this.#loop?.time() ?? 0, task: task.getName(), phase: "finish", ...(error !== undefined && { error }) });
  }
}
