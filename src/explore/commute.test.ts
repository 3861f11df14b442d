import { describe, expect, test } from "vitest";
import { Attempts, sometimesOther } from "../../fixtures/search/attempts.js";
import { lastzero } from "../../fixtures/search/programs.js";
import { Random } from "../random/random.js";
import { simplicityOf } from "../schedule/simplicity.js";
import { fewestSwitches } from "./commute.js";
import { InOrder } from "./in-order.js";
import type { FailingStep } from "./order.js";
import { type Edge, type PartialOrder, partialOrderOf } from "./partial-order.js";

const step = (name: string, operation: string): FailingStep => ({ name, operation });

/** A run of these steps, `a1 b1 a2`, about which nothing else is known. */
const runOf = (text: string) => ({ steps: text.split(" ").map(([name = "", operation = ""]) => step(name, operation)) });

const textOf = (order: PartialOrder, indices: readonly number[]): string =>
  indices.map((index) => `${order.vertices[index]?.item.name}${order.vertices[index]?.item.operation}`).join(" ");

const switchesIn = ({ vertices }: PartialOrder, indices: readonly number[]): number =>
  indices.filter((index, place) => place > 0 && vertices[index]?.chain !== vertices[indices[place - 1] ?? -1]?.chain).length;

/** The least number of switches of all orders that keep the edges, by trying them all. */
function leastSwitches({ vertices }: PartialOrder, edges: readonly Edge[]): number {
  const known = new Map<string, number>();
  const least = (taken: readonly number[], last: number): number => {
    const key = `${[...taken].sort((a, b) => a - b).join()} ${last}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    let best = taken.length === vertices.length ? 0 : Number.POSITIVE_INFINITY;
    vertices.forEach(({ chain, place }, index) => {
      const isNext = vertices.filter((other, at) => other.chain === chain && taken.includes(at)).length === place && !taken.includes(index);
      if (!isNext || edges.some(({ before, after }) => after === index && !taken.includes(before))) return;
      best = Math.min(best, least([...taken, index], chain) + (last >= 0 && last !== chain ? 1 : 0));
    });
    known.set(key, best);
    return best;
  };
  return least([], -1);
}

test("without edges every task runs in one go, in the order in which they first ran", () => {
  const order = partialOrderOf(runOf("b1 a1 b2 c1 a2 c2 b3"));
  expect(textOf(order, fewestSwitches(order, []))).toBe("b1 b2 b3 a1 a2 c1 c2");
});

test("with all edges nothing changes where every step is dependent on every other", () => {
  const order = partialOrderOf(runOf("b1 a1 b2 c1 a2 c2 b3"));
  expect(textOf(order, fewestSwitches(order))).toBe("b1 a1 b2 c1 a2 c2 b3");
});

test("of all orders that keep the edges it has the fewest switches", () => {
  const random = new Random(7);
  for (let round = 0; round < 60; round++) {
    const left = [3, 3, 3];
    const names: string[] = [];
    while (left.some((count) => count > 0)) {
      const chain = random.below(3);
      if ((left[chain] ?? 0) > 0) names.push(`${"abc"[chain]}${4 - ((left[chain] = (left[chain] ?? 0) - 1)) - 1}`);
    }
    const order = partialOrderOf(runOf(names.join(" ")));
    const edges = order.edges.filter(() => random.next() < 0.4);
    const indices = fewestSwitches(order, edges);
    expect([...indices].sort((a, b) => a - b)).toEqual(names.map((_, index) => index));
    for (const { before, after } of edges) expect(indices.indexOf(before)).toBeLessThan(indices.indexOf(after));
    expect(switchesIn(order, indices)).toBe(leastSwitches(order, edges));
  }
});

test("a long run is put in an order that keeps the edges, if not in the best", () => {
  const random = new Random(7);
  const steps = Array.from({ length: 3_000 }, (_, index) => step(`t${random.below(20)}`, String(index)));
  const order = partialOrderOf({ steps });
  const edges = order.edges.filter(() => random.next() < 0.02);
  const indices = fewestSwitches(order, edges);
  const places = new Map(indices.map((index, place) => [index, place]));
  expect(places.size).toBe(steps.length);
  for (const { before, after } of edges) expect(places.get(before)).toBeLessThan(places.get(after) ?? -1);
  expect(switchesIn(order, indices)).toBeLessThan(simplicityOf(steps).switches / 2);
});

describe("steps that are tracked", () => {
  test("commute without a change of the result, and the run that follows is the one that was foretold", async () => {
    const attempts = new Attempts((env) => lastzero(4).scenario(env as never), { isTracked: true });
    const strategy = sometimesOther(7);
    for (let number = 0; number < 30; number++) {
      strategy.begin(number);
      const run = await attempts.run({ ...strategy, begin: () => true });
      const runClass = attempts.tracker?.runClass;
      const order = partialOrderOf(run);
      const indices = fewestSwitches(order);
      const again = await attempts.run(new InOrder(indices.flatMap((index) => order.vertices[index]?.item ?? [])));
      expect(again.steps.map(({ name, operation }) => `${name}${operation}`).join(" ")).toBe(textOf(order, indices));
      expect(attempts.tracker?.runClass).toEqual(runClass);
      expect(simplicityOf(again.steps).switches).toBeLessThanOrEqual(simplicityOf(run.steps).switches);
    }
  });

  const touching = (name: string, reads: readonly number[], writes: readonly number[], causes: readonly number[] = []): FailingStep => ({
    ...step(name, "1"),
    timeMs: 0,
    footprint: { reads, writes },
    causes,
  });
  const edgesOf = (steps: readonly FailingStep[], usesFootprints = true): string[] =>
    partialOrderOf({ steps }, usesFootprints).edges.map(({ before, after }) => `${before} ${after}`);

  test("have edges between what is written and what reads or writes it, and no others", () => {
    expect(edgesOf([touching("a", [], [1]), touching("b", [1], []), touching("c", [1], []), touching("d", [], [2])])).toEqual([
      "0 1",
      "0 2",
    ]);
    expect(edgesOf([touching("a", [1], []), touching("b", [], [1]), touching("c", [], [1])])).toEqual(["0 1", "0 2", "1 2"]);
    expect(edgesOf([touching("a", [1], []), touching("b", [1], [])])).toEqual([]);
  });

  test("are dependent on whatever may have touched anything", () => {
    expect(edgesOf([touching("a", [1], []), touching("b", [], [0]), touching("c", [2], [])])).toEqual(["0 1", "1 2"]);
    expect(edgesOf([touching("a", [1], []), { ...step("b", "1"), timeMs: 0 }, touching("c", [2], [])])).toEqual(["0 1", "1 2"]);
    expect(edgesOf([touching("a", [1], []), touching("b", [2], [])], false)).toEqual(["0 1"]);
  });

  test("have no edge to what caused them, nor where another edge says as much", () => {
    expect(edgesOf([touching("a", [], [1]), touching("b", [1], [], [1])])).toEqual([]);
    expect(edgesOf([touching("a", [], [1]), touching("b", [1], []), touching("b", [1], [])])).toEqual(["0 1"]);
  });

  test("at different times are never swapped", () => {
    const steps = [
      touching("a", [1], []),
      touching("b", [2], []),
      { ...touching("c", [3], []), timeMs: 5 },
      { ...touching("a", [1], []), timeMs: 5 },
    ];
    const order = partialOrderOf({ steps });
    // Those of one time are: b before a, so that a goes on when it is later.
    expect(fewestSwitches(order, [])).toEqual([1, 0, 3, 2]);
  });
});
