import { describe, expect, test } from "vitest";
import { CancelledError } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { type DoneAndPending, type ReturnWhen, wait } from "./wait.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** A task that takes `delayMs` and answers its name, or throws it. */
function napper(name: string, delayMs: number, fails = false): Task<string> {
  return createTask(
    async () => {
      await sleep(delayMs);
      if (fails) throw new Error(name);
      return name;
    },
    { name },
  );
}

/** `done a b, pending c, t=5` */
function describeAnswer({ done, pending }: DoneAndPending<Future>): string {
  const names = (futures: ReadonlySet<Future>): string =>
    [...futures]
      .map((future) => future.describe().replace(/^task /, ""))
      .sort()
      .join(" ");
  return `done ${names(done)}, pending ${names(pending)}, t=${getRunningLoop().time()}`;
}

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("by default it answers when all are done, and a second wait for the same takes no time", async () => {
    await running(async () => {
      const tasks = [napper("slow", 20), napper("fast", 10)];
      const first = await wait(tasks);
      expect([...first.done]).toEqual(tasks);
      expect([first.pending.size, getRunningLoop().time()]).toEqual([0, 20]);
      expect(describeAnswer(await wait(tasks))).toBe("done fast slow, pending , t=20");
      expect(tasks.map((task) => task.result())).toEqual(["slow", "fast"]);
    });
  });

  test("FIRST_COMPLETED answers as soon as one is done, and the others go on", async () => {
    await running(async () => {
      const tasks = [napper("slow", 20), napper("fast", 10)];
      expect(describeAnswer(await wait(tasks, { returnWhen: "FIRST_COMPLETED" }))).toBe("done fast, pending slow, t=10");
      expect(await tasks[0]).toBe("slow");
      expect(getRunningLoop().time()).toBe(20);
    });
  });

  test("FIRST_EXCEPTION answers as soon as one has failed, which a cancelled one has not", async () => {
    await running(async () => {
      const tasks = [napper("slow", 20), napper("failing", 10, true), napper("cancelled", 30)];
      getRunningLoop().callLater(5, () => tasks[2]!.cancel());
      const answer = await wait(tasks, { returnWhen: "FIRST_EXCEPTION" });
      expect(describeAnswer(answer)).toBe("done cancelled failing, pending slow, t=10");
    });
  });

  test("FIRST_EXCEPTION waits for all where none fails", async () => {
    await running(async () => {
      const answer = await wait([napper("a", 20), napper("b", 10)], { returnWhen: "FIRST_EXCEPTION" });
      expect(describeAnswer(answer)).toBe("done a b, pending , t=20");
    });
  });

  test("FIRST_EXCEPTION counts whatever is thrown, undefined too", async () => {
    await running(async () => {
      const failing = createTask(
        async () => {
          throw undefined;
        },
        { name: "failing" },
      );
      const answer = await wait([napper("slow", 20), failing], { returnWhen: "FIRST_EXCEPTION" });
      expect(describeAnswer(answer)).toBe("done failing, pending slow, t=0");
    });
  });

  test("FIRST_EXCEPTION lets no time pass when one fails at once", async () => {
    await running(async () => {
      const failing = createTask(
        async () => {
          throw new Error("at once");
        },
        { name: "failing" },
      );
      const answer = await wait([napper("slow", 1_000), failing], { returnWhen: "FIRST_EXCEPTION" });
      expect(describeAnswer(answer)).toBe("done failing, pending slow, t=0");
    });
  });

  test("what fails is waited for like everything else, and raises nothing", async () => {
    await running(async () => {
      const tasks = [napper("slow", 20), napper("failing", 10, true)];
      expect(describeAnswer(await wait(tasks))).toBe("done failing slow, pending , t=20");
      expect(tasks[1]!.exception()).toEqual(new Error("failing"));
    });
  });

  test("a time-out answers what there is, and cancels nothing", async () => {
    await running(async () => {
      const tasks = [napper("fast", 10), napper("slow", 20)];
      expect(describeAnswer(await wait(tasks, { timeoutMs: 15 }))).toBe("done fast, pending slow, t=15");
      expect(tasks[1]!.cancelling()).toBe(0);
      expect(await tasks[1]).toBe("slow");
    });
  });

  test("a time limit that is not used does not hold the clock", async () => {
    await running(async () => {
      for (const returnWhen of ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"] as const) {
        await wait([napper("a", 10)], { returnWhen, timeoutMs: 5_000 });
      }
      const waiter = createTask(async () => await wait([napper("slow", 40)], { timeoutMs: 5_000 }));
      await sleep(1);
      waiter.cancel();
      await sleep(50);
    });
    const loop = new EventLoop({ strategy: strategy(), slowStepMs });
    await runUntilComplete(loop, async () => {
      await wait([napper("a", 10)], { timeoutMs: 5_000 });
    });
    expect(loop.time()).toBe(10);
  });

  test("cancelling a task that waits raises CancelledError there and leaves alone what it waited for", async () => {
    await running(async () => {
      const task = napper("task", 20);
      const waiter = createTask(async () => await wait([task]));
      await sleep(1);
      waiter.cancel("enough");
      await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
      expect([waiter.cancelled(), task.done(), task.cancelling()]).toEqual([true, false, 0]);
      expect(await task).toBe("task");
    });
  });

  test("what is named twice counts once, and a function that is named twice is called twice", async () => {
    await running(async () => {
      const task = napper("a", 10);
      const lazy = coroutine(async () => 1);
      const log: string[] = [];
      const fn = (): unknown => log.push("called");
      const { done } = await wait([task, lazy, fn, task, lazy, fn]);
      expect([done.size, done.has(task)]).toEqual([4, true]);
      expect(log).toEqual(["called", "called"]);
    });
  });
});

test("done holds everything that is done at the answer, also what came between the wake-up and it", async () => {
  await run(async () => {
    const [first, second] = [getRunningLoop().createFuture("first"), getRunningLoop().createFuture("second")];
    getRunningLoop().callSoon(() => {
      first.setResult(1);
      getRunningLoop().callSoon(() => {
        second.setResult(2);
      });
    });
    expect(describeAnswer(await wait([first, second], { returnWhen: "FIRST_COMPLETED" }))).toBe("done first second, pending , t=0");
  });
});

test("under fifo what is due at the very time of the time-out is done, as in CPython", async () => {
  await run(async () => {
    const tasks = [napper("due", 10), napper("late", 11)];
    await sleep(0);
    expect(describeAnswer(await wait(tasks, { timeoutMs: 10 }))).toBe("done due, pending late, t=10");
  });
});

test("a time-out of 0 lets what is ready end", async () => {
  await run(async () => {
    const ready = createTask(async () => 1, { name: "ready" });
    expect(describeAnswer(await wait([ready, napper("slow", 5)], { timeoutMs: 0 }))).toBe("done ready, pending slow, t=0");
  });
});

test("functions and coroutines are started in tasks of their own, and any iterable will do, one that is read once too", async () => {
  await run(async () => {
    const items = [
      async (): Promise<string> => {
        await sleep(2);
        return "function";
      },
      coroutine(() => "coroutine"),
      getRunningLoop().createFuture<string>("future"),
      Promise.resolve("promise"),
    ] as const;
    items[2].setResult("future");
    const { done } = await wait(items.values());
    expect([...done].map((future) => future.result())).toEqual(["function", "coroutine", "future", "promise"]);
    expect(done.has(items[2])).toBe(true);
    expect((await wait(new Set(done))).done.size).toBe(4);
  });
});

test("both answers keep the order of the argument", async () => {
  await run(async () => {
    const tasks = ["a", "b", "c", "d", "e"].map((name, place) => napper(name, [5, 50, 3, 40, 1][place]!));
    const { done, pending } = await wait(tasks, { timeoutMs: 10 });
    expect([...done, ...pending].map((task) => task.getName())).toEqual(["a", "c", "e", "b", "d"]);
  });
});

test("an exception that FIRST_EXCEPTION answered counts as retrieved; with the others somebody must look", async () => {
  const warnings = async (returnWhen: ReturnWhen): Promise<readonly string[]> => {
    const loop = new EventLoop({ slowStepMs });
    await runUntilComplete(loop, async () => {
      await wait([napper("failing", 1, true), napper("slow", 2)], { returnWhen });
    });
    return loop.warnings;
  };
  expect(await warnings("FIRST_EXCEPTION")).toEqual([]);
  expect(await warnings("FIRST_COMPLETED")).toEqual(["Task exception was never retrieved (task failing): Error: failing"]);
  expect(await warnings("ALL_COMPLETED")).toEqual(["Task exception was never retrieved (task failing): Error: failing"]);
});

test("a wait that is never awaited is reported as what it is", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    void wait([napper("a", 0)]);
    await sleep(1);
  });
  expect(loop.warnings).toEqual(["coroutine wait was never awaited"]);
});

test("under fifo whoever waits goes on in CPython's order", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const cell = loop.createFuture();
    createTask(async () => {
      await wait([cell]);
      log.push("wait");
    });
    createTask(async () => {
      await cell;
      log.push("await");
    });
    await sleep(0);
    cell.setResult(undefined);
    loop.callSoon(() => log.push("soon"));
    await sleep(0);
    log.push("main");
    await sleep(0);
    log.push("main again");
  });
  expect(log).toEqual(["await", "soon", "main", "wait", "main again"]);
});

test("bad arguments are refused with what is needed", async () => {
  await run(async () => {
    const task = napper("a", 0);
    expect(() => wait([])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: the list of tasks and futures is empty, so the wait would have no end]`,
    );
    expect(() => wait(task as unknown as Task[])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: needs a list of tasks and futures, not [Task]]`,
    );
    const lazy = coroutine(() => 1);
    expect(() => wait(lazy as unknown as Task[])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: needs a list of tasks and futures, not [Coroutine]]`,
    );
    await lazy;
    expect(() => wait("ab" as unknown as Task[])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: needs a list of tasks and futures, not "ab"]`,
    );
    expect(() => wait([task, 5 as unknown as Task])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: argument 1 cannot be awaited: 5. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => wait([task], { returnWhen: "SOME" as ReturnWhen })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: returnWhen must be one of FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED, not "SOME"]`,
    );
    expect(() => wait([task], { timeoutMs: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: timeoutMs must be a whole number of milliseconds, 0 or more, not 0.5]`,
    );
    expect(() => wait([task], { timeoutMs: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: wait: timeoutMs must be a whole number of milliseconds, 0 or more, not -1]`,
    );
  });
});

test("wait needs a run", () => {
  expect(() => wait([async () => 1])).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: wait() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a deadlock names what of it is pending", async () => {
  await expect(
    run(
      async () => {
        const cell = getRunningLoop().createFuture("cell");
        const a = createTask(async () => await cell, { name: "a" });
        await wait([a, createTask(async () => 1, { name: "b" }), cell], { timeoutMs: undefined });
      },
      { sites: false },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DeadlockError: deadlock at step 3, t=0: 2 tasks wait and nothing can wake them.
      main  waits for wait of 3, of which pending: task a, cell
      a     waits for cell
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.]
  `);
});
