/**
 * The path of one run through a search by races (dpor.ts): for each of its steps, what was tried in its place and what is yet to be tried. It goes
 * on with each step, learns from the races of a run that is over, and turns to what is to be tried next.
 *
 * Invariants:
 * - What sleeps at a node can run there, and after it the same happens as when it ran before the last steps, with which it is independent.
 * - No wakeup sequence that waits at a node can begin with what sleeps there.
 */
import { HappensBefore, type RunEvent } from "./happens-before.js";
import { areIndependent, type KnownStep, knownStep, stablePart } from "./known-step.js";
import type { Vanished } from "./ready-ids.js";
import { hashOfId, placeAmong, type WakeupSequence, WakeupSequences } from "./wakeup.js";

/** A step that ran, and what there was to decide about it. */
export interface TakenStep extends RunEvent {
  /** Whether there was a choice. */
  readonly isDecided: boolean;
}

/** A prefix of the run, and the step that comes after it. */
export class SearchNode {
  sleep: readonly KnownStep[];
  readonly pending: WakeupSequences;
  /** Preemptions before it. */
  readonly spent: number;
  /** The step that is tried now, once it ran. */
  taken: TakenStep | undefined = undefined;
  /** How many alternatives there are; 0 as long as none were seen. */
  count = 0;
  /** How many were tried and are done with. */
  tried = 0;
  /** The id of what goes on with the task that ran last, where that is asked for. */
  resumed: number | undefined = undefined;

  constructor(sleep: readonly KnownStep[], pending: WakeupSequences, spent: number) {
    this.sleep = sleep;
    this.pending = pending;
    this.spent = spent;
  }
}

export class SearchPath {
  readonly #bound: number;
  /** One for each step of the run, and one after it. */
  readonly #nodes: SearchNode[] = [new SearchNode([], new WakeupSequences(), 0)];
  readonly #order = new HappensBefore();
  /** The sequence that is looked at; most are covered, and not kept. */
  readonly #sequence = { steps: [] as KnownStep[], pasts: [] as number[] };
  #depth = 0;
  #known = 0;
  #isCut = false;
  #hasVanished = false;

  /** `bound`: a wakeup sequence that needs more preemptions is left out. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** How many steps have run. */
  get depth(): number {
    return this.#depth;
  }

  /** Whether the next step is one of the run before. */
  get isKnown(): boolean {
    return this.#depth < this.#known;
  }

  /** Whether steps were taken that no run before has taken. */
  get isBeyondKnown(): boolean {
    return this.#depth > this.#known;
  }

  /** Whether a wakeup sequence was left out because of the bound. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Where the next step is to be decided. */
  get node(): SearchNode {
    return this.#nodes[this.#depth] as SearchNode; // there is one after every step
  }

  /** The step that ran last. */
  get last(): KnownStep | undefined {
    return this.#nodes[this.#depth - 1]?.taken?.step;
  }

  /** The step that has to be next, if one has. */
  get plan(): KnownStep | undefined {
    return this.isKnown ? this.node.taken?.step : this.node.pending.first?.steps[0];
  }

  /** The part of the search that is done, in the eyes of somebody who picks uniformly among what was tried and is known to be to be tried. */
  get done(): number {
    let here = 1;
    let done = 0;
    for (const { tried, pending, taken } of this.#nodes) {
      if (taken === undefined) break;
      here /= tried + 1 + pending.length;
      done += here * tried;
    }
    return done + here;
  }

  /** Leaves out the sequences that were to be followed here, up to one that is within the bound. (What comes down from the node before is.) */
  keepWithinBound(): void {
    if (!this.isKnown) this.#dropBeyondBound(this.node);
  }

  /** A run begins. */
  begin(): void {
    this.#depth = 0;
  }

  /** The next step is that of the run before. */
  skip(): void {
    this.#depth++;
  }

  /** The next step ran for the first time. */
  take(taken: TakenStep): void {
    const { node } = this;
    const { step } = taken;
    node.taken = taken;
    const sleep = node.sleep.length === 0 ? node.sleep : node.sleep.filter((other) => areIndependent(other, step));
    const { rests, isAtEnd } = node.pending.takeAfter(step);
    // Where a sequence ends nothing sleeps any more, and everything is tried from there on by itself.
    const pending = new WakeupSequences(isAtEnd && sleep.length === 0 ? [] : rests);
    const spent = node.spent + Number(isPreemption(step, node.resumed));
    this.#nodes[++this.#depth] = new SearchNode(sleep, pending, spent);
  }

  /** After the step that ran last its task can go on at once, with the step `id`. */
  noteResumed(id: number): void {
    this.node.resumed = id;
    const before = this.#nodes[this.#depth - 1];
    if (before?.taken !== undefined) before.taken = { ...before.taken, step: { ...before.taken.step, next: id } };
  }

  /** The run is over. Of its steps, those from `length` on are of no interest. */
  end(length: number): void {
    this.#nodes.length = Math.min(length, this.#depth);
  }

  /** Notes what is to be tried because of the races of the run, and because something vanished that was ready. */
  learn(vanished: readonly Vanished[]): void {
    const taken = this.#nodes.map((node) => node.taken as TakenStep); // each of them ran
    this.#order.read(taken, this.#known);
    for (const second of taken.keys()) for (const first of this.#order.racesOf(second)) this.#reverse(first, second, taken);
    for (const { id, alternative, place } of vanished) {
      this.#hasVanished = true;
      const { name = "", operation = "", kind } = alternative ?? {};
      // All that is known of it is that it shares something with whoever took it away, which has written that.
      const step = knownStep(id, [id], { name, operation, kind, footprint: { reads: taken[place]?.step.writes ?? [], writes: [] } });
      this.#plan(place, Number.POSITIVE_INFINITY, step, taken);
    }
  }

  /** Whether the wakeup sequence that is to be followed cannot be, once `step` has run. It can where it begins with another choice about the same gate. */
  isBlockedBy(step: KnownStep): boolean {
    const { first } = this.node.pending;
    return first !== undefined && first.steps[0]?.choice[0] !== step.choice[0] && placeAmong(first.steps, step) < 0;
  }

  /**
   * Leaves the wakeup sequence that was to be followed, because its next step is not ready. Answers false when that cannot be: where nothing
   * ever vanishes, and nobody else decides, whatever could run with another step before it can run without that, too.
   */
  giveUp(isForced: boolean): boolean {
    if (this.isKnown || !(isForced || this.#hasVanished)) return false;
    this.node.pending.dropFirst();
    return true;
  }

  /** Turns to what is to be tried next; answers false when there is nothing. */
  turn(): boolean {
    for (let node = this.#nodes.at(-1); node !== undefined; node = this.#nodes.at(-1)) {
      if (node.taken !== undefined) {
        node.sleep = [...node.sleep, node.taken.step];
        node.tried++;
        node.taken = undefined;
      }
      this.#dropBeyondBound(node);
      if (node.pending.length > 0) {
        this.#known = this.#nodes.length - 1;
        return true;
      }
      this.#nodes.pop();
    }
    return false;
  }

  /** The steps at two places of the run have raced: the other way round is to be tried. */
  #reverse(first: number, second: number, taken: readonly TakenStep[]): void {
    const [earlier, later] = [taken[first], taken[second]];
    if (earlier?.isDecided === true && later !== undefined) this.#plan(first, second, stablePart(later.step, earlier.step), taken);
  }

  /** After what is before the place `first` of the run, what does not depend on it is to be tried, and then `last`, unless what sleeps covers it. */
  #plan(first: number, second: number, last: KnownStep, taken: readonly TakenStep[]): void {
    const { steps, pasts } = this.#sequence;
    steps.length = 0;
    pasts.length = 0;
    for (let place = first + 1; place < taken.length && !this.#order.areApart(first, place); place++) {
      const other = taken[place];
      if (other === undefined || place === second || this.#order.isBefore(first, place)) continue;
      steps.push(other.step);
      pasts.push(this.#order.pastOf(place));
    }
    const node = this.#nodes[first];
    if (node?.taken?.isDecided !== true) return;
    steps.push(last);
    pasts.push(hashOfId(last.id));
    insert(node, this.#sequence);
  }

  #dropBeyondBound({ pending, spent, resumed }: SearchNode): void {
    if (this.#bound === Number.POSITIVE_INFINITY) return;
    for (let { first } = pending; first !== undefined && spent + preemptionsOf(first, resumed) > this.#bound; { first } = pending) {
      pending.dropFirst();
      this.#isCut = true;
    }
  }
}

function insert({ sleep, pending }: SearchNode, sequence: WakeupSequence): void {
  if (!sleep.some((step) => placeAmong(sequence.steps, step) >= 0)) pending.add(sequence);
}

function isPreemption({ id }: KnownStep, resumed: number | undefined): boolean {
  return resumed !== undefined && resumed !== id;
}

/** How many preemptions a sequence is, where `resumed` could go on. */
function preemptionsOf({ steps }: WakeupSequence, resumed: number | undefined): number {
  let count = 0;
  let next = resumed;
  for (const step of steps) {
    if (isPreemption(step, next)) count++;
    ({ next } = step);
  }
  return count;
}
