/**
 * Following an order as far as it applies to the program, which may not be the one that the order is from.
 *
 * Of what is ready, what stands first in the order runs. What does not stand in it comes after what does: there the task that ran last goes
 * on as long as it can, or a reaction, as microtasks do, and then comes the first in the order of arrival, so that an empty order gives a run of
 * few switches. Time passes open gates, gates join a batch, and gates fail that need not, only where the order says so.
 */
import { formatReadyTask } from "../schedule/schedule.js";
import { type Alternative, type Decision, isArrival, type ReadyTask, type StepRecord, type Strategy } from "../schedule/strategy.js";
import { nameOf, type OrderItem } from "./order.js";

/**
 * A task that went on for so many steps that no order speaks of, while others were ready, may be polling: from then on the others go first.
 */
export const MAX_STAY = 100;

/** In the place of the place of what does not stand in the order. */
const NOWHERE = -1;

/** Runs a program in the order that it is given. */
export class InOrder implements Strategy {
  readonly name = "in order";
  /** What the order does not name runs as it became ready. */
  readonly isFair = true;
  readonly tracks: boolean;
  readonly #items: readonly OrderItem[];
  readonly #places = new Map<string, number>();
  /** The gates that fail. */
  readonly #faults = new Set<string>();
  #last: StepRecord | undefined = undefined;
  #known = new WeakMap<Alternative, number>();
  /** The gates that settle in the step that was chosen, in their order. */
  #batch: readonly string[] = [];
  /** When each step ran in the latest run, by both of its names. */
  #ran = new Map<string, number>();
  #stays = 0;
  #polling = new Set<string>();

  /** What stands in `last` runs only when nothing else is ready. */
  constructor(items: readonly OrderItem[], last: readonly OrderItem[] = []) {
    this.#items = items;
    this.tracks = items.some(({ id }) => id !== undefined);
    items.forEach((item, place) => {
      this.#note(item, place);
    });
    for (const item of last) this.#note(item, items.length + 3);
  }

  #note(item: OrderItem, place: number): void {
    const note = (name: string, at: number): void => {
      if (!this.#places.has(name)) this.#places.set(name, at);
    };
    note(nameOf(item), place);
    note(formatReadyTask(item), place);
    // Where they cannot join, they come right after.
    for (const gate of item.joined) note(formatReadyTask(gate), place + 0.5);
    for (const gate of item.faults) this.#faults.add(formatReadyTask(gate));
  }

  /** Whether the item ran in the latest run, and when: a smaller number is earlier. */
  placeOf(item: OrderItem): number | undefined {
    return this.#ran.get(nameOf(item)) ?? this.#ran.get(formatReadyTask(item));
  }

  begin(): boolean {
    this.#last = undefined;
    this.#known = new WeakMap();
    this.#batch = [];
    this.#ran = new Map();
    this.#stays = 0;
    this.#polling = new Set();
    return true;
  }

  pick(decision: Decision): number {
    const [gate] = decision.ready;
    if (decision.kind === "fault") return gate !== undefined && this.#faults.has(formatReadyTask(gate)) ? 1 : 0;
    if (decision.kind !== "batch") return this.#pickNext(decision);
    // The first alternative says that it is enough.
    const names = decision.ready.map((alternative, index) => (index === 0 ? "" : formatReadyTask(alternative)));
    const joining = this.#batch.find((name) => names.includes(name));
    return joining === undefined ? 0 : names.indexOf(joining);
  }

  #pickNext({ ready, ids }: Decision): number {
    const places = ready.map((alternative, index) => this.#wantedPlace(alternative, ids?.[index]));
    const place = Math.min(...places);
    const index = places.indexOf(place);
    this.#stays = place === this.#items.length ? this.#stays + 1 : 0;
    if (this.#stays >= MAX_STAY) this.#polling.add(ready[index]?.name ?? "");
    const item = this.#items[Math.floor(place)];
    this.#batch = item === undefined ? [] : [item, ...item.joined].map(formatReadyTask);
    return index;
  }

  /** The place of an alternative in the order; undefined where it has none. Looked up once, as it stays ready for many decisions. */
  #orderedPlace(alternative: Alternative, id: number | undefined): number | undefined {
    const known = this.#known.get(alternative);
    if (known !== undefined) return known === NOWHERE ? undefined : known;
    const { name, operation } = alternative;
    const place =
      (id === undefined ? undefined : this.#places.get(nameOf({ name, operation, id }))) ?? this.#places.get(formatReadyTask(alternative));
    this.#known.set(alternative, place ?? NOWHERE);
    return place;
  }

  #wantedPlace(alternative: Alternative, id: number | undefined): number {
    const place = this.#orderedPlace(alternative, id);
    if (place !== undefined) return place;
    if (alternative.kind === "clock") return Number.POSITIVE_INFINITY;
    if (this.#polling.has(alternative.name)) return this.#items.length + 2;
    if (alternative.kind === "reaction") return this.#items.length;
    return this.#last !== undefined && isSameChain(alternative, this.#last) ? this.#items.length : this.#items.length + 1;
  }

  observe(step: StepRecord): void {
    if (!isArrival(step.kind)) this.#last = step;
    // A batch is known by the first of its gates, whether it fails or not.
    const [operation = ""] = step.kind === "gate" ? step.operation.split(/[+!]/) : [step.operation];
    for (const name of [nameOf(step), formatReadyTask({ name: step.name, operation })]) this.#ran.set(name, step.step);
  }
}

/** Whether both are of one task. Objects tell for certain, names only where there are none. */
function isSameChain(a: Alternative, b: ReadyTask & { readonly chain?: object | undefined }): boolean {
  return a.chain !== undefined && b.chain !== undefined ? a.chain === b.chain : a.name === b.name;
}
