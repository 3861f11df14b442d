import { describe, expect, test } from "vitest";
import { STRATEGY_NAMES, strategyNamed } from "./named.js";

test.each(STRATEGY_NAMES)("%s names a strategy, which can begin a run and says that name", (name) => {
  const strategy = strategyNamed(name, 7);
  expect(strategy.name).toBe(name);
  expect(strategy.begin(0)).toBe(true);
});

test.each(STRATEGY_NAMES)("%s makes the same picks from the same seed", (name) => {
  const ready = Array.from({ length: 5 }, (_, index) => ({ name: `t${index}`, operation: "1" }));
  const picks = (): number[] => {
    const strategy = strategyNamed(name, 7);
    strategy.begin(0);
    return Array.from({ length: 50 }, (_, step) => strategy.pick({ step, timeMs: 0, count: 5, ready }));
  };
  expect(picks()).toEqual(picks());
});

test.each(["", "Random", "toString", ":", ":3", "Random:3"])("%j is refused, with the names that are known", (name) => {
  expect(() => strategyNamed(name, 7)).toThrow(`strategy: ${JSON.stringify(name)} is not known; known are ${STRATEGY_NAMES.join(", ")}`);
});

describe("a number behind the colon", () => {
  test.each(["exhaustive:0", "exhaustive:2", "delay:3", "delay:1000", "laggards:0.5", "laggards:1", "pct:1", "pct:5", "dpor:2"])(
    "%s is taken, and stands in its name",
    (name) => {
      expect(strategyNamed(name, 7).name).toBe(name);
    },
  );

  test("means what the strategy takes", () => {
    // Two alternatives, then again two: the schedules of the delay-bounded search with so many delays.
    const runsOf = (name: string): number => {
      const strategy = strategyNamed(name, 7);
      const ready = ["a", "b"].map((task) => ({ name: task, operation: "1" }));
      let runs = 0;
      for (; strategy.begin(runs); runs++) for (const step of [1, 2]) strategy.pick({ step, timeMs: 0, count: 2, ready });
      return runs;
    };
    expect(["delay:0", "delay:1", "delay", "delay:9", "exhaustive"].map(runsOf)).toEqual([1, 3, 4, 4, 4]);
  });

  test.each([
    ["exhaustive:x", 'strategy: "exhaustive:x": behind the colon stands the number of preemptions, a whole number from 0 to 1000, not "x"'],
    ["exhaustive:", 'strategy: "exhaustive:": behind the colon stands the number of preemptions, a whole number from 0 to 1000, not ""'],
    ["delay:-1", 'strategy: "delay:-1": behind the colon stands the number of delays, a whole number from 0 to 1000, not "-1"'],
    ["delay:1e2", 'strategy: "delay:1e2": behind the colon stands the number of delays, a whole number from 0 to 1000, not "1e2"'],
    ["delay:1.5", 'strategy: "delay:1.5": behind the colon stands the number of delays, a whole number from 0 to 1000, not "1.5"'],
    ["delay:1001", 'strategy: "delay:1001": behind the colon stands the number of delays, a whole number from 0 to 1000, not "1001"'],
    ["laggards:2", 'strategy: "laggards:2": behind the colon stands the share of laggards, a number from 0 to 1, not "2"'],
    ["laggards:0.5:1", 'strategy: "laggards:0.5:1": behind the colon stands the share of laggards, a number from 0 to 1, not "0.5:1"'],
    ["pct:0", 'strategy: "pct:0": behind the colon stands the depth, a whole number from 1 to 1000, not "0"'],
    ["fifo:3", 'strategy: "fifo:3": nothing may stand behind fifo'],
  ])("%s is refused", (name, message) => {
    expect(() => strategyNamed(name, 7)).toThrow(expect.objectContaining({ code: "HEDDLE_BAD_INPUT", message }) as Error);
  });
});
