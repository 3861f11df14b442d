/**
 * Invariants of a scenario: what must hold after every step.
 */
import { HeddleError, requireFunction, UsageError } from "../errors/errors.js";
import { isThenable } from "./thenable.js";
import type { Tracker } from "./tracker.js";

/** An invariant of a scenario answered false. */
export class InvariantError extends HeddleError {
  constructor(name: string) {
    super("HEDDLE_INVARIANT", `invariant${name === "" ? "" : ` ${name}`} does not hold after this step.`);
  }

  static {
    this.prototype.name = "InvariantError";
  }
}

export class StepInvariants {
  readonly #tracker: Tracker | undefined;
  readonly #invariants: (() => unknown)[] = [];

  constructor(tracker: Tracker | undefined) {
    this.#tracker = tracker;
  }

  /** Throws UsageError for what is no function. */
  add(holds: () => unknown): void {
    requireFunction(holds, "invariant");
    this.#invariants.push(holds);
  }

  /** What the first one that does not hold has thrown; undefined while all hold. */
  findBroken(): { readonly error: unknown } | undefined {
    for (const holds of this.#invariants) {
      try {
        const answer = this.#tracker === undefined ? holds() : this.#tracker.watch(holds);
        if (isThenable(answer)) throw new UsageError("invariant: must answer at once, and not with a promise: no step may come in between");
        if (answer === false) return { error: new InvariantError(holds.name) };
      } catch (error) {
        return { error };
      }
    }
    return undefined;
  }
}
