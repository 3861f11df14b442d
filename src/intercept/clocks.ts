/**
 * `Date`, `performance.now`, `process.hrtime` and `AbortSignal.timeout` inside a run: they tell the loop's virtual time.
 */
import { named, type Replacement, replacing } from "./replacement.js";
import { findTakingLoop, type TakingLoop } from "./taking-loop.js";
import { delayOf, Timeout } from "./timer-objects.js";

/** When every run begins: the first moment of 2024. The same on every machine, or no replay would be exact. */
const EPOCH_MS = 1_704_067_200_000;

/** What `performance.now()` and `process.hrtime()` tell when a run begins, in milliseconds: not 0, which caches take for "never". */
const UPTIME_MS = 1_000;

const dateOf = (loop: TakingLoop): number => EPOCH_MS + loop.readClock();
const uptimeOf = (loop: TakingLoop): number => UPTIME_MS + loop.readClock();

export function clockReplacements(): readonly Replacement[] {
  const { performance, process } = globalThis as { readonly performance?: object; readonly process?: object };
  return [
    { owner: globalThis, name: "Date", label: "globalThis.Date", value: forwardingDate(globalThis.Date) },
    ...replacing(
      performance && (Object.getPrototypeOf(performance) as object),
      "now",
      "performance.now",
      (real) =>
        function now(this: unknown): unknown {
          const loop = findTakingLoop();
          return loop === undefined ? real.call(this) : uptimeOf(loop);
        },
    ),
    ...replacing(process, "hrtime", "process.hrtime", (real) => forwardingHrtime(real as Hrtime)),
    ...replacing(
      globalThis.AbortSignal,
      "timeout",
      "AbortSignal.timeout",
      (real) =>
        function timeout(delayMs: number): unknown {
          const loop = findTakingLoop();
          // Bad arguments get the platform's own error.
          return loop === undefined || !(Number.isSafeInteger(delayMs) && delayMs >= 0)
            ? real.call(AbortSignal, delayMs)
            : abortedAfter(loop, delayMs);
        },
    ),
  ];
}

/**
 * A `Date` that asks the loop what time it is. It has the prototype of the real one, so that whichever of them made a date, it is an
 * instance of both.
 */
function forwardingDate(RealDate: DateConstructor): DateConstructor {
  const now = (): number => {
    const loop = findTakingLoop();
    return loop === undefined ? RealDate.now() : dateOf(loop);
  };
  const Forwarding = function (...args: unknown[]): Date | string {
    const target: unknown = new.target;
    if (target === undefined) return new RealDate(now()).toString();
    const given = args.length === 0 ? [now()] : args;
    // A class that extends Date comes with itself as the target.
    return Reflect.construct(RealDate, given, target === Forwarding ? RealDate : (target as NewableFunction)) as Date;
  };
  const { now: realNow, ...statics } = Object.getOwnPropertyDescriptors(RealDate);
  Object.defineProperties(Forwarding, statics);
  Object.defineProperty(Forwarding, "now", { ...realNow, value: now });
  Object.defineProperty(RealDate.prototype, "constructor", { value: Forwarding, writable: true, configurable: true });
  return Forwarding as unknown as DateConstructor; // it has all that one has
}

type Hrtime = ((earlier?: [number, number]) => [number, number]) & { readonly bigint?: () => bigint };

/** `process.hrtime()` with its `bigint()`. */
function forwardingHrtime(real: Hrtime): unknown {
  const forwarding = (earlier?: [number, number]): [number, number] => {
    const loop = findTakingLoop();
    if (loop === undefined) return real(earlier);
    const ms = uptimeOf(loop);
    const [seconds, nanoseconds] = [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
    if (earlier === undefined) return [seconds, nanoseconds];
    const difference = nanoseconds - earlier[1];
    return difference < 0 ? [seconds - earlier[0] - 1, difference + 1_000_000_000] : [seconds - earlier[0], difference];
  };
  const realBigint = real.bigint;
  const bigint = (): bigint => {
    const loop = findTakingLoop();
    return loop === undefined ? (realBigint?.call(real) ?? 0n) : BigInt(uptimeOf(loop)) * 1_000_000n;
  };
  return named(Object.assign(forwarding, { bigint }), "hrtime", 1);
}

/** A signal that is aborted by a timer that keeps nothing alive, as that of the platform. */
function abortedAfter(loop: TakingLoop, delayMs: number): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  };
  new Timeout(loop, abort, delayOf(delayMs), { isRepeating: false, args: [] }).unref();
  return controller.signal;
}
