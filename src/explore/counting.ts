/**
 * What every run of an exploration pays for: its picks as numbers, and whether its schedule was seen before.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import type { Decision, Strategy } from "../schedule/strategy.js";
import { DistinctCounter } from "./distinct.js";

/** Decides as another strategy does, keeps the picks of the latest run and counts different ones. Cheap enough for every run. */
export class CountingStrategy implements Strategy {
  readonly name: string;
  readonly housekeeping: "inline" | "eager";
  readonly #picks: number[] = [];
  #count = 0;
  readonly observe?: Strategy["observe"] & {};
  readonly #strategy: Strategy;
  readonly #seen: DistinctCounter;
  #low = 0;
  #high = 0;

  constructor(strategy: Strategy, maxDistinct: number) {
    this.#strategy = strategy;
    this.#seen = new DistinctCounter(maxDistinct);
    this.name = strategy.name;
    this.housekeeping = strategy.housekeeping ?? "eager";
    if (strategy.observe !== undefined) this.observe = (step) => strategy.observe?.(step);
  }

  /** The picks of the latest run. */
  get picks(): readonly number[] {
    return this.#picks.slice(0, this.#count);
  }

  get distinct(): number {
    return this.#seen.count;
  }

  begin(run: number): boolean {
    this.#count = 0;
    this.#low = 0;
    this.#high = 0;
    const goesOn: unknown = this.#strategy.begin(run);
    if (typeof goesOn === "boolean") return goesOn;
    throw new UsageError(
      `strategy ${this.name}: begin(run) must answer true, or false when nothing is left to try, not ${describeValue(goesOn)}`,
    );
  }

  pick(decision: Decision): number {
    const index = this.#strategy.pick(decision);
    this.#picks[this.#count++] = index;
    // Two multiplicative hashes of the picks and the number of alternatives: 53 bits together.
    const value = index * 1024 + decision.count;
    this.#low = Math.imul(this.#low ^ value, 0x9e3779b1) >>> 0;
    this.#high = Math.imul(this.#high + value, 0x85ebca6b) >>> 11;
    return index;
  }

  end(result: Parameters<NonNullable<Strategy["end"]>>[0]): void {
    // The table is indexed by the low bits, in which few of the picks have arrived without a last turn.
    const mixed = Math.imul(this.#low ^ (this.#low >>> 15), 0x2c1b3c6d);
    this.#seen.add(this.#high, (mixed ^ (mixed >>> 12)) >>> 0);
    this.#strategy.end?.(result);
  }
}

/** Makes the same picks again, by index. */
export function picking(picks: readonly number[], housekeeping: "inline" | "eager"): Strategy {
  let next = 0;
  return {
    name: "replay",
    housekeeping,
    begin(): boolean {
      next = 0;
      return true;
    },
    pick: ({ count }) => Math.min(picks[next++] ?? 0, count - 1),
  };
}
