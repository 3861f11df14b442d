/** How the uniform walk weighs; how often it finds what is in odds.test.ts. */
import { describe, expect, test } from "vitest";
import type { Alternative, Decision, Strategy } from "../schedule/strategy.js";
import { urw } from "./urw.js";

const seed = 7;

const decisionOf = (ready: readonly Alternative[], kind: Decision["kind"] = "next", step = 1): Decision => ({
  kind,
  step,
  timeMs: 0,
  count: ready.length,
  ready,
});

/** A chain by its name, which makes so many steps, and starts another one in the last of them. */
interface Program {
  readonly [name: string]: { readonly steps: number; readonly starts?: string };
}

/** One run: who made each step. */
function runOf(strategy: Strategy, run: number, program: Program, first: readonly string[]): string {
  strategy.begin(run);
  const begin = (name: string): Alternative & { left: number } => ({ name, operation: "1", chain: {}, left: program[name]!.steps });
  let ready = first.map(begin);
  let order = "";
  // Main starts the others in a first step, and waits for them until the last.
  while (ready.length > 0) {
    const index = ready.length === 1 ? 0 : strategy.pick(decisionOf(ready, "next", order.length + 2));
    const taken = ready[index]!;
    const { starts } = program[taken.name]!;
    order += taken.name;
    ready = ready.filter((each) => each !== taken);
    if (taken.left > 1) ready.push({ ...taken, left: taken.left - 1 });
    else if (starts !== undefined) ready.push(begin(starts));
  }
  strategy.end?.({ run, failed: false, steps: order.length + 2 });
  return order;
}

/** How often each order comes in so many runs behind 100 to learn from. */
function ordersOf(runs: number, program: Program, first: readonly string[]): ReadonlyMap<string, number> {
  const strategy = urw(seed);
  const orders = new Map<string, number>();
  for (let run = 0; run < 100 + runs; run++) {
    const order = runOf(strategy, run, program, first);
    if (run >= 100) orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  return orders;
}

function chiSquared(counts: Iterable<number>, cells: number): number {
  const all = [...counts];
  const mean = all.reduce((sum, count) => sum + count, 0) / cells;
  return all.reduce((sum, count) => sum + (count - mean) ** 2 / mean, (cells - all.length) * mean);
}

test("where the steps of all chains are known, every order is as likely", () => {
  const orders = ordersOf(4_000, { a: { steps: 5 }, b: { steps: 2 } }, ["a", "b"]);
  expect(orders.size).toBe(21);
  // Chi-squared with 20 degrees of freedom is above 52.4 with p < 1e-4, and the seed is fixed. With uniform picks, of which the odds of an order
  // lie between 1 in 64 and 1 in 4, it would be above 1,000.
  expect(chiSquared(orders.values(), 21)).toBeLessThan(52.4);
});

test("steps of a chain that has not appeared belong to the one that will start it, and of what that one will start", () => {
  const program = { a: { steps: 1, starts: "c" }, b: { steps: 4 }, c: { steps: 1, starts: "d" }, d: { steps: 2 } };
  const orders = ordersOf(7_000, program, ["a", "b"]);
  expect(orders.size).toBe(70);
  // Chi-squared with 69 degrees of freedom is above 121 with p < 1e-4, and the seed is fixed. If a counted only for its own step, one order in 5
  // instead of every second would begin with it.
  expect(chiSquared(orders.values(), 70)).toBeLessThan(121);
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

  test("the clock has the weight of one step, however often it was passed", () => {
    const strategy = urw(seed);
    let [clocks, gates] = [0, 0];
    for (let run = 0; run < 400; run++) {
      strategy.begin(run);
      let step = 1;
      for (let passed = 0; passed < 10; step++) {
        const gate: Alternative = { name: "g", operation: "1", kind: "gate" };
        if (strategy.pick(decisionOf([gate, { name: "clock", operation: "5", kind: "clock" }], "next", step)) === 1) passed++;
        else gates++;
      }
      clocks += 10;
      strategy.end?.({ run, failed: false, steps: step });
    }
    // Before 4,000 passes of the clock as many gates: negative binomial with mean 4,000 and sigma 89, outside 5 sigma with p < 6e-7. The seed is fixed.
    expect(clocks).toBe(4_000);
    expect(Math.abs(gates - clocks)).toBeLessThan(447);
  });
});

test("a seed that is none is refused", () => {
  expect(() => urw(0.5)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not 0.5]`);
});
