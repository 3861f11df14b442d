/**
 * The event loop: what a program asks of it, and one place where a step is run.
 *
 * Everything that can run next is a handle on the {@link Agenda}; the {@link Lifecycle} says when the run is over. A run is a pure
 * function of the program and the decisions.
 *
 * Invariants:
 * - Callbacks are called in {@link EventLoop.#runStep} alone; everything else only queues them.
 * - The running-loop pointer is set only inside {@link EventLoop.advance}, and between its calls where something outside of the loop
 *   may resume code of the program.
 *
 * It is longer than other files here because it is asyncio's interface and the step together, which share all of their state.
 */
import { UsageError } from "../errors/errors.js";
import type { Granularity } from "../schedule/schedule.js";
import type { Housekeeping, StepRecord, Strategy } from "../schedule/strategy.js";
import { Agenda } from "./agenda.js";
import { DeadlockError, describeWaiting } from "./deadlock.js";
import { type ExceptionContext, type ExceptionHandler, ExceptionReports } from "./exception-reports.js";
import { Future } from "./future.js";
import { Gate, GateBatch, type GateBody } from "./gate.js";
import { CallbackHandle, type Handle, TimerHandle } from "./handle.js";
import {
  drainMicrotasks,
  hasRealIoBeyond,
  hasRequestUnderWay,
  nameRealIo,
  type Quiescence,
  type RealIo,
  raiseUncaught,
  realNowMs,
} from "./host.js";
import { inspectKey } from "./inspect.js";
import { Ledger } from "./ledger.js";
import { type Completion, Lifecycle } from "./lifecycle.js";
import { EndlessWatch, LivelockError, StarvationError } from "./livelock.js";
import { NativeTimer } from "./native-timer.js";
import { OutsideWatch, type Uncontrolled } from "./outside.js";
import { Reaction, Reactions } from "./reaction.js";
import { findRunningLoop, setRunningLoop } from "./running.js";
import { captureStack, findSite, siteOfStack } from "./site.js";
import { requireDelay } from "./sleep.js";
import { StepInvariants } from "./step-invariants.js";
import { StepTimer } from "./step-timer.js";
import { TakenOver, type TakeOver } from "./taken-over.js";
import { Task, type TaskBody, takeBody } from "./task.js";
import { TaskList } from "./task-list.js";
import type { TrackedStep, Tracker } from "./tracker.js";
import { Wait } from "./wait.js";

/** Follows a run from outside, for traces and audits. It must not touch the loop. */
export interface LoopObserver {
  /** A handle joined the ready queue. */
  queued?(handle: Handle): void;
  /** A handle is about to run; `ready` counts it and the others that were ready. */
  running?(handle: Handle, ready: number): void;
  /** A step of a task is about to run its function for the first time. */
  taskBegins?(task: Task): void;
  taskDone?(task: Task): void;
  /** A step is over, with all that the library did for it. */
  stepEnded?(step: StepRecord): void;
}

export interface EventLoopOptions {
  /** Who decides which ready task runs next. Default: asyncio's own order. */
  readonly strategy?: Strategy | undefined;
  /** A run of more steps ends as a livelock. Default: no bound. */
  readonly maxSteps?: number | undefined;
  /** How long, in real milliseconds, a run that waits for something outside the loop may see nothing arrive. Default 20. */
  readonly idleGraceMs?: number | undefined;
  /** A step of more real milliseconds is named in the warnings. Default 100; Infinity looks at no clock at all. */
  readonly slowStepMs?: number | undefined;
  /** Find out where in the source tasks await, in deadlocks and for what is outside. Default: in deadlocks. */
  readonly sites?: boolean | undefined;
  /** Watch from the start for what comes from outside, which costs more than the steps. Default: where places are found out. @internal */
  readonly watchOutside?: boolean | undefined;
  readonly observer?: LoopObserver | undefined;
  /** How long an I/O gate may be held back, in virtual milliseconds. Default 10. */
  readonly ioLatencyMs?: number | undefined;
  /** How many I/O gates may settle in one step. Default 3. */
  readonly maxBatch?: number | undefined;
  /** Who is told what each step touches. Default: nobody. @internal */
  readonly tracker?: Tracker | undefined;
  /** Take over native timers, clocks and randomness, where they are intercepted. Default: leave them alone. @internal */
  readonly takeOver?: TakeOver | undefined;
  /** `"await"` makes awaits of instrumented code, and promise reactions where they are taken over, steps of their own. Default `"event"`. @internal */
  readonly granularity?: Granularity | undefined;
}

/** How long a gate may be held back where nothing else is said, in virtual milliseconds. */
export const IO_LATENCY_MS = 10;

/** How many gates may settle in one step where nothing else is said. */
const MAX_BATCH = 3;

export interface TaskOptions {
  /** Stands in schedules, traces and reports. Default: `Task-` and a number. */
  readonly name?: string | undefined;
  /** Cancels the task when it is aborted, with the message of its reason. Default: nothing does. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link EventLoop.advance} left behind: the run is over, wants to go on, must hop, or waits for something outside. */
export type Progress = "ended" | "pausing" | "hop" | "outside";

const runHandle = (handle: Handle): void => {
  handle.run();
};

/** Both together, field by field, because spreading two objects costs as much as a short step. */
function recordOf({ name, operation, kind, chain, step, timeMs, ready }: StepRecord, { id, footprint, causes }: TrackedStep): StepRecord {
  return { name, operation, kind, chain, step, timeMs, ready, id, footprint, causes };
}

/** After so many looks at the clock in one step a millisecond has passed. Code that only stamps what it does comes nowhere near. */
const READS_PER_MS = 1_000;

/** A real timer that takes longer than this is not waited for. */
const LONGEST_EXPECTED_MS = 5_000;

/** Immediates that set immediates are not followed for ever after the end. */
const MAX_IMMEDIATES_AFTER_END = 100;

/** How often a loop that times no steps looks at the real clock, in steps. */
const LOOK_AT_CLOCK_EVERY = 64;

/**
 * An event loop under virtual time. Most programs need only {@link run}.
 *
 * @example
 * const loop = new EventLoop({ strategy: random(7) });
 * await runUntilComplete(loop, main);
 * @since 0.1.0
 */
export class EventLoop {
  readonly #options: EventLoopOptions;
  readonly #strategy: Strategy | undefined;
  readonly #observer: LoopObserver | undefined;
  readonly #maxSteps: number;
  readonly #agenda: Agenda;
  readonly #lifecycle: Lifecycle;
  readonly #tasks = new TaskList();
  readonly #reports = new ExceptionReports();
  readonly #ledger = new Ledger();
  readonly #stepTimer: StepTimer | undefined;
  /** Beyond this step the run is watched for circles. */
  readonly #watchFromStep: number;
  #endless: EndlessWatch | undefined = undefined;
  readonly #recordsSteps: boolean;
  /** What each step touches is told here, by whatever is touched. @internal */
  readonly tracker: Tracker | undefined;
  /** What the run has of the platform, if it has taken it over. @internal */
  readonly takenOver: TakenOver | undefined;
  #immediatesAfterEnd = 0;
  /** How much real I/O was under way before the run, if it has taken over the platform. */
  readonly #realIoBefore: RealIo | undefined;
  /** Whether it has waited for real I/O in vain, so that time may pass all the same. */
  #isTired = false;
  #clockReads = 0;
  /** The step of which these were. */
  #clockReadAt = 0;
  #outsideUntilMs = 0;
  /** Where awaits and promise reactions become steps; undefined at the event grain. @internal */
  readonly reactions: Reactions | undefined;
  #invariants: StepInvariants | undefined = undefined;
  #gatesOpened: Map<string, number> | undefined = undefined;
  #futuresCreated = 0;
  #callbacksCreated = 0;

  #quiescence: Quiescence = "drain";
  #currentTask: Task | undefined = undefined;
  #isStepOpen = false;
  /** What the strategy is told of the running step at its end, if it asks. */
  #stepRecord: StepRecord | undefined = undefined;
  /** The handle whose step waits for a hop to end it. */
  #stepToClose: Handle | undefined = undefined;
  #watch: OutsideWatch | undefined = undefined;
  #uncontrolled: Uncontrolled | undefined = undefined;
  /** The gate that was chosen and whose real work is not done: nothing else runs until it is. */
  #chosen: Handle | undefined = undefined;
  /** Who may be waiting for something outside; that it was so is known only when something comes. */
  #suspect: Task | undefined = undefined;

  constructor(options: EventLoopOptions = {}) {
    const { strategy, observer, maxSteps = Number.POSITIVE_INFINITY, slowStepMs = 100, maxBatch = MAX_BATCH, tracker, takeOver } = options;
    this.#options = options;
    this.#strategy = strategy;
    this.#observer = observer;
    this.#maxSteps = maxSteps;
    this.tracker = tracker;
    this.takenOver = takeOver && new TakenOver(takeOver);
    this.#realIoBefore = takeOver?.realIoBefore;
    this.reactions = options.granularity === "await" ? new Reactions(this, options.sites === true) : undefined;
    this.#recordsSteps = strategy?.observe !== undefined || observer?.stepEnded !== undefined;
    this.#watchFromStep = EndlessWatch.fromStep(maxSteps);
    const { ioLatencyMs = IO_LATENCY_MS } = options;
    this.#agenda = new Agenda(this, { strategy, tracker, maxBatch, spareMs: ioLatencyMs });
    this.#lifecycle = new Lifecycle(this, this.#agenda.housekeeping === "inline");
    this.#stepTimer = slowStepMs === Number.POSITIVE_INFINITY ? undefined : new StepTimer(slowStepMs);
  }

  /** Virtual milliseconds since the run began. */
  time(): number {
    return this.#agenda.nowMs;
  }

  /**
   * The same for code of the program that believes to read a real clock. A step that reads it again and again waits for it to go on, as a
   * busy loop does, and then it does. @internal
   */
  readClock(): number {
    if (this.#clockReadAt !== this.steps) {
      this.#clockReadAt = this.steps;
      this.#clockReads = 0;
    }
    if (++this.#clockReads % READS_PER_MS === 0) this.#agenda.passOneMs();
    return this.time();
  }

  /** How many steps have run. */
  get steps(): number {
    return this.#agenda.steps;
  }

  /** Queues `callback(...args)` for a step of its own. */
  callSoon<Args extends readonly unknown[]>(callback: (...args: Args) => unknown, ...args: Args): CallbackHandle {
    const noteCancelled = (): void => {
      this.#agenda.noteCancelledHandle();
    };
    const handle = new CallbackHandle(callback.name, () => callback(...args), this.nextCallbackNumber(), noteCancelled);
    this.enqueue(handle);
    return handle;
  }

  /** Calls `callback(...args)` after `delayMs` of virtual time. Throws UsageError unless that is a whole number, 0 or more. */
  callLater<Args extends readonly unknown[]>(delayMs: number, callback: (...args: Args) => unknown, ...args: Args): TimerHandle {
    requireDelay(delayMs, "callLater: delayMs");
    return this.callAt(this.time() + delayMs, callback, ...args);
  }

  /**
   * Calls `callback(...args)` at the virtual time `whenMs`, or soon when that has passed. Timers fire in order of time, and of
   * creation where the times are equal. Throws UsageError unless `whenMs` is a whole number, 0 or more.
   */
  callAt<Args extends readonly unknown[]>(whenMs: number, callback: (...args: Args) => unknown, ...args: Args): TimerHandle {
    requireDelay(whenMs, "callAt: whenMs");
    const timer = new TimerHandle(callback.name, () => callback(...args), this.nextCallbackNumber(), whenMs);
    this.addTimer(whenMs, timer);
    return timer;
  }

  /** A pending future. Its name stands in deadlock reports; the default is its number. */
  createFuture<T = unknown>(name = `future ${this.#futuresCreated + 1}`): Future<T> {
    this.#futuresCreated++;
    return new Future<T>(this, name);
  }

  /**
   * Makes a task of a function or a coroutine. Nothing of it runs before the caller suspends.
   *
   * Throws UsageError for a promise, which has started already: pass the function, not its call.
   */
  createTask<T>(body: TaskBody<T>, { name, signal }: TaskOptions = {}): Task<T> {
    const task = this.#makeTask(takeBody(body, "createTask"), name);
    if (signal !== undefined) task.cancelOn(signal);
    return task;
  }

  #makeTask<T>(call: () => PromiseLike<T> | T, name: string | undefined): Task<T> {
    const task = new Task<T>(this, call, name ?? this.#tasks.created + 1);
    this.#tasks.add(task);
    return task;
  }

  /**
   * Opens a gate, which the scheduler settles by calling `settle` (or, where it decides so, `fail`) in a step of its own: at the latest when the
   * clock would go beyond `maxMs` milliseconds from now, by default the loop's latency bound.
   */
  openGate(label: string, body: GateBody, maxMs: number = this.#options.ioLatencyMs ?? IO_LATENCY_MS): void {
    const occurrence = ((this.#gatesOpened ??= new Map<string, number>()).get(label) ?? 0) + 1;
    this.#gatesOpened.set(label, occurrence);
    const gate = new Gate(label, occurrence, this.time(), maxMs, this.currentTask(), body);
    if (this.#options.sites === true) gate.site = siteOfStack(captureStack(), /^\s*at /);
    this.#observer?.queued?.(gate);
    this.tracker?.queued(gate);
    this.#agenda.openGate(gate);
  }

  /**
   * Sets a native timer that fires after `delayMs` of virtual time, or an immediate where that is undefined, in a step of its own: not permuted
   * with its like, but with all else that is ready then. `name` stands in schedules; `knownSite` is where it was set, if that is no call of now. @internal
   */
  setNativeTimer(name: string, operation: string, delayMs: number | undefined, fire: () => void, knownSite?: string): NativeTimer {
    const site = knownSite ?? (this.#options.sites === true ? siteOfStack(captureStack(), /^\s*at /) : undefined);
    const timer = new NativeTimer({ name, operation }, { opener: this.currentTask(), site }, () => {
      this.#agenda.noteNativeTimerOver();
      fire();
    });
    this.#observer?.queued?.(timer);
    if (this.tracker !== undefined) {
      this.tracker.queued(timer);
      if (delayMs !== undefined) this.tracker.touchTimer(this.time() + delayMs);
    }
    if (delayMs === undefined) this.#agenda.addImmediate(timer);
    else this.#agenda.addTimer(this.time() + delayMs, timer);
    return timer;
  }

  /** @internal */
  cancelNativeTimer(timer: NativeTimer): void {
    if (!timer.cancel()) return;
    this.#agenda.noteNativeTimerOver();
    this.#agenda.noteCancelledHandle();
  }

  /** Says whether `timer` keeps the run alive. @internal */
  setNativeTimerRef(timer: NativeTimer, isRef: boolean): void {
    timer.isRef = isRef;
    if (!isRef) this.#agenda.noteUnref();
  }

  /** The native timers and immediates that are still to fire, as `setInterval(50)`, those left out that keep nothing alive. @internal */
  pendingNativeTimers(): readonly NativeTimer[] {
    return this.#agenda.nativeTimers().filter(({ isRef }) => isRef);
  }

  /** The gates that were opened and are not settled. @internal */
  get openGates(): readonly Gate[] {
    return this.#agenda.openGates;
  }

  /** Calls `holds` after every step from now on: false, or what it throws, ends the run as a broken invariant. */
  addInvariant(holds: () => unknown): void {
    this.#invariants ??= new StepInvariants(this.tracker);
    this.#invariants.add(holds);
  }

  /** How long the gate was open that was held back longest, in virtual milliseconds. */
  get slowestIoMs(): number {
    return this.#agenda.slowestIoMs;
  }

  /** The task whose step is running, if one is. */
  currentTask(): Task | undefined {
    return this.#watch?.findCallingTask() ?? this.#currentTask;
  }

  /** The tasks that are not done, in order of creation. */
  allTasks(): readonly Task[] {
    return this.#tasks.pending();
  }

  /** Sets who is told of exceptions that nobody handles; undefined restores the default, which warns. */
  setExceptionHandler(handler: ExceptionHandler | undefined): void {
    this.#reports.handler = handler;
  }

  getExceptionHandler(): ExceptionHandler | undefined {
    return this.#reports.handler;
  }

  /** Adds the exception to the warnings of the run. */
  defaultExceptionHandler(context: ExceptionContext): void {
    this.#reports.warn(context);
  }

  /** Reports something that went wrong and that nobody awaits. A handler that throws is reported too, and stops nothing. */
  callExceptionHandler(context: ExceptionContext): void {
    this.#reports.report(this, context);
  }

  isRunning(): boolean {
    return findRunningLoop() === this;
  }

  isClosed(): boolean {
    return this.#lifecycle.phase === "ended";
  }

  /** What the run has to complain of: exceptions never retrieved, coroutines never awaited, slow steps. */
  get warnings(): readonly string[] {
    return this.#reports.warnings;
  }

  /** Set when the run had to wait for something outside of the loop, so that its replay is not promised. */
  get uncontrolled(): Uncontrolled | undefined {
    return this.#uncontrolled;
  }

  [inspectKey](): string {
    const { phase } = this.#lifecycle;
    const states = { new: "not started", main: "waiting", idle: "idle", cancelling: "waiting", ended: "closed" } as const;
    const state = this.isRunning() ? "running" : states[phase];
    const { readyCount, timerCount } = this.#agenda;
    return `<EventLoop ${state} t=${this.time()} step=${this.steps} ready=${readyCount} timers=${timerCount} tasks=${this.allTasks().length}>`;
  }

  // What follows is for the other files of this folder and for whoever drives a loop.

  /** @internal */
  get strategy(): Strategy | undefined {
    return this.#strategy;
  }

  /** How the run, or the last main of several, ended; undefined before. @internal */
  get completion(): Completion<unknown> | undefined {
    return this.#lifecycle.completion;
  }

  /** Which of asyncio's order or eager housekeeping this loop keeps. @internal */
  get housekeeping(): Housekeeping {
    return this.#agenda.housekeeping;
  }

  /** @internal */
  nextCallbackNumber(): number {
    return ++this.#callbacksCreated;
  }

  /** @internal */
  enqueue(handle: Handle): void {
    this.#observer?.queued?.(handle);
    if (this.tracker !== undefined && !handle.isHousekeeping) this.tracker.queued(handle);
    this.#agenda.enqueue(handle);
  }

  /** @internal */
  addTimer(deadlineMs: number, handle: Handle): void {
    if (this.tracker !== undefined && !handle.isHousekeeping) {
      this.tracker.queued(handle);
      this.tracker.touchTimer(deadlineMs);
    }
    this.#agenda.addTimer(deadlineMs, handle);
  }

  /** The task that an await made now belongs to. @internal */
  findAwaitingTask(): Task | undefined {
    if (this.#watch === undefined) return this.#currentTask;
    const known = this.#watch.findTask() ?? this.#currentTask;
    if (known !== undefined) return known;
    const outside = this.#tasks.outside();
    return outside.length === 1 ? outside[0] : undefined;
  }

  /**
   * Whether something is to happen that may be what `task` waits for: a gate that it has opened; or a native timer, an await or a reaction, of whomever,
   * for that may hang on whatever it has called. @internal
   */
  hasEventAhead(task: Task<never> | Task): boolean {
    if (this.#agenda.hasNativeTimer || (this.reactions !== undefined && this.reactions.ready > 0)) return true;
    return this.#agenda.openGates.some((gate) => gate.task === task);
  }

  /** Whether virtual time may pass: not while a file or a connection of the program is under way, which it would outrun. @internal */
  mayPassTime(): boolean {
    if (this.#realIoBefore === undefined) return this.#watch === undefined || !hasRequestUnderWay();
    if (this.#isTired) return true;
    return !hasRealIoBeyond(this.#realIoBefore) && !this.isOutsideExpected();
  }

  /** A real timer was set while the run waits for real I/O: what it does may be a part of that. @internal */
  expectOutside(delayMs: number): void {
    if (this.#isStepOpen || delayMs > LONGEST_EXPECTED_MS) return;
    this.#outsideUntilMs = Math.max(this.#outsideUntilMs, realNowMs() + delayMs + 1);
  }

  /** Whether something is on its way that will come without a request. @internal */
  isOutsideExpected(): boolean {
    return this.#outsideUntilMs > 0 && realNowMs() < this.#outsideUntilMs;
  }

  /**
   * Nothing has arrived from outside for long enough. Answers whether the run can go on without: what is open need not ever call back, and
   * then time passes. @internal
   */
  giveUpOutside(): boolean {
    if (this.takenOver === undefined || this.#chosen !== undefined || this.#isTired || this.#agenda.timerCount === 0) return false;
    this.#isTired = true;
    return true;
  }

  /** Something has arrived from outside. @internal */
  noteArrival(): void {
    this.#isTired = false;
  }

  /** @internal */
  endStep(): void {
    const tracked = this.tracker?.endStep();
    if (this.#stepRecord === undefined) return;
    const record = tracked === undefined ? this.#stepRecord : recordOf(this.#stepRecord, tracked);
    this.#stepRecord = undefined;
    this.#observer?.stepEnded?.(record);
    this.#strategy?.observe?.(record);
  }

  /** What is to be reported when the run ends. @internal */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Whether code of this loop's program is running, as opposed to other code while the loop waits for something outside. @internal */
  isInsideStep(): boolean {
    return !this.#lifecycle.isHalted && (this.#isStepOpen || this.#watch?.findCallingTask() !== undefined);
  }

  /** Grows whenever something happens, also outside of the loop's steps as far as it can be seen. @internal */
  get activity(): number {
    return this.steps + (this.#watch?.activity ?? 0);
  }

  /** @internal */
  get idleGraceMs(): number {
    return this.#options.idleGraceMs ?? 20;
  }

  /** Answers the number of the running step. @internal */
  noteTaskBegins(task: Task): number {
    this.#observer?.taskBegins?.(task);
    return this.steps;
  }

  /** @internal */
  noteTaskDone(task: Task<never> | Task): void {
    this.#observer?.taskDone?.(task);
    this.#tasks.noteDone();
  }

  /** Makes the main task. `quiescence` says how a step is brought to its end. @internal */
  start<T>(main: TaskBody<T>, quiescence: Quiescence, name = "main", isOneOfSeveral = false): void {
    const { phase } = this.#lifecycle;
    if (phase !== "new" && !(phase === "idle" && isOneOfSeveral)) {
      throw new UsageError("a loop runs one main function, once: make a new EventLoop for the next run, or a Runner for several");
    }
    this.#quiescence = quiescence;
    const { sites = false, watchOutside = sites } = this.#options;
    if (watchOutside && this.#watch === undefined) this.#watchOutside();
    const previous = setRunningLoop(this);
    try {
      this.#lifecycle.begin(this.#makeTask(takeBody(main, "run"), name), isOneOfSeveral);
    } finally {
      setRunningLoop(previous);
    }
  }

  /** After the last of several mains: what they left behind is cancelled when the loop is driven again. @internal */
  beginClosing(): void {
    this.#lifecycle.close();
  }

  /**
   * Runs steps until the run is over, real time has reached `sliceEndMs`, or nothing can be done here. After `"hop"` and `"outside"`
   * this stays the running loop, for the microtasks that run meanwhile. @internal
   */
  advance(sliceEndMs: number): Progress {
    setRunningLoop(this);
    this.#stepTimer?.resume(realNowMs(), this.steps);
    let progress: Progress = "ended";
    // It has gone on, to its end or to another await, without a step of the loop's.
    if (this.#suspect?.mayBeOutside === false) this.#noteUncontrolled(this.#suspect);
    this.#suspect = undefined;
    try {
      if (this.#stepToClose !== undefined) this.#closeStep(this.#stepToClose.task);
      while (!this.#lifecycle.isHalted) {
        const next = this.#chosen ?? (this.#agenda.housekeeping === "inline" ? this.#nextInOrder() : this.#nextByStrategy());
        if (next === undefined) break;
        if (!(next instanceof Wait)) {
          if (next.cancelled()) continue; // nobody cancels a wait
          this.#chosen = next.isUnderWay ? next : undefined;
          if (this.#chosen !== undefined) break;
        }
        if (!this.#runStep(next)) return (progress = "hop");
        if (this.#isTimeToPause(next, sliceEndMs)) return (progress = "pausing");
      }
      return (progress = this.#lifecycle.isHalted ? "ended" : "outside");
    } catch (error) {
      // Only the strategy and the observer throw here: what the program throws ends in a future or with the exception handler.
      this.#end({ kind: "strategy", error });
      return (progress = "ended");
    } finally {
      if (progress === "ended" || (progress === "pausing" && !this.#isOpenToOutside())) setRunningLoop(undefined);
    }
  }

  /** Ends a run in which nothing can go on. `graceMs` is how long it has waited for something outside of the loop. @internal */
  endAsDeadlock(graceMs: number): void {
    const began = this.allTasks().toSorted((a, b) => a.beganAt - b.beganAt);
    const withSites = this.#options.sites !== false && this.#quiescence === "drain";
    // Whoever waits for the loop's own alone can be judged without a clock, and a report that names one would differ from run to run.
    const gate = this.#chosen;
    const judgedAfterMs = gate !== undefined || began.some((task) => task.mayBeOutside) ? graceMs : undefined;
    const waiting = describeWaiting(began, withSites, gate);
    this.#end({ kind: "deadlock", error: new DeadlockError(waiting, this.steps, this.time(), judgedAfterMs, gate) });
  }

  /** Ends a run whose step was stopped from outside, in the middle of anything. @internal */
  endAsStopped(limitMs: number, site: string | undefined): void {
    this.#isStepOpen = false;
    setRunningLoop(undefined);
    if (!this.#lifecycle.isHalted) this.#end({ kind: "livelock", error: LivelockError.ofStep(this.steps, this.time(), limitMs, site) });
  }

  /** The next handle in asyncio's order; undefined when the run is over or nothing can run. */
  #nextInOrder(): Handle | undefined {
    while (!this.#agenda.isInBatch) {
      if (this.#lifecycle.isPhaseOver()) {
        const immediate = this.#takeImmediateAfterEnd();
        if (immediate !== undefined) return immediate;
        if (!this.#nextPhase()) return undefined;
        continue;
      }
      if (this.#agenda.readyCount === 0 && !this.#passTime()) return undefined;
      this.#agenda.beginBatch();
    }
    return this.#agenda.takeOfBatch();
  }

  /** The next handle in every other order; undefined when the run is over or nothing can run. */
  #nextByStrategy(): Handle | undefined {
    for (;;) {
      if (this.#lifecycle.isPhaseOver()) {
        const immediate = this.#takeImmediateAfterEnd();
        if (immediate !== undefined) return immediate;
        if (!this.#nextPhase()) return undefined;
      }
      const next = this.#agenda.takeByStrategy();
      if (next !== undefined) return next;
      if (!this.#passTime()) return undefined;
    }
  }

  /**
   * Immediates that main has left behind run all the same: modules keep a note that one is on its way (`isScheduled`), and would wait for it
   * in the next run for ever.
   */
  #takeImmediateAfterEnd(): Handle | undefined {
    if (this.takenOver === undefined || this.#immediatesAfterEnd >= MAX_IMMEDIATES_AFTER_END) return undefined;
    const immediate = this.#agenda.takeImmediate();
    if (immediate === undefined) return undefined;
    this.#immediatesAfterEnd++;
    if (this.housekeeping === "eager") this.endStep();
    return immediate;
  }

  /** The one place where callbacks are called. Answers false when a hop must end the step. */
  #runStep(handle: Handle): boolean {
    this.#observer?.running?.(handle, this.#agenda.readyCount + 1);
    // Most handles are waits. What is asked of them in branches of their own the engine answers without a look-up among the other kinds of
    // handles, which made a queue's ping-pong about 15 % faster.
    const isWait = handle instanceof Wait;
    if (!isWait && handle.isHousekeeping) {
      handle.run();
      return true;
    }
    const step = this.#agenda.beginStep();
    if (step > this.#watchFromStep && this.#isEndless(handle, step)) return true;
    const { task } = handle;
    this.#currentTask = task;
    this.#isStepOpen = true;
    this.tracker?.beginStep(
      handle,
      step,
      this.time(),
      isWait ? handle.source : handle,
      handle instanceof GateBatch || handle instanceof Reaction,
      this.#agenda.readyCount === 0,
    );
    if (this.#recordsSteps) this.#noteStep(handle);
    try {
      if (isWait && this.#watch === undefined) handle.run();
      else this.#callIn(handle);
    } catch (exception) {
      this.callExceptionHandler({ message: `Exception in ${handle.name}`, exception, handle });
    }
    if (this.#quiescence === "macrotask") {
      this.#stepToClose = handle;
      return false;
    }
    this.#drain(handle);
    this.#closeStep(task);
    return true;
  }

  /** Runs the handle in its own context, and so that what it sets off is known to be its task's. */
  #callIn(handle: Handle): void {
    const { context } = handle;
    const watch = this.#watch;
    if (watch !== undefined) watch.run(handle.task, context, handle);
    else if (context === undefined) handle.run();
    else context.runInAsyncScope(runHandle, undefined, handle);
  }

  /** Ends the step of `handle`. Each `nextTick` that throws ends a drain in the middle, and what is behind it still runs. */
  #drain(handle: Handle): void {
    for (;;) {
      try {
        drainMicrotasks();
        return;
      } catch (exception) {
        if (!raiseUncaught(exception)) this.callExceptionHandler({ message: `Exception in ${handle.name}`, exception, handle });
      }
    }
  }

  #closeStep(task: Task | undefined): void {
    this.#isStepOpen = false;
    this.#stepToClose = undefined;
    this.#currentTask = undefined;
    if (this.#watch === undefined && task?.isOutside === true) this.#watchOutside();
    const broken = this.#invariants?.findBroken();
    if (broken !== undefined) this.#end({ kind: "invariant", error: broken.error });
    else if (this.#agenda.housekeeping === "inline") this.endStep();
  }

  /** Ends the run if step `step` is beyond the bound; answers whether it is. */
  #isEndless(handle: Handle, step: number): boolean {
    this.#endless ??= new EndlessWatch(this.#maxSteps, this.#agenda.ready);
    if (step <= this.#maxSteps) {
      this.#endless.note(handle);
      return false;
    }
    const withSites = this.#options.sites !== false && this.#quiescence === "drain";
    const siteOf = ({ task }: Handle): string | undefined => {
      const [wait] = task === undefined || !withSites ? [] : task.waits();
      return wait && findSite(wait);
    };
    const error = this.#endless.report(this.#agenda.ready, this.time(), siteOf);
    this.#end({ kind: error instanceof StarvationError ? "starvation" : "livelock", error });
    return true;
  }

  /** Before the handle runs, because afterwards its task stands at its next operation, and others have become ready. */
  #noteStep({ name, operation, kind, chain }: Handle): void {
    this.#stepRecord = { name, operation, kind, chain, step: this.steps, timeMs: this.time(), ready: this.#agenda.readyCount + 1 };
  }

  #isTimeToPause(handle: Handle, sliceEndMs: number): boolean {
    if (this.#stepTimer === undefined ? this.steps % LOOK_AT_CLOCK_EVERY !== 0 : !this.#stepTimer.isDue(this.steps)) return false;
    const nowMs = realNowMs();
    const warning = this.#stepTimer?.look(nowMs, this.steps, handle.name);
    if (warning !== undefined) this.#reports.warnings.push(warning);
    return nowMs >= sliceEndMs;
  }

  #watchOutside(): void {
    const begun = this.#tasks.pending().filter((task) => task.hasBegun);
    this.#watch = new OutsideWatch(() => this.#currentTask, begun);
  }

  /** Whether code of the program may run while the loop does not: a file that was read resumes its task during a pause, too. */
  #isOpenToOutside(): boolean {
    return this.#watch !== undefined || hasRequestUnderWay();
  }

  /**
   * Moves the clock to the next deadline. Where there is none it is a deadlock, or something outside of the loop is under way: then
   * answers false, and so it does while a file or a connection of the program is, because virtual time would outrun every real one.
   */
  #passTime(): boolean {
    const isBusyOutside = !this.mayPassTime();
    if (!isBusyOutside && this.#agenda.passTime()) {
      this.#isTired = false; // once; what happens now may have an answer from outside
      return true;
    }
    if (isBusyOutside && this.takenOver !== undefined) this.#noteRealIo();
    const [outside] = this.#tasks.outside();
    if (outside !== undefined) this.#noteUncontrolled(outside);
    else {
      this.#suspect = this.#tasks.findPossiblyOutside();
      if (this.#suspect !== undefined && this.#watch === undefined) this.#watchOutside();
      if (this.#suspect === undefined && !isBusyOutside && !hasRequestUnderWay()) this.endAsDeadlock(0);
    }
    return false;
  }

  #noteUncontrolled(task: Task | undefined, resource?: string): void {
    this.#uncontrolled ??= {
      task: task?.getName() ?? "callback",
      step: this.steps,
      timeMs: this.time(),
      site: task && this.#watch?.siteOf(task),
      ...(resource !== undefined && { resource }),
    };
  }

  /** Real I/O is under way, and time is not to outrun it. What waits for it may hold timers besides, so that it is known by no task. */
  #noteRealIo(): void {
    if (this.#uncontrolled !== undefined) return;
    if (this.#watch === undefined) this.#watchOutside();
    this.#noteUncontrolled(this.#tasks.outside()[0] ?? this.#tasks.pending()[0], nameRealIo());
  }

  /** Answers whether the run goes on. */
  #nextPhase(): boolean {
    const completion = this.#lifecycle.next();
    if (completion !== undefined) this.#end(completion);
    return !this.#lifecycle.isHalted;
  }

  #end(completion: Completion<unknown>): void {
    this.endStep();
    this.#lifecycle.end(completion);
    for (const task of this.allTasks()) task.unlisten();
    const isCutShort = completion.kind !== "result" && completion.kind !== "error";
    for (const owed of this.#ledger.settle(isCutShort ? [] : this.allTasks())) this.callExceptionHandler(owed);
    this.#watch?.close();
  }
}
