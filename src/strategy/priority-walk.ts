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
  /** How likely the order changes before a step, from 0 to 1. */
  readonly changeRate: number;
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
  #walk: Walk = { grouping: "lineage", changeRate: 0, lowerProbability: 1, settleProbability: 1, isMirrored: false };
  #nextChange = 0;
  #lowest = 0;

  constructor(stream: Random) {
    this.#stream = stream;
  }

  begin(walk: Walk): void {
    this.#walk = walk;
    this.#draws = 0;
    this.#nextChange = 0;
    this.#lowest = 0;
    this.#priorities.clear(walk.grouping);
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch") {
      return this.#stream.next() < this.#walk.settleProbability ? 0 : this.#priorities.firstGate(decision);
    }
    const ranked = this.#priorities.rank(decision);
    let index = highest(ranked);
    if (this.#walk.changeRate > 0 && this.#isChange(decision.step)) {
      const one = ranked[index] as Ranked; // as long as the list
      one.priority = this.#stream.next() < this.#walk.lowerProbability ? --this.#lowest : this.#stream.next();
      index = highest(ranked);
    }
    this.#priorities.take(index);
    return index;
  }

  #isChange(step: number): boolean {
    const isFirst = this.#nextChange === 0;
    if (step < this.#nextChange) return false;
    this.#nextChange = step + this.#drawGap();
    return !isFirst;
  }

  /** Steps from one change to the next. */
  #drawGap(): number {
    const { changeRate } = this.#walk;
    if (changeRate >= 1) return 1;
    return 1 + Math.floor(Math.log(1 - this.#stream.next()) / Math.log(1 - changeRate));
  }

  #draw(): number {
    const place = this.#draws++;
    const before = this.#drawn[place];
    const drawn = this.#walk.isMirrored && before !== undefined ? 1 - before : this.#stream.next();
    if (place < MAX_MIRRORED) this.#drawn[place] = drawn;
    return drawn;
  }
}
