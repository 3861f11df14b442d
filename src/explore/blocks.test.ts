import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { type BlockFindings, type BlockProgress, type ExplorationPlan, exploreBlock, type FoundFailure } from "./block.js";
import { type BlockMaker, exploreBlocks } from "./blocks.js";
import { explore } from "./explore.js";
import type { Findings } from "./findings.js";
import { scenarioProgram } from "./program.js";

const BLOCKS = 40;

const plan: ExplorationPlan = {
  seed: 7,
  strategy: "random",
  runs: BLOCKS * 5_000,
  isOneBlock: false,
  stopOnFailure: false,
  minimise: true,
  maxSteps: undefined,
};

const noFailure: Omit<FoundFailure, "run"> = {
  kind: "error",
  message: "Error: boom",
  seed: 7,
  schedule: "small",
  original: "first",
  minimised: undefined,
  granularity: "event",
  slowestIoMs: 0,
  trace: [],
};

/** Two runs of the block `number`: one like that of every block, and one of its own. */
function blockOf(number: number, fields: Partial<BlockFindings> = {}): BlockFindings {
  const { failures = 0 } = fields;
  return {
    runs: 2,
    failures,
    isComplete: false,
    isStopped: false,
    isLast: false,
    results: [["1", 2]],
    otherResults: 0,
    coverage: { schedules: 2, classes: undefined, pairs: undefined, newInLast1000: 2, chanceOfNew: 1, remaining: undefined },
    schedules: Uint32Array.of(1, 1, 2, number),
    classes: Uint32Array.of(0, 0, 0, 0),
    failure: failures === 0 ? undefined : { ...noFailure, run: number * 5_000 },
    uncontrolled: undefined,
    untracked: undefined,
    leaks: [],
    ...fields,
  };
}

/** A maker that takes its time, of which the next comes to its end whenever the dice say so; and what it has made. */
function slowMaker(
  random: Random,
  make: (number: number) => BlockFindings,
): { readonly maker: BlockMaker; readonly begun: number[]; most: number } {
  const waiting: (() => void)[] = [];
  const watch = {
    begun: [] as number[],
    most: 0,
    maker: async (number: number) => {
      watch.begun.push(number);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        watch.most = Math.max(watch.most, waiting.length);
        queueMicrotask(() => waiting.splice(random.below(waiting.length), 1)[0]?.());
      });
      return make(number);
    },
  };
  return watch;
}

async function exploreAtPlaces(places: number, make: (number: number) => BlockFindings, changes: Partial<ExplorationPlan> = {}) {
  const watch = slowMaker(new Random(places), make);
  const findings = await exploreBlocks(
    { ...plan, ...changes },
    { places, makeBlock: watch.maker, signal: new AbortController().signal, onProgress: () => undefined },
  );
  return { findings, ...watch, most: watch.most };
}

test("all blocks are made once, as many at a time as there are places, and add up to the same however many that are", async () => {
  const make = (number: number): BlockFindings =>
    blockOf(number, { failures: number % 7 === 3 ? 1 : 0, results: [[String(number % 3), 2]] });
  const alone = await exploreAtPlaces(1, make);
  expect(alone.begun).toEqual(Array.from({ length: BLOCKS }, (_, number) => number));
  expect(alone.findings).toMatchObject({
    status: "failed",
    runs: 2 * BLOCKS,
    failures: 6,
    complete: false,
    isStopped: false,
    failure: { run: 3 * 5_000 },
    results: [
      ["0", 28],
      ["1", 26],
      ["2", 26],
    ],
    // One schedule is of every block, and each has one of its own.
    coverage: { schedules: BLOCKS + 1, classes: undefined, newInLast1000: BLOCKS + 1, chanceOfNew: BLOCKS / (2 * BLOCKS) },
  });
  for (const places of [2, 3, 8, 64]) {
    const { findings, begun, most } = await exploreAtPlaces(places, make);
    expect(findings).toEqual(alone.findings);
    expect(begun.toSorted((a, b) => a - b)).toEqual(alone.begun);
    expect(most).toBe(Math.min(places, BLOCKS));
  }
});

test.each<[string, (number: number) => BlockFindings, Partial<Findings>]>([
  [
    "fails, where a failure is to end the exploration",
    (number) => blockOf(number, { failures: Number(number >= 11), isLast: number >= 11 }),
    { runs: 24, failures: 1, status: "failed", complete: false },
  ],
  [
    "has nothing left to try",
    (number) => blockOf(number, { isComplete: number % 12 === 11, isLast: number % 12 === 11 }),
    { runs: 24, failures: 0, status: "passed", complete: true },
  ],
])("the first block that %s decides, and what others found behind it does not count", async (_what, make, expected) => {
  const alone = await exploreAtPlaces(1, make);
  expect(alone.findings).toMatchObject({ ...expected, isStopped: false });
  expect(alone.begun).toHaveLength(12);
  for (const places of [2, 5, 64]) expect((await exploreAtPlaces(places, make)).findings).toEqual(alone.findings);
});

test("blocks behind the one that decides are told to stop", async () => {
  const stopped: number[] = [];
  const makeBlock: BlockMaker = (number, { signal }) =>
    number === 2
      ? Promise.resolve(blockOf(2, { failures: 1, isLast: true }))
      : new Promise((resolve) => {
          if (number < 2) setImmediate(() => resolve(blockOf(number)));
          signal.addEventListener("abort", () => {
            stopped.push(number);
            resolve(blockOf(number, { isStopped: true }));
          });
        });
  const findings = await exploreBlocks(plan, { places: 5, makeBlock, signal: new AbortController().signal, onProgress: () => undefined });
  expect(stopped).toEqual([3, 4]);
  expect(findings).toMatchObject({ runs: 6, failures: 1, isStopped: false, status: "failed" });
});

test("a signal ends all blocks, with what they have found, and none is begun any more", async () => {
  const controller = new AbortController();
  const makeBlock: BlockMaker = (number, { signal }) =>
    new Promise((resolve) => {
      if (number === 3) setImmediate(() => controller.abort());
      signal.addEventListener("abort", () => resolve(blockOf(number, { runs: 1, isStopped: true })));
    });
  const findings = await exploreBlocks(plan, { places: 4, makeBlock, signal: controller.signal, onProgress: () => undefined });
  expect(findings).toMatchObject({ status: "stopped", isStopped: true, runs: 4, failures: 0 });
});

test("what was stopped before its first block is stopped, too", async () => {
  const makeBlock: BlockMaker = () => Promise.reject(new Error("none is to be made"));
  const findings = await exploreBlocks(plan, { places: 2, makeBlock, signal: AbortSignal.abort(), onProgress: () => undefined });
  expect(findings).toMatchObject({ status: "stopped", isStopped: true, runs: 0 });
});

test("a block that was given up counts as far as it is known to have come", async () => {
  const makeBlock: BlockMaker = (number, { onProgress }) => {
    onProgress({ runs: 700, failures: 2, distinct: 5, remaining: undefined });
    return Promise.resolve(number === 1 ? undefined : blockOf(number));
  };
  const findings = await exploreBlocks(
    { ...plan, runs: 15_000 },
    { places: 1, makeBlock, signal: new AbortController().signal, onProgress: () => undefined },
  );
  expect(findings).toMatchObject({ status: "failed", isStopped: true, givenUp: 1, runs: 704, failures: 2, failure: undefined });
});

test("what a block cannot get through ends the exploration", async () => {
  const makeBlock: BlockMaker = (number) => (number === 3 ? Promise.reject(new Error("boom")) : Promise.resolve(blockOf(number)));
  await expect(
    exploreBlocks(plan, { places: 2, makeBlock, signal: new AbortController().signal, onProgress: () => undefined }),
  ).rejects.toThrow("boom");
});

test("progress is that of all blocks together, with an estimate of what is left", async () => {
  const told: BlockProgress[] = [];
  const makeBlock: BlockMaker = (number, { onProgress }) => {
    onProgress({ runs: 1, failures: 0, distinct: 1, remaining: undefined });
    return Promise.resolve(blockOf(number));
  };
  await exploreBlocks(
    { ...plan, runs: 10_000 },
    { places: 1, makeBlock, signal: new AbortController().signal, onProgress: (progress) => told.push(progress) },
  );
  expect(told.map(({ runs, distinct, remaining }) => [runs, distinct, remaining])).toEqual([
    [1, 1, 9_999],
    [2, 2, 9_998],
    [3, 3, 9_997],
    [4, 3, 9_996],
  ]);
});

test("where it comes to an end by itself, the strategy says what is left", async () => {
  const told: BlockProgress[] = [];
  const makeBlock: BlockMaker = (number, { onProgress }) => {
    onProgress({ runs: 5, failures: 0, distinct: 5, remaining: 12 });
    return Promise.resolve(blockOf(number, { isComplete: true, isLast: true }));
  };
  const findings = await exploreBlocks(
    { ...plan, runs: Number.POSITIVE_INFINITY, isOneBlock: true },
    { places: 3, makeBlock, signal: new AbortController().signal, onProgress: (progress) => told.push(progress) },
  );
  expect(told[0]).toEqual({ runs: 5, failures: 0, distinct: 5, remaining: 12 });
  expect(findings.coverage).toEqual(blockOf(0).coverage);
});

/** Two tasks that count in a shared cell, so that there are few classes, and more schedules. */
const counting = scenarioProgram(
  async ({ gather, shared, sleep }) => {
    const cell = shared({ value: 0 });
    const add = async (): Promise<void> => {
      const before = cell.value;
      await sleep(0);
      cell.value = before + 1;
      await sleep(0);
    };
    await gather(add, add);
    return cell.value;
  },
  { tracked: true },
);

test("schedules and classes of several blocks are told apart as those of one exploration are", async () => {
  const makeBlock: BlockMaker = (number, control) => exploreBlock(counting, { ...plan, runs: 10_500 }, number, control);
  const { signal } = new AbortController();
  const { coverage, runs } = await exploreBlocks({ ...plan, runs: 10_500 }, { places: 2, makeBlock, signal, onProgress: () => undefined });
  const whole = await explore(counting.scenario, { tracked: true, seed: 8, strategy: "random", runs: 10_500, stopOnFailure: false });
  // The rarest of the 20 schedules of two tasks of three steps has odds of 1 in 32, so that it is missed with p < 1e-140.
  expect(runs).toBe(10_500);
  expect(coverage.schedules).toBe(whole.coverage.schedules);
  expect(coverage.classes).toBe(whole.coverage.classes);
  expect(coverage.classes).toBeLessThan(coverage.schedules);
  expect(coverage).toMatchObject({ newInLast1000: 0, chanceOfNew: 0 });
});
