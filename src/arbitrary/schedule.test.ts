import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GraphRun, runTaskGraph } from "../graph/graph-run.js";
import { isStarting, placeBody, type TaskGraph, tasksNamedBy, walkBody } from "../graph/task-graph.js";
import { formatReadyTask } from "../schedule/schedule.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { FULL_INTENSITY, seeded } from "../strategy/seeded.js";
import { schedule } from "./schedule.js";
import { withoutTasks } from "./shrink-graph.js";
import { taskGraph } from "./task-graph.js";

describe("shrinking", () => {
  test("ends at fifo where any schedule fails", () => {
    const { counterexample } = fc.check(
      fc.property(schedule(), () => false),
      { seed: 7 },
    );
    expect(fc.stringify(counterexample)).toBe("[fifo]");
  });

  test("moves fewer and fewer steps, and keeps the seed, so that the steps that are still moved keep their place", () => {
    const tried: string[] = [];
    const { counterexample } = fc.check(
      fc.property(schedule(), (strategy) => {
        tried.push(fc.stringify(strategy));
        return strategy.name === "fifo";
      }),
      { seed: 7 },
    );
    expect(fc.stringify(counterexample)).toMatch(/^\[seeded\(\d+, 1\)\]$/);
    expect(new Set(tried.filter((text) => text !== "fifo").map((text) => text.replace(/, \d+\)$/, ""))).size).toBe(1);
  });

  test("seeds and intensities of the whole range are drawn, fifo among them", () => {
    const drawn = fc.sample(schedule(), { seed: 7, numRuns: 1_000 }).map((strategy) => fc.stringify(strategy));
    // fast-check's bias aside an intensity is drawn with probability 1/65, so that fifo is missed with p < 2e-7.
    expect(drawn).toContain("fifo");
    expect(new Set(drawn).size).toBeGreaterThan(900);
    expect(drawn.some((text) => text.endsWith(`, ${FULL_INTENSITY})`))).toBe(true);
  });
});

/** For each two steps that were ready together when one of them was taken: which one, and which had arrived first. */
function decidedPairs({ schedule: { decisions } }: GraphRun): ReadonlyMap<string, { readonly taken: string; readonly first: string }> {
  const pairs = new Map<string, { readonly taken: string; readonly first: string }>();
  for (const { ready, index } of decisions) {
    const names = ready.map(formatReadyTask);
    const taken = names[index] ?? "";
    names.forEach((other, place) => {
      if (place !== index) pairs.set([taken, other].toSorted().join(" "), { taken, first: place < index ? other : taken });
    });
  }
  return pairs;
}

interface Comparison {
  readonly graphs: number;
  /** Pairs that were decided in the run of the graph and in that of the smaller one. */
  pairs: number;
  /** How many were decided the other way round, and how many of those although they arrived in the same order. */
  changed: number;
  changedAlthoughInOrder: number;
  graphsThatChanged: number;
}

/** Runs random graphs with and without one task that starts no other, each time under the strategy of the same seed. */
async function compare(make: (seed: number) => Strategy, numRuns: number): Promise<Comparison> {
  const result = { graphs: 0, pairs: 0, changed: 0, changedAlthoughInOrder: 0, graphsThatChanged: 0 };
  for (const [seed, graph] of fc.sample(taskGraph({ maxTasks: 10 }), { seed: 7, numRuns }).entries()) {
    const leaves = graph.tasks.flatMap((_, task) =>
      task > 0 && withoutTasks(graph, [task]).tasks.length === graph.tasks.length - 1 ? [task] : [],
    );
    const leaf = leaves[seed % Math.max(1, leaves.length)];
    if (leaf === undefined) continue;
    const whole = decidedPairs(await runTaskGraph(graph, { strategy: make(seed) }));
    const smaller = decidedPairs(await runTaskGraph(withoutTasks(graph, [leaf]), { strategy: make(seed) }));
    const { changed } = result;
    for (const [pair, before] of whole) {
      const after = smaller.get(pair);
      if (after === undefined) continue;
      result.pairs++;
      if (after.taken === before.taken) continue;
      result.changed++;
      if (after.first === before.first) result.changedAlthoughInOrder++;
    }
    result.graphs++;
    if (result.changed > changed) result.graphsThatChanged++;
  }
  return result;
}

describe("a schedule stays the same while the program changes: without a task that starts no other", () => {
  test("every two steps of the others that are ready together run in the same order as before, where all steps are moved", async () => {
    const { graphs, pairs, changed } = await compare((seed) => seeded(seed), 300);
    expect(graphs).toBeGreaterThan(250);
    expect(pairs).toBeGreaterThan(1_000);
    expect(changed).toBe(0);
  });

  test.each([1, 16, 48])(
    "at intensity %i they change places only where neither is moved and they arrive in another order",
    async (intensity) => {
      const { pairs, changed, changedAlthoughInOrder } = await compare((seed) => seeded(seed, intensity), 200);
      expect(changedAlthoughInOrder).toBe(0);
      expect(changed).toBeLessThan(pairs / 100);
    },
  );

  test("whereas a stream of draws gives another order to a good part of the graphs", async () => {
    const { graphs, graphsThatChanged, changed } = await compare((seed) => random(seed), 300);
    // Measured: 19 % of 1,500 graphs of up to 8 tasks. That less than 10 % of 250 do has p < 1e-3, and the seeds are fixed.
    expect(graphsThatChanged).toBeGreaterThan(graphs / 10);
    expect(changed).toBeGreaterThan(100);
  });
});

describe("end to end: a defect that hangs on the order", () => {
  /** Main names t1 before t2, and yet t2 comes to a span before t1 begins: no first come, first served. */
  function isOvertaken(graph: TaskGraph, { trace }: GraphRun): boolean {
    const started = (graph.tasks[0]?.body ?? []).flatMap((operation) => (isStarting(operation) ? tasksNamedBy(operation) : []));
    const nameOf = (name: string): number => graph.tasks.findIndex((task) => task.name === name);
    const [one, two] = [started.indexOf(nameOf("t1")), started.indexOf(nameOf("t2"))];
    if (one < 0 || two < one) return false;
    const begin = trace.findIndex(({ task, phase }) => task === "t1" && phase === "begin");
    const span = trace.findIndex(({ task, name }) => task === "t2" && name === "span");
    return span >= 0 && span < begin;
  }

  const property = fc.asyncProperty(
    taskGraph(),
    schedule(),
    async (graph, strategy) => !isOvertaken(graph, await runTaskGraph(graph, { strategy })),
  );

  test("fifo never shows it", async () => {
    const fifoOnly = fc.asyncProperty(taskGraph(), async (graph) => !isOvertaken(graph, await runTaskGraph(graph)));
    expect((await fc.check(fifoOnly, { seed: 7, numRuns: 500 })).failed).toBe(false);
  });

  test("it shrinks to three tasks with one span, and a schedule that moves as few steps as it takes", async () => {
    const { counterexample, failed } = await fc.check(property, { seed: 7, numRuns: 500 });
    expect(failed).toBe(true);
    expect(fc.stringify(counterexample)).toMatchInlineSnapshot(
      `"[{"version":1,"cells":1,"futures":0,"tasks":[{"name":"main","body":[["gather",[1,2],false]]},{"name":"t1","body":[]},{"name":"t2","body":[["span",0,0]]}]},seeded(4294967284, 36)]"`,
    );
  });

  test("from any seed it ends as small, and fast-check's own seed and path give the same counterexample again", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const found = await fc.check(property, { seed, numRuns: 500 });
      const [graph] = found.counterexample ?? [];
      expect(graph?.tasks).toHaveLength(3);
      const operations = graph?.tasks.flatMap(({ body }) => [...walkBody(placeBody(body))]) ?? [];
      // Two starts, an await of main's and the span; a gather does the first three at once.
      expect(operations.length).toBeLessThanOrEqual(4);
      const again = await fc.check(property, { seed: found.seed, path: found.counterexamplePath ?? "" });
      expect(fc.stringify(again.counterexample)).toBe(fc.stringify(found.counterexample));
      expect(again.numShrinks).toBe(0);
    }
  });
});
