/** How the uniform walk weighs; how often it finds what is in odds.test.ts. */
import { describe, expect, test } from "vitest";
import { explore, type Scenario } from "../explore/explore.js";
import type { Alternative, Decision, Strategy } from "../schedule/strategy.js";
import { urw } from "./urw.js";

const seed = 7;

/** How often each order of steps comes in the runs behind the first `skipped`, which are there to learn from. */
async function ordersOf(strategy: Strategy, runs: number, skipped: number, scenario: (log: string[]) => Scenario): Promise<Map<string, number>> {
  const orders = new Map<string, number>();
  let run = 0;
  const counted: Scenario = async (env) => {
    const log: string[] = [];
    await scenario(log)(env);
    if (run++ >= skipped) orders.set(log.join(""), (orders.get(log.join("")) ?? 0) + 1);
  };
  await explore(counted, { seed, strategy, runs, selfCheck: false });
  return orders;
}

/** Tasks that make so many steps each, by name. */
const tasks =
  (lengths: Readonly<Record<string, number>>) =>
  (log: string[]): Scenario =>
  async ({ gather, createTask, sleep }) => {
    await gather(
      Object.entries(lengths).map(([name, length]) =>
        createTask(
          async () => {
            for (let step = 1; step <= length; step++) {
              log.push(name);
              if (step < length) await sleep(0);
            }
          },
          { name },
        ),
      ),
    );
  };

/** a makes one step, in which it starts c, which makes four; beside them b makes five. */
const spawning =
  (log: string[]): Scenario =>
  async ({ gather, createTask, sleep }) => {
    const steps = (name: string, length: number) => async (): Promise<void> => {
      for (let step = 1; step <= length; step++) {
        log.push(name);
        if (step < length) await sleep(0);
      }
    };
    const a = async (): Promise<void> => {
      log.push("a");
      createTask(steps("c", 4), { name: "c" });
    };
    await gather([createTask(a, { name: "a" }), createTask(steps("b", 5), { name: "b" })]);
    while (log.length < 10) await sleep(0);
  };

function chiSquared(counts: Iterable<number>, cells: number): number {
  const all = [...counts];
  const mean = all.reduce((sum, count) => sum + count, 0) / cells;
  return all.reduce((sum, count) => sum + (count - mean) ** 2 / mean, (cells - all.length) * mean);
}

test("where the steps of all tasks are known, every order is as likely", async () => {
  const orders = await ordersOf(urw(seed), 4_100, 100, tasks({ a: 5, b: 2 }));
  expect(orders.size).toBe(21);
  // Chi-squared with 20 degrees of freedom is above 52.4 with p < 1e-4, and the seed is fixed. Uniform picks: 1 in 64 to 1 in 4, above 1,000.
  expect(chiSquared(orders.values(), 21)).toBeLessThan(52.4);
});

test("steps of a task that is not there yet belong to the one that will start it", async () => {
  const orders = await ordersOf(urw(seed), 3_100, 100, spawning);
  const firsts = [...orders].reduce((sum, [order, count]) => sum + (order.startsWith("a") ? count : 0), 0);
  // As many orders begin with a, of a chain of five steps, as with b: binomial with mean 1,500 and sigma 27.4, outside 5 sigma with p < 6e-7.
  // Main waits in turns for the end, which makes the numbers less exact. With a's own step alone it would be 1 in 6.
  expect(Math.abs(firsts - 1_500)).toBeLessThan(137 + 150);
});

test("the first run, in which no number is known, picks uniformly", () => {
  const ready = ["a", "b", "c", "d"].map((name) => ({ name, operation: "1" }));
  const taken = [0, 0, 0, 0];
  for (let other = 0; other < 4_000; other++) {
    const strategy = urw(other);
    strategy.begin(0);
    taken[strategy.pick(decisionOf(ready))]! += 1;
  }
  // Each is binomial with mean 1,000 and sigma 27.4: outside 5 sigma with p < 3e-6, and the seeds are fixed.
  for (const count of taken) expect(Math.abs(count - 1_000)).toBeLessThan(137);
});

const decisionOf = (ready: readonly Alternative[], kind: Decision["kind"] = "next", step = 1): Decision => ({
  kind,
  step,
  timeMs: 0,
  count: ready.length,
  ready,
});

describe("gates and the clock", () => {
  test("a batch settles with probability 0.7, and is else joined by any gate", () => {
    const strategy = urw(seed);
    strategy.begin(0);
    const gates = ["g", "h", "i"].map((name) => ({ name, operation: "1", kind: "gate" as const }));
    const taken = [0, 0, 0, 0];
    for (let time = 0; time < 4_000; time++) {
      taken[strategy.pick(decisionOf([{ name: "settle", operation: "", kind: "settle" }, ...gates], "batch"))]! += 1;
    }
    // Binomial with mean 2,800 and sigma 29, and with mean 400 and sigma 19: outside 5 sigma with p < 3e-6, and the seed is fixed.
    taken.forEach((count, index) => {
      expect(Math.abs(count - (index === 0 ? 2_800 : 400))).toBeLessThan(index === 0 ? 145 : 95);
    });
  });

  test("the clock has the weight of one step, also where it was often passed", () => {
    const strategy = urw(seed);
    let clocks = 0;
    for (let run = 0; run < 2_000; run++) {
      strategy.begin(run);
      const gate: Alternative = { name: "g", operation: "1", kind: "gate" };
      let step = 1;
      const at = (timeMs: number): Decision => decisionOf([gate, { name: "clock", operation: String(timeMs + 5), kind: "clock" }], "next", step);
      if (strategy.pick(at(0)) === 1) clocks++;
      while (strategy.pick(at(step)) === 1) step++;
      strategy.end?.({ run, failed: false, steps: step });
    }
    // Binomial with mean 1,000 and sigma 22.4: outside 5 sigma with p < 6e-7, and the seed is fixed.
    expect(Math.abs(clocks - 1_000)).toBeLessThan(112);
  });
});

test("a seed that is none is refused", () => {
  expect(() => urw(0.5)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not 0.5]`);
});
