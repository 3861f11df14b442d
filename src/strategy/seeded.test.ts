import { describe, expect, test } from "vitest";
import { runTaskGraph } from "../graph/graph-run.js";
import type { Alternative, Decision, ReadyTask, Strategy } from "../schedule/strategy.js";
import { fifo } from "./fifo.js";
import { FULL_INTENSITY, seeded } from "./seeded.js";

const decisionOf = (ready: readonly ReadyTask[]): Decision => ({ step: 1, timeMs: 0, count: ready.length, ready });
const tasksNamed = (...names: readonly string[]): ReadyTask[] => names.map((name) => ({ name, operation: "1" }));

/** The names in the order in which the strategy takes them. */
function orderOf(strategy: Strategy, ready: readonly ReadyTask[], run = 0): string {
  strategy.begin(run);
  const left = [...ready];
  const taken: string[] = [];
  while (left.length > 1) taken.push(...left.splice(strategy.pick(decisionOf(left)), 1).map(({ name }) => name));
  return [...taken, ...left.map(({ name }) => name)].join("");
}

const names = Array.from("abcdefghijklmnop");

test("the same seed and intensity give the same order, and another seed another one", () => {
  const orders = Array.from({ length: 50 }, (_, seed) => orderOf(seeded(seed), tasksNamed(...names)));
  expect(orders).toEqual(Array.from({ length: 50 }, (_, seed) => orderOf(seeded(seed), tasksNamed(...names))));
  // 50 of 16! orders: two of them are equal with p < 1e-10.
  expect(new Set(orders).size).toBe(50);
});

test("at full intensity each of the 6 orders of three tasks is as likely as any other", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 6_000; seed++) {
    const order = orderOf(seeded(seed), tasksNamed("a", "b", "c"));
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect([...counts.keys()].toSorted()).toEqual(["abc", "acb", "bac", "bca", "cab", "cba"]);
  // Each is binomial with mean 1,000 and sigma 28.9: outside 5 sigma with p < 4e-6 for all six, and the seeds are fixed.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(145);
});

test("in a run, each of the 6 orders of three one-step tasks appears", async () => {
  const orders = new Set<string>();
  const tasks = ["main", "a", "b", "c"].map((name) => ({ name, body: name === "main" ? ([["gather", [1, 2, 3], false]] as const) : [] }));
  for (let seed = 0; seed < 200; seed++) {
    const { trace } = await runTaskGraph({ version: 1, cells: 0, futures: 0, tasks }, { strategy: seeded(seed) });
    orders.add(trace.flatMap(({ task, phase }) => (phase === "finish" && task !== "main" ? [task] : [])).join(""));
  }
  // One of them is missed with p < 6 * (5/6)^200 < 1e-14.
  expect(orders.size).toBe(6);
});

test("which of two steps runs first does not hang on what else is ready, nor on the order of arrival", () => {
  for (let seed = 0; seed < 50; seed++) {
    const whole = orderOf(seeded(seed), tasksNamed(...names));
    expect(orderOf(seeded(seed), tasksNamed(...names.toReversed()))).toBe(whole);
    const some = names.filter((_, index) => index % 3 !== seed % 3);
    expect(orderOf(seeded(seed), tasksNamed(...some))).toBe(
      Array.from(whole)
        .filter((name) => some.includes(name))
        .join(""),
    );
  }
});

describe("intensity", () => {
  test("0 is fifo, housekeeping included", () => {
    expect(seeded(7, 0)).toMatchObject({ name: fifo().name, housekeeping: fifo().housekeeping });
    expect(seeded(7, 1).housekeeping).toBeUndefined();
  });

  test("what is not moved keeps the order of arrival, and what is moved at a low intensity is moved at every higher one", () => {
    for (let seed = 0; seed < 20; seed++) {
      let before: ReadonlySet<string> = new Set();
      for (const intensity of [1, 8, 16, 32, 48, FULL_INTENSITY]) {
        // A pair that keeps its order of arrival both ways is one that nothing moves apart.
        const order = orderOf(seeded(seed, intensity), tasksNamed(...names));
        const reversed = orderOf(seeded(seed, intensity), tasksNamed(...names.toReversed()));
        const unmoved = new Set(
          names.filter((a) =>
            names.some((b) => a !== b && order.indexOf(a) < order.indexOf(b) !== reversed.indexOf(a) < reversed.indexOf(b)),
          ),
        );
        const inOrder = Array.from(order).filter((name) => unmoved.has(name));
        expect(inOrder).toEqual(inOrder.toSorted());
        const moved = new Set(names.filter((name) => !unmoved.has(name)));
        // A lone unmoved step cannot be told from a moved one.
        if (unmoved.size > 1) expect([...before].filter((name) => !moved.has(name))).toEqual([]);
        before = moved;
      }
      expect(before.size).toBe(names.length);
    }
  });

  test("the share of steps that are moved is the intensity", () => {
    // Of two steps that arrived as a, b, b runs first when the pair is moved the right way: with m = 1/4 moved, b before the middle
    // and a not before b. P = m(1-m)/2 [only b] + (1-m)m/2 [only a] + m^2/2 [both] = 0.21875.
    let swapped = 0;
    for (let seed = 0; seed < 4_000; seed++) if (orderOf(seeded(seed, 16), tasksNamed("a", "b")) === "ba") swapped++;
    // Binomial with mean 875 and sigma 26.1: outside 5 sigma with p < 1e-6, and the seeds are fixed.
    expect(Math.abs(swapped - 875)).toBeLessThan(131);
  });
});

describe("batches", () => {
  const settle: Alternative = { name: "settle", operation: "", kind: "settle" };
  const gates = names.map((name): Alternative => ({ name, operation: "1", kind: "gate" }));

  /** The gates that join the batch, in order. */
  const joinersOf = (strategy: Strategy, offered: readonly Alternative[]): string => {
    strategy.begin(0);
    let left = offered;
    let joined = "";
    for (;;) {
      const index = strategy.pick({ ...decisionOf([settle, ...left]), kind: "batch" });
      if (index === 0) return joined;
      joined += left[index - 1]!.name;
      left = left.toSpliced(index - 1, 1);
    }
  };

  test("which gates join does not hang on what else is open, and is about a third of them", () => {
    let joined = 0;
    for (let seed = 0; seed < 200; seed++) {
      const whole = joinersOf(seeded(seed), gates);
      joined += whole.length;
      const some = gates.filter((_, index) => index % 3 !== seed % 3);
      const names = some.map(({ name }) => name);
      expect(joinersOf(seeded(seed), some)).toBe(
        Array.from(whole)
          .filter((name) => names.includes(name))
          .join(""),
      );
    }
    // 3,200 gates, binomial with mean 960 and sigma 25.9: outside 5 sigma with p < 6e-7, and the seeds are fixed.
    expect(Math.abs(joined - 960)).toBeLessThan(130);
  });

  test("a gate that joins at a low intensity joins at every higher one, and none does at 0", () => {
    for (let seed = 0; seed < 50; seed++) {
      let before = "";
      for (const intensity of [0, 1, 16, 48, FULL_INTENSITY]) {
        const joined = joinersOf(seeded(seed, intensity), gates);
        if (intensity === 0) expect(joined).toBe("");
        for (const name of before) expect(joined).toContain(name);
        before = joined;
      }
    }
  });
});

test("each further run of an exploration has an order of its own, and begins alike each time", () => {
  const strategy = seeded(7);
  const orders = Array.from({ length: 30 }, (_, run) => orderOf(strategy, tasksNamed(...names), run));
  // 30 of 16! orders: two of them are equal with p < 1e-10.
  expect(new Set(orders).size).toBe(30);
  expect(orderOf(strategy, tasksNamed(...names), 3)).toBe(orders[3]);
});

test("a step that others of a higher rank keep overtaking runs after 1,000 decisions in which it was first in line", () => {
  const strategy = seeded(7);
  strategy.begin(0);
  const [waiting] = tasksNamed("z") as [ReadyTask];
  // A task that polls, each time with a new step, of which only those that overtake are offered.
  let passedOver = 0;
  for (let poll = 0; poll < 1_000_000; poll++) {
    const polling = { name: "poll", operation: String(poll) };
    const probe = seeded(7);
    probe.begin(0);
    if (probe.pick(decisionOf([waiting, polling])) === 0) continue;
    if (strategy.pick(decisionOf([waiting, polling])) === 0) break;
    passedOver++;
  }
  expect(passedOver).toBe(1_000);
});

test("a seed that is none is refused", () => {
  expect(() => seeded(-1)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not -1]`);
  expect(() => seeded(2 ** 32)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not 4294967296]`,
  );
});
