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

test.each([undefined, "a text", ""])(
  "result() and exception() of a cancelled task raise CancelledError with the message %j",
  async (message) => {
    await run(async () => {
      const tasks = [createTask(() => sleep(1_000)), createTask(() => sleep(1_000))];
      await sleep(1);
      const unstarted = createTask(() => 1);
      for (const task of [...tasks, unstarted]) expect(task.cancel(message)).toBe(true);
      await sleep(1);
      for (const ask of [() => tasks[0]!.result(), () => tasks[1]!.exception(), () => unstarted.result()]) {
        expect(ask).toThrow(new CancelledError(message));
      }
    });
  },
);

test("cancelling() counts the requests, each of which answers true until the task is done", async () => {
  await run(async () => {
    const task = createTask(() => sleep(1_000));
    await sleep(1);
    expect([task.cancelling(), task.cancel(), task.cancelling(), task.cancel(), task.cancelling()]).toEqual([0, true, 1, true, 2]);
    expect(await outcomeOf(task)).toBe("CancelledError");
    expect([task.cancel(), task.cancelling(), getRunningLoop().time()]).toEqual([false, 2, 1]);
  });
});

test("once every request is taken back the task goes on, a later one counts anew, and after the end uncancel changes nothing", async () => {
  await run(async () => {
    const left: (number | undefined)[] = [];
    const task = createTask(async () => {
      for (let turn = 0; turn < 2; turn++) {
        try {
          await sleep(10);
        } catch {
          left.push(getRunningLoop().currentTask()?.uncancel());
          await sleep(10); // not cancelled again
        }
      }
      return "end";
    });
    await sleep(1);
    task.cancel();
    await sleep(1);
    expect([task.cancelling(), left]).toEqual([0, [0]]);
    await sleep(15);
    task.cancel();
    expect(task.cancelling()).toBe(1);
    expect([await task, getRunningLoop().time(), left]).toEqual(["end", 27, [0, 0]]);
    expect([task.cancelled(), task.uncancel(), task.cancelling(), task.result()]).toEqual([false, 0, 0, "end"]);
  });
});

test("a time limit can be made by hand: the block takes back the request that its timer made, and no other", async () => {
  await run(async () => {
    /** Runs `body`, and answers whether it took longer than `limitMs`. */
    const limited = async (limitMs: number, body: () => PromiseLike<unknown>): Promise<boolean> => {
      const me = getRunningLoop().currentTask()!;
      let isOver = false;
      const timer = getRunningLoop().callLater(limitMs, () => {
        isOver = true;
        me.cancel();
      });
      try {
        await body();
      } catch (error) {
        if (!isOver || !(error instanceof CancelledError) || me.uncancel() > 0) throw error;
      } finally {
        timer.cancel();
      }
      return isOver;
    };
    const me = getRunningLoop().currentTask()!;
    expect([await limited(10, () => sleep(20)), me.cancelling(), getRunningLoop().time()]).toEqual([true, 0, 10]);
    expect([await limited(20, () => sleep(10)), me.cancelling(), getRunningLoop().time()]).toEqual([false, 0, 20]);
    await sleep(50);
    const other = createTask(async () => await limited(10, () => sleep(20)));
    await sleep(5);
    other.cancel("somebody else");
    expect(await outcomeOf(other)).toBe("CancelledError: somebody else");
  });
});

test("cancelling the future that a task awaits cancels the task, which was asked for nothing", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture();
    const task = createTask(async () => {
      await cell;
    });
    await sleep(0);
    cell.cancel("inner");
    expect(await outcomeOf(task)).toBe("CancelledError: inner");
    expect([task.cancelled(), task.cancelling()]).toEqual([true, 0]);
  });
});

test("cancelling a task cancels the future that it awaits at once, and then it waits for nothing", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture();
    const task = createTask(async () => {
      await cell;
    });
    await sleep(0);
    expect(task.waits()).toHaveLength(1);
    task.cancel();
    expect([cell.cancelled(), task.done()]).toEqual([true, false]);
    await sleep(0);
    expect([task.waits().length, task.cancelled()]).toEqual([0, true]);
  });
});

test("both the future and its task can be cancelled, and both end so", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture();
    const task = createTask(async () => {
      await cell;
    });
    await sleep(0);
    expect([cell.cancel(), task.cancel()]).toEqual([true, true]);
    await sleep(1);
    expect([cell.cancelled(), task.cancelled()]).toEqual([true, true]);
  });
});

test("a task that catches a cancellation and returns is finished and not cancelled", async () => {
  await run(async () => {
    const [first, second] = [getRunningLoop().createFuture(), getRunningLoop().createFuture<number>()];
    const catching = createTask(async () => {
      try {
        await first;
      } catch {
        return "caught";
      }
      return "not reached";
    });
    const ignoring = createTask(async () => {
      await outcomeOf(sleep(1_000));
      return await second;
    });
    await sleep(0);
    catching.cancel();
    ignoring.cancel();
    expect([first.cancelled(), await outcomeOf(catching), catching.cancelled()]).toEqual([true, "result caught", false]);
    await sleep(1);
    expect(second.cancelled()).toBe(false);
    second.setResult(5);
    expect([await ignoring, ignoring.cancelled()]).toEqual([5, false]);
  });
});

test("a task that cancels itself and then awaits another passes the cancellation on to that one and to what it awaits", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture();
    const inner = createTask(async () => {
      await cell;
    });
    await sleep(0);
    const outer = createTask(async () => {
      getRunningLoop().currentTask()?.cancel("self");
      await inner;
    });
    expect(await outcomeOf(outer)).toBe("CancelledError: self");
    expect([inner.cancelled(), cell.cancelled(), getRunningLoop().time()]).toEqual([true, true, 0]);
  });
});

test("a cancellation goes through nested calls to the innermost future; each level may pass it on or swallow it", async () => {
  await run(async () => {
    const log: string[] = [];
    const cell = getRunningLoop().createFuture();
    const inner = async (): Promise<void> => {
      try {
        await cell;
      } catch (error) {
        log.push("inner passes it on");
        throw error;
      }
    };
    const task = createTask(async () => {
      try {
        await inner();
      } catch {
        log.push("outer swallows it");
      }
      return "end";
    });
    await sleep(0);
    task.cancel();
    expect([await task, cell.cancelled(), log]).toEqual(["end", true, ["inner passes it on", "outer swallows it"]]);
  });
});

test("a timer cancels a long sleep at its own time, and whoever awaits the sleeper gets CancelledError then", async () => {
  await run(async () => {
    const sleeper = createTask(() => sleep(10_000));
    getRunningLoop().callLater(10, () => sleeper.cancel("timer"));
    expect(await outcomeOf(sleeper)).toBe("CancelledError: timer");
    expect(getRunningLoop().time()).toBe(10);
  });
});

test("a cancellation at a native promise that is taken back before it arrives is not delivered, and one that is not, is", async () => {
  await run(async () => {
    const open: (() => void)[] = [];
    const gate = (): Promise<void> =>
      new Promise((resolve) => {
        open.push(resolve);
      });
    const task = createTask(async () => {
      await gate();
      await sleep(1);
      await gate();
      await sleep(1);
    });
    await sleep(0);
    task.cancel("taken back");
    task.uncancel();
    open[0]!();
    await sleep(5);
    expect([open.length, task.done()]).toEqual([2, false]);
    task.cancel("kept");
    open[1]!();
    expect(await outcomeOf(task)).toBe("CancelledError: kept");
  });
});

test("a task that cancels itself and takes it back is cancelled all the same, as in CPython 3.11", async () => {
  await run(async () => {
    const task = createTask(async () => {
      const me = getRunningLoop().currentTask()!;
      me.cancel("self");
      expect(me.uncancel()).toBe(0);
      await sleep(1);
    });
    expect(await outcomeOf(task)).toBe("CancelledError: self");
  });
});
