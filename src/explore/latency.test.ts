/** Bounds on the latency of I/O: which run has which, and what a failure says of them. */
import { describe, expect, test } from "vitest";
import { renderOutcome } from "../report/outcome-text.js";
import { decodeSchedule } from "../schedule/token.js";
import { exploreBlock, makeSmall } from "./block.js";
import { explore, replay } from "./explore.js";
import { LatencyBounds } from "./latency.js";
import type { ExploreOptions } from "./options.js";
import { scenarioProgram } from "./program.js";
import type { Scenario } from "./scenario-run.js";

const seed = 7;

/** Answers whether its I/O was slower than so many milliseconds. */
const slowerThan =
  (delayMs: number): Scenario =>
  async ({ io, sleep }) =>
    await Promise.race([
      io("load").then(() => "fast"),
      (async () => {
        await sleep(delayMs);
        return "slow";
      })(),
    ]);

const failing =
  (delayMs: number): Scenario =>
  async (env) => {
    if ((await slowerThan(delayMs)(env)) === "slow") throw new Error("the cache has expired");
  };

async function countSlow(delayMs: number, options: ExploreOptions): Promise<number> {
  let slow = 0;
  await explore(slowerThan(delayMs), {
    seed,
    onRun: (end) => {
      if (end.kind === "passed" && end.value === "slow") slow++;
    },
    ...options,
  });
  return slow;
}

describe("of a list", () => {
  test("each run that is drawn has one bound, about as often as any other, drawn by the seed", () => {
    const drawn = (of: number): readonly number[] => {
      const bounds = new LatencyBounds([10, 100, 1_000], of, false);
      return Array.from({ length: 3_000 }, () => {
        bounds.begin();
        return bounds.current;
      });
    };
    const counts = [10, 100, 1_000].map((bound) => drawn(seed).filter((each) => each === bound).length);
    // Binomial with mean 1,000 and sigma 26: outside 5 sigma with p < 2e-6, and the seed is fixed.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(130);
    expect(drawn(seed)).toEqual(drawn(seed));
    expect(drawn(8)).not.toEqual(drawn(seed));
  });

  test("some runs are made under the large one, and some are not", async () => {
    for (const strategy of ["random", "portfolio", "pct", "urw"]) {
      const large = await countSlow(60, { strategy, runs: 300, ioLatencyMs: 1_000 });
      const either = await countSlow(60, { strategy, runs: 300, ioLatencyMs: [10, 1_000] });
      expect(large, strategy).toBeGreaterThan(60);
      expect(either, strategy).toBeGreaterThan(large / 4);
      expect(either, strategy).toBeLessThan((large * 3) / 4);
      expect(await countSlow(60, { strategy, runs: 300, ioLatencyMs: [10] }), strategy).toBe(0);
    }
  });

  test("a search that ends by itself is made under the largest, which has the orders of all", async () => {
    for (const strategy of ["exhaustive", "dpor", "delay"]) {
      const runs = async (ioLatencyMs: number | readonly number[]): Promise<number> =>
        (await explore(slowerThan(60), { seed, strategy, ioLatencyMs })).runs;
      expect(await runs([10, 1_000, 100]), strategy).toBe(await runs(1_000));
      expect(await runs([10, 20]), strategy).toBe(await runs(20));
    }
  });

  test("the first run is made twice under the same bound", async () => {
    for (let of = 0; of < 20; of++) {
      expect(await explore(slowerThan(60), { seed: of, strategy: "random", runs: 3, ioLatencyMs: [10, 1_000] })).toMatchObject({
        status: "passed",
      });
    }
  });
});

describe("a failure that needs slow I/O", () => {
  test("has the bound of its run in its original schedule and the smallest in its own, says it in words, and replays", async () => {
    const scenario = failing(60);
    const outcome = await explore(scenario, { seed, ioLatencyMs: [10, 1_000] });
    const { failure } = outcome;
    expect(failure).toMatchObject({ kind: "error", slowestIoMs: 60 });
    expect(decodeSchedule(failure!.original).ioLatencyMs).toBe(1_000);
    expect(decodeSchedule(failure!.schedule).ioLatencyMs).toBe(60);
    expect(renderOutcome(outcome)).toContain("\nIt needs I/O of 60 ms or slower.\n");
    expect((await replay(scenario, failure!.schedule)).failure).toMatchObject({ kind: "error", trace: failure!.trace });
    expect((await replay(scenario, failure!.original)).failure).toMatchObject({ kind: "error", slowestIoMs: 60 });
    expect(renderOutcome(await explore(scenario, { seed, ioLatencyMs: [10, 1_000] }))).toBe(renderOutcome(outcome));
  });

  test("of which the order was not made small has only taken so long", async () => {
    const outcome = await explore(failing(60), { seed, ioLatencyMs: [10, 1_000], minimise: false });
    expect(renderOutcome(outcome)).toContain("\nIts slowest I/O took 60 ms.\n");
  });

  test("says nothing of I/O where that may be fast", async () => {
    const outcome = await explore(
      async ({ io }) => {
        await io("load");
        throw new Error("always");
      },
      { seed },
    );
    expect(renderOutcome(outcome)).not.toContain("I/O of");
  });

  test("and is a livelock is made small under the bound of its run", async () => {
    const scenario: Scenario = async ({ sleep, gather, io }) => {
      let isLoaded = false;
      void io("load").then(() => {
        isLoaded = true;
      });
      await sleep(60);
      const wasLoaded = isLoaded;
      const spin = async (): Promise<void> => {
        while (!wasLoaded) await sleep(0);
      };
      await gather(spin, spin);
    };
    const { failure } = await explore(scenario, { seed, ioLatencyMs: [10, 1_000], maxSteps: 200, strategy: "random" });
    expect(failure?.kind).toMatch(/livelock|starvation/);
    expect(decodeSchedule(failure!.schedule).ioLatencyMs).toBeGreaterThanOrEqual(60);
  });

  test("found in a block of a long exploration is made small as it is elsewhere", async () => {
    const program = scenarioProgram(failing(60), { ioLatencyMs: [10, 1_000] });
    const plan = { seed, strategy: "random", runs: 1_000, isOneBlock: false, stopOnFailure: true, minimise: true, maxSteps: undefined };
    const { failure: found } = await exploreBlock(program, plan, 0);
    const small = await makeSmall(program, plan, found!, new AbortController().signal);
    expect(decodeSchedule(small.original).ioLatencyMs).toBe(1_000);
    expect(decodeSchedule(small.schedule).ioLatencyMs).toBe(60);
  });
});

test.each([
  [[], "explore: ioLatencyMs must hold at least one bound, and is an empty list"],
  [[10, -1], "explore: ioLatencyMs[1] must be a whole number of milliseconds, 0 or more, not -1"],
  [[10, "20"], 'explore: ioLatencyMs[1] must be a whole number of milliseconds, 0 or more, not "20"'],
  [-1, "explore: ioLatencyMs must be a whole number of milliseconds, 0 or more, or a list of such, not -1"],
  ["10", 'explore: ioLatencyMs must be a whole number of milliseconds, 0 or more, or a list of such, not "10"'],
  [Number.POSITIVE_INFINITY, "explore: ioLatencyMs must be a whole number of milliseconds, 0 or more, or a list of such, not Infinity"],
])("bounds that make no sense are a usage error: %j", async (ioLatencyMs, message) => {
  await expect(explore(slowerThan(5), { ioLatencyMs: ioLatencyMs as number })).rejects.toThrow(message);
});
