/**
 * What is to run, and when: the ready queue, the timers, the virtual clock, and the choice of the next handle.
 *
 * Under asyncio's own order (`"inline"` housekeeping) the queue runs in batches like `BaseEventLoop._run_once`; otherwise the
 * library's own handles and the timers that are due run at once, and the strategy picks among the rest.
 *
 * Invariant: virtual time moves only while nothing is ready, and only to the earliest deadline. Exceptions are programs that poll: immediates
 * that set immediates without end, and a step that reads the clock without end, wait for time to pass.
 */
import { UsageError } from "../errors/errors.js";
import type { Decision, Housekeeping, Strategy } from "../schedule/strategy.js";
import { type Gate, GateBatch } from "./gate.js";
import type { Handle } from "./handle.js";
import { NativeTimer } from "./native-timer.js";
import { clockTo, faultDecision, listedDecision, OpenDecision, SETTLE } from "./open-decision.js";
import { ReadyLine } from "./ready-line.js";
import { ReadyQueue } from "./ready-queue.js";
import { Timers } from "./timers.js";
import type { Tracker } from "./tracker.js";

/** What an agenda asks of its loop. */
export interface AgendaOwner {
  /** The step that ran last is over, with all that the library did for it. Called before the next one is chosen. */
  endStep(): void;
  /** Whether virtual time may pass, which would outrun every real one. */
  mayPassTime(): boolean;
}

export interface AgendaOptions {
  readonly strategy: Strategy | undefined;
  readonly tracker: Tracker | undefined;
  /** Gates that settle in one step at most. */
  readonly maxBatch: number;
  /**
   * How much time may pass open gates in a run without reaching a timer, in virtual milliseconds: as much as one answer may take. So two
   * slow answers in a row race a timer that neither of them alone would reach, and one that is more than twice as long accuses nobody.
   */
  readonly spareMs: number;
}

/** One list for all, because most runs open no gate. */
const NO_GATES: readonly Gate[] = [];

/** After so many immediates in a row with nothing else ready, time passes: a real event loop takes time for each of its turns. */
const POLLS_BEFORE_TIME = 100;
/** An hour: who has not seen the time that he polls for by then does not poll for time. */
const MAX_POLL_MS = 3_600_000;

interface Lines {
  readonly program: ReadyLine;
  readonly native: ReadyLine;
  readonly immediates: ReadyLine;
}

export class Agenda {
  readonly #owner: AgendaOwner;
  readonly #strategy: Strategy | undefined;
  readonly #tracker: Tracker | undefined;
  readonly #maxBatch: number;
  /** How much of {@link AgendaOptions.spareMs} is left. */
  #spareMs: number;
  readonly #farthestMs: number;
  readonly housekeeping: Housekeeping;
  readonly #ready = new ReadyQueue();
  /** The library's own handles, where they run before the next decision. */
  readonly #eager = new ReadyQueue();
  readonly #timers = new Timers();
  /**
   * What is not permuted among its like, where a strategy decides, each line made when it is first needed: timers of the program that were
   * due when they were made, native timers that are due, immediates.
   */
  #lines: Lines | undefined = undefined;
  /** How many immediates have run since anything else did, and how much time passes when they have been too many. */
  #polls = 0;
  #pollMs = 1;
  #hasUnref = false;
  /** How many native timers and immediates are to fire. */
  #nativeCount = 0;
  /** The gates in the ready queue. */
  #gates: readonly Gate[] = NO_GATES;
  #slowestIoMs = 0;
  #nowMs = 0;
  #steps = 0;
  /** Handles of the current batch that were not taken yet; only in asyncio's order. */
  #batch = 0;
  #hasCancelledHandle = false;
  #decision: Decision | undefined = undefined;

  constructor(owner: AgendaOwner, { strategy, tracker, maxBatch, spareMs }: AgendaOptions) {
    this.#owner = owner;
    this.#strategy = strategy;
    this.#tracker = tracker;
    this.#maxBatch = maxBatch;
    this.#spareMs = spareMs;
    this.#farthestMs = 2 * spareMs;
    this.housekeeping = strategy === undefined ? "inline" : (strategy.housekeeping ?? "eager");
  }

  /** Virtual milliseconds since the run began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many steps have begun. */
  get steps(): number {
    return this.#steps;
  }

  /** What is ready, in the order in which it became so. */
  get ready(): readonly Handle[] {
    return this.#ready.list();
  }

  /** How many handles are ready. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** How many timers wait. */
  get timerCount(): number {
    return this.#timers.countLive();
  }

  /** The native timers and immediates that are to fire: those that are due first, and otherwise in no order that matters. */
  nativeTimers(): readonly NativeTimer[] {
    const inLine = this.#lines === undefined ? [] : [...this.#lines.native.list(), ...this.#lines.immediates.list()];
    const all = new Set([...inLine, ...this.#ready.list(), ...this.#timers.live()]);
    return [...all].filter((handle): handle is NativeTimer => handle instanceof NativeTimer && !handle.cancelled());
  }

  /** Whether a native timer or immediate is to fire. */
  get hasNativeTimer(): boolean {
    return this.#nativeCount > 0;
  }

  /** A native timer has fired or was cancelled. */
  noteNativeTimerOver(): void {
    this.#nativeCount--;
  }

  /** The gates that were opened and are not settled. */
  get openGates(): readonly Gate[] {
    return this.#gates;
  }

  /** How long the gate was open, or is, that was held back longest, in virtual milliseconds. */
  get slowestIoMs(): number {
    return this.#gates.reduce((slowest, { openedMs }) => Math.max(slowest, this.#nowMs - openedMs), this.#slowestIoMs);
  }

  /** Whether the batch that began with {@link beginBatch} still has handles. */
  get isInBatch(): boolean {
    return this.#batch > 0;
  }

  beginStep(): number {
    return ++this.#steps;
  }

  enqueue(handle: Handle): void {
    if (this.housekeeping === "eager" && handle.isHousekeeping) this.#eager.push(handle);
    else this.#ready.push(handle);
  }

  openGate(gate: Gate): void {
    this.#gates = [...this.#gates, gate];
    this.#ready.push(gate);
  }

  /** Throws UsageError when the clock does not reach so far. */
  addTimer(deadlineMs: number, handle: Handle): void {
    if (!Number.isSafeInteger(deadlineMs)) {
      throw new UsageError(`a deadline of ${deadlineMs} ms is beyond the clock, which ends at 2^53 - 1`);
    }
    if (handle instanceof NativeTimer) this.#nativeCount++;
    if (deadlineMs <= this.#nowMs && this.housekeeping === "eager") this.#makeLines().program.push(handle);
    else this.#timers.add(deadlineMs, handle);
  }

  /** An immediate of the platform: ready at once, behind those that are ready already. */
  addImmediate(handle: NativeTimer): void {
    this.#nativeCount++;
    if (this.housekeeping === "eager") this.#makeLines().immediates.push(handle);
    else this.#ready.push(handle);
  }

  #makeLines(): Lines {
    const line = (): ReadyLine => new ReadyLine(this.#ready);
    return (this.#lines ??= { program: line(), native: line(), immediates: line() });
  }

  noteCancelledHandle(): void {
    this.#hasCancelledHandle = true;
  }

  /** Some native timer keeps nothing alive. */
  noteUnref(): void {
    this.#hasUnref = true;
  }

  /** The next immediate, whatever else is ready; undefined when there is none. */
  takeImmediate(): Handle | undefined {
    if (this.#nativeCount === 0) return undefined;
    this.#dropCancelled();
    const ready = this.#ready.list();
    const first = this.#lines?.immediates.first ?? ready.find((handle) => handle instanceof NativeTimer && handle.isImmediate);
    if (first === undefined) return undefined;
    this.#ready.take(ready.indexOf(first));
    this.#noteTakenOfLine(first);
    return first;
  }

  /** Moves the clock to the next deadline; false when there is none that anything waits for. */
  passTime(): boolean {
    const deadlineMs = this.#timers.nextDeadlineMs();
    if (deadlineMs === undefined) return false;
    if (this.#hasUnref && !this.#timers.live().some((handle) => !(handle instanceof NativeTimer) || handle.isRef)) return false;
    this.#nowMs = Math.max(this.#nowMs, deadlineMs);
    this.#tracker?.timePassed();
    return true;
  }

  /** A step waits for the clock, busily. */
  passOneMs(): void {
    this.#nowMs++;
    this.#tracker?.timePassed();
  }

  /** asyncio's order: what is ready now, and the timers that are due, run before anything that they queue. */
  beginBatch(): void {
    if (this.#isPolling()) this.#passPolledTime();
    for (let due = this.#timers.takeDue(this.#nowMs); due !== undefined; due = this.#timers.takeDue(this.#nowMs)) this.#ready.push(due);
    this.#batch = this.#ready.length;
  }

  /** The next handle of the batch, which must have one. */
  takeOfBatch(): Handle {
    this.#batch--;
    const taken = this.#ready.shift();
    if (this.#gates.length > 0) this.#noteTaken(taken);
    return taken;
  }

  /** Every other order: housekeeping first, then due timers, then what the strategy picks; undefined when nothing is ready. */
  takeByStrategy(): Handle | undefined {
    if (this.#eager.length > 0) return this.#eager.shift();
    this.#owner.endStep();
    for (let due = this.#timers.takeDue(this.#nowMs); due !== undefined; due = this.#timers.takeDue(this.#nowMs)) {
      if (due instanceof NativeTimer) {
        this.#makeLines().native.push(due);
        continue;
      }
      this.#tracker?.timePassed(); // what a timer of the library does is done by no step, also behind one of the program
      return due;
    }
    if (this.#hasCancelledHandle || this.#hasCancelledTimer()) this.#dropCancelled();
    if (this.#ready.length === 0) return undefined;
    if (this.#isPolling()) {
      this.#passPolledTime();
      return this.takeByStrategy();
    }
    return this.#gates.length === 0 ? this.#takeReady() : this.#takeWithGates();
  }

  /** The same where gates are open: the clock may be an alternative, and what is taken may be a batch. */
  #takeWithGates(): Handle | undefined {
    const deadlineMs = this.#deadlineBeforeGates();
    if (deadlineMs === undefined) return this.#batched(this.#takeReady());
    const taken = this.#takeGateOrClock(this.#strategy, deadlineMs);
    return taken === undefined ? this.takeByStrategy() : this.#batched(taken);
  }

  #takeReady(): Handle {
    const taken =
      this.#ready.length > 1 && this.#strategy !== undefined ? this.#ready.take(this.#decide(this.#strategy)) : this.#ready.shift();
    if (this.#lines !== undefined) this.#noteTakenOfLine(taken);
    return taken;
  }

  #noteTakenOfLine(taken: Handle): void {
    this.#lines?.program.noteTaken(taken);
    this.#lines?.native.noteTaken(taken);
    this.#lines?.immediates.noteTaken(taken);
  }

  /** Whether immediates set immediates and nothing else is ready, for so long that it must be time that they wait for. */
  #isPolling(): boolean {
    if (this.#nativeCount === 0) return false;
    const isImmediate = (handle: Handle): boolean => handle instanceof NativeTimer && handle.isImmediate;
    if (this.#ready.length > 0 && this.#ready.list().every(isImmediate)) this.#polls++;
    else [this.#polls, this.#pollMs] = [0, 1];
    if (this.#polls < POLLS_BEFORE_TIME) return false;
    this.#polls = 0;
    return true;
  }

  /** Time for immediates that poll: to the next deadline, or, where they can only be waiting for the clock itself, more each time. */
  #passPolledTime(): void {
    if (this.passTime()) return;
    this.#nowMs += this.#pollMs;
    this.#pollMs = Math.min(2 * this.#pollMs, MAX_POLL_MS);
    this.#tracker?.timePassed();
  }

  /**
   * Until when time can pass, where only gates are ready: until the next timer, where all of them may be held back so long; or until the first
   * of them has to settle, where the answer after it may be slow again and reach a timer.
   */
  #deadlineBeforeGates(): number | undefined {
    if (this.#gates.length < this.#ready.length || this.#strategy === undefined) return undefined;
    const deadlineMs = this.#timers.nextDeadlineMs();
    if (deadlineMs === undefined) return undefined;
    // Where the work of a gate is real, whether a request is under way changes from run to run, and the gate holds time back as long as it must.
    if (!this.#gates.some(({ isReal }) => isReal) && !this.#owner.mayPassTime()) return undefined;
    let latestMs = Number.POSITIVE_INFINITY;
    for (const gate of this.#gates) latestMs = Math.min(latestMs, gate.latestMs);
    if (deadlineMs <= latestMs) return deadlineMs;
    const isWithinReach = deadlineMs - this.#nowMs <= this.#farthestMs && latestMs - this.#nowMs <= this.#spareMs;
    return isWithinReach && latestMs > this.#nowMs ? latestMs : undefined;
  }

  /** A gate, or undefined when time has passed in its place. */
  #takeGateOrClock(strategy: Strategy | undefined, deadlineMs: number): Handle | undefined {
    if (strategy === undefined) return this.#takeReady();
    const gates = this.#ready.list();
    const index = this.#ask(strategy, listedDecision("next", this.#progress, [...gates, clockTo(deadlineMs)], this.#tracker));
    if (index < gates.length) return this.#ready.take(index);
    if (deadlineMs !== this.#timers.nextDeadlineMs()) this.#spareMs -= deadlineMs - this.#nowMs;
    this.#nowMs = deadlineMs;
    this.#tracker?.timePassed();
    return undefined;
  }

  /** `taken`, with the gates that settle together with it where it is one. Which of them fail is decided when all of them are known. */
  #batched(taken: Handle): Handle {
    if (taken.kind !== "gate") return taken;
    const first = this.#noteTaken(taken);
    const others: Gate[] = [];
    while (this.#strategy !== undefined && first !== undefined && this.#gates.length > 0 && others.length + 1 < this.#maxBatch) {
      const index = this.#ask(this.#strategy, listedDecision("batch", this.#progress, [SETTLE, ...this.#gates], this.#tracker));
      const joins = this.#gates[index - 1];
      if (joins === undefined) break;
      this.#ready.take(this.#ready.list().indexOf(joins));
      this.#noteTaken(joins);
      others.push(joins);
    }
    if (first !== undefined) this.#decideFault(first);
    if (first === undefined || others.length === 0) return taken;
    for (const gate of others) this.#decideFault(gate);
    const batch = new GateBatch(first, others);
    this.#tracker?.joined(batch, batch.gates);
    return batch;
  }

  #decideFault(gate: Gate): void {
    if (!gate.mayFail || this.#strategy === undefined) return;
    if (this.#ask(this.#strategy, faultDecision(this.#progress, gate, this.#tracker)) === 0) return;
    this.#tracker?.fails(gate);
    gate.failInstead();
  }

  /** `taken` is open no more, if it is a gate. */
  #noteTaken(taken: Handle): Gate | undefined {
    const gate = this.#gates.find((open) => open === taken);
    if (gate === undefined) return undefined;
    this.#gates = this.#gates.filter((open) => open !== gate);
    this.#slowestIoMs = Math.max(this.#slowestIoMs, this.#nowMs - gate.openedMs);
    return gate;
  }

  get #progress(): { readonly steps: number; readonly nowMs: number } {
    return { steps: this.#steps, nowMs: this.#nowMs };
  }

  /** What is cancelled is no alternative, and the next of its line is ready in the place of one that is. */
  #dropCancelled(): void {
    this.#hasCancelledHandle = false;
    this.#ready.dropCancelled();
    if (this.#lines === undefined) return;
    for (const line of [this.#lines.program, this.#lines.native, this.#lines.immediates]) line.noteDropped();
  }

  #hasCancelledTimer(): boolean {
    return this.#lines?.program.first?.cancelled() === true;
  }

  #decide(strategy: Strategy): number {
    return this.#ask(strategy, (this.#decision ??= new OpenDecision(this, this.#ready, this.#tracker)));
  }

  #ask(strategy: Strategy, decision: Decision): number {
    const { count } = decision;
    const index = strategy.pick(decision);
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new UsageError(`strategy ${strategy.name}: picked ${index} of ${count} ready tasks`);
    }
    return index;
  }
}
