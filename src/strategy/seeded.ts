/**
 * A random order that stays the same order while the program changes under it.
 *
 * Every step gets a place in the order by a hash of the seed, the task's name and its operation, not by a draw from a stream. So when
 * a property-based test removes tasks and operations from a failing program, what is left keeps its relative order. `intensity` says
 * how many of the steps are moved away from the order of arrival at all; steps that are moved at a low intensity are moved at every
 * higher one, so lowering it can only bring the order closer to fifo.
 *
 * This is basic POS (Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling", CAV 2018, section 3) with keyed priorities.
 */
import { hash32, requireSeed } from "../random/random.js";
import type { Decision, ReadyTask, Strategy } from "../schedule/strategy.js";
import { fifo } from "./fifo.js";

/** The intensity at which every step is moved. */
export const FULL_INTENSITY = 64;

/** How far a step may be moved back, in places. */
const MAX_DELAY = 16;

/**
 * The strategy that `seed` and `intensity` (0, which is fifo, to {@link FULL_INTENSITY}) name. The same names give the same picks.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1.
 * @since 0.1.0
 */
export function seeded(seed: number, intensity: number = FULL_INTENSITY): Strategy {
  requireSeed(seed);
  if (intensity <= 0) return fifo();
  /** When each waiting step is due, counted in arrivals; a map by the handle, since the same name can be ready twice. */
  let due = new Map<ReadyTask, number>();
  let arrivals = 0;
  const dueOf = (task: ReadyTask): number => {
    const known = due.get(task);
    if (known !== undefined) return known;
    const place = hash32(`${seed}/${task.name}/${task.operation}`);
    const isMoved = place % FULL_INTENSITY < intensity;
    const at = arrivals++ + (isMoved ? (Math.floor(place / FULL_INTENSITY) % 1024) / 1024 : 0) * MAX_DELAY;
    due.set(task, at);
    return at;
  };
  return {
    name: "seeded",
    begin(): boolean {
      due = new Map();
      arrivals = 0;
      return true;
    },
    pick({ ready }: Decision): number {
      let best = 0;
      let bestDue = Number.POSITIVE_INFINITY;
      ready.forEach((task, index) => {
        const at = dueOf(task);
        if (at < bestDue) [best, bestDue] = [index, at];
      });
      const taken = ready[best];
      if (taken !== undefined) due.delete(taken);
      return best;
    },
  };
}
