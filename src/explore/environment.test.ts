import { afterEach, expect, test, vi } from "vitest";
import { fromEnvironment, parseRuns, parseSeed } from "./environment.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("whole numbers in range are taken", () => {
  expect([
    parseSeed("0", "--seed"),
    parseSeed("4294967295", "--seed"),
    parseSeed(" 7\n", "--seed"),
    parseRuns("1", "--runs"),
    parseRuns("1000000000", "--runs"),
  ]).toEqual([0, 4_294_967_295, 7, 1, 1_000_000_000]);
});

test.each(["", " ", "seven", "-1", "1.5", "1e3", "0x10", "NaN", "Infinity", "4294967296", "9".repeat(400), "7 8", "٧"])(
  "%j is refused as a seed",
  (text) => {
    expect(() => parseSeed(text, "HEDDLE_SEED")).toThrow(
      `HEDDLE_SEED: must be a whole number from 0 to 4294967295, not ${JSON.stringify(text.slice(0, 40))}`,
    );
  },
);

test.each(["0", "1000000001"])("%s is refused as a number of runs", (text) => {
  expect(() => parseRuns(text, "--runs")).toThrow(`--runs: must be a whole number from 1 to 1000000000, not "${text}"`);
});

test("a variable that is empty counts as not set", () => {
  vi.stubEnv("HEDDLE_SEED", "");
  expect(fromEnvironment("seed")).toBeUndefined();
  vi.stubEnv("HEDDLE_SEED", "7");
  expect(fromEnvironment("seed")).toBe("7");
});
