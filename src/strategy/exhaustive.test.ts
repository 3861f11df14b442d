import { describe, expect, test } from "vitest";
import { counter, deadlock01, emptySteps, lateRead, reorder, searchPrograms, twostage } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import type { Scenario } from "../explore/scenario-run.js";
import { hashToUnit } from "../random/random.js";
import type { Alternative, Decision, Strategy } from "../schedule/strategy.js";
import { exhaustive } from "./exhaustive.js";

const everyRun = { runs: 1_000_000, stopOnFailure: false, minimise: false, seed: 7 } as const;

/** How many alternatives there are after some picks; less than two end the run. */
type Tree = (picks: readonly number[]) => number;

/** One run of `tree`: the picks that `strategy` made. */
function walk(strategy: Strategy, tree: Tree): readonly number[] {
  const picks: number[] = [];
  for (let count = tree(picks); count > 1; count = tree(picks)) {
    const ready = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, operation: String(picks.length) }));
    picks.push(strategy.pick({ step: picks.length + 1, timeMs: 0, count, ready }));
  }
  return picks;
}

/** All that `strategy` does with `tree`, in order. */
function walkAll(strategy: Strategy, tree: Tree): (readonly number[])[] {
  const walks: (readonly number[])[] = [];
  for (let run = 0; strategy.begin(run); run++) walks.push(walk(strategy, tree));
  return walks;
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

describe("every schedule, once", () => {
  test.each([
    [emptySteps(2, 5), 252, 0],
    [counter(2, 1), 6, 4],
    [counter(3, 1), 90, 84],
    [counter(2, 2), 70, 64],
    [reorder(3), 172, 18],
    [twostage(), 114, 9],
    [deadlock01(), 16, 4],
    [lateRead(0), 2, 1],
    [lateRead(5), 7, 1],
    [lateRead(12), 14, 1],
  ] as const)("$0.name has $1 schedules, of which $2 fail", async ({ untracked }, schedules, failing) => {
    const outcome = await explore(untracked, { ...everyRun, strategy: exhaustive() });
    expect(outcome).toMatchObject({ runs: schedules, distinct: schedules, failures: failing, complete: true });
  });

  test("a program without decisions has one", async () => {
    expect(await explore(({ sleep }) => sleep(1), { ...everyRun, strategy: exhaustive() })).toMatchObject({ runs: 1, complete: true });
  });

  test("gates, batches of them and the clock are decisions like all others", async () => {
    const runsOf = async (scenario: Scenario) => {
      const { runs, distinct, complete } = await explore(scenario, { ...everyRun, strategy: exhaustive() });
      expect({ distinct, complete }).toEqual({ distinct: runs, complete: true });
      return runs;
    };
    // Either first, and the other in the same step or in one of its own.
    expect(await runsOf(({ io }) => Promise.all([io("a"), io("b")]))).toBe(4);
    // The caller first: the gate before the sleeper begins (1); while it sleeps (1); or the clock passes it, and it comes before or after the
    // sleeper (2). The sleeper first: the last three.
    expect(
      await runsOf(({ gather, io, sleep }) =>
        gather(
          () => io("a"),
          () => sleep(5),
        ),
      ),
    ).toBe(7);
    // Where the gate cannot be held back so long the clock passes to the end of its latency, and stops there. The caller first: the gate before
    // the sleeper begins, while it sleeps, or after that passing (3). The sleeper first: the last two.
    expect(
      await runsOf(({ gather, io, sleep }) =>
        gather(
          () => io("a", 0, { maxMs: 4 }),
          () => sleep(5),
        ),
      ),
    ).toBe(5);
  });

  test("of random trees each leaf is taken once, the last decision that has an alternative first", () => {
    for (let seed = 0; seed < 200; seed++) {
      const strategy = exhaustive();
      expect(walkAll(strategy, randomTree(seed))).toEqual([...leaves(randomTree(seed))]);
      expect(strategy.leavesOut).toBe(false);
    }
  });

  test("it is systematic, and says no again after its end until it is begun from the start", () => {
    const strategy = exhaustive();
    const tree = randomTree(3);
    const runs = [...leaves(tree)].length;
    expect(runs).toBeGreaterThan(20);
    expect(strategy.isSystematic).toBe(true);
    expect(walkAll(strategy, tree)).toHaveLength(runs);
    expect(strategy.begin(runs + 1)).toBe(false);
    expect(walkAll(strategy, tree)).toHaveLength(runs);
  });
});

describe("what is left", () => {
  test("the estimate is exact in a tree whose leaves are all equally likely, and 0 after the last run", () => {
    const strategy = exhaustive();
    expect(strategy.remaining).toBeUndefined();
    const tree: Tree = ({ length }) => [2, 3, 4, 0][length] ?? 0;
    for (let run = 0; strategy.begin(run); run++) {
      walk(strategy, tree);
      expect(strategy.remaining).toBe(23 - run);
    }
    expect(strategy.remaining).toBe(0);
  });

  test("in random trees it is 0 in the last run, and not before", () => {
    for (let seed = 0; seed < 100; seed++) {
      const tree = randomTree(seed);
      const all = [...leaves(tree)].length;
      const strategy = exhaustive();
      for (let run = 0; strategy.begin(run); run++) {
        walk(strategy, tree);
        expect(strategy.remaining! > 0).toBe(run + 1 < all);
      }
      expect(strategy.remaining).toBe(0);
    }
  });

  test("over random trees it is right on the average before the first decision has an alternative left", () => {
    // The first leaf alone is Knuth's estimator of the leaves but for its bias to the left, which a random tree does not have.
    let [estimated, real] = [0, 0];
    for (let seed = 0; seed < 4_000; seed++) {
      const strategy = exhaustive();
      strategy.begin(0);
      walk(strategy, randomTree(seed));
      estimated += 1 + strategy.remaining!;
      real += [...leaves(randomTree(seed))].length;
    }
    expect(estimated / real).toBeGreaterThan(0.8);
    expect(estimated / real).toBeLessThan(1.25);
  });

  test("a tree that is too deep for a number has infinitely many left", () => {
    const strategy = exhaustive();
    strategy.begin(0);
    walk(strategy, ({ length }) => (length < 1_200 ? 2 : 0));
    expect(strategy.remaining).toBe(Number.POSITIVE_INFINITY);
  });
});

/** Decides as `strategy` does, and writes down each run: what ran in each step, and how many preemptions that were. */
class Watching implements Strategy {
  readonly runs: { readonly steps: string; readonly preemptions: number }[] = [];
  readonly name = "watching";
  readonly isFair = true;
  readonly #strategy: Strategy;
  #steps: string[] = [];
  #preemptions = 0;

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
  }

  begin(run: number): boolean {
    this.#steps = [];
    this.#preemptions = 0;
    return this.#strategy.begin(run);
  }

  pick(decision: Decision): number {
    const index = this.#strategy.pick(decision);
    const [last, next] = [this.#steps.at(-1), decision.ready[index]?.name];
    if (next !== last && decision.ready.some(({ name }) => name === last)) this.#preemptions++;
    return index;
  }

  observe(step: Parameters<NonNullable<Strategy["observe"]>>[0]): void {
    this.#steps.push(step.name);
    this.#strategy.observe?.(step);
  }

  end(): void {
    this.runs.push({ steps: this.#steps.join(" "), preemptions: this.#preemptions });
  }
}

describe("a bound on preemptions", () => {
  const runsOf = async (scenario: Scenario, strategy: Strategy) => {
    const watching = new Watching(strategy);
    await explore(scenario, { ...everyRun, strategy: watching });
    return watching.runs;
  };

  test.each(searchPrograms.filter(({ expected: { schedules = 5_000 } }) => schedules < 2_000))(
    "of $name it takes exactly the schedules within the bound, once, and says whether there are others",
    async ({ untracked }) => {
      const all = await runsOf(untracked, exhaustive());
      const most = Math.max(...all.map(({ preemptions }) => preemptions));
      for (const bound of [0, 1, 2, most]) {
        const strategy = exhaustive({ preemptions: bound });
        const runs = await runsOf(untracked, strategy);
        const within = all.filter(({ preemptions }) => preemptions <= bound);
        expect(runs.map(({ steps }) => steps).toSorted()).toEqual(within.map(({ steps }) => steps).toSorted());
        expect(strategy.leavesOut).toBe(within.length < all.length);
        expect(strategy.remaining).toBe(0);
      }
    },
  );

  test("the counter needs one preemption to fail", async () => {
    const failures = async (preemptions: number) =>
      (await explore(counter(2, 1).untracked, { ...everyRun, strategy: exhaustive({ preemptions }) })).failures;
    // The order of the two tasks is free; one preemption parts either of them.
    expect([await failures(0), await failures(1), await failures(2)]).toEqual([0, 2, 4]);
  });

  test("tasks are told apart by their chain where there is one, and by their name where there is none; gates and callbacks go on with nothing", () => {
    const chain = {};
    const after = (last: Partial<Alternative>, ready: readonly Partial<Alternative>[]) => {
      const strategy = exhaustive({ preemptions: 0 });
      strategy.begin(0);
      strategy.observe?.({ name: "a", operation: "1", ...last, step: 1, timeMs: 0, ready: 1 });
      const alternatives = ready.map((each) => ({ name: "a", operation: "2", ...each }));
      const index = strategy.pick({ step: 2, timeMs: 0, count: ready.length, ready: alternatives });
      return { index, isCut: strategy.leavesOut };
    };
    expect(after({}, [{ name: "b" }, {}])).toEqual({ index: 1, isCut: true });
    expect(after({ chain }, [{ chain: {} }, { name: "b", chain }])).toEqual({ index: 1, isCut: true });
    expect(after({ chain }, [{ chain: {} }, { chain: {} }])).toEqual({ index: 0, isCut: false });
    expect(after({}, [{ name: "b" }, { kind: "gate" }])).toEqual({ index: 0, isCut: false });
  });

  test.each([-1, 0.5, Number.NaN])("%s is refused", (preemptions) => {
    expect(() => exhaustive({ preemptions })).toThrow(
      `exhaustive: preemptions must be a whole number, 0 or more, not ${String(preemptions)}`,
    );
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

  test("is stopped where it has other alternatives than before, and the search ends without being complete", () => {
    const strategy = exhaustive();
    const message = messageOf(strategy, (run) => (picks) => (picks.length === 3 ? 0 : run > 2 && picks.length === 1 ? 3 : 2));
    expect(message).toMatchInlineSnapshot(`
      "divergence at step 2: the same decisions did not lead to the same place again.
        before  2 ready at step 2
        now     3 ready at step 2 [t0@1, t1@1, t2@1]
      Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run."
    `);
    expect(strategy).toMatchObject({ leavesOut: true, remaining: undefined });
    expect(strategy.begin(4)).toBe(false);
    expect(strategy.begin(0)).toBe(true);
    expect(strategy.leavesOut).toBe(false);
  });

  test("is stopped in the next run where it ended early", () => {
    const strategy = exhaustive();
    const message = messageOf(strategy, (run) => (picks) => (picks.length === (run === 2 ? 1 : 3) ? 0 : 2));
    expect(message).toMatchInlineSnapshot(`
      "divergence at step 2: the same decisions did not lead to the same place again.
        before  2 ready at step 2
        now     the end of the run
      Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run."
    `);
    expect(strategy.leavesOut).toBe(true);
    expect(strategy.begin(4)).toBe(false);
  });

  test("is a failure of its exploration", async () => {
    let runs = 0;
    const leaking: Scenario = async ({ gather, sleep }) => {
      const tasks = ++runs > 5 ? 3 : 2;
      await gather(Array.from({ length: tasks }, () => async () => await sleep(0)));
    };
    const outcome = await explore(leaking, { ...everyRun, strategy: exhaustive() });
    expect(outcome).toMatchObject({ status: "failed", failure: { kind: "divergence" } });
  });
});
