/** When priorities are drawn anew; how often what is in odds.test.ts is found. */
import { describe, expect, test } from "vitest";
import { lateRead, type SearchProgram } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import { type Alternative, type Decision, type Footprint, type Strategy, WORLD } from "../schedule/strategy.js";
import { pos } from "./pos.js";

const seed = 7;

const decisionOf = (ready: readonly Alternative[], ids: readonly number[], kind: Decision["kind"] = "next", step = 1): Decision => ({
  kind,
  step,
  timeMs: 0,
  count: ready.length,
  ready,
  ids,
});

/**
 * A run of a chain of 8 steps, which touch `turns`, beside one step, which touches `other`: answers whether that one comes last. The ids are
 * those of every run.
 */
function comesLast(strategy: Strategy, run: number, turns: Footprint, other: Footprint): boolean {
  strategy.begin(run);
  const [chain, single] = [{}, { name: "other", operation: "1", chain: {} }];
  let isLast = true;
  const observe = (name: string, step: number, id: number, footprint: Footprint): void => {
    strategy.observe?.({
      name,
      operation: "1",
      step,
      timeMs: 0,
      ready: 2,
      chain: name === "turns" ? chain : single.chain,
      id,
      footprint,
      causes: [],
    });
  };
  for (let turn = 1; turn <= 8; turn++) {
    const ready = [{ name: "turns", operation: String(turn), chain }, ...(isLast ? [single] : [])];
    if (isLast && strategy.pick(decisionOf(ready, [turn, 100], "next", turn)) === 1) {
      isLast = false;
      observe("other", turn, 100, other);
    }
    observe("turns", turn, turn, turns);
  }
  if (isLast) observe("other", 9, 100, other);
  strategy.end?.({ run, failed: false, steps: 9 });
  return isLast;
}

/** In how many runs behind the first ones the single step comes last. */
function countLast(turns: Footprint, other: Footprint, runs: number): number {
  const strategy = pos(seed);
  let last = 0;
  for (let run = 0; run < runs + 50; run++) if (comesLast(strategy, run, turns, other) && run >= 50) last++;
  return last;
}

describe("beside a chain of eight steps, one step comes last", () => {
  const reads: Footprint = { reads: [5], writes: [] };
  const writes: Footprint = { reads: [], writes: [5] };
  const elsewhere: Footprint = { reads: [6], writes: [7] };
  const untracked: Footprint = { reads: [], writes: [WORLD] };

  test.each([
    ["both only read", reads, reads],
    ["they touch different things", writes, elsewhere],
  ])("in 1 of 9 runs where %s, because it keeps its priority", (_what, turns, other) => {
    // Binomial with mean 444 and sigma 19.9: outside 5 sigma with p < 6e-7, and the seed is fixed.
    expect(Math.abs(countLast(turns, other, 4_000) - 444)).toBeLessThan(100);
  });

  test.each([
    ["one writes what the other reads", writes, reads],
    ["one reads what the other writes", reads, writes],
    ["both write the same", writes, writes],
    ["the steps may have done anything", untracked, elsewhere],
    ["the one may have done anything", elsewhere, untracked],
  ])("in 1 of 256 runs where %s, because it draws another each time", (_what, turns, other) => {
    // Binomial with mean 15.6 and sigma 3.9: outside 6 sigma with p < 1e-5, and the seed is fixed.
    expect(Math.abs(countLast(turns, other, 4_000) - 15.6)).toBeLessThan(23.6);
  });
});

async function failuresOf({ scenario, untracked }: SearchProgram, isTracked: boolean, runs: number): Promise<number> {
  const everyRun = { seed, strategy: pos(seed), runs, stopOnFailure: false, minimise: false };
  return (await explore(isTracked ? scenario : untracked, { ...everyRun, tracked: isTracked })).failures;
}

test("in a program of which all is tracked, steps that touch nothing do not make another one draw anew", async () => {
  // The read comes last of 10: 1 in 10, where uniform picks find it once in 512 runs. Binomial with mean 200 and sigma 13.4; the seed is fixed.
  expect(Math.abs((await failuresOf(lateRead(8), true, 2_000)) - 200)).toBeLessThan(67);
});

test("where nothing is shared through heddle, every step may have done anything, and picks are uniform", async () => {
  // 1 in 32: binomial with mean 62.5 and sigma 7.8, outside 5 sigma with p < 6e-7, and the seed is fixed.
  expect(Math.abs((await failuresOf(lateRead(4), false, 2_000)) - 62.5)).toBeLessThan(39);
});

test("a step that was not seen before may touch anything, until it has run", () => {
  const strategy = pos(seed);
  // Of the same steps each time, but under other ids: 1 in 256.
  let last = 0;
  for (let run = 0; run < 2_000; run++) {
    strategy.begin(run);
    const single = { name: "other", operation: "1", chain: {} };
    let isLast = true;
    for (let turn = 1; turn <= 8 && isLast; turn++) {
      const id = 1_000 * (run + 1) + turn;
      isLast = strategy.pick(decisionOf([{ name: "turns", operation: String(turn) }, single], [id, 1_000 * (run + 1)], "next", turn)) === 0;
      strategy.observe?.({
        name: "turns",
        operation: "1",
        step: turn,
        timeMs: 0,
        ready: 2,
        id,
        footprint: { reads: [], writes: [5] },
        causes: [],
      });
    }
    if (isLast) last++;
  }
  // Binomial with mean 7.8 and sigma 2.8: outside 6 sigma with p < 1e-5, and the seed is fixed.
  expect(Math.abs(last - 7.8)).toBeLessThan(16.8);
});

test("a batch settles with probability 0.7, and is else joined by the gate with the highest priority", () => {
  const strategy = pos(seed);
  const settle: Alternative = { name: "settle", operation: "", kind: "settle" };
  let [settled, inOrder, outOfOrder] = [0, 0, 0];
  for (let run = 0; run < 2_000; run++) {
    strategy.begin(run);
    const gates = ["g", "h", "i", "j"].map((name) => ({ name, operation: "1", kind: "gate" as const }));
    const taken = strategy.pick(decisionOf(gates, [1, 2, 3, 4]));
    const others = gates.filter((_, index) => index !== taken);
    const joins = strategy.pick(decisionOf([settle, ...others], [-1, 5, 6, 7], "batch"));
    if (joins === 0) settled++;
    else if (strategy.pick(decisionOf(others, [5, 6, 7])) === joins - 1) inOrder++;
    else outOfOrder++;
  }
  // Binomial with mean 1,400 and sigma 20.5: outside 5 sigma with p < 6e-7, and the seed is fixed.
  expect(Math.abs(settled - 1_400)).toBeLessThan(103);
  expect({ isJoined: inOrder > 0, outOfOrder }).toEqual({ isJoined: true, outOfOrder: 0 });
});

test("it wants its steps tracked", () => {
  expect(pos(seed)).toMatchObject({ name: "pos", tracks: true });
  expect(() => pos(-1)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not -1]`);
});
