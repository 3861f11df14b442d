/**
 * What the steps of a run touch, and which steps are the same step in another run.
 *
 * A step is known by its lineage: it is the k-th thing that the step before it in its chain has made, so that it has the same number in
 * every run in which it exists, whatever ran in between. So is a thing that is touched: it is the k-th that some step has introduced.
 *
 * Two runs are equivalent when one becomes the other by swapping neighbours that are independent (Mazurkiewicz 1977). Then the same steps
 * touch the same locations after the same steps. The class of a run is a hash of just that, in which each step has the hashes of those that
 * it depends on directly and in which the order of independent steps does not show.
 *
 * Invariant: between two steps, `#step` is the one that ran last, because what the library queues for itself belongs to it; after time
 * has passed there is none.
 *
 * It is longer than other files here because lineage, footprint and class are told of the same step at the same moments, and share all of its state.
 */
import { hash32 } from "../random/random.js";
import { formatReadyTask } from "../schedule/schedule.js";
import { type Footprint, WORLD } from "../schedule/strategy.js";
import type { Describer } from "./future.js";
import type { Handle } from "./handle.js";

/** In the place of the number of a step that there is not. */
const NO_STEP = 0;

/** In the place of the id of the step that made it, for what was there before the first step. */
const ROOT = 0;

/** Who waits in the queue, or for something. */
interface Pending {
  readonly id: number;
  /** The step that made it. */
  readonly madeBy: number;
  /** The step that made it ready. */
  queuedBy: number;
}

/**
 * Numbers for what has a lineage, the same in all runs of one tracker. They are given out as lineages are first seen, so another tracker has others;
 * the hash of a lineage is the same everywhere.
 */
class Lineages {
  readonly #children: number[][] = [[]];
  readonly #hashes: number[] = [0x2545f491];
  readonly #joined = new Map<string, number>();

  /** The number of the `place`-th that `parent`, whose lineage has the hash `parentHash`, has made. */
  child(parent: number, place: number, parentHash: number): number {
    const siblings = (this.#children[parent] ??= []);
    const known = siblings[place];
    if (known !== undefined) return known;
    const number = this.#hashes.push(mix(parentHash, place, 5)) - 1;
    siblings[place] = number;
    return number;
  }

  /** The number of all of them together, in this order. */
  joined(numbers: readonly number[]): number {
    const key = numbers.join();
    const known = this.#joined.get(key);
    if (known !== undefined) return known;
    const number = this.#hashes.push(numbers.reduce((hash, each) => mix(hash, this.hashOf(each), 7), 0)) - 1;
    this.#joined.set(key, number);
    return number;
  }

  /** The number of the same with a fault. It is that of it together with itself, because nothing else joins itself. */
  faulty(number: number): number {
    return this.joined([number, number]);
  }

  hashOf(number: number): number {
    return this.#hashes[number] ?? 0;
  }
}

/** What a location holds in the running run: who touched it last. */
interface LocationState {
  readonly label: string;
  /** The same in every tracker. */
  readonly hash: number;
  /** In which run the rest was written. */
  run: number;
  /** The step that wrote it last: its two hashes and its id. */
  low: number;
  high: number;
  writer: number;
  /** Sums over the steps that have read it since. */
  readsLow: number;
  readsHigh: number;
  readers: number[];
  /** The step of the latest access, and whether that wrote. */
  touchedIn: number;
  isWritten: boolean;
}

/** The footprint, lineage and causes of a step. */
export interface TrackedStep {
  readonly id: number;
  readonly footprint: Footprint;
  readonly causes: readonly number[];
}

/** Ordered pairs of dependent steps are counted exactly up to here. */
const MAX_PAIRS = 200_000;

/** One for all runs of an exploration. */
export class Tracker {
  readonly #steps = new Lineages();
  readonly #things = new Lineages();
  readonly #keys: Map<PropertyKey | undefined, number>[] = [];
  readonly #locations: LocationState[] = [];
  /** By the earlier step, the later ones. */
  readonly #pairs: (Set<number> | undefined)[] = [];
  #pairsSeen = 0;
  #pairsBothWays = 0;

  // What follows is of one run.
  #run = 0;
  #untracked: string | undefined = undefined;
  #isTrusted = false;
  #isQuiet = false;
  #isOver = false;
  readonly #pending = new Map<object, Pending>();
  readonly #subjects = new Map<object, number>();
  readonly #completedBy = new Map<object, number>();
  readonly #contributors = new Map<object, number[]>();
  readonly #counting = new Set<object>();
  #watched: Set<number> | undefined = undefined;
  /** Callbacks that were made and not cancelled so far. */
  #callbacks: Handle[] = [];
  #low = 0;
  #high = 0;

  // And this of one step.
  #step = NO_STEP;
  #id = ROOT;
  #timeMs = 0;
  #made = 0;
  #introduced = 0;
  #isOpen = false;
  #isTold = false;
  #isOpaque = false;
  /** How it is called, where that may be asked. */
  #label = "";
  #causes: number[] = [];
  #touched: number[] = [];
  /** As {@link Footprint.order}. */
  #order: number[] = [];

  constructor() {
    this.#newLocation("what is not tracked", 0); // WORLD
  }

  /** Starts a run. With `isTrusted` a step that tells nothing has touched nothing; otherwise it may have done anything. */
  begin(isTrusted: boolean): void {
    this.#run++;
    this.#untracked = undefined;
    this.#isTrusted = isTrusted;
    this.#isQuiet = false;
    this.#isOver = false;
    this.#pending.clear();
    this.#subjects.clear();
    this.#completedBy.clear();
    this.#contributors.clear();
    this.#counting.clear();
    this.#watched = undefined;
    this.#callbacks = [];
    this.#low = 0;
    this.#high = 0;
    this.#step = NO_STEP;
    this.#id = ROOT;
    this.#made = 0;
    this.#introduced = 0;
    this.#isOpen = false;
    this.introduce(this);
  }

  /** The class of the run so far, as two numbers below 2^32. */
  get runClass(): { readonly high: number; readonly low: number } {
    return { high: this.#high >>> 0, low: this.#low >>> 0 };
  }

  /** How many pairs of dependent steps were seen next to each other, in one order or in both; exact up to 200,000. */
  get pairs(): { readonly seen: number; readonly bothWays: number } {
    return { seen: this.#pairsSeen - this.#pairsBothWays, bothWays: this.#pairsBothWays };
  }

  /** The first step of the run that told nothing and may have done anything, while others were ready: `t1@2`. */
  get untracked(): string | undefined {
    return this.#untracked;
  }

  /** `balance`, `lock accounts`, `task t1`: a location for people. */
  describeLocation(location: number): string {
    return this.#locations[location]?.label ?? `location ${location}`;
  }

  /** The running step has made `handle`, which will be a step. */
  made(handle: Handle): void {
    if (handle.task === undefined) this.#noteCallback(handle);
    this.#pending.set(handle, {
      id: this.#steps.child(this.#id, this.#made++, this.#steps.hashOf(this.#id)),
      madeBy: this.#step,
      queuedBy: NO_STEP,
    });
  }

  /** `handle` is ready now. */
  queued(handle: Handle): void {
    const pending = this.#pending.get(handle);
    if (pending === undefined) this.made(handle);
    else pending.queuedBy = this.#step;
  }

  #noteCallback(handle: Handle): void {
    this.#callbacks.push(handle);
    this.introduce(handle);
  }

  /** `gates` settle together, as the step of `batch`. */
  joined(batch: object, gates: readonly object[]): void {
    const pending = gates.flatMap((gate) => this.#pending.get(gate) ?? []);
    const [{ madeBy } = { madeBy: NO_STEP }] = pending;
    this.#pending.set(batch, { id: this.#steps.joined(pending.map(({ id }) => id)), madeBy, queuedBy: NO_STEP });
    this.#contributors.set(
      batch,
      pending.map((gate) => gate.madeBy),
    );
    for (const gate of gates) this.#pending.delete(gate);
  }

  /** The id that `handle` has as a step. */
  idOf(handle: object): number {
    return this.#pending.get(handle)?.id ?? -1;
  }

  /** The id that `gate` has as a step in which it fails. */
  idOfFault(gate: object): number {
    return this.#steps.faulty(this.idOf(gate));
  }

  /** `gate`, which settles next, fails: that is another step than if it did not. */
  fails(gate: object): void {
    const pending = this.#pending.get(gate);
    if (pending !== undefined) this.#pending.set(gate, { ...pending, id: this.#steps.faulty(pending.id) });
  }

  /** `handle` begins to run as step `step`; `source` is what it has waited for, or itself. `isBatch`: and others together with it. `isAlone`: nothing else is ready. */
  beginStep(handle: Handle, step: number, timeMs: number, source: object | undefined, isBatch: boolean, isAlone: boolean): void {
    if (!this.#pending.has(handle)) this.made(handle);
    const { id, madeBy, queuedBy } = this.#pending.get(handle) as Pending; // it was made just now at the latest
    this.#pending.delete(handle);
    this.#causes = causesOf(madeBy, queuedBy, source && this.#contributors.get(source));
    this.#step = step;
    this.#id = id;
    this.#timeMs = timeMs;
    this.#made = 0;
    this.#introduced = 0;
    this.#isOpen = true;
    this.#isTold = false;
    this.#isOpaque = isBatch;
    this.#label = isAlone || this.#isTrusted || this.#untracked !== undefined ? "" : formatReadyTask(handle);
    this.#order = [];
    this.#touched = [];
    this.touchInternally(handle.task ?? handle, false);
  }

  /** Time has passed: what happens until the next step is no step's. */
  timePassed(): void {
    this.#step = NO_STEP;
    this.#id = ROOT;
  }

  /** Gives `subject` its lineage: to be called where it is made, or the number would depend on who touches it first. */
  introduce(subject: object): number {
    const known = this.#subjects.get(subject);
    if (known !== undefined) return known;
    const id = this.#things.child(this.#id, this.#introduced++, this.#steps.hashOf(this.#id));
    this.#subjects.set(subject, id);
    return id;
  }

  /** The program touches `key` of `subject` in the running step. */
  touch(subject: object, key: PropertyKey | undefined, isWrite: boolean): void {
    if (!this.#isQuiet) this.#isTold = true;
    this.#access(this.#locationOf(subject, key), isWrite);
  }

  /** The same for what the library touches: it says nothing about what else the program does in that step. */
  touchInternally(subject: object, isWrite: boolean): void {
    this.#access(this.#locationOf(subject, undefined), isWrite);
  }

  /** A timer of the program is made: of those of one deadline the first that was made fires first. */
  touchTimer(deadlineMs: number): void {
    this.#access(this.#locationOf(this, deadlineMs), true);
  }

  describe(): string {
    return "timers";
  }

  /** `future` is done by the running step. */
  completed(future: object): void {
    if (!this.#counting.has(future)) this.touchInternally(future, true);
    this.#completedBy.set(future, this.#step);
  }

  /** Who cancels a callback takes it away. */
  #noteCancelled(): void {
    const left = this.#callbacks.filter((handle) => !handle.cancelled());
    if (left.length === this.#callbacks.length) return;
    for (const handle of this.#callbacks) if (handle.cancelled()) this.touchInternally(handle, true);
    this.#callbacks = left;
  }

  /** The running step asks `future` for its state, or awaits it. */
  looked(future: object): void {
    this.touchInternally(future, this.#counting.has(future));
  }

  /**
   * `future` is done when all its parts are, in whatever order: completing one part is independent of completing another, and of both
   * looking at the future is dependent. (So the parts only read it, and whoever looks at it writes it.)
   */
  counts(future: object): void {
    this.#counting.add(future);
  }

  /** `part` of `future` is done. With `isOrdered` the order matters, as for the first that fails. */
  contribute(future: object, part: object, isOrdered: boolean): void {
    this.touchInternally(future, isOrdered);
    if (this.#completedBy.has(future)) return; // it came too late
    const steps = this.#contributors.get(future);
    const step = this.#completedBy.get(part) ?? this.#step;
    if (isOrdered) this.#contributors.set(future, [step]);
    else if (steps === undefined) this.#contributors.set(future, [step]);
    else steps.push(step);
  }

  /** Notes nothing of what `work` touches. */
  quietly<T>(work: () => T): T {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    try {
      return work();
    } finally {
      this.#isOpen = wasOpen;
    }
  }

  /** What `look` reads is looked at after every step from now on, so steps that write it do not commute. */
  watch<T>(look: () => T): T {
    const before = { touched: this.#touched, isOpen: this.#isOpen };
    this.#isQuiet = true;
    this.#touched = [];
    const watched = (this.#watched ??= new Set());
    try {
      return look();
    } finally {
      for (const location of this.#touched) watched.add(location);
      if (this.#touched.length === 0) watched.add(WORLD);
      ({ touched: this.#touched, isOpen: this.#isOpen } = before);
      this.#isQuiet = false;
    }
  }

  /** Main, or the last of those that were cancelled after it, ends with the running step: that changes what all others may still do. */
  endsPhase(): void {
    if (this.#isOpen) this.#isOpaque = true;
  }

  /** What is looked at from now on is for the report of the run. */
  endsRun(): void {
    this.#isOver = true;
  }

  /** The running step, and what the library did for it, is over; undefined when there is none. */
  endStep(): TrackedStep | undefined {
    if (!this.#isOpen) return undefined;
    if (this.#callbacks.length > 0) this.#noteCancelled();
    this.#isOpen = false;
    const isUntold = !this.#isTold && !this.#isTrusted;
    if (isUntold && this.#label !== "") this.#untracked = this.#label;
    if (isUntold || this.#isOpaque) this.#record(WORLD, true);
    this.#noteWatchers();
    const reads: number[] = [];
    const writes: number[] = [];
    for (const location of this.#touched) (this.#at(location).isWritten ? writes : reads).push(location);
    this.#hash(reads, writes);
    return { id: this.#id, footprint: { reads, writes, order: this.#order }, causes: this.#causes };
  }

  #noteWatchers(): void {
    if (this.#watched === undefined) return;
    const isSeen =
      this.#watched.has(WORLD) || this.#touched.some((location) => this.#watched?.has(location) && this.#at(location).isWritten);
    if (isSeen) this.#record(WORLD, true);
  }

  #access(location: number, isWrite: boolean): void {
    if (this.#isQuiet) {
      this.#touched.push(location);
      return;
    }
    if (this.#isOpen && !this.#isOver && this.#step !== NO_STEP) this.#record(location, isWrite);
  }

  #record(location: number, isWrite: boolean): void {
    const state = this.#at(location);
    if (state.touchedIn !== this.#step) {
      state.touchedIn = this.#step;
      state.isWritten = isWrite;
      this.#touched.push(location);
      this.#order.push(isWrite ? ~location : location);
    } else if (isWrite && !state.isWritten) {
      state.isWritten = true;
      this.#order.push(~location);
    }
  }

  /** Its state in the running run. */
  #at(location: number): LocationState {
    const state = this.#locations[location] as LocationState; // numbers are given out with their state
    if (state.run !== this.#run) {
      state.run = this.#run;
      state.low = 0;
      state.high = 0;
      state.writer = -1;
      state.readsLow = 0;
      state.readsHigh = 0;
      state.readers.length = 0;
      state.touchedIn = NO_STEP;
      state.isWritten = false;
    }
    return state;
  }

  #locationOf(subject: object, key: PropertyKey | undefined): number {
    const id = this.introduce(subject);
    const keys = (this.#keys[id] ??= new Map<PropertyKey | undefined, number>());
    const known = keys.get(key);
    if (known !== undefined) return known;
    // What a thing looks at to describe itself is not touched by the program.
    const label = this.quietly(() => (subject as Partial<Describer>).describe?.() ?? subject.constructor.name);
    const hash = mix(this.#things.hashOf(id), hash32(`${typeof key} ${String(key)}`), 6);
    const location = this.#newLocation(key === undefined ? label : String(key), hash);
    keys.set(key, location);
    return location;
  }

  #newLocation(label: string, hash: number): number {
    const none = { low: 0, high: 0, writer: -1, readsLow: 0, readsHigh: 0, touchedIn: NO_STEP, isWritten: false };
    return this.#locations.push({ label, hash, run: -1, readers: [], ...none }) - 1;
  }

  /** Adds the step to the class of the run, and to the locations that it touched. */
  #hash(reads: readonly number[], writes: readonly number[]): void {
    const lineage = this.#steps.hashOf(this.#id);
    let low = mix(lineage, this.#timeMs, 1);
    let high = mix(lineage, this.#timeMs, 2);
    const add = (location: number, isWrite: boolean): void => {
      const state = this.#at(location);
      const salt = state.hash * 2 + (isWrite ? 1 : 0);
      low = (low + mix(state.low, isWrite ? state.readsLow : 0, salt)) | 0;
      high = (high + mix(state.high, isWrite ? state.readsHigh : 0, salt + 1)) | 0;
    };
    if (!writes.includes(WORLD)) add(WORLD, false);
    for (const location of reads) add(location, false);
    for (const location of writes) add(location, true);
    low = mix(low, high, 3);
    high = mix(high, low, 4);
    if (!writes.includes(WORLD)) this.#noteAccess(WORLD, false, low, high);
    for (const location of reads) this.#noteAccess(location, false, low, high);
    for (const location of writes) this.#noteAccess(location, true, low, high);
    this.#low = (this.#low + low) | 0;
    this.#high = (this.#high + high) | 0;
  }

  #noteAccess(location: number, isWrite: boolean, low: number, high: number): void {
    const state = this.#at(location);
    if (state.writer >= 0) this.#notePair(state.writer);
    if (isWrite) {
      for (const reader of state.readers) this.#notePair(reader);
      state.low = low;
      state.high = high;
      state.writer = this.#id;
      state.readsLow = 0;
      state.readsHigh = 0;
      state.readers.length = 0;
    } else {
      state.readsLow = (state.readsLow + low) | 0;
      state.readsHigh = (state.readsHigh + high) | 0;
      state.readers.push(this.#id);
    }
  }

  /** `earlier` was seen right before the running step, on a location that they share. */
  #notePair(earlier: number): void {
    const later = (this.#pairs[earlier] ??= new Set());
    if (later.has(this.#id) || earlier === this.#id || this.#pairsSeen >= MAX_PAIRS) return;
    later.add(this.#id);
    this.#pairsSeen++;
    if (this.#pairs[this.#id]?.has(earlier) === true) this.#pairsBothWays++;
  }
}

/** Each step once, in order. */
function causesOf(madeBy: number, queuedBy: number, contributors: readonly number[] | undefined): number[] {
  const causes = madeBy === NO_STEP ? [] : [madeBy];
  // Whoever made it ready did so after it was made.
  if (queuedBy !== NO_STEP && queuedBy !== madeBy) causes.push(queuedBy);
  if (contributors === undefined) return causes;
  return [...new Set([...causes, ...contributors])].filter((cause) => cause !== NO_STEP).sort((a, b) => a - b);
}

/** Three numbers into one of 32 bits, in which each bit of each shows. */
function mix(a: number, b: number, c: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul((hash ^ (hash >>> 15) ^ b) + 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul((hash ^ (hash >>> 13) ^ c) + 0x165667b1, 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}
