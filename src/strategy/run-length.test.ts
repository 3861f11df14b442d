import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { RunLength } from "./run-length.js";

/** A run whose first decision is that of step `first`, and which has `steps` steps. */
function learn(length: RunLength, first: number | undefined, steps: number): void {
  length.begin();
  if (first !== undefined) expect([length.note(first), length.note(first + 3)]).toEqual([0, 3]);
  length.end(steps);
}

test("nothing is known before the first run that had a decision", () => {
  const length = new RunLength();
  learn(length, undefined, 20);
  expect(length.draw(new Random(7))).toBeUndefined();
});

test("it is the average from the first decision on, rounded up, and in one of eight draws the longest", () => {
  const length = new RunLength();
  for (const steps of [10, 10, 31]) learn(length, 2, steps); // 8, 8 and 29 places
  const stream = new Random(7);
  const draws = Array.from({ length: 2_000 }, () => length.draw(stream));
  expect(new Set(draws)).toEqual(new Set([15, 29]));
  // Binomial with mean 250 and sigma 14.8: outside 5 sigma with p < 6e-7, and the seed is fixed.
  expect(Math.abs(draws.filter((draw) => draw === 29).length - 250)).toBeLessThan(74);
});
