/**
 * Laggards: in each run a random share of everything that runs waits as long as it may, and what is left is picked uniformly. It finds what
 * needs one side to run far ahead of another, which uniform picks almost never do: in a run of k steps they keep somebody back for all of it
 * with a probability that falls like 2^-k, and this with that of the share, whatever k is.
 *
 * There is no paper for it; close to it is PCT without change points (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with
 * Probabilistic Guarantees of Finding Bugs", ASPLOS 2010) with two priorities in the place of as many as there are tasks. In a trial on rare bugs
 * of realistic programs either found those of the run-ahead kind 6 to 140 times sooner than uniform picks, and both were no better or far worse on
 * the others: it is one of a mix.
 */
import { UsageError } from "../errors/errors.js";
import { Random } from "../random/random.js";
import type { Alternative, Decision, Strategy } from "../schedule/strategy.js";
import { SETTLE_PROBABILITY } from "./batch.js";
import { FaultRate } from "./fault-rate.js";

/** Draws before it is found out who does not lag. */
const ATTEMPTS = 2;

export interface LaggardsOptions {
  /** How likely each chain is to lag, from 0 to 1. Of a list, each run draws one. Default 0.25. */
  readonly share?: number | readonly number[];
}

/**
 * Draws in each run who lags (tasks, callbacks and gates, each when it is first looked at). A laggard runs only when nothing else is ready; a gate
 * that lags is passed by the clock as long as it may be, and joins no batch. Among the others, and where only laggards are left, picks are uniform.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1, or a share is not a number from 0 to 1.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: laggards(7, { share: [0.1, 0.5] }) });
 * @since 0.2.0
 */
export function laggards(seed: number, { share }: LaggardsOptions = {}): Strategy {
  const shares = typeof share === "object" ? [...share] : [share ?? 0.25];
  if (shares.length === 0 || !shares.every((each) => each >= 0 && each <= 1)) {
    throw new UsageError(`laggards: share must be a number from 0 to 1, or a list of such, not ${String(share)}`);
  }
  return new Laggards(typeof share === "number" ? `laggards:${share}` : "laggards", seed, shares);
}

class Laggards implements Strategy {
  readonly name: string;
  readonly #seed: number;
  readonly #shares: readonly number[];
  /** One stream for all runs, as for random picks. */
  #stream: Random;
  #share: number;
  readonly #faults = new FaultRate();
  /** Whether a chain lags, of those that were seen in this run. */
  readonly #isLaggard = new Map<object, boolean>();

  constructor(name: string, seed: number, shares: readonly number[]) {
    this.name = name;
    this.#seed = seed;
    this.#shares = shares;
    this.#stream = new Random(seed, "schedule", "laggards");
    this.#share = this.#draw();
  }

  begin(run: number): boolean {
    if (run === 0) this.#stream = new Random(this.#seed, "schedule", "laggards");
    this.#share = this.#draw();
    this.#isLaggard.clear();
    this.#faults.begin();
    return true;
  }

  pick({ kind, count, ready }: Decision): number {
    if (kind === "batch") return this.#stream.next() < SETTLE_PROBABILITY ? 0 : (this.#pickOther(ready) ?? 0);
    if (kind === "fault") return this.#faults.pick(this.#stream);
    // Most often one of the first draws is no laggard; that is as uniform among the others as a draw among them, which must look at all.
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const index = this.#stream.below(count);
      if (!this.#lags(ready[index])) return index;
    }
    return this.#pickOther(ready) ?? this.#stream.below(count);
  }

  /** Index of one that does not lag, uniformly; undefined where all do. */
  #pickOther(ready: readonly Alternative[]): number | undefined {
    const others: number[] = [];
    ready.forEach((alternative, index) => {
      if (alternative.kind !== "settle" && !this.#lags(alternative)) others.push(index);
    });
    return others.length === 0 ? undefined : others[this.#stream.below(others.length)];
  }

  #draw(): number {
    const { length } = this.#shares;
    return this.#shares[length === 1 ? 0 : this.#stream.below(length)] ?? 0;
  }

  /** The clock never lags: so it is what is left where all gates do. */
  #lags(alternative: Alternative | undefined): boolean {
    if (alternative === undefined || alternative.kind === "clock") return false;
    const chain = alternative.chain ?? alternative;
    let isLaggard = this.#isLaggard.get(chain);
    if (isLaggard === undefined) {
      isLaggard = this.#stream.next() < this.#share;
      this.#isLaggard.set(chain, isLaggard);
    }
    return isLaggard;
  }
}
