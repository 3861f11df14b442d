/**
 * The mix that `explore` uses when nobody says otherwise. (Draft)
 */
import { Random } from "../random/random.js";
import type { Decision, Housekeeping, RunResult, Strategy } from "../schedule/strategy.js";
import { pickOfBatch } from "./batch.js";
import { laggards } from "./laggards.js";
import { PriorityWalk, type Walk } from "./priority-walk.js";
import { RunLength } from "./run-length.js";
import { urw } from "./urw.js";

export function portfolio(seed: number): Strategy {
  return new Portfolio(seed);
}

interface Member {
  readonly name: string;
  readonly shares: readonly [number, number, number];
  readonly begin: (p: Portfolio, run: number) => (decision: Decision) => number;
  readonly end?: (p: Portfolio, result: RunResult) => void;
}

export const MEMBERS: readonly Member[] = [
  { name: "order", shares: [0.6, 0.13, 0.13], begin: (p) => p.walk({ mirrored: true }) },
  { name: "few", shares: [0, 0.1, 0.1], begin: (p) => p.walk({ changes: p.between(1, 8) }) },
  { name: "some", shares: [0.05, 0.35, 0.25], begin: (p) => p.walk({ changes: p.k * p.between(0.3, 0.6), lowerProbability: 0.3 }) },
  { name: "rotation", shares: [0, 0.1, 0.04], begin: (p) => p.walk({ changes: p.k * p.between(0.6, 1) }) },
  { name: "steps", shares: [0.3, 0.3, 0.1], begin: (p) => p.walk({ grouping: "step", changes: p.between(0.5, 4) }) },
  { name: "random", shares: [0, 0, 0.1], begin: (p) => p.uniform() },
  { name: "urw", shares: [0.05, 0.05, 0.2], begin: (p, run) => p.member(p.urw, run), end: (p, r) => p.urw.end?.(r) },
  { name: "laggards", shares: [0, 0.05, 0.05], begin: (p, run) => p.member(p.laggards, run), end: (p, r) => p.laggards.end?.(r) },
  { name: "arrival", shares: [0, 0, 0.04], begin: (p) => p.arrival() },
];

const FLOOR = 0.15;

class Portfolio implements Strategy {
  readonly name = "portfolio";
  readonly #seed: number;
  #stream: Random;
  #walk: PriorityWalk;
  urw: Strategy;
  laggards: Strategy;
  readonly #length = new RunLength();
  #current: Member | undefined = undefined;
  #pick: (decision: Decision) => number = () => 0;
  #credits: number[] = [];
  #novelty: number[] = [];
  #hash = 0;
  #seen = new Int32Array(1 << 14);
  #guess = 10;
  #mirror = false;
  #uses: number[] = [];
  uses: Record<string, number> = {};

  constructor(seed: number) {
    this.#seed = seed;
    this.#stream = new Random(seed, "schedule", "portfolio");
    this.#walk = new PriorityWalk(this.#stream);
    this.urw = urw(seed);
    this.laggards = laggards(seed, { share: [0.1, 0.25, 0.5] });
  }

  get k(): number {
    return Math.max(2, this.#length.runs === 0 ? this.#guess : this.#length.average);
  }

  get housekeeping(): Housekeeping {
    return this.#current === undefined ? "inline" : "eager";
  }

  between(low: number, high: number): number {
    return low * (high / low) ** this.#stream.next();
  }

  walk(part: Partial<Walk> & { mirrored?: boolean }): (decision: Decision) => number {
    let isMirrored = false;
    if (part.mirrored === true) {
      isMirrored = this.#mirror;
      this.#mirror = !this.#mirror;
    }
    const places = Math.max(1, this.#stream.next() < 1 / 8 ? this.#length.longest : Math.ceil(this.k));
    const changes = Math.min(places, Math.floor((part.changes ?? 0) + this.#stream.next()));
    this.#walk.begin({ grouping: "lineage", lowerProbability: 1, settleProbability: 0.7, ...part, changes, places, isMirrored });
    return (d) => this.#walk.pick(d);
  }

  uniform(): (decision: Decision) => number {
    return ({ kind, count }) => (kind === "batch" ? pickOfBatch(this.#stream, count) : this.#stream.below(count));
  }

  arrival(): (decision: Decision) => number {
    const rate = this.between(0.5 / this.k, 0.4);
    return ({ count }) => {
      let index = 0;
      while (index < count - 1 && this.#stream.next() < rate) index++;
      return index;
    };
  }

  member(strategy: Strategy, run: number): (decision: Decision) => number {
    strategy.begin(run);
    return (d) => strategy.pick(d);
  }

  begin(run: number): boolean {
    if (run === 0) {
      this.#credits = MEMBERS.map((m) => m.shares[0] * this.#stream.next());
      this.#novelty = MEMBERS.map(() => 1);
      this.#uses = MEMBERS.map(() => 0);
      this.#current = undefined;
      return true;
    }
    this.#hash = 0;
    this.#length.begin();
    const phase = run <= 8 ? 0 : run <= 40 ? 1 : 2;
    const weights = MEMBERS.map((m, i) => (m.shares[phase] ?? 0) * (FLOOR + (1 - FLOOR) * (this.#novelty[i] ?? 1)));
    const total = weights.reduce((a, b) => a + b, 0);
    let best = 0;
    weights.forEach((w, i) => {
      this.#credits[i] = (this.#credits[i] ?? 0) + w / total;
      if ((this.#credits[i] ?? 0) > (this.#credits[best] ?? 0)) best = i;
    });
    this.#credits[best] = (this.#credits[best] ?? 0) - 1;
    this.#current = MEMBERS[best];
    this.#pick = (this.#current as Member).begin(this, (this.#uses[best] = (this.#uses[best] ?? 0) + 1));
    this.uses[(this.#current as Member).name] = this.#uses[best] ?? 0;
    return true;
  }

  pick(decision: Decision): number {
    if (this.#current === undefined) return 0;
    this.#length.note(decision.step);
    const index = this.#pick(decision);
    this.#hash = Math.imul(this.#hash ^ (index * 1024 + decision.count), 0x9e3779b1) ^ (this.#hash >>> 15);
    return index;
  }

  end(result: RunResult): void {
    if (this.#current === undefined) {
      this.#guess = result.steps - 2;
      return;
    }
    this.#length.end(result.steps);
    const hash = this.#hash ^ (this.#hash >>> 13);
    const place = hash & (this.#seen.length - 1);
    const isNew = this.#seen[place] !== hash;
    this.#seen[place] = hash;
    const i = MEMBERS.indexOf(this.#current);
    this.#novelty[i] = (this.#novelty[i] ?? 1) + ((isNew ? 1 : 0) - (this.#novelty[i] ?? 1)) / 8;
    this.#current.end?.(this, result);
  }
}
