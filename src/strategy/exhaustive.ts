/**
 * Every schedule once, depth first: each run makes the decisions of the one before, up to the last that has an alternative left, takes that,
 * and goes on with the first one everywhere. What is remembered is the path of one run, so memory does not grow with the number of runs.
 *
 * A bound on preemptions keeps the search small where most bugs are (Musuvathi, Qadeer: "Iterative Context Bounding for Systematic Testing
 * of Multithreaded Programs", PLDI 2007, the search of CHESS): a preemption leaves a task that could go on although it ran last. Switches
 * where a task waits are free. The paper raises its bound step by step and keeps the prefixes that the next one begins with; here one bound
 * is searched depth first, which needs no more memory than its path.
 *
 * What is left is estimated as in Knuth: "Estimating the Efficiency of Backtrack Programs" (1975), where a leaf stands for as many leaves
 * as one over the probability that uniform picks lead there. The leaves of a depth-first search are no sample, but their probabilities add
 * up to exactly 1 in the end.
 *
 * A decision that is made by somebody else (fair.ts) is none here. That is sound as long as it hangs on the decisions before it alone.
 */
import { UsageError } from "../errors/errors.js";
import type { Alternative, Decision, StepRecord, Strategy } from "../schedule/strategy.js";
import { describeDecision, nondeterminism } from "./nondeterminism.js";
import type { DivergenceError } from "./replay.js";

export interface ExhaustiveOptions {
  /** How many preemptions a run may have. Default: any number. */
  readonly preemptions?: number;
}

/**
 * Takes every schedule exactly once, and ends.
 *
 * Throws UsageError when `preemptions` is not a whole number, 0 or more. A program that has other decisions to make after the same ones as
 * before is stopped with a DivergenceError; the search ends there, and says that it left something out.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: exhaustive(), runs: 1_000_000 });
 * outcome.complete; // whether there are no more schedules than that
 * @since 0.2.0
 */
export function exhaustive({ preemptions }: ExhaustiveOptions = {}): Strategy {
  if (preemptions !== undefined && (!Number.isSafeInteger(preemptions) || preemptions < 0)) {
    throw new UsageError(`exhaustive: preemptions must be a whole number, 0 or more, not ${String(preemptions)}`);
  }
  return new Exhaustive(preemptions);
}

/** A decision on the path, and how far its alternatives were tried: `first`, the one after it and so on, round to the one before it. */
interface Fork {
  readonly step: number;
  readonly count: number;
  readonly first: number;
  /** How many alternatives are within the bound. */
  readonly width: number;
  /** Whether all but the first are preemptions. */
  readonly isPreempting: boolean;
  /** Preemptions before it. */
  readonly spent: number;
  /** How many alternatives have been tried before the one that is taken now. */
  tried: number;
}

class Exhaustive implements Strategy {
  readonly name: string;
  readonly isSystematic = true;
  readonly observe?: NonNullable<Strategy["observe"]>;
  readonly #bound: number | undefined;
  readonly #path: Fork[] = [];
  #depth = 0;
  #runs = 0;
  #isOver = false;
  #isCut = false;
  #divergence: DivergenceError | undefined = undefined;
  /** What ran last, where a bound asks for it. */
  #last: Pick<StepRecord, "name" | "chain"> | undefined = undefined;

  constructor(bound: number | undefined) {
    this.#bound = bound;
    this.name = bound === undefined ? "exhaustive" : `exhaustive:${bound}`;
    // Being told of every step costs about as much as a step, so it is asked for only where a step that nobody decided about counts.
    if (bound !== undefined) {
      this.observe = ({ name, chain }) => {
        this.#last = { name, chain };
      };
    }
  }

  get leavesOut(): boolean {
    return this.#isCut || this.#divergence !== undefined;
  }

  /**
   * Runs that are left if they are like those that were made. The part of the probability that is done only grows, but the estimate may go up
   * as well as down; it is 0 in the last run and not before. Infinity where the part is too small for a number.
   */
  get remaining(): number | undefined {
    if (this.#runs === 0 || this.#divergence !== undefined) return undefined;
    if (this.#isOver) return 0;
    let here = 1;
    let done = 0;
    let isLast = true;
    for (const { width, tried } of this.#path) {
      here /= width;
      done += here * tried;
      if (tried + 1 < width) isLast = false;
    }
    done += here;
    return isLast ? 0 : Math.max(1, Math.round(this.#runs / done - this.#runs));
  }

  begin(run: number): boolean {
    if (run === 0) this.#reset();
    else if (!this.#turn()) return false;
    this.#depth = 0;
    this.#last = undefined;
    this.#runs++;
    return true;
  }

  pick(decision: Decision): number {
    if (this.#divergence !== undefined) throw this.#divergence;
    const { step, count } = decision;
    let fork: Fork | undefined;
    if (this.#depth < this.#path.length) {
      fork = this.#path[this.#depth];
      if (fork?.step !== step || fork.count !== count) throw this.#diverge(fork, step, describeDecision(decision));
    } else {
      const bound = this.#bound;
      fork =
        bound === undefined
          ? { step, count, first: 0, width: count, isPreempting: false, spent: 0, tried: 0 }
          : this.#forkWithin(bound, decision);
      this.#path.push(fork);
    }
    this.#depth++;
    const index = fork.first + fork.tried;
    return index < count ? index : index - count;
  }

  #reset(): void {
    this.#path.length = 0;
    this.#runs = 0;
    this.#isOver = false;
    this.#isCut = false;
    this.#divergence = undefined;
  }

  /** Turns to the next path; answers false when there is none. */
  #turn(): boolean {
    if (this.#divergence !== undefined) return false;
    if (this.#runs > 0 && this.#depth < this.#path.length) {
      // Whoever begins a run is not prepared for an error, so it is the next run that ends with this, at its first decision.
      const fork = this.#path[this.#depth];
      this.#diverge(fork, fork?.step ?? 0, "the end of the run");
      return true;
    }
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      if (++last.tried < last.width) return true;
      this.#path.pop();
    }
    this.#isOver = this.#runs > 0;
    return !this.#isOver;
  }

  #diverge(fork: Fork | undefined, step: number, now: string): DivergenceError {
    return (this.#divergence = nondeterminism(step, `${fork?.count ?? 0} ready at step ${fork?.step ?? 0}`, now));
  }

  /** A decision that is new, under a bound: what goes on comes first, and what is a preemption too many is left out. */
  #forkWithin(bound: number, { step, count, ready, kind }: Decision): Fork {
    const last = this.#path.at(-1);
    const spent = last === undefined ? 0 : last.spent + (last.isPreempting && last.tried > 0 ? 1 : 0);
    const resumed = kind === "batch" || kind === "fault" ? -1 : ready.findIndex((alternative) => this.#isNextOfLast(alternative));
    const isPreempting = resumed >= 0;
    const isForced = isPreempting && spent >= bound;
    if (isForced) this.#isCut = true;
    return { step, count, first: Math.max(0, resumed), width: isForced ? 1 : count, isPreempting, spent, tried: 0 };
  }

  /** Whether it goes on with the chain that ran last. Where nothing says what chain a task's steps are, its name does. */
  #isNextOfLast({ kind, chain, name }: Alternative): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    if (chain !== undefined && last.chain !== undefined) return chain === last.chain;
    return (kind === undefined || kind === "task") && name === last.name;
  }
}
