/** What each operation does, as the trace tells it in asyncio's own order. The same graphs give the same lines on CPython. */
import { describe, expect, test } from "vitest";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { formatTrace } from "../trace/trace.js";
import { runTaskGraph } from "./graph-run.js";
import type { Body, TaskGraph } from "./task-graph.js";

/** A graph of main and t1, t2, …, with three cells and three futures. */
function graphOf(...bodies: readonly Body[]): TaskGraph {
  return {
    version: 1,
    cells: 3,
    futures: 3,
    tasks: bodies.map((body, index) => ({ name: index === 0 ? "main" : `t${index}`, body })),
  };
}

/** The trace, a JSON object a line. */
async function traceOf(...bodies: readonly Body[]): Promise<string> {
  const { trace } = await runTaskGraph(graphOf(...bodies), { strategy: fifo() });
  return formatTrace(trace);
}

/** The lines without braces, quotes and key names that say what goes without saying: `0 t1 0.2 span end 3`. */
async function shortTraceOf(...bodies: readonly Body[]): Promise<readonly string[]> {
  const { trace } = await runTaskGraph(graphOf(...bodies), { strategy: fifo() });
  return trace.map(({ t, task, op, name, phase, value, error, waiting }) =>
    [t, task, op, name, phase, value === undefined ? undefined : JSON.stringify(value), error, waiting && JSON.stringify(waiting)]
      .filter((part) => part !== undefined)
      .join(" "),
  );
}

/** The place of everything that was started, in order: `t1 0.2`. */
async function startsOf(...bodies: readonly Body[]): Promise<string> {
  const { trace } = await runTaskGraph(graphOf(...bodies));
  return trace.flatMap(({ task, op, phase }) => (phase === "start" ? [`${task} ${op}`] : [])).join(", ");
}

describe("operations", () => {
  test("a span adds to its cell, and its value is the cell after it", async () => {
    expect(
      await traceOf([
        ["span", 2, 3],
        ["span", 2, 0],
        ["span", 0, 1],
      ]),
    ).toMatchInlineSnapshot(`
      "{"t":0,"task":"main","phase":"begin"}
      {"t":0,"task":"main","op":"0","name":"span","phase":"start"}
      {"t":0,"task":"main","op":"0","name":"span","phase":"end","value":3}
      {"t":0,"task":"main","op":"1","name":"span","phase":"start"}
      {"t":0,"task":"main","op":"1","name":"span","phase":"end","value":3}
      {"t":0,"task":"main","op":"2","name":"span","phase":"start"}
      {"t":0,"task":"main","op":"2","name":"span","phase":"end","value":1}
      {"t":0,"task":"main","phase":"finish"}
      {"t":0,"phase":"exit"}
      "
    `);
  });

  test("a yield gives every other ready task its turn, and a sleep passes virtual time", async () => {
    expect(await traceOf([["spawn", 1], ["yield"], ["sleep", 5], ["sleep", 0]], [["sleep", 3]])).toMatchInlineSnapshot(`
      "{"t":0,"task":"main","phase":"begin"}
      {"t":0,"task":"main","op":"0","name":"spawn","phase":"start"}
      {"t":0,"task":"main","op":"0","name":"spawn","phase":"end"}
      {"t":0,"task":"main","op":"1","name":"yield","phase":"start"}
      {"t":0,"task":"t1","phase":"begin"}
      {"t":0,"task":"t1","op":"0","name":"sleep","phase":"start"}
      {"t":0,"task":"main","op":"1","name":"yield","phase":"end"}
      {"t":0,"task":"main","op":"2","name":"sleep","phase":"start"}
      {"t":3,"task":"t1","op":"0","name":"sleep","phase":"end"}
      {"t":3,"task":"t1","phase":"finish"}
      {"t":5,"task":"main","op":"2","name":"sleep","phase":"end"}
      {"t":5,"task":"main","op":"3","name":"sleep","phase":"start"}
      {"t":5,"task":"main","op":"3","name":"sleep","phase":"end"}
      {"t":5,"task":"main","phase":"finish"}
      {"t":5,"phase":"exit"}
      "
    `);
  });

  test("a spawned task begins when its creator suspends, and its result is the value of an await", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 1],
          ["span", 0, 1],
          ["await", 1],
          ["await", 1],
        ],
        [["return", 7]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 span start",
        "0 main 1 span end 1",
        "0 main 2 await start",
        "0 t1 begin",
        "0 t1 0 return start",
        "0 t1 0 return end",
        "0 t1 finish 7",
        "0 main 2 await end 7",
        "0 main 3 await start",
        "0 main 3 await end 7",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("an await raises the exception of its task, each time", async () => {
    expect(
      await shortTraceOf([["spawn", 1], ["try", [["await", 1]], [], []], ["await", 1], ["yield"]], [["raise", "boom"]]),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 try start",
        "0 main 1.0.0 await start",
        "0 t1 begin",
        "0 t1 0 raise start",
        "0 t1 0 raise error RuntimeError: boom",
        "0 t1 finish RuntimeError: boom",
        "0 main 1.0.0 await error RuntimeError: boom",
        "0 main 1 try end",
        "0 main 2 await start",
        "0 main 2 await error RuntimeError: boom",
        "0 main finish RuntimeError: boom",
        "0 exit RuntimeError: boom",
      ]
    `);
  });

  test("a gather starts what was not started, and answers in the order named", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 2],
          ["gather", [1, 2, 1], false],
        ],
        [
          ["sleep", 2],
          ["return", 1],
        ],
        [["return", 2]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 gather start",
        "0 t2 begin",
        "0 t2 0 return start",
        "0 t2 0 return end",
        "0 t2 finish 2",
        "0 t1 begin",
        "0 t1 0 sleep start",
        "2 t1 0 sleep end",
        "2 t1 1 return start",
        "2 t1 1 return end",
        "2 t1 finish 1",
        "2 main 1 gather end [1,2,1]",
        "2 main finish",
        "2 exit",
      ]
    `);
  });

  test("a gather raises the first exception at once, and the others go on", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 1],
          ["spawn", 2],
          ["try", [["gather", [1, 2], false]], [], []],
          ["sleep", 5],
        ],
        [["sleep", 3]],
        [
          ["sleep", 1],
          ["raise", "boom"],
        ],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 spawn start",
        "0 main 1 spawn end",
        "0 main 2 try start",
        "0 main 2.0.0 gather start",
        "0 t1 begin",
        "0 t1 0 sleep start",
        "0 t2 begin",
        "0 t2 0 sleep start",
        "1 t2 0 sleep end",
        "1 t2 1 raise start",
        "1 t2 1 raise error RuntimeError: boom",
        "1 t2 finish RuntimeError: boom",
        "1 main 2.0.0 gather error RuntimeError: boom",
        "1 main 2 try end",
        "1 main 3 sleep start",
        "3 t1 0 sleep end",
        "3 t1 finish",
        "6 main 3 sleep end",
        "6 main finish",
        "6 exit",
      ]
    `);
  });

  test("a gather that returns exceptions puts each in the place of its result, a cancellation too", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 2],
          ["gather", [1, 2, 3], true],
        ],
        [["raise", "boom"]],
        [["sleep", 9]],
        [
          ["cancel", 2],
          ["setResult", 0, 1],
          ["setResult", 0, 1],
        ],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 gather start",
        "0 t2 begin",
        "0 t2 0 sleep start",
        "0 t1 begin",
        "0 t1 0 raise start",
        "0 t1 0 raise error RuntimeError: boom",
        "0 t1 finish RuntimeError: boom",
        "0 t3 begin",
        "0 t3 0 cancel start",
        "0 t3 0 cancel end true",
        "0 t3 1 setResult start",
        "0 t3 1 setResult end",
        "0 t3 2 setResult start",
        "0 t3 2 setResult error InvalidStateError",
        "0 t3 finish InvalidStateError",
        "0 t2 0 sleep error CancelledError",
        "0 t2 finish CancelledError",
        "0 main 1 gather end [{"error":"RuntimeError: boom"},{"error":"CancelledError"},{"error":"InvalidStateError"}]",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("a cancel answers whether it was requested, and is delivered at the await", async () => {
    expect(
      await shortTraceOf([["spawn", 1], ["yield"], ["cancel", 1], ["cancel", 1], ["yield"], ["cancel", 1]], [["sleep", 9], ["yield"]]),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 sleep start",
        "0 main 1 yield end",
        "0 main 2 cancel start",
        "0 main 2 cancel end true",
        "0 main 3 cancel start",
        "0 main 3 cancel end true",
        "0 main 4 yield start",
        "0 t1 0 sleep error CancelledError",
        "0 t1 finish CancelledError",
        "0 main 4 yield end",
        "0 main 5 cancel start",
        "0 main 5 cancel end false",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("a task that is cancelled before it began leaves no line", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 1],
          ["cancel", 1],
          ["gather", [1], true],
        ],
        [["span", 0, 1]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 cancel start",
        "0 main 1 cancel end true",
        "0 main 2 gather start",
        "0 main 2 gather end [{"error":"CancelledError"}]",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("a cancelled gather cancels its children, and each is told at its own await", async () => {
    expect(
      await shortTraceOf(
        [["spawn", 1], ["yield"], ["yield"], ["cancel", 1], ["gather", [1], true]],
        [["gather", [2, 3], false]],
        [["sleep", 9]],
        [["awaitFuture", 0]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 gather start",
        "0 main 1 yield end",
        "0 main 2 yield start",
        "0 t2 begin",
        "0 t2 0 sleep start",
        "0 t3 begin",
        "0 t3 0 awaitFuture start",
        "0 main 2 yield end",
        "0 main 3 cancel start",
        "0 main 3 cancel end true",
        "0 main 4 gather start",
        "0 t2 0 sleep error CancelledError",
        "0 t2 finish CancelledError",
        "0 t3 0 awaitFuture error CancelledError",
        "0 t3 finish CancelledError",
        "0 t1 0 gather error CancelledError",
        "0 t1 finish CancelledError",
        "0 main 4 gather end [{"error":"CancelledError"}]",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("a future completes once, whoever waits gets its result, and a second completion raises InvalidStateError", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 1],
          ["yield"],
          ["setResult", 0, 4],
          ["try", [["setResult", 0, 5]], [], []],
          ["cancelFuture", 0],
          ["awaitFuture", 0],
          ["setException", 0, "late"],
        ],
        [["awaitFuture", 0]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 awaitFuture start",
        "0 main 1 yield end",
        "0 main 2 setResult start",
        "0 main 2 setResult end",
        "0 main 3 try start",
        "0 main 3.0.0 setResult start",
        "0 main 3.0.0 setResult error InvalidStateError",
        "0 main 3 try end",
        "0 main 4 cancelFuture start",
        "0 main 4 cancelFuture end false",
        "0 main 5 awaitFuture start",
        "0 main 5 awaitFuture end 4",
        "0 main 6 setException start",
        "0 main 6 setException error InvalidStateError",
        "0 main finish InvalidStateError",
        "0 t1 0 awaitFuture end 4",
        "0 t1 finish",
        "0 exit InvalidStateError",
      ]
    `);
  });

  test("the exception of a future is raised to every waiter", async () => {
    expect(
      await shortTraceOf(
        [["spawn", 1], ["yield"], ["setException", 1, "lost"], ["gather", [1], true], ["awaitFuture", 1]],
        [["awaitFuture", 1]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 awaitFuture start",
        "0 main 1 yield end",
        "0 main 2 setException start",
        "0 main 2 setException end",
        "0 main 3 gather start",
        "0 t1 0 awaitFuture error RuntimeError: lost",
        "0 t1 finish RuntimeError: lost",
        "0 main 3 gather end [{"error":"RuntimeError: lost"}]",
        "0 main 4 awaitFuture start",
        "0 main 4 awaitFuture error RuntimeError: lost",
        "0 main finish RuntimeError: lost",
        "0 exit RuntimeError: lost",
      ]
    `);
  });

  test("cancelling a future answers whether it did, and cancels who waits for it", async () => {
    expect(
      await shortTraceOf([["spawn", 1], ["yield"], ["cancelFuture", 2], ["cancelFuture", 2], ["gather", [1], true]], [["awaitFuture", 2]]),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 awaitFuture start",
        "0 main 1 yield end",
        "0 main 2 cancelFuture start",
        "0 main 2 cancelFuture end true",
        "0 main 3 cancelFuture start",
        "0 main 3 cancelFuture end false",
        "0 main 4 gather start",
        "0 t1 0 awaitFuture error CancelledError",
        "0 t1 finish CancelledError",
        "0 main 4 gather end [{"error":"CancelledError"}]",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("a return ends the task with its value, its own end carries none, and what follows it does not run", async () => {
    expect(
      await traceOf([
        ["return", 7],
        ["span", 0, 1],
      ]),
    ).toMatchInlineSnapshot(`
      "{"t":0,"task":"main","phase":"begin"}
      {"t":0,"task":"main","op":"0","name":"return","phase":"start"}
      {"t":0,"task":"main","op":"0","name":"return","phase":"end"}
      {"t":0,"task":"main","phase":"finish","value":7}
      {"t":0,"phase":"exit","value":7}
      "
    `);
  });

  test("a raise ends the task with a RuntimeError, also one without a message", async () => {
    expect(await shortTraceOf([["gather", [1, 2], true], ["raise", "boom"], ["yield"]], [["raise", ""]], [])).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 gather start",
        "0 t1 begin",
        "0 t1 0 raise start",
        "0 t1 0 raise error RuntimeError: ",
        "0 t1 finish RuntimeError: ",
        "0 t2 begin",
        "0 t2 finish",
        "0 main 0 gather end [{"error":"RuntimeError: "},null]",
        "0 main 1 raise start",
        "0 main 1 raise error RuntimeError: boom",
        "0 main finish RuntimeError: boom",
        "0 exit RuntimeError: boom",
      ]
    `);
  });
});

describe("try, as in Python", () => {
  test("the handler runs after an exception of the body, final always, and the exception is over", async () => {
    expect(
      await shortTraceOf([["try", [["raise", "boom"], ["yield"]], [["span", 0, 1]], [["span", 0, 1]]], ["yield"]]),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 try start",
        "0 main 0.0.0 raise start",
        "0 main 0.0.0 raise error RuntimeError: boom",
        "0 main 0.1.0 span start",
        "0 main 0.1.0 span end 1",
        "0 main 0.2.0 span start",
        "0 main 0.2.0 span end 2",
        "0 main 0 try end",
        "0 main 1 yield start",
        "0 main 1 yield end",
        "0 main finish",
        "0 exit",
      ]
    `);
  });

  test("the handler is passed over when the body raises nothing", async () => {
    expect(await startsOf([["try", [["yield"]], [["span", 0, 1]], [["span", 0, 2]]]])).toMatchInlineSnapshot(
      `"main 0, main 0.0.0, main 0.2.0"`,
    );
  });

  test("an empty handler swallows the exception", async () => {
    expect(await startsOf([["try", [["raise", "boom"]], [], []], ["yield"]])).toMatchInlineSnapshot(`"main 0, main 0.0.0, main 1"`);
  });

  test("a cancellation passes the handler by, final runs, and the task is cancelled", async () => {
    expect(
      await shortTraceOf(
        [["spawn", 1], ["yield"], ["cancel", 1], ["gather", [1], true]],
        [["try", [["sleep", 9]], [["span", 0, 1]], [["sleep", 2]]], ["yield"]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 try start",
        "0 t1 0.0.0 sleep start",
        "0 main 1 yield end",
        "0 main 2 cancel start",
        "0 main 2 cancel end true",
        "0 main 3 gather start",
        "0 t1 0.0.0 sleep error CancelledError",
        "0 t1 0.2.0 sleep start",
        "2 t1 0.2.0 sleep end",
        "2 t1 0 try error CancelledError",
        "2 t1 finish CancelledError",
        "2 main 3 gather end [{"error":"CancelledError"}]",
        "2 main finish",
        "2 exit",
      ]
    `);
  });

  test("an exception of the handler goes on after final, in the place of the first", async () => {
    expect(await shortTraceOf([["try", [["raise", "first"]], [["raise", "second"]], [["span", 0, 1]]]])).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 try start",
        "0 main 0.0.0 raise start",
        "0 main 0.0.0 raise error RuntimeError: first",
        "0 main 0.1.0 raise start",
        "0 main 0.1.0 raise error RuntimeError: second",
        "0 main 0.2.0 span start",
        "0 main 0.2.0 span end 1",
        "0 main 0 try error RuntimeError: second",
        "0 main finish RuntimeError: second",
        "0 exit RuntimeError: second",
      ]
    `);
  });

  test("an exception of final goes on in the place of a return", async () => {
    expect(await shortTraceOf([["try", [["return", 1]], [], [["raise", "last"]]]])).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 try start",
        "0 main 0.0.0 return start",
        "0 main 0.0.0 return end",
        "0 main 0.2.0 raise start",
        "0 main 0.2.0 raise error RuntimeError: last",
        "0 main 0 try error RuntimeError: last",
        "0 main finish RuntimeError: last",
        "0 exit RuntimeError: last",
      ]
    `);
  });

  test("a return of the body or of the handler goes on after final, and ends the operations around it without a value", async () => {
    expect(
      await shortTraceOf([
        ["try", [["try", [["raise", "boom"]], [["return", 3]], [["yield"]]], ["yield"]], [], [["span", 0, 1]]],
        ["yield"],
      ]),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 try start",
        "0 main 0.0.0 try start",
        "0 main 0.0.0.0.0 raise start",
        "0 main 0.0.0.0.0 raise error RuntimeError: boom",
        "0 main 0.0.0.1.0 return start",
        "0 main 0.0.0.1.0 return end",
        "0 main 0.0.0.2.0 yield start",
        "0 main 0.0.0.2.0 yield end",
        "0 main 0.0.0 try end",
        "0 main 0.2.0 span start",
        "0 main 0.2.0 span end 1",
        "0 main 0 try end",
        "0 main finish 3",
        "0 exit 3",
      ]
    `);
  });

  test("a return in final overrides the exception or the return that was on its way", async () => {
    expect(await shortTraceOf([["try", [["raise", "boom"]], [["raise", "again"]], [["return", 2]]]])).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 try start",
        "0 main 0.0.0 raise start",
        "0 main 0.0.0 raise error RuntimeError: boom",
        "0 main 0.1.0 raise start",
        "0 main 0.1.0 raise error RuntimeError: again",
        "0 main 0.2.0 return start",
        "0 main 0.2.0 return end",
        "0 main 0 try end",
        "0 main finish 2",
        "0 exit 2",
      ]
    `);
    expect((await shortTraceOf([["try", [["return", 1]], [], [["return", 2]]]])).at(-1)).toBe("0 exit 2");
  });

  test("a return in final overrides a cancellation, so that the task ends well", async () => {
    expect(
      await shortTraceOf([["spawn", 1], ["yield"], ["cancel", 1], ["gather", [1], true]], [["try", [["sleep", 9]], [], [["return", 2]]]]),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 try start",
        "0 t1 0.0.0 sleep start",
        "0 main 1 yield end",
        "0 main 2 cancel start",
        "0 main 2 cancel end true",
        "0 main 3 gather start",
        "0 t1 0.0.0 sleep error CancelledError",
        "0 t1 0.2.0 return start",
        "0 t1 0.2.0 return end",
        "0 t1 0 try end",
        "0 t1 finish 2",
        "0 main 3 gather end [2]",
        "0 main finish",
        "0 exit",
      ]
    `);
  });
});

describe("the end of a run", () => {
  test("a deadlock ends the trace at once, and names who waits, innermost operation, in the order in which they began", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 2],
          ["spawn", 1],
          ["sleep", 4],
          ["gather", [1, 2], false],
        ],
        [["try", [["try", [["awaitFuture", 0]], [], []]], [], [["span", 0, 1]]]],
        [["gather", [3], false]],
        [["awaitFuture", 1]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 spawn start",
        "0 main 1 spawn end",
        "0 main 2 sleep start",
        "0 t2 begin",
        "0 t2 0 gather start",
        "0 t1 begin",
        "0 t1 0 try start",
        "0 t1 0.0.0 try start",
        "0 t1 0.0.0.0.0 awaitFuture start",
        "0 t3 begin",
        "0 t3 0 awaitFuture start",
        "4 main 2 sleep end",
        "4 main 3 gather start",
        "4 exit Deadlock [{"task":"main","op":"3","name":"gather"},{"task":"t2","op":"0","name":"gather"},{"task":"t1","op":"0.0.0.0.0","name":"awaitFuture"},{"task":"t3","op":"0","name":"awaitFuture"}]",
      ]
    `);
  });

  test("what is left when main ends is cancelled in order of creation, and its final parts run before the exit", async () => {
    expect(
      await shortTraceOf(
        [
          ["spawn", 2],
          ["spawn", 1],
          ["sleep", 1],
          ["return", 5],
        ],
        [["try", [["sleep", 50]], [], [["sleep", 2]]]],
        [["try", [["awaitFuture", 0]], [], [["span", 0, 1]]]],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 spawn start",
        "0 main 1 spawn end",
        "0 main 2 sleep start",
        "0 t2 begin",
        "0 t2 0 try start",
        "0 t2 0.0.0 awaitFuture start",
        "0 t1 begin",
        "0 t1 0 try start",
        "0 t1 0.0.0 sleep start",
        "1 main 2 sleep end",
        "1 main 3 return start",
        "1 main 3 return end",
        "1 main finish 5",
        "1 t2 0.0.0 awaitFuture error CancelledError",
        "1 t2 0.2.0 span start",
        "1 t2 0.2.0 span end 1",
        "1 t2 0 try error CancelledError",
        "1 t2 finish CancelledError",
        "1 t1 0.0.0 sleep error CancelledError",
        "1 t1 0.2.0 sleep start",
        "3 t1 0.2.0 sleep end",
        "3 t1 0 try error CancelledError",
        "3 t1 finish CancelledError",
        "3 exit 5",
      ]
    `);
  });

  test("a deadlock in a final part after main ends the run as one", async () => {
    expect(await shortTraceOf([["spawn", 1], ["yield"]], [["try", [["sleep", 50]], [], [["awaitFuture", 0]]]])).toMatchInlineSnapshot(`
      [
        "0 main begin",
        "0 main 0 spawn start",
        "0 main 0 spawn end",
        "0 main 1 yield start",
        "0 t1 begin",
        "0 t1 0 try start",
        "0 t1 0.0.0 sleep start",
        "0 main 1 yield end",
        "0 main finish",
        "0 t1 0.0.0 sleep error CancelledError",
        "0 t1 0.2.0 awaitFuture start",
        "0 exit Deadlock [{"task":"t1","op":"0.2.0","name":"awaitFuture"}]",
      ]
    `);
  });

  test("under fifo the rest of the batch still runs after main, and under another strategy nothing does", async () => {
    const graph = graphOf([["spawn", 1], ["spawn", 2], ["yield"]], [["yield"], ["yield"]], [["yield"], ["yield"], ["yield"]]);
    const startsAfterMain = async (strategy: Strategy): Promise<string[]> => {
      const { trace } = await runTaskGraph(graph, { strategy });
      const end = trace.findIndex(({ task, phase }) => task === "main" && phase === "finish");
      return trace.slice(end).flatMap(({ task, op, phase }) => (phase === "start" ? [`${task} ${op}`] : []));
    };
    expect(await startsAfterMain(fifo())).toEqual(["t1 1", "t2 1"]);
    expect(await startsAfterMain({ name: "first", begin: () => true, pick: () => 0 })).toEqual([]);
  });
});
