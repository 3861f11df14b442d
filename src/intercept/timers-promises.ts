/**
 * `node:timers/promises` inside a run: promises that timers of the loop settle.
 */
import { builtin } from "./builtin.js";
import { type AnyFunction, named, type Replacement, replacing } from "./replacement.js";
import { findTakingLoop, type TakingLoop } from "./taking-loop.js";
import { delayOf, Immediate, Timeout } from "./timer-objects.js";

interface TimerOptions {
  readonly ref?: boolean;
  readonly signal?: AbortSignal;
}

const CUSTOM_PROMISIFY = Symbol.for("nodejs.util.promisify.custom");

/** Replaces the module's functions, and has `util.promisify(setTimeout)` answer them where `promisified` are the forwarders of the globals. */
export function timersPromisesReplacements(promisified: readonly Replacement[]): readonly Replacement[] {
  const module = builtin("timers/promises") as { readonly scheduler?: object } | undefined;
  if (module === undefined) return [];
  const functions = [
    ...replacing(module, "setTimeout", "timers/promises.setTimeout", forwarding(delayed, isWait)),
    ...replacing(
      module,
      "setImmediate",
      "timers/promises.setImmediate",
      forwarding(immediate, ([, options]) => isOptions(options)),
    ),
    ...replacing(module, "setInterval", "timers/promises.setInterval", forwarding(everyInterval, isWait)),
  ];
  for (const { name, value } of promisified) {
    const custom = functions.find((each) => each.name === name && name !== "setInterval");
    if (custom !== undefined) Object.defineProperty(value, CUSTOM_PROMISIFY, { value: custom.value, enumerable: true, configurable: true });
  }
  const scheduler = module.scheduler && (Object.getPrototypeOf(module.scheduler) as object);
  return [
    ...functions,
    ...replacing(
      scheduler,
      "wait",
      "scheduler.wait",
      forwarding(
        (loop, [delay, options]) => delayed(loop, [delay, undefined, options]),
        ([delay, options]) => isDelay(delay) && isOptions(options),
      ),
    ),
    ...replacing(
      scheduler,
      "yield",
      "scheduler.yield",
      forwarding((loop) => immediate(loop, [])),
    ),
  ];
}

/** Inside a run `answer` is asked, everywhere else the platform; that is also asked about arguments that it does not take, for its error. */
function forwarding(
  answer: (loop: TakingLoop, args: readonly unknown[]) => unknown,
  isTaken: (args: readonly unknown[]) => boolean = () => true,
): (real: AnyFunction) => AnyFunction {
  return (real) =>
    named(
      function (this: unknown, ...args: unknown[]): unknown {
        const loop = findTakingLoop();
        return loop === undefined || !isTaken(args) ? real.apply(this, args) : answer(loop, args);
      },
      real.name,
      real.length,
    );
}

/** A delay, any value, and options. The value is the program's, and may look like anything. */
const isWait = ([delay, _value, options]: readonly unknown[]): boolean => isDelay(delay) && isOptions(options);

const isDelay = (delay: unknown): boolean => delay === undefined || typeof delay === "number";

/** Options must be an object, with a signal that is one. */
function isOptions(options: unknown): boolean {
  if (typeof options !== "object" || options === null) return options === undefined;
  const { signal, ref } = options as { readonly signal?: unknown; readonly ref?: unknown };
  const isSignal = signal === undefined || (typeof signal === "object" && signal !== null && "aborted" in signal);
  return isSignal && (ref === undefined || typeof ref === "boolean");
}

function delayed(loop: TakingLoop, [delay, value, options]: readonly unknown[]): Promise<unknown> {
  return untilFired(options, (fire) => new Timeout(loop, fire, delayOf(delay), { isRepeating: false, args: [] }), value);
}

function immediate(loop: TakingLoop, [value, options]: readonly unknown[]): Promise<unknown> {
  return untilFired(options, (fire) => new Immediate(loop, fire, []), value);
}

function untilFired(options: unknown, arm: (fire: () => void) => Timeout | Immediate, value: unknown): Promise<unknown> {
  const { signal, ref = true } = (options ?? {}) as TimerOptions; // looked at by isOptions
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      timer.close();
      reject(abortError(signal));
    };
    const timer = arm(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve(value);
    });
    if (!ref) timer.unref();
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** What Node rejects with where a signal ends a wait. */
function abortError(signal: AbortSignal | undefined): Error {
  const error = new Error("The operation was aborted", { cause: signal?.reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}

/** Asked anew each time: a signal is aborted while others wait, which flow analysis does not see. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** The interval as an async iterator: a value for each time that it has fired, also for those that nobody waited for. */
async function* everyInterval(loop: TakingLoop, [delay, value, options]: readonly unknown[]): AsyncGenerator {
  const { signal, ref = true } = (options ?? {}) as TimerOptions; // looked at by isOptions
  if (isAborted(signal)) throw abortError(signal);
  let fired = 0;
  let wake: () => void = () => undefined;
  const note = (): void => {
    fired++;
    wake();
  };
  const onAbort = (): void => wake();
  const timer = new Timeout(loop, note, delayOf(delay), { isRepeating: true, args: [] });
  if (!ref) timer.unref();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      if (isAborted(signal)) throw abortError(signal);
      if (fired > 0) {
        fired--;
        yield value;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    timer.close();
    signal?.removeEventListener("abort", onAbort);
  }
}
