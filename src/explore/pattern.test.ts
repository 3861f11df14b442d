import { describe, expect, test } from "vitest";
import type { FailingStep, OrderItem } from "./order.js";
import { findPattern, type Pattern } from "./pattern.js";

const NAMES = ["what is not tracked", "balance", "closed", "task a", "log"];
const describeLocation = (location: number): string => NAMES[location] ?? "";

/** A step of `a` or `b`, with what it reads, writes and updates. */
const step = (text: string, touched: { reads?: number[]; writes?: number[]; updates?: number[] } = {}): FailingStep => {
  const { reads = [], writes = [], updates } = touched;
  return { name: text.slice(0, 1), operation: text.slice(1), footprint: { reads, writes, updates } };
};

/** The pattern of a run of these steps in which the orders of these pairs matter, by place. */
function patternOf(steps: readonly FailingStep[], pairs: readonly (readonly [number, number])[], error?: unknown): Pattern | undefined {
  const item = (place: number): OrderItem => {
    const { name, operation } = steps[place] as FailingStep;
    return { kind: "task", name, operation, joined: [], faults: [], ready: [], place, step: steps[place] as FailingStep };
  };
  return findPattern(
    { steps },
    pairs.map(([first, then]) => ({ first: item(first), then: item(then) })),
    { error, describeLocation },
  );
}

const [a1, a2, b1] = [
  { name: "a", operation: "1" },
  { name: "a", operation: "2" },
  { name: "b", operation: "1" },
];

describe("a lost update", () => {
  const reads = step("a1", { reads: [1] });
  const writesBetween = step("b1", { writes: [1] });

  test("is a read, a write of another task and a write without another look", () => {
    const steps = [reads, writesBetween, step("a2", { writes: [1] })];
    const expected = { kind: "lost update", before: a1, between: b1, after: a2, location: "balance" };
    expect(patternOf(steps, [[0, 1]])).toEqual(expected);
    expect(patternOf(steps, [[1, 2]])).toEqual(expected);
  });

  test("is none where the task looks again in the step in which it writes: it acts on an old look", () => {
    const steps = [reads, writesBetween, step("a2", { writes: [1], updates: [1] })];
    expect(patternOf(steps, [[0, 1]])?.kind).toBe("check-then-act");
  });

  test("is none where the task looked again before", () => {
    const steps = [reads, writesBetween, step("a2", { reads: [1] }), step("a3", { writes: [1] })];
    expect(patternOf(steps, [[0, 1]])?.kind).toBe("order violation");
  });

  test("is none where the pair is about other steps", () => {
    const steps = [step("b0", { writes: [4] }), step("a0", { reads: [4] }), reads, writesBetween, step("a2", { writes: [1] })];
    expect(patternOf(steps, [[0, 1]])?.kind).toBe("order violation");
  });

  test("is none of what the library writes for a task", () => {
    const steps = [step("a1", { reads: [3] }), step("b1", { writes: [3] }), step("a2", { writes: [3] })];
    expect(patternOf(steps, [[0, 1]])?.kind).toBe("order violation");
  });
});

describe("check-then-act", () => {
  test("is a read, a change by another task, and something written elsewhere", () => {
    const steps = [step("a1", { reads: [1] }), step("b1", { writes: [1] }), step("a2", { writes: [4] })];
    expect(patternOf(steps, [[0, 1]])).toEqual({ kind: "check-then-act", before: a1, between: b1, after: a2, location: "balance" });
  });

  test("is none where the task looks again before it acts, or does nothing any more", () => {
    expect(
      patternOf([step("a1", { reads: [1] }), step("b1", { writes: [1] }), step("a2", { reads: [1], writes: [4] })], [[0, 1]])?.kind,
    ).toBe("order violation");
    expect(patternOf([step("a1", { reads: [1] }), step("b1", { writes: [1] }), step("a2", { reads: [4] })], [[0, 1]])?.kind).toBe(
      "order violation",
    );
  });
});

describe("an atomicity violation", () => {
  const untracked = ["a1", "b1", "b2", "a2"].map((text) => ({ name: text.slice(0, 1), operation: text.slice(1) }));

  test("takes a pair in each direction, around a step of the other task", () => {
    expect(
      patternOf(untracked, [
        [0, 2],
        [1, 3],
      ]),
    ).toEqual({ kind: "atomicity violation", before: a1, between: { name: "b", operation: "2" }, after: a2 });
  });

  test("is none with pairs of one direction, or of more than two tasks", () => {
    expect(patternOf(untracked, [[0, 1]])?.kind).toBe("order violation");
    const three = ["a1", "b1", "c1", "a2"].map((text) => ({ name: text.slice(0, 1), operation: text.slice(1) }));
    expect(
      patternOf(three, [
        [0, 1],
        [2, 3],
      ])?.kind,
    ).toBe("order violation");
  });
});

describe("use after close", () => {
  test("is told by a property, or by the error where one pair is all there is", () => {
    const close = { kind: "use after close", close: a1, use: b1 };
    expect(patternOf([step("a1", { writes: [2] }), step("b1", { reads: [2] })], [[0, 1]])).toEqual({ ...close, location: "closed" });
    const plain = [a1, b1, a2];
    const error = new Error("the stream was already ended");
    expect(patternOf(plain, [[0, 1]], error)).toEqual({ ...close, location: undefined });
    expect(patternOf([step("a1", { writes: [4] }), step("b1", { reads: [4] })], [[0, 1]], error)).toEqual({ ...close, location: "log" });
  });

  test("is not told by an error alone where several pairs matter, or by a property that is only read first", () => {
    expect(
      patternOf(
        [a1, b1, a2],
        [
          [0, 1],
          [1, 2],
        ],
        new Error("closed"),
      )?.kind,
    ).toBe("atomicity violation");
    expect(patternOf([step("a1", { reads: [2] }), step("b1", { writes: [2] })], [[0, 1]])?.kind).toBe("order violation");
    expect(patternOf([a1, b1], [[0, 1]], new Error("the disclosed balance is wrong"))?.kind).toBe("order violation");
  });
});

test("without pairs there is no pattern", () => {
  expect(patternOf([a1, b1], [], new Error("closed"))).toBeUndefined();
});
