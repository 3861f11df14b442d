import { describe, expect, test } from "vitest";
import { CancelledError, describeError, TimeoutError } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { asCompleted } from "./as-completed.js";
import { gather } from "./gather.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** A function that takes `delayMs` and answers its name, or throws it. */
const napper =
  (name: string, delayMs: number, fails = false) =>
  async (): Promise<string> => {
    await sleep(delayMs);
    if (fails) throw new Error(name);
    return name;
  };

/** The result of `next`, or its error, with the time. */
async function noteOf(next: PromiseLike<string>): Promise<string> {
  try {
    return `${await next} t=${getRunningLoop().time()}`;
  } catch (error) {
    return `${describeError(error)} t=${getRunningLoop().time()}`;
  }
}

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("results come in the order of completion, not of the arguments", async () => {
    const log: string[] = [];
    await running(async () => {
      for (const next of asCompleted([napper("c", 30), napper("a", 10), napper("b", 20)])) log.push(await noteOf(next));
    });
    expect(log).toEqual(["a t=10", "b t=20", "c t=30"]);
  });

  test("for await gives the same results", async () => {
    const log: string[] = [];
    await running(async () => {
      for await (const name of asCompleted([napper("c", 30), napper("a", 10), napper("b", 20)])) {
        log.push(`${name} t=${getRunningLoop().time()}`);
      }
    });
    expect(log).toEqual(["a t=10", "b t=20", "c t=30"]);
  });

  test("what is not done at the time-out raises TimeoutError for each, what was done before gives its result", async () => {
    const log: string[] = [];
    await running(async () => {
      const slow = createTask(napper("slow", 30));
      for (const next of asCompleted([napper("fast", 10), slow, napper("slower", 40)], { timeoutMs: 20 })) log.push(await noteOf(next));
      expect([slow.done(), slow.cancelling(), await slow]).toEqual([false, 0, "slow"]);
    });
    expect(log).toEqual(["fast t=10", "TimeoutError t=20", "TimeoutError t=20"]);
  });

  test("for await ends with the TimeoutError", async () => {
    const log: string[] = [];
    await running(async () => {
      await expect(async () => {
        for await (const name of asCompleted([napper("fast", 10), napper("slow", 30)], { timeoutMs: 20 })) log.push(name);
      }).rejects.toThrow(TimeoutError);
      expect(getRunningLoop().time()).toBe(20);
    });
    expect(log).toEqual(["fast"]);
  });

  test("a time limit that is not reached changes nothing and does not hold the clock", async () => {
    const loop = new EventLoop({ strategy: strategy(), slowStepMs });
    await runUntilComplete(loop, async () => {
      const log: string[] = [];
      for await (const name of asCompleted([napper("a", 10), napper("b", 20)], { timeoutMs: 5_000 })) log.push(name);
      expect(log).toEqual(["a", "b"]);
    });
    expect(loop.time()).toBe(20);
  });

  test("whoever awaits first gets the first result, whichever of the coroutines it holds", async () => {
    await running(async () => {
      const [first, second] = [...asCompleted([napper("late", 20), napper("early", 10)])];
      expect([await noteOf(second!), await noteOf(first!)]).toEqual(["early t=10", "late t=20"]);
    });
  });

  test("awaited all at once they give each result exactly once", async () => {
    await running(async () => {
      const results = await gather([...asCompleted([napper("c", 30), napper("a", 10), napper("b", 20), napper("d", 20)])]);
      expect(results.sort()).toEqual(["a", "b", "c", "d"]);
      expect(getRunningLoop().time()).toBe(30);
    });
  });

  test("for await over tasks of which one fails raises its exception in its turn and asks for no more", async () => {
    await running(async () => {
      const log: string[] = [];
      const late = createTask(napper("late", 30));
      await expect(async () => {
        for await (const name of asCompleted([napper("a", 10), napper("failing", 20, true), late])) log.push(name);
      }).rejects.toThrow(new Error("failing"));
      expect([log, getRunningLoop().time(), late.done()]).toEqual([["a"], 20, false]);
      expect(await late).toBe("late");
    });
  });

  test("with the coroutines one can go on after an exception", async () => {
    const log: string[] = [];
    await running(async () => {
      for (const next of asCompleted([napper("a", 10), napper("failing", 20, true), napper("b", 30)])) log.push(await noteOf(next));
    });
    expect(log).toEqual(["a t=10", "Error: failing t=20", "b t=30"]);
  });

  test("for await that is left early leaves the others running, and its time limit with it", async () => {
    const loop = new EventLoop({ strategy: strategy(), slowStepMs });
    const log: string[] = [];
    await runUntilComplete(loop, async () => {
      const tasks = [createTask(napper("slow", 30)), createTask(napper("fast", 10))];
      for await (const name of asCompleted(tasks, { timeoutMs: 5_000 })) {
        log.push(name);
        break;
      }
      expect(tasks.map((task) => task.done())).toEqual([false, true]);
      log.push(await tasks[0]!);
    });
    expect(log).toEqual(["fast", "slow"]);
    expect([loop.time(), loop.warnings]).toEqual([30, []]);
  });

  test("a task that is cancelled while it waits for the next takes no result with it", async () => {
    await running(async () => {
      const cells = [getRunningLoop().createFuture<string>(), getRunningLoop().createFuture<string>()];
      const [first, second] = [...asCompleted(cells)];
      const doomed = createTask(async () => await first);
      const waiting = createTask(async () => await second);
      await sleep(1);
      doomed.cancel("gone");
      cells[1]!.setResult("kept");
      await expect(async () => await doomed).rejects.toThrow(new CancelledError("gone"));
      expect(await waiting).toBe("kept");
    });
  });
});

test("a task that was woken for a result and is cancelled before it goes on hands it to the next, as CPython's queue does", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture<string>();
    const [first, second] = [...asCompleted([cell, getRunningLoop().createFuture<string>()])];
    const doomed = createTask(async () => await first);
    const waiting = createTask(async () => await second);
    await sleep(0);
    cell.setResult("kept");
    // Its callback runs behind the end of the cell, and before the one that it wakes.
    getRunningLoop().callSoon(() => doomed.cancel("gone"));
    await expect(async () => await doomed).rejects.toThrow(new CancelledError("gone"));
    expect(await waiting).toBe("kept");
  });
});

test("what is done already comes first, in the order of the arguments", async () => {
  await run(async () => {
    const cells = ["a", "b", "c"].map(() => getRunningLoop().createFuture<string>());
    cells[2]!.setResult("c");
    cells[0]!.setResult("a");
    getRunningLoop().callLater(1, () => {
      cells[1]!.setResult("b");
    });
    const log: string[] = [];
    for await (const name of asCompleted(cells)) log.push(name);
    expect(log).toEqual(["a", "c", "b"]);
  });
});

test("what is named twice comes once, and nothing comes of nothing", async () => {
  await run(async () => {
    const task = createTask(napper("task", 2));
    const lazy = coroutine(napper("coroutine", 1));
    const log: string[] = [];
    for await (const name of asCompleted([task, lazy, task, lazy])) log.push(name);
    expect(log).toEqual(["coroutine", "task"]);
    for await (const name of asCompleted([] as Task<string>[], { timeoutMs: 1_000 })) log.push(name);
    expect([log.length, [...asCompleted([])]]).toEqual([2, []]);
    expect(getRunningLoop().time()).toBe(2);
  });
});

test("functions and coroutines become tasks of the running loop at the call", async () => {
  await run(async () => {
    const next = asCompleted([napper("function", 0), coroutine(napper("coroutine", 0))]);
    expect(getRunningLoop().allTasks()).toHaveLength(3);
    const log: string[] = [];
    for await (const name of next) log.push(name);
    expect(log).toEqual(["function", "coroutine"]);
  });
});

test("a cancelled future raises CancelledError in its turn, and whoever asks is not cancelled", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture<string>();
    cell.cancel("cell");
    const log: string[] = [];
    for (const next of asCompleted([cell, napper("a", 1)])) log.push(await noteOf(next));
    expect(log).toEqual(["CancelledError: cell t=0", "a t=1"]);
    expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
  });
});

test("coroutines that are not awaited are reported", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    const [first] = [...asCompleted([napper("a", 1), napper("b", 2)])];
    await first;
  });
  expect(loop.warnings).toEqual(["coroutine asCompleted was never awaited"]);
});

test("bad arguments are refused with what is needed", async () => {
  await run(async () => {
    const task = createTask(napper("a", 0));
    expect(() => asCompleted(task as unknown as Task[])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: asCompleted: needs a list of tasks and futures, not [Task]]`,
    );
    const lazy = coroutine(() => 1);
    expect(() => asCompleted(lazy as unknown as Task[])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: asCompleted: needs a list of tasks and futures, not [Coroutine]]`,
    );
    await lazy;
    expect(() => asCompleted([task, null as unknown as Task])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: asCompleted: argument 1 cannot be awaited: null. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => asCompleted([task], { timeoutMs: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: asCompleted: timeoutMs must be a whole number of milliseconds, 0 or more, not NaN]`,
    );
  });
});

test("asCompleted needs a run", () => {
  expect(() => asCompleted([napper("a", 0)])).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: asCompleted() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a deadlock names what the next could be", async () => {
  await expect(
    run(
      async () => {
        const cell = getRunningLoop().createFuture("cell");
        const a = createTask(async () => await cell, { name: "a" });
        const log: unknown[] = [];
        for await (const result of asCompleted([a, async () => 1, cell])) log.push(result);
      },
      { sites: false },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DeadlockError: deadlock at step 4, t=0: 2 tasks wait and nothing can wake them.
      main  waits for the next as completed, of which pending: task a, cell
      a     waits for cell
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.]
  `);
});
