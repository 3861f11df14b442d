import { expect, test } from "vitest";
import { isSimpler, type Simplicity, simplicityOf } from "./simplicity.js";

const stepsOf = (names: string): { name: string; operation: string }[] =>
  Array.from(names, (name, index) => ({ name, operation: String(index) }));

test.each([
  ["", 0, 0],
  ["a", 0, 1],
  ["aaa", 0, 3],
  ["aab", 1, 3],
  ["abab", 3, 4],
  ["abba", 2, 4],
])("the steps %j have %i switches", (names, switches, steps) => {
  expect(simplicityOf(stepsOf(names))).toEqual({ switches, steps });
});

test("fewer switches are simpler whatever the number of steps, and then fewer steps", () => {
  expect(isSimpler({ switches: 1, steps: 100 }, { switches: 2, steps: 1 })).toBe(true);
  expect(isSimpler({ switches: 2, steps: 1 }, { switches: 1, steps: 100 })).toBe(false);
  expect(isSimpler({ switches: 1, steps: 4 }, { switches: 1, steps: 5 })).toBe(true);
});

test("the order is strict and total: of two that differ exactly one is simpler, and none is simpler than itself", () => {
  const all: Simplicity[] = [0, 1, 2].flatMap((switches) => [0, 1, 2].map((steps) => ({ switches, steps })));
  for (const [place, a] of all.entries()) {
    for (const [other, b] of all.entries()) expect(isSimpler(a, b)).toBe(place < other);
  }
});
