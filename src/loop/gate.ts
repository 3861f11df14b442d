/**
 * I/O gates: native promises that the scheduler settles. A gate stands for the completion of something outside: until it is settled it is
 * an alternative of every decision, and the clock passes it by its latency bound at most.
 */
import { faultOf } from "../schedule/schedule.js";
import type { AlternativeKind } from "../schedule/strategy.js";
import { Handle } from "./handle.js";
import type { Task } from "./task.js";

/** What a gate stands for, and does in its step. */
export interface GateBody {
  /** Settles it with its result. */
  settle(): void;
  /** Settles it with its fault, where it has one. */
  fail?(): void;
  /** Whether it has a fault. Default false. */
  readonly mayFail?: boolean;
  /** Whether it stands for real work, done or not. Default false. */
  readonly isReal?: boolean;
  /** Whether the real work is not done yet: until it is, the gate cannot settle. Default false. */
  readonly isUnderWay?: boolean;
}

/** An open gate. Its step settles the promise, and runs everything that waited for it. */
export class Gate extends Handle {
  readonly name: string;
  readonly #occurrence: string;
  #isFaulty = false;
  /** Virtual time until which it may be held back. */
  readonly latestMs: number;
  readonly openedMs: number;
  /** Where in the program it was opened; only looked for in runs that are followed closely. */
  site: string | undefined = undefined;
  readonly #opener: Task | undefined;
  readonly #body: GateBody;

  /** @internal Use `loop.openGate`. */
  constructor(label: string, occurrence: number, openedMs: number, maxMs: number, opener: Task | undefined, body: GateBody) {
    super();
    this.name = label;
    this.#occurrence = String(occurrence);
    this.openedMs = openedMs;
    this.latestMs = openedMs + maxMs;
    this.#opener = opener;
    this.#body = body;
  }

  /** `2`, the second of its label, or `2!` once it is known that it fails. */
  get operation(): string {
    return this.#isFaulty ? faultOf({ name: "", operation: this.#occurrence }).operation : this.#occurrence;
  }

  /** Who opened it: what goes on there is most often its task's. */
  override get task(): Task | undefined {
    return this.#opener;
  }

  override get kind(): AlternativeKind {
    return "gate";
  }

  /** A gate is a chain of its own, whoever opened it. */
  override get chain(): object {
    return this;
  }

  /** Whether it has a fault to settle with. */
  get mayFail(): boolean {
    return this.#body.mayFail === true;
  }

  /** Whether it stands for real work, done or not. */
  get isReal(): boolean {
    return this.#body.isReal === true;
  }

  override get isUnderWay(): boolean {
    return this.#body.isUnderWay === true;
  }

  /** It settles with its fault, which it must have. */
  failInstead(): void {
    this.#isFaulty = true;
  }

  run(): void {
    if (this.#isFaulty) this.#body.fail?.();
    else this.#body.settle();
  }
}

/** Gates that settle in one step, before anything that waits for them goes on: one read from a socket can answer several requests. */
export class GateBatch extends Handle {
  readonly gates: readonly Gate[];
  readonly #first: Gate;

  constructor(first: Gate, others: readonly Gate[]) {
    super();
    this.#first = first;
    this.gates = [first, ...others];
  }

  get name(): string {
    return this.#first.name;
  }

  /** `1+load@2`: the first, and what settles with it. */
  get operation(): string {
    return this.gates.map((gate) => (gate === this.#first ? gate.operation : `${gate.name}@${gate.operation}`)).join("+");
  }

  override get task(): Task | undefined {
    return this.#first.task;
  }

  override get kind(): AlternativeKind {
    return "gate";
  }

  override get chain(): object {
    return this.#first;
  }

  override get isUnderWay(): boolean {
    return this.gates.some((gate) => gate.isUnderWay);
  }

  /** Each of them settles, also behind one that calls something of the program that throws. */
  run(): void {
    const thrown: unknown[] = [];
    for (const gate of this.gates) {
      try {
        gate.run();
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0]; // passed on unchanged, whatever it is
  }
}
