/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with Probabilistic Guarantees of
 * Finding Bugs", ASPLOS 2010): every chain of steps has a random priority, and the highest of those that are ready runs. At `depth - 1` change
 * points, steps drawn in advance, the chain that is about to run falls behind all others. A bug of that depth among n chains and k steps is
 * found by a run with a probability of at least 1 / (n k^(depth - 1)).
 *
 * Where this differs from the paper: k is not given but learned from the earlier runs, as their average length (run-length.ts); priorities are drawn when a chain appears, because
 * nobody knows in advance how many there will be; and a change point where nothing else is ready waits until there is, which is section 4.1 there.
 *
 * A task is a chain; so is a gate, and a callback. The clock is one, too, with a new priority each time that time has passed. A gate settles
 * alone with probability 0.7, otherwise with the one that comes next in the order of priorities. Whether one fails that may is drawn.
 */
import { UsageError } from "../errors/errors.js";
import { Random } from "../random/random.js";
import type { Decision, RunResult, Strategy } from "../schedule/strategy.js";
import { SETTLE_PROBABILITY } from "./batch.js";
import { FaultRate } from "./fault-rate.js";
import { highest, Priorities, type Ranked } from "./priorities.js";
import { RunLength } from "./run-length.js";

const MAX_DEPTH = 1_000;

export interface PctOptions {
  /** How many ordering facts a bug may need; one less than there are change points in a run. At least 1. Default 3. */
  readonly depth?: number;
}

/**
 * Runs whoever has the highest of random priorities, which change `depth - 1` times in a run.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1, or `depth` no whole number from 1 to 1,000.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: pct(7, { depth: 2 }) });
 * @since 0.2.0
 */
export function pct(seed: number, { depth }: PctOptions = {}): Strategy {
  if (depth !== undefined && (!Number.isInteger(depth) || depth < 1 || depth > MAX_DEPTH)) {
    throw new UsageError(`pct: depth must be a whole number from 1 to ${MAX_DEPTH}, not ${String(depth)}`);
  }
  return new Pct(depth === undefined ? "pct" : `pct:${depth}`, seed, depth ?? 3);
}

class Pct implements Strategy {
  readonly name: string;
  readonly #seed: number;
  readonly #depth: number;
  /** One stream for all runs, as for random picks. */
  #stream: Random;
  #length = new RunLength();
  readonly #priorities = new Priorities(() => this.#stream.next());
  readonly #faults = new FaultRate();
  /** The steps after which the priorities change, the next one last. */
  #changes: number[] = [];

  constructor(name: string, seed: number, depth: number) {
    this.name = name;
    this.#seed = seed;
    this.#depth = depth;
    this.#stream = new Random(seed, "schedule", "pct");
  }

  begin(run: number): boolean {
    if (run === 0) {
      this.#stream = new Random(this.#seed, "schedule", "pct");
      this.#length = new RunLength();
    }
    this.#priorities.clear();
    this.#faults.begin();
    this.#length.begin();
    this.#changes = this.#drawChanges();
    return true;
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch") return this.#stream.next() < SETTLE_PROBABILITY ? 0 : this.#priorities.firstGate(decision);
    if (decision.kind === "fault") return this.#faults.pick(this.#stream);
    const place = this.#length.note(decision.step);
    const ranked = this.#priorities.rank(decision);
    let index = highest(ranked);
    if ((this.#changes.at(-1) ?? Number.POSITIVE_INFINITY) <= place) {
      // Those that were passed while only one could run would all have hit that one.
      while ((this.#changes.at(-1) ?? Number.POSITIVE_INFINITY) <= place) this.#changes.pop();
      // Below all that were not lowered, and at a random place among those that were, as in the paper, where the points are not in order.
      (ranked[index] as Ranked).priority = this.#stream.next() - 1; // as long as the list
      index = highest(ranked);
    }
    this.#priorities.take(index);
    return index;
  }

  end(result: RunResult): void {
    this.#length.end(result.steps);
  }

  /** Different places of a run, or all of them, in descending order; none in the first run, of which the length is not known. */
  #drawChanges(): number[] {
    const count = this.#length.draw(this.#stream) ?? 0;
    const places = new Set<number>();
    const wanted = Math.min(this.#depth - 1, count);
    while (places.size < wanted) places.add(1 + this.#stream.below(count));
    return [...places].sort((a, b) => b - a);
  }
}
