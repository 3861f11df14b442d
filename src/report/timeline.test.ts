import { expect, test } from "vitest";
import type { TraceEvent } from "../trace/trace.js";
import { renderTimeline } from "./timeline.js";

const spanAndSleep: readonly TraceEvent[] = [
  { t: 0, task: "main", phase: "begin" },
  { t: 0, task: "main", op: "0", name: "spawn", phase: "start" },
  { t: 0, task: "main", op: "0", name: "spawn", phase: "end" },
  { t: 0, task: "main", op: "1", name: "sleep", phase: "start" },
  { t: 0, task: "t1", phase: "begin" },
  { t: 0, task: "t1", op: "0", name: "span", phase: "start" },
  { t: 0, task: "t1", op: "0", name: "span", phase: "end", value: 3 },
  { t: 0, task: "t1", op: "1", name: "raise", phase: "start" },
  { t: 0, task: "t1", op: "1", name: "raise", phase: "error", error: "RuntimeError: boom" },
  { t: 0, task: "t1", phase: "finish", error: "RuntimeError: boom" },
  { t: 500, task: "main", op: "1", name: "sleep", phase: "end" },
  { t: 500, task: "main", phase: "finish", value: 7 },
  { t: 500, phase: "exit", value: 7 },
];

/** `count` tasks that each raise an error of a long name. */
function manyTasks(count: number): TraceEvent[] {
  const names = Array.from({ length: count }, (_, index) => `task-${index}`);
  return names.map((task): TraceEvent => ({ t: 0, task, phase: "finish", error: "RuntimeError: a message too long for one cell" }));
}

test("each task has its column, the same time is said once, and an operation that nothing came between is one row", () => {
  expect(renderTimeline(spanAndSleep)).toMatchInlineSnapshot(`
    "       main        t1
    t=0    begin
           0 spawn
           1 sleep …
                       begin
                       0 span = 3
                       1 raise ! RuntimeError: boom
                       finish ! RuntimeError: boom
    t=500  1 … sleep
           finish = 7
           exit = 7"
  `);
});

test("what would be wider than 160 columns gives its columns up, and names the task in each line", () => {
  const widest = manyTasks(4);
  expect(renderTimeline(widest).split("\n")[0]).toMatchInlineSnapshot(
    `"      task-0                              task-1                              task-2                              task-3"`,
  );
  expect(renderTimeline([...widest, ...manyTasks(5).slice(4)])).toMatchInlineSnapshot(`
    "t=0   task-0  finish ! RuntimeError: a message …
          task-1  finish ! RuntimeError: a message …
          task-2  finish ! RuntimeError: a message …
          task-3  finish ! RuntimeError: a message …
          task-4  finish ! RuntimeError: a message …"
  `);
});

test("no line is wider than 160 columns, whatever the number of tasks", () => {
  for (const count of [1, 2, 3, 4, 5, 20]) {
    for (const line of renderTimeline(manyTasks(count)).split("\n")) expect(line.length).toBeLessThanOrEqual(160);
  }
});

test("the exit of a deadlock names every task that waits, and where", () => {
  const waiting = [{ task: "main", op: "1", name: "gather" }, { task: "t1", op: "0.2.1", name: "awaitFuture" }, { task: "outside" }];
  expect(
    renderTimeline([
      { t: 0, task: "main", phase: "begin" },
      { t: 3, phase: "exit", error: "Deadlock", waiting },
    ]),
  ).toMatchInlineSnapshot(`
    "      main
    t=0   begin
    t=3   exit ! Deadlock: main waits at 1 gather, t1 waits at 0.2.1 awaitFuture, outside waits at ?"
  `);
});

test("a step of code that is no task graph shows its site, the end of it where it is long", () => {
  expect(
    renderTimeline([
      { t: 0, task: "writer", op: "1", name: "step", phase: "start", site: "src/pool.ts:41:20" },
      { t: 0, task: "reader", op: "1", name: "step", phase: "start", site: "src/some/long/folder/connection-pool.ts:41:20" },
    ]),
  ).toMatchInlineSnapshot(`
    "      writer                       reader
    t=0   step 1 at src/pool.ts:41:20
                                       step 1 at …onnection-pool.ts:41:20"
  `);
});

test("an empty trace gives an empty timeline", () => {
  expect(renderTimeline([])).toBe("");
});

test("a trace of 200,000 events is drawn", () => {
  const trace = Array.from({ length: 200_000 }, (_, t): TraceEvent => ({ t, task: "main", op: "0", name: "sleep", phase: "end" }));
  expect(renderTimeline(trace).split("\n")).toHaveLength(200_001);
});
