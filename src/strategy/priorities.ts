/**
 * A random order among all that may run: whoever has the highest priority of those that are ready runs.
 */
import { type Alternative, type Decision, isArrival } from "../schedule/strategy.js";
import { chainOf, ReadyValues } from "./ready-values.js";

/** What has one priority: a chain of steps, or what else is kept together. */
export interface Ranked {
  priority: number;
}

/**
 * What has a priority in common. `"chain"`: the steps of a task; a gate has its own. `"lineage"`: those, and a gate or a reaction belongs to what opened it, as far
 * as can be told: to whoever ran before it was seen first. So a task whose steps are all requests stays behind, or ahead, with all of them.
 * `"step"`: nothing.
 */
export type Grouping = "chain" | "lineage" | "step";

/**
 * Priorities, drawn for each when it is seen first, and for the clock once more each time that time has passed.
 *
 * Invariant: those that are ready and have a priority in common have the same object, so it is changed in one place.
 */
export class Priorities {
  readonly #draw: () => number;
  #grouping: Grouping = "chain";
  readonly #ready = new ReadyValues<Ranked>((alternative) => this.#rankedOf(alternative));
  readonly #chains = new Map<object | string, Ranked>();
  readonly #clock: Ranked = { priority: 0 };
  /** When the clock has drawn its priority. */
  #clockMs = -1;
  #timeMs = 0;
  /** Who ran last, for the first gate that is new after it. */
  #opener: Ranked | undefined = undefined;

  /** `draw` answers the priority of who is new: a uniform number puts it at a uniformly random place among the others. */
  constructor(draw: () => number) {
    this.#draw = draw;
  }

  /** Forgets all, for a new run. */
  clear(grouping: Grouping = "chain"): void {
    this.#grouping = grouping;
    this.#ready.clear();
    this.#chains.clear();
    this.#clockMs = -1;
    this.#opener = undefined;
  }

  /** Those that are ready, in their order. */
  rank(decision: Decision): readonly Ranked[] {
    this.#timeMs = decision.timeMs;
    return this.#ready.update(decision.ready);
  }

  /** The one at `index` runs. */
  take(index: number): void {
    const ranked = this.#ready.values[index];
    this.#opener = ranked === this.#clock ? undefined : ranked;
    this.#ready.take(index);
  }

  /** Index of the gate that comes first, in a decision of kind `"batch"`. */
  firstGate({ ready, timeMs }: Decision): number {
    this.#timeMs = timeMs;
    return 1 + highest(ready.slice(1).map((gate) => this.#ready.valueOf(gate) ?? this.#rankedOf(gate)));
  }

  #rankedOf(alternative: Alternative): Ranked {
    if (this.#grouping === "step") return alternative.kind === "clock" ? this.#clockNow() : { priority: this.#draw() };
    const { kind } = alternative;
    if (kind === "clock") return this.#clockNow();
    if (isArrival(kind) && this.#grouping === "lineage") return this.#gateOf();
    const chain = chainOf(alternative);
    let ranked = this.#chains.get(chain);
    if (ranked === undefined) {
      ranked = { priority: this.#draw() };
      this.#chains.set(chain, ranked);
    }
    return ranked;
  }

  #gateOf(): Ranked {
    const opener = this.#opener;
    this.#opener = undefined;
    return opener ?? { priority: this.#draw() };
  }

  #clockNow(): Ranked {
    if (this.#clockMs !== this.#timeMs) this.#clock.priority = this.#draw();
    this.#clockMs = this.#timeMs;
    return this.#clock;
  }
}

/** Index of the one with the highest priority. */
export function highest(ranked: readonly Ranked[]): number {
  let best = 0;
  let priority = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < ranked.length; index++) {
    const each = (ranked[index] as Ranked).priority; // below the length
    if (each > priority) {
      best = index;
      priority = each;
    }
  }
  return best;
}
