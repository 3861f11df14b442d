/**
 * Wakeup sequences: what is yet to be tried after a prefix of a run, each a list of steps whose last one reverses a race.
 *
 * The paper (Abdulla, Aronis, Jonsson, Sagonas: "Source Sets", JACM 2017) keeps them in a tree, into which a new one is inserted below the first branch
 * that it can be made to begin with. Here they are a list, and a sequence follows a branch at the moment when the branch is taken. What comes of it
 * is the same, but by then it is known what the first step of the branch really touches: where a step looks at several things, and what it
 * looks at next hangs on what it has seen, that is not known before it has run.
 *
 * Invariant: of the last step of a sequence only its stable part is known (known-step.ts), and of all others everything.
 */
import { areIndependent, isSameStep, type KnownStep } from "./known-step.js";

export interface WakeupSequence {
  readonly steps: readonly KnownStep[];
  /** A hash of each step and of all that it comes after, the same in equivalent sequences. Of the last step, which is to have another past, of itself alone. */
  readonly pasts: readonly number[];
}

/** A sequence of one step that is not known to reverse anything. */
export function sequenceOf(step: KnownStep): WakeupSequence {
  return { steps: [step], pasts: [hashOfId(step.id)] };
}

/** @internal The past of the last step of a sequence. */
export function hashOfId(id: number): number {
  return Math.imul(id + 1, 0x9e3779b1);
}

/**
 * Where `step`, which can run before all of `steps`, stands among them if it can be made the first of them; their number if it can be put before
 * them because it is independent of them all; -1 otherwise.
 */
export function placeAmong(steps: readonly KnownStep[], step: KnownStep): number {
  for (let place = 0; place < steps.length; place++) {
    const other = steps[place] as KnownStep; // within the list
    if (other.id === step.id) return place;
    if (!areIndependent(other, step)) return -1;
  }
  return steps.length;
}

/** From so many on they are found by their hashes. */
const MANY = 16;

interface Waiting extends WakeupSequence {
  readonly hash: number;
}

/** The sequences that wait at one node of a search. */
export class WakeupSequences {
  #list: Waiting[];
  #byHash: Map<number, Waiting[]> | undefined = undefined;

  constructor(list: Waiting[] = []) {
    this.#list = list;
  }

  get length(): number {
    return this.#list.length;
  }

  /** The one that is to be followed next. */
  get first(): WakeupSequence | undefined {
    return this.#list[0];
  }

  dropFirst(): void {
    this.#list.shift();
    this.#byHash = undefined;
  }

  /** Adds a copy of it, unless an equivalent one is there. */
  add({ steps, pasts }: WakeupSequence): void {
    // A sum, so that the order of independent steps does not show; that of dependent ones shows in their pasts.
    let hash = 0;
    for (const past of pasts) hash = (hash + past) | 0;
    for (const other of this.#candidates(hash)) if (other.hash === hash && areEquivalent(other.steps, steps)) return;
    const waiting = { steps: steps.slice(), pasts: pasts.slice(), hash };
    this.#list.push(waiting);
    if (this.#byHash !== undefined) note(this.#byHash, waiting);
  }

  /** Takes out those that can begin with `step`, and answers what is left of them after it, in order, and whether nothing is left of one. */
  takeAfter(step: KnownStep): { readonly rests: Waiting[]; readonly isAtEnd: boolean } {
    const rests: Waiting[] = [];
    let isAtEnd = false;
    let kept = 0;
    for (const waiting of this.#list) {
      const { steps } = waiting;
      const place = placeAmong(steps, step);
      if (place < 0) this.#list[kept++] = waiting;
      else if (place === steps.length) rests.push(waiting);
      else if (steps.length > 1) rests.push(without(waiting, place));
      else isAtEnd = true;
    }
    if (kept < this.#list.length) {
      this.#list.length = kept;
      this.#byHash = undefined;
    }
    return { rests, isAtEnd };
  }

  #candidates(hash: number): readonly Waiting[] {
    if (this.#list.length < MANY) return this.#list;
    if (this.#byHash === undefined) {
      this.#byHash = new Map();
      for (const waiting of this.#list) note(this.#byHash, waiting);
    }
    return this.#byHash.get(hash) ?? [];
  }
}

function note(byHash: Map<number, Waiting[]>, waiting: Waiting): void {
  const same = byHash.get(waiting.hash);
  if (same === undefined) byHash.set(waiting.hash, [waiting]);
  else same.push(waiting);
}

function without({ steps, pasts, hash }: Waiting, place: number): Waiting {
  return { steps: steps.toSpliced(place, 1), pasts: pasts.toSpliced(place, 1), hash: (hash - (pasts[place] ?? 0)) | 0 };
}

/** Whether one becomes the other by swapping independent neighbours, and they end with the same step of which the same is known. */
function areEquivalent(some: readonly KnownStep[], others: readonly KnownStep[]): boolean {
  const [a, b] = [some.at(-1), others.at(-1)];
  if (some.length !== others.length || a === undefined || b === undefined || !isSameStep(a, b)) return false;
  let rest = some;
  let from = 0;
  for (const step of others) {
    if (rest[from]?.id === step.id) {
      from++;
      continue;
    }
    rest = rest.slice(from);
    from = 0;
    const place = placeAmong(rest, step);
    if (place < 0 || place === rest.length) return false;
    rest = rest.toSpliced(place, 1);
  }
  return true;
}
