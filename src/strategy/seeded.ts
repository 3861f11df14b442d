/**
 * A random order that stays the same order while the program changes under it.
 *
 * Every step gets a priority by a hash of the seed, the task's name and its operation, not by a draw from a stream, and the smallest
 * runs first. So which of two ready steps runs first hangs on those two alone: when a property-based test removes tasks and operations
 * from a failing program, what is left keeps its order. `intensity` says how many of the steps are moved away from the order of arrival
 * at all. The others share the priority in the middle, and among themselves the one that arrived first runs first. Steps that are moved
 * at a low intensity are moved, to the same priority, at every higher one, so lowering it can only bring the order closer to fifo.
 *
 * This is basic POS (Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling", CAV 2018, section 3) with keyed priorities.
 */
import { hash32, requireSeed } from "../random/random.js";
import type { Decision, ReadyTask, Strategy } from "../schedule/strategy.js";
import { fifo } from "./fifo.js";

/** The intensity at which every step is moved. */
export const FULL_INTENSITY = 64;

/** Priorities are whole numbers below this. */
const PRIORITIES = 0x1_0000_0000 / FULL_INTENSITY;

/**
 * The step that has been ready longest runs after it was passed over so often in a row: a task that polls would else hold one of a
 * high priority back for as long as it likes. No task graph comes near it.
 */
const STARVATION_BOUND = 1_000;

/**
 * The strategy that `seed` and `intensity` (0, which is fifo, to {@link FULL_INTENSITY}) name. The same names give the same picks; each
 * further run of an exploration has an order of its own.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1.
 * @since 0.1.0
 */
export function seeded(seed: number, intensity: number = FULL_INTENSITY): Strategy {
  requireSeed(seed);
  if (intensity <= 0) return fifo();
  let key = String(seed);
  let priorities = new WeakMap<ReadyTask, number>();
  let longest: ReadyTask | undefined;
  let passedOver = 0;
  const priorityOf = (task: ReadyTask): number => {
    const known = priorities.get(task);
    if (known !== undefined) return known;
    const hash = hash32(`${key}/${task.name}/${task.operation}`);
    const isMoved = hash % FULL_INTENSITY < intensity;
    const priority = isMoved ? Math.floor(hash / FULL_INTENSITY) : PRIORITIES / 2;
    priorities.set(task, priority);
    return priority;
  };
  return {
    name: "seeded",
    begin(run: number): boolean {
      key = run === 0 ? String(seed) : `${seed}+${run}`;
      priorities = new WeakMap();
      longest = undefined;
      passedOver = 0;
      return true;
    },
    pick({ ready }: Decision): number {
      passedOver = ready[0] === longest ? passedOver + 1 : 0;
      longest = ready[0];
      if (passedOver >= STARVATION_BOUND) return 0;
      let best = 0;
      let bestPriority = Number.POSITIVE_INFINITY;
      ready.forEach((task, index) => {
        const priority = priorityOf(task);
        if (priority < bestPriority) [best, bestPriority] = [index, priority];
      });
      return best;
    },
  };
}
