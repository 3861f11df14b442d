/** Native promises inside a run: whose awaits they lead to, and what the loop makes of real I/O. */
import { readFile } from "node:fs";
import { readFile as read } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { describeError } from "../errors/errors.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import type { DeadlockError } from "./deadlock.js";
import { EventLoop, type EventLoopOptions } from "./event-loop.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

const ownPath = fileURLToPath(import.meta.url);

/** A native promise and the function that settles it. */
function makeGate(): { readonly gate: Promise<string>; readonly open: () => void } {
  let open = (): void => undefined;
  const gate = new Promise<string>((resolve) => {
    open = () => {
      resolve("open");
    };
  });
  return { gate, open };
}

const settings: readonly (readonly [string, () => EventLoopOptions])[] = [
  ["fifo", () => ({})],
  ["random", () => ({ strategy: random(7) })],
  ["fifo with sites", () => ({ sites: true })],
];

test.each(settings)(
  "a task that another one resumes through a native promise stays itself: cancelling either leaves the other alone, %s",
  async (_name, options) => {
    for (const doomed of ["a", "b"]) {
      const log: string[] = [];
      const loop = new EventLoop({ slowStepMs, ...options() });
      await runLoop(loop, async () => {
        const { gate, open } = makeGate();
        const nap = async (name: string): Promise<void> => {
          try {
            await sleep(100);
            log.push(`${name} slept`);
          } catch (error) {
            log.push(`${name} ${describeError(error)}`);
          }
        };
        const tasks = {
          a: createTask(
            async () => {
              await sleep(5);
              open();
              await nap("a");
            },
            { name: "a" },
          ),
          b: createTask(
            async () => {
              await gate;
              await nap("b");
              await nap("b again");
            },
            { name: "b" },
          ),
        };
        await sleep(10);
        tasks[doomed as "a" | "b"].cancel();
        await gather(tasks.a, tasks.b);
      });
      expect(loop.completion?.kind).toBe("result");
      expect(log).toEqual(
        doomed === "a" ? ["a CancelledError", "b slept", "b again slept"] : ["b CancelledError", "a slept", "b again slept"],
      );
      expect(loop.uncontrolled).toBeUndefined();
    }
  },
);

test.each(settings)("so it does behind helpers that were suspended before the loop took notice, %s", async (_name, options) => {
  const seen: string[] = [];
  const loop = new EventLoop({ slowStepMs, ...options() });
  await runLoop(loop, async () => {
    const { gate, open } = makeGate();
    const note = (): void => {
      seen.push(loop.currentTask()?.getName() ?? "none");
    };
    const a = createTask(
      async () => {
        await (async () => {
          await (async () => {
            await sleep(5);
            note();
            open();
          })();
          note();
        })();
        note();
        await sleep(1);
        note();
      },
      { name: "a" },
    );
    const b = createTask(
      async () => {
        await (async () => {
          await Promise.all([gate, null]);
        })();
        note();
        await sleep(0);
        note();
        await Promise.all([
          sleep(1),
          (async () => {
            await sleep(2);
            note();
          })(),
        ]);
        note();
      },
      { name: "b" },
    );
    await gather(a, b);
  });
  const count = (name: string): number => seen.filter((other) => other === name).length;
  expect([count("a"), count("b"), seen.length]).toEqual([4, 4, 8]);
});

test("a deadlock names what each of them waits for", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    const { gate, open } = makeGate();
    createTask(
      async () => {
        await sleep(1);
        open();
        await loop.createFuture("cell of a");
      },
      { name: "a" },
    );
    createTask(
      async () => {
        await gate;
        await loop.createFuture("cell of b");
      },
      { name: "b" },
    );
    await loop.createFuture("cell of main");
  });
  const { waiting } = (loop.completion as { error: DeadlockError }).error;
  expect(waiting.map(({ task, waitsFor }) => `${task}: ${waitsFor}`)).toEqual(["main: cell of main", "a: cell of a", "b: cell of b"]);
  expect(loop.uncontrolled).toBeUndefined();
});

test("a promise settled by a callback belongs to the task that awaits it", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const { gate, open } = makeGate();
    const task = createTask(async () => {
      await gate;
      await sleep(100);
    });
    loop.callLater(1, open);
    await sleep(2);
    task.cancel("found");
    await expect(async () => await task).rejects.toThrow("found");
    expect(loop.time()).toBe(2);
  });
});

test("a real file can be read inside a task, and the run says that it was not under control", async () => {
  const loop = new EventLoop({ slowStepMs, sites: true });
  await runLoop(loop, async () => {
    const task = createTask(
      async () => {
        const text = await read(ownPath, "utf8");
        await sleep(10);
        return text.length;
      },
      { name: "reader" },
    );
    return await gather(task, async () => {
      await sleep(5);
    });
  });
  expect(loop.completion?.kind).toBe("result");
  expect((loop.completion as { value: [number] }).value[0]).toBeGreaterThan(1_000);
  expect(loop.uncontrolled).toMatchObject({ task: "reader" });
  expect(loop.uncontrolled?.site).toMatch(/^src\/loop\/outside\.test\.ts:\d+:\d+$/);
  expect(loop.warnings).toEqual([]);
});

test("several tasks read real files at once, and each one's later awaits are its own", async () => {
  for (const sites of [true, undefined]) {
    await run(
      async () => {
        const loop = getRunningLoop();
        const seen: string[] = [];
        const tasks = ["a", "b", "c"].map((name) =>
          createTask(
            async () => {
              await read(ownPath);
              await sleep(1);
              seen.push(`${name} is ${loop.currentTask()?.getName()}`);
              await read(ownPath);
              await loop.createFuture();
            },
            { name },
          ),
        );
        while (seen.length < 3) {
          await sleep(1);
          await read(ownPath);
        }
        expect(seen.sort()).toEqual(["a is a", "b is b", "c is c"]);
        for (const task of tasks) task.cancel();
        expect(await gather(tasks, { returnExceptions: true })).toMatchObject([
          { name: "CancelledError" },
          { name: "CancelledError" },
          { name: "CancelledError" },
        ]);
      },
      { sites },
    );
  }
});

test("a file that arrives while the run gives way to the process finds its loop still there", async () => {
  const rounds = await run(
    async () => {
      const reader = createTask(async () => {
        let count = 0;
        for (; count < 10; count++) {
          await read(ownPath);
          await sleep(1);
        }
        return count;
      });
      while (!reader.done()) {
        // Longer than a slice, so that the run gives way after each step.
        const until = performance.now() + 11;
        while (performance.now() < until);
        await sleep(1);
      }
      return await reader;
    },
    { slowStepMs: 60_000 }, // with a bound, so that the clock is looked at after each step
  );
  expect(rounds).toBe(10);
});

test("a callback of the platform may complete a future of the loop", async () => {
  const length = await run(async () => {
    const future = getRunningLoop().createFuture<number>();
    readFile(ownPath, (_error, data) => {
      future.setResult(data.length);
    });
    return await future;
  });
  expect(length).toBeGreaterThan(1_000);
});

test("once it has called back nothing is under way any more, and who waits for nothing else is in a deadlock", async () => {
  for (const path of [ownPath, `${ownPath}.missing`]) {
    const loop = new EventLoop({ slowStepMs });
    await runLoop(loop, async () => {
      const arrived = loop.createFuture<boolean>("arrived");
      readFile(path, (error) => {
        arrived.setResult(error === null);
      });
      expect(await arrived).toBe(path === ownPath);
      await loop.createFuture("never");
    });
    expect(loop.completion?.kind).toBe("deadlock");
  }
});

test("real I/O that takes longer than the grace is waited for as long as something arrives or a request is under way", async () => {
  const ticks = await run(
    async () => {
      let count = 0;
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          count++;
          void Promise.resolve();
          if (count < 12) return;
          clearInterval(timer);
          resolve();
        }, 25);
      });
      await sleep(1);
      return count;
    },
    { idleGraceMs: 200 },
  );
  expect(ticks).toBe(12);
});

test("a native wait that nothing answers is a deadlock after the grace, and the report says that it was judged so", async () => {
  const loop = new EventLoop({ slowStepMs, idleGraceMs: 30 });
  const began = performance.now();
  await runLoop(loop, async () => {
    await new Promise(() => undefined);
  });
  expect(performance.now() - began).toBeGreaterThanOrEqual(29);
  expect(loop.completion?.kind).toBe("deadlock");
  expect((loop.completion as { error: Error }).error.message).toMatchInlineSnapshot(`
    "deadlock at step 1, t=0: 1 task waits and nothing can wake it.
      main  waits for something outside the loop
    Judged so because nothing arrived from outside the loop in 30 ms of real time; raise idleGraceMs if real I/O is slower."
  `);
  expect(loop.uncontrolled).toEqual({ task: "main", step: 1, timeMs: 0, site: undefined });
  expect(loop.isRunning()).toBe(false);
});

test("a run that is called by a task that a native promise resumed outside of any step is refused", async () => {
  await run(async () => {
    await read(ownPath);
    await expect(run(async () => 1)).rejects.toThrow(/^run\(\) cannot be called inside a run/);
  });
});

test("a program whose tasks wait natively for each other gives the same result under drain and macrotask", async () => {
  for (const seed of [undefined, 1, 2, 3]) {
    const logs = await Promise.all(
      (["drain", "macrotask"] as const).map(async (quiescence) => {
        const log: string[] = [];
        const loop = new EventLoop({ slowStepMs, strategy: seed === undefined ? undefined : random(seed) });
        await runLoop(
          loop,
          async () => {
            const gates = [makeGate(), makeGate(), makeGate()];
            await gather(
              gates.map(({ gate, open }, index) => async () => {
                await sleep(index);
                open();
                for (const other of gates) {
                  log.push(`${index} ${await other.gate} ${loop.time()}`);
                  await sleep(0);
                }
                await gate;
              }),
            );
          },
          quiescence,
        );
        expect(loop.completion?.kind).toBe("result");
        return log;
      }),
    );
    expect(logs[0]).toHaveLength(9);
    expect(logs[1]).toEqual(logs[0]);
  }
});

test("a task that goes on after a race, whose loser is still pending, may wait for something real", async () => {
  const loop = new EventLoop();
  await runLoop(loop, async () => {
    const never = getRunningLoop().createFuture("never");
    await Promise.race([never, sleep(1)]);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    await sleep(2);
    return "arrived";
  });
  expect(loop.completion).toEqual({ kind: "result", value: "arrived" });
  expect(loop.uncontrolled).toMatchObject({ task: "main", timeMs: 1 });
});

test("the rest of a Promise.all that nothing completes is a deadlock, judged after the grace, and names it once", async () => {
  await expect(
    run(async () => {
      const never = getRunningLoop().createFuture("never");
      await Promise.all([sleep(1), never, never]);
    }),
  ).rejects.toThrow(/main +waits for never +at .*outside\.test\.ts.*\nJudged so because nothing arrived/s);
});
