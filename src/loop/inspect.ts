/** The key under which Node's `util.inspect` (and so `console.log`) looks for an object's own way to print itself. */
export const inspectKey: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never; // `for` returns a plain symbol; the key is fixed

/** A function's name, or `anonymous`: how tasks and coroutines are named in `inspect`. */
export function nameOfFunction(fn: (...args: never[]) => unknown): string {
  return fn.name === "" ? "anonymous" : fn.name;
}
