/** What the strategies themselves cost: a step of each, memory, and how fast those are that try everything. */
import { explore, random } from "heddle";
import { counter, lastzero } from "../fixtures/search/programs.js";
import { inTurn, printTable, timeMs } from "./measure.js";
import { SEARCHING, scenarioFor } from "./strategy-names.js";

/** @typedef {import("heddle").ExploreOptions} ExploreOptions */

const everyRun = { stopOnFailure: false, minimise: false, seed: 7, tracked: true };

/** Random picks by a strategy that has every step tracked and makes nothing of it: what tracking alone costs. */
const trackedRandom = () => ({ ...random(7), tracks: true });

/**
 * Nanoseconds of a step in runs of 4 tasks of 20 steps, which all touch one cell.
 *
 * @param {import("heddle").Scenario} scenario
 * @param {NonNullable<ExploreOptions["strategy"]>} strategy
 * @param {number} runs
 */
async function stepNs(scenario, strategy, runs) {
  let made = 0;
  const ms = await timeMs(async () => {
    made = (await explore(scenario, { ...everyRun, strategy, runs })).runs;
  });
  // Main begins and ends in steps of its own.
  return (ms / (made * (4 * 20 + 2))) * 1e6;
}

/** @param {{ readonly isQuick: boolean }} options */
async function benchStepCost({ isQuick }) {
  const runs = isQuick ? 200 : 1_000;
  const program = counter(4, 10);
  const contestants = Object.fromEntries([
    ...SEARCHING.map((name) => [name, () => stepNs(scenarioFor(name, program), name, runs)]),
    ["random, tracked", () => stepNs(program.scenario, trackedRandom(), runs)],
  ]);
  const figures = await inTurn(contestants, isQuick ? 1 : 3);
  const base = figures["random"] ?? Number.NaN;
  const rows = Object.keys(contestants).map((name) => {
    const ns = figures[name] ?? Number.NaN;
    return [name, ns.toFixed(0), `${(ns / base).toFixed(2)}x`];
  });
  printTable("One step of each strategy, of runs of 82 steps", [["", "ns", "to random"], ...rows]);
}

/**
 * MiB of heap while an exploration has made so many runs.
 *
 * @param {string} strategy
 * @param {readonly number[]} marks ascending numbers of runs
 */
async function heapAt(strategy, marks) {
  /** @type {{ readonly runs: number, readonly mib: number }[]} */
  const seen = [];
  await explore(scenarioFor(strategy, counter(4, 2)), {
    ...everyRun,
    strategy,
    runs: marks.at(-1) ?? 1,
    onProgress: ({ runs }) => {
      if (runs < (marks[seen.length] ?? Number.POSITIVE_INFINITY)) return;
      globalThis.gc?.();
      seen.push({ runs, mib: process.memoryUsage().heapUsed / 2 ** 20 });
    },
  });
  return seen;
}

/** @param {{ readonly isQuick: boolean }} options */
async function benchHeap({ isQuick }) {
  const marks = isQuick ? [1_000, 5_000] : [10_000, 50_000];
  const rows = [];
  for (const name of SEARCHING) {
    const [first, last] = await heapAt(name, marks);
    rows.push([name, ...[first, last].map((mark) => (mark === undefined ? "over sooner" : mark.mib.toFixed(1)))]);
  }
  printTable("MiB of heap during an exploration", [["", ...marks.map((runs) => `after ${runs} runs`)], ...rows]);
}

/** @param {{ readonly isQuick: boolean }} options */
async function benchEverything({ isQuick }) {
  const rounds = isQuick ? 1 : 5;
  if (SEARCHING.includes("exhaustive")) {
    const { "counter 2x3": perSecond = Number.NaN } = await inTurn(
      { "counter 2x3": () => everySecond("exhaustive", counter(2, 3).untracked) },
      rounds,
    );
    console.log(`\n  exhaustive: ${perSecond.toFixed(0)} schedules a second of counter 2x3`);
  }
  if (SEARCHING.includes("dpor")) {
    const program = lastzero(10);
    let made = 0;
    const { ms = Number.NaN } = await inTurn(
      {
        ms: () =>
          timeMs(async () => {
            made = (await explore(program.scenario, { ...everyRun, strategy: "dpor", runs: 1_000_000 })).runs;
          }),
      },
      rounds,
    );
    console.log(
      `  dpor: ${made} runs of lastzero(10), which has ${program.expected.classes} classes, in ${ms.toFixed(0)} ms; aim under 1,000`,
    );
  }
}

/**
 * @param {string} strategy
 * @param {import("heddle").Scenario} scenario
 */
async function everySecond(strategy, scenario) {
  let made = 0;
  const ms = await timeMs(async () => {
    for (let again = 0; again < 20; again++) made += (await explore(scenario, { ...everyRun, strategy, runs: 1_000_000 })).runs;
  });
  return (made / ms) * 1_000;
}

/** @param {{ readonly isQuick: boolean }} options */
export async function benchStrategies(options) {
  await benchStepCost(options);
  await benchEverything(options);
  await benchHeap(options);
}
