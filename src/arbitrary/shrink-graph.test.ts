import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkTaskGraph } from "../graph/check.js";
import { type Operation, placeBody, type TaskGraph, tasksNamedBy, walkBody } from "../graph/task-graph.js";
import { shrinkTaskGraph, withoutTasks } from "./shrink-graph.js";
import { taskGraph } from "./task-graph.js";

const graphs = taskGraph({ maxTasks: 10, maxOperations: 8, maxDepth: 3 });

const operationsOf = ({ body }: TaskGraph["tasks"][number]): Operation[] =>
  [...walkBody(placeBody(body))].map(({ operation }) => operation);

/** How many starts stand between main and each task, summed up. */
function depthOfStarts({ tasks }: TaskGraph): number {
  const depths = new Map([[0, 0]]);
  const queue = [0];
  for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
    for (const operation of tasks[task]?.body ?? []) {
      if (operation[0] !== "spawn" && operation[0] !== "gather") continue;
      for (const named of tasksNamedBy(operation)) {
        if (depths.has(named)) continue;
        depths.set(named, (depths.get(task) ?? 0) + 1);
        queue.push(named);
      }
    }
  }
  return [...depths.values()].reduce((sum, depth) => sum + depth, 0);
}

/** What every shrink step makes smaller: the first of these that it changes, the most important first. */
function measure(graph: TaskGraph): readonly number[] {
  const operations = graph.tasks.flatMap(operationsOf);
  const gathered = operations.reduce((sum, operation) => sum + (operation[0] === "gather" ? operation[1].length : 0), 0);
  const simple = operations.reduce((sum, operation) => {
    switch (operation[0]) {
      case "span":
      case "setResult":
        return sum + Math.abs(operation[2]);
      case "sleep":
      case "return":
        return sum + Math.abs(operation[1]);
      case "gather":
        return sum + (operation[2] ? 1 : 0);
      default:
        return sum;
    }
  }, 0);
  const noTurns = operations.filter(([name]) => name !== "yield").length;
  return [graph.tasks.length, operations.length, noTurns, gathered, depthOfStarts(graph), simple, graph.cells + graph.futures];
}

function isSmaller(a: readonly number[], b: readonly number[]): boolean {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place >= 0 && (a[place] ?? 0) < (b[place] ?? 0);
}

/** Takes the first candidate that still has the property, again and again, as fast-check does. */
function smallestWith(isKept: (graph: TaskGraph) => boolean, start: TaskGraph): { readonly graph: TaskGraph; readonly tried: number } {
  let graph = start;
  let tried = 0;
  for (let isImproved = true; isImproved; ) {
    isImproved = false;
    for (const candidate of shrinkTaskGraph(graph)) {
      tried++;
      if (!isKept(candidate)) continue;
      [graph, isImproved] = [candidate, true];
      break;
    }
  }
  return { graph, tried };
}

describe("every candidate", () => {
  test("is valid, differs from its origin, keeps its names, and is smaller by a measure in whole numbers, so that shrinking ends", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const [origin, text] = [measure(graph), JSON.stringify(graph)];
        const names = graph.tasks.map(({ name }) => name);
        for (const candidate of shrinkTaskGraph(graph)) {
          checkTaskGraph(candidate);
          expect(JSON.stringify(candidate)).not.toBe(text);
          expect(candidate.tasks.every(({ name }) => names.includes(name))).toBe(true);
          if (!isSmaller(measure(candidate), origin)) throw new Error(`${JSON.stringify(candidate)} is not smaller than its origin`);
        }
        expect(JSON.stringify(graph)).toBe(text); // the origin is not touched
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  test("of a candidate is smaller still: a random walk down ends at the empty main", () => {
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat()), (start, choices) => {
        let graph = start;
        for (;;) {
          const candidates = [...shrinkTaskGraph(graph)];
          const next = candidates[(choices.next().value ?? 0) % Math.max(1, candidates.length)];
          if (next === undefined) break;
          expect(isSmaller(measure(next), measure(graph))).toBe(true);
          graph = next;
        }
        expect(graph).toEqual({ version: 1, cells: 0, futures: 0, tasks: [{ name: "main", body: [] }] });
      }),
      { seed: 7, numRuns: 10 },
    );
  });
});

describe("what a defect needs is found, and nothing else is left", () => {
  const has = (graph: TaskGraph, isWanted: (operation: Operation, task: number) => boolean): boolean =>
    graph.tasks.some((task, index) => operationsOf(task).some((operation) => isWanted(operation, index)));

  /** The smallest graphs, as bodies, from all drawn graphs that have the property. */
  function smallestOf(isKept: (graph: TaskGraph) => boolean): {
    readonly bodies: readonly string[];
    readonly found: number;
    readonly mostTried: number;
  } {
    const found = fc.sample(graphs, { seed: 7, numRuns: 200 }).filter(isKept);
    const all = found.map((graph) => smallestWith(isKept, graph));
    const bodies = new Set(all.map(({ graph }) => JSON.stringify(graph.tasks.map(({ body }) => body))));
    return { bodies: [...bodies].toSorted(), found: found.length, mostTried: Math.max(...all.map(({ tried }) => tried)) };
  }

  test("a task that gathers is cancelled: three tasks, one operation each beside the start", () => {
    const cancelsGatherer = (graph: TaskGraph): boolean =>
      has(
        graph,
        (operation) =>
          operation[0] === "cancel" &&
          has({ ...graph, tasks: graph.tasks.slice(operation[1], operation[1] + 1) }, ([name]) => name === "gather"),
      );
    const { bodies, found, mostTried } = smallestOf(cancelsGatherer);
    expect(found).toBeGreaterThan(50);
    expect(bodies).toMatchInlineSnapshot(`
      [
        "[[["gather",[1],false],["cancel",1]],[["gather",[2],false]],[]]",
        "[[["gather",[2],false],["cancel",2]],[],[["gather",[1],false]]]",
        "[[["spawn",1],["cancel",1]],[["gather",[2],false]],[]]",
        "[[["spawn",2],["cancel",2]],[],[["gather",[1],false]]]",
      ]
    `);
    expect(mostTried).toBeLessThan(1_000);
  });

  test("a future is awaited inside of a try inside of a try", () => {
    const isNested = (operation: Operation): boolean =>
      operation[0] === "try" &&
      [operation[1], operation[2], operation[3]].flat().some(
        (inner) =>
          inner[0] === "try" &&
          inner
            .slice(1)
            .flat()
            .some((innermost) => (innermost as Operation)[0] === "awaitFuture"),
      );
    const { bodies, found } = smallestOf((graph) => has(graph, isNested));
    expect(found).toBeGreaterThan(20);
    // Which part it stands in is a matter of the graph.
    for (const body of bodies) expect(body).toMatch(/^\[\[\["try",[[\],]*"try",[[\],]*"awaitFuture",0[[\],]*\]$/);
  });

  test("a sleep of 10 ms or more keeps exactly 10", () => {
    const { bodies } = smallestOf((graph) => has(graph, (operation) => operation[0] === "sleep" && operation[1] >= 10));
    expect(bodies).toEqual(['[[["sleep",10]]]']);
  });

  test("a task that is started by another than main is started by main, where that is enough", () => {
    const { bodies } = smallestOf((graph) => has(graph, (operation, task) => task > 0 && operation[0] === "raise"));
    expect(bodies).toMatchInlineSnapshot(`
      [
        "[[["gather",[1],false]],[["raise","boom"]]]",
        "[[["gather",[1],false]],[["raise","crash"]]]",
        "[[["spawn",1]],[["raise","boom"]]]",
        "[[["spawn",1]],[["raise","crash"]]]",
      ]
    `);
  });
});

describe("withoutTasks", () => {
  const graph: TaskGraph = {
    version: 1,
    cells: 1,
    futures: 0,
    tasks: [
      {
        name: "main",
        body: [
          ["spawn", 1],
          ["gather", [2, 1, 3], true],
          ["cancel", 2],
          [
            "try",
            [
              ["await", 2],
              ["await", 3],
            ],
            [],
            [],
          ],
        ],
      },
      { name: "a", body: [["gather", [4], false]] },
      { name: "b", body: [["await", 1]] },
      { name: "c", body: [["span", 0, 1]] },
      { name: "d", body: [] },
    ],
  };

  test("takes out the task, what it starts, and every operation that names one of them, and renumbers the rest", () => {
    expect(withoutTasks(graph, [1])).toEqual({
      ...graph,
      tasks: [
        {
          name: "main",
          body: [
            ["gather", [1, 2], true],
            ["cancel", 1],
            [
              "try",
              [
                ["await", 1],
                ["await", 2],
              ],
              [],
              [],
            ],
          ],
        },
        { name: "b", body: [] },
        { name: "c", body: [["span", 0, 1]] },
      ],
    });
  });

  test("takes out a gather of which nothing is left, and nothing at all when asked for nothing", () => {
    expect(withoutTasks(graph, [1, 2, 3]).tasks).toEqual([{ name: "main", body: [["try", [], [], []]] }]);
    expect(withoutTasks(graph, [])).toEqual(graph);
  });
});
