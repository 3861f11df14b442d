import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { OrderCover } from "./order-cover.js";

/** How many orders of `count` are shown until one of them has the first `sides` in the order 0, 1, 2 and so on. */
function shownUntil(sides: number, count: number, seed: number): number {
  const cover = new OrderCover(new Random(seed));
  for (let shown = 1; ; shown++) {
    const among = cover.order.filter((one) => one < sides);
    cover.note(count);
    if (among.every((one, place) => one === place)) return shown;
  }
}

const meanUntil = (sides: number, count: number): number => {
  let total = 0;
  for (let seed = 0; seed < 100; seed++) total += shownUntil(sides, count, seed);
  return total / 100;
};

test("an order has all of the numbers once", () => {
  const cover = new OrderCover(new Random(7));
  for (let time = 0; time < 20; time++) {
    expect(cover.order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    cover.note(5);
  }
});

test("of two sides the second order is the first one turned round, almost always", () => {
  const counts = [0, 0, 0];
  for (let seed = 0; seed < 100; seed++) counts[Math.min(2, shownUntil(2, 2, seed) - 1)]! += 1;
  // One of 10 candidates is turned round with p > 1 - 1e-3.
  expect(counts[2]).toBe(0);
  expect(counts[0]! + counts[1]!).toBe(100);
});

test("an order of three or four is shown sooner than by random orders", () => {
  // Random orders need 6 and 24 on average, with a sigma of 0.55 and 2.3 for the mean of 100: these are more than 3 of them below.
  expect(meanUntil(3, 3)).toBeLessThan(4.3);
  expect(meanUntil(4, 6)).toBeLessThan(17);
});

test("it says how much of the next order is new, until all orders of four were shown", () => {
  const cover = new OrderCover(new Random(7));
  expect(cover.worth).toBe(1);
  const worths: number[] = [];
  for (let time = 0; time < 60; time++) {
    cover.note(4);
    worths.push(cover.worth);
  }
  // Of four, each shows one of the 24 orders; the last few are not always among the candidates.
  expect(worths.filter((worth) => worth > 0).length).toBeGreaterThanOrEqual(20);
  expect(cover.worth).toBe(0);
});

test("of one alone nothing is new", () => {
  const cover = new OrderCover(new Random(7));
  cover.note(1);
  expect(cover.worth).toBe(0);
});
