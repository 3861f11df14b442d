/** I/O gates: what the scheduler may do with them, and what it may not. */
import { describe, expect, test } from "vitest";
import { createTask } from "../loop/create-task.js";
import { currentTask } from "../loop/current-task.js";
import { io } from "../loop/io.js";
import { run } from "../loop/run.js";
import { sleep } from "../loop/sleep.js";
import { decodeSchedule } from "../schedule/token.js";
import { exhaustive } from "../strategy/exhaustive.js";
import { explore, replay } from "./explore.js";
import type { ExploreOptions } from "./options.js";
import type { Outcome } from "./outcome.js";
import type { Scenario } from "./scenario-run.js";

const seed = 7;

/** All ends of a scenario, each with the number of schedules that lead to it. */
async function endsOf(
  scenario: (note: (text: string) => void) => Scenario,
  options: ExploreOptions = {},
): Promise<{ readonly outcome: Outcome; readonly ends: Record<string, number> }> {
  const ends: Record<string, number> = {};
  let log: string[] = [];
  const body: Scenario = async (env) => {
    log = [];
    await scenario((text) => log.push(text))(env);
  };
  const outcome = await explore(body, {
    seed,
    strategy: exhaustive(),
    stopOnFailure: false,
    minimise: false,
    selfCheck: false,
    onRun: () => {
      const end = log.join(" ");
      ends[end] = (ends[end] ?? 0) + 1;
    },
    ...options,
  });
  return { outcome, ends };
}

describe("the order in which gates settle", () => {
  test("is every order, each once, when none may settle together", async () => {
    const three = (note: (text: string) => void): Scenario => {
      const load = (label: string) => io(label).then(() => note(label));
      return async () => {
        await Promise.all(["a", "b", "c"].map(load));
      };
    };
    const { outcome, ends } = await endsOf(three, { maxBatch: 1 });
    expect(outcome).toMatchObject({ status: "passed", runs: 6, complete: true });
    expect(ends).toEqual({ "a b c": 1, "a c b": 1, "b a c": 1, "b c a": 1, "c a b": 1, "c b a": 1 });
  });

  test("may be that of a batch: both settle before anything that waits for them goes on", async () => {
    const two = (note: (text: string) => void): Scenario => {
      let isSettled = false;
      const load = (label: string, settle: () => void) => io(label, settle).then(() => note(`${label}${isSettled ? "+" : ""}`));
      return async () => {
        isSettled = false;
        await Promise.all([
          load("a", () => undefined),
          load("b", () => {
            isSettled = true;
          }),
        ]);
      };
    };
    const { ends } = await endsOf(two);
    // Apart in both orders; together in both orders.
    expect(ends).toEqual({ "a b+": 1, "a+ b+": 1, "b+ a+": 2 });
  });

  test("is that of arrival under fifo, and they settle alone", async () => {
    const { ends } = await endsOf(
      (note) => async () => {
        await Promise.all(["a", "b", "c"].map((label) => io(label).then(() => note(label))));
      },
      { strategy: "fifo", runs: 1 },
    );
    expect(ends).toEqual({ "a b c": 1 });
  });

  test("is permuted with the steps of tasks", async () => {
    const { ends } = await endsOf((note) => async ({ gather }) => {
      await gather(
        () => io("load").then(() => note("load")),
        async () => {
          await sleep(0);
          note("turn");
        },
      );
    });
    expect(Object.keys(ends).sort()).toEqual(["load turn", "turn load"]);
  });
});

describe("the bound on latency", () => {
  const race =
    (deadlineMs: number, maxMs?: number) =>
    (note: (text: string) => void): Scenario =>
    async ({ time }) => {
      const winner = await Promise.race([
        io("load", "loaded", maxMs === undefined ? {} : { maxMs }),
        (async () => {
          await sleep(deadlineMs);
          return "late";
        })(),
      ]);
      note(`${winner} ${time()}`);
    };

  test("lets a timeout within it win, or the gate", async () => {
    const { ends } = await endsOf(race(10));
    // At 10 ms both are ready, and either may be first.
    expect(Object.keys(ends).sort()).toEqual(["late 10", "loaded 0", "loaded 10"]);
  });

  test("lets no timeout beyond it win", async () => {
    // The answer may come at once, or as late as it may.
    const { ends, outcome } = await endsOf(race(11));
    expect(ends).toEqual({ "loaded 0": 1, "loaded 10": 1 });
    expect(outcome.complete).toBe(true);
    expect((await endsOf(race(21))).ends).toEqual({ "loaded 0": 1 });
  });

  test("holds for each of two answers in a row, which together are late for a timer that neither of them reaches", async () => {
    const inARow =
      (timeoutMs: number) =>
      (note: (text: string) => void): Scenario =>
      async ({ time }) => {
        let isLate = false;
        setTimeout(() => (isLate = true), timeoutMs);
        for (const part of ["head", "body"]) await io(part);
        note(`${isLate ? "late" : "loaded"} ${time()}`);
      };
    expect((await endsOf(inARow(15))).ends).toEqual({ "loaded 0": 1, "loaded 10": 2, "loaded 15": 1, "late 15": 1 });
    expect(Object.keys((await endsOf(inARow(20))).ends)).toContain("late 20");
    // More than two of them is not asked of a program, and nor is more than each may take.
    expect((await endsOf(inARow(21))).ends).toEqual({ "loaded 0": 1 });
    expect(Object.keys((await endsOf(inARow(21), { ioLatencyMs: 11 })).ends)).toContain("late 21");
  });

  test("is an option of the exploration, and of each gate", async () => {
    expect(Object.keys((await endsOf(race(10), { ioLatencyMs: 9 })).ends)).toEqual(["loaded 0", "loaded 9"]);
    expect(Object.keys((await endsOf(race(11), { ioLatencyMs: 11 })).ends)).toContain("late 11");
    expect(Object.keys((await endsOf(race(500, 500))).ends)).toContain("late 500");
    expect(Object.keys((await endsOf(race(10, 0))).ends)).toEqual(["loaded 0"]);
  });

  test("is counted from when each gate was opened", async () => {
    const { ends } = await endsOf((note) => async ({ gather, time }) => {
      await gather(
        async () => {
          await sleep(8);
          await io("late", undefined, { maxMs: 4 });
          note(`late ${time()}`);
        },
        async () => {
          for (let ms = 0; ms < 20; ms += 2) await sleep(2);
        },
      );
    });
    expect(Object.keys(ends).sort()).toEqual(["late 10", "late 12", "late 8"]);
  });

  test("says of a failure how slow the slowest I/O had to be, and a replay is held to it", async () => {
    const scenario: Scenario = async () => {
      let isLoaded = false;
      void io("load").then(() => {
        isLoaded = true;
      });
      await sleep(4);
      if (!isLoaded) throw new Error("too slow");
      await sleep(50);
    };
    const { failure } = await explore(scenario, { seed, ioLatencyMs: 30 });
    expect(failure).toMatchObject({ kind: "error", error: new Error("too slow"), slowestIoMs: 4 });
    const again = await replay(scenario, failure!.schedule);
    expect(again.failure).toMatchObject({ kind: "error", trace: failure!.trace });
    expect(decodeSchedule(failure!.schedule).ioLatencyMs).toBeGreaterThanOrEqual(4);
  });
});

describe("what a gate answers", () => {
  test("is the value, what the function returns when it is settled, or the error to reject with", async () => {
    let opened = 0;
    const answers = await run(async () => {
      const late = io("late", () => opened);
      opened = 5;
      return [await io("plain", 1), await late, await io("nothing"), await io("refused", new Error("refused")).catch(String)];
    });
    expect(answers).toEqual([1, 5, undefined, "Error: refused"]);
  });

  test("is an exception that the function throws", async () => {
    const broken = () => {
      throw new RangeError("broken");
    };
    await expect(run(async () => await io("load", broken))).rejects.toThrow("broken");
  });

  test("is a native promise, and what goes on there is its opener's", async () => {
    await run(async () => {
      const names: unknown[] = [];
      await createTask(
        async () => {
          const gate = io("load");
          expect(gate.constructor).toBe(Promise);
          await gate;
          names.push(currentTask()?.getName());
          await sleep(5);
          names.push(currentTask()?.getName());
        },
        { name: "loader" },
      );
      expect(names).toEqual(["loader", "loader"]);
    });
  });

  test.each([
    [() => io(5 as never), "io: label must be a text, not 5"],
    [() => io("load", undefined, { maxMs: -1 }), "io: maxMs must be a number of milliseconds, 0 or more, not -1"],
  ])("is a usage error for what makes no sense", async (call, message) => {
    await expect(run(async () => await call())).rejects.toThrow(message);
  });

  test("is a usage error outside of a run", () => {
    expect(() => io("load")).toThrow("io()");
  });
});

test("a gate that nobody waits for is no leak into the next run, and keeps nothing from ending", async () => {
  const scenario: Scenario = async () => {
    void io("forgotten");
    await sleep(0);
  };
  expect(await explore(scenario, { seed, runs: 50 })).toMatchObject({ status: "passed", runs: 50, uncontrolled: undefined });
});

describe.each(["portfolio", "pct", "laggards", "delay", "fifo"])("who polls, under %s,", (strategy) => {
  const immediate = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(resolve);
    });

  test.each<[string, () => PromiseLike<void>]>([
    ["by immediates", immediate],
    ["by turns of the loop", () => sleep(0)],
    ["by timers", () => sleep(1)],
  ])("%s for an answer gets it", async (_, turn) => {
    const scenario: Scenario = async () => {
      let isThere = false;
      void io("load").then(() => {
        isThere = true;
      });
      while (!isThere) await turn();
    };
    expect((await explore(scenario, { seed, runs: 100, strategy })).failure?.error).toBeUndefined();
  });

  test("by immediates for the clock sees it move, the faster the longer he waits", async () => {
    const scenario: Scenario = async () => {
      const end = Date.now() + 60_000;
      while (Date.now() < end) await immediate();
    };
    expect((await explore(scenario, { seed, runs: 2, strategy })).failure?.error).toBeUndefined();
  });
});

test("who polls for what never comes is a livelock, which names him once", async () => {
  const scenario: Scenario = async () => {
    for (;;) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  const { failure } = await explore(scenario, { seed, runs: 1, minimise: false });
  expect((failure?.error as Error).message).toMatch(/which were\n {2}setImmediate {2}1000 steps\nUsually/);
});
