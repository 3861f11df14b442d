import { inspect } from "node:util";
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { waitFor } from "../combine/wait-for.js";
import { CancelledError, describeError, RuntimeError, TimeoutError } from "../errors/errors.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runLoop } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { random } from "../strategy/random.js";
import { Condition } from "./condition.js";
import { Lock } from "./lock.js";

/** asyncio's own order, and a hundred others. */
const schedules = (): Strategy[] => [fifo(), ...Array.from({ length: 100 }, (_, seed) => random(seed))];

/** A task that takes the lock, waits to be notified, notes that it was, and keeps the lock. */
const keeper = (condition: Condition, name: string, log: string[]): Task<boolean> =>
  createTask(async () => {
    await condition.acquire();
    const answer = await condition.wait();
    log.push(name);
    return answer;
  });

/** The same, but it gives the lock back. */
const waiterOf = (condition: Condition, name: string, log: string[]): Task =>
  createTask(
    async () => {
      await condition.withLock(async () => {
        await condition.wait();
        log.push(name);
      });
    },
    { name },
  );

/** Notifies with the lock held. */
const notify = async (condition: Condition, count?: number): Promise<void> => {
  await condition.withLock(() => {
    condition.notify(count);
  });
};

test("wait gives the lock up, and the notified go on one at a time, when they have it back, in the order in which they waited", async () => {
  const log: string[] = [];
  await run(async () => {
    const condition = new Condition();
    const tasks = ["a", "b", "c"].map((name) => keeper(condition, name, log));
    await sleep(0);
    expect([log, condition.locked()]).toEqual([[], false]);
    expect(await condition.acquire()).toBe(true);
    condition.notify();
    await sleep(0);
    expect([log, condition.locked()]).toEqual([[], true]);
    condition.release();
    await sleep(0);
    expect([log, condition.locked()]).toEqual([["a"], true]);
    condition.notify(2);
    await sleep(0);
    expect([log, condition.locked()]).toEqual([["a"], true]);
    condition.release();
    await sleep(0);
    expect([log, condition.locked()]).toEqual([["a", "b"], true]);
    condition.release();
    await sleep(0);
    expect([log, condition.locked()]).toEqual([["a", "b", "c"], true]);
    expect(tasks.map((task) => task.result())).toEqual([true, true, true]);
  });
});

test("a cancelled wait raises CancelledError once it has the lock back, and leaves the line", async () => {
  await run(async () => {
    const condition = new Condition();
    await condition.acquire();
    const waiter = createTask(condition.wait());
    getRunningLoop().callSoon(() => waiter.cancel("enough"));
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
    expect(inspect(condition)).toBe("<Condition locked>");
  });
});

test("a cancelled wait waits for the lock before it raises", async () => {
  await run(async () => {
    const condition = new Condition();
    await condition.acquire();
    const waiter = createTask(condition.wait());
    await sleep(0);
    await condition.acquire();
    waiter.cancel("enough");
    await sleep(10);
    expect(waiter.done()).toBe(false);
    condition.release();
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
    expect(condition.locked()).toBe(true);
  });
});

test("a wait that is notified while another holds the lock, and then cancelled, has the lock when it ends", async () => {
  await run(async () => {
    const condition = new Condition();
    await condition.acquire();
    const waiter = createTask(condition.wait());
    await sleep(0);
    expect(condition.locked()).toBe(false);
    await condition.acquire();
    condition.notify();
    getRunningLoop().callSoon(() => waiter.cancel());
    getRunningLoop().callSoon(() => {
      condition.release();
    });
    await waiter.then(
      () => undefined,
      (error: unknown) => {
        expect(error).toBeInstanceOf(CancelledError);
      },
    );
    expect(condition.locked()).toBe(true);
  });
});

test("a cancellation that comes while a notified wait takes the lock back is raised once it has it", async () => {
  await run(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const waiter = waiterOf(condition, "went on", log);
    await sleep(0);
    await condition.acquire();
    condition.notify();
    await sleep(0); // it is notified, and waits for the lock
    waiter.cancel();
    await sleep(0);
    expect(waiter.done()).toBe(false);
    waiter.cancel(); // one more changes nothing
    await sleep(0);
    expect(waiter.done()).toBe(false);
    condition.release();
    await sleep(0);
    expect([waiter.cancelled(), log, inspect(condition)]).toEqual([true, [], "<Condition unlocked>"]);
  });
});

test("a notification for a waiter that is cancelled before it goes on is lost, as in CPython 3.11", async () => {
  const log: string[] = [];
  await run(async () => {
    const condition = new Condition();
    const [a, b] = [waiterOf(condition, "a", log), waiterOf(condition, "b", log)];
    await sleep(0);
    await condition.withLock(() => {
      condition.notify();
      a.cancel();
    });
    for (let turn = 0; turn < 5; turn++) await sleep(0);
    expect([a.cancelled(), b.done(), inspect(condition)]).toEqual([true, false, "<Condition unlocked, waiters: 1>"]);
    await notify(condition);
    await b;
  });
  expect(log).toEqual(["b"]);
});

test("a waiter that was cancelled before it was notified is passed over", async () => {
  const log: string[] = [];
  await run(async () => {
    const condition = new Condition();
    const [a, b] = [waiterOf(condition, "a", log), waiterOf(condition, "b", log)];
    await sleep(0);
    await condition.withLock(() => {
      a.cancel();
      condition.notify();
    });
    await b;
    expect(a.cancelled()).toBe(true);
  });
  expect(log).toEqual(["b"]);
});

test("whoever waited for the lock already comes before those who are notified", async () => {
  const log: string[] = [];
  await run(async () => {
    const condition = new Condition();
    const tasks = ["a", "b", "c"].map((name) => waiterOf(condition, name, log));
    await sleep(0);
    await condition.withLock(async () => {
      tasks.push(createTask(() => condition.withLock(() => log.push("plain"))));
      await sleep(0);
      condition.notifyAll();
    });
    await gather(tasks);
  });
  expect(log).toEqual(["plain", "a", "b", "c"]);
});

test("to wait or to notify without the lock is an error", async () => {
  const condition = new Condition();
  expect(() => {
    condition.notify();
  }).toThrow(new RuntimeError("cannot notify on un-acquired lock"));
  expect(() => {
    condition.notifyAll();
  }).toThrow(new RuntimeError("cannot notify on un-acquired lock"));
  expect(() => {
    condition.release();
  }).toThrow(new RuntimeError("Lock is not acquired."));
  await run(async () => {
    await expect(async () => await condition.wait()).rejects.toThrow(new RuntimeError("cannot wait on un-acquired lock"));
    expect(condition.locked()).toBe(false);
  });
});

test("waitFor goes on waiting while its predicate is false, and answers what that answered", async () => {
  const log: unknown[] = [];
  await run(async () => {
    const condition = new Condition();
    let stock = "";
    let asked = 0;
    const waiter = createTask(async () => {
      await condition.withLock(async () => {
        log.push(
          await condition.waitFor(() => {
            asked++;
            return stock;
          }),
        );
      });
    });
    await sleep(0);
    await notify(condition);
    await sleep(0);
    expect([log, asked, waiter.done()]).toEqual([[], 2, false]);
    stock = "bread";
    await notify(condition);
    await sleep(0);
    expect([log, asked, waiter.done()]).toEqual([["bread"], 3, true]);
  });
});

test("waitFor needs the lock only when it has to wait", async () => {
  await run(async () => {
    const condition = new Condition();
    expect(await condition.waitFor(() => [1, 2, 3])).toEqual([1, 2, 3]);
    await expect(async () => await condition.waitFor(() => false)).rejects.toThrow(new RuntimeError("cannot wait on un-acquired lock"));
  });
});

test("a predicate that throws ends waitFor with the lock held", async () => {
  await run(async () => {
    const condition = new Condition();
    let isBroken = false;
    const waiter = createTask(async () => {
      await condition.acquire();
      await condition.waitFor(() => {
        if (isBroken) throw new RangeError("broken");
        return false;
      });
    });
    await sleep(0);
    isBroken = true;
    await notify(condition);
    await expect(async () => await waiter).rejects.toThrow(new RangeError("broken"));
    expect(condition.locked()).toBe(true);
  });
});

test("notify wakes as many as it is told, at most all, in the order in which they came", async () => {
  const log: string[] = [];
  await run(async () => {
    const condition = new Condition();
    const tasks = ["a", "b", "c", "d"].map((name) => waiterOf(condition, name, log));
    await sleep(0);
    await notify(condition, 0);
    await sleep(0);
    expect(log).toEqual([]);
    await notify(condition, 1);
    await sleep(0);
    expect(log).toEqual(["a"]);
    await condition.withLock(() => {
      condition.notify(1);
      condition.notify(2_048); // those who were woken already do not count
    });
    await sleep(0);
    expect([log, tasks.every((task) => task.done())]).toEqual([["a", "b", "c", "d"], true]);
  });
});

test("notifyAll wakes all in the order in which they came", async () => {
  const log: string[] = [];
  await run(async () => {
    const condition = new Condition();
    const tasks = ["a", "b", "c"].map((name) => waiterOf(condition, name, log));
    await sleep(0);
    await condition.withLock(() => {
      condition.notifyAll();
    });
    await sleep(0);
    expect([log, tasks.every((task) => task.done())]).toEqual([["a", "b", "c"], true]);
  });
});

test("the lock is held inside of withLock and of a hold, and free afterwards", async () => {
  await run(async () => {
    const condition = new Condition();
    expect(condition.locked()).toBe(false);
    expect(await condition.withLock(() => condition.locked())).toBe(true);
    expect(condition.locked()).toBe(false);
    await expect(condition.withLock(() => Promise.reject(new RangeError("inside")))).rejects.toThrow("inside");
    expect(condition.locked()).toBe(false);
    {
      using held = await condition.hold();
      expect([condition.locked(), Symbol.dispose in held]).toEqual([true, true]);
    }
    expect(condition.locked()).toBe(false);
  });
});

test("a condition over a given lock shares it, with other conditions too", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    const [full, empty] = [new Condition({ lock }), new Condition({ lock })];
    const seen = (): boolean[] => [lock.locked(), full.locked(), empty.locked()];
    expect(seen()).toEqual([false, false, false]);
    expect(await full.withLock(seen)).toEqual([true, true, true]);
    expect(await lock.withLock(seen)).toEqual([true, true, true]);
    expect(seen()).toEqual([false, false, false]);
    const [first, second] = [waiterOf(full, "full", log), waiterOf(empty, "empty", log)];
    await sleep(0);
    await lock.withLock(() => {
      empty.notify();
    });
    await second;
    expect([log, first.done()]).toEqual([["empty"], false]);
    await notify(full);
    await first;
  });
});

test("a wait that takes too long raises TimeoutError inside of the block, which still holds the lock", async () => {
  await run(async () => {
    const condition = new Condition();
    await condition.withLock(async () => {
      await expect(async () => await waitFor(condition.wait(), 500)).rejects.toThrow(TimeoutError);
      expect([getRunningLoop().time(), inspect(condition)]).toEqual([500, "<Condition locked>"]);
    });
    expect(condition.locked()).toBe(false);
  });
});

test("under any schedule a bounded buffer over two conditions loses nothing and never holds too much", async () => {
  for (const strategy of schedules()) {
    const taken: number[] = [];
    await run(
      async () => {
        const lock = new Lock();
        const [notFull, notEmpty] = [new Condition({ lock }), new Condition({ lock })];
        const buffer: number[] = [];
        const produce = (first: number) => async (): Promise<void> => {
          for (let item = first; item < first + 5; item++) {
            await lock.withLock(async () => {
              await notFull.waitFor(() => buffer.length < 2);
              buffer.push(item);
              expect(buffer.length).toBeLessThanOrEqual(2);
              notEmpty.notify();
            });
          }
        };
        const consume = async (): Promise<void> => {
          for (let count = 0; count < 5; count++) {
            await lock.withLock(async () => {
              await notEmpty.waitFor(() => buffer.length > 0);
              taken.push(buffer.shift()!);
              notFull.notify();
            });
          }
        };
        await gather(produce(0), consume, produce(5), consume);
      },
      { strategy },
    );
    expect(taken.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(taken.filter((item) => item < 5)).toEqual([0, 1, 2, 3, 4]);
  }
});

test("under any schedule a wait has the lock when it ends, however often it is cancelled", async () => {
  for (const strategy of schedules()) {
    const outcomes = await run(
      async () => {
        const condition = new Condition();
        let inside = 0;
        const tasks = Array.from({ length: 4 }, () =>
          createTask(async () => {
            await condition.acquire();
            try {
              await condition.wait();
            } finally {
              expect([++inside, condition.locked()]).toEqual([1, true]);
              inside--;
              condition.release();
            }
          }),
        );
        createTask(async () => {
          for (; tasks.some((task) => !task.done()); await sleep(0)) await notify(condition);
        });
        createTask(async () => {
          for (const task of tasks.slice(2)) {
            for (let count = 0; count < 3; count++, await sleep(0)) task.cancel();
          }
        });
        return await gather(tasks, { returnExceptions: true });
      },
      { strategy },
    );
    for (const [number, outcome] of outcomes.entries()) {
      if (number < 2) expect(outcome).toBe(undefined);
      else expect([undefined, CancelledError]).toContain((outcome as Error | undefined)?.constructor);
    }
  }
});

test("a coroutine of a condition that nobody awaits does nothing and is reported", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runLoop(loop, async () => {
    const condition = new Condition();
    void condition.acquire();
    void condition.hold();
    void condition.wait();
    void condition.waitFor(() => expect.unreachable());
    await sleep(0);
    expect(condition.locked()).toBe(false);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([
    "coroutine Lock.acquire was never awaited",
    "coroutine Lock.hold was never awaited",
    "coroutine Condition.wait was never awaited",
    "coroutine Condition.waitFor was never awaited",
  ]);
});

test("a deadlock names the condition, or its lock and who holds that", async () => {
  const message = await run(async () => {
    const [stock, nameless] = [new Condition({ name: "stock" }), new Condition()];
    waiterOf(nameless, "customer", []);
    waiterOf(stock, "notified", []);
    await sleep(0);
    await stock.acquire();
    stock.notify();
    await nameless.withLock(() => nameless.wait());
  }).catch((error: unknown) => describeError(error));
  expect(String(message).replaceAll(/\d+:\d+/g, "LINE:COLUMN")).toMatchInlineSnapshot(`
    "DeadlockError: deadlock at step 5, t=0: 3 tasks wait and nothing can wake them.
      main      waits for condition  at src/sync/condition.test.ts:LINE:COLUMN
      customer  waits for condition  at src/sync/condition.test.ts:LINE:COLUMN
      notified  waits for lock of condition stock, held by main  at src/sync/condition.test.ts:LINE:COLUMN
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("a condition, or its lock, that was waited for in an earlier run is refused where it would have to wait", async () => {
  const lock = new Lock({ name: "kept" });
  const condition = new Condition({ lock, name: "kept" });
  await run(async () => {
    const waiter = waiterOf(condition, "waiter", []);
    await sleep(0);
    await notify(condition);
    await waiter;
  });
  await run(async () => {
    await condition.acquire();
    await expect(async () => await condition.wait()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for condition kept: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
    expect(lock.locked()).toBe(true); // it was given up and taken back
    condition.release();
  });
  const contended = new Condition({ lock });
  await run(async () => {
    await lock.acquire();
    const waiter = createTask(lock.acquire());
    await sleep(0);
    lock.release();
    await waiter;
  });
  await run(async () => {
    await expect(async () => await contended.acquire()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for lock kept, held by Task-2, which has ended: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
  });
});

test("a condition prints its name, the state of its lock and how many wait to be notified", async () => {
  const seen: string[] = [];
  await run(async () => {
    const condition = new Condition({ name: "stock" });
    seen.push(inspect(new Condition()), inspect(condition));
    for (const name of ["a", "b"]) waiterOf(condition, name, []);
    await sleep(0);
    seen.push(inspect(condition));
    await condition.acquire();
    condition.notify();
    seen.push(inspect(condition)); // the woken one stands in line until it goes on
    await sleep(0);
    seen.push(inspect(condition));
    condition.release();
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "<Condition unlocked>",
      "<Condition stock unlocked>",
      "<Condition stock unlocked, waiters: 2>",
      "<Condition stock locked, waiters: 2>",
      "<Condition stock locked, waiters: 1>",
    ]
  `);
});

test("a predicate that answers a promise, and a count that is none, are refused", async () => {
  await run(async () => {
    const condition = new Condition();
    await condition.withLock(async () => {
      await expect(async () => await condition.waitFor(async () => false)).rejects.toThrowErrorMatchingInlineSnapshot(
        `[UsageError: Condition.waitFor: the predicate must answer at once, and not a promise, which always counts as true]`,
      );
      expect(() => {
        condition.notify(1.5);
      }).toThrowErrorMatchingInlineSnapshot(`[UsageError: Condition.notify: count must be a whole number, 0 or more, not 1.5]`);
    });
  });
});
