import { expect, test } from "vitest";
import { SeenOrders } from "./seen-orders.js";

test("an order is new once, and differs by each index, by the number of alternatives and by its length", () => {
  const seen = new SeenOrders();
  const isNew = (decisions: readonly (readonly [number, number])[]): boolean => {
    seen.begin();
    for (const [index, count] of decisions) seen.note(index, count);
    return seen.end();
  };
  const orders = [
    [],
    [[0, 2]],
    [[0, 3]],
    [[1, 2]],
    [
      [0, 2],
      [0, 2],
    ],
    [
      [0, 2],
      [1, 2],
    ],
    [
      [1, 2],
      [0, 2],
    ],
  ] as const; // prettier-ignore
  expect(orders.map(isNew)).toEqual(orders.map(() => true));
  expect(orders.map(isNew)).toEqual(orders.map(() => false));
});

test("of 2,000 different orders hardly one is taken for another", () => {
  const seen = new SeenOrders();
  let fresh = 0;
  for (let number = 0; number < 2_000; number++) {
    seen.begin();
    for (let bit = 0; bit < 11; bit++) seen.note((number >> bit) & 1, 2);
    if (seen.end()) fresh++;
  }
  // Two of them have the same 32 bits with p < 5e-4.
  expect(fresh).toBe(2_000);
});
