/**
 * A task: a native `async` function that the loop runs step by step. It is itself the future of the function's result.
 *
 * The semantics are those of `Lib/asyncio/tasks.py`. The comments there apply word for word, with one addition: a native async
 * function may hold several awaits at once (`Promise.all`), so where asyncio has one `_fut_waiter` this has a list of waits.
 *
 * Invariants:
 * - A task that has begun and is not done has at least one wait, or waits for something outside the loop (a native promise), or is
 *   the one that is running.
 * - `#mustCancel` is set only while no wait can take the cancellation; it is delivered at the next await of something of the loop's.
 */
import { CancelledError, cancellationIn, isError, RuntimeError, UsageError } from "../errors/errors.js";
import { type Context, captureContext } from "./context.js";
import { Coroutine } from "./coroutine.js";
import type { EventLoop } from "./event-loop.js";
import { Future } from "./future.js";
import { Handle } from "./handle.js";
import { inspectKey } from "./inspect.js";
import { nativeThen } from "./native-then.js";
import { isOwnAwaitable, isThenable } from "./thenable.js";
import type { Wait } from "./wait.js";

/** What `createTask` takes: a function that has not been called yet, or a coroutine. */
export type TaskBody<T> = (() => PromiseLike<T> | T) | Coroutine<T>;

/** The first step of a task. */
class Start extends Handle {
  readonly #task: Task;
  readonly #context = captureContext();

  constructor(task: Task) {
    super();
    this.#task = task;
  }

  override get task(): Task {
    return this.#task;
  }

  override get context(): Context | undefined {
    return this.#context;
  }

  get name(): string {
    return this.#task.getName();
  }

  get operation(): string {
    return this.#task.operation;
  }

  run(): void {
    this.#task.begin();
  }
}

/**
 * A running coroutine. Made by `createTask`; starts in a later step, when its creator has suspended.
 *
 * @example
 * await run(async () => {
 *   const task = createTask(async () => { await sleep(500); return 7; }, { name: "slow" });
 *   return await task; // 7, at 500 ms of virtual time
 * });
 * @since 0.1.0
 */
export class Task<T = unknown> extends Future<T> {
  /** A number is that of a task without a name: most are never asked for theirs. */
  #name: string | number;
  #body: (() => unknown) | undefined;
  /** Settles when the body has ended. */
  #ended: Promise<void> | undefined = undefined;
  #label: string | undefined = undefined;
  #steps = 0;
  #beganAt = 0;
  #waits: Wait | Wait[] | undefined = undefined;
  /** Whether it came to an await of the loop's since it was resumed last. */
  #hasSuspendedAnew = false;
  #mustCancel: boolean | "outside" = false;
  #cancelMessage: string | undefined = undefined;
  #cancelRequests = 0;
  #aborting: AbortController | undefined = undefined;
  #unlisten: (() => void) | undefined = undefined;

  /** @internal Use `createTask`. */
  constructor(loop: EventLoop, body: () => unknown, name: string | number) {
    super(loop);
    this.#body = body;
    this.#name = name;
    loop.enqueue(new Start(this));
  }

  getName(): string {
    return typeof this.#name === "string" ? this.#name : `Task-${this.#name}`;
  }

  setName(name: string): void {
    this.#name = name;
  }

  /**
   * Requests that the task is cancelled: CancelledError is raised at the await where it is suspended, or at its next one. The task
   * may catch it. Answers false when the task is done already.
   *
   * A task that waits in several places at once (`Promise.all`) is cancelled in each of them, in the order in which it came there.
   * One that waits for a native promise cannot be reached there: the cancellation is delivered at its next await of the loop's.
   */
  override cancel(message?: string): boolean {
    if (this.isDone) return super.cancel();
    this.getLoop().tracker?.touchInternally(this, true);
    this.#cancelRequests++;
    this.#aborting?.abort(new CancelledError(message));
    let isDelivered = false;
    for (const { source } of this.waits()) {
      if (source?.cancel(message) === true) isDelivered = true;
    }
    this.#cancelMessage = message;
    if (!isDelivered) this.#mustCancel = this.isOutside && this.getLoop().currentTask() !== (this as Task) ? "outside" : true;
    return true;
  }

  /** Takes back one cancellation request, as whoever handled it should; answers how many are left. */
  uncancel(): number {
    if (this.#cancelRequests > 0) this.#cancelRequests--;
    if (this.#cancelRequests === 0) {
      this.#aborting = undefined;
      // Where it waited for something outside, its signal has told it, or nothing has: a time limit is over then, and must not strike later.
      if (this.#mustCancel === "outside") this.#mustCancel = false;
    }
    return this.#cancelRequests;
  }

  /** How many cancellation requests were made and not taken back. */
  cancelling(): number {
    return this.#cancelRequests;
  }

  /**
   * Aborted, with a CancelledError as the reason, as long as a cancellation is requested and not taken back: what a task hands to
   * `fetch` and to whatever else the loop cannot interrupt. After {@link uncancel} there is a new one. (The loop cannot know who heard it: the
   * task gets the cancellation again at its next await of the loop's, unless it is taken back before.)
   *
   * @example
   * const body = await fetch(url, { signal: currentTask()?.signal ?? null });
   * @since 0.2.0
   */
  get signal(): AbortSignal {
    this.#aborting ??= new AbortController();
    if (this.#cancelRequests > 0 && !this.#aborting.signal.aborted) this.#aborting.abort(new CancelledError(this.#cancelMessage));
    return this.#aborting.signal;
  }

  /** Throws RuntimeError: the result of a task is that of its function. */
  override setResult(_value: T): never {
    throw new RuntimeError("Task does not support setResult operation");
  }

  /** Throws RuntimeError: the exception of a task is that of its function. */
  override setException(_error: unknown): never {
    throw new RuntimeError("Task does not support setException operation");
  }

  /**
   * Where the task stands, as schedules and reports name it. By default the number of its next step, counted from 1; a program that
   * knows better (the interpreter of task graphs does) sets its own.
   */
  get operation(): string {
    return this.#label ?? String(this.#steps + 1);
  }

  set operation(label: string) {
    this.#label = label;
  }

  /** Cancels the task when `signal` is aborted, now or as long as it is not done. @internal */
  cancelOn(signal: AbortSignal): void {
    const onAbort = (): void => {
      const { reason } = signal as { reason: unknown };
      this.cancel(isError(reason) ? reason.message : typeof reason === "string" ? reason : undefined);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    this.#unlisten = () => {
      signal.removeEventListener("abort", onAbort);
    };
  }

  /** Listens to no signal any more: it is done, or the run is over. @internal */
  unlisten(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  /** Whether its function was called. @internal */
  get hasBegun(): boolean {
    return this.#beganAt > 0;
  }

  /** Number of the loop's step in which its function was called; 0 before. @internal */
  get beganAt(): number {
    return this.#beganAt;
  }

  /** Whether it waits for something outside of the loop. @internal */
  get isOutside(): boolean {
    return this.#waits === undefined && this.hasBegun && !this.isDone && !this.getLoop().hasEventAhead(this);
  }

  /**
   * Whether it may wait for something outside of the loop: it was resumed and has suspended nowhere since. What it waits for besides
   * may be the rest of a `Promise.all`, which matters, or the losers of a `Promise.race`, which do not; the language does not tell.
   * @internal
   */
  get mayBeOutside(): boolean {
    return this.hasBegun && !this.isDone && !this.#hasSuspendedAnew;
  }

  /**
   * Gives every async stack of the body an outermost frame of the name `frame`: the engine follows the promises from await to await, and
   * so comes to this function. See outside.ts. @internal
   */
  nameFrame(frame: string): void {
    const ended = this.#ended;
    const follow = async (): Promise<void> => {
      await ended;
    };
    Object.defineProperty(follow, "name", { value: frame });
    void follow(); // not as a method, or the engine would put "Task." before its name
  }

  /** The awaits of the loop's in which it is suspended. @internal */
  waits(): readonly Wait[] {
    if (this.#waits === undefined) return [];
    return Array.isArray(this.#waits) ? [...this.#waits] : [this.#waits];
  }

  /** Runs the first step. @internal */
  begin(): void {
    const body = this.#body;
    this.#body = undefined;
    this.#steps++;
    if (body === undefined) return;
    if (this.#mustCancel) {
      this.#fail(this.#takeCancellation());
      return;
    }
    this.#beganAt = this.getLoop().noteTaskBegins(this);
    try {
      const result = body();
      if (isThenable(result)) {
        const finish = (value: unknown): void => {
          // As when an async function returns it: a promise that a future of the loop was completed with is awaited first.
          if (isThenable(value)) this.#ended = nativeThen(Promise.resolve(value), finish, fail);
          else this.#finish(value);
        };
        const fail = (error: unknown): void => {
          this.#fail(error);
        };
        // By `then` and not by an await: an async function for each task would take as much memory again as the task's own.
        // Promise.resolve() copes with a thenable that calls back twice or throws late.
        if (isOwnAwaitable in result) result.then(finish, fail);
        else this.#ended = nativeThen(Promise.resolve(result), finish, fail);
      } else this.#finish(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Notes that it is suspended in `wait`. @internal */
  suspend(wait: Wait): void {
    this.#hasSuspendedAnew = true;
    if (this.#waits === undefined) this.#waits = wait;
    else if (Array.isArray(this.#waits)) this.#waits.push(wait);
    else this.#waits = [this.#waits, wait];
    if (this.#mustCancel && wait.source?.cancel(this.#cancelMessage) === true) this.#mustCancel = false;
  }

  /** Notes that `wait` is over; answers the cancellation that is to be raised there in the place of what it waited for. @internal */
  resume(wait: Wait): CancelledError | undefined {
    this.#steps++;
    this.#hasSuspendedAnew = false;
    if (this.#waits === wait) this.#waits = undefined;
    else if (Array.isArray(this.#waits)) {
      const others = this.#waits.filter((other) => other !== wait);
      this.#waits = others.length === 0 ? undefined : others;
    }
    if (!this.#mustCancel) return undefined;
    const cancellation = this.#takeCancellation();
    const { source } = wait;
    if (source === undefined) return cancellation;
    // As in asyncio: a CancelledError that is on its way already is the one delivered, and any other exception counts as retrieved.
    if (source.state === "cancelled" || (source.state === "failed" && source.exception() instanceof CancelledError)) {
      return undefined;
    }
    return cancellation;
  }

  override describe(): string {
    return `task ${this.getName()}`;
  }

  override [inspectKey](): string {
    const waits = this.waits().map(({ source }) => source?.describe() ?? "its turn");
    const place = this.isDone ? this.describeState() : this.hasBegun ? "suspended" : "not started";
    return `<Task ${this.getName()} ${place}${waits.length > 0 ? `, waits for ${waits.join(" and ")}` : ""}>`;
  }

  #takeCancellation(): CancelledError {
    this.#mustCancel = false;
    return new CancelledError(this.#cancelMessage);
  }

  #finish(value: unknown): void {
    if (this.#mustCancel) this.#fail(this.#takeCancellation());
    else {
      this.unlisten();
      this.complete("finished", value);
      this.getLoop().noteTaskDone(this);
    }
  }

  #fail(error: unknown): void {
    this.unlisten();
    const cancellation = cancellationIn(error);
    if (cancellation === undefined) this.complete("failed", error);
    else this.complete("cancelled", cancellation);
    this.getLoop().noteTaskDone(this);
  }
}

/** The function of a task body. Throws UsageError for what cannot be started, a promise above all. @internal */
export function takeBody<T>(body: TaskBody<T>, what: "createTask" | "run"): () => PromiseLike<T> | T {
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
