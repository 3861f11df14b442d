/**
 * The mix that an exploration uses when nobody says otherwise. No single strategy is good at all that goes wrong: one side that runs far ahead
 * of another is found by random priorities and almost never by uniform picks; events of two sides that must alternate are the other way round;
 * a few events in one particular order lie between.
 *
 * The first run is fifo, which shows at once what fails in the most ordinary order. After it each member gets a share of the runs. Shares change
 * twice: what is found soon or never comes first (one side ahead), then orders that change a few or many times, and in the long run uniform picks
 * get as much as these, because what is still not found then may need many events in one order, and nothing else is known about it. A member
 * whose latest runs showed little that is new has less, as if part of its share belonged to the others: it learns which are worth their runs,
 * and none is ever left out. Which member has a run is not drawn but counted out, so that none waits for luck.
 *
 * The shares were found by solving for the mix that is closest to the best single strategy on the worst of about 40 programs, those with known odds
 * and others with random ordering facts, under the odds that each member was measured to have there; on all of them the mix needs at most about
 * twice the runs of the best.
 */
import { Random } from "../random/random.js";
import type { Decision, Housekeeping, RunResult, Strategy } from "../schedule/strategy.js";
import { SETTLE_PROBABILITY } from "./batch.js";
import { laggards } from "./laggards.js";
import { OrderCover } from "./order-cover.js";
import { PriorityWalk, type Walk } from "./priority-walk.js";
import { random } from "./random.js";
import { RunLength } from "./run-length.js";
import { SeenOrders } from "./seen-orders.js";
import { urw } from "./urw.js";

/**
 * Begins with asyncio's own order, and then mixes strategies and their parameters by what still shows new orders.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: portfolio(7) });
 * @since 0.2.0
 */
export function portfolio(seed: number): Strategy {
  return new Portfolio(seed);
}

/** The last runs of the opening and of the middle part. */
const OPENING_END = 6;
const MIDDLE_END = 100;

/** Shares of the runs in the opening, in the middle and from then on, in hundredths. */
export const SHARES = {
  order: [50, 18, 14],
  few: [28, 25, 28],
  many: [18, 36, 16],
  turns: [0, 6, 3],
  random: [0, 2, 11],
  urw: [4, 9, 23],
  laggards: [0, 2, 3],
  arrival: [0, 2, 2],
} as const;

/** What a share is multiplied with where a member shows nothing new at all. */
const FLOOR = 0.15;

/** How much of what is known of a member's novelty comes from its latest run. */
const LEARNING_RATE = 1 / 8;

/** What plays one run. */
interface Player {
  pick(decision: Decision): number;
  end?(result: RunResult): void;
}

interface Member {
  readonly shares: readonly [number, number, number];
  /** Starts a run; answers who plays it. */
  readonly begin: (run: number) => Player;
  /** Called at the end of a run where more is known of what the next one will show than what the latest have shown. */
  readonly judge?: () => number;
  /** How much that is new is expected of a run, from 0 to 1. */
  novelty: number;
  /** Runs that it should have had and has not had. */
  credit: number;
}

/** Fifo in its first run, and then a mix. */
class Portfolio implements Strategy {
  readonly name = "portfolio";
  readonly #seed: number;
  #mix: Mix | undefined = undefined;

  constructor(seed: number) {
    this.#seed = seed;
    this.#mix = new Mix(seed);
  }

  get housekeeping(): Housekeeping {
    return this.#mix === undefined ? "inline" : "eager";
  }

  begin(run: number): boolean {
    if (run === 0) this.#mix = undefined;
    else (this.#mix ??= new Mix(this.#seed)).begin(run);
    return true;
  }

  pick(decision: Decision): number {
    return this.#mix?.pick(decision) ?? 0;
  }

  end(result: RunResult): void {
    this.#mix?.end(result);
  }
}

class Mix {
  readonly #stream: Random;
  readonly #length = new RunLength();
  readonly #seen = new SeenOrders();
  readonly #walk: PriorityWalk;
  readonly #members: readonly Member[];
  #member: Member | undefined = undefined;
  #player: Player | undefined = undefined;

  constructor(seed: number) {
    this.#stream = new Random(seed, "schedule", "portfolio");
    this.#walk = new PriorityWalk(this.#stream);
    this.#members = [
      this.#makeOrder(),
      this.#makeWalk(SHARES.few, (places) => ({ changes: this.#between(1, 8), lowerProbability: 0.75, places })),
      this.#makeWalk(SHARES.many, (places) => ({
        changes: this.#between(Math.min(0.4 * places, 4 * Math.sqrt(places)), places),
        lowerProbability: 0.5,
        places,
      })),
      this.#makeWalk(SHARES.turns, (places) => ({ changes: this.#between(0.7, 1.4) * places, lowersTo: "last", places })),
      makeWhole(SHARES.random, random(seed)),
      makeWhole(SHARES.urw, urw(seed)),
      makeWhole(SHARES.laggards, laggards(seed, { share: [0.1, 0.25, 0.5] })),
      makeMember(SHARES.arrival, () => this.#delayed(this.#between(0.5 / this.#places, 0.4))),
    ];
  }

  begin(run: number): void {
    this.#length.begin();
    this.#seen.begin();
    this.#member = this.#choose(run <= OPENING_END ? 0 : run <= MIDDLE_END ? 1 : 2);
    this.#player = this.#member?.begin(run);
  }

  pick(decision: Decision): number {
    this.#length.note(decision.step);
    const index = this.#player?.pick(decision) ?? 0;
    this.#seen.note(index, decision.count);
    return index;
  }

  end(result: RunResult): void {
    this.#length.end(result.steps);
    this.#player?.end?.(result);
    const isNew = this.#seen.end();
    if (this.#member === undefined) return;
    const { novelty, judge } = this.#member;
    this.#member.novelty = judge === undefined ? novelty + LEARNING_RATE * ((isNew ? 1 : 0) - novelty) : judge();
  }

  /** The member with the highest credit, once each has been given its part of one run. */
  #choose(part: 0 | 1 | 2): Member | undefined {
    let whole = 0;
    const weights = this.#members.map(({ shares, novelty }) => {
      const weight = shares[part] * (FLOOR + (1 - FLOOR) * novelty);
      whole += weight;
      return weight;
    });
    let chosen: Member | undefined = undefined;
    this.#members.forEach((member, place) => {
      member.credit += (weights[place] ?? 0) / whole;
      if (chosen === undefined || member.credit > chosen.credit) chosen = member;
    });
    if (chosen !== undefined) (chosen as Member).credit--;
    return chosen;
  }

  /** About how many places a run has at which something else could go on. */
  get #places(): number {
    return Math.max(2, this.#length.runs === 0 ? 10 : Math.ceil(this.#length.average));
  }

  /** A number from `low` to `high`, of which each factor is as likely as any other. */
  #between(low: number, high: number): number {
    return low * (high / low) ** this.#stream.next();
  }

  /** What it will show that is new is known in advance. */
  #makeOrder(): Member {
    const cover = new OrderCover(this.#stream);
    return {
      ...this.#makeWalk(SHARES.order, () => ({ order: cover.order })),
      judge: () => {
        cover.note(this.#walk.drawn);
        return Math.min(1, 2 * cover.worth);
      },
    };
  }

  #makeWalk(shares: Member["shares"], draw: (places: number) => Partial<Walk>): Member {
    return makeMember(shares, () => {
      const { changes = 0, ...drawn } = draw(this.#places);
      this.#walk.begin({
        grouping: "lineage",
        places: 0,
        lowerProbability: 1,
        lowersTo: "any",
        order: [],
        settleProbability: SETTLE_PROBABILITY,
        ...drawn,
        changes: Math.floor(changes + this.#stream.next()),
      });
      return this.#walk;
    });
  }

  /** The order of arrival, with one that is passed over now and then. */
  #delayed(rate: number): Player {
    return {
      pick: ({ count }) => {
        let index = 0;
        while (index < count - 1 && this.#stream.next() < rate) index++;
        return index;
      },
    };
  }
}

function makeMember(shares: Member["shares"], begin: Member["begin"]): Member {
  return { shares, begin, novelty: 1, credit: 0 };
}

/** A strategy as it is, with all that it learns from its own runs. */
function makeWhole(shares: Member["shares"], strategy: Strategy): Member {
  return makeMember(shares, (run) => {
    strategy.begin(run);
    return strategy;
  });
}
