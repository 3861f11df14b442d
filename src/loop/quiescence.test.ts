/** A step goes on to the very end of its microtasks, however many there are, and both ways to get there give the same run. */
import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { describeError } from "../errors/errors.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { detectQuiescence } from "./host.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";
import type { Task } from "./task.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

type Log = string[];

describe.each(["drain", "macrotask"] as const)("under %s", (quiescence) => {
  test("a step of 10,000 microtask turns and nextTicks ends before the next step starts", async () => {
    const log: Log = [];
    await run(
      async () => {
        createTask(async () => {
          log.push("long begins");
          for (let turn = 0; turn < 10_000; turn++) await null;
          log.push("turned");
          for (let turn = 0; turn < 100; turn++) {
            await new Promise<void>((resolve) => {
              process.nextTick(resolve);
            });
            await null;
          }
          await new Promise<void>((resolve) => {
            queueMicrotask(() => {
              process.nextTick(() => {
                queueMicrotask(resolve);
              });
            });
          });
          log.push("long ends");
        });
        createTask(async () => log.push("other"));
        await sleep(1);
      },
      { quiescence },
    );
    expect(log).toEqual(["long begins", "turned", "long ends", "other"]);
  });

  test("what a step leaves running without awaiting it ends with the step, too", async () => {
    const log: Log = [];
    await run(
      async () => {
        createTask(async () => {
          void (async () => {
            for (let turn = 0; turn < 1_000; turn++) await null;
            log.push("left running");
          })();
          await sleep(0);
          log.push("first");
        });
        createTask(async () => log.push("second"));
        await sleep(1);
      },
      { quiescence },
    );
    expect(log).toEqual(["left running", "second", "first"]);
  });

  test("a callback ends with its microtasks as well", async () => {
    const log: Log = [];
    await run(
      async () => {
        const loop = getRunningLoop();
        loop.callSoon(async () => {
          for (let turn = 0; turn < 1_000; turn++) await null;
          log.push("first");
        });
        loop.callSoon(() => log.push("second"));
        await sleep(1);
      },
      { quiescence },
    );
    expect(log).toEqual(["first", "second"]);
  });
});

/** Programs of every kind; each writes its order of events. */
const programs: Record<string, (log: Log, loop: EventLoop) => Promise<unknown>> = {
  turns: async (log) => {
    const worker = (name: string, turns: number) => async (): Promise<string> => {
      for (let turn = 0; turn < turns; turn++) {
        log.push(`${name}${turn}`);
        await sleep(turn % 3);
      }
      return name;
    };
    return await gather(worker("a", 4), worker("b", 5), worker("c", 3));
  },
  cancellations: async (log, loop) => {
    const tasks: Task[] = ["a", "b", "c"].map((name) =>
      createTask(async () => {
        try {
          await sleep(10);
        } catch (error) {
          log.push(`${name} ${describeError(error)} t=${loop.time()}`);
          await sleep(1);
          throw error;
        } finally {
          log.push(`${name} finally`);
        }
      }),
    );
    await sleep(1);
    tasks[1]!.cancel("b");
    await sleep(0);
    tasks[0]!.cancel("a");
    return (await gather(tasks, { returnExceptions: true })).map(String);
  },
  failures: async (log, loop) => {
    createTask(
      async () => {
        throw new Error("lost");
      },
      { name: "lost" },
    );
    loop.callSoon(function bad() {
      throw new Error("callback");
    });
    void Promise.reject(new Error("stray"));
    queueMicrotask(() => {
      throw new Error("microtask");
    });
    await sleep(1);
    log.push("on");
    throw new Error("main");
  },
  natively: async (log) => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const waiters = ["a", "b"].map((name) => async (): Promise<void> => {
      await gate;
      log.push(`${name} woken`);
      await sleep(1);
      log.push(`${name} slept`);
    });
    return await gather(...waiters, async () => {
      await sleep(3);
      open();
      log.push("opened");
    });
  },
  deadlock: async (log, loop) => {
    createTask(
      async () => {
        try {
          await loop.createFuture();
        } finally {
          log.push("never");
        }
      },
      { name: "t" },
    );
    await sleep(1);
    await loop.createFuture();
  },
  livelock: async () => {
    for (;;) await sleep(0);
  },
};

test.each(Object.keys(programs))("drain and macrotask give the same run of the program %s", async (name) => {
  for (const seed of [undefined, 1, 2, 3]) {
    const runs = await Promise.all(
      (["drain", "macrotask"] as const).map(async (quiescence) => {
        const log: Log = [];
        const loop = new EventLoop({ slowStepMs, strategy: seed === undefined ? undefined : random(seed), sites: false, maxSteps: 300 });
        await runLoop(loop, () => programs[name]!(log, loop), quiescence);
        const { completion } = loop;
        const end = completion?.kind === "result" ? completion.value : describeError(completion?.error);
        return {
          log,
          kind: completion?.kind,
          end,
          warnings: loop.warnings,
          steps: loop.steps,
          timeMs: loop.time(),
          uncontrolled: loop.uncontrolled,
        };
      }),
    );
    expect(runs[0]?.steps).toBeGreaterThan(2);
    expect(runs[1]).toEqual(runs[0]);
  }
});

test("inside a microtask the drain does nothing, and that is noticed; in a macrotask it works here", async () => {
  await null;
  expect(detectQuiescence()).toBe("macrotask");
  const inMacrotask = await new Promise((resolve) => {
    setImmediate(() => {
      resolve(detectQuiescence());
    });
  });
  expect(inMacrotask).toBe("drain");
});
