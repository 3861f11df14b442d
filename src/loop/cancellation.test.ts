/** Cancelling tasks: when it is delivered, where, and how often. */
import { expect, test } from "vitest";
import { CancelledError, describeError } from "../errors/errors.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";
import type { Task } from "./task.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** Awaits `task` and says how it ended. */
async function outcomeOf(task: PromiseLike<unknown>): Promise<string> {
  try {
    return `result ${String(await task)}`;
  } catch (error) {
    return describeError(error);
  }
}

test("a cancellation is delivered once, at the await, with its message, and finally runs", async () => {
  const log: string[] = [];
  await run(async () => {
    const task = createTask(async () => {
      try {
        await sleep(1_000);
      } catch (error) {
        log.push(describeError(error));
        throw error;
      } finally {
        log.push("finally");
        await sleep(1);
        log.push("finally goes on");
      }
    });
    await sleep(0);
    expect(task.cancel("enough")).toBe(true);
    expect([task.done(), task.cancelling()]).toEqual([false, 1]);
    log.push("main");
    log.push(await outcomeOf(task));
    expect([task.done(), task.cancelled(), getRunningLoop().time()]).toEqual([true, true, 1]);
    expect(() => task.result()).toThrow(new CancelledError("enough"));
    expect(() => task.exception()).toThrow(new CancelledError("enough"));
    expect(task.cancel()).toBe(false);
  });
  expect(log).toEqual(["main", "CancelledError: enough", "finally", "finally goes on", "CancelledError: enough"]);
});

test("a task that is cancelled before it begins runs nothing", async () => {
  const log: string[] = [];
  await run(async () => {
    const task = createTask(async () => log.push("began"));
    task.cancel("early");
    log.push(await outcomeOf(task));
    expect(task.cancelled()).toBe(true);
  });
  expect(log).toEqual(["CancelledError: early"]);
});

test("a task that was woken already gets the cancellation in the place of the result", async () => {
  const log: string[] = [];
  await run(async () => {
    const future = getRunningLoop().createFuture<number>();
    const task = createTask(async () => {
      try {
        log.push(`got ${await future}`);
      } catch (error) {
        log.push(describeError(error));
      }
      await sleep(0);
      return "goes on";
    });
    await sleep(0);
    future.setResult(5);
    task.cancel("late");
    log.push(await outcomeOf(task));
    expect(future.result()).toBe(5);
  });
  expect(log).toEqual(["CancelledError: late", "result goes on"]);
});

test("an exception in whose place a cancellation is raised counts as retrieved", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    const future = loop.createFuture();
    const task = createTask(async () => {
      await future;
    });
    await sleep(0);
    future.setException(new Error("lost"));
    task.cancel();
    expect(await outcomeOf(task)).toBe("CancelledError");
  });
  expect(loop.warnings).toEqual([]);
});

test("a task that waits for a cancelled future and is cancelled too gets one CancelledError", async () => {
  await run(async () => {
    const future = getRunningLoop().createFuture();
    const log: string[] = [];
    const task = createTask(async () => {
      for (let attempt = 0; attempt < 3; attempt++) {
        try {
          await (attempt === 0 ? future : sleep(1));
          log.push("slept");
        } catch (error) {
          log.push(describeError(error));
        }
      }
    });
    await sleep(0);
    future.cancel("the future");
    task.cancel("the task");
    await task;
    expect(log).toEqual(["CancelledError: the future", "slept", "slept"]);
  });
});

test("a task may swallow a cancellation and go on", async () => {
  await run(async () => {
    const task = createTask(async () => {
      try {
        await sleep(1_000);
      } catch {
        await sleep(1);
      }
      return 7;
    });
    await sleep(0);
    task.cancel();
    task.cancel();
    expect(await task).toBe(7);
    expect([task.cancelled(), task.cancelling(), task.uncancel(), task.uncancel(), task.uncancel()]).toEqual([false, 2, 1, 0, 0]);
  });
});

test("cancelling a task cancels what it waits for, down to the innermost", async () => {
  await run(async () => {
    const log: string[] = [];
    const inner = createTask(async () => {
      try {
        await sleep(1_000);
      } finally {
        log.push("inner");
      }
    });
    const outer = createTask(async () => {
      try {
        await inner;
      } finally {
        log.push("outer");
      }
    });
    await sleep(0);
    outer.cancel("down");
    expect(inner.cancelling()).toBe(1);
    expect(await outcomeOf(outer)).toBe("CancelledError: down");
    expect([inner.cancelled(), outer.cancelled(), getRunningLoop().time()]).toEqual([true, true, 0]);
    expect(log).toEqual(["inner", "outer"]);
  });
});

test("a task that cancels itself goes on to its next await that suspends", async () => {
  await run(async () => {
    const log: string[] = [];
    const task = createTask(async () => {
      const loop = getRunningLoop();
      expect(loop.currentTask()?.cancel("me")).toBe(true);
      const done = loop.createFuture<number>();
      done.setResult(3);
      log.push(`done ${await done}`);
      await null;
      log.push("a microtask is no suspension");
      try {
        await sleep(10);
      } catch (error) {
        log.push(describeError(error));
      }
      await sleep(0);
      return loop.time();
    });
    expect(await task).toBe(0);
    expect(log).toEqual(["done 3", "a microtask is no suspension", "CancelledError: me"]);
  });
});

test("a task that cancels itself and then ends is cancelled, or fails where it throws", async () => {
  await run(async () => {
    const returns: Task = createTask(async () => {
      returns.cancel("me");
    });
    const throws: Task = createTask(async () => {
      throws.cancel("me");
      throw new Error("own");
    });
    expect(await outcomeOf(returns)).toBe("CancelledError: me");
    expect(await outcomeOf(throws)).toBe("Error: own");
    expect([returns.cancelled(), throws.cancelled()]).toEqual([true, false]);
  });
});

test("a task that throws CancelledError itself is cancelled", async () => {
  await run(async () => {
    const task = createTask(async () => {
      throw new CancelledError("own");
    });
    expect(await outcomeOf(task)).toBe("CancelledError: own");
    expect(task.cancelled()).toBe(true);
  });
});

test("a cancelled main rejects the run", async () => {
  await expect(
    run(async () => {
      const main = getRunningLoop().currentTask()!;
      createTask(async () => main.cancel("stop main"));
      await sleep(1_000);
    }),
  ).rejects.toThrow(new CancelledError("stop main"));
});

test.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)(
  "a task that awaits several futures through Promise.all is cancelled in each of them and gets CancelledError once, under %s",
  async (_name, strategy) => {
    await run(
      async () => {
        const loop = getRunningLoop();
        const futures = [1, 2, 3].map(() => loop.createFuture());
        const log: string[] = [];
        const task = createTask(async () => {
          try {
            await Promise.all(futures);
          } catch (error) {
            log.push(describeError(error));
          }
          await sleep(1);
          log.push("on");
          return "end";
        });
        await sleep(1);
        task.cancel("all of them");
        expect(futures.map((future) => future.cancelled())).toEqual([true, true, true]);
        expect(await task).toBe("end");
        expect(log).toEqual(["CancelledError: all of them", "on"]);
      },
      { strategy: strategy() },
    );
  },
);

test("a task in Promise.all of which one future is done is cancelled in the others", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const futures = [1, 2, 3].map(() => loop.createFuture<number>());
    const task = createTask(async () => await Promise.all(futures));
    await sleep(0);
    futures[1]!.setResult(5);
    task.cancel();
    expect(await outcomeOf(task)).toBe("CancelledError");
    expect(futures.map((future) => future.cancelled())).toEqual([true, false, true]);
  });
});

test("a task in Promise.all of which every future is done gets the cancellation too", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const futures = [1, 2].map(() => loop.createFuture<number>());
    const task = createTask(async () => await Promise.all(futures));
    await sleep(0);
    for (const future of futures) future.setResult(5);
    task.cancel("late");
    expect(await outcomeOf(task)).toBe("CancelledError: late");
  });
});

test("a cancellation reaches a task that stands in sleep(0)", async () => {
  await run(async () => {
    const task = createTask(async () => {
      for (;;) await sleep(0);
    });
    await sleep(0);
    await sleep(0);
    task.cancel("spinning");
    expect(await outcomeOf(task)).toBe("CancelledError: spinning");
  });
});

test("a cancellation cannot enter a native promise: it is delivered at the next await of the loop's", async () => {
  await run(async () => {
    const log: string[] = [];
    let open = (_value: string): void => undefined;
    const gate = new Promise<string>((resolve) => {
      open = resolve;
    });
    const task = createTask(async () => {
      log.push(await gate);
      try {
        await sleep(1_000);
      } catch (error) {
        log.push(describeError(error));
      }
      await sleep(1);
      return "end";
    });
    await sleep(1);
    task.cancel("in there");
    await sleep(1);
    expect([log, task.done(), task.cancelling()]).toEqual([[], false, 1]);
    open("opened");
    expect(await task).toBe("end");
    expect(log).toEqual(["opened", "CancelledError: in there"]);
    expect(getRunningLoop().time()).toBe(3);
  });
});

test("a task that is cancelled at a native promise and has no further await ends cancelled", async () => {
  await run(async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const task = createTask(async () => {
      await gate;
      return 5;
    });
    await sleep(1);
    task.cancel("in there");
    open();
    expect(await outcomeOf(task)).toBe("CancelledError: in there");
  });
});
