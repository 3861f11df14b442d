/**
 * Uniform random walk over orders (Zhao, Wolff, Mathur, Roychoudhury: "Selectively Uniform Concurrency Testing", ASPLOS 2025, algorithm 1): a
 * chain is picked with a probability proportional to the number of steps that it still has. Where these numbers are right and nobody waits for
 * anybody, every order is as likely as any other; uniform picks prefer those in which the short chains end early.
 *
 * The steps of a chain that has not begun yet belong to the one that will start it, so a chain's number counts its descendants until they
 * appear. The numbers are averages over the earlier runs, by the name of the chain; the first run, in which none is known, picks uniformly and
 * is the paper's trial run.
 *
 * A chain that is first seen ready was started by the step before; a gate is a chain that ends with its one step, and what that step opens is
 * its descendant. The clock has the weight of one step. Steps without a decision are not observed, which would cost as much as the picks do:
 * where only two chains are ready and one is taken, the other one is taken to make the steps until the next decision.
 */
import { Random } from "../random/random.js";
import type { Alternative, Decision, RunResult, Strategy } from "../schedule/strategy.js";
import { pickOfBatch } from "./batch.js";
import { FaultRate } from "./fault-rate.js";
import { chainOf, ReadyValues } from "./ready-values.js";

/**
 * Picks whoever has many steps left more often, so that orders rather than picks are uniform. A gate settles alone with probability 0.7, and
 * otherwise with any of the other open ones; whether one fails that may is drawn.
 *
 * Throws UsageError when `seed` is not a whole number from 0 to 2^32 - 1.
 *
 * @example
 * const outcome = await explore(scenario, { strategy: urw(7) });
 * @since 0.2.0
 */
export function urw(seed: number): Strategy {
  return new UniformWalk(seed);
}

/** One chain of the running run. */
interface Chain {
  readonly name: string;
  readonly parent: Chain | undefined;
  /** Steps that it made, and later with those of its descendants. */
  made: number;
  /** Steps that it is expected to make, with descendants that have not appeared. */
  left: number;
}

/** Names are remembered up to so many: a program may make up a new one each time. */
const MAX_NAMES = 10_000;

class UniformWalk implements Strategy {
  readonly name = "urw";
  readonly isFair = true;
  readonly #seed: number;
  /** One stream for all runs, as for random picks. */
  #stream: Random;
  /** The chains of the earlier runs by their names: how many there were, and their steps with those of their descendants. */
  readonly #known = new Map<string, { chains: number; steps: number }>();

  // What follows is of one run.
  readonly #faults = new FaultRate();
  readonly #ready = new ReadyValues<Chain>((alternative) => this.#chainOf(alternative));
  readonly #byChain = new Map<object | string, Chain>();
  /** In the order in which they appeared: children behind their parents. */
  readonly #chains: Chain[] = [];
  /** Who made the latest step that is known of. */
  #latest: Chain | undefined = undefined;
  /** Who was left when that chain was taken, if it was only one. */
  #other: Chain | undefined = undefined;
  #step = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#stream = new Random(seed, "schedule", "urw");
  }

  begin(run: number): boolean {
    if (run === 0) {
      this.#stream = new Random(this.#seed, "schedule", "urw");
      this.#known.clear();
    }
    this.#faults.begin();
    this.#ready.clear();
    this.#byChain.clear();
    this.#chains.length = 0;
    this.#latest = undefined;
    this.#other = undefined;
    this.#step = 0;
    return true;
  }

  pick(decision: Decision): number {
    if (decision.kind === "batch") return pickOfBatch(this.#stream, decision.count);
    if (decision.kind === "fault") return this.#faults.pick(this.#stream);
    const { step } = decision;
    this.#noteForced(step - this.#step - 1);
    this.#step = step;
    const chains = this.#ready.update(decision.ready);
    const index = this.#draw(chains);
    this.#ready.take(index);
    this.#latest = chains[index];
    this.#other = chains.length === 2 ? chains[1 - index] : undefined;
    noteSteps(this.#latest, 1);
    return index;
  }

  end({ steps }: RunResult): void {
    // The last step is most often that of who waited for all the others, and has nothing to do with who comes before it.
    this.#noteForced(steps - this.#step - 1);
    for (let place = this.#chains.length - 1; place >= 0; place--) {
      const chain = this.#chains[place] as Chain; // below the length
      if (chain.parent !== undefined) chain.parent.made += chain.made;
      this.#learn(chain);
    }
  }

  #draw(chains: readonly Chain[]): number {
    let total = 0;
    for (const chain of chains) total += weightOf(chain);
    let draw = this.#stream.next() * total;
    let index = 0;
    for (const chain of chains) {
      draw -= weightOf(chain);
      if (draw < 0) return index;
      index++;
    }
    return chains.length - 1; // only rounding leads here
  }

  /** So many steps were made without a decision since the latest one. */
  #noteForced(count: number): void {
    if (count <= 0 || this.#other === undefined) return;
    noteSteps(this.#other, count);
    this.#latest = this.#other;
  }

  #chainOf(alternative: Alternative): Chain {
    if (alternative.kind === "clock") return { name: "clock", parent: undefined, made: 0, left: 1 };
    const key = chainOf(alternative);
    let chain = this.#byChain.get(key);
    if (chain === undefined) {
      const { name } = alternative;
      const known = this.#known.get(name);
      chain = { name, parent: this.#latest, made: 0, left: known === undefined ? 1 : known.steps / known.chains };
      if (this.#latest !== undefined) this.#latest.left -= chain.left;
      this.#byChain.set(key, chain);
      this.#chains.push(chain);
    }
    return chain;
  }

  #learn({ name, made }: Chain): void {
    const known = this.#known.get(name);
    if (known !== undefined) {
      known.chains++;
      known.steps += made;
    } else if (this.#known.size < MAX_NAMES) this.#known.set(name, { chains: 1, steps: made });
  }
}

function noteSteps(chain: Chain | undefined, count: number): void {
  if (chain === undefined) return;
  chain.made += count;
  chain.left -= count;
}

/** Whoever is ready has a step left, whatever was expected. */
function weightOf({ left }: Chain): number {
  return left < 1 ? 1 : left;
}
