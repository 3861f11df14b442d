import { describe, expect, test } from "vitest";
import { explore } from "../explore/explore.js";
import type { Scenario } from "../explore/scenario-run.js";
import type { Alternative, Decision, RunResult, StepRecord, Strategy } from "../schedule/strategy.js";
import { exhaustive } from "./exhaustive.js";
import { fair } from "./fair.js";
import { fifo } from "./fifo.js";
import { laggards } from "./laggards.js";
import { random } from "./random.js";

const lastComeFirstServed: Strategy = { name: "lifo", begin: () => true, pick: ({ ready }) => ready.length - 1 };
const waiting = (name: string, kind: Alternative["kind"] = "task"): Alternative => ({ name, operation: "1", kind });

/** Decisions between those that wait and one that polls, which is last in line each time. Answers the numbers of those at which one that waits is taken. */
function poll(strategy: Strategy, arrivals: readonly (readonly [at: number, task: Alternative])[], decisions: number): [number, string][] {
  const taken: [number, string][] = [];
  let ready: Alternative[] = [];
  for (let step = 1; step <= decisions; step++) {
    ready.push(...arrivals.filter(([at]) => at === step).map(([, task]) => task));
    const offered = [...ready, { name: "poll", operation: String(step) }];
    if (offered.length < 2) continue;
    const index = strategy.pick({ step, timeMs: 0, count: offered.length, ready: offered });
    if (index < ready.length) taken.push([step, ready[index]!.name]);
    ready = ready.filter((_, place) => place !== index);
  }
  return taken;
}

const begun = (strategy: Strategy): Strategy => {
  strategy.begin(0);
  return strategy;
};

describe("the bound", () => {
  test.each([250, 100, 7, 1])("a task that is ready from the start is taken after it was passed over %i times", (starvationBound) => {
    const strategy = begun(fair(lastComeFirstServed, { starvationBound }));
    expect(poll(strategy, [[1, waiting("a")]], 600)).toEqual([[starvationBound + 1, "a"]]);
  });

  test("is 250 by default, and begins anew with each run", () => {
    const strategy = fair(lastComeFirstServed);
    for (let run = 0; run < 3; run++) {
      strategy.begin(run);
      expect(poll(strategy, [[1, waiting("a")]], 600)).toEqual([[251, "a"]]);
    }
  });

  test("is exact for who comes in its second half or later, and may strike sooner for who came in the first, but not within half of it", () => {
    for (let at = 1; at < 400; at += 7) {
      const strategy = begun(fair(lastComeFirstServed, { starvationBound: 100 }));
      const [[step] = [0]] = poll(
        strategy,
        [
          [1, waiting("a", "clock")],
          [at, waiting("b")],
        ],
        600,
      );
      const passedOver = step - at;
      expect(passedOver).toBeLessThanOrEqual(100);
      expect(passedOver).toBeGreaterThanOrEqual(at > 51 ? 100 : 50);
    }
  });

  test("halves each time that it strikes, down to four times the number of those that are ready", () => {
    const strategy = begun(fair(lastComeFirstServed, { starvationBound: 200 }));
    const arrivals = Array.from({ length: 12 }, (_, index) => [1 + 300 * index, waiting(`t${index}`)] as const);
    const waits = poll(strategy, arrivals, 4_000).map(([step], index) => step - 300 * index - 1);
    expect(waits).toEqual([200, 100, 50, 25, 12, 8, 8, 8, 8, 8, 8, 8]);
  });

  test("of several, those that have waited longest come first", () => {
    const strategy = begun(fair(lastComeFirstServed, { starvationBound: 20 }));
    const arrivals = [15, 16, 16, 30].map((at, index) => [at, waiting(`t${index}`)] as const);
    // With five that are ready, the one that polls included, the bound stays at 20; with four it becomes 16, and with three 12.
    expect(poll(strategy, arrivals, 100)).toEqual([
      [35, "t0"],
      [36, "t1"],
      [37, "t2"],
      [42, "t3"],
    ]);
  });

  test("who is taken begins anew, also as the same object", () => {
    const [a, b] = [waiting("a"), waiting("b")];
    const taken: number[] = [];
    const strategy = begun(fair(lastComeFirstServed, { starvationBound: 10 }));
    for (let step = 1; step <= 40; step++) {
      if (strategy.pick({ step, timeMs: 0, count: 2, ready: [a, b] }) === 0) taken.push(step);
    }
    expect(taken).toEqual([11, 20, 29, 38]);
  });

  test("holds for a gate beside who polls, which lets no time pass", () => {
    const strategy = begun(fair(lastComeFirstServed, { starvationBound: 20 }));
    expect(poll(strategy, [[15, waiting("g", "gate")]], 100)).toEqual([[35, "g"]]);
  });

  test("gates and the clock by themselves are left to the loop, and so is what joins a batch", () => {
    const asked: Decision[] = [];
    const strategy = begun(
      fair(
        {
          name: "first",
          begin: () => true,
          pick: (decision) => {
            asked.push(decision);
            return decision.count - 1;
          },
        },
        { starvationBound: 5 },
      ),
    );
    const ready = [waiting("g", "gate"), waiting("h", "gate"), waiting("clock", "clock")];
    for (let step = 1; step <= 50; step++) expect(strategy.pick({ step, timeMs: 0, count: 3, ready })).toBe(2);
    const batch: Decision = { kind: "batch", step: 1, timeMs: 0, count: 2, ready: [waiting("settle", "settle"), waiting("g", "gate")] };
    for (let time = 0; time < 50; time++) expect(strategy.pick(batch)).toBe(1);
    expect(asked).toHaveLength(100);
  });

  test("is not looked at in its first half", () => {
    const strategy = begun(fair({ name: "blind", begin: () => true, pick: () => 0 }, { starvationBound: 100 }));
    const decision: Decision = {
      step: 1,
      timeMs: 0,
      count: 2,
      get ready(): never {
        throw new Error("the list was made");
      },
    };
    for (let time = 0; time < 50; time++) expect(strategy.pick(decision)).toBe(0);
    expect(() => strategy.pick(decision)).toThrow("the list was made");
  });
});

describe("in a run", () => {
  /** Ends only when the setter has run, which a strategy may put off. */
  const polling: Scenario = async ({ gather, sleep }) => {
    let isSet = false;
    const poller = async (): Promise<void> => {
      while (!isSet) await sleep(0);
    };
    const setter = async (): Promise<void> => {
      await sleep(0);
      isSet = true;
    };
    await gather(setter, poller);
  };

  test("a correct program that polls is no livelock", async () => {
    const options = { runs: 200, seed: 7, maxSteps: 600, minimise: false } as const;
    expect(await explore(polling, { ...options, strategy: fair(lastComeFirstServed) })).toMatchObject({ status: "passed" });
    expect(await explore(polling, { ...options, strategy: fair(laggards(7, { share: 0.5 })) })).toMatchObject({ status: "passed" });
  });

  test("a systematic search of it ends, takes no schedule twice, and does not claim to have seen everything", async () => {
    const strategy = fair(exhaustive(), { starvationBound: 6 });
    const outcome = await explore(polling, { seed: 7, runs: 10_000, strategy });
    expect(outcome.status).toBe("passed");
    // The setter takes its two steps among the poller's, at most six of which pass each.
    expect(outcome.runs).toBe(outcome.distinct);
    expect(outcome.runs).toBeLessThan(100);
    expect(strategy.leavesOut).toBe(true);
    expect(strategy.begin(0)).toBe(true);
    expect(strategy.leavesOut).toBe(false);
  });

  test("one that nobody needs is passed through without a difference", async () => {
    const counts = async (strategy: Strategy) => {
      const { runs, distinct } = await explore(async ({ gather, sleep }) => gather(sleep(0), sleep(0), sleep(0)), {
        seed: 7,
        runs: 10_000,
        strategy,
      });
      return { runs, distinct, leavesOut: strategy.leavesOut };
    };
    expect(await counts(fair(exhaustive()))).toEqual(await counts(exhaustive()));
  });
});

describe("what it passes on", () => {
  test("a strategy that is fair is answered as it is", () => {
    for (const strategy of [random(7), fifo()]) expect(fair(strategy)).toBe(strategy);
  });

  test("it is what the other is, but fair", () => {
    expect(fair(exhaustive())).toMatchObject({
      name: "exhaustive",
      isFair: true,
      isSystematic: true,
      leavesOut: false,
      remaining: undefined,
      tracks: false,
      housekeeping: "eager",
    });
    const plain = fair(lastComeFirstServed);
    expect(plain).toMatchObject({ isSystematic: false, leavesOut: false, tracks: false });
    expect("observe" in plain && plain.observe !== undefined).toBe(false);
    expect(fair({ ...lastComeFirstServed, tracks: true, leavesOut: true, remaining: 7, housekeeping: "inline" })).toMatchObject({
      tracks: true,
      leavesOut: true,
      remaining: 7,
      housekeeping: "inline",
    });
    expect(fair({ ...lastComeFirstServed, begin: () => false }).begin(0)).toBe(false);
  });

  test("a strategy that is an object of a class is told of everything", () => {
    class Telling implements Strategy {
      readonly name = "telling";
      readonly #told: string[] = [];
      get told(): string {
        return this.#told.join(", ");
      }
      begin(run: number): boolean {
        this.#told.push(`begin ${run}`);
        return true;
      }
      pick({ count }: Decision): number {
        this.#told.push(`pick of ${count}`);
        return 1;
      }
      observe({ name }: StepRecord): void {
        this.#told.push(`observe ${name}`);
      }
      end({ steps }: RunResult): void {
        this.#told.push(`end after ${steps}`);
      }
    }
    const telling = new Telling();
    const strategy = fair(telling);
    strategy.begin(3);
    strategy.pick({ step: 1, timeMs: 0, count: 2, ready: [waiting("a"), waiting("b")] });
    strategy.observe?.({ name: "b", operation: "2", step: 1, timeMs: 0, ready: 2 });
    strategy.end?.({ run: 3, failed: false, steps: 1 });
    expect(telling.told).toBe("begin 3, pick of 2, observe b, end after 1");
  });
});

test.each([0, 0.5, -1, Number.NaN])("a bound of %s is refused", (starvationBound) => {
  expect(() => fair(lastComeFirstServed, { starvationBound })).toThrow(
    `fair: starvationBound must be a whole number, 1 or more, not ${String(starvationBound)}`,
  );
});
