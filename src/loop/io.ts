/**
 * `io`: what stands in for a call to the outside world in a scenario.
 */
import { describeValue, isError, UsageError } from "../errors/errors.js";
import { requireDuration } from "./require-options.js";
import { getRunningLoop } from "./running.js";

export interface IoOptions {
  /** How long the scheduler may hold it back, in virtual milliseconds. Default: the latency bound of the run, 10 unless it says otherwise. */
  readonly maxMs?: number;
}

/** What an {@link io} answers: a value, what a function returns when it is settled, or an Error to reject with. */
export type IoResult<T> = T | Error | (() => PromiseLike<T> | T);

/**
 * A native promise that the scheduler settles when it likes, as a network or a disk would: before or after whatever else is ready, and
 * before the clock goes beyond `maxMs`.
 *
 * Throws UsageError outside of a run, for a label that is no text and for a `maxMs` that is no duration.
 *
 * @example
 * const store = new Store({ load: () => io("load", { items: 3 }) });
 * await io("save", new Error("disk full")).catch(report);
 * @since 0.2.0
 */
export function io<T = undefined>(label: string, result?: IoResult<T>, { maxMs }: IoOptions = {}): Promise<T> {
  if (typeof label !== "string") throw new UsageError(`io: label must be a text, not ${describeValue(label)}`);
  requireDuration(maxMs, "io: maxMs");
  const loop = getRunningLoop("io()");
  return new Promise<T>((resolve, reject) => {
    const settle = (): void => {
      if (isError(result)) reject(result);
      else if (typeof result === "function") {
        callInto(result as () => PromiseLike<T> | T, resolve, reject);
      } // see IoResult
      else resolve(result as T); // without a result, T is undefined
    };
    loop.openGate(label, settle, maxMs);
  });
}

function callInto<T>(make: () => PromiseLike<T> | T, resolve: (value: PromiseLike<T> | T) => void, reject: (error: unknown) => void): void {
  try {
    resolve(make());
  } catch (error) {
    reject(error);
  }
}
