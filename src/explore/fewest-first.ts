/**
 * Every order of a program, the simplest first: orders without any switch that is not forced, then those with one, and so on, as in
 * iterative context bounding (Musuvathi, Qadeer, PLDI 2007), but the best first, with a bound from below.
 *
 * A run is known by the picks that it was told, its *prefix*; after them it goes on as cheaply as it can. Each other alternative of the
 * decisions after the prefix is a prefix of its own, which costs as much as what was run up to there, and as many switches more as there
 * are tasks that are not through. What of this exceeds the simplest failure known is never run, so when nothing is left there is no simpler
 * one.
 *
 * A task is not through when it took more steps in every failing run, and is ready or has not begun or is the one whose step was the last
 * of each of them. A failure in which such a task takes fewer steps than in all known ones can be missed.
 */
import type { Simplicity } from "../schedule/simplicity.js";
import { type Alternative, type Decision, isArrival, type StepRecord, type Strategy } from "../schedule/strategy.js";
import { Heap } from "../sync/heap.js";
import { MAX_STAY } from "./in-order.js";
import type { FailingRun } from "./order.js";

/** Switches come first, then departures of gates, then batches, then faults; of each there are fewer than this. Costs are exact up to 2^14 switches. */
const UNIT = 1 << 13;
const SWITCH = UNIT ** 3;
const DEPARTURE = UNIT ** 2;
const BATCH = UNIT;
const FAULT = 1;

/** In the place of a pick: whatever costs least. */
const CHEAPEST = -1;

/** So many prefixes wait at most; what comes later is left out. */
const MAX_WAITING = 100_000;

/** The first `length` of the picks of an earlier run, and then another one. */
interface Prefix {
  readonly picks: readonly number[];
  readonly length: number;
  readonly other: number;
  readonly bound: number;
  readonly number: number;
}

type Cost = Pick<Simplicity, "switches" | "departures" | "batches" | "faults">;

/** The runs that are left to make, the simplest first. */
export class FewestFirst {
  readonly #waiting = new Heap<Prefix>((a, b) => (a.bound === b.bound ? a.number < b.number : a.bound < b.bound));
  /** How many steps each task took at least, in every failing run. */
  #lengths: ReadonlyMap<string, number>;
  /** Who made the last step of every failing run. */
  #last: string | undefined;
  #limit: number;
  #prefixes = 0;

  /** Only what costs less than `best` is looked at. */
  constructor(best: FailingRun, cost: Cost) {
    this.#lengths = lengthsOf(best);
    this.#last = lastTaskOf(best);
    this.#limit = costOf(cost);
    this.#add({ picks: [], length: 0, other: CHEAPEST, bound: 0 });
  }

  /** A run failed in the same way: tasks that take fewer steps in it need not take more. */
  learn(run: FailingRun): void {
    const lengths = lengthsOf(run);
    if (lastTaskOf(run) !== this.#last) this.#last = undefined;
    this.#lengths = new Map([...this.#lengths].map(([task, length]) => [task, Math.min(length, lengths.get(task) ?? 0)]));
  }

  /** Nothing that costs as much as this is looked at any more. */
  limit(cost: Cost): void {
    this.#limit = Math.min(this.#limit, costOf(cost));
  }

  /** The strategy of the next run; undefined when there is no simpler run left. */
  next(): Strategy | undefined {
    const prefix = this.#waiting.takeFirst();
    return prefix === undefined || prefix.bound >= this.#limit ? undefined : this.#following(prefix);
  }

  #add(prefix: Omit<Prefix, "number">): void {
    if (prefix.bound < this.#limit && this.#waiting.length < MAX_WAITING) this.#waiting.add({ ...prefix, number: this.#prefixes++ });
  }

  #following({ picks, length, other }: Prefix): Strategy {
    const taken: number[] = [];
    const made = new Map<string, number>();
    let last: string | undefined;
    let cost = 0;
    let stays = 0;
    const polling = new Set<string>();
    /** The tasks that are not through. */
    const tasksLeft = (ready: readonly Alternative[]): ReadonlySet<string> => {
      const names = new Set(ready.filter(isOfTask).map(({ name }) => name));
      const left = new Set<string>();
      for (const [task, steps] of this.#lengths) {
        const count = made.get(task) ?? 0;
        if (count < steps && (count === 0 || task === this.#last || names.has(task))) left.add(task);
      }
      return left;
    };
    const cheapest = ({ ready }: Decision, costs: readonly number[]): number => {
      const preferred = costs.map((extra, place) => (polling.has(ready[place]?.name ?? "") ? SWITCH * 2 : extra));
      const index = preferred.indexOf(Math.min(...preferred));
      const left = tasksLeft(ready);
      ready.forEach((alternative, deviation) => {
        if (deviation === index) return;
        const next = isOfTask(alternative) ? alternative.name : last;
        const switches = next !== undefined && left.has(next) ? left.size - 1 : left.size;
        this.#add({ picks: taken, length: taken.length, other: deviation, bound: cost + (costs[deviation] ?? 0) + switches * SWITCH });
      });
      return index;
    };
    return {
      name: "fewest switches first",
      isFair: true, // or at least not to be made fair, which would add switches
      begin: () => true,
      pick: (decision: Decision): number => {
        const costs = costsOf(decision, last);
        const at = taken.length;
        const told = at < length ? (picks[at] ?? 0) : at === length ? other : CHEAPEST;
        const index = told >= 0 && told < costs.length ? told : cheapest(decision, costs);
        taken.push(index);
        // What a switch costs is added when the step runs, like that of a step which nobody decides about.
        if (costs[index] !== SWITCH) cost += costs[index] ?? 0;
        return index;
      },
      observe: ({ name, kind }: StepRecord): void => {
        made.set(name, (made.get(name) ?? 0) + 1);
        if (isArrival(kind)) return;
        stays = last === name ? stays + 1 : 0;
        if (stays >= MAX_STAY) polling.add(name);
        if (last !== undefined && last !== name) cost += SWITCH;
        last = name;
      },
    };
  }
}

/** What each alternative costs, where `last` was the name of the task that ran last. */
function costsOf({ kind, ready }: Decision, last: string | undefined): readonly number[] {
  const hasReaction = ready.some((alternative) => alternative.kind === "reaction");
  const seen = { event: false, reaction: false };
  return ready.map((alternative, index) => {
    if (kind === "fault") return index === 0 ? 0 : FAULT;
    if (kind === "batch") return index === 0 ? 0 : index === 1 ? BATCH : BATCH + DEPARTURE;
    if (alternative.kind === "clock") return DEPARTURE;
    if (!isArrival(alternative.kind)) return last === undefined || last === alternative.name ? 0 : SWITCH;
    const isReaction = alternative.kind === "reaction";
    const isFirst = isReaction ? !seen.reaction : !seen.event && !hasReaction;
    seen[isReaction ? "reaction" : "event"] = true;
    return isFirst ? 0 : DEPARTURE;
  });
}

const costOf = ({ switches, departures, batches, faults }: Cost): number =>
  switches * SWITCH + departures * DEPARTURE + batches * BATCH + faults * FAULT;

const isOfTask = ({ kind }: Alternative): boolean => kind === undefined || kind === "task" || kind === "callback";

const lastTaskOf = ({ steps }: FailingRun): string | undefined => steps.findLast(({ kind }) => !isArrival(kind))?.name;

function lengthsOf({ steps }: FailingRun): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const { name, kind } of steps) if (!isArrival(kind)) lengths.set(name, (lengths.get(name) ?? 0) + 1);
  return lengths;
}
