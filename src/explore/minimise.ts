/**
 * Making a failing order small, in the order of smallness of simplicity.ts.
 *
 * A run is taken for a partial order (partial-order.ts), and the first candidate is free of risk: the order of fewest switches among those that are
 * equivalent to the run (commute.ts). Then precedences are given up by delta debugging. Each candidate is the order of fewest switches that keeps what is
 * left of them, and is tried by running the program: when it fails in the same way, what was given up is not needed. A failure that hangs on three
 * precedences is left with these three, however long the program is. The same is done to batches and to the times at which the clock passed
 * open gates, then the latency bound is lowered. What is left of the reruns goes into simpler orders of any kind, the simplest first
 * (fewest-first.ts): in a small program none is left out, and the result is the smallest there is.
 *
 * A run is kept only when it is strictly simpler than the one before, so the search ends; it is bounded by a number of reruns besides.
 */
import { isSimpler, type Simplicity, simplicityOf } from "../schedule/simplicity.js";
import type { Strategy } from "../schedule/strategy.js";
import { fewestSwitches } from "./commute.js";
import { FewestFirst } from "./fewest-first.js";
import { InOrder } from "./in-order.js";
import { type FailingRun, nameOf, type OrderItem, orderOf } from "./order.js";
import { type Edge, type PartialOrder, partialOrderOf } from "./partial-order.js";
import { shrinkList } from "./shrink-list.js";

/** At most so many reruns by default. */
export const MAX_RERUNS = 1_000;

/** All reruns together take at most so many steps, so that a long run is tried less often than a short one. */
export const MAX_STEPS = 400_000;

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
  #reruns = 0;
  #steps = 0;
  #onFailure: (run: Run) => void = () => undefined;

  constructor(first: Run, attempt: Attempt<Run>, limits: MinimiseLimits) {
    this.#attempt = attempt;
    this.#limits = limits;
    this.#best = first;
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
      await this.#lowerLatency();
    }
  }

  /** Joins what was torn apart: gives up all that the later part of a task came after, or all that came after the earlier part. */
  async #joinParts(): Promise<void> {
    for (let before: Run | undefined; before !== this.#best && !this.#isSpent(); ) {
      before = this.#best;
      const order = await this.#commute(before);
      for (const { earlier, later } of tornApart(order)) {
        for (const edges of [order.edges.filter(({ after }) => !later.has(after)), order.edges.filter((edge) => !earlier.has(edge.before))]) {
          if (before === this.#best) await this.#tryOrder(itemsIn(order, edges));
        }
      }
    }
  }

  /**
   * Tries the order of fewest switches among the equivalent ones. If that does not fail, steps have touched what nobody has told, and from then on every
   * step counts as dependent on every other.
   */
  async #commute(run: Run): Promise<PartialOrder> {
    const order = partialOrderOf(run, this.#isToldAll);
    if (await this.#tryOrder(itemsIn(order, order.edges))) return order;
    this.#isToldAll = false;
    return partialOrderOf(run, false);
  }

  /** Gives up what need not come before what. */
  async #giveUpPrecedences(): Promise<void> {
    const order = partialOrderOf(this.#best, this.#isToldAll);
    await shrinkList(order.edges, async (edges) => !this.#isSpent() && (await this.#tryOrder(itemsIn(order, edges))));
  }

  /** Lets gates settle one by one, and time stand still, where that was otherwise. */
  async #giveUpOddities(): Promise<void> {
    const items = orderOf(this.#best);
    const odd = items.flatMap((item, index) => (item.kind === "clock" || item.joined.length > 0 ? [index] : []));
    const without = (kept: readonly number[]): readonly OrderItem[] =>
      items.flatMap((item, index) => {
        if (!odd.includes(index) || kept.includes(index)) return [item];
        return item.kind === "clock" ? [] : [{ ...item, joined: [] }, ...item.joined.map((gate) => ({ ...item, ...gate, id: undefined, joined: [] }))];
      });
    await shrinkList(odd, async (kept) => !this.#isSpent() && (await this.#tryOrder(without(kept))));
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
    const key = items.map((item) => [item, ...item.joined].map(nameOf).join("+")).join();
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
    this.#onFailure(run);
    return simplicity;
  }

  #isSpent(): boolean {
    const { maxReruns = MAX_RERUNS, isOver } = this.#limits;
    return this.#reruns >= maxReruns || this.#steps >= MAX_STEPS || isOver?.() === true;
  }
}

const itemsIn = (order: PartialOrder, edges: readonly Edge[]): readonly OrderItem[] =>
  fewestSwitches(order, edges).flatMap((index) => order.vertices[index]?.item ?? []);

interface Torn {
  /** What would come later if nothing waited for it. */
  readonly earlier: ReadonlySet<number>;
  /** What would come earlier if it waited for nothing. */
  readonly later: ReadonlySet<number>;
}

/**
 * For each place where a task was left and taken up again: its steps right before, and those right after. For each gate that settled before one
 * that had been opened earlier: it, and the first of these.
 */
function tornApart({ vertices }: PartialOrder): readonly Torn[] {
  const latest = new Map<number, Set<number>>();
  const torn: Torn[] = [];
  vertices.forEach(({ chain, item, arrival }, index) => {
    if (item.kind === "gate") {
      const passedOver = vertices
        .flatMap((other, later) => (later > index && other.item.kind === "gate" && other.arrival < arrival ? [{ ...other, later }] : []))
        .filter(({ causes }) => causes.every((cause) => cause < index));
      const first = passedOver.find((gate) => passedOver.every((other) => gate.arrival <= other.arrival));
      if (first !== undefined) torn.push({ earlier: new Set([index]), later: new Set([first.later]) });
      return;
    }
    const part = latest.get(chain);
    if (part?.has(index - 1) === true) {
      part.add(index);
      return;
    }
    const later = new Set([index]);
    latest.set(chain, later);
    if (part !== undefined) torn.push({ earlier: part, later });
  });
  return torn;
}
