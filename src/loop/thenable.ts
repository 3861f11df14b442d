/** What can be awaited: anything with a `then` of its own. */

/** Whether `value` can be awaited through a `then` of its own. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Whether `value` is a native promise, of any realm: in the sandbox of a test runner, those of Node's own functions are none of the sandbox's. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise || (isThenable(value) && Object.prototype.toString.call(value) === "[object Promise]");
}

/** Marks what the loop hands out to await: its `then` calls back once and never throws late, so it needs no promise around it. */
export const isOwnAwaitable: unique symbol = Symbol("heddle: own awaitable");
