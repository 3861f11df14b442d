/**
 * Delay-bounded search (Emmi, Qadeer, Rakamaric: "Delay-Bounded Scheduling", POPL 2011): every schedule that differs from the order of
 * arrival by a few delays, the fewest first. Left alone, what became ready first runs first; to take the alternative at index i delays the i
 * before it once each. All schedules without a delay come first (there is one), then all with 1, and so on; each comes once.
 *
 * A schedule is its deviations, the last of which has only the order of arrival behind it. So each schedule with n delays but the one without
 * any comes from exactly one with fewer, by one deviation more behind its last one, and the search goes through those that were made to find
 * the next. What it remembers are the schedules that had fewer delays than the bound, which are few beside those that have as many: of 1,000,000
 * runs with 2 delays about 1,400.
 */
import { UsageError } from "../errors/errors.js";
import type { Decision, Strategy } from "../schedule/strategy.js";
import { describeDecision, nondeterminism } from "./nondeterminism.js";
import type { DivergenceError } from "./replay.js";

export interface DelayBoundedOptions {
  /** How many delays a run may have. Default 2. */
  readonly delays?: number;
}

/**
 * Takes every schedule with at most `delays` delays exactly once, those with fewer first, and ends.
 *
 * Throws UsageError when `delays` is not a whole number, 0 or more. A program that has other decisions to make after the same ones as before
 * is stopped with a DivergenceError, as far as that is noticed; the search ends there, and says that it left something out.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: delayBounded({ delays: 3 }), runs: 1_000_000 });
 * @since 0.2.0
 */
export function delayBounded({ delays }: DelayBoundedOptions = {}): Strategy {
  if (delays !== undefined && (!Number.isSafeInteger(delays) || delays < 0)) {
    throw new UsageError(`delayBounded: delays must be a whole number, 0 or more, not ${String(delays)}`);
  }
  return new DelayBounded(delays === undefined ? "delay" : `delay:${delays}`, delays ?? 2);
}

/** A schedule that was made, as its last deviation and what it is a deviation of. */
interface Made {
  readonly from: Made | undefined;
  readonly delays: number;
  /** Number of the decision at which it deviates for the last time; -1 where it does not deviate. */
  readonly depth: number;
  /** What was taken there, of how many, at which step. */
  readonly index: number;
  readonly count: number;
  readonly step: number;
  /** At 0, the number of the last decision behind the deviation at which 1 delay more can be made; at 1, that for 2 more in one; and so on. */
  readonly lastFor: number[];
}

class DelayBounded implements Strategy {
  readonly name: string;
  readonly isSystematic = true;
  /** What is left behind by the last of its few delays runs in its turn. */
  readonly isFair = true;
  readonly #bound: number;
  /** All that have fewer delays than the bound and can have more, those with fewer first. */
  #made: Made[] = [];
  /** How many schedules are known to have 0, 1, 2 delays and so on; for a number of delays all are, once those with fewer were made. */
  #known: number[] = [];
  /** How many delays the schedules have that are made now, and how many of them were begun. */
  #delays = 0;
  #begun = 0;
  /** What is deviated from now: its place in `#made`, its deviations, and the first decision at which the next deviation may be. */
  #base = 0;
  #deviations: readonly Made[] = [];
  #nextDepth = 0;
  /** The run: decisions so far, the step of the latest, deviations so far, delays that the new deviation is still to make, and the schedule that it becomes. */
  #depth = 0;
  #step = 0;
  #deviated = 0;
  #toDelay = 0;
  #current: Made | undefined = undefined;
  #isOver = false;
  #isCut = false;
  #divergence: DivergenceError | undefined = undefined;

  constructor(name: string, bound: number) {
    this.name = name;
    this.#bound = bound;
  }

  get leavesOut(): boolean {
    return this.#isCut || this.#divergence !== undefined;
  }

  /** Those that are known of: fewer than there are, and all of them once only schedules with as many delays as the bound are left. */
  get remaining(): number | undefined {
    if (this.#divergence !== undefined || this.#known.length === 0) return undefined;
    let known = -this.#begun;
    for (let delays = this.#delays; delays < this.#known.length; delays++) known += this.#known[delays] ?? 0;
    return Math.max(0, known);
  }

  begin(run: number): boolean {
    if (run === 0 || this.#current === undefined) this.#reset();
    else if (!this.#turn(this.#current)) return false;
    this.#begun++;
    this.#depth = 0;
    this.#step = 0;
    this.#deviated = 0;
    return true;
  }

  pick(decision: Decision): number {
    if (this.#divergence !== undefined) throw this.#divergence;
    const depth = this.#depth++;
    const { step, count } = decision;
    this.#step = step;
    if (this.#deviated < this.#deviations.length) return this.#deviateAgain(depth, decision);
    if (this.#toDelay > 0) {
      if (depth < this.#nextDepth || count <= this.#toDelay) return 0;
      const from = this.#made[this.#base];
      this.#current = { from, delays: this.#delays, depth, index: this.#toDelay, count, step, lastFor: [] };
      this.#nextDepth = depth + 1;
      this.#toDelay = 0;
      return this.#current.index;
    }
    this.#noteTail(depth, count);
    return 0;
  }

  #reset(): void {
    this.#made = [];
    this.#known = [1];
    this.#delays = 0;
    this.#begun = 0;
    this.#deviations = [];
    this.#toDelay = 0;
    this.#current = { from: undefined, delays: 0, depth: -1, index: 0, count: 0, step: 0, lastFor: [] };
    this.#isOver = false;
    this.#isCut = false;
    this.#divergence = undefined;
  }

  /** A decision of what the schedule is a deviation of. */
  #deviateAgain(depth: number, decision: Decision): number {
    const made = this.#deviations[this.#deviated];
    if (made === undefined || depth < made.depth) return 0;
    if (made.count !== decision.count || made.step !== decision.step) throw this.#diverge(made, decision.step, describeDecision(decision));
    this.#deviated++;
    return made.index;
  }

  /** A decision behind the last deviation. */
  #noteTail(depth: number, count: number): void {
    const room = this.#bound - this.#delays;
    if (count - 1 > room) this.#isCut = true;
    for (let more = Math.min(room, count - 1); more > 0; more--) {
      this.#known[this.#delays + more] = (this.#known[this.#delays + more] ?? 0) + 1;
      if (this.#current !== undefined) this.#current.lastFor[more - 1] = depth;
    }
  }

  /** Turns to the next schedule; answers false when there is none. */
  #turn(current: Made): boolean {
    if (this.#isOver || this.#divergence !== undefined) return false;
    if (this.#toDelay > 0 || this.#deviated < this.#deviations.length) {
      // Whoever begins a run is not prepared for an error, so it is the next run that ends with this, at its first decision.
      this.#diverge(this.#deviations[this.#deviated], this.#step + 1, "the end of the run");
      return true;
    }
    if (current.lastFor.length > 0) this.#made.push(current);
    for (;;) {
      const base = this.#made[this.#base];
      if (base === undefined || base.delays === this.#delays) {
        if (!this.#raise()) return false;
        continue;
      }
      this.#toDelay = this.#delays - base.delays;
      if (this.#nextDepth <= (base.lastFor[this.#toDelay - 1] ?? -1)) return true;
      this.#open(this.#base + 1);
    }
  }

  /** Goes over to the schedules with one delay more; answers false when there are none, or they are beyond the bound. */
  #raise(): boolean {
    this.#isOver = this.#delays === this.#bound || this.#known[this.#delays + 1] === undefined;
    if (this.#isOver) return false;
    this.#delays++;
    this.#begun = 0;
    this.#open(0);
    return true;
  }

  #open(base: number): void {
    this.#base = base;
    const deviations: Made[] = [];
    for (let made = this.#made[base]; made?.from !== undefined; made = made.from) deviations.push(made);
    this.#deviations = deviations.reverse();
    this.#nextDepth = (deviations.at(-1)?.depth ?? -1) + 1;
  }

  #diverge(made: Made | undefined, step: number, now: string): DivergenceError {
    const before = made === undefined ? "a further decision" : `${made.count} ready at step ${made.step}`;
    return (this.#divergence = nondeterminism(made?.step ?? step, before, now));
  }
}
