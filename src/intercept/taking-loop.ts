/**
 * Who answers a call of the platform: the run that has taken it over, or the platform itself.
 */
import type { EventLoop } from "../loop/event-loop.js";
import { findRunningLoop } from "../loop/running.js";
import type { TakenOver } from "../loop/taken-over.js";

/** A loop that has taken over the platform. */
export type TakingLoop = EventLoop & { readonly takenOver: TakenOver };

/**
 * The loop whose program is calling; undefined outside of a run, in one that leaves the platform alone, and for other code that runs while
 * a run waits for real I/O, such as a test runner's.
 */
export function findTakingLoop(): TakingLoop | undefined {
  const loop = findRunningLoop();
  return loop?.takenOver !== undefined && loop.isInsideStep() ? (loop as TakingLoop) : undefined; // just seen
}
