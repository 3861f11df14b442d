import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { CancelledError, RuntimeError } from "../errors/errors.js";
import { coroutine } from "./coroutine.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { Future } from "./future.js";
import { run, runUntilComplete } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";
import type { Task } from "./task.js";

test("createTask starts nothing before its caller suspends, and the tasks begin in order of creation", async () => {
  const log: string[] = [];
  await run(async () => {
    createTask(async () => log.push("a"));
    createTask(() => log.push("b"));
    log.push("main");
    await null;
    log.push("still main, a microtask is no suspension");
    await sleep(0);
    log.push("main again");
  });
  expect(log).toEqual(["main", "still main, a microtask is no suspension", "a", "b", "main again"]);
});

test("the code before a task's first await runs without a gap", async () => {
  const log: string[] = [];
  await run(async () => {
    for (const name of ["a", "b"]) {
      createTask(async () => {
        log.push(`${name}1`);
        await null;
        await (async () => {
          await null;
        })();
        log.push(`${name}2`);
        await sleep(0);
        log.push(`${name}3`);
      });
    }
    await sleep(1);
  });
  expect(log).toEqual(["a1", "a2", "b1", "b2", "a3", "b3"]);
});

test("a task has the result of its function, or its exception, and is waited for by several", async () => {
  await run(async () => {
    const good = createTask(async () => {
      await sleep(1);
      return 7;
    });
    const bad = createTask(async () => {
      await sleep(1);
      throw new RangeError("bad");
    });
    const sync = createTask(() => 8);
    const throws = createTask((): number => {
      throw new RangeError("sync");
    });
    expect([good.done(), await good, await good, good.done(), good.result(), good.exception()]).toEqual([false, 7, 7, true, 7, undefined]);
    await expect(async () => await bad).rejects.toThrow(new RangeError("bad"));
    expect(bad.exception()).toEqual(new RangeError("bad"));
    expect(await sync).toBe(8);
    await expect(async () => await throws).rejects.toThrow(new RangeError("sync"));
  });
});

test("the result and the exception of a task cannot be set from outside", async () => {
  await run(async () => {
    const task = createTask(async () => 1);
    expect(() => {
      task.setResult(2);
    }).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: Task does not support setResult operation]`);
    expect(() => {
      task.setException(new Error("e"));
    }).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: Task does not support setException operation]`);
    expect(await task).toBe(1);
  });
});

test("names are given, set, or counted as in asyncio, where main is the first", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const tasks = [
      createTask(async () => {}),
      createTask(async () => {}, { name: "fetch" }),
      loop.createTask(() => {}),
      createTask(() => {}, {}),
    ];
    expect(tasks.map((task) => task.getName())).toEqual(["Task-2", "fetch", "Task-4", "Task-5"]);
    tasks[0]!.setName("renamed");
    expect(tasks[0]!.getName()).toBe("renamed");
    expect(loop.currentTask()?.getName()).toBe("main");
  });
});

test("a refused task body leaves no gap in the numbers", async () => {
  await run(async () => {
    expect(() => createTask(5 as unknown as () => void)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: createTask: needs a function or a coroutine, not 5]`,
    );
    expect(createTask(() => {}).getName()).toBe("Task-2");
  });
});

test("a promise is refused with what to do instead", async () => {
  await run(async () => {
    const started = (async () => 5)();
    expect(() => createTask(started as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: createTask: got a promise, which has started already, out of reach of the scheduler. Pass the function: createTask(() => work()).]`,
    );
    expect(getRunningLoop().allTasks()).toHaveLength(1);
    expect(await started).toBe(5);
  });
});

test("a run of a promise is refused with what to do instead", async () => {
  await expect(run(Promise.resolve(5) as unknown as () => number)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: run: got a promise, which has started already, out of reach of the scheduler. Pass the function: run(() => work()).]`,
  );
});

test("allTasks lists what is not done in order of creation, currentTask who is running", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const seen: (string | undefined)[] = [];
    const tasks = [3, 1, 2].map((delayMs) =>
      createTask(
        async () => {
          seen.push(loop.currentTask()?.getName());
          await sleep(delayMs);
          seen.push(loop.currentTask()?.getName());
        },
        { name: `t${delayMs}` },
      ),
    );
    const names = (): string[] => loop.allTasks().map((task) => task.getName());
    expect(names()).toEqual(["main", "t3", "t1", "t2"]);
    await tasks[1];
    expect(names()).toEqual(["main", "t3", "t2"]);
    await tasks[0];
    expect(names()).toEqual(["main"]);
    expect(seen).toEqual(["t3", "t1", "t2", "t1", "t2", "t3"]);
  });
});

test("allTasks stays right while thousands of tasks come and go", async () => {
  await run(async () => {
    const kept = createTask(
      async () => {
        await sleep(10_000);
      },
      { name: "kept" },
    );
    for (let round = 0; round < 3_000; round++) await createTask(async () => round);
    expect(
      getRunningLoop()
        .allTasks()
        .map((task) => task.getName()),
    ).toEqual(["main", "kept"]);
    await kept;
  });
});

test("done callbacks of a task get the task", async () => {
  await run(async () => {
    const task = createTask(async () => 3);
    const seen: unknown[] = [];
    task.addDoneCallback((done) => seen.push(done === task, done.result()));
    await task;
    await sleep(0);
    expect(seen).toEqual([true, 3]);
  });
});

test("a task may be a coroutine, and a function may answer any thenable", async () => {
  await run(async () => {
    const future = getRunningLoop().createFuture<number>();
    const tasks = [
      createTask(coroutine(async () => 1)),
      createTask(() => future),
      createTask(async () => await future),
      createTask(() => createTask(async () => 3)),
      createTask(() => coroutine(async () => 4)),
    ];
    await sleep(1);
    future.setResult(2);
    const results: number[] = [];
    for (const task of tasks) results.push(await task);
    expect(results).toEqual([1, 2, 2, 3, 4]);
  });
});

test("an async function that returns a pending future waits for it, and its cancellation reaches the future", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const futures = [loop.createFuture<number>(), loop.createFuture<number>()];
    const [good, doomed] = futures.map((future) => createTask(async () => future));
    await sleep(0);
    expect(good!.done()).toBe(false);
    futures[0]!.setResult(5);
    doomed!.cancel("enough");
    expect(await good).toBe(5);
    await expect(async () => await doomed).rejects.toThrow("enough");
    expect([futures[1]!.cancelled(), doomed!.cancelled()]).toEqual([true, true]);
  });
});

test("a thenable that calls back twice and then throws settles its task once", async () => {
  await run(async () => {
    const twice = {
      then(onFulfilled: (value: number) => void, onRejected: (error: unknown) => void): void {
        onFulfilled(1);
        onFulfilled(2);
        onRejected(new Error("late"));
        throw new Error("later");
      },
    } as unknown as PromiseLike<number>;
    expect(await createTask(() => twice)).toBe(1);
    expect(await createTask(async () => await twice)).toBe(1);
  });
});

test("any object with a then of its own can be awaited", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const lazy = {
      then(onFulfilled: (value: string) => void): void {
        log.push("asked");
        loop.callLater(5, () => {
          onFulfilled("value");
        });
      },
    } as unknown as PromiseLike<string>;
    log.push("made");
    log.push(await lazy, `${loop.time()}`);
    const task = createTask(async () => await lazy);
    log.push(await task);
  });
  expect(log).toEqual(["made", "asked", "value", "5", "asked", "value"]);
});

test("operations count the steps of a task from 1, and a program may set its own", async () => {
  await run(async () => {
    const task = createTask(async () => {
      await sleep(0);
      await sleep(0);
    });
    const seen = [task.operation];
    await sleep(0);
    seen.push(task.operation);
    await sleep(0);
    seen.push(task.operation);
    task.operation = "1.2";
    seen.push(task.operation);
    await task;
    expect(seen).toEqual(["1", "2", "3", "1.2"]);
  });
});

test("a task that awaits itself fails with an error that says so", async () => {
  await run(async () => {
    const task: Task = createTask(
      async () => {
        await sleep(0);
        await task;
      },
      { name: "narcissus" },
    );
    await sleep(1);
    expect(task.exception()).toBeInstanceOf(RuntimeError);
    expect(() => task.result()).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: task narcissus cannot await itself]`);
    const swallows: Task = createTask(async () => {
      try {
        return await swallows;
      } catch {
        return "goes on";
      }
    });
    expect(await swallows).toBe("goes on");
  });
});

test("a task is a future of the loop that it was made on, also when there are several loops", async () => {
  const tasks: Task<number>[] = [];
  const loops = [new EventLoop(), new EventLoop()];
  for (const loop of loops) {
    await runUntilComplete(loop, async () => {
      tasks.push(
        createTask(async () => 1),
        loop.createTask(() => 2),
      );
      await sleep(1);
    });
  }
  expect(tasks.map((task) => task.getLoop())).toEqual([loops[0], loops[0], loops[1], loops[1]]);
  expect(tasks.map((task) => task.result())).toEqual([1, 2, 1, 2]);
  expect(tasks.every((task) => task instanceof Future)).toBe(true);
});

test("a pending future of another loop fails the task that awaits it, with an error that names it", async () => {
  const foreign = new EventLoop().createFuture("foreign cell");
  await run(async () => {
    const task = createTask(async () => await foreign);
    await sleep(1);
    expect(() => task.result()).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: foreign cell belongs to another event loop than the one that is running. Usually it was created in an earlier run: create futures and tasks inside the run that awaits them.]`,
    );
  });
});

test("one coroutine after another is awaited in a task, and their results come in turn", async () => {
  await run(async () => {
    const double = (value: number): PromiseLike<number> =>
      coroutine(async () => {
        await sleep(1);
        return 2 * value;
      });
    const task = createTask(async () => [await double(1), await double(2), await coroutine(() => 5)]);
    expect([await task, getRunningLoop().time()]).toEqual([[2, 4, 5], 2]);
  });
});

test("a task gets the very object that was set as the result, one step later", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const cell = loop.createFuture<object>();
    const value = { list: [1] };
    const got: object[] = [];
    createTask(async () => {
      got.push(await cell);
    });
    await sleep(0);
    cell.setResult(value);
    expect(got).toEqual([]);
    const before = loop.steps;
    await sleep(0);
    expect([got.length, got[0] === value, loop.steps - before]).toEqual([1, true, 2]); // the task's step, and this one
  });
});

test("what is no body is refused each time, with what it is", async () => {
  await run(async () => {
    for (const bad of [5, "text", undefined]) {
      for (let attempt = 0; attempt < 2; attempt++) {
        expect(() => createTask(bad as unknown as () => void)).toThrow(`createTask: needs a function or a coroutine, not ${String(bad)}`);
      }
    }
    const body = async (): Promise<number> => 5;
    expect([await createTask(body), await createTask(body)]).toEqual([5, 5]);
  });
});

test("cancel() on a task that has failed counts as having seen its exception", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runUntilComplete(loop, async () => {
    const [seen] = ["seen", "unseen"].map((name) => createTask(async () => Promise.reject(new Error(name)), { name }));
    await sleep(1);
    expect([seen!.cancel(), seen!.cancelled()]).toEqual([false, false]);
  });
  expect(loop.warnings).toEqual(["Task exception was never retrieved (task unseen): Error: unseen"]);
});

test("whoever awaits a cancelled task can raise an error of its own, with the CancelledError as its cause", async () => {
  await run(async () => {
    const inner = createTask(() => sleep(1_000));
    const outer = createTask(async () => {
      try {
        await inner;
      } catch (cause) {
        throw new Error("gave up", { cause });
      }
    });
    await sleep(0);
    inner.cancel("why");
    await sleep(1);
    expect([outer.cancelled(), outer.exception()]).toEqual([false, new Error("gave up")]);
    expect((outer.exception() as Error).cause).toEqual(new CancelledError("why"));
  });
});

test("a task that returns a future gets what that holds, awaited, whether it was done before or not", async () => {
  const results = await run(async () => {
    const loop = getRunningLoop();
    const [before, after] = [loop.createFuture(), loop.createFuture()];
    before.setResult(Promise.resolve(5));
    const tasks = [createTask(() => before), createTask(() => after)];
    await sleep(0);
    after.setResult(Promise.resolve(6));
    return await gather(tasks);
  });
  expect(results).toEqual([5, 6]);
});
