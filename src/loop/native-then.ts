/**
 * `then` of the language's own promises, as it was when heddle was loaded: at the await grain a run puts another one in its place, which makes every
 * callback a step of its own, and what the library does for itself is none.
 */

type Then = (
  onFulfilled: ((value: never) => unknown) | null | undefined,
  onRejected: ((reason: unknown) => unknown) | null | undefined,
) => Promise<unknown>;

// A method that is called on another object below.
const original: Then = Object.getOwnPropertyDescriptor(Promise.prototype, "then")?.value as Then; // every realm with promises has it

/** `promise.then(onFulfilled, onRejected)`, which is no scheduling point at any grain. */
export function nativeThen<Result>(
  promise: Promise<unknown>,
  onFulfilled?: ((value: never) => unknown) | null,
  onRejected?: ((reason: unknown) => unknown) | null,
): Promise<Result> {
  return Reflect.apply(original, promise, [onFulfilled, onRejected]) as Promise<Result>; // what the callbacks return, as the caller knows
}
