/**
 * Seeded randomness with independent streams.
 *
 * A stream is named by a path of labels under one seed (`7/schedule`, `7/data`), so that two uses never share draws: drawing more
 * data does not change the schedule. The generator is seedrandom's `alea`: its default generator costs 6 us to seed, which a run of
 * 3 us cannot pay, and its `xor128` yields zeros for ever from seed 0.
 */
import alea from "seedrandom/lib/alea.js";
import { UsageError } from "../errors/errors.js";

/** Seeds are whole numbers from 0 to 2^32 - 1, so that they survive JSON, a shell and fast-check's own 32-bit seed. */
export const MAX_SEED = 0xffff_ffff;

/**
 * One stream of random numbers. The same path gives the same draws on every machine and Node version.
 *
 * @example
 * const random = new Random(7);
 * const data = random.fork("data"); // its draws never disturb those of `random`
 * data.below(6); // a whole number from 0 to 5
 * @since 0.1.0
 */
export class Random {
  readonly #seed: number;
  readonly #labels: readonly string[];
  readonly #next: () => number;

  /**
   * The stream that `labels` name under `seed`.
   *
   * Throws UsageError when `seed` is not a whole number from 0 to {@link MAX_SEED}.
   */
  constructor(seed: number, ...labels: readonly string[]) {
    requireSeed(seed);
    this.#seed = seed;
    this.#labels = labels;
    // Quoted labels keep ("a/b") and ("a", "b") apart.
    this.#next = alea([String(seed), ...labels.map((label) => JSON.stringify(label))].join("/"));
  }

  /** A number from 0 (included) to 1 (excluded), in steps of 2^-32. */
  next(): number {
    return this.#next();
  }

  /** A whole number from 0 to `bound - 1`. `bound` is at least 1; up to 2^16 the bias is below 2^-16. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  /** An independent stream under this one. It depends on the labels alone, not on what was drawn before. */
  fork(label: string): Random {
    return new Random(this.#seed, ...this.#labels, label);
  }
}

/** Throws UsageError unless `seed` is one that a {@link Random} takes. */
export function requireSeed(seed: number): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    throw new UsageError(`seed: must be a whole number from 0 to ${MAX_SEED}, not ${String(seed)}`);
  }
}

/** A number from 0 (included) to 1 (excluded) that depends on the text alone: a draw that is keyed instead of counted. */
export function hashToUnit(text: string): number {
  return hash32(text) / 0x1_0000_0000;
}

/** 32-bit FNV-1a over UTF-16 code units, then the finisher of MurmurHash3, which spreads what differs only in the last characters. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
