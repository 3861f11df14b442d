import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { waitFor } from "../combine/wait-for.js";
import { CancelledError, describeError, RuntimeError, TimeoutError, UsageError, ValueError } from "../errors/errors.js";
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
import { BoundedSemaphore, Semaphore } from "./semaphore.js";

/** asyncio's own order, and a hundred others. */
const schedules = (): Strategy[] => [fifo(), ...Array.from({ length: 100 }, (_, seed) => random(seed))];

/** A task that takes a permit, notes that it did, and keeps it. */
const taker = (semaphore: Semaphore, name: string, log: string[]): Task<boolean> =>
  createTask(async () => {
    const answer = await semaphore.acquire();
    log.push(name);
    return answer;
  });

test("as many as there are permits go in, and each release lets in one more, in order", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(3);
    expect([await semaphore.acquire(), await semaphore.acquire(), semaphore.locked()]).toEqual([true, true, false]);
    const tasks = [taker(semaphore, "first", log), taker(semaphore, "second", log), taker(semaphore, "third", log)];
    await sleep(0);
    expect([log, semaphore.locked(), inspect(semaphore)]).toEqual([["first"], true, "<Semaphore value: 0, waiters: 2>"]);
    tasks.push(taker(semaphore, "late", log));
    semaphore.release();
    semaphore.release();
    expect(inspect(semaphore)).toBe("<Semaphore value: 0, waiters: 2>"); // both permits are on their way
    await sleep(0);
    expect([log, semaphore.locked(), inspect(semaphore)]).toEqual([["first", "second", "third"], true, "<Semaphore value: 0, waiters: 1>"]);
    semaphore.release();
    expect(await gather(tasks)).toEqual([true, true, true, true]);
  });
  expect(log).toEqual(["first", "second", "third", "late"]);
});

test("a semaphore without permits is locked from the start", () => {
  expect([new Semaphore(0).locked(), new Semaphore().locked()]).toEqual([true, false]);
});

test("a number of permits that is negative or not whole is refused", () => {
  expect(() => new Semaphore(-1)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Semaphore: the initial value must be a whole number, 0 or more, not -1]`,
  );
  expect(() => new Semaphore(1.5)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Semaphore: the initial value must be a whole number, 0 or more, not 1.5]`,
  );
  expect(() => new Semaphore(Number.NaN)).toThrow(UsageError);
  expect(() => new Semaphore("2" as unknown as number)).toThrow(UsageError);
  expect(() => new BoundedSemaphore(-1)).toThrow(UsageError);
});

test("a free permit is taken without a suspension", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(1);
    createTask(async () => log.push("other"));
    await semaphore.acquire();
    semaphore.release();
    await semaphore.withPermit(() => log.push("body"));
    (await semaphore.hold())[Symbol.dispose]();
    log.push("through");
    await sleep(0);
  });
  expect(log).toEqual(["body", "through", "other"]);
});

test("a cancelled waiter gets CancelledError and leaves the line", async () => {
  await run(async () => {
    const semaphore = new Semaphore();
    await semaphore.acquire();
    const waiter = createTask(semaphore.acquire());
    getRunningLoop().callSoon(() => waiter.cancel("enough"));
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
    expect(inspect(semaphore)).toBe("<Semaphore value: 0>");
  });
});

test("cancelled waiters are passed over, and one release wakes only one", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(0);
    const tasks = ["a", "b", "c", "d"].map((name) => taker(semaphore, name, log));
    await sleep(0);
    tasks[0]!.cancel();
    tasks[1]!.cancel();
    semaphore.release();
    await sleep(0);
    await sleep(0);
    expect(log).toEqual(["c"]);
    expect(tasks.map((task) => task.done())).toEqual([true, true, true, false]);
    expect(tasks[2]!.cancel()).toBe(false);
    tasks[3]!.cancel();
    await sleep(0);
    expect(inspect(semaphore)).toBe("<Semaphore value: 0>");
  });
});

test("a release right after the first of two waiters was cancelled lets the second in", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(0);
    const [first] = [taker(semaphore, "first", log), taker(semaphore, "second", log)];
    await sleep(0);
    first.cancel();
    semaphore.release();
    await sleep(0);
    await sleep(0);
    expect([log, semaphore.locked(), first.cancelled()]).toEqual([["second"], true, true]);
  });
});

test("a woken waiter that is cancelled before it goes on gives its permit to the next, or back", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const [first, second] = [taker(semaphore, "first", log), taker(semaphore, "second", log)];
    await sleep(0);
    semaphore.release();
    first.cancel();
    await sleep(0);
    await sleep(0);
    expect([log, first.cancelled(), inspect(semaphore)]).toEqual([["second"], true, "<Semaphore value: 0>"]);
    const third = taker(semaphore, "third", log);
    await sleep(0);
    semaphore.release();
    third.cancel();
    await sleep(0);
    expect([third.cancelled(), inspect(semaphore)]).toEqual([true, "<Semaphore value: 1>"]);
    expect(await waitFor(semaphore.acquire(), 1_000)).toBe(true);
    expect(second.result()).toBe(true);
  });
});

test("a task that is cancelled by the one that has just released does not lose the permit", async () => {
  await run(async () => {
    const semaphore = new Semaphore(1);
    const tasks: Task[] = [];
    tasks.push(
      createTask(async () => {
        await semaphore.withPermit(() => sleep(0));
        tasks[1]!.cancel();
      }),
      createTask(() => semaphore.withPermit(() => expect.unreachable())),
    );
    expect(await gather(tasks, { returnExceptions: true })).toEqual([undefined, new CancelledError()]);
    expect(await waitFor(semaphore.acquire(), 1_000)).toBe(true);
    expect(getRunningLoop().time()).toBe(0);
  });
});

test("a release without waiters frees a permit", async () => {
  await run(async () => {
    const semaphore = new Semaphore();
    await semaphore.acquire();
    expect(semaphore.locked()).toBe(true);
    semaphore.release();
    expect(semaphore.locked()).toBe(false);
  });
});

test("tasks that come again and again take turns in strict order", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(1);
    const use = (name: string) => async (): Promise<void> => {
      for (let round = 1; round <= 2; round++) {
        await semaphore.acquire();
        log.push(`${name}${round} t=${getRunningLoop().time()}`);
        await sleep(10);
        semaphore.release();
      }
    };
    await gather(use("a"), use("b"), use("c"));
  });
  expect(log).toEqual(["a1 t=0", "b1 t=10", "c1 t=20", "a2 t=30", "b2 t=40", "c2 t=50"]);
});

test("whoever gives a permit back and wants one again queues behind those who wait", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(1);
    const once = (name: string) => async (): Promise<void> => {
      await semaphore.acquire();
      log.push(name);
    };
    const again = async (): Promise<void> => {
      await once("again 1")();
      semaphore.release();
      await once("again 2")();
    };
    const all = gather(once("first"), again, once("last"));
    await sleep(0);
    semaphore.release();
    semaphore.release();
    await all;
  });
  expect(log).toEqual(["first", "again 1", "last", "again 2"]);
});

test("with the first waiter gone the others get their permits in their order", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(0);
    const tasks = ["a", "b", "c"].map((name) => taker(semaphore, name, log));
    await sleep(0);
    tasks[0]!.cancel();
    await sleep(0);
    semaphore.release();
    semaphore.release();
    expect(await gather(tasks, { returnExceptions: true })).toEqual([new CancelledError(), true, true]);
  });
  expect(log).toEqual(["b", "c"]);
});

test("nobody gets in between a release and the waiter that it woke", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    taker(semaphore, "waiter", log);
    await sleep(0);
    const late = taker(semaphore, "late", log); // its turn comes before the waiter's, which is woken only now
    semaphore.release();
    expect(semaphore.locked()).toBe(true);
    await sleep(0);
    expect([log, late.done()]).toEqual([["waiter"], false]);
  });
});

test("more permits may be given back than there were at first", async () => {
  await run(async () => {
    const semaphore = new Semaphore(1);
    semaphore.release();
    await semaphore.acquire();
    expect(semaphore.locked()).toBe(false);
    await semaphore.acquire();
    expect(semaphore.locked()).toBe(true);
  });
});

describe("bounded", () => {
  test("no more permits can be given back than there were at first", async () => {
    const semaphore = new BoundedSemaphore();
    expect(() => {
      semaphore.release();
    }).toThrow(new ValueError("BoundedSemaphore released too many times"));
    await run(async () => {
      const two = new BoundedSemaphore(2);
      await two.acquire();
      two.release();
      expect(() => {
        two.release();
      }).toThrow(ValueError);
      expect(inspect(two)).toBe("<BoundedSemaphore value: 2>");
    });
  });

  test("a permit that a woken and cancelled waiter gives back does not count twice", async () => {
    await run(async () => {
      const semaphore = new BoundedSemaphore(1);
      await semaphore.acquire();
      const waiter = createTask(semaphore.acquire());
      await sleep(0);
      semaphore.release();
      waiter.cancel();
      await sleep(0);
      expect(inspect(semaphore)).toBe("<BoundedSemaphore value: 1>");
      expect(() => {
        semaphore.release();
      }).toThrow(ValueError);
    });
  });

  test("withPermit and hold work as those of the unbounded one", async () => {
    await run(async () => {
      const semaphore = new BoundedSemaphore(1, { name: "one" });
      expect(await semaphore.withPermit(() => inspect(semaphore))).toBe("<BoundedSemaphore one value: 0>");
      using permit = await semaphore.hold();
      expect([semaphore.locked(), Symbol.dispose in permit]).toEqual([true, true]);
    });
  });
});

test("withPermit holds a permit while its body runs, and answers what that returns", async () => {
  await run(async () => {
    const semaphore = new Semaphore(1);
    const seen: boolean[] = [];
    const look = <T>(value: T): T => {
      seen.push(semaphore.locked());
      return value;
    };
    const answers = [
      await semaphore.withPermit(() => look("a plain value")),
      await semaphore.withPermit(async () => {
        await sleep(5);
        return look("a promise");
      }),
      await semaphore.withPermit(() => coroutine(() => look("a coroutine"))),
    ];
    expect(answers).toEqual(["a plain value", "a promise", "a coroutine"]);
    expect([...seen, semaphore.locked()]).toEqual([true, true, true, false]);
  });
});

test("withPermit gives the permit back when its body throws, fails later or is cancelled", async () => {
  await run(async () => {
    const semaphore = new Semaphore(1);
    const thrown = semaphore.withPermit(() => {
      throw new RangeError("at once");
    });
    await expect(thrown).rejects.toThrow(new RangeError("at once"));
    const failed = semaphore.withPermit(async () => {
      await sleep(1);
      throw new RangeError("later");
    });
    await expect(failed).rejects.toThrow(new RangeError("later"));
    expect(semaphore.locked()).toBe(false);
    const cancelled = createTask(() => semaphore.withPermit(() => sleep(1_000)));
    await sleep(1);
    expect(semaphore.locked()).toBe(true);
    cancelled.cancel();
    await expect(async () => await cancelled).rejects.toThrow(CancelledError);
    expect(inspect(semaphore)).toBe("<Semaphore value: 1>");
  });
});

test("withPermit that is cancelled while it waits neither runs its body nor gives a permit back", async () => {
  await run(async () => {
    const semaphore = new Semaphore(0);
    const waiter = createTask(() => semaphore.withPermit(() => expect.unreachable()));
    await sleep(0);
    waiter.cancel();
    await expect(async () => await waiter).rejects.toThrow(CancelledError);
    expect(inspect(semaphore)).toBe("<Semaphore value: 0>");
  });
});

test("hold keeps a permit to the end of the block, and gives it back once", async () => {
  const log: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(1);
    {
      using permit = await semaphore.hold();
      expect([semaphore.locked(), Symbol.dispose in permit]).toEqual([true, true]);
      createTask(async () => {
        using permit = await semaphore.hold();
        log.push(`next ${semaphore.locked()} ${Symbol.dispose in permit}`);
      });
      await sleep(5);
      log.push(`still ${semaphore.locked()}`);
    }
    await sleep(0);
    expect(inspect(semaphore)).toBe("<Semaphore value: 1>");
    const permit = await semaphore.hold();
    permit[Symbol.dispose]();
    permit[Symbol.dispose]();
    expect(inspect(semaphore)).toBe("<Semaphore value: 1>");
  });
  expect(log).toEqual(["still true", "next true true"]);
});

test("under any schedule no more are inside than there are permits, and a cancelled one loses none", async () => {
  const permits = 2;
  let woken = 0;
  for (const strategy of schedules()) {
    await run(
      async () => {
        const semaphore = new Semaphore(permits);
        const entered: number[] = [];
        const line: number[] = [];
        let inside = 0;
        const tasks = Array.from({ length: 10 }, (_, number) =>
          createTask(async () => {
            line.push(number);
            await semaphore.withPermit(async () => {
              line.splice(line.indexOf(number), 1);
              entered.push(number);
              expect(++inside).toBeLessThanOrEqual(permits);
              await sleep(0);
              inside--;
            });
          }),
        );
        // Whoever stands first in line while a permit is neither held nor free was woken, and has not gone on.
        createTask(async () => {
          for (let victims = 0; victims < 4 && tasks.some((task) => !task.done()); await sleep(0)) {
            const [first] = line;
            if (inside >= permits || first === undefined) continue;
            line.shift();
            tasks[first]!.cancel();
            victims++;
            woken++;
          }
        });
        const outcomes = await gather(tasks, { returnExceptions: true });
        const survivors = [...tasks.keys()].filter((number) => !(outcomes[number] instanceof CancelledError));
        expect(entered.toSorted((a, b) => a - b)).toEqual(survivors);
        expect(inspect(semaphore)).toBe(`<Semaphore value: ${permits}>`);
      },
      { strategy },
    );
  }
  // Of 101 schedules; a release in a step of its own leaves the canceller about an even chance to come before the woken task.
  expect(woken).toBeGreaterThan(50);
});

test("a wait for a permit that takes too long leaves no waiter behind", async () => {
  await run(async () => {
    const semaphore = new Semaphore(0);
    await expect(async () => await waitFor(semaphore.acquire(), 10)).rejects.toThrow(TimeoutError);
    expect(inspect(semaphore)).toBe("<Semaphore value: 0>");
  });
});

test("an acquire that nobody awaits takes nothing and is reported", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runLoop(loop, async () => {
    const semaphore = new BoundedSemaphore(1);
    void semaphore.acquire();
    void semaphore.hold();
    await sleep(0);
    expect(semaphore.locked()).toBe(false);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual(["coroutine Semaphore.acquire was never awaited", "coroutine Semaphore.hold was never awaited"]);
});

test("a deadlock names the semaphore", async () => {
  const message = await run(async () => {
    createTask(new Semaphore(0).acquire(), { name: "nameless" });
    await new BoundedSemaphore(0, { name: "connections" }).acquire();
  }).catch((error: unknown) => describeError(error));
  expect(String(message).replaceAll(/\d+:\d+/g, "LINE:COLUMN")).toMatchInlineSnapshot(`
    "DeadlockError: deadlock at step 2, t=0: 2 tasks wait and nothing can wake them.
      main      waits for semaphore connections, of which no permit is free  at src/sync/semaphore.test.ts:LINE:COLUMN
      nameless  waits for semaphore, of which no permit is free
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("a semaphore that was waited for in an earlier run is refused where it would have to wait", async () => {
  const semaphore = new Semaphore(0, { name: "kept" });
  await run(async () => {
    createTask(semaphore.acquire());
    await sleep(0);
    semaphore.release();
    await sleep(0);
  });
  await run(async () => {
    await expect(async () => await semaphore.acquire()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for semaphore kept, of which no permit is free: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
    await expect(semaphore.withPermit(() => 1)).rejects.toThrow(RuntimeError);
    semaphore.release();
    expect(await semaphore.withPermit(() => 1)).toBe(1); // as in asyncio: what needs no wait is not refused
  });
});

test("a semaphore prints its name, the permits that are free and how many wait", async () => {
  const seen: string[] = [];
  await run(async () => {
    const semaphore = new Semaphore(2, { name: "connections" });
    seen.push(inspect(new Semaphore()), inspect(semaphore));
    await semaphore.acquire();
    seen.push(inspect(semaphore));
    await semaphore.acquire();
    createTask(semaphore.acquire());
    await sleep(0);
    seen.push(inspect(semaphore));
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "<Semaphore value: 1>",
      "<Semaphore connections value: 2>",
      "<Semaphore connections value: 1>",
      "<Semaphore connections value: 0, waiters: 1>",
    ]
  `);
});
