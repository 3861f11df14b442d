import { describe, expect, test } from "vitest";
import { CancelledError, TimeoutError } from "../errors/errors.js";
import { type Coroutine, coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { shield } from "./shield.js";
import { waitFor } from "./wait-for.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** What `work` throws, which it must. */
async function errorOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it raised nothing");
}

/** Sleeps for 1,000 ms, and when it is cancelled does `cleanUp`, whose end it logs. */
const cleaning = (log: string[], cleanUp: () => PromiseLike<unknown>) => async (): Promise<string> => {
  log.push("began");
  try {
    await sleep(1_000);
    return "slept";
  } finally {
    await cleanUp();
    log.push(`cleaned t=${getRunningLoop().time()}`);
  }
};

/** Takes no notice of cancellations for `delayMs`. */
const ignoring = (delayMs: number) => async (): Promise<string> => {
  const loop = getRunningLoop();
  for (const endMs = loop.time() + delayMs; loop.time() < endMs; ) {
    try {
      await sleep(endMs - loop.time());
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
    }
  }
  return `ignored until t=${loop.time()}`;
};

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("what ends in time gives its result or its exception, and the limit does not hold the clock", async () => {
    const loop = new EventLoop({ strategy: strategy(), slowStepMs });
    await runUntilComplete(loop, async () => {
      const napper = async (): Promise<string> => {
        await sleep(10);
        return "slept";
      };
      expect(await waitFor(napper, 5_000)).toBe("slept");
      expect(await waitFor(coroutine(napper), 5_000)).toBe("slept");
      expect(await waitFor(createTask(napper), 5_000)).toBe("slept");
      expect(await errorOf(waitFor(async () => Promise.reject(new RangeError("own")), 5_000))).toEqual(new RangeError("own"));
    });
    expect(loop.time()).toBe(30);
  });

  test("a future that a timer completes before the limit gives its result", async () => {
    await running(async () => {
      const cell = getRunningLoop().createFuture<string>();
      getRunningLoop().callLater(9, () => {
        cell.setResult("in time");
      });
      expect([await waitFor(cell, 10), getRunningLoop().time()]).toEqual(["in time", 9]);
    });
  });

  test("at the time-out the task is cancelled, and TimeoutError is raised once it has cleaned up", async () => {
    await running(async () => {
      const log: string[] = [];
      const task = createTask(cleaning(log, () => sleep(5)));
      const error = await errorOf(waitFor(task, 10));
      expect(error).toBeInstanceOf(TimeoutError);
      expect((error as Error).cause).toBeInstanceOf(CancelledError);
      expect([task.cancelled(), getRunningLoop().time(), log]).toEqual([true, 15, ["began", "cleaned t=15"]]);
      expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
    });
  });

  test("a task that swallows the cancellation of the time-out gives its result", async () => {
    await running(async () => {
      expect(await waitFor(ignoring(50), 10)).toBe("ignored until t=50");
    });
  });

  test("an exception that the cancelled task raises comes out in the place of TimeoutError", async () => {
    await running(async () => {
      const log: string[] = [];
      const work = cleaning(log, () => Promise.reject(new RangeError("in finally")));
      expect(await errorOf(waitFor(work, 10))).toEqual(new RangeError("in finally"));
    });
  });

  test("without time, what is done gives its result", async () => {
    await running(async () => {
      const task = createTask(async () => 5);
      await task;
      expect(await waitFor(task, 0)).toBe(5);
      const failed = getRunningLoop().createFuture();
      failed.setException(new RangeError("before"));
      expect(await errorOf(waitFor(failed, 0))).toEqual(new RangeError("before"));
    });
  });

  test("without time, a function or a coroutine is never called", async () => {
    await running(async () => {
      const log: string[] = [];
      for (const work of [cleaning(log, () => sleep(0)), coroutine(cleaning(log, () => sleep(0)))]) {
        expect(await errorOf(waitFor(work, 0))).toBeInstanceOf(TimeoutError);
      }
      expect(log).toEqual([]);
    });
  });

  test("without time, a running task is cancelled, and TimeoutError is raised once it has cleaned up", async () => {
    await running(async () => {
      for (const [delayMs, endMs] of [
        [0, 1],
        [5, 7],
      ] as const) {
        const log: string[] = [];
        const task = createTask(cleaning(log, () => sleep(delayMs)));
        await sleep(1);
        const error = await errorOf(waitFor(task, 0));
        expect(error).toBeInstanceOf(TimeoutError);
        expect((error as Error).cause).toBeInstanceOf(CancelledError);
        expect([task.cancelled(), log]).toEqual([true, ["began", `cleaned t=${endMs}`]]);
      }
    });
  });

  test.each([undefined, 500])("cancelling a wait with a limit of %s ms cancels the task and waits for its end", async (limitMs) => {
    await running(async () => {
      const log: string[] = [];
      const task = createTask(cleaning(log, () => sleep(5)));
      const waiter = createTask(async () => await waitFor(task, limitMs));
      await sleep(10);
      waiter.cancel("enough");
      expect(await errorOf(waiter)).toBeInstanceOf(CancelledError);
      expect([task.cancelled(), waiter.cancelled(), log]).toEqual([true, true, ["began", "cleaned t=15"]]);
    });
  });

  test("cancelling a wait for a task that ignores it raises CancelledError when that task has ended", async () => {
    await running(async () => {
      const task = createTask(ignoring(50));
      const waiter = createTask(async () => await waitFor(task, 500));
      await sleep(10);
      waiter.cancel("enough");
      expect(await errorOf(waiter)).toEqual(new CancelledError("enough"));
      expect([getRunningLoop().time(), task.result()]).toEqual([50, "ignored until t=50"]);
    });
  });

  test("cancelled while it waits for the end of a task that timed out, it raises CancelledError, and the task goes on", async () => {
    await running(async () => {
      const task = createTask(ignoring(50));
      const waiter = createTask(async () => await waitFor(task, 10));
      await sleep(20);
      expect([task.cancelling(), waiter.done()]).toEqual([1, false]);
      waiter.cancel("enough");
      expect(await errorOf(waiter)).toEqual(new CancelledError("enough"));
      expect(getRunningLoop().time()).toBe(20);
      expect([task.cancelling(), await task]).toEqual([1, "ignored until t=50"]);
    });
  });

  test("without a limit it waits for as long as it takes", async () => {
    await running(async () => {
      const slow = async (): Promise<number> => {
        await sleep(100_000);
        return getRunningLoop().time();
      };
      expect([await waitFor(slow, undefined), await waitFor(coroutine(slow), undefined)]).toEqual([100_000, 200_000]);
      expect(await waitFor(createTask(slow), undefined)).toBe(300_000);
    });
  });

  test("a shielded task outlives the time-out", async () => {
    await running(async () => {
      const task = createTask(async () => {
        await sleep(50);
        return "saved";
      });
      expect(await errorOf(waitFor(shield(task), 10))).toBeInstanceOf(TimeoutError);
      expect([task.cancelling(), await task]).toEqual([0, "saved"]);
    });
  });

  test("what is taken from a mailbox within a limit is never lost, whether the letter or the time-out comes first", async () => {
    for (const letterMs of [9, 10, 11]) {
      await running(async () => {
        const mailbox = new Mailbox();
        const taken: string[] = [];
        getRunningLoop().callLater(letterMs, () => {
          mailbox.put("letter");
        });
        for (let attempt = 0; taken.length === 0 && attempt < 3; attempt++) {
          try {
            taken.push(await waitFor(mailbox.get(), 10));
          } catch (error) {
            expect(error).toBeInstanceOf(TimeoutError);
          }
        }
        expect([taken, mailbox.waiting]).toEqual([["letter"], 0]);
      });
    }
  });
});

/** A queue as asyncio has it: whoever is woken takes its letter itself, and one that is cancelled then wakes the next. */
class Mailbox {
  readonly #letters: string[] = [];
  readonly #getters = new Set<Future<void>>();

  put(letter: string): void {
    this.#letters.push(letter);
    this.#wakeNext();
  }

  get waiting(): number {
    return this.#getters.size;
  }

  get(): Coroutine<string> {
    return coroutine(async () => {
      while (this.#letters.length === 0) {
        const getter = getRunningLoop().createFuture<void>("getter");
        this.#getters.add(getter);
        try {
          await getter;
        } catch (error) {
          this.#getters.delete(getter);
          if (this.#letters.length > 0) this.#wakeNext();
          throw error;
        }
      }
      return this.#letters.shift()!;
    });
  }

  #wakeNext(): void {
    const [next] = this.#getters;
    if (next === undefined) return;
    this.#getters.delete(next);
    if (!next.done()) next.setResult();
  }
}

test("a cancellation that comes together with the result gives the result, as in CPython 3.11", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture<string>();
    const waiter = createTask(async () => await waitFor(cell, 10));
    await sleep(1);
    cell.setResult("kept");
    waiter.cancel("late");
    expect([await waiter, waiter.cancelling()]).toEqual(["kept", 1]);
  });
});

test("under fifo what is due just when the limit is comes in time if it was begun first, and else too late, as in CPython", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture<string>();
    getRunningLoop().callLater(10, () => {
      cell.setResult("before");
    });
    expect(await waitFor(cell, 10)).toBe("before");
    expect(await errorOf(waitFor(() => sleep(10), 10))).toBeInstanceOf(TimeoutError);
  });
});

test("native promises and other thenables can be waited for, and go on when the time is up", async () => {
  await run(async () => {
    expect(await waitFor(Promise.resolve(5), 10)).toBe(5);
    expect(await waitFor(Promise.resolve(5), undefined)).toBe(5);
    expect(await errorOf(waitFor(Promise.reject(new RangeError("native")), 10))).toEqual(new RangeError("native"));
    expect(await errorOf(waitFor(sleep(20), 10))).toBeInstanceOf(TimeoutError);
  });
});

test("nothing begins before it is awaited", async () => {
  const loop = new EventLoop({ slowStepMs });
  const log: string[] = [];
  await runUntilComplete(loop, async () => {
    void waitFor(async () => log.push("called"), 10);
    await sleep(20);
  });
  expect(log).toEqual([]);
  expect(loop.warnings).toEqual(["coroutine waitFor was never awaited"]);
});

test("bad arguments are refused with what is needed", async () => {
  await run(async () => {
    expect(() => waitFor(5 as unknown as () => number, 10)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: waitFor: the first argument cannot be awaited: 5. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => waitFor(undefined as unknown as () => number, undefined)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: waitFor: the first argument cannot be awaited: undefined. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => waitFor(() => 5, -1)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: waitFor: timeoutMs must be a whole number of milliseconds, 0 or more, not -1]`,
    );
    expect(() => waitFor(() => 5, Number.POSITIVE_INFINITY)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: waitFor: timeoutMs must be a whole number of milliseconds, 0 or more, not Infinity]`,
    );
    expect(() => waitFor(() => 5, "10" as unknown as number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: waitFor: timeoutMs must be a whole number of milliseconds, 0 or more, not "10"]`,
    );
  });
});

test("waitFor needs a run", () => {
  expect(() => waitFor(() => 5, 10)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: waitFor() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a deadlock says whose end it waits for once the time is up", async () => {
  await expect(
    run(
      async () => {
        const stubborn = createTask(
          async () => {
            try {
              await sleep(1_000);
            } finally {
              await getRunningLoop().createFuture("cell");
            }
          },
          { name: "stubborn" },
        );
        await waitFor(stubborn, 10);
      },
      { sites: false },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DeadlockError: deadlock at step 5, t=10: 2 tasks wait and nothing can wake them.
      main      waits for the end of task stubborn
      stubborn  waits for cell
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.]
  `);
});

test("while the time lasts, a task says how long it waits at most, and without a limit what it waits for", async () => {
  await run(async () => {
    const cell = getRunningLoop().createFuture("cell");
    const tasks = [10, undefined].map((limitMs) => createTask(async () => await waitFor(cell, limitMs)));
    await sleep(1);
    expect(tasks.map((task) => task.waits().map(({ source }) => source?.describe()))).toEqual([["at most 10 ms for cell"], ["cell"]]);
    cell.setResult(undefined);
  });
});
