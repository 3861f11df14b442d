/**
 * A random order that stays the same order while the program changes under it.
 *
 * Every step gets a priority by a hash of the seed, the task's name and its operation, not by a draw from a stream, and the smallest
 * runs first. So which of two ready steps runs first hangs on those two alone: when a property-based test removes tasks and operations
 * from a failing program, what is left keeps its order. `intensity` says how many of the steps are moved away from the order of arrival
 * at all. The others share the priority in the middle, and among themselves the one that arrived first runs first. Steps that are moved
 * at a low intensity are moved, to the same priority, at every higher one, so lowering it can only bring the order closer to fifo. Whether a
 * gate joins the batch of another, and whether one fails that may, is keyed in the same way: those that are not moved never do.
 *
 * This is basic POS (Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling", CAV 2018, section 3) with keyed priorities.
 */
import { hash32, hashToUnit, requireSeed } from "../random/random.js";
import type { Decision, ReadyTask, Strategy } from "../schedule/strategy.js";
import { SETTLE_PROBABILITY } from "./batch.js";
import { FAULT_RATES } from "./fault-rate.js";
import { fifo } from "./fifo.js";

/** The intensity at which every step is moved. */
export const FULL_INTENSITY = 64;

/** Priorities are whole numbers below this. */
const PRIORITIES = 0x1_0000_0000 / FULL_INTENSITY;

/** The share of the moved gates that settle with another one instead of alone; so likely others draw it, too (batch.ts). */
const JOINING = 1 - SETTLE_PROBABILITY;

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
  let order = new KeyedOrder(String(seed), intensity);
  let longest: ReadyTask | undefined;
  let passedOver = 0;
  return {
    name: "seeded",
    isFair: true,
    begin(run: number): boolean {
      order = new KeyedOrder(run === 0 ? String(seed) : `${seed}+${run}`, intensity);
      longest = undefined;
      passedOver = 0;
      return true;
    },
    pick({ kind, ready }: Decision): number {
      if (kind === "batch") return order.pickOfBatch(ready);
      if (kind === "fault") return order.fails(ready[0]) ? 1 : 0;
      passedOver = ready[0] === longest ? passedOver + 1 : 0;
      longest = ready[0];
      return passedOver >= STARVATION_BOUND ? 0 : order.first(ready);
    },
  };
}

/** What is drawn for the steps of one run, by their names. */
class KeyedOrder {
  readonly #key: string;
  readonly #intensity: number;
  readonly #priorities = new WeakMap<ReadyTask, number>();

  constructor(key: string, intensity: number) {
    this.#key = key;
    this.#intensity = intensity;
  }

  /** Index of the one with the smallest priority, the first of equals. */
  first(ready: readonly ReadyTask[]): number {
    let best = 0;
    let bestPriority = Number.POSITIVE_INFINITY;
    ready.forEach((task, index) => {
      const priority = this.#priorityOf(task);
      if (priority < bestPriority) [best, bestPriority] = [index, priority];
    });
    return best;
  }

  /** Index of the first gate that joins a batch; 0, which settles, where there is none. */
  pickOfBatch(ready: readonly ReadyTask[]): number {
    return Math.max(
      0,
      ready.findIndex((gate, index) => index > 0 && this.#joins(gate)),
    );
  }

  /** Whether the gate fails. How likely all of them are to is keyed, too. */
  fails(gate: ReadyTask | undefined): boolean {
    if (gate === undefined || !this.#isMoved(this.#hash(gate))) return false;
    const rate = FAULT_RATES[hash32(`${this.#key}/fault`) % FAULT_RATES.length] ?? 0; // below the length
    return hashToUnit(`${this.#key}/fault/${gate.name}/${gate.operation}`) < rate;
  }

  #priorityOf(task: ReadyTask): number {
    const known = this.#priorities.get(task);
    if (known !== undefined) return known;
    const hash = this.#hash(task);
    const priority = this.#isMoved(hash) ? Math.floor(hash / FULL_INTENSITY) : PRIORITIES / 2;
    this.#priorities.set(task, priority);
    return priority;
  }

  #joins(gate: ReadyTask): boolean {
    return this.#isMoved(this.#hash(gate)) && hashToUnit(`${this.#key}/batch/${gate.name}/${gate.operation}`) < JOINING;
  }

  #hash({ name, operation }: ReadyTask): number {
    return hash32(`${this.#key}/${name}/${operation}`);
  }

  #isMoved(hash: number): boolean {
    return hash % FULL_INTENSITY < this.#intensity;
  }
}
