/** How PCT runs; how often it finds what is in odds.test.ts. */
import { describe, expect, test } from "vitest";
import type { Alternative, Decision, Strategy } from "../schedule/strategy.js";
import { pct } from "./pct.js";

const seed = 7;

const decisionOf = (ready: readonly Alternative[], step = 1, timeMs = 0, kind: Decision["kind"] = "next"): Decision => ({
  kind,
  step,
  timeMs,
  count: ready.length,
  ready,
});

/** A run of chains with so many steps each: who made each step. A chain that is still ready in the list stands where it stood. */
function runOf(strategy: Strategy, run: number, lengths: Readonly<Record<string, number>>): string {
  strategy.begin(run);
  const left = new Map(Object.entries(lengths));
  const chains = new Map(Object.keys(lengths).map((name) => [name, {}]));
  const next = (name: string): Alternative => ({ name, operation: String(left.get(name)), chain: chains.get(name) });
  let ready = [...left.keys()].map(next);
  let order = "";
  while (ready.length > 0) {
    const index = ready.length === 1 ? 0 : strategy.pick(decisionOf(ready, order.length + 1));
    const { name } = ready[index]!;
    order += name;
    left.set(name, left.get(name)! - 1);
    ready = ready.filter((_, place) => place !== index);
    if (left.get(name)! > 0) ready.push(next(name));
  }
  strategy.end?.({ run, failed: false, steps: order.length });
  return order;
}

/** How often each text comes. */
function countOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

describe("priorities", () => {
  test("with depth 1 every chain runs to its end at once, and each order of the chains is as likely", () => {
    const strategy = pct(seed, { depth: 1 });
    const counts = countOf(times(3_000, (run) => runOf(strategy, run, { a: 3, b: 3, c: 3 })));
    expect([...counts.keys()].toSorted()).toEqual(["aaabbbccc", "aaacccbbb", "bbbaaaccc", "bbbcccaaa", "cccaaabbb", "cccbbbaaa"]);
    // Each is binomial with mean 500 and sigma 20.4: outside 5 sigma with p < 4e-6, and the seed is fixed.
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(102);
  });

  test("who appears later comes in at any place in the order", () => {
    const strategy = pct(seed, { depth: 1 });
    const early = ["a", "b", "c"].map((name) => ({ name, operation: "1" }));
    const places = [0, 0, 0, 0];
    for (let run = 0; run < 4_000; run++) {
      strategy.begin(run);
      strategy.pick(decisionOf(early));
      let ready: Alternative[] = [...early, { name: "late", operation: "1" }];
      let place = 0;
      for (; ready.length > 1; place++) {
        const index = strategy.pick(decisionOf(ready, 2 + place));
        if (ready[index]!.name === "late") break;
        ready = ready.filter((_, other) => other !== index);
      }
      places[place]! += 1;
    }
    // Each is binomial with mean 1,000 and sigma 27.4: outside 5 sigma with p < 3e-6, and the seed is fixed.
    for (const count of places) expect(Math.abs(count - 1_000)).toBeLessThan(137);
  });

  test("gates of one label have priorities of their own, as long as they are open", () => {
    const strategy = pct(seed, { depth: 1 });
    const first = times(50, (run) => {
      const gates = times(3, () => ({ name: "load", operation: "1", kind: "gate" as const }));
      strategy.begin(run);
      const index = strategy.pick(decisionOf(gates));
      const [other] = gates.filter((_, place) => place !== index);
      const again = [gates[index]!, ...gates.filter((gate) => gate !== gates[index] && gate !== other)];
      // What was passed over is passed over again, wherever it stands; that it is not has a probability of 2^-50 for equal priorities.
      expect(strategy.pick(decisionOf(again, 2))).toBe(0);
      return index;
    });
    expect(new Set(first)).toEqual(new Set([0, 1, 2]));
  });

  test("the clock keeps its priority until time has passed, and then draws another", () => {
    const strategy = pct(seed, { depth: 1 });
    const gate: Alternative = { name: "g", operation: "1", kind: "gate" };
    let [changed, same] = [0, 0];
    for (let run = 0; run < 400; run++) {
      strategy.begin(run);
      const at = (step: number, timeMs: number): number =>
        strategy.pick(decisionOf([gate, { name: "clock", operation: String(timeMs + 5), kind: "clock" }], step, timeMs));
      const first = at(1, 0);
      // The gate that was taken is another one when it is ready again, so only what the clock won says that it keeps its priority.
      if (first === 0) continue;
      expect(at(2, 0)).toBe(1);
      if (at(3, 5) === 1) same++;
      else changed++;
    }
    // Who won against the gate wins again with probability 2/3: of about 200 binomial with sigma 6.7, 5 sigma away from never and always.
    expect(Math.abs(same / (same + changed) - 2 / 3)).toBeLessThan(0.17);
  });
});

describe("change points", () => {
  /** How often a chain stops although it could go on. */
  const preemptionsIn = (order: string): number =>
    Array.from(order).filter((name, place) => place > 0 && order[place - 1] !== name && order.slice(place).includes(order[place - 1]!))
      .length;

  test("the first run has none, because nothing is known of the length of a run", () => {
    for (let other = 0; other < 50; other++) expect(preemptionsIn(runOf(pct(other), 0, { a: 5, b: 5 }))).toBe(0);
  });

  test.each([2, 3, 5])("with depth %i there are one less than that at most, and not always fewer", (depth) => {
    const strategy = pct(seed, { depth });
    const preemptions = times(300, (run) => preemptionsIn(runOf(strategy, run, { a: 6, b: 6, c: 6 })));
    expect(Math.max(...preemptions)).toBe(depth - 1);
  });

  test("one lies at any place between two steps, and puts the chain that runs behind all others", () => {
    const strategy = pct(seed, { depth: 2 });
    const orders = times(6_001, (run) => runOf(strategy, run, { a: 4, b: 4 })).slice(1);
    const places = countOf(orders.filter((order) => order.startsWith("a")).map((order) => String(order.indexOf("b"))));
    // There are 7 places. With a first, each of the first 3 puts b in front of its next step, and the others lie behind its end.
    expect([...places.keys()].toSorted()).toEqual(["1", "2", "3", "4"]);
    // Binomial of 6,000 with p = 1/14, mean 429 and sigma 20: outside 5 sigma with p < 6e-7, and the seed is fixed.
    for (const place of ["1", "2", "3"]) expect(Math.abs(places.get(place)! - 429)).toBeLessThan(100);
  });

  test("where it can make no difference it waits until there is a choice", () => {
    // Decisions at steps 1 and 9 of 10 alone: 9 places, of which the last 8 fall in between.
    const strategy = pct(seed, { depth: 2 });
    let turned = 0;
    for (let run = 0; run < 2_001; run++) {
      strategy.begin(run);
      const ready = ["a", "b"].map((name) => ({ name, operation: "1", chain: {} }));
      const first = strategy.pick(decisionOf(ready, 1));
      const second = strategy.pick(decisionOf(ready, 9));
      strategy.end?.({ run, failed: false, steps: 10 });
      if (run > 0 && first !== second) turned++;
    }
    // Binomial with p = 8/9, mean 1,778 and sigma 14: outside 5 sigma with p < 6e-7, and the seed is fixed.
    expect(Math.abs(turned - 1_778)).toBeLessThan(70);
  });
});

test("a batch settles with probability 0.7, and is else joined by the gate that comes next", () => {
  const strategy = pct(seed, { depth: 1 });
  const settle: Alternative = { name: "settle", operation: "", kind: "settle" };
  let [settled, inOrder, outOfOrder] = [0, 0, 0];
  for (let run = 0; run < 2_000; run++) {
    strategy.begin(run);
    const gates: Alternative[] = times(4, (index) => ({ name: `g${index}`, operation: "1", kind: "gate" }));
    const taken = strategy.pick(decisionOf(gates));
    const others = gates.filter((_, index) => index !== taken);
    const joins = strategy.pick(decisionOf([settle, ...others], 1, 0, "batch"));
    if (joins === 0) settled++;
    else if (strategy.pick(decisionOf(others, 2)) === joins - 1) inOrder++;
    else outOfOrder++;
  }
  // Binomial with mean 1,400 and sigma 20.5: outside 5 sigma with p < 6e-7, and the seed is fixed.
  expect(Math.abs(settled - 1_400)).toBeLessThan(103);
  expect({ isJoined: inOrder > 0, outOfOrder }).toEqual({ isJoined: true, outOfOrder: 0 });
});

test("it has the name that it is known by, with the depth where one is given", () => {
  expect([pct(seed).name, pct(seed, {}).name, pct(seed, { depth: 3 }).name]).toEqual(["pct", "pct", "pct:3"]);
});

test.each([0, -1, 1.5, Number.NaN, 1_001])("a depth of %s is refused", (depth) => {
  expect(() => pct(seed, { depth })).toThrow(`pct: depth must be a whole number from 1 to 1000, not ${depth}`);
});

test("a seed that is none is refused", () => {
  expect(() => pct(-1)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not -1]`);
});
