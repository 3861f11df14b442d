/** AbortSignals: those that cancel a task, and the one that a cancelled task aborts. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { taskGroup } from "../combine/task-group.js";
import { timeout } from "../combine/timeout.js";
import { CancelledError, TimeoutError } from "../errors/errors.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { currentTask } from "./current-task.js";
import { run } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

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

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

/** Something native that is given up when its signal is aborted, as `fetch` is: it rejects with the signal's reason. */
function fetchLike(signal: AbortSignal): Promise<string> {
  return new Promise((_resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("a task whose signal is aborted before it begins runs nothing", async () => {
    await running(async () => {
      const log: string[] = [];
      const [before, between] = [new AbortController(), new AbortController()];
      before.abort("no");
      const tasks = [before, between].map(({ signal }) => createTask(async () => log.push("began"), { signal }));
      between.abort("no longer");
      expect([await errorOf(tasks[0]!), await errorOf(tasks[1]!)]).toEqual([new CancelledError("no"), new CancelledError("no longer")]);
      expect([log, tasks.map((task) => task.cancelled()), listenersOf(before.signal), listenersOf(between.signal)]).toEqual([
        [],
        [true, true],
        0,
        0,
      ]);
    });
  });

  test("aborting the signal of a task that waits cancels it there, once", async () => {
    await running(async () => {
      const stop = new AbortController();
      const log: string[] = [];
      const task = createTask(
        async () => {
          try {
            await sleep(1_000);
          } finally {
            await sleep(5);
            log.push(`cleaned t=${getRunningLoop().time()}`);
          }
        },
        { signal: stop.signal },
      );
      await sleep(1);
      stop.abort(new Error("shutting down"));
      stop.abort(new Error("again"));
      expect(task.cancelling()).toBe(1);
      expect(await errorOf(task)).toEqual(new CancelledError("shutting down"));
      expect([task.cancelled(), log]).toEqual([true, ["cleaned t=6"]]);
    });
  });

  test("one signal cancels several tasks, and a task may swallow that as any cancellation", async () => {
    await running(async () => {
      const stop = new AbortController();
      const tasks = [1, 2, 3].map((number) =>
        createTask(
          async () => {
            await errorOf(sleep(1_000));
            return number;
          },
          { signal: stop.signal },
        ),
      );
      getRunningLoop().callLater(5, () => {
        stop.abort();
      });
      const results: number[] = [];
      for (const task of tasks) results.push(await task);
      expect([results, tasks.map((task) => task.cancelling()), getRunningLoop().time()]).toEqual([[1, 2, 3], [1, 1, 1], 5]);
    });
  });

  test("a signal that is aborted after the end changes nothing, and its listener is gone, however the task ended", async () => {
    await running(async () => {
      const stop = new AbortController();
      const bodies = [
        async (): Promise<number> => 5,
        (): number => 6,
        async () => Promise.reject(new RangeError("own")),
        () => sleep(1_000),
      ];
      const tasks = bodies.map((body) => createTask<unknown>(body, { signal: stop.signal }));
      await sleep(1);
      tasks[3]!.cancel();
      await sleep(1);
      expect(listenersOf(stop.signal)).toBe(0);
      stop.abort("too late");
      expect([tasks[0]!.result(), tasks[1]!.result(), tasks[2]!.exception(), tasks[3]!.cancelled()]).toEqual([
        5,
        6,
        new RangeError("own"),
        true,
      ]);
      expect(tasks.map((task) => task.cancelling())).toEqual([0, 0, 0, 1]);
    });
  });

  test("the task's own signal aborts when it is cancelled, with a CancelledError that has the message", async () => {
    await running(async () => {
      const task = createTask(async () => {
        await sleep(1_000);
      });
      const { signal } = task;
      await sleep(1);
      expect([signal.aborted, task.signal === signal]).toEqual([false, true]);
      task.cancel("why");
      expect([signal.aborted, signal.reason]).toEqual([true, new CancelledError("why")]);
      expect(signal.reason).toBeInstanceOf(CancelledError);
      expect(await errorOf(task)).toEqual(new CancelledError("why"));
      expect(task.signal).toBe(signal);
    });
  });

  test("asked for after the cancellation, it is aborted already and has the message too", async () => {
    await running(async () => {
      const task = createTask(async () => {
        await errorOf(sleep(1_000));
        return currentTask()?.signal;
      });
      const unstarted = createTask(() => 1);
      unstarted.cancel("early");
      await sleep(1);
      task.cancel("why");
      const signal = await task;
      expect([signal?.aborted, signal?.reason]).toEqual([true, new CancelledError("why")]);
      expect(unstarted.signal.reason).toEqual(new CancelledError("early"));
    });
  });

  test("after uncancel there is a fresh one, once every request is taken back", async () => {
    await running(async () => {
      const task = createTask(async () => {
        const me = currentTask()!;
        await errorOf(sleep(1_000));
        const during = me.signal;
        expect([me.uncancel(), me.signal === during, me.uncancel(), me.signal === during]).toEqual([1, true, 0, false]);
        expect([during.aborted, me.signal.aborted]).toEqual([true, false]);
        const again = me.signal;
        await errorOf(sleep(1_000));
        expect(again.reason).toEqual(new CancelledError("again"));
        return "end";
      });
      await sleep(1);
      task.cancel("twice");
      task.cancel("twice");
      await sleep(1);
      task.cancel("again");
      expect(await task).toBe("end");
    });
  });

  test("it does not abort when the task ends by itself", async () => {
    await running(async () => {
      const good = createTask(async () => {
        await sleep(1);
      });
      const bad = createTask(async () => Promise.reject(new Error("own")));
      const signals = [good.signal, bad.signal];
      await good;
      await errorOf(bad);
      await sleep(5);
      expect([good.cancel(), bad.cancel(), signals.map((signal) => signal.aborted)]).toEqual([false, false, [false, false]]);
    });
  });

  test("a task that waits natively through its signal ends cancelled", async () => {
    await running(async () => {
      const task = createTask(async () => await fetchLike(currentTask()!.signal));
      await sleep(1);
      task.cancel("give up");
      expect(await errorOf(task)).toEqual(new CancelledError("give up"));
      expect([task.cancelled(), getRunningLoop().time()]).toEqual([true, 1]);
    });
  });

  test("a time limit and a failing group give up what waits natively through the signal; after a limit there is a fresh one", async () => {
    await running(async () => {
      const me = currentTask()!;
      expect(await errorOf(timeout(10, () => fetchLike(me.signal)))).toBeInstanceOf(TimeoutError);
      expect([getRunningLoop().time(), me.signal.aborted, me.cancelling()]).toEqual([10, false, 0]);
      const log: unknown[] = [];
      const error = await errorOf(
        taskGroup((group) => {
          group.createTask(async () => {
            log.push(await errorOf(fetchLike(currentTask()!.signal)));
          });
          group.createTask(async () => {
            await sleep(5);
            throw new Error("boom");
          });
        }),
      );
      expect((error as AggregateError).errors).toEqual([new Error("boom")]);
      expect(log).toEqual([new CancelledError()]);
      expect(getRunningLoop().time()).toBe(15);
    });
  });
});

test.each([
  ["a text", "text", "text"],
  ["an error", new RangeError("its message"), "its message"],
  ["nothing", undefined, "This operation was aborted"],
  ["anything else", { code: 5 }, ""],
])("the reason of an abort, %s, is the message of the cancellation", async (_kind, reason, message) => {
  await run(async () => {
    const stop = new AbortController();
    const task = createTask(() => sleep(1_000), { signal: stop.signal });
    await sleep(1);
    stop.abort(reason);
    expect(await errorOf(task)).toEqual(new CancelledError(message));
  });
});

test("a signal can outlive its run", async () => {
  const stop = new AbortController();
  for (let round = 0; round < 3; round++) {
    await run(async () => {
      createTask(() => sleep(1_000), { signal: stop.signal }); // cancelled with the run
      createTask(async () => 5, { signal: stop.signal });
      await sleep(1);
    });
    expect(listenersOf(stop.signal)).toBe(0);
  }
  stop.abort();
});

test("one task's signal can cancel another task", async () => {
  await run(async () => {
    const leader = createTask(() => sleep(1_000));
    const follower = createTask(() => sleep(1_000), { signal: leader.signal });
    await sleep(1);
    leader.cancel("both");
    expect([await errorOf(leader), await errorOf(follower)]).toEqual([new CancelledError("both"), new CancelledError("both")]);
  });
});

test.each([
  ["fifo", undefined],
  ["random", random(7)],
])("no listener is left on a signal that outlives its run, under %s, also after a deadlock", async (_name, strategy) => {
  const { signal } = new AbortController();
  await run(() => createTask(() => sleep(1), { signal }), { strategy });
  const waiting = run(() => createTask(() => getRunningLoop().createFuture(), { signal }), { strategy });
  await expect(waiting).rejects.toThrow("deadlock");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("what Node's functions raise when their signal is aborted is the cancellation", async () => {
  const { setTimeout: delay } = await import("node:timers/promises");
  await run(async () => {
    const task = createTask(() => delay(1_000, 1, { signal: currentTask()?.signal as AbortSignal }));
    await sleep(0);
    task.cancel("enough");
    await expect(async () => await task).rejects.toThrow(CancelledError);
    expect(task.cancelled()).toBe(true);
    const limited = timeout(5, () => delay(1_000, 1, { signal: currentTask()?.signal as AbortSignal }));
    await expect(limited).rejects.toThrow("the time limit was over at t=5");
  });
});
