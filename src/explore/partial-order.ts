/**
 * What of the order of a run has to stay, and what may be given up, so that the rest can be put in another order.
 *
 * The items of a run are vertices. Some precedences always hold: the steps of a task follow one another, a step comes after those that
 * caused it, and what happened at different times is never swapped. All others are *edges*: pairs of items of different chains, the first
 * before the second. Where footprints are known, an edge joins two dependent steps, and every order that keeps all edges is equivalent to
 * the run (Mazurkiewicz 1977). A step without a footprint is dependent on all others.
 *
 * Invariant: edges that follow from others and from the order within chains are left out, so each that is left can be given up by itself.
 */
import { formatReadyTask } from "../schedule/schedule.js";
import { type Footprint, WORLD } from "../schedule/strategy.js";
import { type FailingRun, type OrderItem, orderOf } from "./order.js";

/** One item of the run, as a vertex. */
export interface Vertex {
  readonly item: OrderItem;
  /** Which chain it belongs to, counted in the order in which chains were made. A gate and the clock are chains of their own. */
  readonly chain: number;
  /** Its place in its chain, from 0. */
  readonly place: number;
  /** The item before it in its chain, by index; -1 where there is none. */
  readonly previous: number;
  /** How many items come before it because they were at an earlier time. */
  readonly earlier: number;
  /** Indices of the items that caused it. */
  readonly causes: readonly number[];
  /** Gates and reactions run in this order when nothing else is asked for: all reactions before all gates. */
  readonly arrival: number;
}

/** That item `before` runs before item `after`, by index. */
export interface Edge {
  readonly before: number;
  readonly after: number;
}

export interface PartialOrder {
  /** In the order of the run. */
  readonly vertices: readonly Vertex[];
  readonly edges: readonly Edge[];
  readonly chains: number;
  /** Whether the run ended while something was still ready: then what came last may need only a part of what ran before it. */
  readonly isCutShort: boolean;
}

/** With more pairs to look at than this, only neighbours are kept in order, and so everything between them. */
const MAX_PAIRS = 400_000;

/** The partial order of a run. Without `usesFootprints`, every step is dependent on every other. */
export function partialOrderOf(run: FailingRun, usesFootprints = true): PartialOrder {
  const items = orderOf(run);
  const vertices = verticesOf(items);
  const chains = 1 + Math.max(-1, ...vertices.map(({ chain }) => chain));
  const isLong = vertices.length * chains > MAX_PAIRS;
  return {
    vertices,
    edges: isLong ? neighbours(vertices) : edgesOf(vertices, chains, usesFootprints),
    chains,
    isCutShort: isCutShort(items),
  };
}

function verticesOf(items: readonly OrderItem[]): readonly Vertex[] {
  const { firstReady, arrivals } = whenReady(items);
  const chains = chainsOf(items, arrivals);
  const latest: { readonly index: number; readonly length: number }[] = [];
  const indexOfStep = new Map(items.map(({ place }, index) => [place, index]));
  let earlier = 0;
  return items.map((item, index) => {
    if (index > 0 && isAtLaterTime(item, items[index - 1])) earlier = index;
    const chain = chains.get(chainName(item)) ?? 0; // every item has its chain
    const { index: previous, length: place } = latest[chain] ?? { index: -1, length: 0 };
    latest[chain] = { index, length: place + 1 };
    const told = item.step?.causes?.map((number) => indexOfStep.get(number - 1) ?? -1);
    const seen = [item, ...item.joined].map((part) => (firstReady.get(formatReadyTask(part)) ?? 0) - 1);
    const causes = (told ?? seen).filter((cause) => cause >= 0 && cause < index);
    const arrival = (arrivals.get(formatReadyTask(item)) ?? index) + (item.kind === "reaction" ? 0 : arrivals.size + items.length);
    return { item, chain, place, previous, earlier, causes, arrival };
  });
}

const isTask = ({ kind }: OrderItem): boolean => kind === "task" || kind === "callback";

const chainName = (item: OrderItem): string => (isTask(item) ? `task ${item.name}` : `${item.kind} ${formatReadyTask(item)}`);

const isAtLaterTime = (item: OrderItem, previous: OrderItem | undefined): boolean =>
  item.kind === "clock" || previous?.kind === "clock" || previous?.step?.timeMs !== item.step?.timeMs;

/** The number of each chain: in the order in which their first items became ready, which is that in which they were made. */
function chainsOf(items: readonly OrderItem[], arrivals: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const firsts = new Map<string, OrderItem>();
  for (const item of items) if (!firsts.has(chainName(item))) firsts.set(chainName(item), item);
  const arrivalOf = (item: OrderItem): number => arrivals.get(formatReadyTask(item)) ?? arrivals.size;
  return new Map([...firsts].sort(([, a], [, b]) => arrivalOf(a) - arrivalOf(b)).map(([name], chain) => [name, chain]));
}

/**
 * Where each alternative was ready for the first time: the item before has made it ready. And in which order they became ready.
 */
function whenReady(items: readonly OrderItem[]): { firstReady: ReadonlyMap<string, number>; arrivals: ReadonlyMap<string, number> } {
  const firstReady = new Map<string, number>();
  const arrivals = new Map<string, number>();
  items.forEach(({ ready }, index) => {
    for (const alternative of ready) {
      const name = formatReadyTask(alternative);
      if (firstReady.has(name)) continue;
      firstReady.set(name, index);
      arrivals.set(name, arrivals.size);
    }
  });
  return { firstReady, arrivals };
}

/** Whether something was ready that did not run. */
function isCutShort(items: readonly OrderItem[]): boolean {
  const done = new Set(items.flatMap((item) => [item, ...item.joined].map(formatReadyTask)));
  const { ready = [] } = items.at(-1) ?? {};
  return ready.some((alternative) => !done.has(formatReadyTask(alternative)));
}

/** Each item after the one before it. */
function neighbours(vertices: readonly Vertex[]): readonly Edge[] {
  return vertices.flatMap(({ chain }, after) => (after > 0 && vertices[after - 1]?.chain !== chain ? [{ before: after - 1, after }] : []));
}

/** For each item, the last one of every other chain that it depends on, unless an earlier item of its chain depends on that one too. */
function edgesOf(vertices: readonly Vertex[], chains: number, usesFootprints: boolean): readonly Edge[] {
  const edges: Edge[] = [];
  const latest = new LatestAccesses();
  /** The latest item of chain `a` that some item of chain `b` is known to follow, at `a * chains + b`. */
  const known = new Map<number, number>();
  vertices.forEach(({ chain, earlier, causes, item }, after) => {
    const footprint = usesFootprints ? item.step?.footprint : undefined;
    for (const [other, before] of latest.dependentOn(footprint)) {
      const key = other * chains + chain;
      if (other === chain || before < earlier || before <= (known.get(key) ?? -1)) continue;
      known.set(key, before);
      if (!causes.includes(before)) edges.push({ before, after });
    }
    latest.note(footprint, chain, after);
  });
  return edges;
}

/** By chain, the index of an item. */
type ByChain = Map<number, number>;

/** Which item of each chain was the last to write, or to touch, each location. */
class LatestAccesses {
  readonly #all: ByChain = new Map();
  readonly #writers = new Map<number, ByChain>();
  readonly #touchers = new Map<number, ByChain>();

  /** The last item of each chain that one with this footprint depends on, in order of chain. Without a footprint that is the last one. */
  dependentOn(footprint: Footprint | undefined): readonly (readonly [chain: number, index: number])[] {
    const found: ByChain = new Map();
    const add = (items: ByChain | undefined): void => {
      for (const [chain, index] of items ?? []) found.set(chain, Math.max(index, found.get(chain) ?? -1));
    };
    if (footprint === undefined || footprint.writes.includes(WORLD)) add(this.#all);
    else {
      add(this.#writers.get(WORLD));
      for (const location of footprint.reads) add(this.#writers.get(location));
      for (const location of footprint.writes) add(this.#touchers.get(location));
    }
    return [...found].sort(([a], [b]) => a - b);
  }

  note(footprint: Footprint | undefined, chain: number, index: number): void {
    this.#all.set(chain, index);
    const noteAt = (places: Map<number, ByChain>, location: number): void => {
      const byChain = places.get(location) ?? new Map<number, number>();
      places.set(location, byChain.set(chain, index));
    };
    for (const location of footprint?.writes ?? [WORLD]) noteAt(this.#writers, location);
    for (const location of [...(footprint?.writes ?? []), ...(footprint?.reads ?? [])]) noteAt(this.#touchers, location);
  }
}
