import { expect, test } from "vitest";
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

test.each(["", "Random", "toString"])("%j is refused, with the names that are known", (name) => {
  expect(() => strategyNamed(name, 7)).toThrow(`strategy: ${JSON.stringify(name)} is not known; known are ${STRATEGY_NAMES.join(", ")}`);
});
