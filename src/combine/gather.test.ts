import { describe, expect, test } from "vitest";
import { CancelledError, describeError } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { run, runLoop, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { gather } from "./gather.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** A function that takes `turns` turns, notes its end, and answers or throws its name. */
const after =
  (turns: number, name: string, log: string[] = [], fails = false) =>
  async (): Promise<string> => {
    for (let turn = 0; turn < turns; turn++) await sleep(0);
    log.push(name);
    if (fails) throw new Error(name);
    return name;
  };

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy() });

  test("results stand in the order of the arguments, whatever the order of completion", async () => {
    const sleeper = (delayMs: number) => async (): Promise<string> => {
      await sleep(delayMs);
      return `${delayMs} at ${getRunningLoop().time()}`;
    };
    expect(await running(async () => await gather(sleeper(30), sleeper(10), sleeper(20)))).toEqual(["30 at 30", "10 at 10", "20 at 20"]);
  });

  test("the first exception is raised, and the others go on", async () => {
    const log: string[] = [];
    await running(async () => {
      const fails = async (): Promise<never> => {
        await sleep(1);
        throw new RangeError("first");
      };
      const slow = async (): Promise<void> => {
        await sleep(5);
        log.push(`slow t=${getRunningLoop().time()}`);
      };
      await expect(async () => await gather(slow, fails, slow)).rejects.toThrow(new RangeError("first"));
      log.push(`caught t=${getRunningLoop().time()}`);
      await sleep(5);
    });
    expect(log).toEqual(["caught t=1", "slow t=5", "slow t=5"]);
  });

  test("with returnExceptions an exception stands in the place of its result, a cancellation too", async () => {
    const results = await running(async () => {
      const cancelled = createTask(async () => {
        await sleep(100);
      });
      createTask(async () => cancelled.cancel("enough"));
      return await gather([after(3, "a"), after(1, "b", [], true), cancelled, after(2, "c")], { returnExceptions: true });
    });
    expect(results).toEqual(["a", new Error("b"), expect.any(CancelledError), "c"]);
    expect((results as unknown[])[2]).toEqual(new CancelledError("enough"));
  });

  test("cancelling a gather cancels its children, and whoever awaits it gets CancelledError", async () => {
    await running(async () => {
      const log: string[] = [];
      const children = ["a", "b", "c"].map((name) =>
        createTask(async () => {
          try {
            await sleep(1_000);
          } catch (error) {
            log.push(`${name} ${describeError(error)}`);
            throw error;
          }
        }),
      );
      const all = gather(children);
      await sleep(1);
      expect([all.cancel("why"), all.done()]).toEqual([true, false]);
      await expect(async () => await all).rejects.toThrow(new CancelledError("why"));
      expect(children.map((child) => child.cancelled())).toEqual([true, true, true]);
      expect(log.sort()).toEqual(["a CancelledError: why", "b CancelledError: why", "c CancelledError: why"]);
      // As in asyncio the gather ends with the exception of a child, and is not itself cancelled.
      expect([all.done(), all.cancelled(), all.cancel()]).toEqual([true, false, false]);
      expect(getRunningLoop().time()).toBe(1);
    });
  });

  test("cancelling a task that awaits a gather cancels the children", async () => {
    await running(async () => {
      const child = createTask(async () => {
        await sleep(1_000);
      });
      const waiter = createTask(
        async () =>
          await gather(child, async () => {
            await sleep(1_000);
          }),
      );
      await sleep(1);
      waiter.cancel("down");
      await expect(async () => await waiter).rejects.toThrow(new CancelledError("down"));
      expect([child.cancelled(), waiter.cancelled()]).toEqual([true, true]);
    });
  });
});

test("under fifo the waiter goes on in CPython's order", async () => {
  const log: string[] = [];
  await run(async () => {
    try {
      await gather(after(3, "a", log), after(1, "b", log, true), after(2, "c", log));
    } catch (error) {
      log.push(`caught ${(error as Error).message}`);
    }
    await sleep(0);
    log.push("end");
  });
  expect(log).toEqual(["b", "c", "a", "caught b", "end"]);
});

test("a gather whose children swallow the cancellation raises it all the same", async () => {
  await run(async () => {
    const swallowing = async (): Promise<string> => {
      try {
        await sleep(1_000);
      } catch {
        return "swallowed";
      }
      return "slept";
    };
    const children = [createTask(swallowing), createTask(swallowing)];
    const all = gather(children, { returnExceptions: true });
    await sleep(0);
    all.cancel("why");
    await expect(async () => await all).rejects.toThrow(new CancelledError());
    expect(children.map((child) => child.result())).toEqual(["swallowed", "swallowed"]);
  });
});

test("a child that is cancelled by others raises its CancelledError, and the waiter itself is not cancelled", async () => {
  await run(async () => {
    const child = createTask(async () => {
      await sleep(1_000);
    });
    await expect(async () => await gather(child, async () => child.cancel("kid"))).rejects.toThrow(new CancelledError("kid"));
    expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
  });
});

test("a cancellation that is on its way through a gather keeps its message when another one follows", async () => {
  await run(async () => {
    const child = createTask(async () => {
      await sleep(1_000);
    });
    const waiter = createTask(async () => await gather(child));
    await sleep(0);
    child.cancel("first");
    await sleep(0); // the child ends
    await sleep(0); // the gather ends, and its waiter is ready
    expect(waiter.cancel("second")).toBe(true);
    // As in asyncio: a CancelledError in flight is delivered as it is.
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("first"));
  });
});

test("an awaitable named twice runs once, a function named twice is called twice", async () => {
  const log: string[] = [];
  const results = await run(async () => {
    const task = createTask(after(1, "task", log));
    const lazy = coroutine(after(1, "coroutine", log));
    const fn = after(0, "function", log);
    return await gather(task, lazy, fn, task, lazy, fn);
  });
  expect(results).toEqual(["task", "coroutine", "function", "task", "coroutine", "function"]);
  expect(log).toEqual(["function", "function", "task", "coroutine"]);
});

test("an empty gather is done at once, one of done children a step later", async () => {
  await run(async () => {
    const empty = gather();
    expect([empty.done(), await empty, await gather([])]).toEqual([true, [], []]);
    const done = getRunningLoop().createFuture<number>();
    done.setResult(1);
    const all = gather(done);
    expect(all.done()).toBe(false);
    await sleep(0);
    expect([all.done(), await all]).toEqual([true, [1]]);
    const failed = getRunningLoop().createFuture<number>();
    failed.setException(new Error("earlier"));
    await expect(async () => await gather(done, failed)).rejects.toThrow("earlier");
  });
});

test("cancelling a gather whose children are done does nothing, though its own end is still under way", async () => {
  await run(async () => {
    const done = getRunningLoop().createFuture<number>();
    done.setResult(1);
    const all = gather(done);
    expect([all.done(), all.cancel()]).toEqual([false, false]);
    expect(await all).toEqual([1]);
  });
});

test("futures, tasks, coroutines, functions, native promises and other thenables are gathered together", async () => {
  const thenable = {
    then(onFulfilled: (value: string) => void): void {
      onFulfilled("thenable");
    },
  } as unknown as PromiseLike<string>;
  const results = await run(async () => {
    const future = getRunningLoop().createFuture<string>();
    getRunningLoop().callLater(1, () => {
      future.setResult("future");
    });
    return await gather(
      future,
      createTask(() => "task"),
      coroutine(() => "coroutine"),
      () => "function",
      async () => "async function",
      Promise.resolve("promise"),
      (async () => {
        await sleep(2);
        return "started";
      })(),
      thenable,
      gather(() => "nested"),
    );
  });
  expect(results).toEqual(["future", "task", "coroutine", "function", "async function", "promise", "started", "thenable", ["nested"]]);
});

test("a native promise that rejects at once is the gather's, and no stray rejection", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    const failing = async (): Promise<never> => {
      throw new Error("at once");
    };
    await expect(async () => await gather(failing(), sleep(1))).rejects.toThrow("at once");
    expect(await gather([failing()], { returnExceptions: true })).toEqual([new Error("at once")]);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([]);
});

test("what a gather is not awaited for is not reported: only the first exception is raised, the others are looked at", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    await expect(async () => await gather(after(1, "a", [], true), after(2, "b", [], true))).rejects.toThrow("a");
    await sleep(10);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([]);
});

test("what cannot be awaited is refused with its place", async () => {
  await run(async () => {
    expect(() => gather(async () => 1, 5 as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: gather: argument 1 cannot be awaited: 5. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => gather([undefined as unknown as () => number])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: gather: argument 0 cannot be awaited: undefined. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
  });
});

test("gather needs a run", () => {
  expect(() => gather()).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: gather() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a future of an earlier run gives its result, and is refused while pending", async () => {
  const [done, pending] = await run(async (): Promise<[Future<number>, Future<number>]> => {
    const loop = getRunningLoop();
    const futures: [Future<number>, Future<number>] = [loop.createFuture<number>(), loop.createFuture<number>()];
    futures[0].setResult(5);
    return futures;
  });
  await run(async () => {
    expect(await gather(done, () => 6)).toEqual([5, 6]);
    await expect(async () => await gather(pending)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: future 2 belongs to another event loop than the one that is running. Usually it was created in an earlier run: create futures and tasks inside the run that awaits them.]`,
    );
  });
});

test("a child that is named twice is cancelled twice, as CPython does", async () => {
  await run(async () => {
    const child = createTask(() => sleep(1_000));
    await sleep(0);
    const all = gather(child, child);
    all.cancel("twice");
    expect(child.cancelling()).toBe(2);
    await expect(async () => await all).rejects.toThrow(new CancelledError("twice"));
  });
});

test("the same futures can be gathered twice, and each gather is a future of the running loop", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const cells = [loop.createFuture<number>(), loop.createFuture<number>()];
    const gathers = [gather(cells), gather(...cells)];
    loop.callSoon(() => {
      cells[1]!.setResult(2);
      cells[0]!.setResult(1);
    });
    expect([await gathers[0], await gathers[1], gathers.every((one) => one.getLoop() === loop)]).toEqual([[1, 2], [1, 2], true]);
  });
});

test("it is done when the last child is, and then its callback runs once", async () => {
  await run(async () => {
    for (const returnExceptions of [false, true]) {
      const cells = [1, 2, 3].map(() => getRunningLoop().createFuture<string>());
      const all: Future<unknown[]> = gather(cells, { returnExceptions });
      const seen: unknown[] = [];
      all.addDoneCallback((done) => seen.push(done.result()));
      for (const place of [1, 2, 0]) {
        expect(all.done()).toBe(false);
        cells[place]!.setResult(`result ${place}`);
        await sleep(1);
      }
      expect([all.done(), seen]).toEqual([true, [["result 0", "result 1", "result 2"]]]);
    }
  });
});

test("the very exception of the first child that fails completes it, and what the others do later calls nothing again", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    const cells = [1, 2, 3, 4].map(() => loop.createFuture<string>());
    const all = gather(cells);
    let calls = 0;
    all.addDoneCallback(() => calls++);
    const error = new RangeError("first");
    cells[1]!.setException(error);
    await sleep(1);
    expect([all.done(), all.exception() === error, calls]).toEqual([true, true, 1]);
    cells[0]!.setResult("late");
    cells[2]!.setException(new RangeError("late"));
    cells[3]!.cancel();
    await sleep(1);
    expect([all.exception() === error, calls]).toEqual([true, 1]);
  });
  expect(loop.warnings).toEqual([]);
});

test("functions and coroutines become tasks of the running loop at the call", async () => {
  await run(async () => {
    const all = gather(coroutine(after(0, "a")), after(0, "b"));
    expect(getRunningLoop().allTasks()).toHaveLength(3);
    expect(await all).toEqual(["a", "b"]);
  });
});

test("cancelling the waiter cancels every child and what each waits for, and the gather's own cancel() then answers false", async () => {
  await run(async () => {
    const cells = [getRunningLoop().createFuture(), getRunningLoop().createFuture()];
    const children = cells.map((cell) => createTask(async () => await cell));
    let all: Future<unknown[]> | undefined;
    const waiter = createTask(async () => {
      all = gather(children);
      await all;
    });
    await sleep(1);
    waiter.cancel();
    expect(cells.map((cell) => cell.cancelled())).toEqual([true, true]);
    await expect(async () => await waiter).rejects.toThrow(CancelledError);
    expect([children.map((child) => child.cancelled()), waiter.cancelled(), all?.cancel()]).toEqual([[true, true], true, false]);
  });
});

test("a cancelled gather with returnExceptions raises the cancellation, which is no result", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture();
    const waiter = createTask(async () => await gather([createTask(async () => await cell)], { returnExceptions: true }));
    await sleep(1);
    waiter.cancel("my message");
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("my message"));
    expect(waiter.cancelled()).toBe(true);
  });
});

test("where one argument is refused, those before it have begun, and nothing of them is reported but what they do themselves", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    expect(() => gather(coroutine(after(1, "a")), 5 as unknown as () => number)).toThrow("gather: argument 1 cannot be awaited: 5");
    await sleep(5);
  });
  expect(loop.warnings).toEqual([]);
});

test("a deadlock names what of it is pending", async () => {
  await expect(
    run(
      async () => {
        const cell = getRunningLoop().createFuture("cell");
        const a = createTask(async () => await cell, { name: "a" });
        await gather(a, () => 1, cell);
      },
      { sites: false, slowStepMs },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DeadlockError: deadlock at step 3, t=0: 2 tasks wait and nothing can wake them.
      main  waits for gather of 3, of which pending: task a, cell
      a     waits for cell
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.]
  `);
});

test("two lists are refused, and not only the first one gathered", async () => {
  await run(() => {
    const gatherAny = gather as (...lists: readonly unknown[]) => unknown;
    expect(() => gatherAny([sleep(1)], [sleep(2)])).toThrow("gather: takes one list and its options");
  });
});
