import { expect, test } from "vitest";
import { decodeSchedule } from "../schedule/token.js";
import { BLOCK_RUNS, countBlocks, type ExplorationPlan, exploreBlock, type FoundFailure, makeSmall } from "./block.js";
import { explore, replay } from "./explore.js";
import { scenarioProgram } from "./program.js";
import type { ScenarioEnv } from "./scenario-run.js";

const plan: ExplorationPlan = {
  seed: 7,
  strategy: "random",
  runs: 2 * BLOCK_RUNS + 100,
  isOneBlock: false,
  stopOnFailure: false,
  minimise: true,
  maxSteps: undefined,
};

/** Fails where `b` writes between the read and the write of `a`. */
async function lostUpdate({ gather, sleep }: ScenarioEnv): Promise<number> {
  let value = 0;
  const add = (amount: number) => async (): Promise<void> => {
    const before = value;
    await sleep(0);
    await sleep(0);
    value = before + amount;
  };
  await gather(add(1), add(2), async () => {
    await sleep(0);
  });
  if (value !== 3) throw new Error(`the value is ${value}`);
  return value;
}

const program = scenarioProgram(lostUpdate);

test("the first block makes the runs that explore() makes with the same seed", async () => {
  const block = await exploreBlock(program, { ...plan, runs: 300 }, 0);
  const outcome = await explore(lostUpdate, { seed: 7, strategy: "random", runs: 300, stopOnFailure: false, minimise: false });
  expect(block).toMatchObject({ runs: 300, failures: outcome.failures, coverage: outcome.coverage, isStopped: false, isLast: false });
  expect(block.failure).toMatchObject({ run: outcome.failure?.run, schedule: outcome.failure?.schedule, kind: "error", seed: 7 });
});

test("a plan is cut into blocks of the same size, the last one with what is left", async () => {
  expect(countBlocks(plan)).toBe(3);
  expect(countBlocks({ ...plan, runs: BLOCK_RUNS })).toBe(1);
  expect(countBlocks({ ...plan, runs: Number.POSITIVE_INFINITY, isOneBlock: true })).toBe(1);
  expect((await exploreBlock(program, plan, 2)).runs).toBe(100);
  expect((await exploreBlock(program, { ...plan, runs: BLOCK_RUNS + 50, isOneBlock: true }, 0)).runs).toBe(BLOCK_RUNS + 50);
});

test("each block draws orders of its own, the same ones each time", async () => {
  const short = { ...plan, runs: BLOCK_RUNS + 100 };
  const [first, again] = [await exploreBlock(program, short, 1), await exploreBlock(program, short, 1)];
  expect(again).toEqual(first);
  const zero = await exploreBlock(program, { ...short, runs: 100 }, 0);
  expect(first.schedules).not.toEqual(zero.schedules);
  expect(first.schedules).toHaveLength(2 * 100);
});

test("a failure says in which run of the whole exploration it was", async () => {
  const stopping = { ...plan, stopOnFailure: true };
  const block = await exploreBlock(program, stopping, 1);
  expect(block).toMatchObject({ failures: 1, isLast: true, isStopped: false });
  expect(block.failure?.run).toBe(BLOCK_RUNS + block.runs - 1);
  expect(block.failure?.message).toMatch(/^Error: the value is \d$/);
});

test("results are counted as JSON", async () => {
  const { results, failures, runs } = await exploreBlock(program, { ...plan, runs: 200 }, 0);
  expect(new Map(results).get("3")).toBe(runs - failures);
  expect(results.reduce((sum, [, count]) => sum + count, 0)).toBe(200);
});

test("the program is random in the same way in every block, because its seed is that of the exploration", async () => {
  const drawing = scenarioProgram(async ({ random, sleep }) => {
    await sleep(0);
    return random.next();
  });
  const [zero, one] = [
    await exploreBlock(drawing, { ...plan, runs: 10 }, 0),
    await exploreBlock(drawing, { ...plan, runs: BLOCK_RUNS + 10 }, 1),
  ];
  expect(zero.results).toHaveLength(1);
  expect(one.results).toEqual(zero.results);
});

test("a signal ends a block with what it has found, and progress is told on the way", async () => {
  const controller = new AbortController();
  const told: number[] = [];
  const endless = { ...plan, runs: Number.POSITIVE_INFINITY, isOneBlock: true };
  const block = await exploreBlock(program, endless, 0, {
    signal: controller.signal,
    onProgress: ({ runs }) => {
      told.push(runs);
      if (told.length === 3) controller.abort();
    },
  });
  expect(block).toMatchObject({ runs: told[2], isStopped: true, isLast: false, isComplete: false });
});

test("a program that is no function of its schedule is the last that counts", async () => {
  let runs = 0;
  const leaking = scenarioProgram(async ({ sleep }: ScenarioEnv) => {
    runs++;
    for (let step = 0; step < runs; step++) await sleep(0);
  });
  const block = await exploreBlock(leaking, plan, 0);
  expect(block).toMatchObject({ isLast: true, isStopped: false, failures: 1, failure: { kind: "divergence" } });
  const { failure } = block;
  if (failure === undefined) throw new Error("no failure");
  expect(await makeSmall(leaking, plan, failure, new AbortController().signal)).toBe(failure);
});

test("a strategy that the program brings goes through its runs in one block, until nothing is left", async () => {
  const own = scenarioProgram(lostUpdate, { strategy: { name: "own", begin: (run) => run < 7, pick: () => 0 } });
  const block = await exploreBlock(own, { ...plan, strategy: undefined, isOneBlock: true, runs: Number.POSITIVE_INFINITY }, 0);
  expect(block).toMatchObject({ runs: 7, isComplete: true, isLast: true, isStopped: false });
});

async function findFailure(): Promise<FoundFailure> {
  const { failure } = await exploreBlock(program, { ...plan, runs: 100 }, 0);
  if (failure === undefined) throw new Error("half of all runs fail");
  return failure;
}

test("the failure that was found is made small, and both fail again", async () => {
  const found = await findFailure();
  const small = await makeSmall(program, plan, found, new AbortController().signal);
  expect(small).toMatchObject({ kind: "error", run: found.run, original: found.original });
  expect(small.minimised?.after.switches).toBeLessThan(small.minimised?.before.switches ?? 0);
  expect(decodeSchedule(small.schedule).decisions.length).toBeLessThanOrEqual(decodeSchedule(found.original).decisions.length);
  for (const token of [small.schedule, small.original]) expect((await replay(lostUpdate, token)).failure).toMatchObject({ kind: "error" });
});

test("a failure stays as it was found where it is not to be made small, or there is no time left", async () => {
  const found = await findFailure();
  expect(await makeSmall(program, { ...plan, minimise: false }, found, new AbortController().signal)).toBe(found);
  expect(await makeSmall(program, plan, found, AbortSignal.abort())).toBe(found);
});
