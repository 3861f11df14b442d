/**
 * Fairness for strategies that have none: whoever was passed over too often must be taken. Without it, a strategy that keeps one task back
 * while another polls for its result makes a livelock of a correct program; with it, a run that reaches the step bound has really earned that
 * verdict (Musuvathi, Qadeer: "Fair Stateless Model Checking", PLDI 2008, make spinning threads yield; here nobody needs to say that he spins).
 *
 * A forced step is no decision of the wrapped strategy: it is not asked, and sees the step only where it observes. What is forced hangs on the
 * decisions of the run alone, so a systematic search comes back to the same place by the same path. It does not get to see what it would have
 * been offered there, so it must not claim to have seen everything: `leavesOut` says so once somebody was forced.
 *
 * The bound is generous, because a bug may need somebody to wait for long, and halves each time that it strikes in a run: what spins again and
 * again is soon scheduled about as fairly as in turn.
 */
import { UsageError } from "../errors/errors.js";
import type { Alternative, Decision, RunResult, Strategy } from "../schedule/strategy.js";

export interface FairOptions {
  /** After how many decisions in a row in which it was passed over something must be taken. Default 250. */
  readonly starvationBound?: number;
}

/** A bound that has been halved again and again stays at so many times the number of those that are ready. */
const SMALLEST_PER_READY = 4;

/**
 * Decides as `strategy` does, except that what was ready in `starvationBound` decisions in a row and not taken is taken. Gates too: who polls for
 * an answer lets no time pass that would bound it. A strategy that is fair by itself is answered as it is.
 *
 * In the first half of the bound nobody is watched, so that a short run pays nothing: whoever is ready then counts as having been ready from the
 * beginning, and may be taken after half as many decisions.
 *
 * Throws UsageError when `starvationBound` is not a whole number, 1 or more.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: fair(laggards(7), { starvationBound: 100 }) });
 * @since 0.2.0
 */
export function fair(strategy: Strategy, { starvationBound = 250 }: FairOptions = {}): Strategy {
  if (!Number.isSafeInteger(starvationBound) || starvationBound < 1) {
    throw new UsageError(`fair: starvationBound must be a whole number, 1 or more, not ${String(starvationBound)}`);
  }
  return strategy.isFair === true ? strategy : new Fair(strategy, starvationBound);
}

class Fair implements Strategy {
  readonly name: string;
  readonly isFair = true;
  readonly observe?: NonNullable<Strategy["observe"]>;
  readonly #strategy: Strategy;
  readonly #starvationBound: number;
  /** The bound as this run has left it, and the decision from which on it is watched. */
  #bound: number;
  readonly #watchedFrom: number;
  /** Decisions of this run, and for each of those that were seen ready the first of them at which it was. */
  #decisions = 0;
  readonly #readySince = new Map<object, number>();
  #hasForced = false;

  constructor(strategy: Strategy, starvationBound: number) {
    this.#strategy = strategy;
    this.name = strategy.name;
    this.#starvationBound = starvationBound;
    this.#bound = starvationBound;
    this.#watchedFrom = Math.floor(starvationBound / 2) + 1;
    // Called on the strategy, which may be an object of a class.
    if (strategy.observe !== undefined) this.observe = (step) => strategy.observe?.(step);
  }

  get housekeeping(): "inline" | "eager" {
    return this.#strategy.housekeeping ?? "eager";
  }

  get tracks(): boolean {
    return this.#strategy.tracks ?? false;
  }

  get isSystematic(): boolean {
    return this.#strategy.isSystematic ?? false;
  }

  get leavesOut(): boolean {
    return this.#hasForced || this.#strategy.leavesOut === true;
  }

  get remaining(): number | undefined {
    return this.#strategy.remaining;
  }

  begin(run: number): boolean {
    if (run === 0) this.#hasForced = false;
    this.#bound = this.#starvationBound;
    this.#decisions = 0;
    this.#readySince.clear();
    return this.#strategy.begin(run);
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch" || decision.kind === "fault") return this.#strategy.pick(decision);
    if (++this.#decisions < this.#watchedFrom) return this.#strategy.pick(decision);
    const { ready } = decision;
    const starving = this.#findStarving(ready);
    if (starving >= 0) {
      this.#hasForced = true;
      this.#bound = Math.min(this.#bound, Math.max(this.#bound >> 1, SMALLEST_PER_READY * ready.length));
    }
    const index = starving >= 0 ? starving : this.#strategy.pick(decision);
    // The one that is taken may come back as the same object.
    const taken = ready[index];
    if (taken !== undefined) this.#readySince.delete(taken);
    return index;
  }

  end(result: RunResult): void {
    this.#strategy.end?.(result);
  }

  /** Index of the one that has been ready for longest, if that is as long as the bound; -1 otherwise. */
  #findStarving(ready: readonly Alternative[]): number {
    // Where gates are all that is ready time can pass, and bounds them.
    if (ready.every(({ kind }) => kind === "gate" || kind === "clock")) return -1;
    const now = this.#decisions;
    // Whoever is ready when the watch begins may have been so from the first decision on.
    const since = now === this.#watchedFrom ? 1 : now;
    // They stand in the order in which they became ready: those that are new at the end, and the one that has waited for longest first.
    for (let index = ready.length - 1; index >= 0; index--) {
      const alternative = ready[index];
      if (!canStarve(alternative)) continue;
      if (this.#readySince.has(alternative)) break;
      this.#readySince.set(alternative, since);
    }
    const longest = ready.findIndex(canStarve);
    const alternative = ready[longest];
    if (alternative === undefined) return -1;
    const readySince = this.#readySince.get(alternative);
    if (readySince === undefined) this.#readySince.set(alternative, now); // new, and yet not at the end
    return now - (readySince ?? now) >= this.#bound ? longest : -1;
  }
}

function canStarve(alternative: Alternative | undefined): alternative is Alternative {
  return alternative !== undefined && alternative.kind !== "clock";
}
