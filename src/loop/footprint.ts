/**
 * Touching: how code of the library tells what the running step reads and writes. It costs a look at the running loop where nobody asks.
 */
import { findRunningLoop } from "./running.js";

/** The running step reads `key` of `subject`, or the whole of a thing that has no parts. */
export function noteRead(subject: object, key?: PropertyKey): void {
  findRunningLoop()?.tracker?.touch(subject, key, false);
}

/** The running step writes `key` of `subject`, or the whole of a thing that has no parts. */
export function noteWrite(subject: object, key?: PropertyKey): void {
  findRunningLoop()?.tracker?.touch(subject, key, true);
}

/** The running step has made `subject`: to be told where it is made, so that it is known for the same in every run. */
export function noteMade(subject: object): void {
  findRunningLoop()?.tracker?.introduce(subject);
}
