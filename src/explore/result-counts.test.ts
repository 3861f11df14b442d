import { expect, test } from "vitest";
import { ResultCounts } from "./result-counts.js";

test("results are told the most frequent first, and by their text where they came equally often", () => {
  const counts = new ResultCounts();
  for (const result of ["2", "b", "1", "b", "a", "b", "a"]) counts.add(result);
  expect(counts.sorted()).toEqual([
    ["b", 3],
    ["a", 2],
    ["1", 1],
    ["2", 1],
  ]);
  expect(counts.entries.map(([result]) => result)).toEqual(["2", "b", "1", "a"]);
  expect(counts.others).toBe(0);
});

test("beyond 10,000 different ones results are counted together, and those that are known still each by itself", () => {
  const counts = new ResultCounts();
  for (let number = 0; number < 10_005; number++) counts.add(String(number));
  counts.add("0", 3);
  counts.add("10004", 2);
  counts.addOthers(10);
  expect(counts.entries).toHaveLength(10_000);
  expect(counts.sorted()[0]).toEqual(["0", 4]);
  expect(counts.others).toBe(5 + 2 + 10);
});
