/** callSoon, callLater, callAt and their handles. */
import { expect, test } from "vitest";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

test("callSoon calls back in order, each in a step of its own, with its arguments", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const note = (name: string, count: number): void => {
      log.push(`${name} ${count} step ${loop.steps}`);
    };
    loop.callSoon(note, "a", 1);
    loop.callSoon(note, "b", 2);
    log.push(`main step ${loop.steps}`);
    await sleep(0);
  });
  expect(log).toEqual(["main step 1", "a 1 step 2", "b 2 step 3"]);
});

test("what a batch of callbacks queues runs after the batch, and main ends with its batch as in asyncio", async () => {
  const log: number[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const next = (count: number): void => {
      log.push(count);
      loop.callSoon(next, count + 1);
    };
    loop.callSoon(next, 0);
  });
  // CPython runs five batches after main here: its own, and two each for closing its generators and its executor.
  expect(log).toEqual([0, 1, 2, 3, 4]);
});

test("callLater and callAt call back at their time; a time that has passed is soon", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const note = (name: string): void => {
      log.push(`${name} ${loop.time()}`);
    };
    await sleep(10);
    const timers = [
      loop.callLater(5, note, "later 5"),
      loop.callAt(12, note, "at 12"),
      loop.callAt(3, note, "at 3"),
      loop.callLater(0, note, "later 0"),
    ];
    expect(timers.map((timer) => timer.when())).toEqual([15, 12, 3, 10]);
    await sleep(20);
  });
  expect(log).toEqual(["at 3 10", "later 0 10", "at 12 12", "later 5 15"]);
});

test.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("a cancelled handle never runs and is no decision, under %s", async (_name, strategy) => {
  const log: string[] = [];
  const offered: string[] = [];
  const chosen = strategy();
  const spy: Strategy | undefined =
    chosen === undefined
      ? undefined
      : {
          ...chosen,
          pick: (decision) => {
            offered.push(...decision.ready.map(({ name }) => name));
            return chosen.pick(decision);
          },
        };
  await run(
    async () => {
      const loop = getRunningLoop();
      const doomed = loop.callSoon(function doomed() {
        log.push("doomed");
      });
      loop.callSoon(() => log.push("kept"));
      const timer = loop.callLater(1, () => log.push("timer"));
      loop.callLater(1, () => log.push("kept timer"));
      doomed.cancel();
      timer.cancel();
      expect([doomed.cancelled(), timer.cancelled()]).toEqual([true, true]);
      await sleep(2);
      // A cancelled timer does not hold the clock.
      loop.callLater(1_000, () => undefined).cancel();
      await sleep(1);
      expect(loop.time()).toBe(3);
    },
    { strategy: spy },
  );
  expect(log).toEqual(["kept", "kept timer"]);
  expect(offered).not.toContain("doomed");
});

test("cancelling a handle that has run does nothing", async () => {
  const log: string[] = [];
  await run(
    async () => {
      const handle = getRunningLoop().callSoon(() => log.push("ran"));
      await sleep(1);
      handle.cancel();
      getRunningLoop().callSoon(() => log.push("next"));
      await sleep(1);
    },
    { strategy: random(7) },
  );
  expect(log).toEqual(["ran", "next"]);
});

test("a callback cancels one that stands behind it", async () => {
  for (const strategy of [undefined, { name: "first", begin: () => true, pick: () => 0 } satisfies Strategy]) {
    const log: string[] = [];
    await run(
      async () => {
        const loop = getRunningLoop();
        loop.callSoon(() => {
          second.cancel();
          log.push("first");
        });
        const second = loop.callSoon(() => log.push("second"));
        loop.callSoon(() => log.push("third"));
        await sleep(1);
      },
      { strategy },
    );
    expect(log).toEqual(["first", "third"]);
  }
});

test("a callback that throws is reported with its name, and the others run", async () => {
  const log: string[] = [];
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    loop.callSoon(function broken() {
      throw new Error("boom");
    });
    loop.callSoon(() => log.push("next"));
    loop.callLater(1, () => {
      throw "late";
    });
    await sleep(2);
  });
  expect(log).toEqual(["next"]);
  expect(loop.warnings).toEqual(["Exception in broken: Error: boom", "Exception in callback: thrown: late"]);
});

test("an async callback may await; what it rejects with is reported", async () => {
  const log: string[] = [];
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    loop.callSoon(async () => {
      expect(loop.currentTask()).toBeUndefined();
      await sleep(1);
      log.push(`after ${loop.time()}`);
      throw new Error("boom");
    });
    await sleep(2);
  });
  expect(log).toEqual(["after 1"]);
  expect(loop.warnings).toEqual(["Unhandled rejection or exception: Error: boom"]);
});

test.each(["drain", "macrotask"] as const)(
  "every nextTick that throws in a step is reported, and the run goes on, under %s",
  async (quiescence) => {
    const loop = new EventLoop({ slowStepMs });
    await runLoop(
      loop,
      async () => {
        for (const count of [1, 2, 3]) {
          process.nextTick(() => {
            throw new Error(`tick ${count}`);
          });
        }
        await sleep(1);
        return "done";
      },
      quiescence,
    );
    expect(loop.warnings).toEqual(["tick 1", "tick 2", "tick 3"].map((text) => `Unhandled rejection or exception: Error: ${text}`));
    expect(loop.completion).toEqual({ kind: "result", value: "done" });
  },
);

test("delays and times are whole milliseconds from 0 on", () => {
  const loop = new EventLoop({ slowStepMs });
  expect(() => loop.callLater(Number.NaN, () => undefined)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: callLater: delayMs must be a whole number of milliseconds, 0 or more, not NaN]`,
  );
  expect(() => loop.callLater(0.5, () => undefined)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: callLater: delayMs must be a whole number of milliseconds, 0 or more, not 0.5]`,
  );
  expect(() => loop.callLater(-1, () => undefined)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: callLater: delayMs must be a whole number of milliseconds, 0 or more, not -1]`,
  );
  expect(() => loop.callAt(-1, () => undefined)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: callAt: whenMs must be a whole number of milliseconds, 0 or more, not -1]`,
  );
  expect(() => loop.callAt(2 ** 53, () => undefined)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: callAt: whenMs must be a whole number of milliseconds, 0 or more, not 9007199254740992]`,
  );
});

test("handles are named after their function and numbered in order of creation", () => {
  const loop = new EventLoop({ slowStepMs });
  function ping(): void {}
  const handles = [loop.callSoon(ping), loop.callLater(1, ping), loop.callSoon(() => undefined)];
  expect(handles.map(({ name, operation }) => `${name}@${operation}`)).toEqual(["ping@1", "ping@2", "callback@3"]);
});

test("outside of fifo a timer that is due at once is permuted with tasks, and never with another timer", async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const order: string[] = [];
    await run(
      async () => {
        const loop = getRunningLoop();
        createTask(() => order.push("task"));
        loop.callLater(0, () => order.push("first"));
        loop.callLater(0, () => order.push("second"));
        await sleep(1);
      },
      { strategy: random(seed) },
    );
    orders.add(order.join(" "));
  }
  // Each of the three is missed with p < (3/4)^60 < 1e-7.
  expect([...orders].sort()).toEqual(["first second task", "first task second", "task first second"]);
});

test("a timer that is due at once and is cancelled holds up none of those after it, whatever is cancelled beside it", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const fired: string[] = [];
    await run(
      async () => {
        const loop = getRunningLoop();
        const first = loop.callLater(0, () => fired.push("first"));
        for (const name of ["second", "third"]) loop.callLater(0, () => fired.push(name));
        first.cancel();
        loop.callSoon(() => fired.push("never")).cancel();
        await sleep(1);
      },
      { strategy: random(seed) },
    );
    expect(fired).toEqual(["second", "third"]);
  }
});
