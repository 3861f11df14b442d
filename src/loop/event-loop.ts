/**
 * The event loop: a ready queue, a virtual clock, and one place where a step is run.
 *
 * Everything that can run next is a handle in the ready queue. Under asyncio's own order (`"inline"` housekeeping) the loop runs the
 * queue in batches like `BaseEventLoop._run_once`; otherwise the library's own handles run at once, and a strategy picks among the
 * rest. Either way a run is a pure function of the program and the decisions.
 *
 * Invariants:
 * - Callbacks are called in {@link EventLoop.#runStep} alone; everything else only queues them.
 * - Virtual time moves only while nothing is ready, and only to the earliest deadline.
 * - The running-loop pointer is set only inside {@link EventLoop.advance}, and between its calls where something outside of the loop
 *   may resume code of the program.
 */
import { describeError, HeddleError, UsageError } from "../errors/errors.js";
import type { Decision, Housekeeping, StepRecord, Strategy } from "../schedule/strategy.js";
import { Coroutine } from "./coroutine.js";
import { DeadlockError, describeWaiting } from "./deadlock.js";
import { Future } from "./future.js";
import { CallbackHandle, type Handle, HousekeepingHandle, TimerHandle } from "./handle.js";
import { drainMicrotasks, hasRequestUnderWay, type Quiescence, raiseUncaught, realNowMs } from "./host.js";
import { inspectKey } from "./inspect.js";
import { Ledger } from "./ledger.js";
import { OutsideWatch, type Uncontrolled } from "./outside.js";
import { ReadyQueue } from "./ready-queue.js";
import { findRunningLoop, setRunningLoop } from "./running.js";
import { requireDelay } from "./sleep.js";
import { StepTimer } from "./step-timer.js";
import { isThenable, Task, type TaskBody } from "./task.js";
import { Timers } from "./timers.js";

/** What an exception handler is told. */
export interface ExceptionContext {
  readonly message: string;
  readonly exception?: unknown;
  readonly future?: Future;
  readonly handle?: Handle;
}

export type ExceptionHandler = (loop: EventLoop, context: ExceptionContext) => void;

/** Follows a run from outside, for traces and audits. It must not touch the loop. */
export interface LoopObserver {
  /** A handle joined the ready queue. */
  queued?(handle: Handle): void;
  /** A handle is about to run; `ready` counts it and the others that were ready. */
  running?(handle: Handle, ready: number): void;
  /** A step of a task is about to run its function for the first time. */
  taskBegins?(task: Task): void;
  taskDone?(task: Task): void;
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
  readonly observer?: LoopObserver | undefined;
}

/** How a run ended. */
export type Completion<T> =
  | { readonly kind: "result"; readonly value: T }
  | { readonly kind: "error" | "deadlock" | "livelock" | "strategy"; readonly error: unknown };

/** What {@link EventLoop.advance} left behind: the run is over, wants to go on, must hop, or waits for something outside. @internal */
export type Progress = "ended" | "pausing" | "hop" | "outside";

/**
 * At the end `asyncio.run` still runs its loop for `shutdown_asyncgens()` and for `shutdown_default_executor()`, two batches each, in
 * which callbacks and tasks of the program go on.
 */
const ASYNCIO_CLOSINGS = 2;

/** How often a loop that times no steps looks at the real clock, in steps. */
const LOOK_AT_CLOCK_EVERY = 64;

/**
 * An event loop under virtual time. Most programs need only {@link run}.
 *
 * @example
 * const loop = new EventLoop({ strategy: random(7) });
 * @since 0.1.0
 */
export class EventLoop {
  readonly #strategy: Strategy | undefined;
  readonly #housekeepingMode: Housekeeping;
  readonly #observer: LoopObserver | undefined;
  readonly #maxSteps: number;
  readonly #options: EventLoopOptions;
  readonly #ready = new ReadyQueue();
  readonly #housekeeping = new ReadyQueue();
  readonly #timers = new Timers();
  #nowMs = 0;
  #steps = 0;
  #tasks: Task[] = [];
  #doneTasks = 0;
  #tasksCreated = 0;
  #futuresCreated = 0;
  #callbacksCreated = 0;
  #hasCancelledHandle = false;
  #exceptionHandler: ExceptionHandler | undefined = undefined;
  readonly #ledger = new Ledger();
  readonly #warnings: string[] = [];

  #main: Task | undefined = undefined;
  #phase: "new" | "main" | "cancelling" | "ended" = "new";
  #leftToCancel: Task[] = [];
  #closings = 0;
  #completion: Completion<unknown> | undefined = undefined;
  #currentTask: Task | undefined = undefined;
  #isStepOpen = false;
  /** What the strategy is told of the running step at its end, if it asks. */
  #stepRecord: StepRecord | undefined = undefined;
  /** The handle whose step waits for a hop to end it. */
  #stepToClose: Handle | undefined = undefined;
  /** Handles of the current batch that did not run yet; only in asyncio's order. */
  #batch = 0;
  #decision: Decision | undefined = undefined;
  #isStopping = false;
  #quiescence: Quiescence = "drain";
  #watch: OutsideWatch | undefined = undefined;
  #uncontrolled: Uncontrolled | undefined = undefined;
  #stepTimer: StepTimer | undefined = undefined;

  constructor(options: EventLoopOptions = {}) {
    this.#options = options;
    this.#strategy = options.strategy;
    this.#housekeepingMode = options.strategy === undefined ? "inline" : (options.strategy.housekeeping ?? "eager");
    this.#observer = options.observer;
    this.#maxSteps = options.maxSteps ?? Number.POSITIVE_INFINITY;
    if (options.slowStepMs !== Number.POSITIVE_INFINITY) this.#stepTimer = new StepTimer(options.slowStepMs ?? 100);
  }

  /** Virtual milliseconds since the run began. */
  time(): number {
    return this.#nowMs;
  }

  /** How many steps have run. */
  get steps(): number {
    return this.#steps;
  }

  /** Queues `callback(...args)` for a step of its own. */
  callSoon<Args extends readonly unknown[]>(callback: (...args: Args) => unknown, ...args: Args): CallbackHandle {
    const handle = new CallbackHandle(callback.name, () => callback(...args), this.nextCallbackNumber(), this.#noteHandleCancelled);
    this.enqueue(handle);
    return handle;
  }

  /** Calls `callback(...args)` after `delayMs` of virtual time. Throws UsageError unless that is a whole number, 0 or more. */
  callLater<Args extends readonly unknown[]>(delayMs: number, callback: (...args: Args) => unknown, ...args: Args): TimerHandle {
    requireDelay(delayMs, "callLater: delayMs");
    return this.callAt(this.#nowMs + delayMs, callback, ...args);
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
  createTask<T>(body: TaskBody<T>, { name }: { readonly name?: string | undefined } = {}): Task<T> {
    return this.#makeTask(takeBody(body, "createTask"), name);
  }

  #makeTask<T>(call: () => PromiseLike<T> | T, name: string | undefined): Task<T> {
    this.#tasksCreated++;
    const task = new Task<T>(this, call, name ?? `Task-${this.#tasksCreated}`);
    this.#tasks.push(task as Task);
    return task;
  }

  /** The task whose step is running, if one is. */
  currentTask(): Task | undefined {
    return this.#watch?.findCallingTask() ?? this.#currentTask;
  }

  /** The tasks that are not done, in order of creation. */
  allTasks(): readonly Task[] {
    return this.#tasks.filter((task) => !task.done());
  }

  /** Sets who is told of exceptions that nobody handles; undefined restores the default, which warns. */
  setExceptionHandler(handler: ExceptionHandler | undefined): void {
    this.#exceptionHandler = handler;
  }

  getExceptionHandler(): ExceptionHandler | undefined {
    return this.#exceptionHandler;
  }

  /** Adds the exception to the warnings of the run. */
  defaultExceptionHandler({ message, exception, future }: ExceptionContext): void {
    const where = future === undefined ? "" : ` (${future.describe()})`;
    this.#warnings.push(`${message}${where}${exception === undefined ? "" : `: ${describeError(exception)}`}`);
  }

  /** Reports something that went wrong and that nobody awaits. A handler that throws is reported too, and stops nothing. */
  callExceptionHandler(context: ExceptionContext): void {
    if (this.#exceptionHandler === undefined) {
      this.defaultExceptionHandler(context);
      return;
    }
    try {
      this.#exceptionHandler(this, context);
    } catch (exception) {
      this.defaultExceptionHandler({ message: "Unhandled error in exception handler", exception });
      this.defaultExceptionHandler(context);
    }
  }

  isRunning(): boolean {
    return findRunningLoop() === this;
  }

  isClosed(): boolean {
    return this.#phase === "ended";
  }

  /** What the run has to complain of: exceptions never retrieved, coroutines never awaited, slow steps. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Set when the run had to wait for something outside of the loop, so that its replay is not promised. */
  get uncontrolled(): Uncontrolled | undefined {
    return this.#uncontrolled;
  }

  /** The end of the run, once {@link isClosed}. @internal */
  get completion(): Completion<unknown> | undefined {
    return this.#completion;
  }

  /** Which of asyncio's order or eager housekeeping this loop keeps. @internal */
  get housekeeping(): Housekeeping {
    return this.#housekeepingMode;
  }

  // What follows is for the other files of this folder and for whoever drives a loop.

  /** @internal */
  nextCallbackNumber(): number {
    return ++this.#callbacksCreated;
  }

  /** @internal */
  enqueue(handle: Handle): void {
    this.#observer?.queued?.(handle);
    if (handle.isHousekeeping && this.#housekeepingMode === "eager") this.#housekeeping.push(handle);
    else this.#ready.push(handle);
  }

  /** @internal */
  addTimer(deadlineMs: number, handle: Handle): void {
    if (!Number.isSafeInteger(deadlineMs)) {
      throw new UsageError(`a deadline of ${deadlineMs} ms is beyond the clock, which ends at 2^53 - 1`);
    }
    this.#timers.add(deadlineMs, handle);
  }

  /** The task that an await made now belongs to. @internal */
  findAwaitingTask(): Task | undefined {
    if (this.#watch === undefined) return this.#currentTask;
    const known = this.#watch.findTask() ?? this.#currentTask;
    if (known !== undefined) return known;
    const outside = this.#tasks.filter((task) => task.isOutside);
    return outside.length === 1 ? outside[0] : undefined;
  }

  /** What is to be reported when the run ends. @internal */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Whether code of this loop's program is running, as opposed to other code while the loop waits for something outside. @internal */
  isInsideStep(): boolean {
    return this.#phase !== "ended" && (this.#isStepOpen || this.#watch?.findCallingTask() !== undefined);
  }

  /** Grows whenever something happens, also outside of the loop's steps as far as it can be seen. @internal */
  get activity(): number {
    return this.#steps + (this.#watch?.activity ?? 0);
  }

  /** @internal */
  get idleGraceMs(): number {
    return this.#options.idleGraceMs ?? 20;
  }

  /** Answers the number of the running step. @internal */
  noteTaskBegins(task: Task): number {
    this.#observer?.taskBegins?.(task);
    return this.#steps;
  }

  /** @internal */
  noteTaskDone(task: Task<never> | Task): void {
    this.#observer?.taskDone?.(task as Task);
    this.#doneTasks++;
    if (this.#doneTasks >= 64 && this.#doneTasks * 2 > this.#tasks.length) {
      this.#tasks = this.#tasks.filter((other) => !other.done());
      this.#doneTasks = 0;
    }
  }

  /** Makes the main task. `quiescence` says how a step is brought to its end. @internal */
  start<T>(main: TaskBody<T>, quiescence: Quiescence, name = "main"): void {
    if (this.#phase !== "new") throw new UsageError("a loop runs one main function, once: make a new EventLoop for the next run");
    this.#quiescence = quiescence;
    this.#phase = "main";
    if (this.#options.sites === true) this.#watchOutside();
    const previous = setRunningLoop(this);
    try {
      this.#main = this.#makeTask(takeBody(main, "run"), name) as Task;
      if (this.#housekeepingMode === "inline") this.#main.addWaiter(this.#stopHandle());
    } finally {
      setRunningLoop(previous);
    }
  }

  /**
   * Runs steps until the run is over, real time has reached `sliceEndMs`, or nothing can be done here. After `"hop"` and `"outside"`
   * this stays the running loop, for the microtasks that run meanwhile. @internal
   */
  advance(sliceEndMs: number): Progress {
    setRunningLoop(this);
    this.#stepTimer?.resume(realNowMs(), this.#steps);
    let progress: Progress = "ended";
    try {
      if (this.#stepToClose !== undefined) this.#closeStep(this.#stepToClose);
      while (this.#phase !== "ended") {
        const next = this.#housekeepingMode === "inline" ? this.#nextInOrder() : this.#nextByStrategy();
        if (next === undefined) break;
        if (next.cancelled()) continue;
        if (!this.#runStep(next)) return (progress = "hop");
        if (this.#isTimeToPause(next, sliceEndMs)) return (progress = "pausing");
      }
      return (progress = this.#phase === "ended" ? "ended" : "outside");
    } catch (error) {
      // Only a strategy throws here: what the program throws ends in a future or with the exception handler.
      this.#end({ kind: "strategy", error });
      return (progress = "ended");
    } finally {
      if (progress === "ended" || (progress === "pausing" && !this.#isOpenToOutside())) setRunningLoop(undefined);
    }
  }

  /** Whether code of the program may run while the loop does not: a file that was read resumes its task during a pause, too. */
  #isOpenToOutside(): boolean {
    return this.#watch !== undefined || hasRequestUnderWay();
  }

  /** Ends a run that waited for something outside, and nothing came within `graceMs` of real time. @internal */
  endAsDeadlock(graceMs: number | undefined): void {
    const began = this.allTasks().toSorted((a, b) => a.beganAt - b.beganAt);
    const withSites = this.#options.sites !== false && this.#quiescence === "drain";
    this.#end({ kind: "deadlock", error: new DeadlockError(describeWaiting(began, withSites), this.#steps, this.#nowMs, graceMs) });
  }

  [inspectKey](): string {
    const state = this.isRunning() ? "running" : this.#phase === "new" ? "not started" : this.#phase === "ended" ? "closed" : "waiting";
    return `<EventLoop ${state} t=${this.#nowMs} step=${this.#steps} ready=${this.#ready.length} timers=${this.#timers.countLive()} tasks=${this.allTasks().length}>`;
  }

  /** asyncio's order: what is ready at the start of a batch runs before anything that it queues. */
  #nextInOrder(): Handle | undefined {
    for (;;) {
      if (this.#batch > 0) {
        this.#batch--;
        return this.#ready.shift();
      }
      if (this.#isStopping) {
        this.#isStopping = false;
        if (!this.#nextPhase()) return undefined;
        continue;
      }
      if (this.#ready.length === 0 && !this.#passTime()) return this.#stuck();
      for (let due = this.#timers.takeDue(this.#nowMs); due !== undefined; due = this.#timers.takeDue(this.#nowMs)) this.enqueue(due);
      this.#batch = this.#ready.length;
    }
  }

  /** Every other order: housekeeping and due timers first, then the strategy picks. */
  #nextByStrategy(): Handle | undefined {
    for (;;) {
      if (this.#isPhaseOver() && !this.#nextPhase()) return undefined;
      if (this.#housekeeping.length > 0) return this.#housekeeping.shift();
      const due = this.#timers.takeDue(this.#nowMs);
      if (due !== undefined) return due;
      if (this.#hasCancelledHandle) {
        this.#hasCancelledHandle = false;
        this.#ready.dropCancelled();
      }
      if (this.#ready.length > 1 && this.#strategy !== undefined) return this.#ready.take(this.#decide(this.#strategy));
      if (this.#ready.length > 0) return this.#ready.shift();
      if (!this.#passTime()) return this.#stuck();
    }
  }

  #decide(strategy: Strategy): number {
    const count = this.#ready.length;
    const index = strategy.pick((this.#decision ??= new OpenDecision(this, this.#ready)));
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new UsageError(`strategy ${strategy.name}: picked ${index} of ${count} ready tasks`);
    }
    return index;
  }

  /** The one place where callbacks are called. Answers false when a hop must end the step. */
  #runStep(handle: Handle): boolean {
    this.#observer?.running?.(handle, this.#ready.length + 1);
    if (handle.isHousekeeping) {
      handle.run();
      return true;
    }
    this.#steps++;
    if (this.#steps > this.#maxSteps) {
      this.#end({ kind: "livelock", error: new LivelockError(this.#maxSteps, this.#nowMs) });
      return true;
    }
    const { task } = handle;
    this.#currentTask = task;
    this.#isStepOpen = true;
    if (this.#strategy?.observe !== undefined) this.#noteStep(handle);
    try {
      if (task === undefined || this.#watch === undefined) handle.run();
      else this.#watch.run(task, handle);
    } catch (exception) {
      this.callExceptionHandler({ message: `Exception in ${handle.name}`, exception, handle });
    }
    if (this.#quiescence === "drain") {
      try {
        drainMicrotasks();
      } catch (exception) {
        this.#drainAfter(exception, handle);
      }
    } else {
      this.#stepToClose = handle;
      return false;
    }
    this.#closeStep(handle);
    return true;
  }

  #closeStep(handle: Handle): void {
    this.#isStepOpen = false;
    this.#stepToClose = undefined;
    this.#currentTask = undefined;
    if (this.#watch === undefined && handle.task?.isOutside === true) this.#watchOutside();
    if (this.#stepRecord === undefined) return;
    const record = this.#stepRecord;
    this.#stepRecord = undefined;
    this.#strategy?.observe?.(record);
  }

  /** Before the handle runs, because afterwards its task stands at its next operation, and others have become ready. */
  #noteStep({ name, operation }: Handle): void {
    this.#stepRecord = { name, operation, step: this.#steps, timeMs: this.#nowMs, ready: this.#ready.length + 1 };
  }

  /** Ends the step of `handle` after a `nextTick` threw; each that does ends a drain in the middle, and what is behind it still runs. */
  #drainAfter(thrown: unknown, handle: Handle): void {
    for (let exception = thrown; ; ) {
      if (!raiseUncaught(exception)) this.callExceptionHandler({ message: `Exception in ${handle.name}`, exception, handle });
      try {
        drainMicrotasks();
        return;
      } catch (next) {
        exception = next;
      }
    }
  }

  #watchOutside(): void {
    const begun = this.#tasks.filter((task) => task.hasBegun && !task.done());
    this.#watch = new OutsideWatch(() => this.#currentTask, begun);
  }

  #isTimeToPause(handle: Handle, sliceEndMs: number): boolean {
    if (this.#stepTimer === undefined ? this.#steps % LOOK_AT_CLOCK_EVERY !== 0 : !this.#stepTimer.isDue(this.#steps)) return false;
    const nowMs = realNowMs();
    const warning = this.#stepTimer?.look(nowMs, this.#steps, handle.name);
    if (warning !== undefined) this.#warnings.push(warning);
    return nowMs >= sliceEndMs;
  }

  /** Moves the clock to the next deadline; false when there is none. */
  #passTime(): boolean {
    const deadlineMs = this.#timers.nextDeadlineMs();
    if (deadlineMs === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, deadlineMs);
    return true;
  }

  /** Nothing is ready and no timer is left: a deadlock, or something outside of the loop is under way. */
  #stuck(): undefined {
    const outside = this.#tasks.find((task) => task.isOutside);
    if (outside === undefined && !hasRequestUnderWay()) {
      this.endAsDeadlock(undefined);
      return;
    }
    const task = outside ?? this.#main;
    if (task === undefined) return;
    this.#uncontrolled ??= { task: task.getName(), step: this.#steps, timeMs: this.#nowMs, site: this.#watch?.siteOf(task) };
  }

  /** Where a strategy picks, a phase is over at once; in asyncio's order a handle says so from its place in the queue. */
  #isPhaseOver(): boolean {
    return this.#phase === "main" ? this.#main?.done() === true : this.#leftToCancel.every((task) => task.done());
  }

  /** After main, what is left is cancelled, in order of creation; after that the run is over. Answers whether it goes on. */
  #nextPhase(): boolean {
    if (this.#phase === "main") {
      this.#phase = "cancelling";
      this.#leftToCancel = [...this.allTasks()];
      for (const task of this.#leftToCancel) task.cancel();
      if (this.#housekeepingMode === "inline") this.#stopAfterAll(this.#leftToCancel);
      if (this.#leftToCancel.length > 0) return true;
    }
    for (const task of this.#leftToCancel) {
      if (task.state !== "failed") continue;
      this.callExceptionHandler({ message: "unhandled exception during the shutdown of run()", exception: task.exception(), future: task });
    }
    this.#leftToCancel = [];
    if (this.#housekeepingMode === "inline" && this.#closings < ASYNCIO_CLOSINGS) {
      this.#closings++;
      this.enqueue(
        new HousekeepingHandle("close", () => {
          this.enqueue(this.#stopHandle());
        }),
      );
      return true;
    }
    this.#end(this.#mainCompletion());
    return false;
  }

  #mainCompletion(): Completion<unknown> {
    try {
      return { kind: "result", value: this.#main?.result() };
    } catch (error) {
      return { kind: "error", error };
    }
  }

  #end(completion: Completion<unknown>): void {
    this.#phase = "ended";
    this.#completion = completion;
    const isCutShort = completion.kind !== "result" && completion.kind !== "error";
    for (const owed of this.#ledger.settle(isCutShort ? [] : this.allTasks())) this.callExceptionHandler(owed);
    this.#watch?.close();
  }

  /** Ends the phase after the batch in which the handle runs. */
  #stopHandle(): Handle {
    return new HousekeepingHandle("stop", () => {
      this.#isStopping = true;
    });
  }

  /** As asyncio does with a gather of them. */
  #stopAfterAll(tasks: readonly Task[]): void {
    let unfinished = tasks.length;
    for (const task of tasks) {
      task.addWaiter(
        new HousekeepingHandle("gather", () => {
          unfinished--;
          if (unfinished === 0) this.enqueue(this.#stopHandle());
        }),
      );
    }
  }

  readonly #noteHandleCancelled = (): void => {
    this.#hasCancelledHandle = true;
  };
}

/** What a strategy is handed. One object serves all decisions of a loop, and its list is made only for a strategy that looks at it. */
class OpenDecision implements Decision {
  readonly #loop: EventLoop;
  readonly #queue: ReadyQueue;

  constructor(loop: EventLoop, queue: ReadyQueue) {
    this.#loop = loop;
    this.#queue = queue;
  }

  get step(): number {
    return this.#loop.steps + 1;
  }

  get timeMs(): number {
    return this.#loop.time();
  }

  get count(): number {
    return this.#queue.length;
  }

  get ready(): readonly Handle[] {
    return this.#queue.list();
  }
}

/** A run took more steps than it was allowed. */
class LivelockError extends HeddleError {
  constructor(maxSteps: number, timeMs: number) {
    super(
      "HEDDLE_LIVELOCK",
      `livelock at t=${timeMs}: the run took more than ${maxSteps} steps. Usually a task that polls for what never comes; ` +
        "raise maxSteps if the program really is that long.",
    );
  }

  static {
    this.prototype.name = "LivelockError";
  }
}

/** The function of a task body. Throws UsageError for what cannot be started, a promise above all. */
function takeBody<T>(body: TaskBody<T>, what: "createTask" | "run"): () => PromiseLike<T> | T {
  if (body instanceof Coroutine) {
    body.take();
    return body.body;
  }
  if (typeof body === "function") return body;
  throw new UsageError(
    isThenable(body)
      ? `${what}: got a promise, which has started already, out of reach of the scheduler. Pass the function: ${what}(() => work()).`
      : `${what}: needs a function or a coroutine, not ${String(body)}`,
  );
}
