/**
 * Making a failing order small, in the order of smallness of simplicity.ts.
 *
 * A run is taken for a partial order (partial-order.ts), and the first candidate is free of risk: the order of fewest switches among those
 * that are equivalent to the run (commute.ts). Then precedences are given up by delta debugging. Each candidate is the order of fewest
 * switches that keeps what is left of them, and is tried by running the program: when it fails in the same way, what was given up is not
 * needed. A failure that hangs on three precedences is left with these three, however long the program is. The same is done to batches, to
 * faults, and to the times at which the clock passed open gates, then the latency bound is lowered. What is left of the reruns goes into simpler orders
 * of any kind, the simplest first (fewest-first.ts): in a small program none is left out, and the result is the smallest there is.
 *
 * A run is kept only when it is strictly simpler than the one before, so the search ends; it is bounded by a number of reruns besides.
 */
import { isSimpler, type Simplicity, simplicityOf } from "../schedule/simplicity.js";
import type { Strategy } from "../schedule/strategy.js";
import { joining, keeping, odditiesOf, shortenedOrders, type Torn, tornApart, withoutOddities } from "./candidates.js";
import { FewestFirst } from "./fewest-first.js";
import { InOrder } from "./in-order.js";
import { type FailingRun, nameOf, type OrderItem, orderOf } from "./order.js";
import { type PartialOrder, partialOrderOf } from "./partial-order.js";
import { shrinkList } from "./shrink-list.js";

/** At most so many reruns by default. */
export const MAX_RERUNS = 1_000;

/** All reruns together take at most so many steps, so that a long run is tried less often than a short one. */
export const MAX_STEPS = 400_000;

/** From so many places where a task was torn apart on they are joined many at once. */
const MANY = 16;

export interface MinimiseLimits {
  /** Default {@link MAX_RERUNS}. */
  readonly maxReruns?: number;
  /** Asked before each rerun; true ends the search with the best so far. Default: never. */
  readonly isOver?: () => boolean;
}

/**
 * Runs the program; answers the run when it fails in the same way, undefined when it does not. With `ioLatencyMs` gates can be held back so
 * long at most; without, as long as in the run that was given first.
 */
export type Attempt<Run> = (strategy: Strategy, ioLatencyMs?: number) => Promise<Run | undefined>;

export interface Minimised<Run> {
  /** The simplest failing run that was found, the first one itself when nothing simpler fails. */
  readonly run: Run;
  readonly reruns: number;
}

/** Makes `first` as simple as `attempt` lets it become. */
export async function minimise<Run extends FailingRun>(
  first: Run,
  attempt: Attempt<Run>,
  limits: MinimiseLimits = {},
): Promise<Minimised<Run>> {
  const search = new Minimisation(first, attempt, limits);
  await search.run();
  return { run: search.best, reruns: search.reruns };
}

class Minimisation<Run extends FailingRun> {
  readonly #attempt: Attempt<Run>;
  readonly #limits: MinimiseLimits;
  /** The orders that were tried: how simple the run was, undefined where it did not fail in the same way. */
  readonly #tried = new Map<string, Simplicity | undefined>();
  #best: Run;
  #simplicity: Simplicity;
  #ioLatencyMs: number | undefined;
  /** Whether footprints, where there are any, are believed. */
  #isToldAll = true;
  /** How many steps failing runs took. */
  readonly #lengths: Set<number>;
  #reruns = 0;
  #steps = 0;
  #onFailure: (run: Run) => void = () => undefined;

  constructor(first: Run, attempt: Attempt<Run>, limits: MinimiseLimits) {
    this.#attempt = attempt;
    this.#limits = limits;
    this.#best = first;
    this.#lengths = new Set([first.steps.length]);
    this.#simplicity = simplicityOf(first.steps, first.schedule);
    this.#ioLatencyMs = first.schedule?.ioLatencyMs;
  }

  get best(): Run {
    return this.#best;
  }

  get reruns(): number {
    return this.#reruns;
  }

  async run(): Promise<void> {
    // Without any order the tasks run one after the other, and gates settle as they come: often that is enough, and nothing is simpler.
    await this.#tryOrder([]);
    await this.#untilNothingIsSimpler();
    if (await this.#tryFewestFirst()) await this.#untilNothingIsSimpler();
  }

  async #untilNothingIsSimpler(): Promise<void> {
    for (let before: Run | undefined; before !== this.#best && !this.#isSpent(); ) {
      before = this.#best;
      await this.#joinParts();
      await this.#giveUpPrecedences();
      await this.#giveUpOddities();
      await this.#shortenParts();
      await this.#lowerLatency();
    }
  }

  /** Joins what was torn apart, many places at once where that goes, and in the end one by one. */
  async #joinParts(): Promise<void> {
    for (let before: Run | undefined; before !== this.#best && !this.#isSpent(); ) {
      before = this.#best;
      const order = await this.#commute(before);
      const places = tornApart(order);
      for (const side of ["later", "earlier"] as const) {
        const isJoined = (torn: readonly Torn[]): Promise<boolean> => this.#tryOrder(joining(order, torn, side));
        if (places.length > MANY) await shrinkList(places, async (kept) => !this.#isSpent() && isJoined(without(places, kept)));
        else for (const torn of places) if (before === this.#best && !this.#isSpent()) await isJoined([torn]);
      }
    }
  }

  /**
   * Tries the order of fewest switches among the equivalent ones. If that does not fail, steps have touched what nobody has told, and from
   * then on every step counts as dependent on every other.
   */
  async #commute(run: Run): Promise<PartialOrder> {
    const order = partialOrderOf(run, this.#isToldAll);
    if (await this.#tryOrder(keeping(order, order.edges))) return order;
    this.#isToldAll = false;
    return partialOrderOf(run, false);
  }

  /** Gives up what need not come before what. */
  async #giveUpPrecedences(): Promise<void> {
    const order = partialOrderOf(this.#best, this.#isToldAll);
    await shrinkList(order.edges, async (edges) => !this.#isSpent() && (await this.#tryOrder(keeping(order, edges))));
  }

  /** Lets gates settle one by one and not fail, and time stand still, where that was otherwise. */
  async #giveUpOddities(): Promise<void> {
    const items = orderOf(this.#best);
    await shrinkList(odditiesOf(items), async (kept) => !this.#isSpent() && (await this.#tryOrder(withoutOddities(items, kept))));
  }

  /**
   * Takes a task that takes fewer steps in other orders, because it polls or gives up, away from where it stands sooner. Only where runs
   * that fail differ in length: elsewhere every task takes the same steps in every order.
   */
  async #shortenParts(): Promise<void> {
    if (this.#lengths.size === 1) return;
    for (let size = this.#best.steps.length >> 1; size > 0 && !this.#isSpent(); ) {
      const best = this.#best;
      const items = orderOf(best);
      for (const shorter of shortenedOrders(items, size)) {
        if (best !== this.#best || this.#isSpent()) break;
        await this.#tryOrder(shorter);
      }
      if (best === this.#best) size >>= 1;
    }
  }

  /** Finds the lowest bound under which the same order fails, as if a lower one could do no less than a higher one. */
  async #lowerLatency(): Promise<void> {
    const items = orderOf(this.#best);
    let [low, high] = [0, this.#best.schedule?.ioLatencyMs ?? 0];
    for (let middle = 0; low < high && !this.#isSpent(); middle = (low + high) >> 1) {
      await this.#rerun(new InOrder(items), items.length, middle);
      if (this.#best.schedule?.ioLatencyMs === middle) {
        high = middle;
        this.#ioLatencyMs = middle;
        this.#tried.clear();
      } else low = middle + 1;
    }
  }

  async #tryFewestFirst(): Promise<boolean> {
    const before = this.#best;
    const search = new FewestFirst(this.#best, this.#simplicity);
    this.#onFailure = (run) => {
      search.learn(run);
      search.limit(this.#simplicity);
    };
    for (let strategy = search.next(); strategy !== undefined && !this.#isSpent(); strategy = search.next()) {
      await this.#rerun(strategy, this.#best.steps.length);
    }
    this.#onFailure = () => undefined;
    return this.#best !== before;
  }

  /** Answers whether the program fails in this order, and in no less simple a way than the best. */
  async #tryOrder(items: readonly OrderItem[]): Promise<boolean> {
    const key = items
      .map(({ faults, ...item }) => [[item, ...item.joined], faults].map((gates) => gates.map(nameOf).join("+")).join("!"))
      .join();
    if (!this.#tried.has(key)) {
      if (this.#isSpent()) return false;
      this.#tried.set(key, await this.#rerun(new InOrder(items), items.length));
    }
    const simplicity = this.#tried.get(key);
    return simplicity !== undefined && !isSimpler(this.#simplicity, simplicity);
  }

  async #rerun(strategy: Strategy, steps: number, ioLatencyMs = this.#ioLatencyMs): Promise<Simplicity | undefined> {
    this.#reruns++;
    const run = await (ioLatencyMs === undefined ? this.#attempt(strategy) : this.#attempt(strategy, ioLatencyMs));
    this.#steps += run?.steps.length ?? steps;
    if (run === undefined) return undefined;
    const simplicity = simplicityOf(run.steps, run.schedule);
    if (isSimpler(simplicity, this.#simplicity)) {
      this.#best = run;
      this.#simplicity = simplicity;
    }
    this.#lengths.add(run.steps.length);
    this.#onFailure(run);
    return simplicity;
  }

  #isSpent(): boolean {
    const { maxReruns = MAX_RERUNS, isOver } = this.#limits;
    return this.#reruns >= maxReruns || this.#steps >= MAX_STEPS || isOver?.() === true;
  }
}

function without<T>(all: readonly T[], some: readonly T[]): readonly T[] {
  const left = new Set(some);
  return all.filter((item) => !left.has(item));
}
