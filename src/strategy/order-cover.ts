/**
 * Orders of a few that soon hold each order of any four among them.
 *
 * That one side runs ahead of another, that one ahead of a third and so on needs the sides in one particular order. Of four sides a random order
 * has it with probability 1/24 each time, with luck and without; orders that are chosen for what they have not shown before have it after 13 to
 * 17 on average instead of 24, and of two sides after 1.5 instead of 2. Choosing the best of several random ones is the usual greedy way to such
 * covering arrays (Chee, Colbourn, Horsley, Zhou: "Sequence Covering Arrays", SIAM J. Discrete Math. 27, 2013).
 */
import type { Random } from "../random/random.js";

/** How many are ordered; any further ones stand at random places. */
const MAX_ORDERED = 8;

/** Random orders of which the best is taken. */
const CANDIDATES = 10;

/** What a new order of two and of three is worth, in new orders of four: they are the first to be shown, and then are of no more help. */
const WORTH_OF_2 = 4;
const WORTH_OF_3 = 2;

export class OrderCover {
  /** Whether an order of two, three or four was shown, by its digits to the base of {@link MAX_ORDERED}. */
  readonly #of2 = new Uint8Array(MAX_ORDERED ** 2);
  readonly #of3 = new Uint8Array(MAX_ORDERED ** 3);
  readonly #of4 = new Uint8Array(MAX_ORDERED ** 4);
  readonly #stream: Random;
  #order: readonly number[];
  #worth = 1;

  constructor(stream: Random) {
    this.#stream = stream;
    this.#order = shuffled(MAX_ORDERED, stream);
  }

  /** The order to be shown next, the first first. */
  get order(): readonly number[] {
    return this.#order;
  }

  /** How much of what the order will show is new, from 0 to 1. */
  get worth(): number {
    return this.#worth;
  }

  /** The order was shown, of the first `count` as there were no more. Turns to the next one. */
  note(count: number): void {
    this.#show(this.#order, count);
    this.#worth = -1;
    for (let candidate = 0; candidate < CANDIDATES; candidate++) {
      const order = shuffled(MAX_ORDERED, this.#stream);
      const worth = this.#show(order, count, false);
      if (worth > this.#worth) [this.#order, this.#worth] = [order, worth];
    }
  }

  /** Answers how much in `order` was not shown before, from 0 to 1. With `isReal` it is shown now. */
  #show(order: readonly number[], count: number, isReal = true): number {
    const among = order.filter((one) => one < count);
    const mark = isReal ? 1 : 0;
    let shown = 0;
    let whole = 0;
    for (let a = 0; a < among.length; a++) {
      for (let b = a + 1; b < among.length; b++) {
        const two = digitOf(among, a) * MAX_ORDERED + digitOf(among, b);
        shown += WORTH_OF_2 * show(this.#of2, two, mark);
        whole += WORTH_OF_2;
        for (let c = b + 1; c < among.length; c++) {
          const three = two * MAX_ORDERED + digitOf(among, c);
          shown += WORTH_OF_3 * show(this.#of3, three, mark);
          whole += WORTH_OF_3;
          for (let d = c + 1; d < among.length; d++, whole++) shown += show(this.#of4, three * MAX_ORDERED + digitOf(among, d), mark);
        }
      }
    }
    return whole === 0 ? 0 : 1 - shown / whole;
  }
}

function digitOf(among: readonly number[], place: number): number {
  return among[place] as number; // below the length
}

/** Answers 1 where the table says that it was shown, and 0 otherwise. */
function show(table: Uint8Array, place: number, mark: number): number {
  const was = table[place] as number; // each place has its digits below the base
  table[place] = was | mark;
  return was;
}

/** The numbers below `count` in a random order. */
function shuffled(count: number, stream: Random): number[] {
  const order: number[] = [];
  for (let one = 0; one < count; one++) {
    const place = stream.below(one + 1);
    order.push(order[place] ?? one);
    order[place] = one;
  }
  return order;
}
