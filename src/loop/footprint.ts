/**
 * Touching: how code of the library tells what the running step reads and writes. It costs a look at one variable where nobody asks.
 */
import type { Tracker } from "./tracker.js";

let tracker: Tracker | undefined = undefined;

/** Makes `next` the one that is told; answers the one before. @internal */
export function setTracker(next: Tracker | undefined): Tracker | undefined {
  const previous = tracker;
  tracker = next;
  return previous;
}

/** The running step reads `key` of `subject`, or the whole of a thing that has no parts. */
export function noteRead(subject: object, key?: PropertyKey): void {
  tracker?.touch(subject, key, false);
}

/** The running step writes `key` of `subject`, or the whole of a thing that has no parts. */
export function noteWrite(subject: object, key?: PropertyKey): void {
  tracker?.touch(subject, key, true);
}
