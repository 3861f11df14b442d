/**
 * What a strategy remembers of each of those that are ready, from one decision to the next.
 *
 * Those that stay ready stand in the same order in the next decision, so the values are carried over by walking along both lists, which costs
 * a comparison where a map costs a look-up. Whoever finds no place is new.
 */
import type { Alternative } from "../schedule/strategy.js";

/** What an alternative is a step of: a task, a callback, a gate, the clock. Without an object of its own it is known by its name. */
export function chainOf(alternative: Alternative): object | string {
  return alternative.chain ?? (alternative.kind === "gate" ? alternative : alternative.name);
}

/** A value for each that is ready, made when it is seen first. */
export class ReadyValues<T> {
  readonly #make: (alternative: Alternative, index: number) => T;
  /** Both have the same length. */
  readonly #ready: (Alternative | undefined)[] = [];
  readonly #values: T[] = [];

  constructor(make: (alternative: Alternative, index: number) => T) {
    this.#make = make;
  }

  /** Those of the latest {@link update}: one for each that was ready, in the same order, the one that was taken included. */
  get values(): readonly T[] {
    return this.#values;
  }

  /** Forgets all, for a new run. */
  clear(): void {
    this.#ready.length = 0;
    this.#values.length = 0;
  }

  /** The values of those that are ready in a decision of kind `"next"`. The list stays the same, and is only valid until the next decision. */
  update(ready: readonly Alternative[]): readonly T[] {
    const before = this.#ready;
    const values = this.#values;
    // Invariant: below `index` stands what is ready now, from `from` on what was ready before and has not been met. Both move to the left in place.
    let from = 0;
    for (let index = 0; index < ready.length; index++) {
      const alternative = ready[index] as Alternative; // below the length
      let place = from;
      while (place < before.length && before[place] !== alternative) place++;
      if (place < before.length) {
        before[index] = alternative;
        values[index] = values[place] as T; // as long as the other list
        from = place + 1;
        continue;
      }
      const value = this.#make(alternative, index);
      if (before[from] === undefined) from++; // the place of the one that was taken, or behind the end
      if (index === from && from < before.length) {
        before.splice(index, 0, alternative); // new before others that are not, which is rare
        values.splice(index, 0, value);
      } else {
        before[index] = alternative;
        values[index] = value;
      }
      from = Math.max(from, index + 1);
    }
    while (before.length > ready.length) {
      before.pop();
      values.pop();
    }
    return values;
  }

  /** The one at `index` is taken; should the same object become ready once more, it is new. */
  take(index: number): void {
    this.#ready[index] = undefined;
  }

  /** The value of one that is ready; undefined where it is not known. For the gates of a batch, which stand in a list of their own. */
  valueOf(alternative: Alternative): T | undefined {
    const place = this.#ready.indexOf(alternative);
    return place < 0 ? undefined : this.#values[place];
  }
}
