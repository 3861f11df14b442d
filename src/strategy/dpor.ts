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
 *   known before. So of a step that is to run without one that it raced with, only the stable part is relied on (known-step.ts). To take a
 *   sequence for covered on the strength of that is right: if it is dependent with what sleeps by what it does later, it raced with that, too, and
 *   of all steps that it raced with, the one that changes its course last inserts the sequence.
 * - Time passing orders everything. To let it pass is an alternative that is tried wherever it is offered, and gates are dependent with every
 *   step, because it is offered only where nothing but gates is ready. Every batch is tried wherever its gates are open, and with it every set of
 *   its gates that may fail.
 * - What is ready may be taken away: a callback that is cancelled, and whatever is left when a run ends. It is to be tried without the step that
 *   took it away; and a sequence whose next step was taken away meanwhile is left.
 * With gates, and where something is taken away, there may be several runs of one class.
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
import { type KnownStep, KnownSteps, knownStep } from "./known-step.js";
import { describeDecision, nondeterminism } from "./nondeterminism.js";
import { ReadyIds } from "./ready-ids.js";
import type { DivergenceError } from "./replay.js";
import { type SearchNode, SearchPath } from "./search-path.js";
import { sequenceOf } from "./wakeup.js";

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

/** The ids of batches are below this one. */
const NONE = -2;

const CLOCK_STEP = knownStep(CLOCK, [CLOCK], { kind: "clock", name: "clock" });

/** What was chosen for the next step. */
interface Choice {
  /** The ids that were chosen: of a step, or of the gates of a batch, and behind them those that such gates have where they fail. */
  readonly ids: number[];
  /** What is to be chosen, as far as it is known. */
  readonly plan: readonly number[];
  /** Whether there was no choice but whether a gate fails. */
  readonly isForced: boolean;
}

class Dpor implements Strategy {
  readonly name: string;
  readonly tracks = true;
  readonly isSystematic = true;
  readonly #bound: number | undefined;
  #path: SearchPath;
  #steps = new KnownSteps();
  /** The ids of batches and of gates that fail, by what is chosen for them. */
  readonly #batches = new Map<string, number>();
  /** What is chosen where a gate fails, which is no step by itself. */
  readonly #faults = new Set<number>();
  #runs = 0;
  #isOver = false;
  #isCut = false;
  #divergence: DivergenceError | undefined = undefined;

  // What follows is of one run.
  #isLearnt = true;
  #isTracked = true;
  /** Whether somebody else made a decision. */
  #isForced = false;
  /** Where only what sleeps was left. */
  #blockedAt = Number.POSITIVE_INFINITY;
  #choice: Choice | undefined = undefined;
  /** The places in the run of its steps, by their numbers. */
  readonly #placeOf: number[] = [];
  readonly #ready = new ReadyIds();
  #last: StepRecord | undefined = undefined;

  constructor(bound: number | undefined) {
    this.#bound = bound;
    this.#path = new SearchPath(bound ?? Number.POSITIVE_INFINITY);
    this.name = bound === undefined ? "dpor" : `dpor:${bound}`;
  }

  get leavesOut(): boolean {
    return this.#isCut || this.#path.isCut || this.#hasDiverged();
  }

  #hasDiverged(): boolean {
    return this.#divergence !== undefined;
  }

  /**
   * Runs that are left if those that are left are like those that were made (Knuth 1975, see exhaustive.ts). What is still to be tried at a node is
   * known only as far as races were seen, so this is too low at first; it is 0 after the last run.
   */
  get remaining(): number | undefined {
    if (this.#runs === 0 || this.#hasDiverged()) return undefined;
    return this.#isOver ? 0 : Math.max(0, Math.round(this.#runs / this.#path.done - this.#runs));
  }

  begin(run: number): boolean {
    if (run === 0) this.#reset();
    else if (!this.#turn()) return false;
    this.#path.begin();
    this.#ready.begin();
    this.#isLearnt = false;
    this.#isForced = false;
    this.#blockedAt = Number.POSITIVE_INFINITY;
    this.#choice = undefined;
    this.#last = undefined;
    this.#runs++;
    return true;
  }

  pick(decision: Decision): number {
    if (this.#divergence !== undefined) throw this.#divergence;
    switch (decision.kind) {
      case "batch":
        return this.#pickJoining(decision);
      case "fault":
        return this.#pickFault(decision);
      default:
        return this.#pickNext(decision);
    }
  }

  observe(record: StepRecord): void {
    const choice = this.#choice;
    this.#choice = undefined;
    const id = choice === undefined ? (record.id ?? 0) : this.#idOf(choice.ids);
    const isDecided = choice?.isForced === false;
    if (!isDecided) {
      if (record.ready > 1) this.#isForced = true;
      else this.#ready.see([record], [choice?.ids[0] ?? id], this.#path.depth);
    }
    this.#ready.run(choice?.ids.filter((chosen) => !this.#faults.has(chosen)) ?? [id], this.#path.depth);
    this.#placeOf[record.step] = this.#path.depth;
    if (!this.#path.isKnown) this.#take(this.#steps.of(id, choice?.ids ?? [id], record), record, isDecided);
    else if (this.#path.plan?.id === id) this.#path.skip();
    else throw this.#diverge(record.step, formatReadyTask(record));
    this.#last = record;
  }

  end({ isCutOff = false }: RunResult): void {
    if (isCutOff) this.#isCut = true; // nobody knows what it would have raced with
    this.#learn(isCutOff);
  }

  #reset(): void {
    this.#path = new SearchPath(this.#bound ?? Number.POSITIVE_INFINITY);
    this.#steps = new KnownSteps();
    this.#batches.clear();
    this.#faults.clear();
    this.#runs = 0;
    this.#isLearnt = true;
    this.#isTracked = true;
    this.#isOver = false;
    this.#isCut = false;
    this.#divergence = undefined;
  }

  #pickNext(decision: Decision): number {
    const { node } = this.#path;
    const ids = this.#idsOf(decision);
    if (node.count === 0) this.#look(node, decision, ids);
    this.#path.keepWithinBound();
    let { plan } = this.#path;
    while (plan !== undefined && (node.count !== ids.length || !ids.includes(plan.choice[0] ?? NONE))) {
      this.#leavePlan(decision.step, describeDecision(decision));
      if (this.#divergence !== undefined) throw this.#divergence;
      ({ plan } = this.#path);
    }
    const index = plan === undefined ? this.#chooseFreely(node, ids) : ids.indexOf(plan.choice[0] ?? NONE);
    const id = ids[index] ?? NONE;
    if (id === CLOCK) this.#passTime();
    else this.#choice = { ids: [id], plan: plan?.choice ?? [id], isForced: false };
    return index;
  }

  /** The ids of what is ready. Where steps are not tracked they are indices. */
  #idsOf({ ids, ready }: Decision): readonly number[] {
    if (ids === undefined) {
      this.#isTracked = false;
      return ready.map(({ kind }, index) => (kind === "clock" ? CLOCK : index));
    }
    this.#ready.see(ready, ids, this.#path.depth);
    return ids;
  }

  /** Looks at a decision that is new. */
  #look(node: SearchNode, { ready }: Decision, ids: readonly number[]): void {
    node.count = ids.length;
    // Where only gates are ready, and time may pass, that is not seen from what runs otherwise. And without tracking nothing is seen.
    if (ids.includes(CLOCK) || !this.#isTracked) {
      for (const [index, id] of ids.entries()) {
        const { name = "", operation = "", kind } = ready[index] ?? {};
        node.pending.add(sequenceOf(id === CLOCK ? CLOCK_STEP : knownStep(id, [id], { name, operation, kind })));
      }
    }
    if (this.#bound === undefined) return;
    const resumed = ids[ready.findIndex((alternative) => this.#isNextOfLast(alternative))];
    if (resumed !== undefined) this.#path.noteResumed(resumed);
  }

  /** Whether it goes on with the chain that ran last. */
  #isNextOfLast({ kind, chain, name }: Alternative): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    if (chain !== undefined && last.chain !== undefined) return chain === last.chain;
    return (kind === undefined || kind === "task") && name === last.name;
  }

  /** Index of what runs where nothing asks for a certain order: in the order of arrival, or with a bound whatever goes on. */
  #chooseFreely({ sleep, resumed }: SearchNode, ids: readonly number[]): number {
    const isAwake = (id: number): boolean => !sleep.some((step) => step.id === id);
    if (resumed !== undefined && isAwake(resumed)) return ids.indexOf(resumed);
    const index = ids.findIndex(isAwake);
    if (index < 0) this.#blockedAt = Math.min(this.#blockedAt, this.#path.depth);
    return Math.max(0, index);
  }

  #pickJoining(decision: Decision): number {
    const ids = decision.ids ?? decision.ready.map((_, index) => (index === 0 ? CLOCK : index));
    const choice = this.#choice;
    if (choice === undefined) return 0; // the gate was somebody else's choice
    const next = choice.plan[choice.ids.length];
    if (next === undefined) {
      if (!this.#path.isKnown) this.#addBatches(choice.ids, ids);
      return 0;
    }
    if (this.#faults.has(next)) return 0; // the batch is complete, and one of its gates fails
    const index = ids.indexOf(next);
    if (index < 0) throw this.#diverge(decision.step, describeDecision(decision));
    choice.ids.push(next);
    return index;
  }

  /** The batches that go on with one more gate are to be tried, too. */
  #addBatches(gates: readonly number[], ids: readonly number[]): void {
    for (const gate of ids) if (gate >= 0) this.#addChoice([...gates, gate]);
  }

  #addChoice(choice: readonly number[]): void {
    const { sleep, pending } = this.#path.node;
    const step = knownStep(this.#idOf(choice), choice, { kind: "gate" });
    if (!sleep.some(({ id }) => id === step.id)) pending.add(sequenceOf(step));
  }

  /**
   * Whether a gate fails. Each set of gates that may fail is chosen as the list of those that do, in their order: where nothing more is planned, what
   * goes on with this one is to be tried, too.
   */
  #pickFault({ ids, ready }: Decision): number {
    // Without tracking there is nothing that a step could be known by from run to run, and a gate that is alone has the number 0.
    const [own = 0, fault = this.#numberOf(`fault of ${formatReadyTask(ready[0] as Alternative)}`)] = ids ?? []; // there are two
    this.#faults.add(fault);
    const choice = (this.#choice ??= this.#forcedChoice(own));
    const next = choice.plan[choice.ids.length];
    if (next === fault) {
      choice.ids.push(fault);
      return 1;
    }
    if (next === undefined && !this.#path.isKnown) this.#addChoice([...choice.ids, fault]);
    return 0;
  }

  /** The choice of a gate that was alone, or that somebody else has chosen. */
  #forcedChoice(gate: number): Choice {
    const { plan } = this.#path;
    return { ids: [gate], plan: plan?.choice[0] === gate ? plan.choice : [gate], isForced: true };
  }

  /** One number for what was chosen. */
  #idOf(choice: readonly number[]): number {
    const [first = NONE] = choice;
    if (choice.length === 1) return first;
    return this.#numberOf(choice.join());
  }

  #numberOf(key: string): number {
    const known = this.#batches.get(key) ?? NONE - 1 - this.#batches.size;
    this.#batches.set(key, known);
    return known;
  }

  #passTime(): void {
    if (this.#path.isKnown) this.#path.skip();
    else this.#path.take({ step: CLOCK_STEP, causes: [], isLater: true, isDecided: true });
  }

  /** A step ran for the first time. */
  #take(step: KnownStep, record: StepRecord, isDecided: boolean): void {
    const path = this.#path;
    const causes = (record.causes ?? []).map((number) => this.#placeOf[number] ?? 0);
    for (const id of step.choice) {
      const since = this.#ready.since(id);
      // Whatever ran right before it was ready has made it so, whether or not it says so.
      if (since > 0) causes.push(since - 1);
    }
    if (this.#bound !== undefined && !isDecided && this.#isNextOfLast(record)) path.noteResumed(step.id);
    const isLater = path.last?.id === CLOCK || (this.#last !== undefined && record.timeMs !== this.#last.timeMs);
    if (!isDecided) this.#leavePlans(step, record);
    path.take({ step, causes, isLater, isDecided });
  }

  /** Learns from the run that is over. What was ready when it was cut off, nobody has taken away. */
  #learn(isCutOff = false): void {
    if (this.#isLearnt) return;
    this.#isLearnt = true;
    if (this.#hasDiverged()) return;
    if (this.#path.plan !== undefined && !isCutOff) this.#leavePlan(this.#path.depth + 1, "the end of the run");
    const { depth } = this.#path;
    const vanished = this.#ready.vanished(depth).filter(({ place }) => !isCutOff || place < depth - 1);
    this.#path.end(this.#blockedAt);
    if (this.#isTracked && !this.#hasDiverged()) this.#path.learn(vanished);
  }

  /** What was to be next is not there. */
  #leavePlan(step: number, now: string): void {
    if (this.#path.giveUp(this.#isForced)) this.#isCut ||= this.#isForced;
    else this.#diverge(step, now);
  }

  /** Nothing but `step` could run, so no sequence can be followed that it does not leave as it is. */
  #leavePlans(step: KnownStep, record: StepRecord): void {
    while (this.#path.isBlockedBy(step)) {
      this.#leavePlan(record.step, formatReadyTask(record));
      if (this.#divergence !== undefined) throw this.#divergence;
    }
  }

  /** Turns to what is to be tried next; answers false when there is nothing. */
  #turn(): boolean {
    if (this.#hasDiverged()) return false;
    this.#learn();
    // Whoever begins a run is not prepared for an error, so it is the next run that ends with this, at its first decision.
    if (this.#hasDiverged()) return true;
    this.#isOver = !this.#path.turn();
    return !this.#isOver;
  }

  #diverge(step: number, now: string): DivergenceError {
    const { plan, isBeyondKnown } = this.#path;
    const error = nondeterminism(step, plan === undefined ? "another decision" : `${formatReadyTask(plan)} ready at step ${step}`, now);
    if (isBeyondKnown) {
      error.message += "\nOr steps were swapped that share something without telling: what they share should go through env.shared.";
    }
    return (this.#divergence = error);
  }
}
