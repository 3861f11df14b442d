import { expect, test } from "vitest";
import { hash32, hashToUnit, MAX_SEED, Random } from "./random.js";

function draw(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.next());
}

test("the first draws of seed 7 are the same on every machine and Node version", () => {
  expect(draw(new Random(7), 4)).toMatchInlineSnapshot(`
    [
      0.36459518410265446,
      0.007880980148911476,
      0.1876203876454383,
      0.5066726722288877,
    ]
  `);
  const dice = new Random(7, "dice");
  expect(Array.from({ length: 12 }, () => dice.below(6))).toMatchInlineSnapshot(`
    [
      5,
      0,
      5,
      0,
      2,
      1,
      1,
      0,
      0,
      3,
      0,
      5,
    ]
  `);
});

test("the same path gives the same draws, another seed or label others", () => {
  const draws = draw(new Random(7, "a"), 50);
  expect(draw(new Random(7, "a"), 50)).toEqual(draws);
  expect(draw(new Random(7).fork("a"), 50)).toEqual(draws);
  expect(draw(new Random(8, "a"), 50)).not.toEqual(draws);
  expect(draw(new Random(7, "b"), 50)).not.toEqual(draws);
  expect(draw(new Random(7), 50)).not.toEqual(draws);
});

test("a label that holds a slash or a quote is not a path of labels", () => {
  const firsts = [new Random(7, "a/b"), new Random(7, "a", "b"), new Random(7, 'a"/"b'), new Random(7, 'a","b')].map((random) =>
    random.next(),
  );
  expect(new Set(firsts).size).toBe(4);
});

test("a fork depends on its label alone, and drawing from it does not disturb its parent", () => {
  const early = new Random(7);
  const fork = early.fork("data");
  const late = new Random(7);
  draw(late, 100);
  expect(draw(late.fork("data"), 20)).toEqual(draw(fork, 20));
  const undisturbed = new Random(7);
  expect(draw(early, 20)).toEqual(draw(undisturbed, 20));
});

test("forks share no draws", () => {
  // Two streams of 2,000 draws out of 2^32 share a value with p < 1e-3 a pair; the seed is fixed, so this cannot flake.
  const seen = new Set([...draw(new Random(7, "schedule"), 2_000), ...draw(new Random(7, "data"), 2_000)]);
  expect(seen.size).toBe(4_000);
});

test("seeds are whole numbers from 0 to 2^32 - 1", () => {
  expect(new Random(0).next()).not.toBe(new Random(MAX_SEED).next());
  for (const seed of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX_SEED + 1]) {
    expect(() => new Random(seed)).toThrow(expect.objectContaining({ code: "HEDDLE_USAGE" }) as Error);
  }
  expect(() => new Random(MAX_SEED + 1)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not 4294967296]`,
  );
  expect(() => new Random("7" as unknown as number)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not 7]`,
  );
  expect(() => new Random(Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not NaN]`,
  );
});

test("draws are spread evenly over the unit interval and independent of the one before", () => {
  const random = new Random(7, "spread");
  const count = 100_000;
  const cells = Array.from({ length: 16 }, () => 0);
  let below = 0;
  for (let index = 0; index < count; index++) {
    const first = random.below(4);
    const second = random.below(4);
    cells[first * 4 + second] = (cells[first * 4 + second] ?? 0) + 1;
    const unit = random.next();
    expect(unit >= 0 && unit < 1).toBe(true);
    if (unit < 0.5) below++;
  }
  // Chi-squared with 15 degrees of freedom is above 44.26 with p < 1e-4; half of the draws lie outside 5 sigma with p < 1e-6.
  const expected = count / 16;
  const chiSquared = cells.reduce((sum, cell) => sum + (cell - expected) ** 2 / expected, 0);
  expect(chiSquared).toBeLessThan(44.26);
  expect(Math.abs(below - count / 2)).toBeLessThan(5 * Math.sqrt(count / 4));
});

test("below answers every number under its bound and no other", () => {
  const random = new Random(7, "below");
  // One of 5 numbers is missed in 200 draws with p < 1e-18.
  expect([...new Set(Array.from({ length: 200 }, () => random.below(5)))].sort()).toEqual([0, 1, 2, 3, 4]);
  expect(Array.from({ length: 20 }, () => random.below(1))).toEqual(Array.from({ length: 20 }, () => 0));
});

test("hashes are pinned, because schedules depend on them", () => {
  expect(["", "a", "b", "task 1", "task 2", "żółw", "\ud800"].map(hash32)).toMatchInlineSnapshot(`
    [
      2872998923,
      444641715,
      2193908274,
      780186523,
      2249938688,
      2878624330,
      1463727854,
    ]
  `);
  expect(hashToUnit("task 1")).toBe(hash32("task 1") / 2 ** 32);
});

test("hashes of names that differ in the last character are spread over the unit interval", () => {
  const units = Array.from({ length: 1_000 }, (_, index) => hashToUnit(`t${index}`));
  const tenths = Array.from({ length: 10 }, (_, tenth) => units.filter((unit) => Math.floor(unit * 10) === tenth).length);
  // A tenth of 1,000 even draws is outside 60 to 140 with p < 3e-5; the input is fixed, so this cannot flake.
  expect(Math.min(...tenths)).toBeGreaterThan(60);
  expect(Math.max(...tenths)).toBeLessThan(140);
  expect(units.every((unit) => unit >= 0 && unit < 1)).toBe(true);
});
