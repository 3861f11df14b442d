import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { random } from "../strategy/random.js";
import { Lock } from "../sync/lock.js";
import { createTask } from "./create-task.js";
import { DeadlockError, findCycle } from "./deadlock.js";
import { EventLoop, type EventLoopOptions } from "./event-loop.js";
import { runLoop } from "./run.js";
import { sleep } from "./sleep.js";
import type { Task } from "./task.js";

/** Runs `main` into its deadlock. */
async function deadlockOf(main: (loop: EventLoop) => Promise<unknown>, options?: EventLoopOptions): Promise<DeadlockError> {
  const loop = new EventLoop(options);
  await runLoop(loop, () => main(loop));
  const { completion } = loop;
  if (completion?.kind !== "deadlock") throw new Error(`no deadlock but ${String(completion?.kind)}`);
  if (!(completion.error instanceof DeadlockError)) throw completion.error;
  expect(loop.isClosed()).toBe(true);
  expect(loop.isRunning()).toBe(false);
  return completion.error;
}

/** Line numbers change with this file; what is tested is that they are this file's. */
const withoutLines = (message: string): string => message.replaceAll(/deadlock\.test\.ts:\d+:\d+/g, "deadlock.test.ts:LINE:COLUMN");

test("a deadlock is found at once and names every waiting task, what it waits for and where", async () => {
  const began = performance.now();
  const error = await deadlockOf(
    async (loop) => {
      const left = loop.createFuture("left lock");
      const tasks: Task[] = [];
      tasks.push(
        createTask(
          async () => {
            await left;
          },
          { name: "waits for a future" },
        ),
      );
      tasks.push(
        createTask(
          async () => {
            await tasks[0];
          },
          { name: "for a task" },
        ),
      );
      createTask(
        async () => {
          await gather(tasks[1]!, left);
        },
        { name: "for a gather" },
      );
      createTask(
        async () => {
          await Promise.all([left, tasks[0]]);
        },
        { name: "for two" },
      );
      await sleep(7);
      await tasks[1];
    },
    { idleGraceMs: 60_000 },
  );
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(error.code).toBe("HEDDLE_DEADLOCK");
  expect(error.name).toBe("DeadlockError");
  expect(withoutLines(error.message)).toMatchInlineSnapshot(`
    "deadlock at step 6, t=7: 5 tasks wait and nothing can wake them.
      main                waits for task for a task  at src/loop/deadlock.test.ts:LINE:COLUMN
      waits for a future  waits for left lock  at src/loop/deadlock.test.ts:LINE:COLUMN
      for a task          waits for task waits for a future  at src/loop/deadlock.test.ts:LINE:COLUMN
      for a gather        waits for gather of 2, of which pending: task for a task, left lock  at src/loop/deadlock.test.ts:LINE:COLUMN
      for two             waits for left lock and task waits for a future  at src/loop/deadlock.test.ts:LINE:COLUMN
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("the site is the line and column of the await, in the file relative to the project", async () => {
  const base = Number(/deadlock\.test\.ts:(\d+):/.exec(new Error("here").stack ?? "")?.[1]);
  const error = await deadlockOf(async (loop) => {
    const cell = loop.createFuture();
    await cell;
  });
  expect(error.waiting).toEqual([{ task: "main", operation: "2", waitsFor: "future 1", site: `src/loop/deadlock.test.ts:${base + 3}:5` }]);
});

test("the site of an await inside a helper is that of the innermost await", async () => {
  const base = Number(/deadlock\.test\.ts:(\d+):/.exec(new Error("here").stack ?? "")?.[1]);
  const error = await deadlockOf(async (loop) => {
    const helper = async (): Promise<void> => {
      await loop.createFuture();
    };
    await helper();
  });
  expect(error.waiting[0]?.site).toBe(`src/loop/deadlock.test.ts:${base + 3}:7`);
});

test("a deadlock is the same under a strategy", async () => {
  const error = await deadlockOf(
    async (loop) => {
      createTask(
        async () => {
          await loop.createFuture("never");
        },
        { name: "t" },
      );
      await sleep(1);
      await loop.createFuture("never either");
    },
    { strategy: random(7), sites: false },
  );
  expect(error.message).toMatchInlineSnapshot(`
    "deadlock at step 3, t=1: 2 tasks wait and nothing can wake them.
      main  waits for never either
      t     waits for never
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("two tasks that wait for each other are a deadlock", async () => {
  const error = await deadlockOf(
    async () => {
      const tasks: Task[] = [];
      tasks.push(
        createTask(
          async () => {
            await sleep(0);
            await tasks[1];
          },
          { name: "a" },
        ),
      );
      tasks.push(
        createTask(
          async () => {
            await tasks[0];
          },
          { name: "b" },
        ),
      );
      await tasks[0];
    },
    { sites: false },
  );
  expect(error.waiting.map(({ task, waitsFor }) => `${task} > ${waitsFor}`)).toEqual(["main > task a", "a > task b", "b > task a"]);
});

test("a deadlock in a finally part after main is a deadlock of the run", async () => {
  const error = await deadlockOf(async (loop) => {
    createTask(
      async () => {
        try {
          await sleep(1_000);
        } finally {
          await loop.createFuture("never released");
        }
      },
      { name: "cleaner" },
    );
    await sleep(1);
    return "main's result";
  });
  expect(withoutLines(error.message)).toMatchInlineSnapshot(`
    "deadlock at step 4, t=1: 1 task waits and nothing can wake it.
      cleaner  waits for never released  at src/loop/deadlock.test.ts:LINE:COLUMN
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("looking for the site calls no code of the program", async () => {
  const log: unknown[] = [];
  const error = await deadlockOf(async (loop) => {
    const never = loop.createFuture("never");
    createTask(
      async () => {
        await new Promise((resolve) => {
          never.then((value) => {
            log.push(value);
            resolve(value);
          });
        });
      },
      { name: "by hand" },
    );
    createTask(
      async () => {
        try {
          await never;
        } finally {
          log.push("resumed");
        }
      },
      { name: "by await" },
    );
    await never;
  });
  expect(log).toEqual([]);
  expect(error.waiting.map(({ task, waitsFor, site }) => [task, waitsFor, site === undefined])).toEqual([
    ["main", "never", false],
    ["by hand", "never", true],
    ["by await", "never", false],
  ]);
});

test("after a deadlock the same program can run again with the same report", async () => {
  const reports: string[] = [];
  for (let round = 0; round < 2; round++) {
    const error = await deadlockOf(async (loop) => {
      createTask(
        async () => {
          await loop.createFuture();
        },
        { name: "t" },
      );
      await sleep(3);
      await loop.createFuture();
    });
    reports.push(error.message);
  }
  expect(reports[0]).toBe(reports[1]);
  expect(reports[0]).toMatch(/^deadlock at step 3, t=3: 2 tasks wait/);
});

test("under macrotask quiescence a deadlock is found too, without sites", async () => {
  const loop = new EventLoop();
  await runLoop(
    loop,
    async () => {
      await loop.createFuture();
    },
    "macrotask",
  );
  expect((loop.completion as { error: Error }).error.message).toMatchInlineSnapshot(`
    "deadlock at step 1, t=0: 1 task waits and nothing can wake it.
      main  waits for future 1
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

describe("a circle of tasks that wait for each other", () => {
  const waiting = (...rows: readonly (readonly [task: string, waitsFor: string])[]) =>
    rows.map(([task, waitsFor]) => ({ task, operation: "1", waitsFor, site: undefined }));

  test.each([
    ["a lock each", waiting(["t1", "lock a, held by t2"], ["t2", "lock b, held by t1"]), ["t1", "t2"]],
    [
      "beside one who only waits for them",
      waiting(["main", "task t1"], ["t1", "lock a, held by t2"], ["t2", "lock b, held by t1"]),
      ["t1", "t2"],
    ],
    ["one who waits for himself", waiting(["t1", "lock a, held by t1"]), ["t1"]],
    [
      "through tasks and locks",
      waiting(["a", "task b"], ["b", "lock x, held by c"], ["c", "gather of 2, of which pending: task d, task a"], ["d", "cell"]),
      ["a", "b", "c"],
    ],
    ["the shortest of two", waiting(["a", "task b"], ["b", "task c"], ["c", "task a and task d"], ["d", "task c"]), ["c", "d"]],
    [
      "names that hold what stands between names",
      waiting(["a, b", "task x and y"], ["x and y", "lock, held by a, b"]),
      ["a, b", "x and y"],
    ],
  ])("%s", (_what, tasks, circle) => {
    expect(findCycle(tasks)?.map(({ task }) => task)).toEqual(circle);
  });

  test.each([
    ["nobody waits for a task", waiting(["t1", "cell"], ["t2", "lock a"])],
    ["the way ends", waiting(["main", "task t1"], ["t1", "task t2"], ["t2", "cell"])],
    ["the holder has ended", waiting(["t1", "lock a, held by t2, which has ended"], ["t3", "task t1"])],
    ["a name is only the beginning of another", waiting(["t1", "task t12"], ["t12", "lock a, held by t123"], ["t123", "cell"])],
  ])("there is none where %s", (_what, tasks) => {
    expect(findCycle(tasks)).toBeUndefined();
  });

  test("is told in one sentence, and stands in the report", async () => {
    const error = await deadlockOf(
      async () => {
        const [left, right] = [new Lock({ name: "left" }), new Lock({ name: "right" })];
        const taking = (first: Lock, second: Lock) => async (): Promise<void> => {
          await first.acquire();
          await sleep(0);
          await second.acquire();
        };
        await gather(createTask(taking(left, right), { name: "l" }), createTask(taking(right, left), { name: "r" }));
      },
      { sites: false },
    );
    expect(error.message).toMatchInlineSnapshot(`
      "deadlock at step 5, t=0: 3 tasks wait and nothing can wake them.
        main  waits for gather of 2, of which pending: task l, task r
        l     waits for lock right, held by r
        r     waits for lock left, held by l
      They wait in a circle: l waits for lock right, held by r, which waits for lock left, held by l.
      Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
    `);
  });

  test("is found among a thousand tasks at once", () => {
    const row = (index: number): readonly [string, string] => [`t${index}`, `lock, held by t${(index + 1) % 1_000}`];
    const tasks = waiting(...Array.from({ length: 1_000 }, (_, index) => row(index)));
    expect(findCycle(tasks)).toHaveLength(1_000);
  });
});
