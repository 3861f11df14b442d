/**
 * Schedules as a fast-check arbitrary.
 */
import * as fc from "fast-check";
import { MAX_SEED } from "../random/random.js";
import type { Strategy } from "../schedule/strategy.js";
import { FULL_INTENSITY, seeded } from "../strategy/seeded.js";

/**
 * Random orders, as strategies. A strategy goes by the names of what is ready and not by a stream of draws, so it stays the same
 * order while fast-check shrinks the program beside it; itself it shrinks towards fifo, moving fewer and fewer steps.
 *
 * @example
 * fc.asyncProperty(taskGraph(), schedule(), async (graph, strategy) => { await runTaskGraph(graph, { strategy }); });
 * @since 0.1.0
 */
export function schedule(): fc.Arbitrary<Strategy> {
  return fc
    .tuple(fc.noShrink(fc.integer({ min: 0, max: MAX_SEED })), fc.integer({ min: 0, max: FULL_INTENSITY }))
    .map(([seed, intensity]) => ({
      ...seeded(seed, intensity),
      // How fast-check prints it in a counterexample.
      [fc.toStringMethod]: () => (intensity === 0 ? "fifo" : `seeded(${seed}, ${intensity})`),
    }));
}
