/**
 * Which steps of a run come before which in every equivalent run, and which pairs are races.
 *
 * A step comes after those that caused it, after those that it is dependent with, and after everything that happened before time passed; and so on,
 * transitively. Two steps race when they are dependent and nothing else orders them: then they could have run the other way round.
 *
 * The steps before a step are a bit set, from the moment on at which time passed last: everything earlier is before it anyway.
 */
import type { KnownStep } from "./known-step.js";

/** A step at its place in a run. */
export interface RunEvent {
  readonly step: KnownStep;
  /** Places in the run of the steps without which it could not have run. */
  readonly causes: readonly number[];
  /** Whether it comes after everything before it in the run, because time has passed. */
  readonly isLater: boolean;
}

interface Order {
  /** Every place before this one is before it. */
  readonly base: number;
  /** Bit k is set when place `base + k` is before it. */
  readonly before: Bits;
  /** Places of earlier steps with which it races. */
  readonly races: readonly number[];
  readonly past: number;
}

const NOWHERE = -1;

/** Who accessed a location since time passed last. */
interface Accesses {
  /** For which stretch of time the rest holds. */
  stretch: number;
  writer: number;
  /** Since `writer`. */
  readers: number[];
}

export class HappensBefore {
  readonly #orders: Order[] = [];
  readonly #accesses: Accesses[] = [];
  #stretch = 0;
  #base = 0;
  /** The last step since `#base` that is dependent with every other. */
  #opaque = NOWHERE;

  /** Takes in a run, of which the first `known` events are those of the run before. */
  read(events: readonly RunEvent[], known: number): void {
    this.#orders.length = Math.min(known, this.#orders.length);
    this.#startStretch(0);
    for (const [place, event] of events.entries()) {
      if (event.isLater) this.#startStretch(place);
      if (place >= this.#orders.length) this.#orders.push(this.#orderOf(event, place));
      this.#note(event.step, place);
    }
  }

  /** The places of the earlier steps with which the one at `place` races. */
  racesOf(place: number): readonly number[] {
    return this.#orders[place]?.races ?? [];
  }

  /** A hash of the step at `place` and of all the steps that it depends on, the same in every equivalent run. */
  pastOf(place: number): number {
    return this.#orders[place]?.past ?? 0;
  }

  /** Whether the step at `first` is before the one at `second`, which stands after it in the run, in every equivalent run. */
  isBefore(first: number, second: number): boolean {
    const { base, before } = this.#orders[second] as Order; // it was read
    return first < base || hasBit(before, first - base);
  }

  /** Whether time has passed between the two. */
  areApart(first: number, second: number): boolean {
    return first < (this.#orders[second] as Order).base; // it was read
  }

  #startStretch(place: number): void {
    this.#stretch++;
    this.#base = place;
    this.#opaque = NOWHERE;
  }

  #orderOf({ step, causes }: RunEvent, place: number): Order {
    const base = this.#base;
    const dependent = step.isOpaque ? this.#allSinceOpaque(place) : this.#dependentWith(step);
    const before = bitsFor(place - base);
    for (const earlier of dependent) this.#join(before, earlier);
    for (const cause of causes) if (cause >= base) this.#join(before, cause);
    const races = dependent.filter(
      (earlier, index) => !hasBit(before, earlier - base) && !causes.includes(earlier) && dependent.indexOf(earlier) === index,
    );
    let past = Math.imul(step.id + 1, 0x9e3779b1);
    for (const earlier of dependent) {
      setBit(before, earlier - base);
      past = (past + Math.imul(this.pastOf(earlier), 0x2c1b3c6d)) | 0;
    }
    for (const cause of causes) if (cause >= base) setBit(before, cause - base);
    return { base, before, races, past: Math.imul(past ^ (past >>> 15), 0x85ebca6b) };
  }

  /** What is before `earlier` is before whoever comes after it. */
  #join(before: Bits, earlier: number): void {
    const { before: others } = this.#orders[earlier] as Order; // an earlier place since time passed
    for (let word = 0; word < others.length; word++) before[word] = (before[word] ?? 0) | (others[word] ?? 0);
  }

  #allSinceOpaque(place: number): readonly number[] {
    const from = Math.max(this.#base, this.#opaque);
    return Array.from({ length: place - from }, (_, index) => from + index);
  }

  /** The latest steps that it is dependent with; those before them come before them, too. */
  #dependentWith({ reads, writes }: KnownStep): number[] {
    const places: number[] = this.#opaque === NOWHERE ? [] : [this.#opaque];
    for (const location of reads) {
      const { writer } = this.#at(location);
      if (writer > this.#opaque) places.push(writer);
    }
    for (const location of writes) {
      const { writer, readers } = this.#at(location);
      if (writer > this.#opaque) places.push(writer);
      for (const reader of readers) if (reader > this.#opaque) places.push(reader);
    }
    return places;
  }

  #note({ isOpaque, reads, writes }: KnownStep, place: number): void {
    if (isOpaque) {
      this.#opaque = place;
      return;
    }
    for (const location of reads) this.#at(location).readers.push(place);
    for (const location of writes) {
      const accesses = this.#at(location);
      accesses.writer = place;
      accesses.readers = [];
    }
  }

  #at(location: number): Accesses {
    const accesses = (this.#accesses[location] ??= { stretch: 0, writer: NOWHERE, readers: [] });
    if (accesses.stretch !== this.#stretch) {
      accesses.stretch = this.#stretch;
      accesses.writer = NOWHERE;
      accesses.readers = [];
    }
    return accesses;
  }
}

/** A set of small numbers, 32 to a word. (A typed array costs more than what it holds, of most runs.) */
type Bits = number[];

function bitsFor(count: number): Bits {
  const bits: Bits = [];
  for (let words = (count + 31) >>> 5; words > 0; words--) bits.push(0);
  return bits;
}

function hasBit(bits: Bits, index: number): boolean {
  return (((bits[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
}

function setBit(bits: Bits, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31));
}
