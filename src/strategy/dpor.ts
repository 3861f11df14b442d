/**
 * Optimal dynamic partial order reduction: of all orders of a program that differ only in the order of independent steps, one is run.
 *
 * Abdulla, Aronis, Jonsson, Sagonas: "Source Sets: A Foundation for Optimal Dynamic Partial Order Reduction" (JACM 2017; POPL 2014). After a run, each
 * pair of steps that raced is reversed: after the prefix before the first of the two, what does not depend on it is to run, and then the second
 * one. That is a wakeup sequence (wakeup.ts), unless the sleep set covers it: the steps that were tried after that prefix, or after a part of it
 * that they are independent of the rest of. Whatever sleeps is woken by the time that a wakeup sequence has run, so no run is ever made in vain.
 *
 * What is different here:
 * - A step is a block of code that may touch many things, and is known only when it has run. In the paper it is an access to one location that is
 *   known before. So of a step that is to run without one that it has read from, only the stable part is relied on (known-step.ts). To take a
 *   sequence for covered on the strength of that is right: if it is dependent with what sleeps by what it touches later, it raced with that, too,
 *   and of all steps with which it raced, the one that changes its course last inserts the sequence.
 * - Time passing orders everything. To let it pass is an alternative that is tried wherever it is offered, and gates are dependent with every
 *   step, because it is offered only where nothing but gates is ready. Every batch is tried wherever its gates are open. There may be several runs
 *   of one class then.
 * - A run may end while something is ready, when main has ended or a failure ends it. The last step is dependent with every other then, and what
 *   was ready is tried in its place.
 *
 * What is remembered is the path of one run, and the wakeup sequences along it, of which there can be as many as classes are left.
 *
 * With a bound on preemptions (see exhaustive.ts) a wakeup sequence that needs more is left out. Then no run has more preemptions, and no two
 * runs are of one class, but a class may be missed although one of its orders is within the bound: the order that would lead to it may not be
 * (Coons, Musuvathi, McKinley: "Bounded Partial-Order Reduction", OOPSLA 2013). Where nothing was left out, nothing was missed.
 */
import { UsageError } from "../errors/errors.js";
import { formatReadyTask } from "../schedule/schedule.js";
import type { Alternative, Decision, RunResult, StepRecord, Strategy } from "../schedule/strategy.js";
import { HappensBefore, type RunEvent } from "./happens-before.js";
import { areIndependent, type KnownStep, knownStep, stablePart } from "./known-step.js";
import { describeDecision, nondeterminism } from "./nondeterminism.js";
import type { DivergenceError } from "./replay.js";
import { placeIn, type WakeupSequence, WakeupSequences } from "./wakeup.js";

export interface DporOptions {
  /** How many preemptions a run may have. Default: any number. */
  readonly preemptions?: number;
}

/**
 * Takes one schedule of each class of equivalent ones, and ends. Schedules are equivalent when one becomes the other by swapping neighbours that
 * share nothing, of which one writes it. What a step shares is told by `env.shared` and by the library's own objects; a step that tells nothing is
 * taken to share everything, and where all do, this is exhaustive search.
 *
 * Throws UsageError when `preemptions` is not a whole number, 0 or more. A program that has other decisions to make after the same ones as
 * before is stopped with a DivergenceError; the search ends there, and says that it left something out.
 *
 * @example
 * const outcome = await explore(async ({ shared, gather }) => {
 *   const seen = shared({ x: 0 });
 *   await gather(async () => { seen.x = 1; }, async () => seen.x, async () => seen.x);
 * }, { strategy: dpor() });
 * outcome.runs; // 4: each reader comes before the writer or after it
 * @since 0.2.0
 */
export function dpor({ preemptions }: DporOptions = {}): Strategy {
  if (preemptions !== undefined && (!Number.isSafeInteger(preemptions) || preemptions < 0)) {
    throw new UsageError(`dpor: preemptions must be a whole number, 0 or more, not ${String(preemptions)}`);
  }
  return new Dpor(preemptions);
}

/** In the place of the id of what is no step: that time passes. */
const CLOCK = -1;

const NONE = -2;

const CLOCK_STEP = knownStep(CLOCK, [CLOCK], { kind: "clock", name: "clock" });

/** A prefix of the run, and the step that comes after it. */
class Node {
  /** What was tried here, or before, and is independent of everything since. */
  readonly sleep: KnownStep[];
  readonly pending: WakeupSequences;
  /** Preemptions before it. */
  readonly spent: number;
  /** The step that is taken now, once it ran. */
  event: RunEvent | undefined = undefined;
  /** The place in the run since when that step was ready. */
  readySince = 0;
  /** Whether there was a choice. */
  isDecided = false;
  /** Whether the decision was seen before. */
  isSeen = false;
  /** How many steps were tried here and are done with. */
  tried = 0;
  timeMs = 0;
  /** The id of what goes on with the task that ran last, where a bound asks for it. */
  resumed = NONE;

  constructor(sleep: KnownStep[], pending: readonly WakeupSequence[], spent: number) {
    this.sleep = sleep;
    this.pending = new WakeupSequences(pending);
    this.spent = spent;
  }
}

/** What was chosen for the next step. */
interface Choice {
  /** The ids that were chosen: of a step, or of the gates of a batch. */
  readonly ids: number[];
  /** What is to be chosen, as far as it is known. */
  readonly plan: readonly number[];
}

class Dpor implements Strategy {
  readonly name: string;
  readonly tracks = true;
  readonly isSystematic = true;
  readonly #bound: number | undefined;
  /** One node for each step of the run, and one after it. */
  readonly #path: Node[] = [];
  readonly #order = new HappensBefore();
  /** The ids of batches, by the ids of their gates. They are below those of all else. */
  readonly #batches = new Map<string, number>();
  #runs = 0;
  #isOver = false;
  #isCut = false;
  #divergence: DivergenceError | undefined = undefined;

  // What follows is of one run.
  /** How many steps ran, the passing of time by decision being one. */
  #depth = 0;
  /** How many of them are those of the run before. */
  #known = 0;
  #isLearnt = true;
  #isTracked = true;
  /** Whether somebody else made a decision. */
  #isForced = false;
  /** Where only what sleeps was left. */
  #blockedAt: number | undefined = undefined;
  #choice: Choice | undefined = undefined;
  /** The places in the run of its steps, by their numbers. */
  readonly #placeOf: number[] = [];
  /** Since when what has an id is ready, in which run. */
  readonly #readySince: { run: number; place: number }[] = [];
  /** What was ready at the last decision, and where that was. */
  #ready: { readonly place: number; readonly ids: readonly number[]; readonly alternatives: readonly Alternative[] } | undefined = undefined;
  #lastTimeMs = 0;
  #last: Pick<StepRecord, "name" | "chain"> | undefined = undefined;

  constructor(bound: number | undefined) {
    this.#bound = bound;
    this.name = bound === undefined ? "dpor" : `dpor:${bound}`;
  }

  get leavesOut(): boolean {
    return this.#isCut || this.#divergence !== undefined;
  }

  /**
   * Runs that are left if those that are left are like those that were made (Knuth 1975, see exhaustive.ts). What is still to be tried at a node is
   * known only as far as races were seen, so this is too low at first; it is 0 after the last run.
   */
  get remaining(): number | undefined {
    if (this.#runs === 0 || this.#divergence !== undefined) return undefined;
    if (this.#isOver) return 0;
    let here = 1;
    let done = 0;
    for (const { tried, pending, event } of this.#path) {
      if (event === undefined) break;
      here /= tried + 1 + pending.length;
      done += here * tried;
    }
    done += here;
    return Math.max(0, Math.round(this.#runs / done - this.#runs));
  }

  begin(run: number): boolean {
    if (run === 0) this.#reset();
    else if (!this.#turn()) return false;
    this.#depth = 0;
    this.#isLearnt = false;
    this.#isForced = false;
    this.#blockedAt = undefined;
    this.#choice = undefined;
    this.#ready = undefined;
    this.#lastTimeMs = 0;
    this.#last = undefined;
    this.#runs++;
    return true;
  }

  pick(decision: Decision): number {
    if (this.#divergence !== undefined) throw this.#divergence;
    return decision.kind === "batch" ? this.#pickJoining(decision) : this.#pickNext(decision);
  }

  observe(record: StepRecord): void {
    const choice = this.#choice;
    this.#choice = undefined;
    const id = choice === undefined ? (record.id ?? 0) : this.#idOf(choice.ids);
    if (choice === undefined) {
      this.#noteReady([id]);
      if (record.ready > 1) this.#isForced = true;
    }
    this.#placeOf[record.step] = this.#depth;
    if (this.#depth < this.#known) {
      const { event } = this.#node;
      if (event?.step.id !== id) throw this.#diverge(event?.step, record.step, formatReadyTask(record));
    } else this.#take(knownStep(id, choice?.ids ?? [id], record), record, choice !== undefined);
    this.#lastTimeMs = record.timeMs;
    this.#last = record;
    this.#depth++;
  }

  end({ isCutOff }: RunResult): void {
    if (isCutOff === true) this.#isCut = true; // there are classes of which only the beginning is told apart
    this.#learn();
  }

  #reset(): void {
    this.#path.splice(0, this.#path.length, new Node([], [], 0));
    this.#batches.clear();
    this.#readySince.length = 0;
    this.#runs = 0;
    this.#known = 0;
    this.#isLearnt = true;
    this.#isTracked = true;
    this.#isOver = false;
    this.#isCut = false;
    this.#divergence = undefined;
  }

  get #node(): Node {
    return this.#path[this.#depth] as Node; // there is one after every step
  }

  #pickNext(decision: Decision): number {
    const node = this.#node;
    const ids = this.#idsOf(decision, node);
    if (!node.isSeen) this.#look(node, decision, ids);
    const plan = this.#depth < this.#known ? node.event?.step : this.#planFor(node);
    const index = plan === undefined ? this.#chooseFreely(node, ids) : ids.indexOf(plan.choice[0] ?? NONE);
    if (index < 0) {
      if (!this.#isForced) throw this.#diverge(plan, decision.step, describeDecision(decision));
      this.#isCut = true;
      return 0;
    }
    const id = ids[index] ?? NONE;
    if (id === CLOCK) this.#passTime(node);
    else this.#choice = { ids: [id], plan: plan?.choice ?? [id] };
    return index;
  }

  /** The ids of what is ready. Where steps are not tracked they are indices, and every alternative is tried. */
  #idsOf({ ids, count, ready, step }: Decision, node: Node): readonly number[] {
    if (ids !== undefined) {
      this.#ready = { place: this.#depth, ids, alternatives: ready };
      this.#noteReady(ids);
      return ids;
    }
    this.#isTracked = false;
    const indices = Array.from({ length: count }, (_, index) => (ready[index]?.kind === "clock" ? CLOCK : index));
    if (!node.isSeen)
      for (const index of indices) {
        if (index !== CLOCK) node.pending.add([knownStep(index, [index], { name: "alternative", operation: String(index), step })]);
      }
    return indices;
  }

  /** Notes since when what has one of `ids` is ready. */
  #noteReady(ids: readonly number[]): void {
    for (const id of ids) {
      if (id < 0) continue;
      const since = (this.#readySince[id] ??= { run: NONE, place: 0 });
      if (since.run === this.#runs) continue;
      since.run = this.#runs;
      since.place = this.#depth;
    }
  }

  /** Looks at a decision that is new. */
  #look(node: Node, { ready }: Decision, ids: readonly number[]): void {
    node.isSeen = true;
    if (ids.includes(CLOCK)) {
      // Only gates are ready then. Whether time may pass is not seen from what runs otherwise.
      for (const id of ids) node.pending.add([id === CLOCK ? CLOCK_STEP : knownStep(id, [id], { kind: "gate" })]);
    }
    if (this.#bound === undefined) return;
    const resumed = ready.findIndex((alternative) => this.#isNextOfLast(alternative));
    node.resumed = ids[resumed] ?? NONE;
  }

  /** Whether it goes on with the chain that ran last. */
  #isNextOfLast({ kind, chain, name }: Alternative): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    if (chain !== undefined && last.chain !== undefined) return chain === last.chain;
    return (kind === undefined || kind === "task") && name === last.name;
  }

  /** The first step of the wakeup sequence that is to be followed, if there is one. */
  #planFor(node: Node): KnownStep | undefined {
    this.#dropWhatIsBeyondBound(node);
    return node.pending.first?.[0];
  }

  #dropWhatIsBeyondBound(node: Node): void {
    void node;
  }

  /** Index of what runs where nothing asks for a certain order: in the order of arrival, or with a bound whatever goes on. */
  #chooseFreely({ sleep, resumed }: Node, ids: readonly number[]): number {
    const isAwake = (id: number): boolean => id !== CLOCK && !sleep.some((step) => step.id === id);
    if (resumed !== NONE && isAwake(resumed)) return ids.indexOf(resumed);
    const index = ids.findIndex(isAwake);
    if (index >= 0) return index;
    this.#blockedAt ??= this.#depth;
    return 0;
  }

  #pickJoining(decision: Decision): number {
    const ids = decision.ids ?? decision.ready.map((_, index) => (index === 0 ? NONE : index));
    const choice = this.#choice;
    if (choice === undefined) return 0;
    const next = choice.plan[choice.ids.length];
    if (next === undefined) {
      if (this.#depth >= this.#known) this.#addBatches(choice.ids, ids);
      return 0;
    }
    const index = ids.indexOf(next);
    if (index < 0) throw this.#diverge(undefined, decision.step, describeDecision(decision));
    choice.ids.push(next);
    return index;
  }

  /** The batches that go on with one more gate are to be tried, too. */
  #addBatches(gates: readonly number[], ids: readonly number[]): void {
    const { sleep, pending } = this.#node;
    for (const gate of ids) {
      if (gate < 0) continue;
      const choice = [...gates, gate];
      const batch = knownStep(this.#idOf(choice), choice, { kind: "gate" });
      if (!sleep.some(({ id }) => id === batch.id)) pending.add([batch]);
    }
  }

  /** One number for what was chosen. */
  #idOf(choice: readonly number[]): number {
    const [first = NONE] = choice;
    if (choice.length === 1) return first;
    const key = choice.join();
    const known = this.#batches.get(key) ?? NONE - 1 - this.#batches.size;
    this.#batches.set(key, known);
    return known;
  }

  #passTime(node: Node): void {
    if (this.#depth >= this.#known) {
      node.isDecided = true;
      this.#goOn(node, { step: CLOCK_STEP, causes: [], isLater: true });
    }
    this.#depth++;
  }

  /** The step after `node` ran for the first time. */
  #take(step: KnownStep, { timeMs, causes = [] }: StepRecord, isDecided: boolean): void {
    const node = this.#node;
    const [id = NONE] = step.choice;
    node.isDecided = isDecided;
    node.readySince = this.#readySince[id]?.place ?? this.#depth;
    const before = this.#path[this.#depth - 1]?.event?.step.id;
    // Whatever ran right before it was ready has made it so, whether or not it says so.
    const places = causes.map((number) => this.#placeOf[number] ?? NONE).filter((place) => place >= 0);
    if (node.readySince > 0) places.push(node.readySince - 1);
    this.#goOn(node, { step, causes: places, isLater: before === CLOCK || timeMs !== this.#lastTimeMs });
  }

  #goOn(node: Node, event: RunEvent): void {
    const { step } = event;
    node.event = event;
    const sleep = node.sleep.filter((other) => areIndependent(other, step));
    const left = node.pending.takeAfter(step);
    // Where a sequence ends nothing sleeps any more, so everything is tried from there on by itself.
    const isAtEnd = sleep.length === 0 && left.some(({ length }) => length === 0);
    const isPreempting = node.resumed !== NONE && step.id !== node.resumed;
    this.#path.length = this.#depth + 1;
    this.#path.push(new Node(sleep, isAtEnd ? [] : left.filter(({ length }) => length > 0), node.spent + Number(isPreempting)));
  }

  /** Looks at the races of the run that is over, and notes what is to be tried because of them. */
  #learn(): void {
    if (this.#isLearnt) return;
    this.#isLearnt = true;
    if (this.#divergence !== undefined) return;
    const end = this.#node;
    if (this.#depth < this.#known || end.pending.length > 0) {
      if (this.#isForced) this.#isCut = true;
      else this.#diverge(this.#depth < this.#known ? end.event?.step : end.pending.first?.[0], this.#depth + 1, "the end of the run");
    }
    this.#path.length = Math.min(this.#depth, this.#blockedAt ?? this.#depth);
    if (!this.#isTracked) return;
    this.#learnFromEnd();
    const events = this.#path.map(({ event }) => event as RunEvent); // each of them ran
    this.#order.read(events, this.#known);
    for (const [place] of events.entries()) for (const earlier of this.#order.racesOf(place)) this.#reverse(earlier, place);
  }

  /** What was ready when the run ended could have run in the place of the last step. */
  #learnFromEnd(): void {
    const last = this.#path.at(-1);
    const ready = this.#ready;
    if (last?.event === undefined || ready === undefined || this.#blockedAt !== undefined || ready.place !== this.#path.length - 1) return;
    const { event } = last;
    const others = ready.ids.flatMap((id, index) => (id === CLOCK || event.step.choice.includes(id) ? [] : [{ id, kind: ready.alternatives[index]?.kind }]));
    if (others.length === 0) return;
    // What ends a run by itself is dependent with everything. Whatever else was last was cut off by somebody who counts steps.
    if (!event.step.isOpaque) {
      this.#isCut = true;
      return;
    }
    for (const { id, kind } of others) {
      this.#insert(last, [knownStep(id, [id], { kind, footprint: { reads: [], writes: [] } })]);
    }
  }

  /** The steps at two places of the run have raced: the other way round is to be tried, unless it is covered. */
  #reverse(first: number, second: number): void {
    const node = this.#path[first];
    if (node?.event === undefined || !node.isDecided) return;
    const sequence: KnownStep[] = [];
    let readySince = NONE;
    for (let place = first + 1; place < this.#path.length; place++) {
      if (this.#order.areApart(first, place)) break;
      const other = this.#path[place] as Node; // within the path
      if (place === second || this.#order.isBefore(first, place) || other.event === undefined) continue;
      if (readySince === NONE) ({ readySince } = other);
      sequence.push(other.event.step);
    }
    const last = this.#path[second] as Node; // within the path
    if (readySince === NONE) ({ readySince } = last);
    if (readySince > first || last.event === undefined) return;
    sequence.push(stablePart(last.event.step, node.event.step));
    this.#insert(node, sequence);
  }

  #insert({ sleep, pending }: Node, sequence: WakeupSequence): void {
    if (!sleep.some((step) => placeIn(sequence, step) >= 0)) pending.add(sequence);
  }

  /** Turns to what is to be tried next; answers false when there is nothing. */
  #turn(): boolean {
    if (this.#divergence !== undefined) return false;
    this.#learn();
    // Whoever begins a run is not prepared for an error, so it is the next run that ends with this, at its first decision.
    if (this.#divergence !== undefined) return true;
    for (let node = this.#path.at(-1); node !== undefined; node = this.#path.at(-1)) {
      if (node.event !== undefined) {
        node.sleep.push(node.event.step);
        node.tried++;
        node.event = undefined;
      }
      this.#dropWhatIsBeyondBound(node);
      if (node.pending.length > 0) {
        this.#known = this.#path.length - 1;
        return true;
      }
      this.#path.pop();
    }
    this.#isOver = true;
    return false;
  }

  #diverge(planned: KnownStep | undefined, step: number, now: string): DivergenceError {
    const error = nondeterminism(step, planned === undefined ? "another decision" : `${formatReadyTask(planned)} ready at step ${step}`, now);
    return (this.#divergence = error);
  }
}
