/**
 * Uniform random picks: each ready task is as likely as any other.
 *
 * The same seed gives the same picks in the same order, one stream for all runs of an exploration: seeding a generator for each run
 * would cost as much as a short run does.
 */
import { Random } from "../random/random.js";
import type { Decision, Strategy } from "../schedule/strategy.js";
import { pickOfBatch } from "./batch.js";
import { FaultRate } from "./fault-rate.js";

/**
 * Picks uniformly among what is ready. A gate settles alone with probability 0.7, and otherwise with any of the other open ones; one that may fail
 * does so with a probability that the run draws.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1.
 *
 * @example
 * await run(main, { strategy: random(7) });
 * @since 0.1.0
 */
export function random(seed: number): Strategy {
  let stream = new Random(seed, "schedule", "random");
  const faults = new FaultRate();
  return {
    name: "random",
    isFair: true,
    begin(run: number): boolean {
      if (run === 0) stream = new Random(seed, "schedule", "random");
      faults.begin();
      return true;
    },
    pick({ kind, count }: Decision): number {
      if (kind === "batch") return pickOfBatch(stream, count);
      return kind === "fault" ? faults.pick(stream) : stream.below(count);
    },
  };
}
