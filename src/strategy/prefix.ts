/**
 * A recorded schedule as a beginning: followed by names as far as it applies to a program that may have been edited since, and continued by
 * another strategy. `replay.ts` holds a program to its schedule to the letter; here nothing that the program does is an error.
 *
 * What runs, in this order:
 * 1. of the recorded steps that are ready, the one that stands first, if it is the next one or was passed over;
 * 2. what stands in for the next one: the same step of a task with another name;
 * 3. steps that the schedule does not know, a few of them: they may be what makes the next one ready;
 * 4. a recorded step from further on; those before it still run first if they come after all;
 * 5. where nothing that is ready was recorded, what the strategy picks.
 *
 * So once all recorded steps have run, every decision is the strategy's. A step that nobody decides about never passes over others: a main that
 * got a step more than it had comes to its recorded end before anything else has begun.
 */
import { isSameReadyTask, type RecordedDecision, type Schedule } from "../schedule/schedule.js";
import type { Alternative, Decision, ReadyTask, RunResult, StepRecord, Strategy } from "../schedule/strategy.js";
import { fair } from "./fair.js";
import { strategyNamed } from "./named.js";
import { RecordedOrder } from "./recorded-order.js";
import { nameReadyTask } from "./recording.js";

/** So many steps that the schedule does not know run while one that it wants next is not ready. */
const PATIENCE = 50;

/** How far a run followed its schedule. */
export interface PrefixReport {
  /** Decisions of the schedule. */
  readonly recorded: number;
  /** How many of them were made again. */
  readonly followed: number;
  /** The first step at which something else was ready, or ran, than was recorded; undefined where there is none. */
  readonly left: PrefixDeparture | undefined;
  /** Recorded steps that have not run. */
  readonly missing: readonly ReadyTask[];
  /** How many steps that the schedule does not know have run while some of its own had not. */
  readonly added: number;
  /** Tasks that stand under a new name for recorded ones. */
  readonly renamed: readonly { readonly recorded: string; readonly now: string }[];
  /** Number of the step that the strategy decided first, and from which on nothing was recorded any more; undefined where there was none. */
  readonly handedOverAt: number | undefined;
}

/** Where a run left its schedule. */
export interface PrefixDeparture {
  /** Number of the step, counted from 1. */
  readonly step: number;
  readonly recorded: RecordedDecision;
  /** What was ready. */
  readonly now: readonly ReadyTask[];
  /** Which of them ran. */
  readonly ran: ReadyTask;
}

export interface PrefixOptions {
  /**
   * Whether what the schedule does not know runs before what it knows. Where an edit put a new wait in front of racing steps, these have to
   * come to where they raced before the order among them can be that of the schedule. Default false: only where the next one is not ready.
   */
  readonly newcomersFirst?: boolean;
}

/** A strategy that begins with a recorded schedule. */
export interface PrefixStrategy extends Strategy {
  /** Of the latest run. */
  readonly report: PrefixReport;
}

/**
 * Makes the decisions of `schedule` as far as they apply to the program, and then those of `strategy`, a strategy or the name of one (with
 * the seed of the schedule). Each run of an exploration begins with the schedule, and the strategy makes it another one behind that. For
 * fewer decisions, hand over fewer: `{ ...schedule, decisions: schedule.decisions.slice(0, 20) }`.
 *
 * Tasks and steps are found by their names, so tasks that were given names survive an edit best. The library's own handles run before each
 * decision (`"eager"`), whatever the schedule says.
 *
 * Throws BadInputError for a name that no strategy has.
 *
 * @example
 * const schedule = decodeSchedule(token);
 * const strategy = followingThen(schedule, "random");
 * const outcome = await explore(editedScenario, { strategy, seed: schedule.seed, ioLatencyMs: schedule.ioLatencyMs });
 * strategy.report.left; // where the edit shows first
 * @since 0.2.0
 */
export function followingThen(
  schedule: Schedule,
  strategy: string | Strategy,
  { newcomersFirst = false }: PrefixOptions = {},
): PrefixStrategy {
  return new Prefix(schedule, fair(typeof strategy === "string" ? strategyNamed(strategy, schedule.seed) : strategy), newcomersFirst);
}

class Prefix implements PrefixStrategy {
  readonly name: string;
  /** The schedule comes to an end, and what follows is fair. */
  readonly isFair = true;
  /** What the schedule decides is never decided otherwise. */
  readonly leavesOut = true;
  readonly #order: RecordedOrder;
  readonly #strategy: Strategy;
  /** In asyncio's own order nothing was decided, so what else was ready is not known. */
  readonly #knowsReady: boolean;
  /** Names for whose steps it has waited in vain. */
  readonly #givenUp = new Set<string>();
  readonly #newcomersFirst: boolean;
  #waiting = { place: 0, steps: 0 };
  #isDecided = false;
  #left: PrefixDeparture | undefined = undefined;
  #added = 0;
  #handedOverAt: number | undefined = undefined;

  constructor({ decisions, housekeeping }: Schedule, strategy: Strategy, newcomersFirst: boolean) {
    this.#newcomersFirst = newcomersFirst;
    this.name = `replay+${strategy.name}`;
    this.#order = new RecordedOrder(decisions);
    this.#strategy = strategy;
    this.#knowsReady = housekeeping === "eager";
  }

  get tracks(): boolean {
    return this.#strategy.tracks ?? false;
  }

  get isSystematic(): boolean {
    return this.#strategy.isSystematic ?? false;
  }

  get remaining(): number | undefined {
    return this.#strategy.remaining;
  }

  get report(): PrefixReport {
    const { length, taken, outstanding, renamed } = this.#order;
    return {
      recorded: length,
      followed: taken,
      left: this.#left,
      missing: outstanding,
      added: this.#added,
      renamed,
      handedOverAt: this.#handedOverAt,
    };
  }

  begin(run: number): boolean {
    this.#order.begin();
    this.#givenUp.clear();
    this.#waiting = { place: 0, steps: 0 };
    this.#isDecided = false;
    this.#left = undefined;
    this.#added = 0;
    this.#handedOverAt = undefined;
    return this.#strategy.begin(run);
  }

  pick(decision: Decision): number {
    const index = this.#pick(decision);
    this.#isDecided = decision.ready[index]?.kind !== "clock"; // no step: what runs next was not decided by it
    return index;
  }

  observe(step: StepRecord): void {
    if (!this.#isDecided) this.#noteForced(step, step.step);
    this.#isDecided = false;
    this.#strategy.observe?.(step);
  }

  end(result: RunResult): void {
    this.#strategy.end?.(result);
  }

  #pick(decision: Decision): number {
    switch (decision.kind) {
      case "batch":
        return this.#pickOfBatch(decision);
      case "fault":
        return this.#pickOfFault(decision);
      default:
        return this.#pickNext(decision);
    }
  }

  /** A gate fails where it did. */
  #pickOfFault(decision: Decision): number {
    const { ready, step } = decision;
    const [gate] = ready as readonly [Alternative, Alternative]; // of which it is asked whether it fails
    if (!this.#isDecided) this.#noteForced(gate, step);
    const place = this.#order.placeOfFault(gate);
    if (place === undefined) return this.#order.isOver ? this.#handOver(decision) : 0;
    return this.#take(place, step, ready, this.#order.indexAt(place));
  }

  /** A gate joins where it did; otherwise the batch is complete, which is always its first alternative. */
  #pickOfBatch(decision: Decision): number {
    const { nextStep, isOver } = this.#order;
    if (isOver) return this.#handOver(decision);
    const index = nextStep?.isOfBatch === true ? decision.ready.findIndex((alternative) => isSameReadyTask(alternative, nextStep)) : -1;
    return index < 0 ? 0 : this.#take(this.#order.next, decision.step, decision.ready, index);
  }

  #pickNext(decision: Decision): number {
    const order = this.#order;
    const { ready, step } = decision;
    order.leaveBatch();
    if (order.isOver) return this.#handOver(decision);
    order.see(ready);
    const first = this.#firstRecorded(ready);
    if (this.#newcomersFirst) {
      const newcomer = this.#newcomerIn(ready);
      if (newcomer >= 0) return this.#add(step, ready, newcomer);
    }
    if (first !== undefined && first.place <= order.next) return this.#take(first.place, step, ready, first.index);
    const standIn = order.standIn(ready);
    if (standIn >= 0) return this.#take(order.next, step, ready, standIn);
    const newcomer = this.#newcomerIn(ready);
    if (newcomer >= 0) return this.#add(step, ready, newcomer);
    if (first === undefined) return this.#add(step, ready, this.#handOver(decision));
    this.#leave(step, ready, first.index);
    order.passOver(first.place);
    return this.#take(first.place, step, ready, first.index);
  }

  /** Where a step stands that the schedule does not know and that may run in the place of the next one; negative for none. */
  #newcomerIn(ready: readonly Alternative[]): number {
    const index = ready.findIndex((alternative) => this.#isNew(alternative));
    return index >= 0 && this.#isWorthWaiting() ? index : -1;
  }

  #isNew(alternative: Alternative): boolean {
    return alternative.kind !== "clock" && this.#order.placeOf(alternative) === undefined;
  }

  #handOver(decision: Decision): number {
    this.#handedOverAt ??= decision.step;
    return this.#strategy.pick(decision);
  }

  /** Of the steps of the schedule that are ready and have not run, the one that stands first in it. */
  #firstRecorded(ready: readonly Alternative[]): { readonly place: number; readonly index: number } | undefined {
    const recorded = this.#order.nextDecision;
    // Where two have the same name, only the list as a whole tells them apart.
    if (recorded !== undefined && isSameList(recorded.ready, ready)) return { place: this.#order.next, index: recorded.index };
    let first: { readonly place: number; readonly index: number } | undefined;
    ready.forEach((alternative, index) => {
      const place = this.#order.placeOf(alternative);
      if (place !== undefined && (first === undefined || place < first.place)) first = { place, index };
    });
    return first;
  }

  /** Whether one more step that was not recorded may run in the place of the next one. */
  #isWorthWaiting(): boolean {
    const { next, nextStep } = this.#order;
    if (nextStep === undefined || this.#givenUp.has(nextStep.name)) return false;
    if (this.#waiting.place !== next) this.#waiting = { place: next, steps: 0 };
    if (++this.#waiting.steps <= PATIENCE) return true;
    this.#givenUp.add(nextStep.name);
    return false;
  }

  /** A step that nobody decided about. */
  #noteForced(step: ReadyTask, number: number): void {
    const order = this.#order;
    order.leaveBatch();
    if (order.isOver) return;
    order.see([step]);
    const ready = [nameReadyTask(step)];
    const place = order.placeOf(step) ?? (order.standIn(ready) === 0 ? order.next : undefined);
    if (place === undefined) this.#add(number, ready, 0);
    else this.#take(place, number, ready, 0);
  }

  /** Takes `ready[index]` for the recorded step at `place`. */
  #take(place: number, step: number, ready: readonly ReadyTask[], index: number): number {
    const { next, nextDecision } = this.#order;
    const isSame = place === next && nextDecision !== undefined && this.#isAsRecorded(nextDecision, ready, index);
    if (!isSame) this.#leave(step, ready, index);
    this.#order.take(place, ready[index]?.name ?? "");
    this.#handedOverAt = undefined;
    return index;
  }

  /** Takes `ready[index]`, which the schedule does not know. That time passes is no step. */
  #add(step: number, ready: readonly Alternative[], index: number): number {
    this.#leave(step, ready, index);
    if (ready[index]?.kind !== "clock") this.#added++;
    return index;
  }

  #isAsRecorded(recorded: RecordedDecision, ready: readonly ReadyTask[], index: number): boolean {
    if (this.#knowsReady) return isSameList(recorded.ready, ready);
    const ran = ready[index];
    return ran !== undefined && isSameReadyTask(ran, recorded.ready[recorded.index]);
  }

  #leave(step: number, ready: readonly ReadyTask[], index: number): void {
    const recorded = this.#order.nextDecision;
    const ran = ready[index];
    if (this.#left !== undefined || recorded === undefined || ran === undefined) return;
    this.#left = { step, recorded, now: ready.map(nameReadyTask), ran: nameReadyTask(ran) };
  }
}

function isSameList(recorded: readonly ReadyTask[], now: readonly ReadyTask[]): boolean {
  return recorded.length === now.length && recorded.every((task, place) => isSameReadyTask(task, now[place]));
}
