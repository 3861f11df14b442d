import { describe, expect, test } from "vitest";
import { lateRead } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import type { Alternative, Decision, Strategy } from "../schedule/strategy.js";
import { laggards } from "./laggards.js";

const decisionOf = (ready: readonly Alternative[], kind: Decision["kind"] = "next"): Decision => ({
  kind,
  step: 1,
  timeMs: 0,
  count: ready.length,
  ready,
});
const named = (names: string, kind: Alternative["kind"] = "task"): Alternative[] =>
  Array.from(names, (name) => ({ name, operation: "1", kind, chain: {} }));
const settle: Alternative = { name: "settle", operation: "", kind: "settle" };
const clock: Alternative = { name: "clock", operation: "9", kind: "clock" };

/** How often each index is picked in `times` decisions of one run. */
function countsOf(strategy: Strategy, decision: Decision, times: number): number[] {
  const counts = decision.ready.map(() => 0);
  for (let time = 0; time < times; time++) counts[strategy.pick(decision)]! += 1;
  return counts;
}

test("a side runs ahead of the other as often as one lags and the other does not", async () => {
  const runs = 2_000;
  const { failures } = await explore(lateRead(12).untracked, {
    runs,
    stopOnFailure: false,
    minimise: false,
    seed: 7,
    strategy: laggards(7, { share: 0.4 }),
  });
  // The read comes last where the reader lags and the writer does not, and else like with uniform picks: 0.4 x 0.6 + 2^-13 x 0.52.
  // Binomial with mean 480 and sigma 19.1: outside 5 sigma with p < 6e-7, and the seed is fixed. Uniform picks: 0.24 of 2,000 runs.
  expect(Math.abs(failures - 480)).toBeLessThan(96);
});

test("a laggard runs only when nothing else is ready, and stays one in the whole run", () => {
  const strategy = laggards(7, { share: 0.5 });
  for (let run = 0; run < 200; run++) {
    strategy.begin(run);
    const ready = named("abcdefgh");
    const order: string[] = [];
    const left = [...ready];
    while (left.length > 1) order.push(...left.splice(strategy.pick(decisionOf(left)), 1).map(({ name }) => name));
    order.push(...left.map(({ name }) => name));
    // In the next round of the same chains those that came first because they do not lag come first again.
    const again = countsOf(strategy, decisionOf(ready), 200);
    const picked = ready.filter((_, index) => again[index]! > 0).map(({ name }) => name);
    expect(order.slice(0, picked.length).toSorted()).toEqual(picked);
  }
});

test("each chain lags with the probability of the share", () => {
  const strategy = laggards(7);
  let lagging = 0;
  for (let run = 0; run < 2_000; run++) {
    strategy.begin(run);
    // Beside the clock, which never lags, a gate that does is never picked: one that does not is missed in 20 decisions with p < 1e-6.
    if (countsOf(strategy, decisionOf([...named("g", "gate"), clock]), 20)[0] === 0) lagging++;
  }
  // Binomial with mean 500 and sigma 19.4: outside 5 sigma with p < 6e-7, and the seed is fixed.
  expect(Math.abs(lagging - 500)).toBeLessThan(97);
});

test("without a chain an alternative is one of its own, as long as it is ready", () => {
  const strategy = laggards(7, { share: 0.5 });
  strategy.begin(0);
  const ready = ["a", "b", "c", "d"].map((name) => ({ name, operation: "1" }));
  const counts = countsOf(strategy, decisionOf(ready), 400);
  const others = counts.filter((count) => count > 0);
  expect(others.length).toBeLessThan(4);
  // Uniform among two of them, with this seed: binomial with mean 200 and sigma 10.
  for (const count of others) expect(Math.abs(count - 400 / others.length)).toBeLessThan(50);
});

test.each([0, 1])("with a share of %s, picks are uniform", (share) => {
  const strategy = laggards(7, { share });
  strategy.begin(0);
  // Each is binomial with mean 1,000 and sigma 27.4: outside 5 sigma with p < 3e-6, and the seed is fixed.
  for (const count of countsOf(strategy, decisionOf(named("abcd")), 4_000)) expect(Math.abs(count - 1_000)).toBeLessThan(137);
});

test("of a list of shares each run draws one", () => {
  const strategy = laggards(7, { share: [0, 1] });
  expect(strategy.name).toBe("laggards");
  let lagging = 0;
  for (let run = 0; run < 400; run++) {
    strategy.begin(run);
    const [first, second] = [0, 0].map(() => countsOf(strategy, decisionOf([...named("gh", "gate"), clock]), 30).slice(0, 2));
    const isPicked = (first ?? []).concat(second ?? []).map((count) => count > 0);
    // All lag or none does; a gate that does not is missed in 30 decisions with p < 6e-6.
    expect(new Set(isPicked).size).toBe(1);
    if (isPicked[0] === false) lagging++;
  }
  // Binomial with mean 200 and sigma 10: outside 5 sigma with p < 6e-7, and the seed is fixed.
  expect(Math.abs(lagging - 200)).toBeLessThan(50);
});

describe("batches", () => {
  test("settle with probability 0.7, and else take any gate", () => {
    const strategy = laggards(7, { share: 0 });
    strategy.begin(0);
    const [settled, ...gates] = countsOf(strategy, decisionOf([settle, ...named("abc", "gate")], "batch"), 4_000);
    // Binomial with mean 2,800 and sigma 29, and with mean 400 and sigma 19: outside 5 sigma with p < 3e-6, and the seed is fixed.
    expect(Math.abs(settled! - 2_800)).toBeLessThan(145);
    for (const count of gates) expect(Math.abs(count - 400)).toBeLessThan(95);
  });

  test("are not joined by gates that lag", () => {
    const strategy = laggards(7, { share: 1 });
    strategy.begin(0);
    expect(countsOf(strategy, decisionOf([settle, ...named("abc", "gate")], "batch"), 200)).toEqual([200, 0, 0, 0]);
  });
});

test("the same seed gives the same picks, also when it is begun again", () => {
  const strategy = laggards(7);
  const picks = (each: Strategy): number[] => {
    each.begin(0);
    const ready = named("abcdefgh");
    return Array.from({ length: 100 }, () => each.pick(decisionOf(ready)));
  };
  const first = picks(strategy);
  expect(picks(strategy)).toEqual(first);
  expect(picks(laggards(7))).toEqual(first);
  expect(picks(laggards(8))).not.toEqual(first);
});

test.each([[-0.1], [1.1], [Number.NaN], [[]], [[0.5, 2]]])("a share of %s is refused", (share) => {
  expect(() => laggards(7, { share })).toThrow(`laggards: share must be a number from 0 to 1, or a list of such, not ${String(share)}`);
});
