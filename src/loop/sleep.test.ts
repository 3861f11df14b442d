import { expect, test } from "vitest";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { run } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

test("sleep(0) gives every other ready task its turn, and every sleep suspends", async () => {
  const log: string[] = [];
  const worker = (name: string) => async (): Promise<void> => {
    for (const turn of [1, 2, 3]) {
      log.push(`${name}${turn}`);
      await sleep(0);
    }
  };
  await run(async () => {
    const a = createTask(worker("a"));
    getRunningLoop().callSoon(() => log.push("callback"));
    const b = createTask(worker("b"));
    log.push("main1");
    await sleep(0);
    log.push("main2");
    await a;
    log.push("main3");
    await b;
    log.push("main4");
  });
  // CPython's order.
  expect(log).toEqual(["main1", "a1", "callback", "b1", "main2", "a2", "b2", "a3", "b3", "main3", "main4"]);
});

test("a task that sleeps for 0 ms a hundred times takes a hundred more steps and no time", async () => {
  const [steps, time] = await run(async () => {
    const loop = getRunningLoop();
    const before = loop.steps;
    for (let turn = 0; turn < 100; turn++) await sleep(0);
    return [loop.steps - before, loop.time()];
  });
  expect([steps, time]).toEqual([100, 0]);
});

test("timers fire by deadline, those of one deadline in order of creation, callbacks and sleeps alike", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const napper = (name: string, delayMs: number) => async (): Promise<void> => {
      await sleep(delayMs);
      log.push(`${name} ${loop.time()}`);
    };
    createTask(napper("a", 20));
    createTask(napper("b", 10));
    loop.callLater(20, () => log.push(`callback ${loop.time()}`));
    loop.callLater(0, () => log.push(`soon ${loop.time()}`));
    await sleep(50);
    log.push(`main ${loop.time()}`);
  });
  // The timer of the callback was made before a began to sleep.
  expect(log).toEqual(["soon 0", "b 10", "callback 20", "a 20", "main 50"]);
});

test("virtual time passes without real time", async () => {
  const began = performance.now();
  const time = await run(async () => {
    await sleep(86_400_000);
    return getRunningLoop().time();
  });
  expect(time).toBe(86_400_000);
  expect(performance.now() - began).toBeLessThan(5_000);
});

test("the time of a sleep begins when it is awaited", async () => {
  const time = await run(async () => {
    const later = sleep(10);
    await sleep(5);
    await later;
    return getRunningLoop().time();
  });
  expect(time).toBe(15);
});

test("a sleep is awaited once", async () => {
  await run(async () => {
    for (const delayMs of [0, 1]) {
      const nap = sleep(delayMs);
      await nap;
      await expect(async () => await nap).rejects.toThrowErrorMatchingInlineSnapshot(
        `[RuntimeError: cannot reuse an already awaited sleep()]`,
      );
    }
  });
});

test("a cancelled sleep takes its timer with it, so that time does not wait for it", async () => {
  for (const strategy of [undefined, random(7)]) {
    const time = await run(
      async () => {
        const task = createTask(async () => {
          await sleep(1_000);
        });
        await sleep(1);
        task.cancel();
        await sleep(1);
        return getRunningLoop().time();
      },
      { strategy },
    );
    expect(time).toBe(2);
  }
});

test("sleep takes whole milliseconds from 0 on", () => {
  expect(() => sleep(Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: sleep: delayMs must be a whole number of milliseconds, 0 or more, not NaN]`,
  );
  expect(() => sleep(1.5)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: sleep: delayMs must be a whole number of milliseconds, 0 or more, not 1.5]`,
  );
  expect(() => sleep(-1)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: sleep: delayMs must be a whole number of milliseconds, 0 or more, not -1]`,
  );
  expect(() => sleep(Number.POSITIVE_INFINITY)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: sleep: delayMs must be a whole number of milliseconds, 0 or more, not Infinity]`,
  );
  expect(() => sleep("5" as unknown as number)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: sleep: delayMs must be a whole number of milliseconds, 0 or more, not "5"]`,
  );
});

test("a sleep beyond the end of the clock is refused where it is awaited", async () => {
  await expect(
    run(async () => {
      await sleep(1);
      await sleep(Number.MAX_SAFE_INTEGER);
    }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: a deadline of 9007199254740992 ms is beyond the clock, which ends at 2^53 - 1]`,
  );
});

test("awaiting a sleep needs a run", async () => {
  await expect(async () => await sleep(0)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Awaiting sleep() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});
