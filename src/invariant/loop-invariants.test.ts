/**
 * Each invariant by itself: a run in which it holds, and the same run with its record doctored so that it does not. What the loop
 * must do to be caught is shown by the mutants; what an invariant says when it is broken is shown here.
 */
import { describe, expect, test } from "vitest";
import { type GraphRun, runTaskGraph } from "../graph/graph-run.js";
import type { Body } from "../graph/task-graph.js";
import type { Strategy } from "../schedule/strategy.js";
import { DivergenceError } from "../strategy/replay.js";
import type { TraceEvent } from "../trace/trace.js";
import { atomicSpans, lazyStart } from "./atomicity.js";
import { cancellationOnce, leftoversCancelled } from "./cancellation.js";
import { independentTasks, sameScheduleSameTrace } from "./determinism.js";
import { completesOnce, keptExceptions } from "./futures.js";
import { gatherOrder } from "./gathering.js";
import { historyOf } from "./history.js";
import type { Invariant, Judgement, Reruns } from "./invariant.js";
import { loopInvariants } from "./loop-invariants.js";
import { exactTime } from "./time.js";
import { doneAwaitRunsThrough, finishesOrDeadlocks, noLostWakeUp } from "./waiting.js";

const lastReady: Strategy = { name: "last", begin: () => true, pick: ({ count }) => count - 1 };

/** Main and t1, t2, … with two cells and two futures, run in asyncio's own order unless a strategy is given. */
async function runOf(bodies: readonly Body[], strategy?: Strategy): Promise<GraphRun> {
  const tasks = bodies.map((body, index) => ({ name: index === 0 ? "main" : `t${index}`, body }));
  return await runTaskGraph({ version: 1, cells: 2, futures: 2, tasks }, { ...(strategy && { strategy }) });
}

/** `t1 0.2 start`, `t1 begin`, `exit`: an event, in the words in which doctors name it. */
const labelOf = ({ task, op, phase }: TraceEvent): string => [task, op, phase].filter((part) => part !== undefined).join(" ");

function placeOf(run: GraphRun, label: string): number {
  const place = run.trace.findIndex((event) => labelOf(event) === label);
  if (place < 0) throw new Error(`no ${label} in ${run.trace.map(labelOf).join(", ")}`);
  return place;
}

/** The run with another outcome or time of one event. */
function changed(run: GraphRun, label: string, change: Partial<Record<keyof TraceEvent, unknown>>): GraphRun {
  const place = placeOf(run, label);
  const event = { ...run.trace[place], ...change } as TraceEvent; // as wrong as the test wants it
  return { ...run, trace: run.trace.with(place, event) };
}

/** The run in which nothing from one event on happens before `t`. */
function endingLate(run: GraphRun, label: string, t: number): GraphRun {
  const place = placeOf(run, label);
  return { ...run, trace: run.trace.map((event, index) => (index < place ? event : { ...event, t: Math.max(event.t, t) })) };
}

/** The run with one event moved to just before another. */
function moved(run: GraphRun, label: string, before: string): GraphRun {
  const place = placeOf(run, label);
  const event = run.trace[place] as TraceEvent;
  const rest = { ...run, trace: run.trace.toSpliced(place, 1) };
  return { ...run, trace: rest.trace.toSpliced(placeOf(rest, before), 0, event) };
}

function without(run: GraphRun, ...labels: readonly string[]): GraphRun {
  return { ...run, trace: run.trace.filter((event) => !labels.includes(labelOf(event))) };
}

function judge(invariant: Invariant, run: GraphRun, reruns: Partial<Reruns> = {}): Judgement {
  return invariant.judge(historyOf(run), { replay: () => run, fifo: () => run, lastFirst: () => run, ...reruns });
}

/** Asserts that the invariant holds in so many places. */
function expectHolds(invariant: Invariant, run: GraphRun, exercised: number): void {
  expect(judge(invariant, run)).toEqual({ exercised, violation: undefined });
}

/** What the invariant says of each doctored run. */
const violations = (invariant: Invariant, ...runs: readonly GraphRun[]): (string | undefined)[] =>
  runs.map((run) => judge(invariant, run).violation);

test("each invariant has a name and a sentence of its own", () => {
  expect(new Set(loopInvariants.map(({ name }) => name)).size).toBe(loopInvariants.length);
  for (const { name, sentence } of loopInvariants) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(sentence).toMatch(/^[A-Z].*\.$/);
  }
});

test("all of them hold of a run that nobody doctored, and a run of an empty graph exercises few", async () => {
  const empty = await runOf([[]]);
  expect(loopInvariants.map((invariant) => judge(invariant, empty).violation)).toEqual(loopInvariants.map(() => undefined));
  expect(loopInvariants.filter((invariant) => judge(invariant, empty).exercised > 0).map(({ name }) => name)).toEqual([
    "no-lost-wake-up",
    "same-schedule-same-trace",
    "finishes-or-deadlocks",
  ]);
});

describe("atomic-spans", () => {
  test("holds of spans without a gap, whose cell is their sum", async () => {
    const run = await runOf([[["gather", [1, 2], false]], [["span", 0, 2]], [["span", 0, 3], ["yield"], ["span", 1, 1]]]);
    expectHolds(atomicSpans, run, 3);
    expect(
      violations(
        atomicSpans,
        moved(run, "t2 begin", "t1 0 end"),
        changed(run, "t2 0 end", { value: 9 }),
        changed(run, "t2 2 end", { value: undefined }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 0 (span): begin of t2 came between its start and its end",
        "t2 at 0 (span): cell 0 was 2, and is 9 after 3 more",
        "t2 at 2 (span): cell 1 was 0, and is null after 1 more",
      ]
    `);
  });
});

describe("lazy-start", () => {
  test("holds where a task begins when its creator suspends, and goes on without a gap", async () => {
    const run = await runOf([[["spawn", 1], ["spawn", 2], ["span", 0, 1], ["yield"]], [["span", 0, 1], ["yield"]], [["span", 0, 1]]]);
    expectHolds(lazyStart, run, 2);
    expect(violations(lazyStart, moved(run, "t1 begin", "main 2 start"), moved(run, "t2 begin", "t1 0 start"))).toMatchInlineSnapshot(`
      [
        "t1 began while main had not suspended, after end of main at 1",
        "t1: begin of t2 came before its first await",
      ]
    `);
  });

  test("says nothing of a task that never began", async () => {
    expectHolds(lazyStart, await runOf([[["spawn", 1], ["cancel", 1], ["yield"]], []]), 0);
  });
});

describe("completes-once", () => {
  test("holds where the second completion is refused", async () => {
    const run = await runOf([
      [
        ["setResult", 0, 1],
        ["try", [["setException", 0, "late"]], [], []],
        ["cancelFuture", 0],
      ],
    ]);
    expectHolds(completesOnce, run, 3);
    expect(
      violations(
        completesOnce,
        changed(run, "main 1.0.0 error", { phase: "end", error: undefined }),
        changed(run, "main 2 end", { value: true }),
        changed(run, "main 0 end", { phase: "error", error: "InvalidStateError" }),
        changed(run, "main 1.0.0 error", { error: "RuntimeError: done" }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 1.0.0 (setException): completed future 0 a second time",
        "main at 2 (cancelFuture): completed future 0 a second time",
        "main at 0 (setResult): was refused although future 0 was pending",
        "main at 1.0.0 (setException): raised RuntimeError: done in the place of InvalidStateError",
      ]
    `);
  });

  test("allows that a cancelled waiter has cancelled its future", async () => {
    const run = await runOf([
      [["spawn", 1], ["yield"], ["cancel", 1], ["yield"], ["try", [["setResult", 0, 1]], [], []]],
      [["awaitFuture", 0]],
    ]);
    expect(run.trace.map(labelOf)).toContain("main 4.0.0 error");
    expectHolds(completesOnce, run, 1);
  });
});

describe("gather-order", () => {
  test("holds where the results stand in argument order", async () => {
    const run = await runOf([
      [["gather", [1, 2, 3], true]],
      [
        ["sleep", 2],
        ["return", 1],
      ],
      [["return", 2]],
      [["raise", "boom"]],
    ]);
    expectHolds(gatherOrder, run, 1);
    expect(
      violations(
        gatherOrder,
        changed(run, "main 0 end", { value: [2, 1, { error: "RuntimeError: boom" }] }),
        moved(run, "main 0 end", "t1 finish"),
        changed(run, "main 0 end", { phase: "error", value: undefined, error: "RuntimeError: boom" }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 0 (gather): answered [2,1,{"error":"RuntimeError: boom"}], but the tasks ended, in argument order, with [1,2,{"error":"RuntimeError: boom"}]",
        "main at 0 (gather): t1 was not done when gather answered",
        "main at 0 (gather): raised RuntimeError: boom although exceptions were to be returned",
      ]
    `);
  });

  test("holds where the first exception is raised", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["spawn", 2],
        ["try", [["gather", [1, 2], false]], [], []],
      ],
      [
        ["sleep", 1],
        ["raise", "second"],
      ],
      [["raise", "first"]],
    ]);
    expectHolds(gatherOrder, run, 1);
    expect(
      violations(
        gatherOrder,
        changed(run, "main 2.0.0 error", { error: "RuntimeError: second" }),
        changed(run, "main 2.0.0 error", { phase: "end", error: undefined, value: [null, null] }),
        changed(run, "t2 finish", { error: undefined }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 2.0.0 (gather): raised RuntimeError: second, but the first exception was RuntimeError: first",
        "main at 2.0.0 (gather): t1 was not done when gather answered",
        "main at 2.0.0 (gather): raised RuntimeError: first, but the first exception was none",
      ]
    `);
  });

  test("knows a task that was cancelled before it began, and says nothing of a gather that was cancelled", async () => {
    expectHolds(
      gatherOrder,
      await runOf([
        [
          ["spawn", 1],
          ["cancel", 1],
          ["gather", [1], true],
        ],
        [],
      ]),
      1,
    );
    expectHolds(gatherOrder, await runOf([[["spawn", 1], ["yield"]], [["gather", [2], false]], [["sleep", 9]]]), 0);
  });
});

describe("done-await-runs-through", () => {
  test("holds where nothing comes between the start and the end of an await that has nothing to wait for", async () => {
    const run = await runOf([
      [["spawn", 1], ["spawn", 2], ["setResult", 0, 1], ["yield"], ["await", 1], ["awaitFuture", 0]],
      [],
      [["yield"]],
    ]);
    expectHolds(doneAwaitRunsThrough, run, 2);
    expect(
      violations(doneAwaitRunsThrough, moved(run, "t2 begin", "main 4 end"), moved(run, "t2 begin", "main 5 end")),
    ).toMatchInlineSnapshot(`
      [
        "main at 4 (await): it was done already, and other events came before the await was over",
        "main at 5 (awaitFuture): it was done already, and other events came before the await was over",
      ]
    `);
  });

  test("says nothing of an await that has to wait", async () => {
    expectHolds(
      doneAwaitRunsThrough,
      await runOf([
        [
          ["spawn", 1],
          ["await", 1],
        ],
        [],
      ]),
      0,
    );
  });
});

describe("no-lost-wake-up", () => {
  test("holds where every handle runs once and every waiter goes on", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["await", 1],
        ["gather", [2], true],
      ],
      [["yield"]],
      [],
    ]);
    expectHolds(noLostWakeUp, run, run.steps.length + 2);
    expect(
      violations(
        noLostWakeUp,
        { ...run, ranTwice: ["t1@0"] },
        { ...run, neverRan: ["t1@0", "t2@begin"] },
        moved(run, "main 1 end", "t1 finish"),
        moved(run, "main 2 end", "t2 finish"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "the handle of t1@0 ran twice",
        "the handle of t1@0, t2@begin never ran, and nothing else was left to run",
        "main at 1 (await): went on before t1 was done",
        "main at 2 (gather): went on before t2 was done",
      ]
    `);
  });

  test("holds of a deadlock in which everybody waits for what is not done", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["awaitFuture", 0],
      ],
      [
        ["awaitFuture", 1],
        ["setResult", 0, 1],
      ],
    ]);
    expectHolds(noLostWakeUp, run, run.steps.length + 2);
    const goesOn: TraceEvent[] = [
      { t: 0, task: "t1", op: "0", name: "awaitFuture", phase: "end", value: 1 },
      { t: 0, task: "t1", op: "1", name: "setResult", phase: "start" },
      { t: 0, task: "t1", op: "1", name: "setResult", phase: "end" },
    ];
    expect(violations(noLostWakeUp, { ...run, trace: run.trace.toSpliced(-1, 0, ...goesOn) })).toMatchInlineSnapshot(`
      [
        "main at 1 (awaitFuture): what it waits for is done, and it was never resumed",
      ]
    `);
  });

  test("holds under fifo where waiters go on in the order in which they came", async () => {
    const run = await runOf([
      [["spawn", 1], ["spawn", 2], ["yield"], ["setResult", 0, 1], ["gather", [1, 2], false]],
      [["awaitFuture", 0]],
      [["awaitFuture", 0]],
    ]);
    expectHolds(noLostWakeUp, run, run.steps.length + 2);
    const reversed = moved(moved(run, "t2 finish", "t1 0 end"), "t2 0 end", "t2 finish");
    expect(violations(noLostWakeUp, reversed)).toMatchInlineSnapshot(`
      [
        "t2 at 0 (awaitFuture): came after another that waits for the same, and went on before it",
      ]
    `);
  });
});

describe("exact-time", () => {
  test("holds where sleeps and waits end when they are due", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["spawn", 2],
        ["sleep", 5],
        ["awaitFuture", 0],
        ["await", 1],
      ],
      [["sleep", 7]],
      [
        ["sleep", 5],
        ["sleep", 1],
        ["setResult", 0, 1],
      ],
    ]);
    // Four sleeps, two waits, and the order of the sleeps.
    expectHolds(exactTime, run, 4 + 2 + 4);
    expect(
      violations(
        exactTime,
        changed(run, "main 2 end", { t: 4 }),
        changed(run, "t1 0 end", { t: 6 }),
        endingLate(run, "main 4 end", 9),
        endingLate(run, "main 3 end", 8),
        changed(run, "exit", { t: 50 }),
        changed(run, "t2 begin", { t: -1 }),
        moved(run, "t2 0 end", "main 2 end"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 2 (sleep): began at 0 and ended at 4",
        "t1 at 0 (sleep): began at 0 and ended at 6",
        "main at 4 (await): could go on at 7, and went on at 9",
        "t1 at 0 (sleep): began at 0 and ended at 8",
        "the run ended at 50, and nothing had happened since 7",
        "time ran backwards, from 0 to -1, at line 9 of the trace",
        "t2 at 0 (sleep): began after another sleep until 5 and ended before it",
      ]
    `);
  });

  test("under another strategy sleeps that are due together may end in any order", async () => {
    const bodies: readonly Body[] = [[["gather", [1, 2], false]], [["sleep", 5]], [["sleep", 5]]];
    expectHolds(exactTime, await runOf(bodies, lastReady), 2 + 1);
  });
});

describe("cancellation-once", () => {
  test("holds where the await takes it, the handler does not, and final runs", async () => {
    const run = await runOf([
      [["spawn", 1], ["yield"], ["cancel", 1], ["gather", [1], true], ["cancel", 1]],
      [["try", [["sleep", 9]], [["span", 0, 1]], [["sleep", 1]]]],
    ]);
    // Two requests, of which one comes too late, one task that got it, a handler and a final.
    expectHolds(cancellationOnce, run, 2 + 1 + 1 + 1);
    const handled: TraceEvent[] = [
      { t: 0, task: "t1", op: "0.1.0", name: "span", phase: "start" },
      { t: 0, task: "t1", op: "0.1.0", name: "span", phase: "end", value: 1 },
    ];
    const withHandler = { ...run, trace: run.trace.toSpliced(placeOf(run, "t1 0.2.0 start"), 0, ...handled) };
    expect(
      violations(
        cancellationOnce,
        changed(run, "t1 0.0.0 error", { phase: "end", error: undefined }),
        changed(run, "t1 0.0.0 error", { t: 9 }),
        changed(run, "main 2 end", { value: false }),
        changed(run, "main 4 end", { value: true }),
        withHandler,
        without(run, "t1 0.2.0 start", "t1 0.2.0 end"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 0.0.0 (sleep): was cancelled there, and got its result",
        "t1 at 0.0.0 (sleep): was cancelled at 0, and got it at 9",
        "main at 2 (cancel): answered false although t1 was not done",
        "main at 4 (cancel): answered true although t1 was done",
        "t1 at 0 (try): its handler ran after CancelledError",
        "t1 at 0 (try): was left without its finally part",
      ]
    `);
  });

  test("holds where a task that was cancelled before it began never does", async () => {
    const run = await runOf([[["spawn", 1], ["cancel", 1], ["yield"]], []]);
    expectHolds(cancellationOnce, run, 1);
    const began: TraceEvent[] = [
      { t: 0, task: "t1", phase: "begin" },
      { t: 0, task: "t1", phase: "finish" },
    ];
    expect(
      violations(cancellationOnce, { ...run, trace: run.trace.toSpliced(placeOf(run, "main 2 end"), 0, ...began) }),
    ).toMatchInlineSnapshot(`
      [
        "t1 was cancelled before it began, and yet it began",
      ]
    `);
  });

  test("holds where a cancelled gather cancels its children", async () => {
    const run = await runOf([
      [["spawn", 1], ["yield"], ["yield"], ["cancel", 1], ["gather", [1], true]],
      [["gather", [2, 3], false]],
      [["sleep", 9]],
      [["sleep", 9]],
    ]);
    expectHolds(cancellationOnce, run, 1 + 2);
    expect(
      violations(
        cancellationOnce,
        changed(run, "t3 0 error", { phase: "end", error: undefined }),
        changed(run, "t1 0 error", { phase: "end", error: undefined, value: [null, null] }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t3 at 0 (sleep): was cancelled there, and got its result",
        "t1 at 0 (gather): was cancelled there, and answered its results",
      ]
    `);
  });

  test("counts what is delivered against what was requested", async () => {
    const run = await runOf([
      [["gather", [1], true]],
      [
        ["try", [["yield"]], [], [["yield"]]],
        ["sleep", 1],
      ],
    ]);
    const twice = changed(changed(run, "t1 0.0.0 end", { phase: "error", error: "CancelledError" }), "t1 1 end", {
      phase: "error",
      error: "CancelledError",
    });
    expect(violations(cancellationOnce, twice)).toMatchInlineSnapshot(`
      [
        "t1: got 2 cancellations for 1 requests",
      ]
    `);
  });
});

describe("kept-exceptions", () => {
  test("holds where every waiter of a future gets its outcome", async () => {
    const run = await runOf([
      [["spawn", 1], ["yield"], ["setResult", 0, 4], ["setException", 1, "lost"], ["gather", [1], true]],
      [
        ["awaitFuture", 0],
        ["awaitFuture", 0],
        ["awaitFuture", 1],
      ],
    ]);
    // Three waits; the failed task was gathered.
    expectHolds(keptExceptions, run, 3 + 1);
    expect(
      violations(
        keptExceptions,
        changed(run, "t1 1 end", { value: 5 }),
        changed(run, "t1 2 error", { phase: "end", error: undefined }),
        moved(run, "t1 0 end", "main 2 start"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 1 (awaitFuture): got 5 and not 4",
        "t1 at 2 (awaitFuture): got null and not RuntimeError: lost",
        "t1 at 0 (awaitFuture): future 0 was not done when its waiter went on",
      ]
    `);
  });

  test("holds where every waiter of a task gets its outcome", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["try", [["await", 1]], [], []],
        ["try", [["await", 1]], [], []],
      ],
      [["raise", "boom"]],
    ]);
    expectHolds(keptExceptions, run, 2 + 1);
    expect(
      violations(
        keptExceptions,
        changed(run, "main 2.0.0 error", { phase: "end", error: undefined, value: 3 }),
        moved(run, "main 1.0.0 error", "t1 finish"),
        { ...run, reports: ["Task exception was never retrieved (task t1)"] },
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 2.0.0 (await): got 3, but t1 ended with RuntimeError: boom",
        "main at 1.0.0 (await): t1 was not done when its waiter went on",
        "t1: a waiter retrieved RuntimeError: boom, and it was reported as never retrieved",
      ]
    `);
  });

  test("holds where an exception that nobody retrieved is reported", async () => {
    const run = await runOf([[["spawn", 1], ["yield"], ["yield"]], [["raise", "boom"]]]);
    expect(run.reports).toHaveLength(1);
    expectHolds(keptExceptions, run, 1);
    expect(violations(keptExceptions, { ...run, reports: [] })).toMatchInlineSnapshot(`
      [
        "t1 ended with RuntimeError: boom, nobody retrieved it, and it was not reported",
      ]
    `);
  });
});

describe("leftovers-cancelled", () => {
  test("holds where what main leaves is cancelled and ends", async () => {
    const run = await runOf(
      [
        [
          ["spawn", 1],
          ["spawn", 2],
          ["sleep", 1],
        ],
        [["try", [["sleep", 9]], [], [["span", 0, 1]]]],
        [["awaitFuture", 0]],
      ],
      lastReady,
    );
    expect(run.trace.filter(({ error }) => error === "CancelledError").map(labelOf)).toContain("t2 finish");
    expectHolds(leftoversCancelled, run, 2);
    expect(
      violations(
        leftoversCancelled,
        without(run, "t2 finish", "t2 0 error"),
        changed(run, "t2 0 error", { phase: "end", error: undefined }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t2 was left behind: it neither finished nor was cancelled",
        "t2 at 0 (awaitFuture): was open when main ended, and was not cancelled",
      ]
    `);
  });

  test("under fifo holds a sleep to it that was not due, and nothing else, because the rest of the batch still runs", async () => {
    const run = await runOf([[["spawn", 1], ["spawn", 2], ["yield"]], [["sleep", 9]], [["yield"]]]);
    expect(run.trace.map(labelOf)).toContain("t2 0 end");
    expectHolds(leftoversCancelled, run, 2);
    expect(violations(leftoversCancelled, changed(run, "t1 0 error", { phase: "end", error: undefined }))).toMatchInlineSnapshot(`
      [
        "t1 at 0 (sleep): was open when main ended, and was not cancelled",
      ]
    `);
  });

  test("says nothing of a deadlock", async () => {
    expectHolds(
      leftoversCancelled,
      await runOf([
        [
          ["spawn", 1],
          ["awaitFuture", 0],
        ],
        [["awaitFuture", 0]],
      ]),
      0,
    );
  });
});

describe("same-schedule-same-trace", () => {
  test("holds where the replay has the same trace, and names the first line that differs", async () => {
    const run = await runOf([[["gather", [1, 2], false]], [["span", 0, 1]], [["span", 0, 1]]], lastReady);
    expectHolds(sameScheduleSameTrace, run, 1);
    const other = await runOf([[["gather", [1, 2], false]], [["span", 0, 1]], [["span", 0, 1]]]);
    const diverges = (): never => {
      throw new DivergenceError(1, run.schedule.decisions[0], [{ name: "t1", operation: "begin" }]);
    };
    expect([
      judge(sameScheduleSameTrace, run, { replay: () => other }).violation,
      judge(sameScheduleSameTrace, run, { replay: () => without(run, "exit") }).violation,
      judge(sameScheduleSameTrace, run, { replay: diverges }).violation,
    ]).toMatchInlineSnapshot(`
      [
        "line 3 of the trace was {"t":0,"task":"t2","phase":"begin"} and is {"t":0,"task":"t1","phase":"begin"} when replayed",
        "line 13 of the trace was {"t":0,"phase":"exit"} and is absent when replayed",
        "its schedule cannot be replayed: divergence at step 1: the program left the recorded schedule.
        recorded  1 ready [main@1], ran main@1
        now       1 ready [t1@begin]
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run.",
      ]
    `);
  });

  test("hands on what is no divergence", async () => {
    const run = await runOf([[]]);
    const boom = (): never => {
      throw new Error("boom");
    };
    expect(() => judge(sameScheduleSameTrace, run, { replay: boom })).toThrow("boom");
  });
});

describe("independent-tasks", () => {
  const bodies: readonly Body[] = [
    [["gather", [1, 2], false]],
    [
      ["span", 0, 1],
      ["sleep", 3],
    ],
    [
      ["span", 1, 1],
      ["sleep", 3],
    ],
  ];

  test("holds where each task has the same lines under fifo", async () => {
    const [run, fifo] = [await runOf(bodies, lastReady), await runOf(bodies)];
    expect(judge(independentTasks, run, { fifo: () => fifo })).toEqual({ exercised: 1, violation: undefined });
    expect(judge(independentTasks, run, { fifo: () => changed(fifo, "t2 0 end", { value: 9 }) }).violation).toMatchInlineSnapshot(
      `"t2: line 3 of its trace is {"t":0,"task":"t2","op":"0","name":"span","phase":"end","value":1}, and under fifo {"t":0,"task":"t2","op":"0","name":"span","phase":"end","value":9}"`,
    );
  });

  test("compares a run under fifo with one that is as far from it as it gets", async () => {
    const [fifo, other] = [await runOf(bodies), await runOf(bodies, lastReady)];
    expect(judge(independentTasks, fifo, { lastFirst: () => other })).toEqual({ exercised: 1, violation: undefined });
    expect(judge(independentTasks, fifo, { lastFirst: () => changed(other, "t2 0 end", { value: 9 }) }).violation).toMatchInlineSnapshot(
      `"t2: line 3 of its trace is {"t":0,"task":"t2","op":"0","name":"span","phase":"end","value":1}, and under the last one first {"t":0,"task":"t2","op":"0","name":"span","phase":"end","value":9}"`,
    );
  });

  test("says nothing of tasks that share a cell, fail or go through a future", async () => {
    expectHolds(
      independentTasks,
      await runOf(
        [
          [
            ["gather", [1], false],
            ["span", 0, 1],
          ],
          [["span", 0, 1]],
        ],
        lastReady,
      ),
      0,
    );
    expectHolds(independentTasks, await runOf([[["gather", [1], true]], [["raise", "boom"]]], lastReady), 0);
    expectHolds(independentTasks, await runOf([[["setResult", 0, 1]]], lastReady), 0);
  });

  test("leaves out a task that main has cut off", async () => {
    const cut: readonly Body[] = [
      [
        ["spawn", 1],
        ["sleep", 3],
      ],
      [
        ["sleep", 3],
        ["sleep", 3],
      ],
    ];
    const [run, fifo] = [await runOf(cut, lastReady), await runOf(cut)];
    expect(judge(independentTasks, run, { fifo: () => fifo })).toEqual({ exercised: 1, violation: undefined });
  });
});

describe("finishes-or-deadlocks", () => {
  test("holds of a run that finishes", async () => {
    const run = await runOf([[["gather", [1], false]], []]);
    expectHolds(finishesOrDeadlocks, run, 1);
    expect(
      violations(
        finishesOrDeadlocks,
        without(run, "exit"),
        without(run, "t1 finish"),
        { ...run, outcome: "livelock" },
        { ...run, outcome: "deadlock" },
      ),
    ).toMatchInlineSnapshot(`
      [
        "the trace does not end with an exit",
        "waiting at the end: t1; reported: nobody",
        "the run did not end",
        "a deadlock was reported in which nobody waits",
      ]
    `);
  });

  test("holds of a deadlock that names every waiting task and its place", async () => {
    const run = await runOf([[["gather", [1, 2], false]], [["awaitFuture", 0]], [["try", [["awaitFuture", 1]], [], []]]]);
    expectHolds(finishesOrDeadlocks, run, 1);
    const [main, one, two] = run.trace.at(-1)?.waiting ?? [];
    expect(
      violations(
        finishesOrDeadlocks,
        changed(run, "exit", { waiting: [main, two] }),
        changed(run, "exit", { waiting: [main, two, one] }),
        changed(run, "exit", { waiting: [main, one, { ...two, op: "0" }] }),
        changed(run, "exit", { waiting: undefined }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "waiting at the end: main at 0, t1 at 0, t2 at 0.0.0; reported: main at 0, t2 at 0.0.0",
        "waiting at the end: main at 0, t1 at 0, t2 at 0.0.0; reported: main at 0, t2 at 0.0.0, t1 at 0",
        "waiting at the end: main at 0, t1 at 0, t2 at 0.0.0; reported: main at 0, t1 at 0, t2 at 0",
        "waiting at the end: main at 0, t1 at 0, t2 at 0.0.0; reported: nobody",
      ]
    `);
  });
});
