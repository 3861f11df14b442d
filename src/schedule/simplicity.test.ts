import { describe, expect, test } from "vitest";
import { isSimpler, kindsOf, type OrderedDecision, type OrderedStep, type Simplicity, simplicityOf } from "./simplicity.js";

const stepsOf = (names: string): OrderedStep[] => Array.from(names, (name, index) => ({ name, operation: String(index) }));

const gate = (name: string, operation = "1"): OrderedStep => ({ kind: "gate", name, operation });
const settle: OrderedStep = { kind: "settle", name: "settle", operation: "" };
const clock: OrderedStep = { kind: "clock", name: "clock", operation: "5" };
const task: OrderedStep = { kind: "task", name: "t", operation: "1" };

const withoutKinds = ({ ready, index }: OrderedDecision): OrderedDecision => ({
  ready: ready.map(({ name, operation }) => ({ name, operation })),
  index,
});

test.each([
  ["", 0, 0],
  ["a", 0, 1],
  ["aaa", 0, 3],
  ["aab", 1, 3],
  ["abab", 3, 4],
  ["abba", 2, 4],
])("the steps %j have %i switches", (names, switches, steps) => {
  expect(simplicityOf(stepsOf(names))).toEqual({ switches, departures: 0, batches: 0, faults: 0, ioLatencyMs: 0, steps });
});

test("a gate between two steps of a task is no switch", () => {
  expect(simplicityOf([task, gate("load"), task, gate("save"), { ...task, name: "u" }]).switches).toBe(1);
});

describe("decisions about gates", () => {
  const [a, b] = [gate("a"), gate("b")];
  test.each<[string, OrderedDecision, number, number]>([
    ["the first gate in the order of arrival", { ready: [a, b], index: 0 }, 0, 0],
    ["a gate before one that was opened earlier", { ready: [a, b], index: 1 }, 1, 0],
    ["a gate before a task that was ready earlier", { ready: [task, b], index: 1 }, 0, 0],
    ["a task before a gate that was opened earlier", { ready: [a, task], index: 1 }, 0, 0],
    ["time passes open gates", { ready: [a, clock], index: 1 }, 1, 0],
    ["no more gates settle in this step", { ready: [settle, a, b], index: 0 }, 0, 0],
    ["the next gate settles in the same step", { ready: [settle, a, b], index: 1 }, 0, 1],
    ["another gate than the next settles in the same step", { ready: [settle, a, b], index: 2 }, 1, 1],
  ])("%s", (_what, decision, departures, batches) => {
    expect(simplicityOf([a, b, task], { decisions: [decision], ioLatencyMs: 10 })).toMatchObject({ departures, batches, ioLatencyMs: 10 });
    // As a recorded schedule has them.
    expect(simplicityOf([a, b, task], { decisions: [withoutKinds(decision)] })).toMatchObject({ departures, batches });
  });
});

test("by names alone, a gate is also known by decisions that are about gates only", () => {
  const never = [gate("never"), gate("ever")];
  const kindOf = kindsOf(
    [{ name: "clock", operation: "1" }],
    [withoutKinds({ ready: [...never, clock], index: 1 }), withoutKinds({ ready: [settle, gate("joined")], index: 1 })],
  );
  expect(["never", "ever", "joined", "other"].map((name) => kindOf({ name, operation: "1" }))).toEqual(["gate", "gate", "gate", "task"]);
  // A task may be called as the clock is.
  expect(kindOf({ name: "clock", operation: "1" })).toBe("task");
});

test("what comes first in the order of smallness decides, whatever comes later", () => {
  const simple: Simplicity = { switches: 1, departures: 1, batches: 1, faults: 1, ioLatencyMs: 1, steps: 1 };
  const keys = ["switches", "departures", "batches", "faults", "ioLatencyMs", "steps"] as const;
  keys.forEach((key, place) => {
    const rest = Object.fromEntries(keys.slice(place + 1).map((later) => [later, 100]));
    expect(isSimpler({ ...simple, ...rest, [key]: 0 }, simple)).toBe(true);
    expect(isSimpler(simple, { ...simple, ...rest, [key]: 0 })).toBe(false);
  });
});

test("the order is strict and total: of two that differ exactly one is simpler, and none is simpler than itself", () => {
  const all: Simplicity[] = Array.from({ length: 64 }, (_, bits) => ({
    switches: (bits >> 5) & 1,
    departures: (bits >> 4) & 1,
    batches: (bits >> 3) & 1,
    faults: (bits >> 2) & 1,
    ioLatencyMs: (bits >> 1) & 1,
    steps: bits & 1,
  }));
  for (const [place, a] of all.entries()) {
    for (const [other, b] of all.entries()) expect(isSimpler(a, b)).toBe(place < other);
  }
});
