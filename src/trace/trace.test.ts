import { expect, test } from "vitest";
import { formatTrace, formatTraceEvent } from "./trace.js";

test("a trace is written one JSON object a line, each ended by a newline", () => {
  expect(
    formatTrace([
      { t: 0, task: "main", phase: "begin" },
      { t: 0, task: "main", op: "0.1", name: "span", phase: "end", value: 3 },
      { t: 5, phase: "exit", error: "Deadlock", waiting: [{ task: "main", op: "1", name: "awaitFuture" }] },
    ]),
  ).toMatchInlineSnapshot(`
    "{"t":0,"task":"main","phase":"begin"}
    {"t":0,"task":"main","op":"0.1","name":"span","phase":"end","value":3}
    {"t":5,"phase":"exit","error":"Deadlock","waiting":[{"task":"main","op":"1","name":"awaitFuture"}]}
    "
  `);
  expect(formatTrace([])).toBe("");
});

test("the keys stand in one order, however the event was put together", () => {
  expect(
    formatTraceEvent({
      phase: "end",
      value: [1, { error: "RuntimeError: boom" }],
      name: "gather",
      site: "src/a.ts:1:2",
      op: "2",
      task: "t1",
      t: 7,
    }),
  ).toMatchInlineSnapshot(
    `"{"t":7,"task":"t1","op":"2","name":"gather","phase":"end","value":[1,{"error":"RuntimeError: boom"}],"site":"src/a.ts:1:2"}"`,
  );
});

test("a name with a line break stays on its line", () => {
  expect(formatTraceEvent({ t: 0, task: "a\nb", phase: "finish" })).toBe(String.raw`{"t":0,"task":"a\nb","phase":"finish"}`);
});
