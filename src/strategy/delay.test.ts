import { describe, expect, test } from "vitest";
import { lateRead, searchPrograms } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import { hashToUnit } from "../random/random.js";
import type { Strategy } from "../schedule/strategy.js";
import { delayBounded } from "./delay.js";

const everyRun = { runs: 1_000_000, stopOnFailure: false, minimise: false, seed: 7 } as const;

/** How many alternatives there are after some picks; less than two end the run. */
type Tree = (picks: readonly number[]) => number;

function walk(strategy: Strategy, tree: Tree): readonly number[] {
  const picks: number[] = [];
  for (let count = tree(picks); count > 1; count = tree(picks)) {
    const ready = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, operation: String(picks.length) }));
    picks.push(strategy.pick({ step: picks.length + 1, timeMs: 0, count, ready }));
  }
  return picks;
}

function* leaves(tree: Tree, picks: readonly number[] = []): Generator<readonly number[]> {
  const count = tree(picks);
  if (count < 2) yield picks;
  else for (let index = 0; index < count; index++) yield* leaves(tree, [...picks, index]);
}

/** No more than eight decisions of up to four alternatives; some runs end early. */
const randomTree =
  (seed: number): Tree =>
  (picks) =>
    picks.length === 8 ? 0 : Math.floor(hashToUnit(`${seed}/${picks.join()}`) * 5);

const delaysOf = (picks: readonly number[]): number => picks.reduce((sum, pick) => sum + pick, 0);

describe("the schedules within the bound", () => {
  test("of random trees each is taken once, those with fewer delays first", () => {
    for (let seed = 0; seed < 300; seed++) {
      const all = [...leaves(randomTree(seed))];
      const bound = seed % 7;
      const strategy = delayBounded({ delays: bound });
      const walks: (readonly number[])[] = [];
      for (let run = 0; strategy.begin(run); run++) {
        walks.push(walk(strategy, randomTree(seed)));
        expect(strategy.name).toBe(`delay:${bound}`);
      }
      const delays = walks.map(delaysOf);
      expect(delays).toEqual(delays.toSorted((a, b) => a - b));
      const within = all.filter((picks) => delaysOf(picks) <= bound);
      expect(walks.map(String).toSorted()).toEqual(within.map(String).toSorted());
      expect(strategy.leavesOut).toBe(within.length < all.length);
      expect(strategy.remaining).toBe(0);
    }
  });

  test("are of a program all that exhaustive search takes, where the bound is high enough", async () => {
    for (const { untracked, expected } of searchPrograms.filter(({ expected: { schedules = 1_000 } }) => schedules < 200)) {
      const strategy = delayBounded({ delays: 40 });
      const { runs, distinct, failures } = await explore(untracked, { ...everyRun, strategy });
      expect({ runs, distinct, failures }).toEqual({ runs: expected.schedules, distinct: runs, failures: expected.failing });
      expect(strategy.leavesOut).toBe(false);
    }
  });

  test("are two delays by default, of a task that others overtake", async () => {
    // The reader comes first or second in the order of arrival; each further step of the writer costs a delay.
    const strategy = delayBounded();
    expect(strategy).toMatchObject({ name: "delay", isSystematic: true, isFair: true });
    expect(await explore(lateRead(5).untracked, { ...everyRun, strategy })).toMatchObject({ runs: 4, failures: 0 });
    expect(strategy.leavesOut).toBe(true);
  });

  test("begin with the order of arrival, and end for good", () => {
    const strategy = delayBounded({ delays: 1 });
    const tree: Tree = ({ length }) => (length < 3 ? 2 : 0);
    const walks = () => {
      const all: string[] = [];
      for (let run = 0; strategy.begin(run); run++) all.push(walk(strategy, tree).join(""));
      return all;
    };
    expect(walks()).toEqual(["000", "100", "010", "001"]);
    expect(strategy.begin(4)).toBe(false);
    expect(strategy.leavesOut).toBe(true);
    expect(walks()).toEqual(["000", "100", "010", "001"]);
  });
});

describe("what is left", () => {
  test("is known once only schedules with as many delays as the bound are left, and before that no more is said than there is", () => {
    for (let seed = 0; seed < 100; seed++) {
      const strategy = delayBounded({ delays: 2 });
      const walks: { readonly delays: number; readonly remaining: number }[] = [];
      for (let run = 0; strategy.begin(run); run++) {
        const delays = delaysOf(walk(strategy, randomTree(seed)));
        walks.push({ delays, remaining: strategy.remaining! });
      }
      walks.forEach(({ delays, remaining }, run) => {
        const left = walks.length - run - 1;
        if (delays === 2) expect(remaining).toBe(left);
        else expect(remaining).toBeLessThanOrEqual(left);
      });
    }
  });

  test("is unknown before the first run", () => {
    expect(delayBounded().remaining).toBeUndefined();
  });
});

describe("a program that is no function of its schedule", () => {
  /** Runs until something is thrown. */
  const messageOf = (strategy: Strategy, tree: (run: number) => Tree): string => {
    for (let run = 0; strategy.begin(run); run++) {
      try {
        walk(strategy, tree(run));
      } catch (error) {
        return (error as Error).message;
      }
    }
    return "complete";
  };

  test("is stopped where it has other alternatives than before at a deviation", () => {
    const strategy = delayBounded();
    const message = messageOf(
      strategy,
      (run) =>
        ({ length }) =>
          length === 4 ? 0 : run > 4 ? 3 : 2,
    );
    expect(message).toMatchInlineSnapshot(`
      "divergence at step 1: the same decisions did not lead to the same place again.
        before  2 ready at step 1
        now     3 ready at step 1 [t0@0, t1@0, t2@0]
      Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run."
    `);
    expect(strategy).toMatchObject({ leavesOut: true, remaining: undefined });
    expect(strategy.begin(9)).toBe(false);
    expect(strategy.begin(0)).toBe(true);
    expect(strategy.leavesOut).toBe(false);
  });

  test("is stopped in the next run where it ended before its deviation", () => {
    const strategy = delayBounded();
    const message = messageOf(
      strategy,
      (run) =>
        ({ length }) =>
          length === (run === 3 ? 1 : 4) ? 0 : 2,
    );
    expect(message).toMatchInlineSnapshot(`
      "divergence at step 2: the same decisions did not lead to the same place again.
        before  a further decision
        now     the end of the run
      Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run."
    `);
    expect(strategy.begin(9)).toBe(false);
  });
});

test.each([-1, 0.5, Number.NaN])("%s delays are refused", (delays) => {
  expect(() => delayBounded({ delays })).toThrow(`delayBounded: delays must be a whole number, 0 or more, not ${String(delays)}`);
});
