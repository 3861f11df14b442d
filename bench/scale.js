/** What must not grow: the cost of a step with the number of tasks, that of a timer faster than its logarithm, what cancelled timers leave. */
import { createTask, gather, getRunningLoop, random, run, sleep } from "heddle";
import { inTurn, printTable } from "./measure.js";

/** So many steps at least, and so many of each task: its begin and its end are no part of a step. */
const STEPS = 200_000;
const TURNS = 100;
const WAITING = 1_000_000;

/** @param {import("heddle").RunOptions} options */
const stepNs = (tasks = 0, options = {}) =>
  run(
    async () => {
      const turns = Math.max(TURNS, STEPS / tasks);
      const worker = async () => {
        for (let turn = 0; turn < turns; turn++) await sleep(0);
      };
      const workers = Array.from({ length: tasks }, () => createTask(worker));
      await sleep(0); // they have all begun
      const start = performance.now();
      await gather(workers);
      return ((performance.now() - start) / (turns * tasks)) * 1e6;
    },
    { slowStepMs: Number.POSITIVE_INFINITY, ...options },
  );

/** Timers of the loop, without tasks: set and fired. */
const timerNs = (timers = 0) =>
  run(
    async () => {
      const loop = getRunningLoop();
      let fired = 0;
      const start = performance.now();
      for (let index = 0; index < timers; index++) loop.callLater(((index * 7919) % timers) + 1, () => fired++);
      await sleep(timers + 1);
      if (fired !== timers) throw new Error(`${fired} of ${timers} timers fired`);
      return ((performance.now() - start) / timers) * 1e6;
    },
    { slowStepMs: Number.POSITIVE_INFINITY },
  );

/** Heap in MiB after a million timers were set and cancelled one after another, beyond what it was. */
const cancelledMiB = () =>
  run(
    async () => {
      const loop = getRunningLoop();
      globalThis.gc?.();
      const before = process.memoryUsage().heapUsed;
      for (let index = 0; index < 1_000_000; index++) loop.callLater(1_000_000, () => undefined).cancel();
      globalThis.gc?.();
      return (process.memoryUsage().heapUsed - before) / 2 ** 20;
    },
    { slowStepMs: Number.POSITIVE_INFINITY },
  );

/** Resident MiB while a million tasks sleep. */
const waitingMiB = () =>
  run(
    async () => {
      const task = async () => {
        await sleep(10);
      };
      for (let index = 0; index < WAITING; index++) createTask(task);
      await sleep(1);
      return process.memoryUsage().rss / 2 ** 20;
    },
    { slowStepMs: Number.POSITIVE_INFINITY },
  );

/**
 * @param {string} a
 * @param {string} b
 */
const byNumber = (a, b) => numberIn(a) - numberIn(b);
const numberIn = (/** @type {string} */ name) => Number(name.replaceAll(/\D/g, ""));

export async function benchScale() {
  const steps = await inTurn(
    {
      "step, fifo, 20 tasks": () => stepNs(20),
      "step, fifo, 2,000 tasks": () => stepNs(2_000),
      "step, fifo, 20,000 tasks": () => stepNs(20_000),
      "step, random, 20 tasks": () => stepNs(20, { strategy: random(7) }),
      "step, random, 2,000 tasks": () => stepNs(2_000, { strategy: random(7) }),
      "step, random, 20,000 tasks": () => stepNs(20_000, { strategy: random(7) }),
      "timer, 1,000 of them": () => timerNs(1_000),
      "timer, 100,000 of them": () => timerNs(100_000),
    },
    3,
  );
  // In the order in which they stand above; inTurn() begins with another one in each round.
  const names = ["step, fifo", "step, random", "timer"].flatMap((kind) =>
    Object.keys(steps)
      .filter((name) => name.startsWith(kind))
      .sort(byNumber),
  );
  printTable("Growth, median of 3", [["", "ns"], ...names.map((name) => [name, (steps[name] ?? Number.NaN).toFixed(0)])]);
  console.log(`  1,000,000 timers set and cancelled one after another leave ${(await cancelledMiB()).toFixed(1)} MiB of heap behind.`);
  console.log(`  1,000,000 tasks that sleep at once: ${(await waitingMiB()).toFixed(0)} MiB resident, of 2,048.`);
}
