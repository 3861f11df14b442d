/**
 * The steps of a schedule in their order, and which of them a run of a program, maybe another one by now, has made: the bookkeeping of
 * `prefix.ts`.
 *
 * A step is known by its name and operation. A task that was renamed is known by its new name from the first of its steps on that stands in
 * for a recorded one; who turns up after all under the old name gets it back.
 */
import { formatReadyTask, isFault, type RecordedDecision } from "../schedule/schedule.js";
import type { Alternative, ReadyTask } from "../schedule/strategy.js";
import { nameReadyTask } from "./recording.js";

/** What became of a recorded step: it may still come; it was made; or, the end of a batch or whether a gate fails, it has no meaning any more. */
const OUTSTANDING = 0;
const TAKEN = 1;
const VOID = 2;

/** What was taken in a recorded decision. */
export interface RecordedStep extends ReadyTask {
  /** Whether it is about which gate joins a batch. That is no step of its own. */
  readonly isOfBatch: boolean;
  /** Whether it says that no more gates join. */
  readonly isEndOfBatch: boolean;
  /** Whether it is about a gate that may fail, which stands before it. That is no step of its own, either. */
  readonly isOfFault: boolean;
}

export class RecordedOrder {
  readonly #decisions: readonly RecordedDecision[];
  readonly #steps: readonly RecordedStep[];
  /** Where each of them stands, in order; more than one place where things have the same name. */
  readonly #places = new Map<string, number[]>();
  /** Where it stands whether a gate fails, by the gate. */
  readonly #faults = new Map<string, number[]>();
  readonly #names = new Set<string>();
  readonly #states: Uint8Array;
  /** The names of this run, and for those that are new and stand for a recorded one, which. */
  readonly #seen = new Set<string>();
  readonly #recordedNames = new Map<string, string>();
  /** The places that were taken by steps under a new name, and that name. */
  readonly #takenAs = new Map<number, string>();
  /** The gates that were taken, of which it may be asked whether they fail until the next step is decided. */
  #gates: string[] = [];
  #next = 0;
  #taken = 0;
  #voided = 0;

  constructor(decisions: readonly RecordedDecision[]) {
    this.#decisions = decisions;
    this.#steps = decisions.map(stepOf);
    this.#states = new Uint8Array(decisions.length);
    this.#steps.forEach((step, place) => {
      this.#names.add(step.name);
      const [gate] = decisions[place]?.ready ?? [];
      const map = step.isOfFault ? this.#faults : this.#places;
      const key = formatReadyTask(step.isOfFault && gate !== undefined ? gate : step);
      const places = map.get(key);
      if (places === undefined) map.set(key, [place]);
      else places.push(place);
    });
  }

  /** Makes everything outstanding, for another run. */
  begin(): void {
    this.#states.fill(OUTSTANDING);
    this.#seen.clear();
    this.#recordedNames.clear();
    this.#takenAs.clear();
    this.#gates = [];
    this.#next = 0;
    this.#taken = 0;
    this.#voided = 0;
  }

  /** The place of the step that is wanted next. Some before it may be outstanding, and come after all. */
  get next(): number {
    return this.#next;
  }

  /** Undefined where nothing is wanted but what was passed over. */
  get nextStep(): RecordedStep | undefined {
    return this.#steps[this.#next];
  }

  get nextDecision(): RecordedDecision | undefined {
    return this.#decisions[this.#next];
  }

  /** Whether nothing is outstanding. */
  get isOver(): boolean {
    return this.#taken + this.#voided === this.#steps.length;
  }

  get length(): number {
    return this.#steps.length;
  }

  get taken(): number {
    return this.#taken;
  }

  get outstanding(): readonly ReadyTask[] {
    return this.#steps.filter((_, place) => this.#states[place] === OUTSTANDING).map(nameReadyTask);
  }

  get renamed(): readonly { readonly recorded: string; readonly now: string }[] {
    return [...this.#recordedNames].map(([now, recorded]) => ({ recorded, now }));
  }

  /** What is decided about a batch and its faults applies inside of it alone; gates that were to join may still come one by one. */
  leaveBatch(): void {
    for (const gate of this.#gates) for (const place of this.#faults.get(gate) ?? []) this.#void(place);
    this.#gates = [];
    let place = this.#next;
    while (this.#steps[place]?.isOfBatch === true || this.#steps[place]?.isOfFault === true) place++;
    if (place > this.#next) this.passOver(place);
  }

  /** Where it stands whether `gate` fails; undefined where the schedule does not say so. */
  placeOfFault({ name, operation }: ReadyTask): number | undefined {
    const places = this.#faults.get(formatReadyTask({ name: this.#recordedNames.get(name) ?? name, operation }));
    return places?.find((place) => this.#states[place] === OUTSTANDING);
  }

  /** The index that was taken in the decision at `place`. */
  indexAt(place: number): number {
    return this.#decisions[place]?.index ?? 0;
  }

  /** Takes notice of the names of what is ready, or ran. */
  see(tasks: readonly ReadyTask[]): void {
    for (const { name } of tasks) {
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      for (const [now, recorded] of this.#recordedNames) if (recorded === name) this.#takeBack(now);
    }
  }

  /** The steps that `now` has run were not those that were recorded. */
  #takeBack(now: string): void {
    this.#recordedNames.delete(now);
    for (const [place, name] of this.#takenAs) {
      if (name !== now) continue;
      this.#takenAs.delete(place);
      this.#states[place] = OUTSTANDING;
      this.#taken--;
      const gate = this.#steps[place];
      if (gate !== undefined) for (const fault of this.#faults.get(formatReadyTask(gate)) ?? []) this.#unvoid(fault);
    }
  }

  /** Where the step of `task` stands that is outstanding; undefined where the schedule does not know it. */
  placeOf({ name, operation }: ReadyTask): number | undefined {
    const recorded = this.#recordedNames.get(name) ?? name;
    const places = this.#places.get(formatReadyTask({ name: recorded, operation }));
    return places?.find((place) => this.#states[place] === OUTSTANDING);
  }

  /**
   * Index in `ready` of what stands in for the next step, which is not among them: that time passes to another deadline, or the same step of
   * a task with a new name, where the old one was not seen in this run.
   */
  standIn(ready: readonly Alternative[]): number {
    const { nextStep } = this;
    if (nextStep === undefined) return -1;
    const isRenamed = !this.#seen.has(nextStep.name) && ![...this.#recordedNames.values()].includes(nextStep.name);
    const index = ready.findIndex(({ kind, name, operation }) => {
      if (kind === "clock") return nextStep.name === name;
      return isRenamed && operation === nextStep.operation && !this.#names.has(name) && !this.#recordedNames.has(name);
    });
    const found = ready[index];
    if (found !== undefined && found.kind !== "clock") this.#recordedNames.set(found.name, nextStep.name);
    return index;
  }

  /** The step at `place` is run by a step of `name`. */
  take(place: number, name: string): void {
    this.#states[place] = TAKEN;
    this.#taken++;
    if (this.#recordedNames.has(name)) this.#takenAs.set(place, name);
    const step = this.#steps[place];
    if (step !== undefined && this.#faults.size > 0 && !step.isOfFault) this.#gates.push(formatReadyTask(step));
    while (this.#next < this.#steps.length && this.#states[this.#next] !== OUTSTANDING) this.#next++;
  }

  /** Wants nothing before `place` any more. */
  passOver(place: number): void {
    for (; this.#next < place; this.#next++) if (this.#steps[this.#next]?.isEndOfBatch === true) this.#void(this.#next);
  }

  #unvoid(place: number): void {
    if (this.#states[place] !== VOID) return;
    this.#states[place] = OUTSTANDING;
    this.#voided--;
  }

  #void(place: number): void {
    if (this.#states[place] !== OUTSTANDING) return;
    this.#states[place] = VOID;
    this.#voided++;
  }
}

function stepOf({ ready, index }: RecordedDecision): RecordedStep {
  const { name, operation } = ready[index] ?? { name: "", operation: "" };
  const isOfBatch = isSettle(ready[0]);
  return { name, operation, isOfBatch, isEndOfBatch: isOfBatch && index === 0, isOfFault: isFault(ready[1]) };
}

/** The first alternative of each decision about a batch, and of no other: operations of steps are never empty. */
function isSettle(task: ReadyTask | undefined): boolean {
  return task?.name === "settle" && task.operation === "";
}
