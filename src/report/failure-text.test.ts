import { expect, test } from "vitest";
import type { TaskGraph } from "../graph/task-graph.js";
import type { TraceEvent } from "../trace/trace.js";
import { renderFailure, renderGraph } from "./failure-text.js";

const graph: TaskGraph = {
  version: 1,
  cells: 2,
  futures: 1,
  tasks: [
    {
      name: "main",
      body: [
        ["spawn", 1],
        ["await", 1],
      ],
    },
    { name: "longer name", body: [["try", [["raise", "boom"]], [], [["span", 0, 1]]]] },
    { name: "t2", body: [] },
  ],
};

const trace: readonly TraceEvent[] = [
  { t: 0, task: "main", phase: "begin" },
  { t: 0, phase: "exit", value: 1 },
];

test("a failure says what must hold, what broke it, the smallest program, what happened, and how to replay it", () => {
  expect(
    renderFailure({
      sentence: "own: No task ever begins.",
      message: "main began at t=0",
      graph,
      trace,
      replay: "npx heddle replay reports/failures/own-1.json",
    }),
  ).toMatchInlineSnapshot(`
    "own: No task ever begins.
      broken: main began at t=0

    The smallest program that shows it:
      2 cells; 1 future
       0 main         ["spawn",1] ["await",1]
       1 longer name  ["try",[["raise","boom"]],[],[["span",0,1]]]
       2 t2

    What happened, one column a task:
            main
      t=0   begin
            exit = 1

    Replay it: npx heddle replay reports/failures/own-1.json"
  `);
});

test("a failure without an invariant and without a graph leaves both out", () => {
  expect(renderFailure({ message: "Error: lost", trace, replay: "npx heddle replay 1.json" })).toMatchInlineSnapshot(`
    "  broken: Error: lost

    What happened, one column a task:
            main
      t=0   begin
            exit = 1

    Replay it: npx heddle replay 1.json"
  `);
});

test("what the tasks of a graph share stands above them, with the sizes that matter", () => {
  const shared = { cells: 1, futures: 0, locks: 2, semaphores: [1, 3], events: 1, queues: [0] };
  expect(renderGraph({ version: 1, ...shared, tasks: [{ name: "main", body: [["get", 0]] }] })).toMatchInlineSnapshot(`
    "  1 cell; 2 locks; 2 semaphores of 1, 3; 1 event; 1 queue of size 0
       0 main  ["get",0]"
  `);
});

test("a graph that shares nothing has no line of what it shares", () => {
  expect(renderGraph({ version: 1, cells: 1, futures: 0, tasks: [{ name: "main", body: [] }] })).toMatchInlineSnapshot(`
    "  1 cell
       0 main"
  `);
  expect(renderGraph({ version: 1, cells: 0, futures: 0, tasks: [{ name: "main", body: [["yield"]] }] })).toMatchInlineSnapshot(
    `"   0 main  ["yield"]"`,
  );
});
