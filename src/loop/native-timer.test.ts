/** Native timers and immediates among the other events of a run. */
import { describe, expect, test } from "vitest";
import { explore, replay } from "../explore/explore.js";
import type { ExploreOptions } from "../explore/options.js";
import type { Scenario, ScenarioEnv } from "../explore/scenario-run.js";
import { decodeSchedule } from "../schedule/token.js";

const seed = 7;
const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** All orders in which the named events come. */
async function ordersOf(
  events: (env: ScenarioEnv) => Readonly<Record<string, PromiseLike<unknown>>>,
  options: ExploreOptions = {},
): Promise<readonly string[]> {
  const orders = new Set<string>();
  const outcome = await explore(
    async (env) => {
      const log: string[] = [];
      await Promise.all(Object.entries(events(env)).map(([name, event]) => event.then(() => log.push(name))));
      orders.add(log.join(" "));
    },
    { seed, strategy: "exhaustive", maxBatch: 1, ...options },
  );
  expect(outcome).toMatchObject({ status: "passed", complete: true });
  return [...orders].sort();
}

describe("a timer against I/O", () => {
  test("comes before or behind it, where the I/O may be that slow", async () => {
    expect(await ordersOf(({ io }) => ({ io: io("load", 1), timer: nap(5) }))).toEqual(["io timer", "timer io"]);
  });

  test("comes behind it, where the I/O cannot be that slow", async () => {
    expect(await ordersOf(({ io }) => ({ io: io("load", 1), timer: nap(50) }))).toEqual(["io timer"]);
  });

  test("wins only under the larger one of two bounds", async () => {
    const find = (ioLatencyMs: number | readonly number[]): Promise<readonly string[]> =>
      ordersOf(({ io }) => ({ io: io("load", 1), timer: nap(500) }), { ioLatencyMs });
    expect(await find(10)).toEqual(["io timer"]);
    expect(await find([10, 1_000])).toEqual(["io timer", "timer io"]);
  });

  test("an immediate is permuted with it", async () => {
    expect(await ordersOf(({ io }) => ({ io: io("load", 1), immediate: turn() }))).toEqual(["immediate io", "io immediate"]);
  });

  test("an immediate is permuted with a task", async () => {
    expect(await ordersOf(({ sleep }) => ({ task: sleep(0), immediate: turn() }))).toEqual(["immediate task", "task immediate"]);
  });
});

describe("among themselves", () => {
  test("timers of one deadline keep the order in which they were set, whatever else is permuted", async () => {
    const orders = await ordersOf(({ io }) => ({ a: nap(5), b: nap(5), io: io("load", 1) }));
    expect(orders).toEqual(["a b io", "a io b", "io a b"]);
  });

  test("timers come by their deadlines, whenever they were set", async () => {
    const orders = await ordersOf(({ io }) => ({ late: nap(7), early: nap(3), io: io("load", 1) }));
    expect(orders).toEqual(["early io late", "early late io", "io early late"]);
  });

  test("immediates keep their order, and so do those that they set", async () => {
    const orders = await ordersOf(({ io }) => ({ a: turn(), b: turn(), c: turn().then(turn), io: io("load", 1) }));
    expect(orders.filter((order) => order.replace(/ ?io ?/, " ").trim() !== "a b c")).toEqual([]);
    expect(orders).toHaveLength(4);
  });

  test("one that is cleared is no alternative any more, and the next of its like is in its place", async () => {
    const orders = await ordersOf(({ io }) => {
      let wake: () => void = () => undefined;
      const never = setTimeout(() => expect.unreachable(), 5);
      const b = new Promise<void>((resolve) => {
        wake = resolve;
      });
      setTimeout(() => wake(), 5);
      const a = new Promise<void>((resolve) => {
        setTimeout(() => {
          clearTimeout(never);
          resolve();
        }, 4);
      });
      return { a, b, io: io("load", 1) };
    });
    expect(orders).toEqual(["a b io", "a io b", "io a b"]);
  });

  test("an interval and a timer meet in the order of their deadlines", async () => {
    const orders = await ordersOf(() => {
      let fired = 0;
      const thrice = new Promise<void>((resolve) => {
        const interval = setInterval(() => {
          if (++fired < 3) return;
          clearInterval(interval);
          resolve();
        }, 10);
      });
      return { thrice, before: nap(29), after: nap(31) };
    }, {});
    expect(orders).toEqual(["before thrice after"]);
  });
});

describe("by their names", () => {
  const race: Scenario = async ({ io }) => {
    const log: string[] = [];
    const interval = setInterval(() => log.push("tick"), 4);
    await Promise.all([io("load", 1).then(() => log.push("io")), nap(9).then(() => log.push("timer")), turn()]);
    clearInterval(interval);
    if (log.indexOf("io") > log.indexOf("timer")) throw new Error(log.join(" "));
  };

  test("they stand in schedules and traces, with the moment and the place, and a token brings them back", async () => {
    const { failure } = await explore(race, { seed });
    expect(failure).toMatchObject({ kind: "error", error: new Error("tick tick timer io") });
    const timers = failure?.trace.filter(({ name }) => name === "timer").map(({ t, task, op }) => [t, task, op]);
    expect(timers).toEqual(
      expect.arrayContaining([
        [0, "setImmediate", "1"],
        [4, "setInterval(4)", "1"],
        [8, "setInterval(4)", "1.2"],
        [9, "setTimeout(9)", "1"],
      ]),
    );
    const token = failure?.schedule ?? "";
    expect(JSON.stringify(decodeSchedule(token).decisions)).toContain("setImmediate");
    const again = await replay(race, token);
    expect(again).toMatchObject({ status: "failed", failure: { kind: "error", error: new Error("tick tick timer io"), schedule: token } });
    expect(again.failure?.trace).toEqual(failure?.trace);
  });

  test("a slow answer that let the timer win is said to be as slow as that", async () => {
    expect((await explore(race, { seed })).failure?.slowestIoMs).toBe(9);
  });
});

describe("what keeps a run alive", () => {
  test("is no timer once main is over: what is left is dropped", async () => {
    const log: string[] = [];
    const { status } = await explore(
      async () => {
        setTimeout(() => log.push("late"), 10);
        await nap(1);
      },
      { seed, runs: 3 },
    );
    expect({ status, log }).toEqual({ status: "passed", log: [] });
  });

  test("a scenario that waits for what no timer brings is a deadlock once all have fired", async () => {
    const { failure } = await explore(
      async () => {
        setTimeout(() => undefined, 1_000);
        await new Promise(() => undefined);
      },
      { seed, runs: 1, minimise: false },
    );
    expect(failure?.kind).toBe("deadlock");
    expect((failure?.error as Error).message).toContain("t=1000");
  });

  test("an interval that nobody clears is a livelock, where nothing else comes", async () => {
    const { failure } = await explore(
      async () => {
        setInterval(() => undefined, 10);
        await new Promise(() => undefined);
      },
      { seed, runs: 1, maxSteps: 100, minimise: false },
    );
    expect(failure?.kind).toBe("livelock");
  });
});
