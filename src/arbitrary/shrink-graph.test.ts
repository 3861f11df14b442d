import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkTaskGraph } from "../graph/check.js";
import { isStarting, type Operation, placeBody, type TaskGraph, tasksNamedBy, walkBody } from "../graph/task-graph.js";
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
      if (!isStarting(operation)) continue;
      for (const named of tasksNamedBy(operation)) {
        if (depths.has(named)) continue;
        depths.set(named, (depths.get(task) ?? 0) + 1);
        queue.push(named);
      }
    }
  }
  return [...depths.values()].reduce((sum, depth) => sum + depth, 0);
}

/** 0 for a turn, 2 for an operation that has a simpler relative, 1 for the others. */
function rankOf([name]: Operation): number {
  return name === "yield" ? 0 : ["wait", "asCompleted", "taskGroup", "shield"].includes(name) ? 2 : 1;
}

/** The numbers and flags of an operation, summed up. */
function simplicityOf(operation: Operation): number {
  switch (operation[0]) {
    case "span":
    case "setResult":
    case "put":
      return Math.abs(operation[2]);
    case "sleep":
    case "return":
    case "timeout":
      return Math.abs(operation[1]);
    case "gather":
      return operation[2] ? 1 : 0;
    case "wait":
      return ["ALL_COMPLETED", "FIRST_EXCEPTION", "FIRST_COMPLETED"].indexOf(operation[2]) + (operation[3] === null ? 0 : 1 + operation[3]);
    default:
      return 0;
  }
}

/** What every shrink step makes smaller: the first of these that it changes, the most important first. */
function measure(graph: TaskGraph): readonly number[] {
  const operations = graph.tasks.flatMap(operationsOf);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const { cells, futures, locks = 0, semaphores = [], events = 0, queues = [] } = graph;
  return [
    graph.tasks.length,
    operations.length,
    sum(operations.map(rankOf)),
    sum(operations.map((operation) => (Array.isArray(operation[1]) && operation[0] !== "try" ? operation[1].length : 0))),
    depthOfStarts(graph),
    sum([...operations.map(simplicityOf), ...semaphores, ...queues]),
    cells + futures + locks + semaphores.length + events + queues.length,
  ];
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
      { seed: 7, numRuns: 50 },
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
  function smallestOf(
    isKept: (graph: TaskGraph) => boolean,
    { from = graphs, numRuns = 200 }: { readonly from?: fc.Arbitrary<TaskGraph>; readonly numRuns?: number } = {},
  ): {
    readonly bodies: readonly string[];
    readonly found: number;
    readonly mostTried: number;
  } {
    const found = fc.sample(from, { seed: 7, numRuns }).filter(isKept);
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
    const { bodies, found } = smallestOf((graph) => has(graph, isNested), {
      from: taskGraph({ maxDepth: 3, mix: { try: 10, future: 10 } }),
    });
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

describe("the smallest graph with an operation, whatever it was found in", () => {
  const smallestWithName = (name: Operation[0]): readonly string[] => {
    const isKept = (graph: TaskGraph): boolean => graph.tasks.flatMap(operationsOf).some((operation) => operation[0] === name);
    const found = fc.sample(graphs, { seed: 7, numRuns: 100 }).filter(isKept);
    expect(found.length).toBeGreaterThan(10);
    return [...new Set(found.map((graph) => JSON.stringify(smallestWith(isKept, graph).graph)))].toSorted();
  };
  const main = (fields: object, ...body: readonly (readonly unknown[])[]): string =>
    JSON.stringify({ version: 1, cells: 0, futures: 0, ...fields, tasks: [{ name: "main", body }] });

  test.each<readonly [Operation[0], string]>([
    ["timeout", main({}, ["timeout", 0, []])],
    ["withLock", main({ locks: 1 }, ["withLock", 0, []])],
    ["withSemaphore", main({ semaphores: [0] }, ["withSemaphore", 0, []])],
    ["setEvent", main({ events: 1 }, ["setEvent", 0])],
    ["clearEvent", main({ events: 1 }, ["clearEvent", 0])],
    ["waitEvent", main({ events: 1 }, ["waitEvent", 0])],
    ["put", main({ queues: [0] }, ["put", 0, 0])],
    ["get", main({ queues: [0] }, ["get", 0])],
    ["try", main({}, ["try", [], [], []])],
  ])("%s stands alone, and nothing is shared that it does not name", (name, smallest) => {
    expect(smallestWithName(name)).toEqual([smallest]);
  });

  /** The bodies alone: which of the tasks is left is a matter of the graph. */
  const bodiesOf = (texts: readonly string[]): readonly string[] => [
    ...new Set(texts.map((text) => JSON.stringify((JSON.parse(text) as TaskGraph).tasks.map(({ body }) => body)))),
  ];

  test.each<readonly [Operation[0], readonly unknown[]]>([
    ["wait", ["wait", [1], "ALL_COMPLETED", null]],
    ["asCompleted", ["asCompleted", [1]]],
    ["taskGroup", ["taskGroup", [1], []]],
  ])("%s starts the only other task, and stands alone", (name, operation) => {
    expect(bodiesOf(smallestWithName(name))).toEqual([JSON.stringify([[operation], []])]);
  });

  test("shield stands behind a start", () => {
    expect(bodiesOf(smallestWithName("shield"))).toMatchInlineSnapshot(`
      [
        "[[["gather",[1],false],["shield",1]],[]]",
        "[[["spawn",1],["shield",1]],[]]",
      ]
    `);
  });
});

describe("an operation becomes a simpler one where that is enough", () => {
  /** What is left of main when what is left has to keep the property. */
  const mainOf = (graph: Omit<TaskGraph, "version" | "cells" | "futures">, isKept: (main: readonly Operation[]) => boolean): unknown =>
    smallestWith((candidate) => isKept(candidate.tasks.slice(0, 1).flatMap(operationsOf)), { version: 1, cells: 1, futures: 1, ...graph })
      .graph.tasks[0]?.body;
  const count =
    (wanted: number, ...names: readonly Operation[0][]) =>
    (main: readonly Operation[]): boolean =>
      main.filter(([name]) => names.includes(name)).length >= wanted;
  const t = (name: string): TaskGraph["tasks"][number] => ({ name, body: [] });

  test.each<readonly [string, Operation]>([
    ["wait", ["wait", [1, 2], "FIRST_COMPLETED", 50]],
    ["asCompleted", ["asCompleted", [1, 2]]],
    ["taskGroup", ["taskGroup", [1, 2], []]],
  ])("%s becomes gather", (_, operation) => {
    const tasks = [{ name: "main", body: [operation] }, t("t1"), t("t2")];
    const isKept = count(1, "gather", "wait", "asCompleted", "taskGroup");
    expect(mainOf({ tasks }, isKept)).toEqual([["gather", [1], false]]);
  });

  test("shield becomes await, and what waits for something shared becomes a turn", () => {
    const tasks = [
      {
        name: "main",
        body: [
          ["spawn", 1],
          ["shield", 1],
        ] as const,
      },
      t("t1"),
    ];
    expect(mainOf({ tasks }, count(1, "shield", "await"))).toEqual([
      ["spawn", 1],
      ["await", 1],
    ]);
    const shared = { locks: 1, semaphores: [1], events: 1, queues: [1] };
    for (const operation of [
      ["waitEvent", 0],
      ["get", 0],
      ["put", 0, 5],
      ["withLock", 0, []],
      ["withSemaphore", 0, []],
    ] as const) {
      expect(mainOf({ ...shared, tasks: [{ name: "main", body: [operation] }] }, (main) => main.length > 0)).toEqual([["yield"]]);
    }
  });

  test("a wait loses its timeout and its mode, but not where they matter", () => {
    const tasks = [{ name: "main", body: [["wait", [1, 2], "FIRST_COMPLETED", 50]] as const }, t("t1"), t("t2")];
    const waits = (isWanted: (wait: readonly unknown[]) => boolean) => (main: readonly Operation[]) =>
      main.some((operation) => operation[0] === "wait" && isWanted(operation));
    expect(
      mainOf(
        { tasks },
        waits(() => true),
      ),
    ).toEqual([["wait", [1], "ALL_COMPLETED", null]]);
    expect(
      mainOf(
        { tasks },
        waits(([, , mode]) => mode !== "ALL_COMPLETED"),
      ),
    ).toEqual([["wait", [1], "FIRST_EXCEPTION", null]]);
    expect(
      mainOf(
        { tasks },
        waits(([, , , ms]) => Number(ms) >= 7),
      ),
    ).toEqual([["wait", [1], "ALL_COMPLETED", 7]]);
  });

  test("bodies come out of what is around them", () => {
    const body: Operation[] = [
      ["timeout", 5, [["withLock", 0, [["try", [], [["withSemaphore", 0, [["sleep", 9]]]], []]]]]],
      ["taskGroup", [1], [["span", 0, 3]]],
    ];
    const graph = { locks: 1, semaphores: [2], tasks: [{ name: "main", body }, t("t1")] };
    expect(mainOf(graph, (main) => count(1, "sleep")(main) && count(1, "span")(main))).toEqual([
      ["sleep", 0],
      ["span", 0, 0],
    ]);
    expect(mainOf(graph, (main) => count(1, "sleep")(main) && count(1, "withSemaphore")(main))).toEqual([
      ["withSemaphore", 0, [["sleep", 0]]],
    ]);
  });

  test("initial values and maximum sizes get smaller, and what is not named goes", () => {
    const body: Operation[] = [
      ["withSemaphore", 1, []],
      ["put", 1, 0],
    ];
    const isKept = ({ tasks, semaphores = [], queues = [] }: TaskGraph): boolean => {
      const operations = tasks.flatMap(operationsOf);
      return (
        operations.some((operation) => operation[0] === "withSemaphore" && (semaphores[operation[1]] ?? 0) >= 2) &&
        operations.some((operation) => operation[0] === "put" && (queues[operation[1]] ?? 0) >= 1)
      );
    };
    const graph: TaskGraph = {
      ...{ version: 1, cells: 1, futures: 1, locks: 2, semaphores: [1, 9], events: 1, queues: [0, 9, 3] },
      tasks: [{ name: "main", body }],
    };
    expect(smallestWith(isKept, graph).graph).toEqual({
      ...{ version: 1, cells: 0, futures: 0, semaphores: [2], queues: [1] },
      tasks: [
        {
          name: "main",
          body: [
            ["withSemaphore", 0, []],
            ["put", 0, 0],
          ],
        },
      ],
    });
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

  test("of a wait and the like takes out what is gone, and leaves the body of a task group without tasks", () => {
    const group: TaskGraph = {
      ...graph,
      tasks: [
        {
          name: "main",
          body: [
            ["wait", [1, 2], "FIRST_COMPLETED", 5],
            ["asCompleted", [1]],
            ["shield", 1],
            [
              "taskGroup",
              [3, 4],
              [
                ["timeout", 1, [["await", 3], ["yield"]]],
                ["cancel", 1],
              ],
            ],
          ],
        },
        ...graph.tasks.slice(1).map(({ name }) => ({ name, body: [] })),
      ],
    };
    expect(withoutTasks(group, [1, 4]).tasks[0]?.body).toEqual([
      ["wait", [1], "FIRST_COMPLETED", 5],
      ["taskGroup", [2], [["timeout", 1, [["await", 2], ["yield"]]]]],
    ]);
    expect(withoutTasks(group, [3, 4]).tasks[0]?.body.slice(3)).toEqual([
      ["timeout", 1, [["yield"]]],
      ["cancel", 1],
    ]);
  });

  test("takes out a gather of which nothing is left, and nothing at all when asked for nothing", () => {
    expect(withoutTasks(graph, [1, 2, 3]).tasks).toEqual([{ name: "main", body: [["try", [], [], []]] }]);
    expect(withoutTasks(graph, [])).toEqual(graph);
  });
});
