import { describe, expect, test } from "vitest";
import { inMacrotask } from "../loop/run.js";
import { Random } from "../random/random.js";
import { isSimpler, simplicityOf } from "../schedule/simplicity.js";
import type { ReadyTask, Strategy } from "../schedule/strategy.js";
import { minimise } from "./minimise.js";

/** What a defect needs: each pair says that the first step, `t2.5`, comes before the second. */
type Facts = readonly (readonly [string, string])[];

/** The depth-3 shapes, at 6 tasks of 5 steps. */
const NESTED: Facts = [
  ["t2.5", "t0.2"],
  ["t0.2", "t1.2"],
  ["t1.4", "t0.3"],
];
const SPREAD: Facts = [
  ["t0.3", "t1.3"],
  ["t1.3", "t2.3"],
  ["t2.3", "t3.3"],
];
const RUN_AHEAD: Facts = [
  ["t0.5", "t1.1"],
  ["t1.5", "t2.1"],
  ["t2.5", "t3.1"],
];

/** Every task is always ready for its next step until it has made all: the order that `strategy` gives them. */
function stepsUnder(strategy: Strategy, tasks: number, steps: number): ReadyTask[] {
  const made = Array.from({ length: tasks }, () => 0);
  const order: ReadyTask[] = [];
  // In the order of arrival: who has just made a step goes to the end.
  const ready = made.map((_, task) => ({ task, name: `t${task}`, operation: "1" }));
  strategy.begin(0);
  while (ready.length > 0) {
    const index = ready.length === 1 ? 0 : strategy.pick({ step: order.length + 1, timeMs: 0, count: ready.length, ready });
    const [{ task, name, operation }] = ready.splice(index, 1) as [(typeof ready)[number]];
    order.push({ name, operation });
    if (Number(operation) < steps) ready.push({ task, name, operation: String(Number(operation) + 1) });
  }
  return order;
}

function isFailing(order: readonly ReadyTask[], facts: Facts): boolean {
  const places = new Map(order.map(({ name, operation }, index) => [`${name}.${operation}`, index]));
  return facts.every(([first, second]) => (places.get(first) ?? -1) < (places.get(second) ?? -1));
}

/** A random order of the steps that has the facts: mostly it stays with a task, which all of these shapes are likely to show up in. */
function failingOrder(facts: Facts, seed: number): ReadyTask[] {
  const random = new Random(seed);
  for (;;) {
    let last = "";
    const order = stepsUnder(
      {
        name: "sticky",
        begin: () => true,
        pick: ({ ready }) => {
          const same = ready.findIndex(({ name }) => name === last);
          const index = same < 0 || random.next() < 0.3 ? random.below(ready.length) : same;
          last = ready[index]?.name ?? "";
          return index;
        },
      },
      6,
      5,
    );
    if (isFailing(order, facts)) return order;
  }
}

async function smallest(facts: Facts, first: readonly ReadyTask[], maxReruns?: number) {
  let attempts = 0;
  const attempt = (strategy: Strategy): Promise<FailingRun | undefined> => {
    attempts++;
    const steps = stepsUnder(strategy, 6, 5);
    return Promise.resolve(isFailing(steps, facts) ? { steps } : undefined);
  };
  const { run, reruns } = await minimise<FailingRun>({ steps: first }, attempt, maxReruns === undefined ? {} : { maxReruns });
  expect(reruns).toBe(attempts);
  return { order: run.steps, reruns, switches: simplicityOf(run.steps).switches };
}

describe("the shapes of depth 3, from 50 random failing orders each, end at the fewest switches that still fail", () => {
  test.each([
    // Six tasks take five switches at least. Nested, t0 must stop in its middle for t1, and no other can be saved.
    ["nested", NESTED, 6],
    ["spread", SPREAD, 5],
    ["run ahead", RUN_AHEAD, 5],
  ] as const)("%s", async (_name, facts, fewest) => {
    const reruns: number[] = [];
    for (let seed = 0; seed < 50; seed++) {
      const result = await smallest(facts, failingOrder(facts, seed));
      expect(result.switches).toBe(fewest);
      expect(isFailing(result.order, facts)).toBe(true);
      reruns.push(result.reruns);
    }
    expect(Math.max(...reruns)).toBeLessThan(60);
  });
});

test("every run that is kept fails and is strictly simpler than the one before", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const first = failingOrder(NESTED, seed);
    let best = simplicityOf(first);
    let kept = 0;
    await minimise<FailingRun>({ steps: first }, (strategy) => {
      const steps = stepsUnder(strategy, 6, 5);
      if (!isFailing(steps, NESTED)) return Promise.resolve(undefined);
      const now = simplicityOf(steps);
      if (isSimpler(now, best)) [best, kept] = [now, kept + 1];
      return Promise.resolve({ steps });
    });
    expect(best.switches).toBe(6);
    expect(kept).toBeLessThanOrEqual(simplicityOf(first).switches - 6);
  }
});

test("it is bounded by a number of reruns, and answers the best so far", async () => {
  const first = failingOrder(NESTED, 7);
  for (const maxReruns of [0, 1, 5, 20]) {
    const { reruns, order, switches } = await smallest(NESTED, first, maxReruns);
    expect(reruns).toBeLessThanOrEqual(maxReruns);
    expect(isFailing(order, NESTED)).toBe(true);
    expect(switches).toBeLessThanOrEqual(simplicityOf(first).switches);
  }
});

test("a run that fails in no simpler way is answered itself", async () => {
  const first: FailingRun = { steps: failingOrder(NESTED, 7) };
  const { run } = await minimise(first, () => Promise.resolve(undefined));
  expect(run).toBe(first);
});

test("where the order of arrival fails in a simpler way, nothing of the found order is left", async () => {
  const { switches } = await smallest([], failingOrder(NESTED, 7));
  // Fewer switches than five are not to be had with six tasks.
  expect(switches).toBe(5);
});

test("the same run is made small in the same way, also from a macrotask of its own", async () => {
  const first = failingOrder(SPREAD, 3);
  const again = await inMacrotask(() => smallest(SPREAD, first));
  expect(again).toEqual(await smallest(SPREAD, first));
});
