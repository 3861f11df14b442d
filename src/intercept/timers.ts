/**
 * `setTimeout` and its kin, as functions that forward: to the loop inside a run, and to the platform's own everywhere else.
 */
import { findRunningLoop } from "../loop/running.js";
import { type AnyFunction, named, type Replacement, replacing } from "./replacement.js";
import { findTakingLoop } from "./taking-loop.js";
import { delayOf, Immediate, Timeout } from "./timer-objects.js";

/** The functions of one object that has timers: the global one, or the module `node:timers`. They are made once and serve all of them. */
export function timerReplacements(owners: readonly { readonly owner: object; readonly label: string }[]): readonly Replacement[] {
  const made = new Map<AnyFunction, AnyFunction>();
  const forwarderFor = (name: string, real: AnyFunction): AnyFunction => {
    // Where the module has the same function as the global object, both are to have the same forwarder.
    const forwarder = made.get(real) ?? named(MAKERS[name]?.(real) ?? real, name, real.length);
    made.set(real, forwarder);
    return forwarder;
  };
  return owners.flatMap(({ owner, label }) =>
    Object.keys(MAKERS).flatMap((name) => replacing(owner, name, `${label}.${name}`, (real) => forwarderFor(name, real))),
  );
}

const MAKERS: { readonly [name: string]: (real: AnyFunction) => AnyFunction } = {
  setTimeout: (real) => setting(real, false),
  setInterval: (real) => setting(real, true),
  setImmediate: (real) =>
    function setImmediate(...given: unknown[]): unknown {
      const [callback, ...args] = given;
      const loop = findTakingLoop();
      // Bad arguments get the platform's own error.
      if (loop === undefined || typeof callback !== "function") return noteReal(real(...given));
      return new Immediate(loop, callback as AnyFunction, args);
    },
  clearTimeout: clearing,
  clearInterval: clearing,
  clearImmediate: clearingImmediate,
};

function setting(real: AnyFunction, isRepeating: boolean): AnyFunction {
  return (...given: unknown[]): unknown => {
    const [callback, delay, ...args] = given;
    const loop = findTakingLoop();
    if (loop === undefined || typeof callback !== "function") return noteReal(real(...given), delayOf(delay));
    return new Timeout(loop, callback as AnyFunction, delayOf(delay), { isRepeating, args });
  };
}

/** While a run waits for real I/O, what comes in may set a real timer, which is then to be waited for as well. */
function noteReal(timer: unknown, delayMs = 0): unknown {
  const loop = findRunningLoop();
  if (loop?.takenOver !== undefined) loop.expectOutside(delayMs);
  return timer;
}

/** Immediates are left alone, as by Node's own. */
function clearing(real: AnyFunction): AnyFunction {
  return (timer: unknown): void => {
    if (timer instanceof Immediate) return;
    if (timer instanceof Timeout) {
      timer.close();
      return;
    }
    const id = typeof timer === "number" || typeof timer === "string" ? Number(timer) : undefined;
    const known = id === undefined ? undefined : findRunningLoop()?.takenOver?.timerWithId(id);
    if (known instanceof Timeout) known.close();
    else real(timer);
  };
}

/**
 * Node's own takes whatever it is given for an immediate, and has one less to run then. Inside a run that would be one by which the loop goes on,
 * so nothing else gets there.
 */
function clearingImmediate(real: AnyFunction): AnyFunction {
  return (immediate: unknown): void => {
    if (immediate instanceof Immediate) immediate.close();
    else if (findTakingLoop() === undefined || (typeof immediate === "object" && immediate !== null && "_onImmediate" in immediate)) {
      real(immediate);
    }
  };
}
