import { describe, expect, test } from "vitest";
import { Random } from "../random/random.js";
import type { Alternative, Decision } from "../schedule/strategy.js";
import { PriorityWalk, type Walk } from "./priority-walk.js";

const decisionOf = (ready: readonly Alternative[], step: number, kind: Decision["kind"] = "next"): Decision => ({
  kind,
  step,
  timeMs: 0,
  count: ready.length,
  ready,
});

const plain: Walk = { grouping: "lineage", changes: 0, places: 0, lowerProbability: 1, lowersTo: "any", order: [], settleProbability: 1 };

/** A run of chains `a`, `b` and so on with so many steps each: who made each step. As gates, where each step opens the next gate. */
function runOf(walk: PriorityWalk, options: Partial<Walk>, lengths: readonly number[], kind: "task" | "gate" = "task"): string {
  walk.begin({ ...plain, ...options });
  const left = [...lengths];
  const chains = lengths.map(() => ({}));
  const next = (chain: number): Alternative & { readonly of: number } => ({
    name: kind === "gate" ? "io" : `t${chain}`,
    operation: "1",
    kind,
    chain: kind === "gate" ? {} : chains[chain],
    of: chain,
  });
  let ready = lengths.map((_, chain) => next(chain));
  let order = "";
  while (ready.length > 1) {
    const taken = ready[walk.pick(decisionOf(ready, order.length + 2))]!;
    order += String.fromCharCode(97 + taken.of);
    ready = ready.filter((each) => each !== taken);
    if (--left[taken.of]! > 0) ready.push(next(taken.of));
  }
  return order;
}

const runsOf = (count: number, options: Partial<Walk>, lengths: readonly number[], kind?: "task" | "gate"): string[] => {
  const walk = new PriorityWalk(new Random(7));
  return Array.from({ length: count }, () => runOf(walk, options, lengths, kind));
};

/** How often the one that ran last gives way although it could go on; in a list in which nobody ends. */
const switchesIn = (order: string): number => Array.from(order).filter((name, place) => place > 0 && order[place - 1] !== name).length;

describe("the order", () => {
  test("can be given for those that are seen first; others come anywhere between", () => {
    expect(new Set(runsOf(20, { order: [2, 0, 1, 3] }, [2, 2, 2, 2]))).toEqual(new Set(["ccaabb"]));
    const places = runsOf(100, { order: [1, 0] }, [1, 1, 1]).map((order) => order.slice(0, 2));
    expect(new Set(places)).toEqual(new Set(["cb", "bc", "ba"]));
  });

  test("counts how many were drawn", () => {
    const walk = new PriorityWalk(new Random(7));
    runOf(walk, {}, [3, 3, 3]);
    expect(walk.drawn).toBe(3);
    runOf(walk, { grouping: "step" }, [1, 1]);
    expect(walk.drawn).toBe(2);
  });
});

describe("changes", () => {
  test("are exactly as many as asked for, at different places, each as likely as any other", () => {
    // Two chains that do not end, of which each change puts the one that runs behind the other: 5 of 20 places.
    const orders = runsOf(2_000, { changes: 5, places: 20, lowersTo: "last" }, [22, 22]).map((order) => order.slice(0, 21));
    expect(new Set(orders.map(switchesIn))).toEqual(new Set([5]));
    for (let place = 1; place <= 20; place++) {
      const count = orders.filter((order) => order[place] !== order[place - 1]).length;
      // Binomial with mean 500 and sigma 19.4: outside 5 sigma with p < 6e-7, and the seed is fixed.
      expect(Math.abs(count - 500)).toBeLessThan(97);
    }
  });

  test("at all places make all take turns, where the changed one comes last", () => {
    const orders = runsOf(50, { changes: 30, places: 30, lowersTo: "last" }, [9, 9, 9]);
    for (const order of orders) expect(order.slice(0, 24)).toBe(order.slice(0, 3).repeat(8));
    expect(new Set(orders.map((order) => order.slice(0, 3))).size).toBe(6);
  });

  test("to any place put the one that would run behind all that were not changed", () => {
    const orders = runsOf(200, { changes: 2, places: 2, order: [0, 1, 2, 3] }, [3, 3, 3, 3]);
    // After a's first step b would run on, but is changed at the second place, and then stands behind a or before it.
    for (const order of orders) expect(order.slice(0, 5)).toBe("abccc");
    expect(new Set(orders.map((order) => order[8]))).toEqual(new Set(["a", "b"]));
  });

  test("can draw a new priority instead, so that who ran may run again", () => {
    const orders = runsOf(400, { changes: 1, places: 1, lowerProbability: 0 }, [2, 2]);
    const stays = orders.filter(([first, second]) => first === second).length;
    // A fresh draw is higher than the lower one of two with probability 2/3: binomial with mean 267 and sigma 9.4, outside 5 sigma with p < 6e-7.
    expect(Math.abs(stays - 267)).toBeLessThan(47);
  });
});

describe("gates", () => {
  test("stay with what opened them, so that one side of requests runs ahead of another", () => {
    expect(new Set(runsOf(100, {}, [5, 5], "gate"))).toEqual(new Set(["aaaaa", "bbbbb"]));
  });

  test("are each for themselves where steps have priorities of their own", () => {
    const orders = runsOf(500, { grouping: "step" }, [5, 5], "gate");
    expect(new Set(orders).size).toBeGreaterThan(30);
  });

  test("join a batch in their order, where it does not settle", () => {
    const walk = new PriorityWalk(new Random(7));
    const settle: Alternative = { name: "settle", operation: "", kind: "settle" };
    for (let run = 0; run < 50; run++) {
      walk.begin({ ...plain, settleProbability: 0 });
      const gates: Alternative[] = ["g", "h", "i"].map((name) => ({ name, operation: "1", kind: "gate" }));
      const others = gates.toSpliced(walk.pick(decisionOf(gates, 2)), 1);
      const joins = walk.pick(decisionOf([settle, ...others], 2, "batch"));
      expect(walk.pick(decisionOf(others, 3))).toBe(joins - 1);
    }
    walk.begin(plain);
    expect(walk.pick(decisionOf([settle, settle], 2, "batch"))).toBe(0);
  });

  test("that are new after time has passed belong to nobody", () => {
    const walk = new PriorityWalk(new Random(7));
    let others = 0;
    for (let run = 0; run < 200; run++) {
      walk.begin(plain);
      const gate: Alternative = { name: "g", operation: "1", kind: "gate" };
      const clock: Alternative = { name: "clock", operation: "5", kind: "clock" };
      if (walk.pick(decisionOf([gate, clock], 2)) === 0) continue;
      const before = walk.drawn;
      walk.pick({ ...decisionOf([gate, { name: "h", operation: "1", kind: "gate" }], 3), timeMs: 5 });
      expect(walk.drawn).toBe(before + 1);
      others++;
    }
    expect(others).toBeGreaterThan(50);
  });
});
