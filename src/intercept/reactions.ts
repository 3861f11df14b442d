/**
 * Taking over the callbacks of promises: while an exploration at the await grain lasts, `then` and `finally` of the language's promises ask the run that is
 * under way to call each callback in a step of its own.
 *
 * So what is reached is everything that waits for promises by calling them: chains of `then`, `catch`, code that was compiled to generators. An `await`
 * that stands in the code as such calls nothing; the transform (src/instrument) reaches it. What the engine hands to `then` for itself (an `all` or
 * a `race` that counts, a promise that is resolved with another one) is no code of the program, and stays inside the step. `queueMicrotask` and
 * `nextTick` keep the language's order.
 */
import { UsageError } from "../errors/errors.js";
import { findRunningLoop } from "../loop/running.js";

/** Both are methods of a promise; the second argument of `finally` is ignored. */
type Method = (this: unknown, onFulfilled: unknown, onRejected?: unknown) => unknown;

/**
 * Puts the two in place until the function that it answers is called, which puts back exactly what was there.
 *
 * Throws UsageError where somebody has frozen them.
 */
export function takeOverReactions(): () => void {
  const before = { then: descriptorOf("then"), finally: descriptorOf("finally") };
  replace("then", before.then, (original) => ({
    then(onFulfilled, onRejected) {
      const [first, second] = findRunningLoop()?.reactions?.reacting(onFulfilled, onRejected) ?? [onFulfilled, onRejected];
      return Reflect.apply(original, this, [first, second]);
    },
  }));
  // It calls `then` with functions of the engine's, in which the callback of the program is hidden.
  replace("finally", before.finally, (original) => ({
    finally(onFinally) {
      const [first] = findRunningLoop()?.reactions?.reacting(onFinally, undefined, "finally") ?? [onFinally];
      return Reflect.apply(original, this, [first]);
    },
  }));
  return () => {
    Reflect.defineProperty(Promise.prototype, "then", before.then);
    Reflect.defineProperty(Promise.prototype, "finally", before.finally);
  };
}

function descriptorOf(name: "then" | "finally"): PropertyDescriptor {
  const before = Object.getOwnPropertyDescriptor(Promise.prototype, name);
  if (typeof before?.value !== "function" || before.configurable !== true) {
    throw new UsageError(
      `explore: granularity "await" takes over Promise.prototype.${name}, which is ${before === undefined ? "gone" : "frozen"} here. ` +
        'Usually something like a sandbox has frozen it: explore before that, or with granularity "event".',
    );
  }
  return before;
}

function replace<Name extends "then" | "finally">(
  name: Name,
  before: PropertyDescriptor,
  make: (original: Method) => Record<Name, Method>,
): void {
  // A method, so that it is no constructor, as the one that it stands for is none.
  const value = make(before.value as Method)[name];
  Reflect.defineProperty(Promise.prototype, name, { ...before, value });
}
