/**
 * Partial order sampling (Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling", CAV 2018): each step that becomes ready draws
 * a priority, the highest of those that are ready runs, and the ready ones that are dependent with it draw anew. So the orders of two
 * dependent steps are as likely as each other, whatever else runs, and no run is spent on the order of those that are not.
 *
 * What a ready step will touch is not known here, as it is in the paper, so it is predicted: what the step with the same id touched when it ran
 * last. One that has not run yet may touch anything. Where the paper's odds are known, they are met within what 40,000 runs can tell.
 *
 * The clock is a step that is dependent with all. A gate settles alone with probability 0.7, and otherwise with the one that has the
 * highest priority. Whether one fails that may is drawn.
 */
import { Random } from "../random/random.js";
import { type Decision, type Footprint, type StepRecord, type Strategy, WORLD } from "../schedule/strategy.js";
import { SETTLE_PROBABILITY } from "./batch.js";
import { FaultRate } from "./fault-rate.js";
import { highest, type Ranked } from "./priorities.js";
import { ReadyValues } from "./ready-values.js";

/**
 * Runs whoever has the highest priority, which are drawn anew for what is dependent with the step that runs. Its steps are tracked.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: pos(7) });
 * @since 0.2.0
 */
export function pos(seed: number): Strategy {
  return new PartialOrderSampling(seed);
}

/** A step that is ready. */
interface Ready extends Ranked {
  /** What it is expected to touch; undefined for anything. */
  readonly footprint: Footprint | undefined;
}

/** What they touched is remembered of so many steps. */
const MAX_STEPS = 1 << 16;

class PartialOrderSampling implements Strategy {
  readonly name = "pos";
  readonly tracks = true;
  readonly #seed: number;
  /** One stream for all runs, as for random picks. */
  #stream: Random;
  readonly #faults = new FaultRate();
  /** What the steps touched when they ran last, by their ids. */
  readonly #footprints = new Map<number, Footprint>();
  /** Those of the running decision, and what is ready in it. */
  #ids: Decision["ids"] = undefined;
  readonly #ready = new ReadyValues<Ready>((alternative, index) => ({
    priority: this.#stream.next(),
    footprint: alternative.kind === "clock" ? undefined : this.#footprints.get(this.#ids?.[index] ?? Number.NaN),
  }));

  constructor(seed: number) {
    this.#seed = seed;
    this.#stream = new Random(seed, "schedule", "pos");
  }

  begin(run: number): boolean {
    if (run === 0) {
      this.#stream = new Random(this.#seed, "schedule", "pos");
      this.#footprints.clear();
    }
    this.#ready.clear();
    this.#faults.begin();
    return true;
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch") return this.#pickOfBatch(decision);
    if (decision.kind === "fault") return this.#faults.pick(this.#stream);
    this.#ids = decision.ids;
    const ready = this.#ready.update(decision.ready);
    const index = highest(ready);
    this.#ready.take(index);
    return index;
  }

  observe({ id, footprint }: StepRecord): void {
    if (id === undefined || footprint === undefined) return;
    for (const ready of this.#ready.values) {
      if (ready.footprint === undefined || areDependent(footprint, ready.footprint)) ready.priority = this.#stream.next();
    }
    if (this.#footprints.size < MAX_STEPS || this.#footprints.has(id)) this.#footprints.set(id, footprint);
  }

  #pickOfBatch({ ready }: Decision): number {
    if (this.#stream.next() < SETTLE_PROBABILITY) return 0;
    return 1 + highest(ready.slice(1).map((gate) => this.#ready.valueOf(gate) ?? { priority: this.#stream.next() }));
  }
}

/** Whether swapping the two could make a difference. Every step reads what is not tracked. */
function areDependent(a: Footprint, b: Footprint): boolean {
  for (const location of a.writes) {
    if (location === WORLD || b.writes.includes(location) || b.reads.includes(location)) return true;
  }
  for (const location of b.writes) if (location === WORLD || a.reads.includes(location)) return true;
  return false;
}
