/**
 * The inquiry into a failing order: which pairs of its steps matter, and which of the odd things that its gates did.
 *
 * A pair matters when the failure is gone as soon as its second step runs before its first one, while everything else stays as it is as far
 * as it can: only what the second step needs moves with it. The pairs that are tried are the edges of the partial order of the run,
 * neighbours first. A pair that matters is made tight: the second step is the first of its task, and the first one the last of its own, for
 * which that is so. Where two steps cannot change places without a pair doing so that is known to matter, nothing new is to be learnt from
 * them.
 */
import type { ReadyTask, Strategy } from "../schedule/strategy.js";
import { type Oddity, odditiesOf, withoutOddities } from "./candidates.js";
import { InOrder } from "./in-order.js";
import { MAX_STEPS } from "./minimise.js";
import type { FailingRun, OrderItem } from "./order.js";
import { type Edge, type PartialOrder, partialOrderOf, type Vertex } from "./partial-order.js";

/** How a run ended: as the failure that is to be explained, with another failure, or well. */
export type Verdict = "fails" | "fails otherwise" | "passes";

/** Runs the program under the strategy. */
export type Judge = (strategy: Strategy) => Promise<Verdict>;

export interface InquiryLimits {
  /** Default 100. */
  readonly maxReruns?: number;
  /** Default 3. */
  readonly maxPairs?: number;
  /** Asked before each rerun; true ends it with what is known so far. Default: never. */
  readonly isOver?: () => boolean;
}

/** What is known of a pair that matters. */
interface Mattering {
  /** What happens when the second one runs before the first. */
  readonly swapped: Exclude<Verdict, "fails">;
  /** Whether all that the second one's task does after it has to run before the first, too. */
  readonly toItsEnd: boolean;
}

export interface MatteringPair extends Mattering {
  readonly first: OrderItem;
  readonly then: OrderItem;
}

/** The same by index. */
interface Found extends Mattering, Edge {}

/** Gates that settled in one step, were passed by time, or failed, and what happens otherwise. */
export interface OddGates {
  readonly kind: Oddity["kind"];
  readonly gates: readonly ReadyTask[];
  readonly otherwise: Exclude<Verdict, "fails">;
}

/** What came of a swap; undefined where the steps did not change places, or others would have had to. */
type Swapped = Verdict | undefined;

export class Inquiry {
  readonly #judge: Judge;
  readonly #limits: InquiryLimits;
  readonly #order: PartialOrder;
  /** The edges that there are without a look at the footprints. */
  readonly #allEdges: readonly Edge[];
  readonly #items: readonly OrderItem[];
  /** The stretch of each item: how often the chain has changed before it. */
  readonly #stretches: readonly number[];
  /** By index, in the order in which they were found. */
  readonly #found: Found[] = [];
  readonly #swaps = new Map<string, Swapped>();
  #reruns = 0;

  constructor(run: FailingRun, judge: Judge, limits: InquiryLimits) {
    this.#judge = judge;
    this.#limits = limits;
    this.#order = partialOrderOf(run);
    this.#allEdges = partialOrderOf(run, false).edges;
    this.#items = this.#order.vertices.map(({ item }) => item);
    let stretch = 0;
    this.#stretches = this.#order.vertices.map(({ chain }, index) => {
      if (index > 0 && this.#order.vertices[index - 1]?.chain !== chain) stretch++;
      return stretch;
    });
  }

  get reruns(): number {
    return this.#reruns;
  }

  async findPairs(): Promise<readonly MatteringPair[]> {
    await this.#tryEdges(this.#order.edges, (edge) => this.#tryEdge(edge));
    // Where footprints are no help, something was touched that nobody has told.
    if (this.#found.length === 0) await this.#tryEdges(this.#allEdges, (edge) => this.#tryEdge(edge));
    if (this.#found.length === 0) await this.#tryEdges(this.#order.edges, (edge) => this.#tryToTheEnd(edge), 1);
    return this.#found
      .toSorted((a, b) => Number(b.swapped === "passes") - Number(a.swapped === "passes"))
      .map(({ before, after, ...rest }) => ({ first: this.#item(before), then: this.#item(after), ...rest }));
  }

  /** Tries neighbours first, until enough pairs are found. */
  async #tryEdges(edges: readonly Edge[], tryEdge: (edge: Edge) => Promise<void>, maxPairs = this.#limits.maxPairs ?? 3): Promise<void> {
    const distance = ({ before, after }: Edge): number => (this.#stretches[after] ?? 0) - (this.#stretches[before] ?? 0);
    for (const edge of edges.toSorted((a, b) => distance(a) - distance(b) || a.after - b.after || b.before - a.before)) {
      if (this.#found.length >= maxPairs || this.#isSpent()) return;
      await tryEdge(edge);
    }
  }

  /** Whether gates that settled together have to, whether those that time passed have to be late, and whether those that failed have to fail. */
  async findGateFacts(): Promise<readonly OddGates[]> {
    const facts: OddGates[] = [];
    const oddities = odditiesOf(this.#items);
    for (const oddity of oddities) {
      if (this.#isSpent()) break;
      const others = oddities.filter((other) => other !== oddity);
      const verdict = await this.#run(new InOrder(withoutOddities(this.#items, others)));
      if (verdict === "fails") continue;
      facts.push({ kind: oddity.kind, gates: this.#gatesOf(oddity), otherwise: verdict });
    }
    return facts;
  }

  #gatesOf(oddity: Oddity): readonly ReadyTask[] {
    const item = this.#item(oddity.index);
    switch (oddity.kind) {
      case "late":
        return item.ready.slice(0, -1);
      case "together":
        return [item, ...item.joined];
      case "fault":
        return [oddity.gate];
    }
  }

  /** Looks whether the order of two stretches matters, and for which of their steps. */
  async #tryEdge(edge: Edge): Promise<void> {
    const firsts = this.#stretchOf(edge.before).filter((index) => index <= edge.before);
    const thens = this.#stretchOf(edge.after).filter((index) => index >= edge.after);
    const [from, to] = [firsts.length - 1, 0];
    const swap = (first: number, then: number): Promise<Swapped> => this.#swap(firsts[first] ?? -1, thens[then] ?? -1);
    const isGone = async (first: number, then: number): Promise<boolean> => {
      const verdict = await swap(first, then);
      return verdict !== undefined && verdict !== "fails";
    };
    const nearest = await swap(from, to);
    if (nearest === undefined) return;
    let [first, then] = [from, to];
    if (nearest === "fails") {
      // More of the later stretch goes first; if all of it makes no difference, it goes before more of the earlier one.
      then = thens.length - 1;
      if (!(await isGone(from, then))) {
        const back = await smallest(1, from, (steps) => isGone(from - steps, then));
        if (back > from) return;
        first = from - back;
      }
      then = await smallest(0, then, (place) => isGone(first, place));
    }
    const swapped = await swap(first, then);
    const [before, after] = [firsts[first], thens[then]];
    if (before === undefined || after === undefined || swapped === undefined || swapped === "fails") return;
    if (this.#found.some((pair) => pair.before === before && pair.after === after)) return;
    this.#found.push({ before, after, swapped, toItsEnd: false });
  }

  /**
   * Looks what happens when the first step waits until nothing else is ready: what its task would have done next is not in the failing run.
   */
  async #tryToTheEnd({ before, after }: Edge): Promise<void> {
    const moved = new Set([before]);
    for (const [index, { causes, chain }] of this.#order.vertices.entries()) {
      const isLater = index > before && (chain === this.#vertex(before).chain || causes.some((cause) => moved.has(cause)));
      if (isLater) moved.add(index);
    }
    if (moved.has(after)) return;
    const [stay, wait] = [false, true].map((isMoved) => this.#items.filter((_, index) => moved.has(index) === isMoved));
    const strategy = new InOrder(stay ?? [], wait);
    const verdict = await this.#run(strategy);
    if (verdict === "fails" || !this.#isSwapped(strategy, before, after)) return;
    this.#found.push({ before, after, swapped: verdict, toItsEnd: true });
  }

  /** Whether `then` has run, and `first` later or not at all. */
  #isSwapped(strategy: InOrder, first: number, then: number): boolean {
    const [placeOfFirst, placeOfThen] = [strategy.placeOf(this.#item(first)), strategy.placeOf(this.#item(then))];
    return placeOfThen !== undefined && (placeOfFirst === undefined || placeOfThen < placeOfFirst);
  }

  /** The items of one task around `index`, without a gap. */
  #stretchOf(index: number): readonly number[] {
    const stretch = this.#stretches[index];
    let from = index;
    while (this.#stretches[from - 1] === stretch) from--;
    let to = index;
    while (this.#stretches[to + 1] === stretch) to++;
    return Array.from({ length: to - from + 1 }, (_, place) => from + place);
  }

  /** Runs `then`, and all that it needs, right before `first`; each two steps once. */
  async #swap(first: number, then: number): Promise<Swapped> {
    const key = `${first} ${then}`;
    if (!this.#swaps.has(key)) this.#swaps.set(key, await this.#swapNow(first, then));
    return this.#swaps.get(key);
  }

  async #swapNow(first: number, then: number): Promise<Swapped> {
    const moved = this.#needed(then, first);
    if (moved === undefined || this.#isSpent()) return undefined;
    // A pair that is known to matter would change places, too.
    if (this.#found.some(({ before, after }) => moved.has(after) && !moved.has(before) && before >= first)) return undefined;
    const indices = this.#items.map((_, index) => index);
    const rest = indices.slice(first).filter((index) => !moved.has(index));
    const order = [...indices.slice(0, first), ...indices.filter((index) => moved.has(index)), ...rest];
    const strategy = new InOrder(order.map((index) => this.#item(index)));
    const verdict = await this.#run(strategy);
    return this.#isSwapped(strategy, first, then) ? verdict : undefined;
  }

  /** `then` with what has to run before it and comes after `first`; undefined if that is `first` itself. */
  #needed(then: number, first: number): ReadonlySet<number> | undefined {
    const needed = new Set([then]);
    for (let index = then; index >= first; index--) {
      if (!needed.has(index)) continue;
      const { causes, previous, earlier } = this.#vertex(index);
      for (const other of [...causes, previous]) if (other >= first) needed.add(other);
      if (earlier > first) return undefined; // it was at a later time
    }
    return needed.has(first) ? undefined : needed;
  }

  async #run(strategy: Strategy): Promise<Verdict> {
    this.#reruns++;
    return this.#judge(strategy);
  }

  #isSpent(): boolean {
    const { maxReruns = 100, isOver } = this.#limits;
    return this.#reruns >= maxReruns || this.#reruns * this.#items.length >= MAX_STEPS || isOver?.() === true;
  }

  #item(index: number): OrderItem {
    return this.#vertex(index).item;
  }

  #vertex(index: number): Vertex {
    return this.#order.vertices[index] as Vertex; // only indices of items are asked for
  }
}

/** The smallest number from `low` to `high` for which `holds`, if it holds from there on; `high + 1` when it does not hold for `high`. */
async function smallest(low: number, high: number, holds: (value: number) => Promise<boolean>): Promise<number> {
  if (low > high || !(await holds(high))) return high + 1;
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (await holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
