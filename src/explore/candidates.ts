/**
 * Orders that may be simpler than the one of a failing run, and still fail: what is tried while a run is made small.
 */
import { isSameReadyTask } from "../schedule/schedule.js";
import { isArrival, type ReadyTask } from "../schedule/strategy.js";
import { fewestSwitches } from "./commute.js";
import type { OrderItem } from "./order.js";
import type { Edge, PartialOrder, Vertex } from "./partial-order.js";

/** The order of the fewest switches that keeps `edges`. */
export function keeping(order: PartialOrder, edges: readonly Edge[]): readonly OrderItem[] {
  return fewestSwitches(order, edges).flatMap((index) => order.vertices[index]?.item ?? []);
}

/** Joins what was torn apart: gives up all that the later parts came after, or all that came after the earlier parts. */
export function joining(order: PartialOrder, places: readonly Torn[], side: "earlier" | "later"): readonly OrderItem[] {
  const free = new Set(places.flatMap((torn) => [...torn[side]]));
  return keeping(
    order,
    order.edges.filter(({ before, after }) => !free.has(side === "later" ? after : before)),
  );
}

/** What gates or the clock need not have done, at the item of that index: time passed open gates, gates settled together, or `gate` failed. */
export type Oddity =
  | { readonly kind: "late" | "together"; readonly index: number }
  | { readonly kind: "fault"; readonly index: number; readonly gate: ReadyTask };

export function odditiesOf(items: readonly OrderItem[]): readonly Oddity[] {
  return items.flatMap((item, index): readonly Oddity[] => {
    if (item.kind === "clock") return [{ kind: "late", index }];
    const faults = item.faults.map((gate): Oddity => ({ kind: "fault", index, gate }));
    return item.joined.length > 0 ? [{ kind: "together", index }, ...faults] : faults;
  });
}

/** Lets gates settle one by one and with their results, and time stand still, but for the oddities that are kept. */
export function withoutOddities(items: readonly OrderItem[], kept: readonly Oddity[]): readonly OrderItem[] {
  const atItem = new Map<number, Oddity[]>();
  for (const oddity of kept) atItem.set(oddity.index, [...(atItem.get(oddity.index) ?? []), oddity]);
  return items.flatMap((item, index) => {
    const left = atItem.get(index) ?? [];
    if (item.kind === "clock") return left.length === 0 ? [] : [item];
    const faults = left.flatMap((oddity) => (oddity.kind === "fault" ? [oddity.gate] : []));
    if (item.joined.length === 0 || left.some(({ kind }) => kind === "together")) return [{ ...item, faults }];
    return [item, ...item.joined].map((gate) => ({
      ...item,
      ...gate,
      id: gate === item ? item.id : undefined,
      joined: [],
      faults: faults.filter((fault) => isSameReadyTask(fault, gate)),
    }));
  });
}

/** Takes the last `size` steps away from a part of a task that is longer than that, one part at a time: they run at the end, if they do. */
export function* shortenedOrders(items: readonly OrderItem[], size: number): Generator<readonly OrderItem[]> {
  for (const { end, length } of partsOf(items)) if (length > size) yield items.toSpliced(end - size, size);
}

export interface Torn {
  /** What would come later if nothing waited for it. */
  readonly earlier: ReadonlySet<number>;
  /** What would come earlier if it waited for nothing. */
  readonly later: ReadonlySet<number>;
}

/**
 * For each place where a task was left and taken up again: its steps right before, and those right after. For each gate that settled before
 * one that had been opened earlier: it, and the first of these.
 */
export function tornApart({ vertices }: PartialOrder): readonly Torn[] {
  const latest = new Map<number, Set<number>>();
  const torn: Torn[] = [];
  vertices.forEach(({ chain, item }, index) => {
    if (isArrival(item.kind)) {
      const first = firstPassedOver(vertices, index);
      if (first !== undefined) torn.push({ earlier: new Set([index]), later: new Set([first]) });
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

/** The gate that was opened first of those that were open when the gate `index` settled, if that one is not itself the first. */
function firstPassedOver(vertices: readonly Vertex[], index: number): number | undefined {
  let first: number | undefined;
  let arrivalOfFirst = vertices[index]?.arrival ?? 0;
  for (let later = index + 1; later < vertices.length; later++) {
    const { item, arrival, causes } = vertices[later] as Vertex; // inside
    if (!isArrival(item.kind) || arrival >= arrivalOfFirst || causes.some((cause) => cause >= index)) continue;
    first = later;
    arrivalOfFirst = arrival;
  }
  return first;
}

/** Where each uninterrupted part of a task ends, and how long it is. */
function partsOf(items: readonly OrderItem[]): readonly { readonly end: number; readonly length: number }[] {
  const parts: { end: number; length: number }[] = [];
  items.forEach(({ kind, name }, index) => {
    const last = parts.at(-1);
    if (kind !== "task") return;
    if (last?.end === index && items[index - 1]?.name === name) parts[parts.length - 1] = { end: index + 1, length: last.length + 1 };
    else parts.push({ end: index + 1, length: 1 });
  });
  return parts;
}
