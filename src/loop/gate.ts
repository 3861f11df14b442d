/**
 * I/O gates: native promises that the scheduler settles. A gate stands for the completion of something outside: until it is settled it is
 * an alternative of every decision, and the clock passes it by its latency bound at most.
 */
import type { AlternativeKind } from "../schedule/strategy.js";
import { Handle } from "./handle.js";
import type { Task } from "./task.js";

/** An open gate. Its step settles the promise, and runs everything that waited for it. */
export class Gate extends Handle {
  readonly name: string;
  readonly operation: string;
  /** Virtual time until which it may be held back. */
  readonly latestMs: number;
  readonly openedMs: number;
  /** Where in the program it was opened; only looked for in runs that are followed closely. */
  site: string | undefined = undefined;
  readonly #opener: Task | undefined;
  readonly #settle: () => void;

  /** @internal Use `loop.openGate`. */
  constructor(label: string, occurrence: number, openedMs: number, maxMs: number, opener: Task | undefined, settle: () => void) {
    super();
    this.name = label;
    this.operation = String(occurrence);
    this.openedMs = openedMs;
    this.latestMs = openedMs + maxMs;
    this.#opener = opener;
    this.#settle = settle;
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

  run(): void {
    this.#settle();
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

  run(): void {
    for (const gate of this.gates) gate.run();
  }
}
