import { expect, test, vi } from "vitest";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import type { Future } from "./future.js";
import { run, runLoop, runUntilComplete } from "./run.js";
import { findRunningLoop, getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

test("run answers main's result and rejects with what main throws", async () => {
  expect(await run(async () => 5)).toBe(5);
  expect(await run(() => "sync")).toBe("sync");
  const error = new RangeError("main");
  await expect(
    run(async () => {
      throw error;
    }),
  ).rejects.toBe(error);
  await expect(
    run(() => {
      throw error;
    }),
  ).rejects.toBe(error);
});

test("outside of a run everything that needs a loop says so and names run", () => {
  expect(() => getRunningLoop()).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: getRunningLoop() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  expect(() => createTask(async () => 1)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: createTask() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  expect(() => new EventLoop().createFuture().then()).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Awaiting future 1 needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a run inside a run is refused, and the outer one goes on", async () => {
  expect(
    await run(async () => {
      await expect(run(async () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
        `[UsageError: run() cannot be called inside a run: await the function itself, or createTask(fn).]`,
      );
      await sleep(1);
      await expect(runLoop(new EventLoop(), async () => 1)).rejects.toThrow("run() cannot be called inside a run");
      return "outer";
    }),
  ).toBe("outer");
});

test("runs that are started together run one after another, each on a clock of its own", async () => {
  const log: string[] = [];
  const main = (name: string) => async (): Promise<number> => {
    log.push(`${name} begins t=${getRunningLoop().time()}`);
    await sleep(10);
    log.push(`${name} ends`);
    return getRunningLoop().time();
  };
  const failing = run(async () => {
    log.push("failing");
    throw new Error("failing");
  });
  const runs = Promise.all([run(main("a")), run(main("b"), { quiescence: "macrotask" }), run(main("c"))]);
  await expect(failing).rejects.toThrow("failing");
  expect(await runs).toEqual([10, 10, 10]);
  expect(log).toEqual(["failing", "a begins t=0", "a ends", "b begins t=0", "b ends", "c begins t=0", "c ends"]);
});

test("the running loop is never left behind, whatever the end", async () => {
  const throwing: Strategy = {
    name: "throwing",
    begin: () => true,
    pick: () => {
      throw new Error("strategy");
    },
  };
  const ends: [string, () => Promise<unknown>][] = [
    [
      "result",
      () =>
        run(async () => {
          await sleep(1);
        }),
    ],
    [
      "error",
      () =>
        run(async () => {
          throw new Error("main");
        }),
    ],
    [
      "deadlock",
      () =>
        run(async () => {
          await getRunningLoop().createFuture();
        }),
    ],
    [
      "judged deadlock",
      () =>
        run(
          async () => {
            await new Promise(() => undefined);
          },
          { idleGraceMs: 5 },
        ),
    ],
    [
      "livelock",
      () =>
        run(
          async () => {
            for (;;) await sleep(0);
          },
          { maxSteps: 100 },
        ),
    ],
    [
      "strategy",
      () =>
        run(
          async () => {
            createTask(async () => 1);
            await sleep(0);
          },
          { strategy: throwing },
        ),
    ],
    ["bad main", () => run(5 as unknown as () => number)],
    [
      "exception handler",
      () =>
        run(
          async () => {
            getRunningLoop().setExceptionHandler(() => {
              throw new Error("handler");
            });
            getRunningLoop().createFuture().setException(new Error("lost"));
          },
          { onWarning: () => undefined },
        ),
    ],
    [
      "observer",
      () => {
        const loop = new EventLoop({
          observer: {
            running: () => {
              throw new Error("observer");
            },
          },
        });
        return runLoop(loop, async () => 1);
      },
    ],
  ];
  for (const [name, end] of ends) {
    for (const quiescence of ["as given", "in a row"]) {
      await end().catch(() => undefined);
      expect([name, quiescence, findRunningLoop()]).toEqual([name, quiescence, undefined]);
    }
  }
  expect(await run(async () => "works still")).toBe("works still");
});

test("the loop is not the running one while other code of the process has its turn", async () => {
  const seen: unknown[] = [];
  const timer = setInterval(() => seen.push(findRunningLoop()), 1);
  await run(async () => {
    const until = performance.now() + 60;
    while (performance.now() < until) await sleep(1);
  });
  clearInterval(timer);
  // A run gives way about every 10 ms.
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.every((loop) => loop === undefined)).toBe(true);
});

test("a future of an earlier run gives its result, and is refused while pending", async () => {
  const futures: Future[] = [];
  await run(async () => {
    futures.push(getRunningLoop().createFuture("done"), getRunningLoop().createFuture("pending"));
    futures[0]!.setResult(5);
  });
  await run(async () => {
    expect(await futures[0]).toBe(5);
    await expect(async () => await futures[1]).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: pending belongs to another event loop than the one that is running. Usually it was created in an earlier run: create futures and tasks inside the run that awaits them.]`,
    );
  });
});

test("a loop runs once", async () => {
  const loop = new EventLoop();
  expect(loop.isClosed()).toBe(false);
  await runLoop(loop, async () => {
    expect([loop.isRunning(), loop.isClosed()]).toEqual([true, false]);
  });
  expect([loop.isRunning(), loop.isClosed()]).toEqual([false, true]);
  await expect(runLoop(loop, async () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: a loop runs one main function, once: make a new EventLoop for the next run, or a Runner for several]`,
  );
});

test("a run of more steps than maxSteps is a livelock", async () => {
  const loop = new EventLoop({ maxSteps: 50 });
  await runLoop(loop, async () => {
    for (;;) await sleep(2);
  });
  expect(loop.completion?.kind).toBe("livelock");
  expect((loop.completion as { error: Error }).error).toMatchObject({ name: "LivelockError", code: "HEDDLE_LIVELOCK" });
  expect((loop.completion as { error: Error }).error.message).toMatchInlineSnapshot(
    `
    "livelock at t=100: the run took more than 50 steps, the last of them in a circle, in each turn of which run
      main  1 step  at src/loop/run.test.ts:210:14
    Usually a task that polls for what never comes; raise maxSteps if the program really is that long."
  `,
  );
});

test("a run of exactly maxSteps steps is none", async () => {
  const turns = async (): Promise<string> => {
    for (let turn = 0; turn < 49; turn++) await sleep(0);
    return "done";
  };
  expect(await run(turns, { maxSteps: 50 })).toBe("done");
  await expect(run(turns, { maxSteps: 49 })).rejects.toThrow("more than 49 steps");
});

test("warnings go to the console unless somebody takes them", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  try {
    await run(
      async () => {
        getRunningLoop().createFuture("cell").setException(new Error("lost"));
      },
      { slowStepMs: Number.POSITIVE_INFINITY },
    );
    expect(warn.mock.calls).toEqual([["heddle: Future exception was never retrieved (cell): Error: lost"]]);
    const taken: string[] = [];
    await expect(
      run(
        async () => {
          createTask(async () => {
            throw new Error("t");
          });
          await sleep(1);
          throw new Error("main");
        },
        {
          slowStepMs: Number.POSITIVE_INFINITY,
          onWarning: (line) => {
            taken.push(line);
          },
        },
      ),
    ).rejects.toThrow("main");
    expect(taken).toEqual(["Task exception was never retrieved (task Task-2): Error: t"]);
    expect(warn.mock.calls).toHaveLength(1);
  } finally {
    warn.mockRestore();
  }
});

test("run begins its strategy, tells it of the end, and refuses one that has no run left", async () => {
  const told: unknown[] = [];
  const strategy: Strategy = {
    name: "told",
    begin: (number) => {
      told.push(number);
      return told.length < 4;
    },
    pick: () => 0,
    end: (result) => told.push(result),
  };
  await run(
    async () => {
      await sleep(1);
    },
    { strategy },
  );
  await expect(
    run(
      async () => {
        throw new Error("main");
      },
      { strategy },
    ),
  ).rejects.toThrow("main");
  await expect(run(async () => 1, { strategy })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: run: strategy told has no run left to make; make a new one]`,
  );
  expect(told).toEqual([0, { run: 0, failed: false, steps: 2 }, 0, { run: 0, failed: true, steps: 1 }, 0]);
});

test("an observer follows every handle and every task", async () => {
  const seen: string[] = [];
  const loop = new EventLoop({
    observer: {
      queued: ({ name }) => seen.push(`queued ${name}`),
      running: ({ name }, ready) => seen.push(`running ${name} of ${ready}`),
      taskBegins: (task) => seen.push(`begins ${task.getName()}`),
      taskDone: (task) => seen.push(`done ${task.getName()}`),
    },
    strategy: { name: "first", begin: () => true, pick: () => 0 },
  });
  await runLoop(loop, async () => {
    const task = createTask(
      async () => {
        await sleep(1);
      },
      { name: "t" },
    );
    await task;
  });
  expect(seen).toEqual([
    "queued main",
    "running main of 1",
    "begins main",
    "queued t",
    "running t of 1",
    "begins t",
    "running sleep of 1",
    "queued t",
    "running t of 1",
    "queued main",
    "done t",
    "running main of 1",
    "done main",
  ]);
});

test("a loop of one's own runs one main, and tells its time, warnings and result", async () => {
  const loop = new EventLoop({ strategy: random(7) });
  const told: string[] = [];
  loop.setExceptionHandler((_loop, { message }) => told.push(message));
  const result = await runUntilComplete(loop, async () => {
    createTask(() => Promise.reject(new Error("nobody looks")));
    await sleep(30);
    return 5;
  });
  expect({ result, timeMs: loop.time(), told }).toEqual({ result: 5, timeMs: 30, told: ["Task exception was never retrieved"] });
  await expect(runUntilComplete(loop, () => 6)).rejects.toThrow("a loop runs one main function, once");
});
