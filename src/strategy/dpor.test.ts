import { describe, expect, test } from "vitest";
import { counter, emptySteps, lastzero, readers, searchPrograms } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import type { Scenario, ScenarioEnv } from "../explore/scenario-run.js";
import type { Decision, StepRecord, Strategy } from "../schedule/strategy.js";
import { dpor } from "./dpor.js";
import { exhaustive } from "./exhaustive.js";

const everyRun = { stopOnFailure: false, minimise: false, seed: 7 } as const;

/** The strategy without what `change` takes from it. */
function changed(strategy: Strategy, change: Partial<Strategy>): Strategy {
  return {
    name: strategy.name,
    tracks: strategy.tracks ?? false,
    isSystematic: true,
    get leavesOut() {
      return strategy.leavesOut ?? false;
    },
    begin: (run) => strategy.begin(run),
    pick: (decision) => strategy.pick(decision),
    observe: (step) => strategy.observe?.(step),
    end: (result) => strategy.end?.(result),
    ...change,
  };
}

describe("one run for each class of equivalent orders", () => {
  const programs = [...searchPrograms, counter(4, 1), readers(7), lastzero(5), lastzero(7), lastzero(10)];

  test.each(programs.filter(({ expected }) => expected.classes !== undefined))("$name", async ({ scenario, expected }) => {
    const { runs, classes, failures, complete, failure } = await explore(scenario, { ...everyRun, strategy: dpor(), tracked: true });
    expect({ runs, classes, failures, complete }).toEqual({
      runs: expected.classes,
      classes: expected.classes,
      failures: expected.failingClasses ?? failures,
      complete: true,
    });
    expect(failure?.kind).toBe(failures === 0 ? undefined : (expected.kind ?? "error"));
  });

  test("a step that looks at something, and then at something else because of what it saw", async () => {
    // The reader of y matters only where the flag is not set yet: three classes, of which two let the flag be set last.
    const scenario: Scenario = async ({ shared, gather }) => {
      const data = shared({ flag: 0, y: 0 });
      const setFlag = async () => (data.flag = 1);
      const setY = async () => {
        if (data.flag === 0) data.y = 1;
      };
      await gather(setFlag, setY, async () => data.y);
    };
    const { runs, classes, complete } = await explore(scenario, { ...everyRun, strategy: dpor() });
    expect({ runs, classes, complete }).toEqual({ runs: 3, classes: 3, complete: true });
  });

  test("runs of hundreds of steps", async () => {
    const scenario: Scenario = async ({ shared, gather, sleep }) => {
      const data = shared({ a: 0, b: 0, both: 0 });
      const worker = (key: "a" | "b") => async () => {
        for (let step = 0; step < 300; step++) {
          data[key]++;
          if (step === 150) data.both++;
          await sleep(0);
        }
      };
      await gather(worker("a"), worker("b"));
    };
    const { runs, complete } = await explore(scenario, { ...everyRun, strategy: dpor(), tracked: true });
    expect({ runs, complete }).toEqual({ runs: 2, complete: true });
  });
});

/** What a scenario answers in all orders. */
async function answers(scenario: (env: ScenarioEnv) => Promise<string>, strategy: Strategy) {
  const seen = new Set<string>();
  const noting: Scenario = async (env) => {
    seen.add(await scenario(env));
  };
  const { runs, failures } = await explore(noting, { ...everyRun, strategy, tracked: true });
  return { runs, failures, leavesOut: strategy.leavesOut, seen: [...seen].sort() };
}

describe("gates and time", () => {
  /** Two requests that write, of which one may be held back until after a time limit, and another writer. */
  const requests = async ({ shared, gather, io, sleep }: ScenarioEnv): Promise<string> => {
    const log = shared<string[]>([]);
    const other = shared({ x: 0, y: 0 });
    const ask = (label: string) => async () => {
      await io(label);
      log.push(label);
    };
    const limit = async () => {
      await sleep(5);
      log.push("limit");
    };
    const [, , , ...seen] = await gather(
      ask("a"),
      ask("b"),
      limit,
      async () => ++other.x,
      async () => ++other.y,
    );
    return [...log, ...seen].join(" ");
  };

  test("whatever requests, batches and the clock can do is seen", async () => {
    const every = await answers(requests, exhaustive());
    const some = await answers(requests, dpor());
    expect(some).toEqual({ ...every, runs: some.runs });
    expect(every.seen).toHaveLength(6);
    expect(some.runs).toBeLessThan(every.runs / 10);
  });

  test("where no step is tracked it is exhaustive search, with batches and the clock", async () => {
    const untracked = changed(dpor(), { tracks: false });
    const plain: typeof requests = (env) => requests(Object.create(env, { shared: { value: <T>(data: T) => data } }) as ScenarioEnv);
    expect(await answers(plain, untracked)).toEqual(await answers(plain, exhaustive()));
  });
});

test("what vanishes is tried before that which takes it away", async () => {
  const scenario = async ({ shared, gather, sleep }: ScenarioEnv): Promise<string> => {
    const data = shared({ called: "" });
    const loop = (await import("../loop/running.js")).getRunningLoop("test");
    const handle = loop.callSoon(() => {
      data.called += "called ";
    });
    await gather(
      async () => {
        handle.cancel();
      },
      async () => {
        await sleep(0);
        data.called += "written ";
      },
    );
    return data.called;
  };
  const every = await answers(scenario, exhaustive());
  const some = await answers(scenario, dpor());
  expect(every.seen).toEqual(["called written ", "written ", "written called "]);
  expect(some.seen).toEqual(every.seen);
});

describe("with a bound on preemptions", () => {
  /** Counts, for each run, how often something other than the task that ran last was taken although that could go on. */
  function counting(strategy: Strategy, counts: number[]): Strategy {
    let last: StepRecord | undefined;
    return changed(strategy, {
      begin(run): boolean {
        last = undefined;
        const goesOn = strategy.begin(run);
        if (goesOn) counts.push(0);
        return goesOn;
      },
      pick(decision: Decision): number {
        const index = strategy.pick(decision);
        const resumed = decision.ready.findIndex(({ chain }) => chain === last?.chain);
        if (resumed >= 0 && resumed !== index) counts.push((counts.pop() ?? 0) + 1);
        return index;
      },
      observe(step): void {
        last = step;
        strategy.observe?.(step);
      },
    });
  }

  test.each([0, 1, 2])("no run has more than %i, and no two are of one class", async (preemptions) => {
    const counts: number[] = [];
    const { scenario } = counter(3, 1);
    const { runs, classes, complete, failures } = await explore(scenario, {
      ...everyRun,
      strategy: counting(dpor({ preemptions }), counts),
    });
    expect(Math.max(...counts)).toBe(preemptions);
    expect(counts).toHaveLength(runs);
    expect(classes).toBe(runs);
    expect(complete).toBe(false);
    expect(runs).toBeLessThan(36);
    expect(failures > 0).toBe(preemptions > 0);
  });

  test("a bound that is never reached leaves nothing out", async () => {
    const { runs, complete } = await explore(counter(3, 1).scenario, { ...everyRun, strategy: dpor({ preemptions: 6 }) });
    expect({ runs, complete }).toEqual({ runs: 36, complete: true });
  });

  test.each([0, 1, 2])("where no step is tracked it is exhaustive search with a bound of %i", async (preemptions) => {
    const { untracked: scenario } = counter(3, 1);
    const some = await explore(scenario, { ...everyRun, strategy: changed(dpor({ preemptions }), { tracks: false }) });
    const every = await explore(scenario, { ...everyRun, strategy: exhaustive({ preemptions }) });
    expect([some.runs, some.distinct, some.failures, some.complete]).toEqual([every.runs, every.distinct, every.failures, every.complete]);
    expect(some.complete).toBe(false);
  });

  test("it is known by its bound, and refuses one that is none", () => {
    expect(dpor({ preemptions: 2 }).name).toBe("dpor:2");
    expect(() => dpor({ preemptions: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: dpor: preemptions must be a whole number, 0 or more, not -1]`,
    );
  });
});

describe("a program that is no function of its schedule", () => {
  const options = { ...everyRun, strategy: dpor(), selfCheck: false };

  test("ends the search with an error, because it remembers the runs before", async () => {
    let made = 0;
    const outcome = await explore(
      async ({ gather, shared }) => {
        const data = shared({ x: 0 });
        made++;
        await gather(...Array.from({ length: made }, () => async () => data.x++), async () => data.x++);
      },
      { ...options, strategy: dpor() },
    );
    expect(outcome.runs).toBe(2);
    expect(outcome.failure?.kind).toBe("divergence");
    expect((outcome.failure?.error as Error).message).toContain("now     3 ready at step 2");
  });

  test("and so does one that says that it tells all, and does not", async () => {
    // The second task seems to be independent of the first, and has a second step only when it comes after it.
    const scenario: Scenario = async ({ gather, shared, sleep }) => {
      const told = shared({ x: 0, own: 0 });
      let isSet = false;
      await gather(
        async () => {
          isSet = true;
          told.x = 1;
        },
        async () => {
          told.own = 1;
          if (!isSet) return;
          await sleep(0);
          told.own = 2;
        },
        async () => (told.x = 2),
      );
    };
    const { failure } = await explore(scenario, { ...options, strategy: dpor(), tracked: true });
    expect(failure?.kind).toBe("divergence");
    expect((failure?.error as Error).message).toContain("what they share should go through env.shared");
  });
});

describe("what is left", () => {
  test("the estimate is never below 0, and 0 after the last run", async () => {
    const strategy = dpor();
    expect(strategy.remaining).toBeUndefined();
    const estimates: number[] = [];
    const noting = changed(strategy, {
      end(result): void {
        strategy.end?.(result);
        estimates.push(strategy.remaining ?? -1);
      },
    });
    await explore(lastzero(5).scenario, { ...everyRun, strategy: noting, tracked: true });
    expect(estimates).toHaveLength(64);
    expect(Math.min(...estimates)).toBe(0);
    expect(estimates.at(-1)).toBe(0);
    // After half of the runs, within a factor of four.
    expect(estimates[31]).toBeGreaterThan(8);
    expect(estimates[31]).toBeLessThan(128);
    expect(strategy.remaining).toBe(0);
  });

  test("one strategy can search twice", async () => {
    const strategy = dpor();
    for (const count of [1, 2]) {
      const { runs, complete } = await explore(counter(2, 1).scenario, { ...everyRun, strategy });
      expect({ count, runs, complete }).toEqual({ count, runs: 4, complete: true });
    }
  });

  test("steps that tell nothing are each dependent with all others", async () => {
    const { runs, complete, untracked } = await explore(emptySteps(2, 3).scenario, { ...everyRun, strategy: dpor() });
    expect({ runs, complete }).toEqual({ runs: 20, complete: true });
    expect(untracked).toBe("t0@1");
  });
});
