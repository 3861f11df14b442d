import { describe, expect, test } from "vitest";
import { DeadlockError } from "../loop/deadlock.js";
import { run } from "../loop/run.js";
import type { RunResult, StepRecord, Strategy } from "../schedule/strategy.js";
import { decodeSchedule, encodeSchedule } from "../schedule/token.js";
import { random } from "../strategy/random.js";
import { following } from "../strategy/replay.js";
import { formatTrace } from "../trace/trace.js";
import { runTaskGraph } from "./graph-run.js";
import type { Body, Operation, TaskGraph } from "./task-graph.js";

function graphOf(...bodies: readonly Body[]): TaskGraph {
  return { version: 1, cells: 1, futures: 1, tasks: bodies.map((body, index) => ({ name: index === 0 ? "main" : `t${index}`, body })) };
}

/** Main and `count` tasks that take two turns and a sleep each. */
function crowd(count: number): TaskGraph {
  const tasks = Array.from({ length: count }, (_, index) => index + 1);
  const body: Body = [["yield"], ["span", 0, 1], ["sleep", 3], ["span", 0, 1]];
  return graphOf(
    [
      ["gather", tasks, false],
      ["span", 0, 0],
    ],
    ...tasks.map(() => body),
  );
}

describe("the same graph under the same seed gives the same bytes", () => {
  test.each(["fifo", "random"])("%s", async (name) => {
    const bytes = async (): Promise<string> => {
      const { trace, schedule } = await runTaskGraph(crowd(20), name === "fifo" ? {} : { strategy: random(7) });
      return formatTrace(trace) + encodeSchedule(schedule);
    };
    expect(await bytes()).toBe(await bytes());
  });

  test("another seed gives another order of the same lines", async () => {
    const [first, second] = [
      await runTaskGraph(crowd(20), { strategy: random(1) }),
      await runTaskGraph(crowd(20), { strategy: random(2) }),
    ];
    expect(formatTrace(second.trace)).not.toBe(formatTrace(first.trace));
    // The cell is shared, so the value of a span says where it stood in the order.
    const places = ({ trace }: typeof first): string[] => trace.map(({ t, task, op, phase }) => `${t} ${task} ${op} ${phase}`).toSorted();
    expect(places(second)).toEqual(places(first));
  });
});

test("a graph of 2,000 tasks runs to its end, in order and under random picks", async () => {
  const graph = crowd(2_000);
  for (const strategy of [undefined, random(7)]) {
    const { outcome, trace, steps, ranTwice, neverRan } = await runTaskGraph(graph, { ...(strategy && { strategy }) });
    expect(outcome).toBe("finished");
    expect(trace.findLast(({ name }) => name === "span")).toMatchObject({ t: 3, task: "main", value: 4_000 });
    // Of each task its beginning, a turn and a sleep; of main its beginning and the gather.
    expect(steps.length).toBe(2_000 * 3 + 2);
    expect([...ranTwice, ...neverRan]).toEqual([]);
  }
});

test("a run says how it ended: finished, failed or a deadlock, with the error", async () => {
  expect(await runTaskGraph(graphOf([["yield"]]))).toMatchObject({ outcome: "finished", error: undefined });
  expect(await runTaskGraph(graphOf([["raise", "boom"]]))).toMatchObject({
    outcome: "failed",
    error: { name: "RuntimeError", message: "boom" },
  });
  const { outcome, error } = await runTaskGraph(graphOf([["awaitFuture", 0]]));
  expect(outcome).toBe("deadlock");
  expect(error).toBeInstanceOf(DeadlockError);
});

test("an exception that nobody retrieves is told in the reports", async () => {
  const { reports } = await runTaskGraph(graphOf([["spawn", 1], ["yield"]], [["raise", "boom"]]));
  expect(reports).toEqual(["Task exception was never retrieved (task t1)"]);
});

test("each step is told with its task, operation, time and the number of ready tasks, and the schedule holds each, with what else was ready", async () => {
  const { steps, schedule } = await runTaskGraph(graphOf([["gather", [1, 2], false]], [["yield"]], [["sleep", 2]]), {
    strategy: { name: "last", begin: () => true, pick: ({ count }) => count - 1 },
  });
  expect(
    steps.map(({ step, timeMs, name, operation, ready }) => `${step} t=${timeMs} ${name}@${operation} of ${ready}`),
  ).toMatchInlineSnapshot(`
    [
      "1 t=0 main@1 of 1",
      "2 t=0 t2@begin of 2",
      "3 t=0 t1@begin of 1",
      "4 t=0 t1@0 of 1",
      "5 t=2 t2@0 of 1",
      "6 t=2 main@0 of 1",
    ]
  `);
  expect(schedule.decisions.map(({ ready, index }) => `${ready.map(({ name }) => name).join(" ")}: ${index}`)).toEqual([
    "main: 0",
    "t1 t2: 1",
    "t1: 0",
    "t1: 0",
    "t2: 0",
    "main: 0",
  ]);
});

test("the strategy is begun, observed and ended, also one that is an object of a class", async () => {
  class Watching implements Strategy {
    readonly name = "watching";
    readonly told: string[] = [];
    begin(run: number): boolean {
      this.told.push(`begin ${run}`);
      return true;
    }
    pick({ count }: { readonly count: number }): number {
      return count - 1;
    }
    observe({ name, operation }: StepRecord): void {
      this.told.push(`${name}@${operation}`);
    }
    end({ failed, steps }: RunResult): void {
      this.told.push(`end ${failed ? "failed" : "passed"} ${steps}`);
    }
  }
  const strategy = new Watching();
  await runTaskGraph(
    graphOf(
      [
        ["gather", [1, 2], false],
        ["raise", "boom"],
      ],
      [],
      [],
    ),
    { strategy },
  );
  expect(strategy.told).toEqual(["begin 0", "main@1", "t2@begin", "t1@begin", "main@0", "end failed 4"]);
});

test("the schedule holds the seed that was given, and 0 by default", async () => {
  expect((await runTaskGraph(graphOf([]), { seed: 42 })).schedule.seed).toBe(42);
  expect((await runTaskGraph(graphOf([]))).schedule.seed).toBe(0);
});

test("what cannot be run is refused: a graph that is none, a seed that is none", async () => {
  await expect(runTaskGraph(graphOf([["await", 3]]))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: tasks[0] "main", operation 0 (await): t must be the index of a task, 0 to 0, not 3]`,
  );
  await expect(runTaskGraph(graphOf([]), { seed: -1 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: seed: must be a whole number from 0 to 4294967295, not -1]`,
  );
});

test("what the strategy throws rejects, and the next run is not disturbed", async () => {
  const { schedule } = await runTaskGraph(crowd(2), { strategy: random(7) });
  const edited = crowd(3);
  await expect(runTaskGraph(edited, { strategy: following(schedule) })).rejects.toMatchObject({ name: "DivergenceError", step: 2 });
  expect((await runTaskGraph(crowd(2), { strategy: following(schedule) })).outcome).toBe("finished");
});

test("a recorded schedule, through its token, gives the recorded trace", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const first = await runTaskGraph(crowd(6), { strategy: random(seed) });
    const second = await runTaskGraph(crowd(6), { strategy: following(decodeSchedule(encodeSchedule(first.schedule))) });
    expect(formatTrace(second.trace)).toBe(formatTrace(first.trace));
    expect(second.schedule).toEqual(first.schedule);
  }
});

test("graphs that are started at once run one after another, and one inside a run is refused", async () => {
  const spans: Operation[] = [["span", 0, 1], ["yield"], ["span", 0, 1]];
  const runs = await Promise.all([1, 2, 3].map(() => runTaskGraph(graphOf(spans))));
  for (const { trace } of runs) expect(trace.at(-3)).toMatchObject({ op: "2", value: 2 });
  await expect(run(async () => await runTaskGraph(graphOf([])))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: runTaskGraph() cannot be called inside a run: await the function itself, or createTask(fn).]`,
  );
});
