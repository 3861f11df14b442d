import { inspect } from "node:util";
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { waitFor } from "../combine/wait-for.js";
import { BrokenBarrierError, CancelledError, describeError, TimeoutError, UsageError } from "../errors/errors.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runLoop } from "../loop/run.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { random } from "../strategy/random.js";
import { Barrier } from "./barrier.js";

/** asyncio's own order, and a hundred others. */
const schedules = (): Strategy[] => [fifo(), ...Array.from({ length: 100 }, (_, seed) => random(seed))];

/** Tasks `t0`, `t1` and so on, each told its name. */
const start = (count: number, body: (name: string) => Promise<void>): Task[] =>
  Array.from({ length: count }, (_, number) => createTask(() => body(`t${number}`), { name: `t${number}` }));

/** Passes the barrier, and hands what it raises in the place of a place to `onBroken`. */
const passOr = async (barrier: Barrier, onBroken: (error: BrokenBarrierError) => void): Promise<number | undefined> => {
  try {
    return await barrier.wait();
  } catch (error) {
    if (!(error instanceof BrokenBarrierError)) throw error;
    onBroken(error);
    return undefined;
  }
};

test("a number of parties that is not whole, or less than 1, is refused", () => {
  expect(() => new Barrier(0)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Barrier: parties must be a whole number, 1 or more, not 0]`,
  );
  expect(() => new Barrier(-1)).toThrow(UsageError);
  expect(() => new Barrier(1.5)).toThrow(UsageError);
  expect(() => new Barrier(undefined as unknown as number)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Barrier: parties must be a whole number, 1 or more, not undefined]`,
  );
});

test("the last to come leaves first and the others follow in order, each with its place, and the last to leave opens it again", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(4);
    const tasks = start(4, async (name) => {
      const place = await barrier.wait();
      log.push(`${name} place ${place} ${inspect(barrier)}`);
    });
    await gather(tasks);
    expect([barrier.parties, barrier.nWaiting, barrier.broken]).toEqual([4, 0, false]);
  });
  expect(log).toEqual([
    "t3 place 3 <Barrier draining, waiting: 0 of 4>",
    "t0 place 0 <Barrier draining, waiting: 0 of 4>",
    "t1 place 1 <Barrier draining, waiting: 0 of 4>",
    "t2 place 2 <Barrier filling, waiting: 0 of 4>",
  ]);
});

test("a barrier for one lets its task through each time, with the same place", async () => {
  await run(async () => {
    const barrier = new Barrier(1);
    expect(await barrier.wait()).toBe(0);
    const again = createTask(barrier.wait());
    await sleep(0);
    expect([again.result(), barrier.nWaiting, barrier.broken]).toEqual([0, 0, false]);
  });
});

test("it counts who waits, task by task, until the last one comes", async () => {
  await run(async () => {
    const barrier = new Barrier(3);
    const [tasks, seen]: [Task<number>[], string[]] = [[], []];
    for (let count = 0; count < 3; count++) {
      tasks.push(createTask(barrier.wait()));
      await sleep(0);
      seen.push(inspect(barrier));
    }
    expect(seen).toEqual([
      "<Barrier filling, waiting: 1 of 3>",
      "<Barrier filling, waiting: 2 of 3>",
      "<Barrier draining, waiting: 0 of 3>",
    ]);
    expect(await gather(tasks)).toEqual([0, 1, 2]);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
});

test("two rounds do not mix, and the places of the second are again those from 0 on, each once", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(3);
    const tasks = start(3, async (name) => {
      for (const round of [1, 2]) log.push(`${name} round ${round} place ${await barrier.wait()}`);
    });
    await gather(tasks);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
  expect(log).toEqual([
    "t2 round 1 place 2",
    "t0 round 1 place 0",
    "t1 round 1 place 1",
    "t0 round 2 place 2",
    "t1 round 2 place 0",
    "t2 round 2 place 1",
  ]);
});

test("whoever comes back while the others leave is held until they have, and counts for the next round", async () => {
  const log: string[] = [];
  await run(async () => {
    const [barrier, rest] = [new Barrier(5), new Barrier(3)];
    let early = 2;
    const tasks = start(5, async (name) => {
      await barrier.wait();
      log.push(`${name} left`);
      if (early > 0) early--;
      else {
        await rest.wait();
        log.push(`${name} of the rest`);
      }
      await barrier.wait();
      log.push(`${name} again`);
    });
    await gather(tasks);
  });
  expect(log.slice(0, 5)).toEqual(["t4 left", "t0 left", "t1 left", "t2 left", "t3 left"]);
  expect(log.slice(5, 8)).toEqual(["t3 of the rest", "t1 of the rest", "t2 of the rest"]);
  expect(log.slice(8)).toEqual(["t2 again", "t3 again", "t4 again", "t0 again", "t1 again"]);
});

test("a cancelled task is taken out of the count, and others complete the round", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(3);
    const pass = async (name: string): Promise<void> => {
      await barrier.wait();
      log.push(name);
    };
    const [first, second] = start(2, pass);
    await sleep(0);
    expect(barrier.nWaiting).toBe(2);
    first!.cancel();
    await sleep(0);
    expect([barrier.nWaiting, barrier.broken, first!.cancelled()]).toEqual([1, false, true]);
    const third = createTask(() => pass("t2"));
    await sleep(0);
    expect(barrier.nWaiting).toBe(2);
    await gather(second!, third, () => pass("t3"));
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
  expect(log).toEqual(["t3", "t1", "t2"]);
});

test("a task that is cancelled while it leaves counts as gone, and the barrier fills again", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(3);
    const tasks = start(3, async (name) => {
      await barrier.wait();
      log.push(name);
    });
    await sleep(0);
    expect(inspect(barrier)).toBe("<Barrier draining, waiting: 0 of 3>");
    tasks[0]!.cancel();
    expect(await gather(tasks, { returnExceptions: true })).toEqual([new CancelledError(), undefined, undefined]);
    expect(inspect(barrier)).toBe("<Barrier filling, waiting: 0 of 3>");
  });
  expect(log).toEqual(["t2", "t1"]);
});

test("a reset of a barrier where nobody waits changes nothing", async () => {
  await run(async () => {
    const barrier = new Barrier(1);
    await barrier.reset();
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
    expect(await barrier.wait()).toBe(0);
  });
});

test("a reset throws everybody out, and they can come again", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(4);
    const waitAgain = start(3, async (name) => {
      await passOr(barrier, (error) => log.push(`${name} ${describeError(error)} ${inspect(barrier)}`));
      log.push(`${name} place ${await barrier.wait()}`);
    });
    await sleep(0);
    createTask(barrier.reset());
    for (let turn = 0; turn < 3; turn++) await sleep(0);
    expect([barrier.nWaiting, barrier.broken]).toEqual([3, false]);
    await gather([...waitAgain, createTask(async () => log.push(`extra place ${await barrier.wait()}`))]);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
  expect(log).toEqual([
    "t0 BrokenBarrierError: Abort or reset of barrier <Barrier resetting, waiting: 0 of 4>",
    "t1 BrokenBarrierError: Abort or reset of barrier <Barrier resetting, waiting: 0 of 4>",
    "t2 BrokenBarrierError: Abort or reset of barrier <Barrier filling, waiting: 0 of 4>",
    "extra place 3",
    "t2 place 0",
    "t0 place 1",
    "t1 place 2",
  ]);
});

test("a reset by one that has left throws out those who are still inside, and nobody else", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(5);
    let left = 0;
    const tasks = start(5, async (name) => {
      if ((await passOr(barrier, () => log.push(`${name} broken`))) === undefined) return;
      log.push(`${name} left`);
      if (++left !== 3) return;
      await barrier.reset();
      log.push(`${name} has reset ${inspect(barrier)}`);
    });
    await gather(tasks);
    expect(inspect(barrier)).toBe("<Barrier filling, waiting: 0 of 5>");
  });
  expect(log).toEqual(["t4 left", "t0 left", "t1 left", "t1 has reset <Barrier resetting, waiting: 0 of 5>", "t2 broken", "t3 broken"]);
});

test("a reset does not touch those who have left and are held for the next round: they count for it", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(5);
    let left = 0;
    const tasks = start(5, async (name) => {
      if ((await passOr(barrier, () => log.push(`${name} broken`))) !== undefined && ++left === 3) {
        await barrier.reset();
        log.push(`${name} has reset`);
      }
      log.push(`${name} place ${await barrier.wait()}`);
    });
    await gather(tasks);
    expect(inspect(barrier)).toBe("<Barrier filling, waiting: 0 of 5>");
  });
  expect(log).toEqual(["t1 has reset", "t2 broken", "t3 broken", "t2 place 4", "t3 place 0", "t4 place 1", "t0 place 2", "t1 place 3"]);
});

test("a reset by the last to leave breaks nobody, and all pass the next rounds", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(4);
    let left = 0;
    const tasks = start(4, async (name) => {
      await barrier.wait();
      if (++left === 4) {
        await barrier.reset();
        log.push(`${name} has reset ${inspect(barrier)}`);
      }
      for (const round of [2, 3]) log.push(`${name} round ${round} place ${await barrier.wait()}`);
    });
    await gather(tasks);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
  expect(log).toEqual([
    "t2 has reset <Barrier filling, waiting: 0 of 4>",
    "t1 round 2 place 3",
    "t2 round 2 place 0",
    "t3 round 2 place 1",
    "t0 round 2 place 2",
    "t3 round 3 place 3",
    "t0 round 3 place 0",
    "t1 round 3 place 1",
    "t2 round 3 place 2",
  ]);
});

test("an abort breaks the barrier, also where nobody waits, until a reset mends it", async () => {
  await run(async () => {
    const barrier = new Barrier(1);
    await barrier.abort();
    expect([barrier.nWaiting, barrier.broken, inspect(barrier)]).toEqual([0, true, "<Barrier broken, waiting: 0 of 1>"]);
    await expect(async () => await barrier.wait()).rejects.toThrow(new BrokenBarrierError("Barrier aborted"));
    await barrier.reset();
    expect([barrier.broken, await barrier.wait()]).toEqual([false, 0]);
  });
});

test("an abort throws out those who wait for others to come", async () => {
  await run(async () => {
    const barrier = new Barrier(3);
    const tasks = [createTask(barrier.wait()), createTask(barrier.wait())];
    await sleep(0);
    await barrier.abort();
    const broken = new BrokenBarrierError("Abort or reset of barrier");
    expect(await gather(tasks, { returnExceptions: true })).toEqual([broken, broken]);
    expect(barrier.broken).toBe(true);
  });
});

test("an abort throws out those who are about to leave and those who are held for the next round", async () => {
  const log: string[] = [];
  await run(async () => {
    const barrier = new Barrier(5);
    let left = 0;
    const tasks = start(5, async (name) => {
      if ((await passOr(barrier, (error) => log.push(`${name} inside: ${error.message}`))) === undefined) return;
      log.push(`${name} left`);
      if (++left === 3) await barrier.abort();
      else await passOr(barrier, (error) => log.push(`${name} held: ${error.message}`));
    });
    await gather(tasks);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, true]);
  });
  expect(log).toEqual([
    "t4 left",
    "t0 left",
    "t1 left",
    "t2 inside: Abort or reset of barrier",
    "t3 inside: Abort or reset of barrier",
    "t4 held: Barrier aborted",
    "t0 held: Barrier aborted",
  ]);
});

test("one that fails and aborts keeps everybody from passing again, and after a reset all can", async () => {
  const log: string[] = [];
  await run(async () => {
    const [barrier, meeting] = [new Barrier(4), new Barrier(4)];
    const tasks = start(4, async (name) => {
      try {
        if ((await barrier.wait()) === 2) throw new RangeError("failed");
        await barrier.wait();
        log.push(`${name} passed`);
      } catch (error) {
        log.push(`${name} ${describeError(error)}`);
        if (error instanceof RangeError) await barrier.abort();
      }
      if ((await meeting.wait()) === 2) {
        expect([barrier.broken, barrier.nWaiting]).toEqual([true, 0]);
        await barrier.reset();
        log.push(`${name} has reset`);
      }
      await meeting.wait();
      log.push(`${name} place ${await barrier.wait()}`);
    });
    await gather(tasks);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
  expect(log).toEqual([
    "t2 RangeError: failed",
    "t3 BrokenBarrierError: Barrier aborted",
    "t0 BrokenBarrierError: Barrier aborted",
    "t1 BrokenBarrierError: Barrier aborted",
    "t0 has reset",
    "t2 place 3",
    "t3 place 0",
    "t0 place 1",
    "t1 place 2",
  ]);
});

test("under any schedule nobody is a round ahead, and each round gives every place once", async () => {
  const [parties, rounds] = [4, 3];
  for (const strategy of schedules()) {
    await run(
      async () => {
        const barrier = new Barrier(parties);
        const arrived = Array.from({ length: rounds }, () => 0);
        const places = Array.from({ length: rounds }, (): number[] => []);
        const tasks = start(parties, async () => {
          for (let round = 0; round < rounds; round++) {
            await sleep(0);
            arrived[round]!++;
            places[round]!.push(await barrier.wait());
            expect(arrived[round]).toBe(parties);
          }
        });
        await gather(tasks);
        for (const round of places) expect(round.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
        expect(inspect(barrier)).toBe("<Barrier filling, waiting: 0 of 4>");
      },
      { strategy },
    );
  }
});

test("under any schedule a reset in the middle of a round leaves a barrier that works", async () => {
  let thrownOut = 0;
  for (const strategy of schedules()) {
    await run(
      async () => {
        const barrier = new Barrier(3);
        const tasks = start(3, async () => {
          for (;;) {
            await passOr(barrier, () => thrownOut++);
            await sleep(1);
          }
        });
        await sleep(3);
        await barrier.reset();
        await sleep(3);
        for (const task of tasks) task.cancel();
        await gather(tasks, { returnExceptions: true });
        expect(inspect(barrier)).toBe("<Barrier filling, waiting: 0 of 3>");
        const places = await gather(Array.from({ length: 3 }, () => barrier.wait()));
        expect(places.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
      },
      { strategy },
    );
  }
  // Of 101 schedules; main and the three are ready together, so the reset comes into a round more often than not.
  expect(thrownOut).toBeGreaterThan(50);
});

test("a wait that takes too long is taken out of the count", async () => {
  await run(async () => {
    const barrier = new Barrier(2);
    await expect(async () => await waitFor(barrier.wait(), 10)).rejects.toThrow(TimeoutError);
    expect(inspect(barrier)).toBe("<Barrier filling, waiting: 0 of 2>");
  });
});

test("a coroutine of a barrier that nobody awaits does nothing and is reported", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runLoop(loop, async () => {
    const barrier = new Barrier(2);
    void barrier.wait();
    void barrier.reset();
    void barrier.abort();
    await sleep(0);
    expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([
    "coroutine Barrier.wait was never awaited",
    "coroutine Barrier.reset was never awaited",
    "coroutine Barrier.abort was never awaited",
  ]);
});

test("a deadlock names the barrier", async () => {
  const message = await run(async () => {
    createTask(new Barrier(2).wait(), { name: "nameless" });
    await new Barrier(2, { name: "start" }).wait();
  }).catch((error: unknown) => describeError(error));
  expect(String(message).replaceAll(/\d+:\d+/g, "LINE:COLUMN")).toMatchInlineSnapshot(`
    "DeadlockError: deadlock at step 2, t=0: 2 tasks wait and nothing can wake them.
      main      waits for condition of barrier start  at src/sync/barrier.test.ts:LINE:COLUMN
      nameless  waits for condition of barrier
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("a barrier that was waited for in an earlier run is refused where it would have to wait", async () => {
  const barrier = new Barrier(2, { name: "kept" });
  await run(async () => {
    await gather(barrier.wait(), barrier.wait());
  });
  await run(async () => {
    await expect(async () => await barrier.wait()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for condition of barrier kept: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
    expect(inspect(barrier)).toBe("<Barrier kept filling, waiting: 0 of 2>");
  });
});
