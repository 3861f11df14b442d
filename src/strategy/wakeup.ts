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
import { areIndependent, type KnownStep } from "./known-step.js";

export type WakeupSequence = readonly KnownStep[];

/**
 * Where `step`, which can run before all of `sequence`, stands in the sequence if it can be made the first of it; its length if it can be put before
 * it because it is independent of all its steps; -1 otherwise.
 */
export function placeIn(sequence: WakeupSequence, step: KnownStep): number {
  for (let place = 0; place < sequence.length; place++) {
    const other = sequence[place] as KnownStep; // within the sequence
    if (other.id === step.id) return place;
    if (!areIndependent(other, step)) return -1;
  }
  return sequence.length;
}

/** The sequences that wait at one node of a search. */
export class WakeupSequences {
  #list: WakeupSequence[];
  /** The same by hash, once there are many. */
  #byHash: Map<number, WakeupSequence[]> | undefined = undefined;

  constructor(list: readonly WakeupSequence[] = []) {
    this.#list = [...list];
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

  /** Adds it, unless an equivalent one is there. */
  add(sequence: WakeupSequence): void {
    const hash = hashOf(sequence);
    const byHash = (this.#byHash ??= groupByHash(this.#list));
    const same = byHash.get(hash);
    if (same === undefined) byHash.set(hash, [sequence]);
    else if (same.some((other) => areEquivalent(other, sequence))) return;
    else same.push(sequence);
    this.#list.push(sequence);
  }

  /** Takes out those that can begin with `step`, and answers what is left of each after it, in order. */
  takeAfter(step: KnownStep): WakeupSequence[] {
    const taken: WakeupSequence[] = [];
    const left: WakeupSequence[] = [];
    for (const sequence of this.#list) {
      const place = placeIn(sequence, step);
      if (place < 0) left.push(sequence);
      else taken.push(place < sequence.length ? sequence.toSpliced(place, 1) : sequence);
    }
    if (taken.length > 0) {
      this.#list = left;
      this.#byHash = undefined;
    }
    return taken;
  }
}

function groupByHash(sequences: readonly WakeupSequence[]): Map<number, WakeupSequence[]> {
  const groups = new Map<number, WakeupSequence[]>();
  for (const sequence of sequences) {
    const hash = hashOf(sequence);
    const group = groups.get(hash);
    if (group === undefined) groups.set(hash, [sequence]);
    else group.push(sequence);
  }
  return groups;
}

/** The same for the same steps in any order. */
function hashOf(sequence: WakeupSequence): number {
  let hash = sequence.length;
  for (const { id } of sequence) {
    const mixed = Math.imul(id ^ (id >>> 15) ^ 0x2c1b3c6d, 0x9e3779b1);
    hash = (hash + Math.imul(mixed ^ (mixed >>> 13), 0x85ebca6b)) | 0;
  }
  return hash;
}

/** Whether one becomes the other by swapping independent neighbours, and they end with the same step of which the same is known. */
function areEquivalent(a: WakeupSequence, b: WakeupSequence): boolean {
  if (a.length !== b.length || !isSameKnowledge(a.at(-1), b.at(-1))) return false;
  let rest = a;
  let from = 0;
  for (const step of b) {
    if (rest[from]?.id === step.id) {
      from++;
      continue;
    }
    rest = rest.slice(from);
    from = 0;
    const place = placeIn(rest, step);
    if (place < 0 || place === rest.length) return false;
    rest = rest.toSpliced(place, 1);
  }
  return true;
}

function isSameKnowledge(a: KnownStep | undefined, b: KnownStep | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.id === b.id && a.isOpaque === b.isOpaque && areSame(a.reads, b.reads) && areSame(a.writes, b.writes);
}

function areSame(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((location, index) => location === others[index]);
}
