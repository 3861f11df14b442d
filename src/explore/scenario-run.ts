/**
 * One run of a scenario.
 */
import { gather } from "../combine/gather.js";
import { describeError, describeValue, UsageError } from "../errors/errors.js";
import type { hardLimit } from "../intercept/hard-limit.js";
import type { Placement } from "../intercept/replacement.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop, type LoopObserver } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { Gate } from "../loop/gate.js";
import type { Handle } from "../loop/handle.js";
import { onNextMacrotask, type Quiescence } from "../loop/host.js";
import { io } from "../loop/io.js";
import { NativeTimer } from "../loop/native-timer.js";
import type { Uncontrolled } from "../loop/outside.js";
import { Reaction } from "../loop/reaction.js";
import { gate } from "../loop/real-gate.js";
import { continueDriving } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { captureStack, findSite, sitesOfStack } from "../loop/site.js";
import { sleep } from "../loop/sleep.js";
import type { TakeOver } from "../loop/taken-over.js";
import type { Task } from "../loop/task.js";
import { isThenable } from "../loop/thenable.js";
import type { Tracker } from "../loop/tracker.js";
import { Wait } from "../loop/wait.js";
import { wrap } from "../loop/wrap.js";
import { Random } from "../random/random.js";
import { formatReadyTask, type Granularity } from "../schedule/schedule.js";
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
  /** Real work, whose completion the scheduler orders. See {@link gate}. */
  readonly gate: typeof gate;
  /** A client whose calls reach the other side and are answered when the scheduler likes. See {@link wrap}. */
  readonly wrap: typeof wrap;
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

  get gate(): typeof gate {
    return gate;
  }

  get wrap(): typeof wrap {
    return wrap;
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
  readonly takeOver: TakeOver;
  /** Has the platform's functions in place, and sees whether the scenario changed them. */
  readonly platform: Placement | undefined;
  /** Stands around every slice of the run. */
  readonly limit: ReturnType<typeof hardLimit>;
  readonly hardLimitMs: number;
  /** Where a step is known to go on for ever. */
  readonly hotPlace: string | undefined;
  /** Whether a step that tells nothing has touched nothing. */
  readonly isTracked: boolean;
  /** Called when the scenario begins to share something. */
  readonly noteShared: () => void;
  /** Whether an earlier run has waited for something outside of the loop. */
  readonly mayBeOutside: boolean;
  /** Follows the run closely; costs much more than the run itself. */
  readonly observer?: ScenarioObserver;
}

/** What a run may end with after an exception that nobody handles, and is then not what it is known by. */
const OUTDONE_BY_STRAYS: ReadonlySet<string> = new Set(["result", "deadlock", "livelock", "starvation"]);

/** So many are named, as which ones fake timers replace may differ from run to run, and the error is to be the same. */
const MAX_NAMED = 3;

function changedPlatformError(changed: readonly string[], frozen: readonly string[]): UsageError {
  const more = changed.length > MAX_NAMED ? `, and ${changed.length - MAX_NAMED} more,` : "";
  return new UsageError(
    `the scenario replaced ${changed.slice(0, MAX_NAMED).join(", ")}${more} and did not put ${changed.length === 1 ? "it" : "them"} back. ` +
      "Inside of explore() timers, clocks and randomness are virtual already: leave out fake timers and the like, or restore them before the scenario ends." +
      (frozen.length === 0 ? "" : ` It has frozen ${frozen.join(", ")} as well, so the rest of this process is without.`),
  );
}

const withSite = (what: string, site: string | undefined): string => (site === undefined ? what : `${what} at ${site}`);

/** A scenario under way. Started in a macrotask, it usually ends in the same one. */
export class ScenarioRun {
  readonly loop: EventLoop;
  /** Whether a step of it would not come to its end. */
  isHung = false;
  readonly #options: ScenarioRunOptions;
  #stray: { readonly error: unknown; readonly promise: object | undefined } | undefined;
  /** The rejections that nobody has handled so far. */
  #rejected: Map<object, unknown> | undefined = undefined;
  #returned: { readonly value: unknown } | undefined;
  #changedPlatform: UsageError | undefined;

  constructor(options: ScenarioRunOptions) {
    this.#options = options;
    const { strategy, maxSteps, idleGraceMs, observer, granularity, ioLatencyMs, maxBatch, tracker, isTracked, takeOver, mayBeOutside } =
      options;
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
      takeOver,
      slowStepMs: Number.POSITIVE_INFINITY,
      sites: observer?.withSites === true,
      watchOutside: observer?.withSites === true && mayBeOutside,
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
    const main = (): unknown => {
      const result = scenario(new Environment(seed, noteShared));
      this.#returned = { value: result };
      return result;
    };
    this.loop.start(main, quiescence, mainName);
    return this.loop.advance(sliceEndMs) === "ended";
  }

  /** Goes on with a run that was not over, in as many macrotasks as it takes, until it is over or `isOver` says that it is enough. */
  finish(isOver: () => boolean): Promise<void> {
    const { limit } = this.#options;
    return new Promise((resolve) => {
      onNextMacrotask(() => {
        continueDriving(this.loop, resolve, isOver, (sliceEndMs) => {
          const advanced = limit(() => this.loop.advance(sliceEndMs));
          if (advanced.isOver) return advanced.value;
          this.stop();
          return "ended";
        });
      });
    });
  }

  /**
   * Why nothing can be said of a scenario that passes like this: it cannot be permuted at all. Undefined where it can.
   */
  get mistake(): string | undefined {
    if (this.#returned !== undefined && !isThenable(this.#returned.value)) {
      return (
        `the scenario must be an async function, or return a promise: it returned ${describeValue(this.#returned.value)}, ` +
        "and whatever it had started was dropped"
      );
    }
    const isPermuted = this.loop.steps > 1 || this.uncontrolled !== undefined || this.leaks.length > 0;
    return isPermuted
      ? undefined
      : "the scenario came to its end in its first step, without waiting for anything, so there is one order only. " +
          "Usually an await is missing, or the I/O of the code under test is not handed in through env.io(); " +
          'where microtasks are all that it waits for, granularity "await" permutes them';
  }

  /** What it has left behind, each with its place where that is known. */
  get leaks(): readonly string[] {
    const timers = this.loop.pendingNativeTimers().map(({ name, site }) => withSite(name, site));
    const gates = this.loop.openGates.map(({ name, operation, site }) => withSite(`io ${formatReadyTask({ name, operation })}`, site));
    return [...timers, ...gates].sort();
  }

  /** Its step was stopped by the hard limit, in the middle of anything. */
  stop(): void {
    this.isHung = true;
    this.loop.endAsStopped(this.#options.hardLimitMs, this.#options.hotPlace);
  }

  /**
   * Has the platform's functions as they were before the run, which may have put something in their place: that would reach into all runs
   * that follow.
   */
  restorePlatform(): void {
    const { platform } = this.#options;
    const changed = platform?.findChanged() ?? [];
    if (changed.length === 0) return;
    const frozen = platform?.restore() ?? [];
    this.#changedPlatform ??= changedPlatformError(changed, frozen);
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
    if (this.#changedPlatform !== undefined) throw this.#changedPlatform;
    // An exception that nobody handles ends a process; what the rest of the run then waits for in vain is not what went wrong.
    const isOutdone = completion !== undefined && OUTDONE_BY_STRAYS.has(completion.kind);
    if (this.#stray !== undefined && isOutdone) return { kind: "unhandledRejection", error: this.#stray.error };
    if (completion !== undefined && completion.kind !== "result") return { kind: completion.kind, error: completion.error };
    return { kind: "passed", value: completion?.value };
  }

  get uncontrolled(): Uncontrolled | undefined {
    return this.loop.uncontrolled;
  }
}

/** So many of the calls that lead to an I/O gate are kept: whoever opens it is often an adapter of the test's. */
const MAX_CALLS = 4;

/** Writes down the steps of a run, each with the place in the source where it goes on. */
export class ScenarioObserver implements LoopObserver {
  readonly steps: StepRecord[] = [];
  readonly trace: TraceEvent[] = [];
  /** Whether it looks for places in the source, which costs far more than the steps. */
  readonly withSites: boolean;
  #loop: EventLoop | undefined;
  /** The calls in the program by which each gate was opened, the innermost first, by its label and number, `load@2`. */
  readonly ioSites: Record<string, readonly string[]> = {};

  constructor(withSites: boolean) {
    this.withSites = withSites;
  }

  follow(loop: EventLoop): void {
    this.#loop = loop;
  }

  stepEnded(step: StepRecord): void {
    this.steps.push(step);
  }

  /** A gate is opened by a call, and who waits for it may be a native promise that tells nothing; so the call is its place. */
  queued(handle: Handle): void {
    if (!this.withSites || handle.kind !== "gate") return;
    this.ioSites[formatReadyTask(handle)] = sitesOfStack(captureStack(), MAX_CALLS);
  }

  running(handle: Handle): void {
    if (handle.isHousekeeping) return;
    const { name, operation } = handle;
    const t = this.#loop?.time() ?? 0;
    if (handle.kind === "gate") {
      const site = handle instanceof Gate ? handle.site : undefined;
      this.trace.push({ t, task: name, op: operation, name: "io", phase: "end", ...(site !== undefined && { site }) });
      return;
    }
    if (handle instanceof NativeTimer) {
      const site = handle.site;
      this.trace.push({ t, task: name, op: operation, name: "timer", phase: "end", ...(site !== undefined && { site }) });
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
