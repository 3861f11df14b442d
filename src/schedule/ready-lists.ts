/**
 * The ready lists of a token. A token stores what joined a list since the one before, so a few million characters can stand for terabytes of
 * lists, and n tasks that are ready at once for n^2 / 2 places: what is small is unpacked into plain data; what is not is
 * unpacked one list at a time, as far as somebody asks. A replay asks in order, and stops where its program differs.
 */
import type { RecordedDecision } from "./schedule.js";
import type { ReadyTask } from "./strategy.js";

/** A decision as a token stores it. */
export interface StoredDecision {
  /** Whether `listed` joins what the decision before left, or is the whole list. The first one's is whole. */
  readonly continues: boolean;
  readonly listed: readonly ReadyTask[];
  /** Of the one that ran, in the whole list. */
  readonly index: number;
}

/** Up to here the places of all lists together are unpacked at once. A run of 2,000 tasks that are all ready has as many. */
const MAX_PLAIN_PLACES = 2_000_000;

/** The decisions of a token. `places` is the sum of the lengths of their lists. */
export function unpackDecisions(stored: readonly StoredDecision[], places: number): readonly RecordedDecision[] {
  const lists = new ReadyLists(stored);
  return stored.map(({ index }, place) => {
    if (places <= MAX_PLAIN_PLACES) return { ready: lists.at(place), index };
    return {
      get ready(): readonly ReadyTask[] {
        return lists.at(place);
      },
      index,
    };
  });
}

/** Makes the list of a decision out of the one before, which it remembers: asking in order costs a list each, whatever else a few. */
class ReadyLists {
  readonly #stored: readonly StoredDecision[];
  #latest: { readonly place: number; readonly list: readonly ReadyTask[] } | undefined;

  constructor(stored: readonly StoredDecision[]) {
    this.#stored = stored;
  }

  at(place: number): readonly ReadyTask[] {
    let start = place;
    while (start !== this.#latest?.place && this.#stored[start]?.continues === true) start--;
    for (let at = start; at <= place; at++) {
      if (at !== this.#latest?.place) this.#latest = { place: at, list: this.#listAfter(at) };
    }
    return this.#latest?.list ?? [];
  }

  /** The list at `place`, where that is whole, or where the latest one is the one before. */
  #listAfter(place: number): readonly ReadyTask[] {
    const { continues, listed } = this.#stored[place] ?? NOTHING;
    if (!continues) return listed;
    const before = this.#latest?.list ?? [];
    const index = this.#stored[place - 1]?.index ?? 0;
    return [...before.slice(0, index), ...before.slice(index + 1), ...listed];
  }
}

const NOTHING: StoredDecision = { continues: false, listed: [], index: 0 };
