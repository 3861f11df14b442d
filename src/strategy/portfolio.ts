/**
 * The mix that an exploration uses when nobody says otherwise. No single strategy is good at all that goes wrong: one side that runs far ahead
 * of another is found by random priorities and almost never by uniform picks; events of two sides that must alternate are the other way round;
 * a few events in one particular order lie between.
 *
 * The first run is fifo, which shows at once what fails in the most ordinary order. After it each member has a share of the runs. Shares change
 * twice: what is found soon or never comes first (one side ahead of the others), then orders that change a few or many times, and in the long run
 * uniform picks get as much as these, because what is still not found then may need many events in one order, and nothing else is known of it. A
 * member whose latest runs showed little that is new gets less: so the mix learns which are worth their runs, and none is ever left out. Which
 * member has a run is not drawn but counted out, so that none has to wait for luck.
 *
 * The shares come from solving for the mix that is closest to the best single strategy on the worst of about 40 programs (those with known odds, and
 * others that fail when some random events are in order), given the odds of each member there, and from trying them in simulated explorations.
 * Until the first failure the mix takes at most about twice the runs of the best of the strategies that have a name, where the odds are known, and 2.5
 * times on the worst of the others. Against the best parameter for one program it can be more: PCT of depth 1 finds that four sides run ahead of
 * each other in a fifth of its runs, and finds nothing else.
 */
import { Random, requireSeed } from "../random/random.js";
import type { Decision, Housekeeping, RunResult, Strategy } from "../schedule/strategy.js";
import { SETTLE_PROBABILITY } from "./batch.js";
import { laggards } from "./laggards.js";
import { OrderCover } from "./order-cover.js";
import { PriorityWalk, type Walk } from "./priority-walk.js";
import { random } from "./random.js";
import { RunLength } from "./run-length.js";
import { SeenOrders } from "./seen-orders.js";
import { urw } from "./urw.js";

/** The last runs of the opening and of the middle part. */
const OPENING_END = 6;
const MIDDLE_END = 100;

/** In hundredths of the runs: in the opening, in the middle part, and from then on. */
type Shares = readonly [opening: number, middle: number, late: number];

/** All sides in one order, each as far ahead of the next as it can be. */
const ORDER: Shares = [50, 26, 22];
/** An order that changes 2 to 8 times, which is PCT of depth 3 to 9. */
const FEW_CHANGES: Shares = [28, 38, 31];
/** One that changes at up to all steps, and half of the time by a new priority of whoever runs. */
const MANY_CHANGES: Shares = [18, 28, 16];
/** Whoever ran comes last, at most or at all steps. */
const IN_TURN: Shares = [0, 5, 3];
/** The order of arrival, in which one is passed over now and then. */
const ARRIVAL: Shares = [0, 2, 2];
const RANDOM: Shares = [0, 1, 12];
const URW: Shares = [4, 8, 26];
const LAGGARDS: Shares = [0, 2, 2];

/** What a share is multiplied with where a member shows nothing new at all. */
const FLOOR = 0.15;

/** How much of what is known of a member's novelty comes from its latest run. */
const LEARNING_RATE = 1 / 8;

/** How long runs are taken to be, in places for changes, before the first that had a decision. */
const UNKNOWN_LENGTH = 10;

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
  requireSeed(seed);
  return new Portfolio(seed);
}

class Portfolio implements Strategy {
  readonly name = "portfolio";
  readonly #seed: number;
  /** Undefined in the first run. */
  #mix: Mix | undefined = undefined;

  constructor(seed: number) {
    this.#seed = seed;
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

/** What plays one run. */
interface Player {
  pick(decision: Decision): number;
  end?(result: RunResult): void;
}

interface Member {
  readonly shares: Shares;
  /** Starts a run; answers who plays it. */
  readonly begin: (run: number) => Player;
  /** Called at the end of a run where it is known how much the next one will show that is new. */
  readonly expectNovelty?: () => number;
  /** How much that is new is expected of a run, from 0 to 1. */
  novelty: number;
  /** Runs that it should have had and has not had. */
  credit: number;
}

class Mix {
  readonly #stream: Random;
  readonly #length = new RunLength();
  readonly #seen = new SeenOrders();
  readonly #walk: PriorityWalk;
  readonly #first: Member;
  readonly #others: readonly Member[];
  #member: Member;
  #player: Player;

  constructor(seed: number) {
    this.#stream = new Random(seed, "schedule", "portfolio");
    this.#walk = new PriorityWalk(this.#stream);
    this.#first = this.#makeOrder();
    this.#others = [
      this.#makeWalk(FEW_CHANGES, (places) => ({ places, changes: this.#between(2, 8) })),
      this.#makeWalk(MANY_CHANGES, (places) => ({
        places,
        changes: this.#between(Math.min(0.4 * places, 4 * Math.sqrt(places)), places),
        lowerProbability: 0.5,
      })),
      this.#makeWalk(IN_TURN, (places) => ({ places, changes: this.#between(0.7, 1.4) * places, lowersTo: "last" })),
      makeWhole(RANDOM, random(seed)),
      makeWhole(URW, urw(seed)),
      makeWhole(LAGGARDS, laggards(seed, { share: [0.1, 0.25, 0.5] })),
      makeMember(ARRIVAL, () => this.#delaying(this.#between(0.5 / this.#drawPlaces(), 0.4))),
    ];
    this.#member = this.#first;
    this.#player = this.#walk;
  }

  begin(run: number): void {
    this.#length.begin();
    this.#seen.begin();
    this.#member = this.#choose(run <= OPENING_END ? 0 : run <= MIDDLE_END ? 1 : 2);
    this.#player = this.#member.begin(run);
  }

  pick(decision: Decision): number {
    this.#length.note(decision.step);
    const index = this.#player.pick(decision);
    this.#seen.note(index, decision.count);
    return index;
  }

  end(result: RunResult): void {
    this.#length.end(result.steps);
    this.#player.end?.(result);
    const { novelty, expectNovelty } = this.#member;
    const isNew = this.#seen.end();
    this.#member.novelty = expectNovelty?.() ?? novelty + LEARNING_RATE * ((isNew ? 1 : 0) - novelty);
  }

  /** Gives each member its part of one run, and the run to the one that has the most to its credit. */
  #choose(part: 0 | 1 | 2): Member {
    const weightOf = ({ shares, novelty }: Member): number => shares[part] * (FLOOR + (1 - FLOOR) * novelty);
    let whole = weightOf(this.#first);
    for (const member of this.#others) whole += weightOf(member);
    this.#first.credit += weightOf(this.#first) / whole;
    let chosen = this.#first;
    for (const member of this.#others) {
      member.credit += weightOf(member) / whole;
      if (member.credit > chosen.credit) chosen = member;
    }
    chosen.credit--;
    return chosen;
  }

  #drawPlaces(): number {
    return Math.max(2, this.#length.draw(this.#stream) ?? UNKNOWN_LENGTH);
  }

  /** A number from `low` to `high`; from 1 to 2 is as likely as from 2 to 4. */
  #between(low: number, high: number): number {
    return low * (high / low) ** this.#stream.next();
  }

  #makeOrder(): Member {
    const cover = new OrderCover(this.#stream);
    return {
      ...this.#makeWalk(ORDER, () => ({ order: cover.order })),
      expectNovelty: () => {
        cover.note(this.#walk.drawn);
        // What is still not shown becomes no less likely to be what matters: half of an order is as good as all of it.
        return Math.min(1, 2 * cover.worth);
      },
    };
  }

  #makeWalk(shares: Shares, draw: (places: number) => Partial<Walk>): Member {
    return makeMember(shares, () => {
      const { changes = 0, ...drawn } = draw(this.#drawPlaces());
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

  #delaying(rate: number): Player {
    return {
      pick: ({ count }) => {
        let index = 0;
        while (index < count - 1 && this.#stream.next() < rate) index++;
        return index;
      },
    };
  }
}

function makeMember(shares: Shares, begin: Member["begin"]): Member {
  return { shares, begin, novelty: 1, credit: 0 };
}

/** A strategy as it is, with all that it learns from its own runs. */
function makeWhole(shares: Shares, strategy: Strategy): Member {
  return makeMember(shares, (run) => {
    strategy.begin(run);
    return strategy;
  });
}
