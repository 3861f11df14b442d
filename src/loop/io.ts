/**
 * `io`: what stands in for a call to the outside world in a scenario, as a promise, as a callback, or as an event that is emitted.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { captureContext } from "./context.js";
import type { GateBody } from "./gate.js";
import { errorOf, type Fault, type IoOptions, type OnlyOptions, optionsAmong, requireIo } from "./io-options.js";
import { getRunningLoop } from "./running.js";
import { isThenable } from "./thenable.js";

/** What an {@link io} answers: a value, what a function returns when it is settled, or an Error to reject with. */
export type IoResult<T> = T | Error | (() => PromiseLike<T> | T);

/** A callback as Node's own functions take it: with an error, or with null and a value. */
export type NodeCallback<T> = (error: Error | null, value: T) => unknown;

/** What emits events: an `EventEmitter`, which every stream is, or an `EventTarget`. */
export type Emitter = { emit(event: string | symbol, ...values: unknown[]): unknown } | { dispatchEvent(event: WebEvent): unknown };

type WebEvent = InstanceType<typeof globalThis.Event>;

const NO_OPTIONS: IoOptions = {};

/**
 * A native promise that the scheduler settles when it likes, as a network or a disk would: before or after whatever else is ready, and
 * before the clock goes beyond `maxMs` virtual milliseconds. With `mayFail` the scheduler decides when it settles whether it does so with its
 * result or rejects with that error, and an exploration tries both; under `"fifo"` it never fails.
 *
 * Options may come alone, in the place of a result: an object with no other keys than `maxMs` and `mayFail`, and at least one of them. (A result
 * that looks like that is told by a third argument: `io("limits", { maxMs: 5 }, {})`.)
 *
 * Throws UsageError outside of a run, for a label that is no text, a `maxMs` that is no duration, and a `mayFail` that is neither an Error
 * nor a function.
 *
 * @example
 * const store = new Store({ load: () => io("load", { items: 3 }) });
 * await io("save", new Error("disk full")).catch(report);
 * await io("charge", "paid", { mayFail: new Error("connection reset") });
 * @since 0.2.0
 */
export function io(label: string, options: OnlyOptions): Promise<undefined>;
export function io<T = undefined>(label: string, result?: IoResult<T>, options?: IoOptions): Promise<T>;
export function io<T>(label: string, second?: IoResult<T> | OnlyOptions, third?: IoOptions): Promise<T> {
  const alone = third === undefined ? optionsAmong(second) : undefined;
  const result = alone === undefined ? (second as IoResult<T>) : undefined; // options it is not
  const options = alone ?? third ?? NO_OPTIONS;
  requireIo("io", label, options);
  const loop = getRunningLoop("io()");
  return new Promise<T>((resolve, reject) => {
    loop.openGate(label, new Answer(result, options.mayFail, resolve, reject), options.maxMs);
  });
}

/**
 * {@link io} for code that takes a callback: calls `callback(null, value)`, or `callback(error)`, in a step of its own. What the callback throws
 * is an exception of the run, and fails it.
 *
 * Throws UsageError as `io` does, and for a callback that is no function.
 *
 * @example
 * const disk = { read: (path, callback) => io.callback(`read ${path}`, callback, "content") };
 * @since 0.3.0
 */
io.callback = callback;

/**
 * Emits an event in a step of its own: calls `emitter.emit(event, ...values)`, or dispatches the event on an `EventTarget`, which takes an Event
 * or a name and at most one value, the `detail` of a CustomEvent. The promise resolves after it, to whether anybody listened. What a listener
 * throws is an exception of the run, and fails it.
 *
 * Throws UsageError outside of a run, and for what emits no events.
 *
 * @example
 * await io.emit(socket, "data", Buffer.from("hello"));
 * void io.emit(target, "message", { id: 7 }); // an EventTarget: a CustomEvent with this detail
 * @since 0.3.0
 */
io.emit = emit;

function callback(label: string, call: NodeCallback<undefined>, options: OnlyOptions): void;
function callback<T = undefined>(label: string, call: NodeCallback<T>, result?: IoResult<T>, options?: IoOptions): void;
function callback<T>(label: string, call: NodeCallback<T>, third?: IoResult<T> | OnlyOptions, fourth?: IoOptions): void {
  const alone = fourth === undefined ? optionsAmong(third) : undefined;
  const result = alone === undefined ? (third as IoResult<T>) : undefined; // options it is not
  const options = alone ?? fourth ?? NO_OPTIONS;
  requireIo("io.callback", label, options);
  if (typeof call !== "function") throw new UsageError(`io.callback: callback must be a function, not ${describeValue(call)}`);
  const calling = inContext(label, "io.callback()");
  const reject = (error: unknown): void => {
    calling(() => (call as (error: unknown) => unknown)(error)); // what the program has thrown may be anything
  };
  const resolve = (value: PromiseLike<T> | T): void => {
    if (isThenable(value)) value.then(resolve, reject);
    else calling(() => call(null, value));
  };
  getRunningLoop().openGate(label, new Answer(result, options.mayFail, resolve, reject), options.maxMs);
}

function emit(emitter: Emitter, event: string | symbol | WebEvent, ...values: readonly unknown[]): Promise<boolean> {
  const send = sending(emitter, event, values);
  const name = typeof event === "object" ? event.type : typeof event === "symbol" ? (event.description ?? "symbol") : event;
  const label = `emit ${name}`;
  const calling = inContext(label, "io.emit()");
  return new Promise((resolve) => {
    let isHeard = false;
    const settle = (): void => {
      calling(() => {
        isHeard = send() === true;
      });
      resolve(isHeard);
    };
    getRunningLoop().openGate(label, { settle });
  });
}

/** What emits the event. Throws UsageError where nothing does. */
function sending(emitter: Emitter | null, event: string | symbol | WebEvent, values: readonly unknown[]): () => unknown {
  if (typeof emitter === "object" && emitter !== null) {
    if ("dispatchEvent" in emitter && typeof emitter.dispatchEvent === "function" && typeof event !== "symbol") {
      const made =
        typeof event === "object" ? event : values.length === 0 ? new Event(event) : new CustomEvent(event, { detail: values[0] });
      return () => emitter.dispatchEvent(made);
    }
    if ("emit" in emitter && typeof emitter.emit === "function" && typeof event !== "object") {
      return () => emitter.emit(event, ...values);
    }
  }
  throw new UsageError("io.emit: emitter must be an EventEmitter or an EventTarget that takes this event, not " + describeValue(emitter));
}

/** Calls code of the program in the context of the caller of now. What it throws is an exception of the run. */
function inContext(label: string, what: string): (work: () => unknown) => void {
  const loop = getRunningLoop(what);
  const context = captureContext();
  return (work) => {
    try {
      if (context === undefined) work();
      else context.runInAsyncScope(work, undefined, undefined);
    } catch (exception) {
      loop.callExceptionHandler({ message: `Exception in ${label}`, exception });
    }
  };
}

/** What a gate of this file settles with. */
class Answer<T> implements GateBody {
  readonly #result: IoResult<T> | undefined;
  readonly #fault: Fault | undefined;
  readonly #resolve: (value: PromiseLike<T> | T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    result: IoResult<T> | undefined,
    fault: Fault | undefined,
    resolve: (value: PromiseLike<T> | T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#result = result;
    this.#fault = fault;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get mayFail(): boolean {
    return this.#fault !== undefined;
  }

  settle(): void {
    const result = this.#result;
    if (result instanceof Error) this.#reject(result);
    else if (typeof result === "function") this.#settleWith(result as () => PromiseLike<T> | T);
    else this.#resolve(result as T); // without a result, T is undefined
  }

  fail(): void {
    this.#reject(errorOf(this.#fault));
  }

  #settleWith(make: () => PromiseLike<T> | T): void {
    let made: PromiseLike<T> | T;
    try {
      made = make();
    } catch (error) {
      this.#reject(error);
      return;
    }
    this.#resolve(made);
  }
}
