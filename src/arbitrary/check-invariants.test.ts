import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atomicSpans } from "../invariant/atomicity.js";
import type { Invariant } from "../invariant/invariant.js";
import { loopInvariants } from "../invariant/loop-invariants.js";
import { decodeSchedule, encodeSchedule } from "../schedule/token.js";
import { fifo } from "../strategy/fifo.js";
import { type CheckProgress, checkInvariants } from "./check-invariants.js";

/** An invariant of which everybody sees that it does not hold: t2 never comes to a span before t1 has begun. */
const firstComeFirstServed: Invariant = {
  name: "first-come-first-served",
  sentence: "Nobody overtakes t1.",
  judge({ trace }) {
    const begin = trace.findIndex(({ task, phase }) => task === "t1" && phase === "begin");
    const span = trace.findIndex(({ task, name }) => task === "t2" && name === "span");
    return { exercised: 1, violation: span >= 0 && span < begin ? "t2 overtook t1" : undefined };
  },
};

test("what holds is held in every run, and the counts say how often each invariant was put to the test", async () => {
  const { failure, exercised, outcomes, ...result } = await checkInvariants({ runs: 300, seed: 7 });
  expect(failure).toBeUndefined();
  expect(result).toMatchObject({ runs: 300, seed: 7, isComplete: true, failures: 0 });
  expect(Object.keys(exercised)).toEqual(loopInvariants.map(({ name }) => name));
  // The rarest, independent-tasks, needs a graph without sharing, which one in five is, and another order than fifo.
  for (const [name, count] of Object.entries(exercised)) expect(count, name).toBeGreaterThan(20);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(300);
});

test("the same seed gives the same counts", async () => {
  const [first, second] = [await checkInvariants({ runs: 100, seed: 3 }), await checkInvariants({ runs: 100, seed: 3 })];
  expect(second).toEqual(first);
});

test("what is broken comes back small: the invariant, the smallest graph and order, and the first failure beside them", async () => {
  const { failure, failures, runs } = await checkInvariants({ runs: 2_000, seed: 7, invariants: [atomicSpans, firstComeFirstServed] });
  expect(failures).toBe(1);
  expect(runs).toBeLessThan(2_000);
  expect(failure?.invariant.name).toBe("first-come-first-served");
  expect(failure?.message).toBe("t2 overtook t1");
  expect(failure?.graph.tasks.length).toBe(3);
  expect(failure?.run.steps.length).toBeLessThanOrEqual(4);
  expect(failure?.original.run.steps.length).toBeGreaterThanOrEqual(failure?.run.steps.length ?? 0);
  const token = encodeSchedule(failure?.run.schedule ?? decodeSchedule(""));
  expect(decodeSchedule(token)).toEqual(failure?.run.schedule);
});

test("making it small is bounded by a number of reruns", async () => {
  const { failure } = await checkInvariants({ runs: 2_000, seed: 7, invariants: [firstComeFirstServed], maxReruns: 0 });
  expect(failure?.message).toBe("t2 overtook t1");
});

test("graphs, schedules and the place of the first failure are the caller's to choose", async () => {
  const graph = fc.constant({ version: 1 as const, cells: 1, futures: 0, tasks: [{ name: "main", body: [["span", 0, 1] as const] }] });
  const { graphs, schedules, outcomes } = await checkInvariants({ runs: 20, seed: 7, graphs: graph, schedules: fc.constant(fifo()) });
  expect({ graphs, schedules }).toEqual({ graphs: 1, schedules: 1 });
  expect(outcomes.finished).toBe(20);
});

describe("on the way", () => {
  test("progress is told now and then, and at the end", async () => {
    const told: CheckProgress[] = [];
    const result = await checkInvariants({ runs: 120, seed: 7, invariants: [atomicSpans], onProgress: (progress) => told.push(progress) });
    expect(told.map(({ runs }) => runs)).toEqual([50, 100, 120]);
    expect(result).toMatchObject(told.at(-1) ?? {});
  });

  test("a signal ends it, with what is known", async () => {
    const controller = new AbortController();
    const { isComplete, runs, failure } = await checkInvariants({
      runs: 100_000,
      seed: 7,
      invariants: [atomicSpans],
      signal: controller.signal,
      onProgress: () => {
        controller.abort();
      },
    });
    expect(isComplete).toBe(false);
    expect(failure).toBeUndefined();
    expect(runs).toBe(50);
  });
});

test("options that make no sense are refused", async () => {
  await expect(checkInvariants({ runs: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: checkInvariants: runs must be a whole number, 1 or more, not 0]`,
  );
  await expect(checkInvariants({ seed: -1 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not -1]`,
  );
});
