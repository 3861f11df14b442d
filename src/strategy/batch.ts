/**
 * How strategies that draw put a batch of gates together: one read from a socket can answer several requests, and mostly answers one.
 */
import type { Random } from "../random/random.js";

/**
 * How likely a batch is ended rather than given a further gate. With 0.7, uniform picks were the only single strategy of a trial on 19
 * rare bugs of realistic programs that showed them all.
 */
export const SETTLE_PROBABILITY = 0.7;

/** The index taken in a decision of kind `"batch"` with `count` alternatives: 0, which settles, or any of the gates. */
export function pickOfBatch(stream: Random, count: number): number {
  return stream.next() < SETTLE_PROBABILITY ? 0 : 1 + stream.below(count - 1);
}
