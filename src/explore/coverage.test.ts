import { describe, expect, test } from "vitest";
import { Random } from "../random/random.js";
import { CoverageCounter } from "./coverage.js";

const drawn = { isSystematic: false };

/** A run of schedule number `schedule`. */
const hashOf = (schedule: number) => ({ high: schedule + 1, low: Math.imul(schedule + 1, 0x9e3779b1) >>> 0 });

describe("what is new", () => {
  test("is counted among the last 1,000 runs", () => {
    const counter = new CoverageCounter();
    for (let run = 0; run < 1_500; run++) counter.add(hashOf(run < 600 ? run : 0), undefined);
    // Runs 500 to 599 showed something new.
    expect(counter.summary(undefined, drawn)).toMatchObject({ schedules: 600, newInLast1000: 100 });
  });

  test("is told in classes where steps are tracked", () => {
    const counter = new CoverageCounter();
    for (let run = 0; run < 10; run++) counter.add(hashOf(run), hashOf(run % 3));
    expect(counter.summary({ seen: 4, bothWays: 1 }, drawn)).toEqual({
      schedules: 10,
      classes: 3,
      pairs: { seen: 4, bothWays: 1 },
      newInLast1000: 3,
      chanceOfNew: 0,
      remaining: undefined,
    });
  });
});

describe("the chance that the next run is new", () => {
  test("is estimated by the share of what was seen only once, and comes near the truth", () => {
    // Schedule n has probability 2^-(n+1). What was not seen in the first 500 draws has this probability together:
    const counter = new CoverageCounter();
    const random = new Random(7, "coverage");
    const seen = new Set<number>();
    for (let run = 0; run < 500; run++) {
      const schedule = Math.floor(-Math.log2(1 - random.next()));
      seen.add(schedule);
      counter.add(hashOf(schedule), undefined);
    }
    let unseen = 1;
    for (const schedule of seen) unseen -= 2 ** -(schedule + 1);
    const { chanceOfNew = Number.NaN } = counter.summary(undefined, drawn);
    expect(chanceOfNew).toBeGreaterThan(0);
    // The estimate has a standard error of about sqrt(2 * 1.44 / 500) / sqrt(500) < 0.004 here; the seed is fixed.
    expect(Math.abs(chanceOfNew - unseen)).toBeLessThan(0.012);
  });

  test("is not estimated before the first run, nor where no run is made twice", () => {
    const counter = new CoverageCounter();
    expect(counter.summary(undefined, drawn).chanceOfNew).toBeUndefined();
    counter.add(hashOf(1), undefined);
    expect(counter.summary(undefined, drawn).chanceOfNew).toBe(1);
    expect(counter.summary(undefined, { isSystematic: true, remaining: 5 })).toMatchObject({ chanceOfNew: undefined, remaining: 5 });
  });
});
