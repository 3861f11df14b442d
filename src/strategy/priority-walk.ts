/**
 * Runs by a random order that changes now and then: all that lies between PCT and uniform picks, in a few numbers.
 *
 * Without changes one side runs ahead of the others as far as it can. With a few of them, after which whoever ran comes behind all others, it is
 * PCT. With one at each step all take turns. Where whoever ran draws once more instead, the order turns into another one step by step, and with
 * many such changes neighbours in the order are as good as picked at random.
 */
import type { Random } from "../random/random.js";
import type { Decision } from "../schedule/strategy.js";
import { FaultRate } from "./fault-rate.js";
import { type Grouping, highest, Priorities, type Ranked } from "./priorities.js";

/** How one run walks. */
export interface Walk {
  readonly grouping: Grouping;
  /** How often the order changes, at places drawn uniformly, none of them twice. */
  readonly changes: number;
  /** How many places there are: those between two steps of a run. */
  readonly places: number;
  /** How likely a change puts the one that would run behind all others; otherwise it draws a new priority. */
  readonly lowerProbability: number;
  /** Where among those that came behind all others it then stands: at a random place, as in the paper on PCT, or last. */
  readonly lowersTo: "any" | "last";
  /** The order in which those that are seen first stand, the first of them being 0; empty for a random one. */
  readonly order: readonly number[];
  /** How likely a gate settles alone, and again with each that it takes along. */
  readonly settleProbability: number;
}

export class PriorityWalk {
  readonly #stream: Random;
  readonly #priorities = new Priorities(() => this.#draw());
  readonly #faults = new FaultRate();
  #walk: Walk | undefined = undefined;
  #drawn = 0;
  #lowest = -1;
  /** Changes to come, the places that are left for them, and the step that was decided last. */
  #changesLeft = 0;
  #placesLeft = 0;
  #step = 0;

  constructor(stream: Random) {
    this.#stream = stream;
  }

  /** How many priorities were drawn for whoever was new in this run. */
  get drawn(): number {
    return this.#drawn;
  }

  begin(walk: Walk): void {
    this.#walk = walk;
    this.#drawn = 0;
    this.#lowest = -1;
    this.#changesLeft = Math.min(walk.changes, walk.places);
    this.#placesLeft = walk.places;
    this.#step = 0;
    this.#priorities.clear(walk.grouping);
    this.#faults.begin();
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch") {
      return this.#stream.next() < (this.#walk?.settleProbability ?? 1) ? 0 : this.#priorities.firstGate(decision);
    }
    if (decision.kind === "fault") return this.#faults.pick(this.#stream);
    const ranked = this.#priorities.rank(decision);
    let index = highest(ranked);
    if (this.#changesLeft > 0 && this.#isChange(decision.step)) {
      (ranked[index] as Ranked).priority = this.#drawChanged(); // as long as the list
      index = highest(ranked);
    }
    this.#priorities.take(index);
    return index;
  }

  /** Whether one of the places since the decision before is drawn (Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S). */
  #isChange(step: number): boolean {
    let passed = this.#step === 0 ? 0 : step - this.#step;
    this.#step = step;
    let isDrawn = false;
    for (; passed > 0 && this.#changesLeft > 0; passed--) {
      if (this.#stream.next() * this.#placesLeft-- >= this.#changesLeft) continue;
      this.#changesLeft--;
      isDrawn = true;
    }
    return isDrawn;
  }

  /** Priorities that were not lowered lie from 0 to 1, others below. */
  #drawChanged(): number {
    const { lowerProbability = 1, lowersTo = "any" } = this.#walk ?? {};
    if (lowerProbability < 1 && this.#stream.next() >= lowerProbability) return this.#stream.next();
    return lowersTo === "last" ? --this.#lowest : this.#stream.next() - 1;
  }

  #draw(): number {
    const order = this.#walk?.order ?? [];
    const place = order.indexOf(this.#drawn++);
    // Whoever is not in the order comes anywhere between those that are.
    return place < 0 ? this.#stream.next() : 1 - (place + 0.5) / order.length;
  }
}
