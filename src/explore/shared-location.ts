/**
 * What two steps both touch, by a name for people.
 */
import { type Footprint, WORLD } from "../schedule/strategy.js";
import type { FailingStep } from "./order.js";

/** What the location of that number is called: `balance`, `lock accounts`, `task t1`. */
export type DescribeLocation = (location: number) => string;

/** Locations of the library's own, which every step of a task reads; they say nothing about what it does. */
const OWN_OF_TASKS = "task ";

/** The name of the first location over which the two are dependent; undefined where there is none, or nothing is known. */
export function sharedLocation(a: FailingStep | undefined, b: FailingStep | undefined, describe: DescribeLocation): string | undefined {
  const [first, second] = [a?.footprint, b?.footprint];
  if (first === undefined || second === undefined) return undefined;
  const names = [...first.writes, ...first.reads]
    .filter((location) => location !== WORLD && areDependentOver(location, first, second))
    .map(describe);
  return names.find((name) => !name.startsWith(OWN_OF_TASKS));
}

const areDependentOver = (location: number, a: Footprint, b: Footprint): boolean =>
  (a.writes.includes(location) && (b.writes.includes(location) || b.reads.includes(location))) ||
  (a.reads.includes(location) && b.writes.includes(location));

/** The locations that a step only reads, and those that it writes, without those that say nothing. */
export function touchedBy(
  step: FailingStep | undefined,
  describe: DescribeLocation,
): { readonly reads: readonly number[]; readonly writes: readonly number[] } {
  const isTelling = (location: number): boolean => location !== WORLD && !describe(location).startsWith(OWN_OF_TASKS);
  return { reads: (step?.footprint?.reads ?? []).filter(isTelling), writes: (step?.footprint?.writes ?? []).filter(isTelling) };
}
