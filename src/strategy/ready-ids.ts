/**
 * What is ready in a run, by id: since when, and what ceases to be so without having run.
 */

import type { Alternative } from "../schedule/strategy.js";

/** Something that was ready, and that the step at `place` of the run has taken away. */
export interface Vanished {
  readonly id: number;
  readonly alternative: Alternative | undefined;
  readonly place: number;
}

export class ReadyIds {
  /** By id, the place in the run since when it is ready, and the run for which that holds. */
  readonly #places: number[] = [];
  readonly #runs: number[] = [];
  #run = 0;
  /** Those that are ready, as far as they were seen. */
  #live: number[] = [];
  #vanished: Vanished[] = [];
  /** What was seen last. */
  #ids: readonly number[] = [];
  #ready: readonly Alternative[] = [];

  /** A run begins. */
  begin(): void {
    this.#run++;
    this.#live = [];
    this.#vanished = [];
    this.#ids = [];
    this.#ready = [];
  }

  /** All that is ready at `place`, and the ids of that. Negative ids are those of what is no step. */
  see(ready: readonly Alternative[], ids: readonly number[], place: number): void {
    let steps = 0;
    for (const id of ids) {
      if (id < 0) continue;
      steps++;
      if (this.#runs[id] === this.#run) continue;
      this.#runs[id] = this.#run;
      this.#places[id] = place;
      this.#live.push(id);
    }
    if (this.#live.length > steps) {
      this.#vanished.push(...this.#takenAway(place - 1, ids));
      this.#live = this.#live.filter((id) => ids.includes(id));
    }
    this.#ids = ids;
    this.#ready = ready;
  }

  /** They run, or one of them that was not seen before runs at `place`. */
  run(ids: readonly number[], place: number): void {
    for (const id of ids) {
      const index = this.#live.indexOf(id);
      if (index >= 0) this.#live.splice(index, 1);
      else if (this.#runs[id] !== this.#run) {
        this.#runs[id] = this.#run;
        this.#places[id] = place;
      }
    }
  }

  /** Since which place it is ready. */
  since(id: number): number {
    return this.#places[id] ?? 0;
  }

  /** What vanished in a run of `length` steps, which is over; the last step took away whatever was left. */
  vanished(length: number): readonly Vanished[] {
    return [...this.#vanished, ...this.#takenAway(length - 1, [])];
  }

  /** What was ready before the step at `place` ran, and is not among `ids` after it. */
  #takenAway(place: number, ids: readonly number[]): readonly Vanished[] {
    return this.#live.filter((id) => !ids.includes(id)).map((id) => ({ id, alternative: this.#ready[this.#ids.indexOf(id)], place }));
  }
}
