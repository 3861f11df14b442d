import { expect, test } from "vitest";
import { BadInputError } from "../errors/errors.js";
import { checkTaskGraph } from "./check.js";

/** What `checkTaskGraph` says of a graph with these bodies; "accepted" when it takes it. */
function verdictOn(bodies: Readonly<Record<string, unknown>>, fields: object = {}): string {
  return verdictOnFile({
    version: 1,
    cells: 2,
    futures: 1,
    tasks: Object.entries(bodies).map(([name, body]) => ({ name, body })),
    ...fields,
  });
}

function verdictOnFile(file: unknown): string {
  try {
    checkTaskGraph(file);
    return "accepted";
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    return error.message;
  }
}

/** What is said of a main with this one operation, and a task t1 beside it that main starts before. */
function verdictOnOperation(...operation: readonly unknown[]): string {
  return verdictOn({ main: [["spawn", 1], operation], t1: [] });
}

test("every operation of the format is accepted, and comes back as it was", () => {
  const bodies = {
    main: [
      ["spawn", 1],
      ["gather", [2, 3, 1], true],
      ["wait", [1, 4], "FIRST_COMPLETED", null],
      ["asCompleted", [4, 5]],
      [
        "taskGroup",
        [6, 7],
        [
          ["await", 6],
          ["cancel", 1],
          ["gather", [7, 1], false],
          ["timeout", 0, [["shield", 7]]],
        ],
      ],
      ["shield", 6],
      ["try", [["await", 1]], [["cancel", 2]], [["awaitFuture", 0]]],
      ["return", -7],
    ],
    t1: [["span", 1, 1_000_000], ["yield"], ["sleep", 0], ["sleep", Number.MAX_SAFE_INTEGER]],
    t2: [
      ["await", 1],
      ["setResult", 0, 1],
      ["setException", 0, ""],
      ["cancelFuture", 0],
    ],
    t3: [["raise", "boom"]],
    t4: [["withLock", 0, [["withSemaphore", 1, [["timeout", 5, []]]]]]],
    t5: [
      ["setEvent", 0],
      ["clearEvent", 0],
      ["waitEvent", 0],
      ["wait", [1], "ALL_COMPLETED", 0],
    ],
    t6: [["wait", [5], "FIRST_EXCEPTION", Number.MAX_SAFE_INTEGER]],
    t7: [
      ["put", 1, -1],
      ["get", 0],
    ],
  };
  const graph = {
    version: 1,
    cells: 2,
    futures: 1,
    locks: 1,
    semaphores: [0, 2],
    events: 1,
    queues: [0, 3],
    tasks: Object.entries(bodies).map(([name, body]) => ({ name, body })),
  };
  expect(JSON.stringify(checkTaskGraph(graph))).toBe(JSON.stringify(graph));
});

test("what is shared may be left out; cells and futures come back as 0, the others only where there are some", () => {
  const tasks = [{ name: "main", body: [] }];
  const bare = { version: 1, cells: 0, futures: 0, tasks };
  expect(checkTaskGraph({ version: 1, tasks })).toEqual(bare);
  expect(checkTaskGraph({ version: 1, tasks, locks: 0, semaphores: [], events: 0, queues: [] })).toEqual(bare);
  expect(checkTaskGraph({ version: 1, tasks, semaphores: [0], queues: [1] })).toEqual({ ...bare, semaphores: [0], queues: [1] });
});

test("what is no graph at all is refused with what it is", () => {
  expect([undefined, null, 1, "graph", [], {}, { version: "1" }, { version: Number.NaN }].map(verdictOnFile)).toMatchInlineSnapshot(`
    [
      "graph: must be an object, not missing",
      "graph: must be an object, not null",
      "graph: must be an object, not 1",
      "graph: must be an object, not "graph"",
      "graph: must be an object, not an empty list",
      "version: must be 1, not missing",
      "version: must be 1, not "1"",
      "version: must be 1, not NaN",
    ]
  `);
});

test("fields of the file and of its tasks are refused with their names", () => {
  const main = { name: "main", body: [] };
  const withTasks = (tasks: unknown): string => verdictOnFile({ version: 1, tasks });
  expect([
    verdictOnFile({ version: 1, tasks: [main], cells: -1 }),
    verdictOnFile({ version: 1, tasks: [main], cells: 1.5 }),
    verdictOnFile({ version: 1, tasks: [main], cells: Number.NaN }),
    verdictOnFile({ version: 1, tasks: [main], cells: "2" }),
    verdictOnFile({ version: 1, tasks: [main], futures: 1_000_001 }),
    verdictOnFile({ version: 1, tasks: [main], futures: Number.POSITIVE_INFINITY }),
    verdictOnFile({ version: 1, tasks: [main], locks: [1] }),
    verdictOnFile({ version: 1, tasks: [main], events: -1 }),
    verdictOnFile({ version: 1, tasks: [main], semaphores: 2 }),
    verdictOnFile({ version: 1, tasks: [main], semaphores: [2, -1] }),
    verdictOnFile({ version: 1, tasks: [main], queues: { 0: 1 } }),
    verdictOnFile({ version: 1, tasks: [main], queues: [0.5] }),
    verdictOnFile({ version: 1, tasks: [main], queues: [null] }),
    verdictOnFile({ version: 1, tasks: [main], queues: [0, 1_000_001] }),
    verdictOnFile({ version: 1, tasks: [main], queues: new Array(1_000_001).fill(0) }),
    verdictOnFile({ version: 1, tasks: [main], machine: "mine" }),
    verdictOnFile(JSON.parse('{ "version": 1, "tasks": [], "__proto__": { "cells": 1 } }')),
    verdictOnFile({ version: 1 }),
    withTasks({ main }),
    withTasks([]),
    withTasks(["main"]),
    withTasks([main, null]),
    withTasks([{ ...main, body: undefined }]),
    withTasks([{ ...main, body: "yield" }]),
    withTasks([{ ...main, body: { 0: ["yield"], length: 1 } }]),
    withTasks([{ ...main, priority: 1 }]),
    withTasks([{ ...main, name: "" }]),
    withTasks([{ ...main, name: 1 }]),
    withTasks([main, main]),
  ]).toMatchInlineSnapshot(`
    [
      "cells: must be a whole number from 0 to 1000000, not -1",
      "cells: must be a whole number from 0 to 1000000, not 1.5",
      "cells: must be a whole number from 0 to 1000000, not NaN",
      "cells: must be a whole number from 0 to 1000000, not "2"",
      "futures: must be a whole number from 0 to 1000000, not 1000001",
      "futures: must be a whole number from 0 to 1000000, not Infinity",
      "locks: must be a whole number from 0 to 1000000, not a list",
      "events: must be a whole number from 0 to 1000000, not -1",
      "semaphores: must be a list, not 2",
      "semaphores[1]: must be a whole number from 0 to 1000000, not -1",
      "queues: must be a list, not an object",
      "queues[0]: must be a whole number from 0 to 1000000, not 0.5",
      "queues[0]: must be a whole number from 0 to 1000000, not null",
      "queues[1]: must be a whole number from 0 to 1000000, not 1000001",
      "queues: must hold at most 1000000 numbers, not 1000001",
      "graph: has no field "machine"; known are version cells futures locks semaphores events queues tasks",
      "graph: has no field "__proto__"; known are version cells futures locks semaphores events queues tasks",
      "tasks: must be a list, not missing",
      "tasks: must be a list, not an object",
      "tasks: must hold at least main",
      "tasks[0]: must be an object, not "main"",
      "tasks[1]: must be an object, not null",
      "tasks[0] "main".body: must be a list, not missing",
      "tasks[0] "main".body: must be a list, not "yield"",
      "tasks[0] "main".body: must be a list, not an object",
      "tasks[0]: has no field "priority"; known are name body",
      "tasks[0].name: must be a text that is not empty, not """,
      "tasks[0].name: must be a text that is not empty, not 1",
      "tasks[1].name: "main" is the name of another task",
    ]
  `);
});

test("operations that are none are refused with their place", () => {
  expect([
    verdictOnOperation(),
    verdictOnOperation("spwan", 1),
    verdictOnOperation("toString"),
    verdictOnOperation("__proto__"),
    verdictOnOperation(["span"], 0, 1),
    verdictOn({ main: ["yield"] }),
    verdictOn({ main: [["try", [["yield"], ["try", [], [["nap"]], []]], [], []]] }),
    verdictOn({ main: [["timeout", 0, [["withLock", 0, [["yield"], ["nap"]]]]]] }, { locks: 1 }),
    verdictOn({ main: [["taskGroup", [1], [["withSemaphore", 0, [["nap"]]]]], ["yield"]], t1: [] }, { semaphores: [1] }),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 1 (missing): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 1 ("spwan"): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 1 ("toString"): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 1 ("__proto__"): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 1 (a list): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 0: must be a list, not "yield"",
      "tasks[0] "main", operation 0.0.1.1.0 ("nap"): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 0.0.0.0.1 ("nap"): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
      "tasks[0] "main", operation 0.0.0.0.0 ("nap"): is no operation; known are span yield sleep spawn await gather wait asCompleted taskGroup shield timeout cancel setResult setException cancelFuture awaitFuture withLock withSemaphore setEvent clearEvent waitEvent put get raise return try",
    ]
  `);
});

test("a wrong number of arguments is refused with what the operation takes", () => {
  expect([
    verdictOnOperation("yield", 0),
    verdictOnOperation("span", 0),
    verdictOnOperation("gather", [1]),
    verdictOnOperation("try", [], []),
    verdictOnOperation("wait", [1], "ALL_COMPLETED"),
    verdictOnOperation("taskGroup", [1]),
    verdictOnOperation("timeout", []),
    verdictOnOperation("get", 0, 1),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 1 (yield): takes 0 arguments (none), not 1",
      "tasks[0] "main", operation 1 (span): takes 2 arguments (cell, n), not 1",
      "tasks[0] "main", operation 1 (gather): takes 2 arguments (tasks, returnExceptions), not 1",
      "tasks[0] "main", operation 1 (try): takes 3 arguments (body, handler, final), not 2",
      "tasks[0] "main", operation 1 (wait): takes 3 arguments (tasks, mode, timeout), not 2",
      "tasks[0] "main", operation 1 (taskGroup): takes 2 arguments (tasks, body), not 1",
      "tasks[0] "main", operation 1 (timeout): takes 2 arguments (ms, body), not 1",
      "tasks[0] "main", operation 1 (get): takes 1 argument (q), not 2",
    ]
  `);
});

test("an index out of range is refused with the range", () => {
  expect([
    verdictOnOperation("span", 2, 1),
    verdictOnOperation("span", -1, 1),
    verdictOnOperation("span", 0.5, 1),
    verdictOnOperation("span", "0", 1),
    verdictOnOperation("span", Number.NaN, 1),
    verdictOnOperation("awaitFuture", 1),
    verdictOnOperation("spawn", 2),
    verdictOnOperation("await", -1),
    verdictOnOperation("gather", [1, 99], false),
    verdictOn({ main: [["awaitFuture", 0]] }, { futures: 0 }),
    verdictOnOperation("asCompleted", [2]),
    verdictOnOperation("withLock", 0, []),
    verdictOn({ main: [["withLock", 2, []]] }, { locks: 2 }),
    verdictOn({ main: [["withSemaphore", 1, []]] }, { semaphores: [7] }),
    verdictOnOperation("waitEvent", 0),
    verdictOn({ main: [["setEvent", -1]] }, { events: 1 }),
    verdictOn({ main: [["put", 2, 1]] }, { queues: [7, 7] }),
    verdictOnOperation("get", 0),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 1 (span): cell must be the index of a cell, 0 to 1, not 2",
      "tasks[0] "main", operation 1 (span): cell must be the index of a cell, 0 to 1, not -1",
      "tasks[0] "main", operation 1 (span): cell must be the index of a cell, 0 to 1, not 0.5",
      "tasks[0] "main", operation 1 (span): cell must be the index of a cell, 0 to 1, not "0"",
      "tasks[0] "main", operation 1 (span): cell must be the index of a cell, 0 to 1, not NaN",
      "tasks[0] "main", operation 1 (awaitFuture): f must be the index of a future, 0 to 0, not 1",
      "tasks[0] "main", operation 1 (spawn): t must be the index of a task, 0 to 1, not 2",
      "tasks[0] "main", operation 1 (await): t must be the index of a task, 0 to 1, not -1",
      "tasks[0] "main", operation 1 (gather): each of tasks must be the index of a task, 0 to 1, not 99",
      "tasks[0] "main", operation 0 (awaitFuture): f must be the index of a future, and there are none, not 0",
      "tasks[0] "main", operation 1 (asCompleted): each of tasks must be the index of a task, 0 to 1, not 2",
      "tasks[0] "main", operation 1 (withLock): l must be the index of a lock, and there are none, not 0",
      "tasks[0] "main", operation 0 (withLock): l must be the index of a lock, 0 to 1, not 2",
      "tasks[0] "main", operation 0 (withSemaphore): s must be the index of a semaphore, 0 to 0, not 1",
      "tasks[0] "main", operation 1 (waitEvent): e must be the index of an event, and there are none, not 0",
      "tasks[0] "main", operation 0 (setEvent): e must be the index of an event, 0 to 0, not -1",
      "tasks[0] "main", operation 0 (put): q must be the index of a queue, 0 to 1, not 2",
      "tasks[0] "main", operation 1 (get): q must be the index of a queue, and there are none, not 0",
    ]
  `);
});

test("arguments of the wrong type or size are refused with the rule and what was found", () => {
  expect([
    verdictOnOperation("span", 0, 1_000_001),
    verdictOnOperation("span", 0, -1),
    verdictOnOperation("sleep", -1),
    verdictOnOperation("sleep", 0.5),
    verdictOnOperation("sleep", Number.NaN),
    verdictOnOperation("sleep", Number.POSITIVE_INFINITY),
    verdictOnOperation("sleep", 2 ** 53),
    verdictOnOperation("sleep", "1"),
    verdictOnOperation("sleep", null),
    verdictOnOperation("gather", [], false),
    verdictOnOperation("gather", 1, false),
    verdictOnOperation("gather", [1], 1),
    verdictOnOperation("setResult", 0, "x".repeat(100)),
    verdictOnOperation("return", 0.1),
    verdictOnOperation("return", { error: "no" }),
    verdictOnOperation("raise", 7),
    verdictOnOperation("try", [], [], null),
    verdictOnOperation("wait", [], "ALL_COMPLETED", null),
    verdictOnOperation("wait", [1], "all_completed", null),
    verdictOnOperation("wait", [1], null, null),
    verdictOnOperation("wait", [1], ["ALL_COMPLETED"], null),
    verdictOnOperation("wait", [1], "ALL_COMPLETED", -1),
    verdictOnOperation("wait", [1], "ALL_COMPLETED", 0.5),
    verdictOnOperation("wait", [1], "ALL_COMPLETED", true),
    verdictOnOperation("asCompleted", []),
    verdictOnOperation("taskGroup", [], []),
    verdictOn({ main: [["taskGroup", [1], ["yield"]]], t1: [] }),
    verdictOnOperation("timeout", null, []),
    verdictOnOperation("timeout", 1, 1),
    verdictOn({ main: [["withLock", 0, null]] }, { locks: 1 }),
    verdictOn({ main: [["withSemaphore", 0, {}]] }, { semaphores: [1] }),
    verdictOn({ main: [["put", 0, 0.5]] }, { queues: [1] }),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 1 (span): n must be a whole number from 0 to 1000000, not 1000001",
      "tasks[0] "main", operation 1 (span): n must be a whole number from 0 to 1000000, not -1",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not -1",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not 0.5",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not NaN",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not Infinity",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not 9007199254740992",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not "1"",
      "tasks[0] "main", operation 1 (sleep): ms must be a whole number of milliseconds, 0 or more, not null",
      "tasks[0] "main", operation 1 (gather): tasks must be a list of tasks that is not empty, not an empty list",
      "tasks[0] "main", operation 1 (gather): tasks must be a list of tasks that is not empty, not 1",
      "tasks[0] "main", operation 1 (gather): returnExceptions must be true or false, not 1",
      "tasks[0] "main", operation 1 (setResult): v must be a safe integer, not "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"",
      "tasks[0] "main", operation 1 (return): v must be a safe integer, not 0.1",
      "tasks[0] "main", operation 1 (return): v must be a safe integer, not an object",
      "tasks[0] "main", operation 1 (raise): message must be a text, not 7",
      "tasks[0] "main", operation 1.2: must be a list, not null",
      "tasks[0] "main", operation 1 (wait): tasks must be a list of tasks that is not empty, not an empty list",
      "tasks[0] "main", operation 1 (wait): mode must be one of FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED, not "all_completed"",
      "tasks[0] "main", operation 1 (wait): mode must be one of FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED, not null",
      "tasks[0] "main", operation 1 (wait): mode must be one of FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED, not a list",
      "tasks[0] "main", operation 1 (wait): timeout must be a whole number of milliseconds, 0 or more, or null, not -1",
      "tasks[0] "main", operation 1 (wait): timeout must be a whole number of milliseconds, 0 or more, or null, not 0.5",
      "tasks[0] "main", operation 1 (wait): timeout must be a whole number of milliseconds, 0 or more, or null, not true",
      "tasks[0] "main", operation 1 (asCompleted): tasks must be a list of tasks that is not empty, not an empty list",
      "tasks[0] "main", operation 1 (taskGroup): tasks must be a list of tasks that is not empty, not an empty list",
      "tasks[0] "main", operation 0.0.0: must be a list, not "yield"",
      "tasks[0] "main", operation 1 (timeout): ms must be a whole number of milliseconds, 0 or more, not null",
      "tasks[0] "main", operation 1.0: must be a list, not 1",
      "tasks[0] "main", operation 0.0: must be a list, not null",
      "tasks[0] "main", operation 0.0: must be a list, not an object",
      "tasks[0] "main", operation 0 (put): v must be a safe integer, not 0.5",
    ]
  `);
});

test("tasks that are started twice, by themselves, or by nothing are refused with both places", () => {
  expect([
    verdictOn({
      main: [
        ["spawn", 1],
        ["spawn", 1],
      ],
      t1: [],
    }),
    verdictOn({
      main: [
        ["spawn", 1],
        ["spawn", 2],
      ],
      t1: [["spawn", 2]],
      t2: [],
    }),
    verdictOn({ main: [["gather", [1, 2], false]], t1: [["gather", [2], false]], t2: [] }),
    verdictOn({ main: [["spawn", 1]], t1: [["spawn", 1]] }),
    verdictOn({ main: [["spawn", 0]] }),
    verdictOn({ main: [["spawn", 1]], t1: [["spawn", 0]] }),
    verdictOn({ main: [], t1: [] }),
    verdictOn({ main: [], t1: [["spawn", 2]], t2: [["spawn", 1]] }),
    verdictOn({ main: [["try", [["spawn", 1]], [], []]], t1: [] }),
    verdictOn({ main: [["try", [["gather", [1], false]], [], []]], t1: [] }),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 1 (spawn): starts task 1 a second time",
      "tasks[0] "main", operation 1 (spawn): starts task 2, which is started by tasks[1] "t1", operation 0 (spawn)",
      "tasks[1] "t1", operation 0 (gather): starts task 2, which is started by tasks[0] "main", operation 0 (gather)",
      "tasks[1] "t1", operation 0 (spawn): starts task 1 itself",
      "tasks[0] "main", operation 0 (spawn): starts task 0 itself",
      "tasks[1] "t1", operation 0 (spawn): starts task 0, which is started by run()",
      "tasks[1] "t1": is started by no operation",
      "tasks[1] "t1": is started by no operation",
      "tasks[0] "main", operation 0.0.0 (spawn): starts a task inside another operation; starts stand at the top level of a body",
      "tasks[0] "main", operation 0.0.0 (gather): names task 1, whose start may not have run yet when this operation runs",
    ]
  `);
});

test("a task group starts all that it names, once, at the top level of a body", () => {
  expect([
    verdictOn({
      main: [
        ["spawn", 1],
        ["taskGroup", [1], []],
      ],
      t1: [],
    }),
    verdictOn({
      main: [
        ["spawn", 1],
        ["taskGroup", [2, 1], []],
      ],
      t1: [],
      t2: [],
    }),
    verdictOn({ main: [["taskGroup", [1, 2, 1], []]], t1: [], t2: [] }),
    verdictOn({
      main: [
        ["taskGroup", [1], []],
        ["spawn", 1],
      ],
      t1: [],
    }),
    verdictOn({
      main: [
        ["taskGroup", [1], []],
        ["taskGroup", [1], []],
      ],
      t1: [],
    }),
    verdictOn({ main: [["taskGroup", [1], []]], t1: [["taskGroup", [1], []]] }),
    verdictOn({ main: [["taskGroup", [0], []]] }),
    verdictOn({ main: [["spawn", 1]], t1: [["taskGroup", [0], []]] }),
    verdictOn({
      main: [
        ["spawn", 1],
        ["wait", [2], "ALL_COMPLETED", null],
      ],
      t1: [["taskGroup", [2], []]],
      t2: [],
    }),
    verdictOn({ main: [["try", [], [], [["taskGroup", [1], []]]]], t1: [] }),
    verdictOn({ main: [["taskGroup", [1], [["taskGroup", [2], []]]]], t1: [], t2: [] }),
    verdictOn({ main: [["taskGroup", [1], [["timeout", 5, [["spawn", 2]]]]]], t1: [], t2: [] }),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 1 (taskGroup): starts task 1 a second time",
      "tasks[0] "main", operation 1 (taskGroup): starts task 1 a second time",
      "tasks[0] "main", operation 0 (taskGroup): starts task 1 a second time",
      "tasks[0] "main", operation 1 (spawn): starts task 1 a second time",
      "tasks[0] "main", operation 1 (taskGroup): starts task 1 a second time",
      "tasks[1] "t1", operation 0 (taskGroup): starts task 1 itself",
      "tasks[0] "main", operation 0 (taskGroup): starts task 0 itself",
      "tasks[1] "t1", operation 0 (taskGroup): starts task 0, which is started by run()",
      "tasks[0] "main", operation 1 (wait): starts task 2, which is started by tasks[1] "t1", operation 0 (taskGroup)",
      "tasks[0] "main", operation 0.2.0 (taskGroup): starts a task inside another operation; starts stand at the top level of a body",
      "tasks[0] "main", operation 0.0.0 (taskGroup): starts a task inside another operation; starts stand at the top level of a body",
      "tasks[0] "main", operation 0.0.0.0.0 (spawn): starts a task inside another operation; starts stand at the top level of a body",
    ]
  `);
});

test("what waits for several tasks starts those that were not started, at the top level of a body alone", () => {
  expect([
    verdictOn({
      main: [
        ["wait", [1, 2], "ALL_COMPLETED", 0],
        ["asCompleted", [3, 1, 4]],
        ["await", 4],
      ],
      t1: [],
      t2: [],
      t3: [],
      t4: [],
    }),
    verdictOn({
      main: [
        ["wait", [1], "ALL_COMPLETED", 0],
        ["spawn", 1],
      ],
      t1: [],
    }),
    verdictOn({ main: [["asCompleted", [1]]], t1: [["wait", [2], "FIRST_COMPLETED", 0]], t2: [["asCompleted", [2]]] }),
    verdictOn({ main: [["wait", [0], "ALL_COMPLETED", 0]] }),
    verdictOn({
      main: [
        ["asCompleted", [1]],
        ["wait", [2], "ALL_COMPLETED", 0],
      ],
      t1: [["asCompleted", [2]]],
      t2: [],
    }),
    verdictOn({ main: [["timeout", 5, [["wait", [1], "ALL_COMPLETED", 0]]]], t1: [] }),
    verdictOn({ main: [["withLock", 0, [["try", [["asCompleted", [1]]], [], []]]]], t1: [] }, { locks: 1 }),
    verdictOn({ main: [["withSemaphore", 0, [["gather", [1], false]]]], t1: [] }, { semaphores: [1] }),
  ]).toMatchInlineSnapshot(`
    [
      "accepted",
      "tasks[0] "main", operation 1 (spawn): starts task 1 a second time",
      "tasks[2] "t2", operation 0 (asCompleted): names its own task",
      "tasks[0] "main", operation 0 (wait): names its own task",
      "tasks[0] "main", operation 1 (wait): starts task 2, which is started by tasks[1] "t1", operation 0 (asCompleted)",
      "tasks[0] "main", operation 0.0.0 (wait): names task 1, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 0.0.0.0.0 (asCompleted): names task 1, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 0.0.0 (gather): names task 1, whose start may not have run yet when this operation runs",
    ]
  `);
});

test("what a task group starts is named inside of it and behind it, but not by its siblings", () => {
  expect([
    verdictOn(
      {
        main: [
          ["taskGroup", [1, 2], [["withLock", 0, [["await", 2]]]]],
          ["shield", 1],
        ],
        t1: [],
        t2: [],
      },
      { locks: 1 },
    ),
    verdictOn({
      main: [
        ["taskGroup", [1], []],
        ["taskGroup", [2], []],
      ],
      t1: [],
      t2: [["await", 1]],
    }),
    verdictOn({
      main: [
        [
          "taskGroup",
          [1],
          [
            ["wait", [1, 1], "ALL_COMPLETED", null],
            ["asCompleted", [1]],
          ],
        ],
      ],
      t1: [],
    }),
    verdictOn({ main: [["taskGroup", [1, 2], []]], t1: [], t2: [["await", 1]] }),
    verdictOn({
      main: [
        ["taskGroup", [1], [["await", 2]]],
        ["spawn", 2],
      ],
      t1: [],
      t2: [],
    }),
    verdictOn({
      main: [
        ["timeout", 0, [["await", 1]]],
        ["taskGroup", [1], []],
      ],
      t1: [],
    }),
    verdictOn({ main: [["taskGroup", [1], []]], t1: [["taskGroup", [2], [["shield", 1]]]], t2: [] }),
    verdictOn({ main: [["taskGroup", [1], [["cancel", 0]]]], t1: [] }),
  ]).toMatchInlineSnapshot(`
    [
      "accepted",
      "accepted",
      "accepted",
      "tasks[2] "t2", operation 0 (await): names task 1, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 0.0.0 (await): names task 2, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 0.0.0 (await): names task 1, whose start may not have run yet when this operation runs",
      "tasks[1] "t1", operation 0.0.0 (shield): names its own task",
      "tasks[0] "main", operation 0.0.0 (cancel): names its own task",
    ]
  `);
});

test("an operation may name only a task whose start has run", () => {
  expect([
    verdictOn({
      main: [
        ["await", 1],
        ["spawn", 1],
      ],
      t1: [],
    }),
    verdictOn({ main: [["gather", [0], false]] }),
    verdictOn({ main: [["cancel", 0]] }),
    verdictOn({ main: [["spawn", 1]], t1: [["await", 1]] }),
    verdictOn({ main: [["spawn", 1]], t1: [["await", 0]] }),
    verdictOn({
      main: [
        ["spawn", 1],
        ["spawn", 2],
      ],
      t1: [["await", 2]],
      t2: [],
    }),
    verdictOn({ main: [["gather", [1, 2], false]], t1: [], t2: [["await", 1]] }),
    verdictOn({
      main: [
        ["spawn", 1],
        ["await", 2],
      ],
      t1: [["spawn", 2]],
      t2: [],
    }),
    verdictOn({
      main: [
        ["spawn", 1],
        ["try", [["yield"]], [["cancel", 2]], []],
        ["spawn", 2],
      ],
      t1: [],
      t2: [],
    }),
  ]).toMatchInlineSnapshot(`
    [
      "tasks[0] "main", operation 0 (await): names task 1, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 0 (gather): names its own task",
      "tasks[0] "main", operation 0 (cancel): names its own task",
      "tasks[1] "t1", operation 0 (await): names its own task",
      "tasks[1] "t1", operation 0 (await): names main",
      "tasks[1] "t1", operation 0 (await): names task 2, whose start may not have run yet when this operation runs",
      "tasks[2] "t2", operation 0 (await): names task 1, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 1 (await): names task 2, whose start may not have run yet when this operation runs",
      "tasks[0] "main", operation 1.1.0 (cancel): names task 2, whose start may not have run yet when this operation runs",
    ]
  `);
});

test("a task may name what could be named where it was started, however deep", () => {
  expect(
    verdictOn({
      main: [
        ["spawn", 1],
        ["spawn", 2],
      ],
      t1: [],
      t2: [["spawn", 3]],
      t3: [["try", [["await", 1]], [], [["cancel", 1]]]],
    }),
  ).toBe("accepted");
  expect(
    verdictOn({
      main: [
        ["gather", [1, 1], false],
        ["gather", [1, 2], false],
      ],
      t1: [],
      t2: [["await", 1]],
    }),
  ).toBe("accepted");
});

test("bodies may be nested 50 levels deep, and no deeper, whatever holds them", () => {
  const kinds: ((body: unknown) => unknown)[] = [
    (body) => ["try", body, [], []],
    (body) => ["timeout", 1, body],
    (body) => ["withLock", 0, body],
    (body) => ["withSemaphore", 0, body],
  ];
  const nested = (levels: number, of = kinds): unknown[] => (levels === 1 ? [] : [of[levels % of.length]?.(nested(levels - 1, of))]);
  for (const of of [kinds, ...kinds.map((kind) => [kind])]) {
    expect(verdictOn({ main: nested(50, of) }, { locks: 1, semaphores: [1] })).toBe("accepted");
    expect(verdictOn({ main: nested(51, of) }, { locks: 1, semaphores: [1] })).toMatch(
      /, operation (0\.){98}0\.0: is nested deeper than 50 levels$/,
    );
  }
  expect(verdictOn({ main: [["taskGroup", [1], nested(49)]], t1: [] }, { locks: 1, semaphores: [1] })).toBe("accepted");
  expect(verdictOn({ main: [["taskGroup", [1], nested(50)]], t1: [] }, { locks: 1, semaphores: [1] })).toMatch(/deeper than 50 levels$/);
});

test("a refusal stays one readable line, however long or odd the names in the file are", () => {
  const name = `a\nb${"x".repeat(100_000)}`;
  expect(verdictOn({ [name]: [["nap"]] }).replace(/:.*/, "")).toMatchInlineSnapshot(
    `"tasks[0] "a\\nbxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", operation 0 ("nap")"`,
  );
  expect(verdictOn({ main: [[name]] }).replace(/:.*/, "")).toMatchInlineSnapshot(
    `"tasks[0] "main", operation 0 ("a\\nbxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")"`,
  );
  expect(verdictOn({ main: [], [name]: [] })).not.toContain("\n");
});

test("a graph of 20,000 tasks is checked without a copy of what each of them may name", () => {
  const count = 20_000;
  const tasks = Array.from({ length: count + 1 }, (_, task) => ({ name: `t${task}`, body: [] as unknown[] }));
  const children = tasks.slice(1).map((_, index) => index + 1);
  const started = (body: unknown[]): unknown => ({ version: 1, tasks: [{ name: "main", body }, ...tasks.slice(1)] });
  const chain = tasks.map(({ name }, task) => ({ name, body: task < count ? [["spawn", task + 1]] : [] }));
  expect(verdictOnFile(started(children.map((child) => ["spawn", child])))).toBe("accepted");
  expect(verdictOnFile(started([["gather", children, false]]))).toBe("accepted");
  expect(verdictOnFile(started([["taskGroup", children, [["asCompleted", children]]]]))).toBe("accepted");
  expect(verdictOnFile({ version: 1, tasks: chain })).toBe("accepted");
});
