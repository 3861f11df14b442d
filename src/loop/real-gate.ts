/**
 * `gate`: real work (a file, a socket, a database) whose completion the scheduler orders.
 *
 * The gate is an alternative from the begin, whether the work is done or not. When the scheduler settles it too early, the loop stands still in
 * real time until the work is done, and then settles it in that step. So nothing of the order hangs on how fast the work is.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import type { GateBody } from "./gate.js";
import { errorOf, type Fault, type IoOptions, requireIo } from "./io-options.js";
import { getRunningLoop } from "./running.js";
import { isOwnAwaitable, isThenable } from "./thenable.js";

/**
 * A native promise of what `work` comes to, a promise or a function that starts the work, settled by the scheduler as {@link io} is: before or
 * after whatever else is ready, whenever the work itself is done. The order of completion is the schedule's alone, and replays.
 *
 * What else the work does it does in real time, so it should share nothing with the scenario until it is done. Work that waits for something of
 * the loop's (`io`, a sleep) is no real work: `io(label, () => work())` starts it when the scheduler likes.
 *
 * A gate that was to settle and whose work is not done, while nothing arrives for `idleGraceMs` and no request of the process is under way, is a
 * deadlock that names it.
 *
 * Throws UsageError outside of a run, for work that is neither, and for a label or options that `io` would not take.
 *
 * @example
 * const text = await gate(() => readFile("config.json", "utf8"), "read config");
 * @since 0.3.0
 */
export function gate<T>(work: PromiseLike<T> | (() => PromiseLike<T> | T), label = "gate", options: IoOptions = {}): Promise<T> {
  requireIo("gate", label, options);
  getRunningLoop("gate()");
  if (typeof work !== "function" && (!isThenable(work) || isOwnAwaitable in work)) {
    const what = isThenable(work) ? "something of the loop's, which is awaited as it is" : describeValue(work);
    throw new UsageError(`gate: work must be a promise or a function that starts real work, not ${what}`);
  }
  return new Promise<T>((resolve, reject) => {
    openRealGate(typeof work === "function" ? work : () => work, label, options, { resolve, reject });
  });
}

interface Settling<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Starts the work, and opens its gate. @internal */
export function openRealGate<T>(
  start: () => PromiseLike<T> | T,
  label: string,
  { maxMs, mayFail }: IoOptions,
  settling: Settling<T>,
): void {
  const body = new RealWork<T>(mayFail, settling);
  body.begin(start);
  getRunningLoop().openGate(label, body, maxMs);
}

type Ended<T> = { readonly value: T } | { readonly error: unknown };

class RealWork<T> implements GateBody {
  readonly isReal = true;
  readonly #fault: Fault | undefined;
  readonly #settling: Settling<T>;
  #ended: Ended<T> | undefined = undefined;

  constructor(fault: Fault | undefined, settling: Settling<T>) {
    this.#fault = fault;
    this.#settling = settling;
  }

  /** Starts the work. Whatever it rejects with is known here, so it is no rejection that nobody handles before the gate settles. */
  begin(start: () => PromiseLike<T> | T): void {
    const end = (value: T): void => {
      this.#ended = { value };
    };
    const fail = (error: unknown): void => {
      this.#ended = { error };
    };
    try {
      const made = start();
      if (isThenable(made)) made.then(end, fail);
      else end(made); // it is one or the other
    } catch (error) {
      fail(error);
    }
  }

  get mayFail(): boolean {
    return this.#fault !== undefined;
  }

  get isUnderWay(): boolean {
    return this.#ended === undefined;
  }

  settle(): void {
    const ended = this.#ended;
    if (ended === undefined) return; // the loop does not call it before
    if ("error" in ended) this.#settling.reject(ended.error);
    else this.#settling.resolve(ended.value);
  }

  fail(): void {
    this.#settling.reject(errorOf(this.#fault));
  }
}
