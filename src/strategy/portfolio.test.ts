import { describe, expect, test } from "vitest";
import { lateRead, nested, reorder, runAhead, type SearchProgram, spread } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import type { Alternative, Strategy } from "../schedule/strategy.js";
import { portfolio } from "./portfolio.js";

const seed = 7;

/** The mean number of runs until the first failure, of so many explorations. */
async function meanRuns({ untracked }: SearchProgram, explorations: number): Promise<number> {
  let runs = 0;
  for (let other = 0; other < explorations; other++) {
    const outcome = await explore(untracked, { seed: other, strategy: portfolio(other), runs: 20_000, minimise: false });
    expect(outcome.status).toBe("failed");
    runs += outcome.runs;
  }
  return runs / explorations;
}

/** One run of `chains` chains of `steps` steps: who made each step. */
function runOf(strategy: Strategy, run: number, chains: number, steps: number): string {
  strategy.begin(run);
  const begin = (chain: number, operation: number): Alternative & { readonly id: number } => ({
    ...{ name: `t${chain}`, operation: String(operation), id: chain },
    chain: objects[chain],
  });
  const objects = Array.from({ length: chains }, () => ({}));
  let ready = objects.map((_, chain) => begin(chain, 1));
  let order = "";
  while (ready.length > 0) {
    const decision = { step: order.length + 2, timeMs: 0, count: ready.length, ready };
    const taken = ready[ready.length === 1 ? 0 : strategy.pick(decision)]!;
    ready = ready.filter((each) => each !== taken);
    order += String(taken.id);
    if (Number(taken.operation) < steps) ready.push(begin(taken.id, Number(taken.operation) + 1));
  }
  strategy.end?.({ run, failed: false, steps: order.length + 2 });
  return order;
}

describe("until the first failure it takes at most twice the runs of the best single strategy", () => {
  const explorations = 40;

  test.each(
    [
      ["pos", reorder(3), 0.098],
      ["pos", reorder(5), 0.063],
      ["pos", reorder(10), 0.031],
      ["pct", nested(6, 5), 1 / 116],
      ["pct", runAhead(6, 5), 1 / 63],
      ["pct of depth 1", lateRead(12), 1 / 2],
    ].map(([best, program, odds]) => [(program as SearchProgram).name, best, program as SearchProgram, odds as number] as const),
  )("on %s, where that is %s", async (_name, _best, program, odds) => {
    // A mean of 40 such numbers has a sigma of a sixth of it or less. Three of them are left to chance, and the seeds are fixed.
    expect(await meanRuns(program, explorations)).toBeLessThan((2 / odds) * (1 + 3 / Math.sqrt(explorations)));
  });

  test("and one where asyncio's own order shows it", async () => {
    expect(await meanRuns(spread(6, 5), 3)).toBe(1);
  });
});

test("the first run is asyncio's own order, also when it is begun again; all others are decided", () => {
  const strategy = portfolio(seed);
  const asked: (string | undefined)[] = [];
  for (const run of [0, 1, 2, 0, 1]) {
    strategy.begin(run);
    asked.push(strategy.housekeeping);
  }
  expect(asked).toEqual(["inline", "eager", "eager", "inline", "eager"]);
  strategy.begin(0);
  expect(strategy.pick({ step: 1, timeMs: 0, count: 2, ready: [] })).toBe(0);
});

test("one chain after the other is tried often as long as that shows new orders, and seldom then", () => {
  const strategy = portfolio(seed);
  const counts = [0, 0];
  for (let run = 0; run <= 1_000; run++) {
    const isAtOnce = /^(?:(\d)\1{3})+$/.test(runOf(strategy, run, 7, 4));
    if (isAtOnce && run > 6 && run <= 106) counts[0]! += 1;
    if (isAtOnce && run > 900) counts[1]! += 1;
  }
  // About 20 and 5 of 100 runs; the seed is fixed.
  const [early = 0, late = 0] = counts;
  expect(early).toBeGreaterThan(12);
  expect(late).toBeLessThan(10);
  expect(late).toBeGreaterThan(0);
});

test("a seed that is none is refused", () => {
  expect(() => portfolio(2 ** 32)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not 4294967296]`,
  );
});
