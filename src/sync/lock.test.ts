import { inspect } from "node:util";
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { waitFor } from "../combine/wait-for.js";
import { CancelledError, describeError, RuntimeError, TimeoutError } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runLoop } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { random } from "../strategy/random.js";
import { Event } from "./event.js";
import { Lock } from "./lock.js";

/** asyncio's own order, and a hundred others. */
const schedules = (): Strategy[] => [fifo(), ...Array.from({ length: 100 }, (_, seed) => random(seed))];

/** A task that takes the lock, notes that it did, and keeps it. */
const taker = (lock: Lock, name: string, log: string[]): Task<boolean> =>
  createTask(
    async () => {
      const answer = await lock.acquire();
      log.push(name);
      return answer;
    },
    { name },
  );

/** Where the awaits of this file stand changes with it. */
const withoutSites = (message: string): string => message.replaceAll(/ {2}at src\/sync\/lock\.test\.ts:\d+:\d+/g, "  at SITE");

test("waiters get the lock in the order in which they came, one at each release, a step later", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    expect(await lock.acquire()).toBe(true);
    const tasks = [taker(lock, "first", log), taker(lock, "second", log)];
    await sleep(0);
    expect(log).toEqual([]);
    lock.release();
    expect(log).toEqual([]);
    await sleep(0);
    expect(log).toEqual(["first"]);
    await sleep(0);
    expect(log).toEqual(["first"]);
    tasks.push(taker(lock, "late", log));
    lock.release();
    await sleep(0);
    expect(log).toEqual(["first", "second"]);
    lock.release();
    await sleep(0);
    expect(log).toEqual(["first", "second", "late"]);
    expect(tasks.map((task) => task.result())).toEqual([true, true, true]);
    expect(lock.locked()).toBe(true);
  });
});

test("a free lock is taken without a suspension", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    createTask(async () => log.push("other"));
    await lock.acquire();
    lock.release();
    await lock.withLock(() => log.push("body"));
    (await lock.hold())[Symbol.dispose]();
    log.push("through");
    await sleep(0);
  });
  expect(log).toEqual(["body", "through", "other"]);
});

test("whoever gives the lock back and wants it again queues behind those who wait", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    const greedy = async (name: string): Promise<void> => {
      for (let round = 1; round <= 2; round++) {
        await lock.withLock(async () => {
          log.push(`${name}${round}`);
          await sleep(0);
        });
      }
    };
    await gather(
      () => greedy("a"),
      () => greedy("b"),
      () => greedy("c"),
    );
  });
  expect(log).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
});

test("a cancelled waiter gets CancelledError and leaves the line, and the lock stays where it is", async () => {
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const waiter = createTask(lock.acquire());
    getRunningLoop().callSoon(() => waiter.cancel("enough"));
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
    expect(inspect(lock)).toBe("<Lock locked>");
  });
});

test("a waiter that is cancelled in the step of the release is passed over", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    const held = getRunningLoop().createFuture();
    const use = (name: string, until?: PromiseLike<unknown>) => async (): Promise<void> => {
      await lock.withLock(async () => {
        log.push(name);
        await until;
      });
    };
    const a = createTask(use("a", held));
    await sleep(0);
    const [b, c] = [createTask(use("b")), createTask(use("c"))];
    await sleep(0);
    expect(inspect(lock)).toBe("<Lock locked, waiters: 2>");
    held.setResult(undefined);
    b.cancel();
    await sleep(0);
    expect([a.done(), b.cancelled(), lock.locked()]).toEqual([true, true, false]);
    await c;
  });
  expect(log).toEqual(["a", "c"]);
});

test("cancelling the first waiter and releasing in one callback wakes the next one and nobody else", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const [first, second, third] = [taker(lock, "first", log), taker(lock, "second", log), taker(lock, "third", log)];
    await sleep(0);
    getRunningLoop().callSoon(() => {
      first.cancel();
      lock.release();
    });
    await expect(async () => await first).rejects.toThrow(CancelledError);
    expect(log).toEqual(["second"]);
    expect([second.done(), third.done(), lock.locked()]).toEqual([true, false, true]);
    third.cancel();
    await sleep(0);
    expect(third.cancelled()).toBe(true);
  });
});

test("a release right after the first waiter was cancelled goes to the one that comes next, though it was not in line yet", async () => {
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const first = createTask(lock.acquire());
    await sleep(0);
    const second = createTask(lock.acquire());
    first.cancel();
    lock.release();
    await sleep(0);
    expect([first.cancelled(), lock.locked()]).toEqual([true, true]);
    expect(await second).toBe(true);
  });
});

test("a woken waiter that is cancelled before it goes on passes the lock on", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const [first, second] = [taker(lock, "first", log), taker(lock, "second", log)];
    await sleep(0);
    expect(inspect(second)).toBe("<Task second suspended, waits for lock, held by main>");
    lock.release();
    expect(inspect(second)).toBe("<Task second suspended, waits for lock>");
    first.cancel();
    await sleep(0);
    expect([first.cancelled(), log]).toEqual([true, []]);
    await sleep(0);
    expect([second.done(), log]).toEqual([true, ["second"]]);
  });
});

test("a woken waiter that is cancelled while nobody else waits leaves the lock free", async () => {
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const waiter = createTask(lock.acquire());
    await sleep(0);
    lock.release();
    waiter.cancel();
    await sleep(0);
    expect([waiter.cancelled(), inspect(lock)]).toEqual([true, "<Lock unlocked>"]);
    expect(await lock.acquire()).toBe(true);
  });
});

test("nobody gets in between a release and the waiter that it woke", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    taker(lock, "waiter", log);
    await sleep(0);
    const late = taker(lock, "late", log); // its turn comes before the waiter's, which is woken only now
    lock.release();
    expect(lock.locked()).toBe(false);
    await sleep(0);
    expect([log, inspect(lock)]).toEqual([["waiter"], "<Lock locked, waiters: 1>"]);
    lock.release();
    await late;
  });
  expect(log).toEqual(["waiter", "late"]);
});

test("a lock that nobody holds cannot be released", async () => {
  const lock = new Lock();
  expect(() => {
    lock.release();
  }).toThrow(new RuntimeError("Lock is not acquired."));
  await run(async () => {
    await lock.acquire();
    lock.release();
    expect(() => {
      lock.release();
    }).toThrow(new RuntimeError("Lock is not acquired."));
  });
});

test("a release without waiters leaves the lock free", async () => {
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    expect(lock.locked()).toBe(true);
    lock.release();
    expect(lock.locked()).toBe(false);
  });
});

test("another task than the one that took the lock may release it", async () => {
  await run(async () => {
    const lock = new Lock();
    await createTask(lock.acquire());
    expect(lock.locked()).toBe(true);
    lock.release();
    expect(lock.locked()).toBe(false);
  });
});

test("the lock is not reentrant: a task that takes it twice waits for itself", async () => {
  await expect(
    run(async () => {
      const lock = new Lock({ name: "mine" });
      await lock.withLock(async () => {
        await lock.acquire();
      });
    }),
  ).rejects.toThrow(/main {2}waits for lock mine, held by main /);
});

test("withLock holds the lock while its body runs, and answers what that returns", async () => {
  await run(async () => {
    const lock = new Lock();
    const seen: boolean[] = [lock.locked()];
    const answers = [
      await lock.withLock(() => {
        seen.push(lock.locked());
        return "a plain value";
      }),
      await lock.withLock(async () => {
        await sleep(5);
        seen.push(lock.locked());
        return "a promise";
      }),
      await lock.withLock(() => coroutine(() => (seen.push(lock.locked()), "a coroutine"))),
      await lock.withLock(() => createTask(() => (seen.push(lock.locked()), "a task"))),
    ];
    expect(answers).toEqual(["a plain value", "a promise", "a coroutine", "a task"]);
    expect([...seen, lock.locked()]).toEqual([false, true, true, true, true, false]);
  });
});

test("withLock gives the lock back when its body throws, fails later or is cancelled", async () => {
  await run(async () => {
    const lock = new Lock();
    const thrown = lock.withLock(() => {
      throw new RangeError("at once");
    });
    await expect(thrown).rejects.toThrow(new RangeError("at once"));
    expect(lock.locked()).toBe(false);
    const failed = lock.withLock(async () => {
      await sleep(1);
      throw new RangeError("later");
    });
    await expect(failed).rejects.toThrow(new RangeError("later"));
    expect(lock.locked()).toBe(false);
    const cancelled = createTask(() => lock.withLock(() => sleep(1_000)));
    await sleep(1);
    expect(lock.locked()).toBe(true);
    cancelled.cancel("enough");
    await expect(async () => await cancelled).rejects.toThrow(new CancelledError("enough"));
    expect(lock.locked()).toBe(false);
  });
});

test("withLock that is cancelled while it waits neither runs its body nor releases what it has not got", async () => {
  await run(async () => {
    const lock = new Lock();
    let isRun = false;
    await lock.withLock(async () => {
      const waiter = createTask(() => lock.withLock(() => (isRun = true)));
      await sleep(0);
      waiter.cancel();
      await expect(async () => await waiter).rejects.toThrow(CancelledError);
      expect([isRun, lock.locked()]).toEqual([false, true]);
    });
    expect(lock.locked()).toBe(false);
  });
});

test("hold keeps the lock to the end of the block, however that is left", async () => {
  const log: string[] = [];
  await run(async () => {
    const lock = new Lock();
    {
      using held = await lock.hold();
      expect([lock.locked(), Symbol.dispose in held]).toEqual([true, true]);
      createTask(async () => {
        using held = await lock.hold();
        log.push(`next ${lock.locked()} ${Symbol.dispose in held}`);
      });
      await sleep(5);
      log.push(`still ${lock.locked()}`);
    }
    expect(lock.locked()).toBe(false);
    await sleep(0);
    const failing = async (): Promise<void> => {
      const held = await lock.hold();
      try {
        throw new RangeError("inside");
      } finally {
        held[Symbol.dispose]();
      }
    };
    await expect(failing()).rejects.toThrow(new RangeError("inside"));
    expect(lock.locked()).toBe(false);
    const cancelled = createTask(async () => {
      using held = await lock.hold();
      await sleep(1_000);
      expect.unreachable(inspect(held));
    });
    await sleep(1);
    expect(lock.locked()).toBe(true);
    cancelled.cancel();
    await expect(async () => await cancelled).rejects.toThrow(CancelledError);
    expect(lock.locked()).toBe(false);
  });
  expect(log).toEqual(["still true", "next true true"]);
});

test("a hold that is cancelled while it waits has nothing to give back", async () => {
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const waiter = createTask(async () => {
      using held = await lock.hold();
      expect.unreachable(inspect(held));
    });
    await sleep(0);
    waiter.cancel();
    await expect(async () => await waiter).rejects.toThrow(CancelledError);
    expect(inspect(lock)).toBe("<Lock locked>");
  });
});

test("what hold answers gives the lock back once, however often it is disposed of", async () => {
  await run(async () => {
    const lock = new Lock();
    const mine = await lock.hold();
    mine[Symbol.dispose]();
    const others = await lock.hold();
    mine[Symbol.dispose]();
    expect(lock.locked()).toBe(true);
    others[Symbol.dispose]();
    expect(lock.locked()).toBe(false);
  });
});

test("under any schedule one task holds the lock at a time, in order of arrival, and a cancelled one passes it on", async () => {
  let woken = 0;
  for (const strategy of schedules()) {
    await run(
      async () => {
        const lock = new Lock();
        const [arrived, entered, line]: number[][] = [[], [], []];
        let inside = 0;
        const tasks = Array.from({ length: 8 }, (_, number) =>
          createTask(async () => {
            arrived!.push(number);
            line!.push(number);
            await lock.withLock(async () => {
              line!.splice(line!.indexOf(number), 1);
              entered!.push(number);
              expect(++inside).toBe(1);
              await sleep(0);
              inside--;
            });
          }),
        );
        // Whoever stands first in line while nobody holds the lock was woken, and has not gone on.
        createTask(async () => {
          for (let victims = 0; victims < 3 && tasks.some((task) => !task.done()); await sleep(0)) {
            const [first] = line!;
            if (lock.locked() || first === undefined) continue;
            line!.shift();
            tasks[first]!.cancel();
            victims++;
            woken++;
          }
        });
        const outcomes = await gather(tasks, { returnExceptions: true });
        const survivors = arrived!.filter((number) => !(outcomes[number] instanceof CancelledError));
        expect(entered).toEqual(survivors);
        expect(inspect(lock)).toBe("<Lock unlocked>");
      },
      { strategy },
    );
  }
  // Of 101 schedules; a release in a step of its own leaves the canceller about an even chance to come before the woken task.
  expect(woken).toBeGreaterThan(50);
});

test("five thousand tasks get the lock in the order in which they came", async () => {
  const order: number[] = [];
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    const tasks = Array.from({ length: 5_000 }, (_, number) => createTask(() => lock.withLock(() => order.push(number))));
    await sleep(0);
    lock.release();
    await gather(tasks);
  });
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order).toHaveLength(5_000);
});

test("a wait for the lock that takes too long leaves no waiter behind", async () => {
  await run(async () => {
    const lock = new Lock();
    await lock.acquire();
    await expect(async () => await waitFor(lock.acquire(), 10)).rejects.toThrow(TimeoutError);
    expect([getRunningLoop().time(), inspect(lock)]).toEqual([10, "<Lock locked>"]);
  });
});

test("an acquire is gathered with other waits, and started as a task", async () => {
  await run(async () => {
    const lock = new Lock();
    const event = new Event();
    await lock.acquire();
    const both = gather(lock.acquire(), event.wait());
    const third = createTask(lock.acquire(), { name: "third" });
    await sleep(0);
    event.set();
    lock.release();
    expect(await both).toEqual([true, true]);
    expect(inspect(third)).toBe("<Task third suspended, waits for lock, held by Task-2, which has ended>");
    lock.release();
    expect(await third).toBe(true);
  });
});

test("an acquire that nobody awaits takes nothing and is reported", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runLoop(loop, async () => {
    const lock = new Lock();
    void lock.acquire();
    void lock.hold();
    await sleep(0);
    expect(lock.locked()).toBe(false);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual(["coroutine Lock.acquire was never awaited", "coroutine Lock.hold was never awaited"]);
});

test("an acquire is awaited once", async () => {
  await run(async () => {
    const acquiring = new Lock().acquire();
    expect(inspect(acquiring)).toBe("<Coroutine Lock.acquire: not started>");
    await acquiring;
    await expect(async () => await acquiring).rejects.toThrow("cannot reuse already awaited coroutine Lock.acquire");
  });
});

test("a deadlock names the locks and who holds them", async () => {
  const bank = async (): Promise<void> => {
    const [accounts, journal] = [new Lock({ name: "accounts" }), new Lock({ name: "journal" })];
    const nameless = new Lock();
    const inOrder = (first: Lock, second: Lock) => async (): Promise<void> => {
      await first.withLock(async () => {
        await sleep(1);
        await second.acquire();
      });
    };
    createTask(inOrder(accounts, journal), { name: "writer" });
    createTask(inOrder(journal, accounts), { name: "reader" });
    await nameless.acquire();
    createTask(nameless.acquire(), { name: "third" });
    await getRunningLoop().createFuture("the end");
  };
  const message = await run(bank).catch((error: unknown) => describeError(error));
  expect(withoutSites(String(message))).toMatchInlineSnapshot(`
    "DeadlockError: deadlock at step 6, t=1: 4 tasks wait and nothing can wake them.
      main    waits for the end  at SITE
      writer  waits for lock journal, held by reader  at SITE
      reader  waits for lock accounts, held by writer  at SITE
      third   waits for lock, held by main
    They wait in a circle: writer waits for lock journal, held by reader, which waits for lock accounts, held by writer.
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("a waiter of a lock that was taken in a callback is told of no holder", async () => {
  const waiting = run(async () => {
    const lock = new Lock({ name: "odd" });
    await new Promise<void>((resolve) => {
      getRunningLoop().callSoon(() => {
        void lock.acquire().then(() => {
          resolve();
        });
      });
    });
    await lock.acquire();
  });
  await expect(waiting).rejects.toThrow(/ waits for lock odd /);
});

test("a lock that was waited for in an earlier run is refused where it would have to wait", async () => {
  const lock = new Lock({ name: "kept" });
  await run(async () => {
    await lock.acquire();
    const waiter = createTask(lock.acquire());
    await sleep(0);
    lock.release();
    await waiter;
  });
  await run(async () => {
    await expect(async () => await lock.acquire()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for lock kept, held by Task-2, which has ended: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
    await expect(lock.withLock(() => 1)).rejects.toThrow(RuntimeError);
    // As in asyncio: what needs no wait is not refused.
    lock.release();
    expect(await lock.withLock(() => 1)).toBe(1);
  });
});

test("a lock can be made outside of a run, and is waited for inside", async () => {
  const lock = new Lock();
  await expect(async () => await lock.acquire()).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Awaiting coroutine Lock.acquire needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  await run(async () => {
    expect(await lock.acquire()).toBe(true);
  });
  await expect(lock.withLock(() => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Waiting for lock, held by main, which has ended needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a lock prints its name, its state and how many wait", async () => {
  const seen: string[] = [];
  await run(async () => {
    const lock = new Lock({ name: "accounts" });
    seen.push(inspect(new Lock()), inspect(lock));
    await lock.acquire();
    seen.push(inspect(lock));
    for (let count = 0; count < 2; count++) createTask(lock.acquire()).addDoneCallback(() => lock.locked() && lock.release());
    await sleep(0);
    seen.push(inspect(lock));
    lock.release();
    seen.push(inspect(lock)); // the woken one stands in line until it goes on
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "<Lock unlocked>",
      "<Lock accounts unlocked>",
      "<Lock accounts locked>",
      "<Lock accounts locked, waiters: 2>",
      "<Lock accounts unlocked, waiters: 2>",
    ]
  `);
});

test("a body that is no function is refused before the lock is taken", async () => {
  const lock = new Lock();
  await expect(lock.withLock(undefined as never)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: withLock: needs a function to run, () => …, not undefined]`,
  );
  expect(lock.locked()).toBe(false);
});
