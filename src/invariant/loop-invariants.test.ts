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
import { completionOrder, waitAnswers } from "./answers.js";
import { atomicSpans, lazyStart } from "./atomicity.js";
import { cancellationOnce, leftoversCancelled } from "./cancellation.js";
import { independentTasks, sameScheduleSameTrace } from "./determinism.js";
import { eventWakesAll } from "./events.js";
import { completesOnce, keptExceptions } from "./futures.js";
import { gatherOrder } from "./gathering.js";
import { groupsEndTogether } from "./groups.js";
import { historyOf } from "./history.js";
import type { Invariant, Judgement, Reruns } from "./invariant.js";
import { lockHandOver, semaphoreBounds } from "./locks.js";
import { loopInvariants } from "./loop-invariants.js";
import { queueOrder } from "./queues.js";
import { exactTime } from "./time.js";
import { exactTimeouts } from "./timeouts.js";
import { doneAwaitRunsThrough, finishesOrDeadlocks, noLostWakeUp } from "./waiting.js";

const lastReady: Strategy = { name: "last", begin: () => true, pick: ({ count }) => count - 1 };

/**
 * Main and t1, t2, … with two cells and futures, a lock, a semaphore with one permit, an event, and a queue for one item, run in asyncio's
 * own order unless a strategy is given.
 */
async function runOf(bodies: readonly Body[], strategy?: Strategy): Promise<GraphRun> {
  const tasks = bodies.map((body, index) => ({ name: index === 0 ? "main" : `t${index}`, body }));
  const shared = { cells: 2, futures: 2, locks: 1, semaphores: [1], events: 1, queues: [1] };
  return await runTaskGraph({ version: 1, ...shared, tasks }, { ...(strategy && { strategy }) });
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
        changed(changed(run, "main finish", { t: 50 }), "exit", { t: 50 }),
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
        "time passed to 50, when nothing was due",
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
        "t1: got 1 cancellations for 0 requests",
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

describe("lock-hand-over", () => {
  const bodies: readonly Body[] = [
    [["gather", [1, 2, 3], false]],
    [["withLock", 0, [["sleep", 2]]]],
    [["withLock", 0, [["yield"]]]],
    [["withLock", 0, []]],
  ];

  test("holds where one after the other gets it, in the order in which they came", async () => {
    const run = await runOf(bodies);
    // Three who come in, two of them after another, one who finds it free, and one rest at which two wait.
    expectHolds(lockHandOver, run, 3 + 2 + 1 + 1);
    expect(
      violations(
        lockHandOver,
        moved(run, "t2 0.0.0 start", "t1 0.0.0 end"),
        moved(run, "t3 0 end", "t2 0.0.0 start"),
        moved(run, "t2 begin", "t1 0.0.0 start"),
        endingLate(run, "t2 0.0.0 start", 3),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t2 at 0 (withLock): came in while t1 at 0 (withLock) held it",
        "t3 at 0 (withLock): came in before t2 at 0 (withLock), who had come first",
        "t1 at 0 (withLock): had to wait although it was free",
        "t2 at 0 (withLock): still waited after 2, and it was free",
      ]
    `);
  });

  test("says nothing of who is cancelled while it waits, and the lock goes to the next", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["spawn", 2],
        ["spawn", 3],
        ["sleep", 1],
        ["cancel", 2],
        ["sleep", 2],
      ],
      [["withLock", 0, [["sleep", 2]]]],
      [["withLock", 0, [["yield"]]]],
      [["withLock", 0, [["yield"]]]],
    ]);
    expect(run.trace.map(labelOf)).toContain("t3 0.0.0 end");
    expectHolds(lockHandOver, run, 2 + 1 + 1 + 2);
  });
});

describe("semaphore-bounds", () => {
  test("holds where no more come in than there are permits, and nobody waits for one that is free", async () => {
    const run = await runOf([[["gather", [1, 2], false]], [["withSemaphore", 0, [["sleep", 2]]]], [["withSemaphore", 0, [["yield"]]]]]);
    // Two who come in, one of them after another, one who finds it free, and one rest.
    expectHolds(semaphoreBounds, run, 2 + 1 + 1 + 1);
    const withPermits = (count: number): GraphRun => ({
      ...run,
      placed: { ...run.placed, graph: { ...run.placed.graph, semaphores: [count] } },
    });
    expect(
      violations(
        semaphoreBounds,
        moved(run, "t2 0.0.0 start", "t1 0.0.0 end"),
        endingLate(run, "t2 0.0.0 start", 3),
        withPermits(0),
        withPermits(2),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t2 at 0 (withSemaphore): came in while t1 at 0 (withSemaphore) held it",
        "t2 at 0 (withSemaphore): still waited after 2, and it was free",
        "t1 at 0 (withSemaphore): came in while there was no permit",
        "t2 at 0 (withSemaphore): had to wait although it was free",
      ]
    `);
  });

  test("who came first may go on after one who came later, but not without a permit", async () => {
    const run = await runOf(
      [
        [["gather", [1, 2, 3], false]],
        [["withSemaphore", 0, [["sleep", 2]]]],
        [["withSemaphore", 0, [["yield"]]]],
        [["withSemaphore", 0, [["sleep", 1]]]],
      ],
      { name: "first", begin: () => true, pick: () => 0 },
    );
    // Three who come in, nobody before another, one who finds it free, and two rests.
    expectHolds(semaphoreBounds, run, 3 + 1 + 1);
    const overtaken = ["t3 0.0.0 start", "t3 0.0.0 end", "t3 0 end"].reduce((before, label) => moved(before, label, "t2 0.0.0 start"), run);
    expect(violations(semaphoreBounds, overtaken)).toMatchInlineSnapshot(`
      [
        "t3 at 0 (withSemaphore): came in before t2 at 0 (withSemaphore), who had come first, and took the permit that was due to it",
      ]
    `);
  });
});

describe("event-wakes-all", () => {
  test("holds where all who wait go on, also when the event is cleared at once, and who comes later waits for the next time", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["spawn", 2],
        ["yield"],
        ["setEvent", 0],
        ["waitEvent", 0],
        ["clearEvent", 0],
        ["sleep", 1],
        ["setEvent", 0],
        ["sleep", 1],
      ],
      [
        ["waitEvent", 0],
        ["waitEvent", 0],
      ],
      [["waitEvent", 0]],
    ]);
    expectHolds(eventWakesAll, run, 4);
    expect(
      violations(
        eventWakesAll,
        moved(run, "main 5 start", "main 4 end"),
        moved(run, "main 4 start", "main 3 start"),
        moved(run, "t1 1 end", "main 7 start"),
        moved(run, "t2 0 end", "main 7 end"),
        moved(run, "t1 0 end", "t2 finish"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 4 (waitEvent): had to wait although the event was set",
        "main at 4 (waitEvent): came after t2 at 0 (waitEvent), and went on before it",
        "t1 at 1 (waitEvent): went on before the event was set",
        "t2 at 0 (waitEvent): still waited after 0, although the event was set at 0",
        "t2 at 0 (waitEvent): came after t1 at 0 (waitEvent), and went on before it",
      ]
    `);
  });

  test("says nothing of who waits for what nobody sets", async () => {
    expectHolds(eventWakesAll, await runOf([[["waitEvent", 0]]]), 0);
  });
});

describe("queue-order", () => {
  test("holds where items come out as they were put, and nobody waits without need", async () => {
    const run = await runOf([
      [["spawn", 1], ["yield"], ["put", 0, 4], ["put", 0, 5], ["put", 0, 6], ["sleep", 1]],
      [
        ["get", 0],
        ["sleep", 1],
        ["get", 0],
        ["get", 0],
      ],
    ]);
    // What was put and got, and who came when that could be done at once.
    expectHolds(queueOrder, run, 3 + 3 + 2);
    expect(
      violations(
        queueOrder,
        changed(run, "t1 0 end", { value: 5 }),
        moved(run, "main 3 end", "t1 0 end"),
        moved(run, "t1 0 end", "main 2 start"),
        moved(run, "main 3 start", "main 2 end"),
        endingLate(run, "t1 0 end", 2),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 0 (get): got 5, and the first item was 4",
        "main at 3 (put): put item 2 into a queue of 1",
        "t1 at 0 (get): got 4 from an empty queue",
        "main at 2 (put): had to wait although it could go on",
        "t1 at 0 (get): still waited after 0, although it could go on",
      ]
    `);
  });

  test("says nothing of a getter for which nothing comes", async () => {
    expectHolds(queueOrder, await runOf([[["get", 0]]]), 0);
  });
});

describe("wait-answers", () => {
  const waiting = async (mode: "FIRST_COMPLETED" | "FIRST_EXCEPTION" | "ALL_COMPLETED", ms: number | null): Promise<GraphRun> =>
    await runOf([
      [["wait", [2, 1, 3], mode, ms]],
      [["sleep", 1]],
      [
        ["sleep", 2],
        ["raise", "boom"],
      ],
      [["sleep", 3]],
    ]);

  test("holds where it answers who is done as soon as enough are", async () => {
    const run = await waiting("FIRST_COMPLETED", null);
    expectHolds(waitAnswers, run, 1);
    expect(
      violations(
        waitAnswers,
        changed(run, "main 0 end", { value: [[2], [1, 3]] }),
        changed(run, "main 0 end", { value: [[1], [2]] }),
        changed(run, "main 0 end", { value: undefined }),
        changed(run, "main 0 end", { t: 2 }),
        changed(run, "main 0 end", { phase: "error", error: "RuntimeError: boom" }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 0 (wait): answered [[2],[1,3]], but done and pending were [[1],[2,3]]",
        "main at 0 (wait): answered [[1],[2]], but done and pending were [[1],[2,3]]",
        "main at 0 (wait): answered null, but done and pending were [[1],[2,3]]",
        "main at 0 (wait): could answer at 1, and answered at 2",
        "main at 0 (wait): raised RuntimeError: boom",
      ]
    `);
  });

  test.each([
    ["FIRST_EXCEPTION", null, [[1, 2], [3]]],
    ["ALL_COMPLETED", null, [[1, 2, 3], []]],
    ["ALL_COMPLETED", 1, [[], [1, 2, 3]]],
  ] as const)("holds where %s with a limit of %s answers when it should", async (mode, ms, value) => {
    const run = await waiting(mode, ms);
    expect(run.trace[placeOf(run, "main 0 end")]?.value).toEqual(value);
    expectHolds(waitAnswers, run, 1);
    expect(judge(waitAnswers, changed(run, "main 0 end", { t: 0 })).violation).toMatch(/answered at 0, before enough were done at \d/);
    expect(judge(waitAnswers, changed(run, "main 0 end", { t: 9 })).violation).toMatch(/could answer at \d, and answered at 9/);
  });

  test("says nothing of a wait that was cancelled, and knows a task that was cancelled before it began", async () => {
    const cancelled = await runOf([[["spawn", 1], ["yield"]], [["wait", [2], "ALL_COMPLETED", null]], [["sleep", 9]]]);
    expectHolds(waitAnswers, cancelled, 0);
    const neverBegun = await runOf([
      [
        ["spawn", 1],
        ["cancel", 1],
        ["wait", [1], "ALL_COMPLETED", null],
      ],
      [],
    ]);
    expectHolds(waitAnswers, neverBegun, 1);
  });
});

describe("completion-order", () => {
  test("holds where the results come as the tasks are done", async () => {
    const run = await runOf([
      [["spawn", 1], ["yield"], ["asCompleted", [3, 2, 1]]],
      [["return", 1]],
      [
        ["sleep", 2],
        ["return", 2],
      ],
      [
        ["sleep", 3],
        ["return", 3],
      ],
    ]);
    expectHolds(completionOrder, run, 1);
    expect(
      violations(
        completionOrder,
        changed(run, "main 2 end", { value: [3, 2, 1] }),
        changed(run, "main 2 end", { value: undefined }),
        changed(run, "main 2 end", { phase: "error", error: "RuntimeError: boom" }),
        changed(run, "t2 finish", { error: "RuntimeError: boom" }),
        moved(run, "main 2 end", "t3 finish"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 2 (asCompleted): answered [3,2,1], but the tasks ended, one after the other, with [1,2,3]",
        "main at 2 (asCompleted): answered null, but the tasks ended, one after the other, with [1,2,3]",
        "main at 2 (asCompleted): raised RuntimeError: boom, but the first exception was none",
        "main at 2 (asCompleted): answered although t2 ended with RuntimeError: boom",
        "main at 2 (asCompleted): answered all results, and t3 had none",
      ]
    `);
  });

  test("holds where the first exception is raised in its turn, and says nothing of a cancellation", async () => {
    const run = await runOf([
      [["asCompleted", [1, 2]]],
      [
        ["sleep", 2],
        ["raise", "late"],
      ],
      [
        ["sleep", 1],
        ["raise", "boom"],
      ],
    ]);
    expectHolds(completionOrder, run, 1);
    expect(violations(completionOrder, changed(run, "main 0 error", { error: "RuntimeError: late" }))).toMatchInlineSnapshot(`
      [
        "main at 0 (asCompleted): raised RuntimeError: late, but the first exception was RuntimeError: boom",
      ]
    `);
    const cancelled = await runOf([
      [
        ["spawn", 1],
        ["cancel", 1],
        ["asCompleted", [1]],
      ],
      [],
    ]);
    expectHolds(completionOrder, cancelled, 0);
  });
});

describe("groups-end-together", () => {
  test("holds where a failure cancels the others and the body, and all that was raised is in the group", async () => {
    const run = await runOf(
      [
        [["taskGroup", [1, 2, 3], [["sleep", 9]]]],
        [
          ["sleep", 1],
          ["raise", "boom"],
        ],
        [["try", [["sleep", 9]], [], [["raise", "late"]]]],
        [["sleep", 9]],
      ],
      lastReady,
    );
    expect(run.trace.at(-1)?.error).toBe("ExceptionGroup: RuntimeError: boom; RuntimeError: late");
    expectHolds(groupsEndTogether, run, 2);
    expect(
      violations(
        groupsEndTogether,
        changed(run, "main 0 error", { error: "ExceptionGroup: RuntimeError: boom" }),
        changed(run, "main 0.0.0 error", { error: "TimeoutError" }),
        changed(run, "t3 0 error", { phase: "end", error: undefined }),
        moved(run, "main 0 error", "t3 finish"),
        without(run, "main 0.0.0 error"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 0 (taskGroup): ended with ExceptionGroup: RuntimeError: boom and not with ExceptionGroup: RuntimeError: boom; RuntimeError: late",
        "main at 0 (taskGroup): ended with ExceptionGroup: RuntimeError: boom; RuntimeError: late and not with ExceptionGroup: RuntimeError: boom; RuntimeError: late; TimeoutError",
        "t3 at 0 (sleep): was cancelled there, and got its result",
        "main at 0 (taskGroup): ended before t2 had",
        "main at 0 (taskGroup): ended before its body had",
      ]
    `);
  });

  test("holds where its body fails, or is cancelled", async () => {
    const failed = await runOf([[["taskGroup", [1, 2], [["yield"], ["raise", "boom"]]]], [["sleep", 9]], []]);
    expectHolds(groupsEndTogether, failed, 2);
    const cancelled = await runOf([
      [["spawn", 1], ["yield"], ["yield"], ["cancel", 1], ["gather", [1], true]],
      [["taskGroup", [2], [["sleep", 5]]]],
      [["sleep", 9]],
    ]);
    expectHolds(groupsEndTogether, cancelled, 2);
    expect(
      violations(
        groupsEndTogether,
        changed(failed, "t1 0 error", { t: 9 }),
        changed(failed, "main 0 error", { error: "RuntimeError: boom" }),
        changed(cancelled, "t1 0 error", { phase: "end", error: undefined }),
        changed(cancelled, "t1 0 error", { error: "TimeoutError" }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 0 (sleep): was cancelled at 0, and got it at 9",
        "main at 0 (taskGroup): ended with RuntimeError: boom and not with ExceptionGroup: RuntimeError: boom",
        "t1 at 0 (taskGroup): its body was cancelled, and it ended without an exception",
        "t1 at 0 (taskGroup): raised TimeoutError although nothing in it was raised",
      ]
    `);
  });

  test("holds where it is cancelled while it waits for its tasks, which then are, too", async () => {
    const run = await runOf([
      [
        ["spawn", 1],
        ["sleep", 1],
        ["cancel", 1],
        ["sleep", 2],
      ],
      [["taskGroup", [2], []]],
      [["try", [["sleep", 9]], [], [["sleep", 1]]]],
    ]);
    expectHolds(groupsEndTogether, run, 2);
    expect(
      violations(
        groupsEndTogether,
        changed(run, "t1 0 error", { phase: "end", error: undefined }),
        without(run, "t2 0.0.0 error", "t2 0.2.0 start", "t2 0.2.0 end"),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 0 (taskGroup): was cancelled there, and ended without an exception",
        "t2 at 0.0.0 (sleep): was not cancelled although its group was",
      ]
    `);
  });
});

describe("exact-timeouts", () => {
  test("holds where the body is cancelled at the deadline, and TimeoutError is raised for it", async () => {
    const run = await runOf([[["timeout", 5, [["try", [["sleep", 9]], [], [["sleep", 1]]]]]]]);
    expect(run.trace.at(-1)).toMatchObject({ t: 6, error: "TimeoutError" });
    expectHolds(exactTimeouts, run, 1);
    expect(
      violations(
        exactTimeouts,
        changed(run, "main 0.0.0.0.0 error", { phase: "end", error: undefined }),
        endingLate(run, "main 0.0.0.0.0 error", 7),
        changed(run, "main 0 error", { error: "CancelledError" }),
        changed(run, "main 0 error", { error: "RuntimeError: boom" }),
        changed(run, "main 0 error", { t: 7 }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 0.0.0.0.0 (sleep): was cancelled there, and got its result",
        "main at 0.0.0.0.0 (sleep): was cancelled at 5, and got it at 7",
        "main at 0 (timeout): nobody else had cancelled its task, and it raised no TimeoutError",
        "main at 0 (timeout): its body was cancelled, and it ended with RuntimeError: boom",
        "main at 0 (timeout): its body ended at 6, and it ended at 7",
      ]
    `);
  });

  test("holds where the body is over before, and passes on what that raised", async () => {
    const run = await runOf([
      [
        ["timeout", 5, [["sleep", 1]]],
        ["timeout", 5, [["raise", "boom"]]],
      ],
    ]);
    expectHolds(exactTimeouts, run, 2);
    expect(
      violations(
        exactTimeouts,
        changed(run, "main 0 end", { phase: "error", error: "TimeoutError" }),
        changed(run, "main 1 error", { error: "TimeoutError" }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "main at 0 (timeout): its body ended with no exception, and it ended with TimeoutError",
        "main at 1 (timeout): its body ended with RuntimeError: boom, and it ended with TimeoutError",
      ]
    `);
  });

  test("holds where somebody else cancels the task, before the deadline or after", async () => {
    const body: Body = [["timeout", 5, [["try", [["sleep", 9]], [], [["sleep", 3]]]]]];
    const [early, late] = [
      await runOf([
        [
          ["spawn", 1],
          ["sleep", 1],
          ["cancel", 1],
          ["sleep", 3],
        ],
        body,
      ]),
      await runOf([
        [
          ["spawn", 1],
          ["sleep", 6],
          ["cancel", 1],
          ["sleep", 3],
        ],
        body,
      ]),
    ];
    const around = await runOf([[["timeout", 5, [["timeout", 5, [["sleep", 9]]]]]]]);
    expectHolds(exactTimeouts, early, 1);
    expectHolds(exactTimeouts, late, 1);
    expectHolds(exactTimeouts, around, 2);
    expect(
      violations(
        exactTimeouts,
        changed(early, "t1 0 error", { error: "TimeoutError" }),
        changed(late, "t1 0 error", { error: "TimeoutError" }),
        changed(around, "main 0.0.0 error", { error: "TimeoutError" }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "t1 at 0 (timeout): raised TimeoutError at 4, before its deadline at 5",
        "t1 at 0 (timeout): turned the cancellation of somebody else into TimeoutError",
        "main at 0.0.0 (timeout): turned the cancellation of somebody else into TimeoutError",
      ]
    `);
  });

  test("holds where it is due when it begins, and expires before time passes", async () => {
    const run = await runOf([[["timeout", 0, [["sleep", 1]]]]]);
    expectHolds(exactTimeouts, run, 1);
    expect(violations(exactTimeouts, endingLate(run, "main 0.0.0 error", 1))).toMatchInlineSnapshot(`
      [
        "main at 0.0.0 (sleep): was not cancelled although the timeout at 0 was over at 0",
      ]
    `);
  });

  test("holds in a deadlock only where the deadline has come", async () => {
    const run = await runOf([[["timeout", 5, [["try", [["sleep", 9]], [], [["awaitFuture", 0]]]]]]]);
    expect(run.outcome).toBe("deadlock");
    expectHolds(exactTimeouts, run, 1);
    const stopped = await runOf([[["awaitFuture", 0]]]);
    const limited = { ...run, trace: [...run.trace.slice(0, 4), ...stopped.trace.slice(-1)] };
    expect(violations(exactTimeouts, limited)).toMatchInlineSnapshot(`
      [
        "main at 0 (timeout): the run ended in a deadlock at 0, before its deadline at 5",
      ]
    `);
  });
});
