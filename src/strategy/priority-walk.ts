/**
 * Runs by a random order that changes now and then: all that lies between PCT and uniform picks, in a few numbers.
 *
 * With no changes one side runs ahead of the other as far as it can (PCT of depth 1); with few of them it is PCT, here without an exact number of
 * them; with one at nearly each step, whoever ran falls behind all others, so that all take turns. Where whoever ran does not fall behind but
 * draws once more, the order slowly becomes another one, which in the limit is uniform picks that seldom come back to the same chain.
 */
import type { Random } from "../random/random.js";
import type { Decision } from "../schedule/strategy.js";
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
  /** How likely a gate settles alone, and again with each that it takes along. */
  readonly settleProbability: number;
  /** Whether the order at the beginning is that of the walk before, turned round. */
  readonly isMirrored: boolean;
}

/** How many of the draws of a walk are kept for one that is its mirror image. */
const MAX_MIRRORED = 64;

export class PriorityWalk {
  readonly #stream: Random;
  readonly #priorities = new Priorities(() => this.#draw());
  /** The priorities that the latest walk drew, and how many those of this one are. */
  readonly #drawn: number[] = [];
  #draws = 0;
  #walk: Walk = { grouping: "lineage", changes: 0, places: 0, lowerProbability: 1, settleProbability: 1, isMirrored: false };
  /** Changes and places that are left, and the number of the first step. */
  #changesLeft = 0;
  #placesLeft = 0;
  #lastStep = 0;
  #lowest = 0;

  constructor(stream: Random) {
    this.#stream = stream;
  }

  begin(walk: Walk): void {
    this.#walk = walk;
    this.#draws = 0;
    this.#changesLeft = walk.changes;
    this.#placesLeft = walk.places;
    this.#lastStep = 0;
    this.#lowest = 0;
    this.#priorities.clear(walk.grouping);
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch") {
      return this.#stream.next() < this.#walk.settleProbability ? 0 : this.#priorities.firstGate(decision);
    }
    const ranked = this.#priorities.rank(decision);
    let index = highest(ranked);
    if (this.#changesLeft > 0 && this.#isChange(decision.step)) {
      const one = ranked[index] as Ranked; // as long as the list
      const p = this.#walk.lowerProbability;
      one.priority = p > 1 ? this.#stream.next() - 1 : p < 0 ? (this.#stream.next() < -p ? this.#stream.next() - 1 : this.#stream.next()) : this.#stream.next() < p ? --this.#lowest : this.#stream.next();
      index = highest(ranked);
    }
    this.#priorities.take(index);
    return index;
  }

  /** Whether one of the places since the decision before is drawn (Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S). */
  #isChange(step: number): boolean {
    let passed = this.#lastStep === 0 ? 0 : step - this.#lastStep;
    this.#lastStep = step;
    let isDrawn = false;
    for (; passed > 0 && this.#changesLeft > 0; passed--) {
      if (this.#stream.next() * this.#placesLeft-- >= this.#changesLeft) continue;
      this.#changesLeft--;
      isDrawn = true;
    }
    return isDrawn;
  }

  #draw(): number {
    const place = this.#draws++;
    const before = this.#drawn[place];
    const drawn = this.#walk.isMirrored && before !== undefined ? 1 - before : this.#stream.next();
    if (place < MAX_MIRRORED) this.#drawn[place] = drawn;
    return drawn;
  }
}
