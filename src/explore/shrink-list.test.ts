import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { shrinkList } from "./shrink-list.js";

const numbers = Array.from({ length: 50 }, (_, index) => index);

test("what is needed is left, in its order, and nothing else", async () => {
  const random = new Random(7);
  for (let round = 0; round < 50; round++) {
    const needed = numbers.filter(() => random.next() < 0.1);
    const left = await shrinkList(numbers, (kept) => Promise.resolve(needed.every((number) => kept.includes(number))));
    expect(left).toEqual(needed);
  }
});

test("no single item of what is left can be left out, also where items are needed only together", async () => {
  // An even number of the first ten, and one of two others.
  const isEnough = (kept: readonly number[]): boolean =>
    kept.filter((number) => number < 10).length % 2 === 0 && (kept.includes(20) || kept.includes(30));
  const left = await shrinkList(numbers, (kept) => Promise.resolve(isEnough(kept)));
  expect(isEnough(left)).toBe(true);
  for (const item of left) expect(isEnough(left.filter((other) => other !== item))).toBe(false);
});

test("where nothing is needed, one question is enough, and an empty list asks none", async () => {
  const asked: (readonly number[])[] = [];
  const isEnough = (kept: readonly number[]): Promise<boolean> => {
    asked.push(kept);
    return Promise.resolve(true);
  };
  expect(await shrinkList(numbers, isEnough)).toEqual([]);
  expect(await shrinkList([], isEnough)).toEqual([]);
  expect(asked).toEqual([[]]);
});

test("of three needed items among fifty, fewer than fifty questions find out", async () => {
  let questions = 0;
  await shrinkList(numbers, (kept) => {
    questions++;
    return Promise.resolve([3, 24, 47].every((number) => kept.includes(number)));
  });
  expect(questions).toBeLessThan(50);
});
