import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CancelledError, TimeoutError } from "../errors/errors.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { shield } from "./shield.js";
import { type Timeout, timeout, timeoutAt } from "./timeout.js";

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

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random, seed 7", (): Strategy | undefined => random(7)],
  ["random, seed 8", (): Strategy | undefined => random(8)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("a body that takes too long is cancelled, and TimeoutError is raised, with the cancellation as its cause", async () => {
    await running(async () => {
      let limit: Timeout | undefined;
      const inside: unknown[] = [];
      const error = await errorOf(
        timeout(10, async (given) => {
          limit = given;
          inside.push(await errorOf(sleep(1_000)), given.expired());
          throw inside[0];
        }),
      );
      expect(inside).toEqual([new CancelledError(), true]);
      expect(error).toBeInstanceOf(TimeoutError);
      expect((error as Error).cause).toBe(inside[0]);
      expect([limit?.expired(), limit?.when(), getRunningLoop().time()]).toEqual([true, 10, 10]);
      expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
      await sleep(5); // goes on undisturbed
      expect(getRunningLoop().time()).toBe(15);
    });
  });

  test("the same with a deadline on the loop's clock", async () => {
    await running(async () => {
      await sleep(5);
      let limit: Timeout | undefined;
      const late = timeoutAt(20, async (given) => {
        limit = given;
        await sleep(1_000);
      });
      expect(await errorOf(late)).toBeInstanceOf(TimeoutError);
      expect([limit?.expired(), limit?.when(), getRunningLoop().time()]).toEqual([true, 20, 20]);
    });
  });

  test("a body that is fast enough gives its result, and the limit does not hold the clock", async () => {
    const loop = new EventLoop({ strategy: strategy(), slowStepMs });
    await runUntilComplete(loop, async () => {
      let limit: Timeout | undefined;
      const result = await timeout(5_000, async (given) => {
        limit = given;
        await sleep(10);
        return "fast";
      });
      expect([result, limit?.expired(), limit?.when()]).toEqual(["fast", false, 5_000]);
      expect(await timeout(5_000, () => "without a promise")).toBe("without a promise");
    });
    expect(loop.time()).toBe(10);
  });

  test("no limit never expires", async () => {
    await running(async () => {
      for (const unlimited of [timeout, timeoutAt]) {
        const seen = await unlimited(undefined, async (limit) => {
          await sleep(10_000);
          return [limit.when(), limit.expired()];
        });
        expect(seen).toEqual([undefined, false]);
      }
    });
  });

  test.each([10, 1_000])("a limit of 0 expires at the first await that waits, be it %s ms", async (delayMs) => {
    await running(async () => {
      await sleep(3);
      const log: string[] = [];
      let limit: Timeout | undefined;
      const late = timeout(0, async (given) => {
        limit = given;
        log.push("before");
        await null;
        log.push("a microtask is no wait");
        await sleep(delayMs);
        log.push("never");
      });
      expect(await errorOf(late)).toBeInstanceOf(TimeoutError);
      expect([limit?.when(), limit?.expired(), getRunningLoop().time()]).toEqual([3, true, 3]);
      expect(log).toEqual(["before", "a microtask is no wait"]);
    });
  });

  test("an exception of the body is passed on unchanged", async () => {
    await running(async () => {
      const error = new RangeError("own");
      let limit: Timeout | undefined;
      const failing = timeout(10, async (given) => {
        limit = given;
        await sleep(1);
        throw error;
      });
      expect(await errorOf(failing)).toBe(error);
      expect(limit?.expired()).toBe(false);
    });
  });

  test("an exception that the body raises on being cancelled comes out in the place of TimeoutError", async () => {
    await running(async () => {
      const error = new RangeError("in finally");
      let limit: Timeout | undefined;
      const failing = timeout(10, async (given) => {
        limit = given;
        try {
          await sleep(1_000);
        } catch {
          throw error;
        }
      });
      expect(await errorOf(failing)).toBe(error);
      expect([limit?.expired(), getRunningLoop().currentTask()?.cancelling()]).toEqual([true, 0]);
    });
  });

  test("a body that swallows the cancellation of the limit gives its result, and the request is taken back", async () => {
    await running(async () => {
      const result = await timeout(10, async (limit) => {
        await errorOf(sleep(1_000));
        return limit.expired();
      });
      expect([result, getRunningLoop().currentTask()?.cancelling()]).toEqual([true, 0]);
    });
  });

  test("a cancellation by somebody else stays one", async () => {
    await running(async () => {
      let limit: Timeout | undefined;
      const task = createTask(async () => {
        await timeout(10, async (given) => {
          limit = given;
          await sleep(1_000);
        });
      });
      await sleep(5);
      task.cancel("enough");
      expect(await errorOf(task)).toEqual(new CancelledError("enough"));
      expect([task.cancelled(), limit?.expired()]).toEqual([true, false]);
    });
  });

  test("a cancellation by somebody else that comes when the limit has expired goes on", async () => {
    await running(async () => {
      const task = createTask(async () => {
        await timeout(10, async () => {
          try {
            await sleep(1_000);
          } finally {
            await sleep(10);
          }
        });
      });
      await sleep(15);
      task.cancel("enough");
      expect(await errorOf(task)).toEqual(new CancelledError("enough"));
      expect([task.cancelled(), task.cancelling()]).toEqual([true, 1]);
    });
  });

  test("a task that catches the TimeoutError ends as usual", async () => {
    await running(async () => {
      const task = createTask(async () => {
        expect(await errorOf(timeout(10, () => sleep(1_000)))).toBeInstanceOf(TimeoutError);
        return "goes on";
      });
      expect([await task, task.cancelled(), task.cancelling()]).toEqual(["goes on", false, 0]);
    });
  });

  test("of two nested limits of one deadline the outer raises TimeoutError, and between them it is CancelledError", async () => {
    await running(async () => {
      const between: unknown[] = [];
      const limits: Timeout[] = [];
      const late = timeoutAt(10, async (outer) => {
        limits.push(outer);
        try {
          await timeoutAt(10, async (inner) => {
            limits.push(inner);
            await sleep(1_000);
          });
        } catch (error) {
          between.push(error);
          throw error;
        }
      });
      expect(await errorOf(late)).toBeInstanceOf(TimeoutError);
      expect(between).toEqual([new CancelledError()]);
      expect(limits.map((limit) => limit.expired())).toEqual([true, true]);
      expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
    });
  });

  test("an inner limit that expires first raises TimeoutError inside the outer one", async () => {
    await running(async () => {
      const result = await timeout(20, async () => {
        expect(await errorOf(timeout(10, () => sleep(1_000)))).toBeInstanceOf(TimeoutError);
        await sleep(5);
        return "the outer has time left";
      });
      expect(result).toBe("the outer has time left");
    });
  });

  test("an inner limit lets the cancellation of the outer one through", async () => {
    await running(async () => {
      let inner: Timeout | undefined;
      const between: unknown[] = [];
      const late = timeout(10, async () => {
        const waiting = timeout(20, async (limit) => {
          inner = limit;
          await sleep(1_000);
        });
        between.push(await errorOf(waiting));
        throw between[0];
      });
      expect(await errorOf(late)).toBeInstanceOf(TimeoutError);
      expect([between, inner?.expired(), getRunningLoop().time()]).toEqual([[new CancelledError()], false, 10]);
    });
  });

  test("the deadline can be moved, also into the past, and taken away", async () => {
    await running(async () => {
      const moved = timeout(10, async (limit) => {
        limit.reschedule(30);
        expect(limit.when()).toBe(30);
        await sleep(1_000);
      });
      expect(await errorOf(moved)).toBeInstanceOf(TimeoutError);
      expect(getRunningLoop().time()).toBe(30);

      const past = timeout(10, async (limit) => {
        limit.reschedule(1);
        expect(limit.when()).toBe(1);
        await sleep(5);
      });
      expect(await errorOf(past)).toBeInstanceOf(TimeoutError);
      expect(getRunningLoop().time()).toBe(30);

      let limit: Timeout | undefined;
      const task = createTask(async () => {
        await timeout(10, async (given) => {
          limit = given;
          given.reschedule(undefined);
          await sleep(1_000);
        });
      });
      await sleep(100);
      expect([limit?.when(), task.done()]).toEqual([undefined, false]);
      task.cancel();
      expect(await errorOf(task)).toBeInstanceOf(CancelledError);
      expect(limit?.expired()).toBe(false);
    });
  });

  test("a limit in the clean-up of a body that timed out works by itself, and the outer still raises TimeoutError", async () => {
    await running(async () => {
      const log: unknown[] = [];
      const late = timeout(10, async () => {
        try {
          await sleep(1_000);
        } finally {
          log.push(await timeout(10, async () => "in time"), await errorOf(timeout(10, () => sleep(1_000))));
        }
      });
      expect(await errorOf(late)).toBeInstanceOf(TimeoutError);
      expect(log).toEqual(["in time", expect.any(TimeoutError)]);
      expect(getRunningLoop().time()).toBe(20);
    });
  });

  test("in a task that swallowed a cancellation and did not take it back a limit still raises TimeoutError", async () => {
    await running(async () => {
      const task = createTask(async () => {
        await errorOf(sleep(1_000));
        expect(await errorOf(timeout(10, () => sleep(1_000)))).toBeInstanceOf(TimeoutError);
        return "timed out";
      });
      await sleep(1);
      task.cancel();
      expect([await task, task.cancelling()]).toEqual(["timed out", 1]);
    });
  });

  test("in such a task a second cancellation inside a limit that has not expired stays one", async () => {
    await running(async () => {
      let limit: Timeout | undefined;
      const task = createTask(async () => {
        await errorOf(sleep(1_000));
        await timeout(10, async (given) => {
          limit = given;
          await sleep(1_000);
        });
      });
      await sleep(1);
      task.cancel("first");
      await sleep(1);
      task.cancel("second");
      expect(await errorOf(task)).toEqual(new CancelledError("second"));
      expect([limit?.expired(), task.cancelling()]).toEqual([false, 2]);
    });
  });
});

test("when what the body waits for comes just as its time is up, it has a result or a TimeoutError, and nothing is left", async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    await run(
      async () => {
        const cell = getRunningLoop().createFuture<string>();
        createTask(() => {
          cell.setResult("result");
        });
        const limited = timeout(0, async () => await shield(cell));
        outcomes.add(await limited.catch((error: unknown) => (error as Error).name));
        await sleep(5); // no cancellation comes late
        expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
      },
      { strategy: random(seed), slowStepMs },
    );
  }
  // Each has a chance of a quarter at least, so one of them is missed with p < (3/4)^60 < 1e-7.
  expect([...outcomes].sort()).toEqual(["TimeoutError", "result"]);
});

test("a limit that expires while the body waits for something outside of the loop strikes nothing that comes after the body", async () => {
  await run(async () => {
    let open = (_value: string): void => undefined;
    const gate = new Promise<string>((resolve) => {
      open = resolve;
    });
    createTask(async () => {
      await sleep(20);
      open("opened");
    });
    // The native wait cannot be interrupted, and the body has no other.
    expect(await timeout(10, async (limit) => [await gate, limit.expired()])).toEqual(["opened", true]);
    await sleep(5);
    expect([getRunningLoop().time(), getRunningLoop().currentTask()?.cancelling()]).toEqual([25, 0]);
  });
});

test("a limit in the past, and one of 0, expire even at sleep(0), as in CPython", async () => {
  await run(async () => {
    await sleep(10);
    for (const whenMs of [3, 10]) {
      let limit: Timeout | undefined;
      const late = timeoutAt(whenMs, async (given) => {
        limit = given;
        await sleep(0);
      });
      expect(await errorOf(late)).toBeInstanceOf(TimeoutError);
      expect([limit?.when(), limit?.expired(), getRunningLoop().time()]).toEqual([whenMs, true, 10]);
    }
    expect(await errorOf(timeout(0, () => sleep(0)))).toBeInstanceOf(TimeoutError);
    expect(await timeout(0, async () => "no await, no end")).toBe("no await, no end");
  });
});

test("a limit that is moved once it has expired or is over is refused, and says which", async () => {
  await run(async () => {
    const limits: Timeout[] = [];
    await timeout(10, (limit) => limits.push(limit));
    expect(() => {
      limits[0]!.reschedule(100);
    }).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: Cannot change state of finished Timeout]`);
    const late = timeout(10, async (limit) => {
      limits.push(limit);
      await errorOf(sleep(1_000));
      expect(() => {
        limit.reschedule(100);
      }).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: Cannot change state of expiring Timeout]`);
    });
    await late;
    expect(() => {
      limits[1]!.reschedule(100);
    }).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: Cannot change state of expired Timeout]`);
  });
});

test("a limit needs a task, and refuses what is no time", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    let inCallback: Promise<unknown> | undefined;
    loop.callSoon(() => {
      inCallback = timeout(10, () => "never").catch((error: unknown) => error);
    });
    await sleep(1);
    expect(await inCallback).toMatchInlineSnapshot(`[RuntimeError: Timeout should be used inside a task]`);
    await expect(timeout(-1, () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: timeout: delayMs must be a whole number of milliseconds, 0 or more, not -1]`,
    );
    await expect(timeoutAt(0.5, () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: timeoutAt: whenMs must be a whole number of milliseconds, 0 or more, not 0.5]`,
    );
    await timeout(10, (limit) => {
      expect(() => {
        limit.reschedule(-1);
      }).toThrowErrorMatchingInlineSnapshot(`[UsageError: reschedule: whenMs must be a whole number of milliseconds, 0 or more, not -1]`);
      expect(limit.when()).toBe(11);
    });
  });
});

test("a limit needs a run", async () => {
  await expect(timeout(10, () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: timeout() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  await expect(timeoutAt(10, () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: timeoutAt() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a limit keeps no deadlock away: its time comes", async () => {
  await run(async () => {
    expect(await errorOf(timeout(10, () => getRunningLoop().createFuture("never")))).toBeInstanceOf(TimeoutError);
  });
});

test("a body that is no function is refused, a limit prints its state, and the error says which limit was over", async () => {
  await run(async () => {
    await expect(timeout(5, sleep(1) as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: timeout: needs a function to run, () => …, not [Sleep]]`,
    );
    const limited = timeout(5, async (limit) => {
      expect(inspect(limit)).toBe("<Timeout active when=5>");
      await sleep(10);
    });
    await expect(limited).rejects.toThrow("the time limit was over at t=5");
  });
});
