/**
 * Drawing from a source of whole numbers: one of a list, some of a list, an order, yes or no.
 */

/** A source of whole numbers from 0 to `bound - 1`. */
export type Draw = (bound: number) => number;

/** Something with how often it is drawn, relative to what stands beside it. */
export type Weight<T> = readonly [kind: T, weight: number];

export class Dice {
  /** A whole number from 0 to `bound - 1`. */
  readonly draw: Draw;

  constructor(draw: Draw) {
    this.draw = draw;
  }

  /** True so often in a hundred. */
  chance(percent: number): boolean {
    return this.draw(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.draw(items.length)] as T; // no caller hands in an empty list
  }

  pickWeighted<T>(weights: readonly Weight<T>[]): T | undefined {
    let left = this.draw(
      Math.max(
        1,
        weights.reduce((sum, [, weight]) => sum + weight, 0),
      ),
    );
    for (const [kind, weight] of weights) {
      left -= weight;
      if (left < 0) return kind;
    }
    return undefined;
  }

  /** One to three of them. */
  someOf(items: readonly number[]): readonly number[] {
    return this.shuffle(items).slice(0, 1 + this.draw(Math.min(3, items.length)));
  }

  shuffle(items: readonly number[]): readonly number[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.draw(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] ?? 0, shuffled[last] ?? 0];
    }
    return shuffled;
  }
}
