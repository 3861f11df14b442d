/** What a finished scenario leaves behind: dropped, and told where somebody asks. */
import { describe, expect, test } from "vitest";
import { explore } from "./explore.js";
import type { Scenario } from "./scenario-run.js";

const seed = 7;
const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

const leaksOf = async (scenario: Scenario): Promise<readonly string[]> => {
  // In asyncio's own order, in which some of the runs are made by default, all gates that are ready are answered before a run ends.
  const { status, leaks } = await explore(scenario, { seed, runs: 5, detectLeaks: true, strategy: "random" });
  expect(status).toBe("passed");
  return leaks.map((leak) => leak.replace(/:\d+:\d+$/, ":LINE"));
};

describe("leaks are told with their places", () => {
  const at = " at src/explore/leaks.test.ts:LINE";
  test.each<[string, Scenario, readonly string[]]>([
    [
      "a timer",
      async () => {
        setTimeout(() => undefined, 60_000);
        await nap(5);
      },
      [`setTimeout(60000)${at}`],
    ],
    [
      "an interval",
      async () => {
        setInterval(() => undefined, 2);
        await nap(5);
      },
      [`setInterval(2)${at}`],
    ],
    [
      "a gate",
      async ({ io }) => {
        await nap(0);
        void io("flush", 1);
      },
      [`io flush@1${at}`],
    ],
    [
      "several of them, in order of their names",
      async ({ io }) => {
        await nap(50);
        setTimeout(() => undefined, 7);
        setInterval(() => undefined, 2);
        setTimeout(() => undefined, 7);
        void io("b", 1);
        void io("a", 1);
      },
      [`io a@1${at}`, `io b@1${at}`, `setInterval(2)${at}`, `setTimeout(7)${at}`, `setTimeout(7)${at}`],
    ],
  ])("%s", async (_name, scenario, expected) => {
    const leaks = await leaksOf(scenario);
    expect(leaks).toEqual(expected);
  });

  test("the place is that of the call which made it", async () => {
    const { leaks } = await explore(
      async () => {
        const start = (): unknown => setInterval(() => undefined, 2);
        start();
        await nap(5);
      },
      { seed, runs: 1, detectLeaks: true },
    );
    expect(leaks).toHaveLength(1);
    expect(leaks[0]).toMatch(/^setInterval\(2\) at src\/explore\/leaks\.test\.ts:\d+:\d+$/);
  });
});

describe("no leak is", () => {
  test.each<[string, Scenario]>([
    ["what has fired", () => nap(5)],
    [
      "what was cleared",
      async () => {
        const timer = setTimeout(() => undefined, 60_000);
        const interval = setInterval(() => undefined, 1);
        const immediate = setImmediate(() => undefined);
        await nap(5);
        clearTimeout(timer);
        clearInterval(interval);
        clearImmediate(immediate);
      },
    ],
    [
      "what keeps nothing alive",
      async () => {
        setTimeout(() => undefined, 60_000).unref();
        setInterval(() => undefined, 60_000).unref();
        AbortSignal.timeout(60_000);
        await nap(5);
      },
    ],
    [
      "an immediate, which still runs",
      async () => {
        await nap(5);
        setImmediate(() => undefined);
      },
    ],
    [
      "a gate that has settled",
      async ({ io }) => {
        await io("load", 1);
        await nap(1);
      },
    ],
  ])("%s", async (_name, scenario) => {
    expect(await leaksOf(scenario)).toEqual([]);
  });
});

test("nobody is told who does not ask", async () => {
  const scenario: Scenario = async () => {
    setInterval(() => undefined, 2);
    await nap(5);
  };
  expect((await explore(scenario, { seed, runs: 5 })).leaks).toEqual([]);
});

test("a leak of some orders only is found", async () => {
  const { leaks, runs } = await explore(
    async ({ io }) => {
      let isClosed = false;
      const reply = io("reply", 1).then(() => {
        if (isClosed) setInterval(() => undefined, 100); // a heartbeat that nobody ends any more
      });
      await nap(5);
      isClosed = true;
      await reply;
    },
    { seed, runs: 100, detectLeaks: true },
  );
  expect(runs).toBe(100);
  expect(leaks.map((leak) => leak.replace(/ at .*/, ""))).toEqual(["setInterval(100)"]);
});

test("what is left behind fires neither later in the process nor in the next run", async () => {
  const log: string[] = [];
  const { status } = await explore(
    async () => {
      setTimeout(() => log.push("timer"), 3);
      setInterval(() => log.push("interval"), 3);
      await nap(1);
      await nap(1);
    },
    { seed, runs: 20 },
  );
  await nap(20);
  expect({ status, log }).toEqual({ status: "passed", log: [] });
});
