/** What happens when main ends: the rest is cancelled, and what is still owed is reported. */
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import type { ExceptionContext } from "./exception-reports.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

const orders = [
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const;

test("what main leaves behind is cancelled in order of creation, and its finally parts run to their end", async () => {
  const log: string[] = [];
  const result = await run(async () => {
    for (const name of ["a", "b", "c"]) {
      createTask(async () => {
        try {
          await sleep(10);
        } finally {
          log.push(`${name} 1`);
          await sleep(5);
          log.push(`${name} 2 t=${getRunningLoop().time()}`);
        }
      });
    }
    await sleep(1);
    return "main's";
  });
  expect(result).toBe("main's");
  expect(log).toEqual(["a 1", "b 1", "c 1", "a 2 t=6", "b 2 t=6", "c 2 t=6"]);
});

test.each(orders)("the tasks left are cancelled also when main fails, under %s", async (_name, strategy) => {
  const log: string[] = [];
  await expect(
    run(
      async () => {
        createTask(async () => {
          try {
            await sleep(1_000);
          } finally {
            log.push("finally");
          }
        });
        await sleep(1);
        createTask(async () => log.push("begins beside the end"));
        throw new RangeError("main");
      },
      { strategy: strategy() },
    ),
  ).rejects.toThrow(new RangeError("main"));
  // In asyncio's order main ends with the batch that follows it, so what it made last still begins.
  expect(log).toEqual(strategy() === undefined ? ["begins beside the end", "finally"] : ["finally"]);
});

test.each(orders)("exceptions during the shutdown are reported, once each, and main's result stands, under %s", async (_name, strategy) => {
  const contexts: ExceptionContext[] = [];
  const loop = new EventLoop({ slowStepMs, strategy: strategy() });
  await runLoop(loop, async () => {
    loop.setExceptionHandler((told, context) => {
      expect(told).toBe(loop);
      contexts.push(context);
    });
    for (const name of ["a", "b"]) {
      createTask(
        async () => {
          try {
            await sleep(1_000);
          } finally {
            throw new Error(name);
          }
        },
        { name },
      );
    }
    await sleep(1);
    return 5;
  });
  expect(loop.completion).toEqual({ kind: "result", value: 5 });
  expect(contexts.map(({ message, exception, future }) => [message, (exception as Error).message, future?.describe()])).toEqual([
    ["unhandled exception during the shutdown of run()", "a", "task a"],
    ["unhandled exception during the shutdown of run()", "b", "task b"],
  ]);
});

test("a task that swallows its cancellation during the shutdown runs to its end", async () => {
  const log: string[] = [];
  await run(async () => {
    createTask(async () => {
      for (let turn = 0; turn < 3; turn++) {
        try {
          await sleep(10);
          log.push(`slept ${turn}`);
        } catch {
          log.push("swallowed");
        }
      }
    });
    await sleep(1);
  });
  expect(log).toEqual(["swallowed", "slept 1", "slept 2"]);
});

test("what the finally parts start goes on as long as asyncio lets it, and is then reported as pending", async () => {
  const log: string[] = [];
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    createTask(async () => {
      try {
        await sleep(10);
      } finally {
        createTask(
          async () => {
            for (let turn = 0; ; turn++) {
              log.push(`turn ${turn}`);
              await sleep(0);
            }
          },
          { name: "late" },
        );
      }
    });
    await sleep(0);
  });
  // The same number of turns as in CPython.
  expect(log).toEqual(["turn 0", "turn 1", "turn 2", "turn 3", "turn 4", "turn 5"]);
  expect(loop.warnings).toEqual(["Task was destroyed but it is pending (task late)"]);
});

test.each(orders)("an exception that nobody retrieved is reported once, when the run ends, under %s", async (_name, strategy) => {
  const loop = new EventLoop({ slowStepMs, strategy: strategy() });
  await runLoop(loop, async () => {
    createTask(
      async () => {
        throw new Error("task");
      },
      { name: "failing" },
    );
    loop.createFuture("cell").setException(new Error("future"));
    await sleep(5);
    expect(loop.warnings).toEqual([]);
  });
  expect([...loop.warnings].sort()).toEqual([
    "Future exception was never retrieved (cell): Error: future",
    "Task exception was never retrieved (task failing): Error: task",
  ]);
});

test("an exception that was retrieved in any way is not reported", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    const fail = (): Promise<never> => Promise.reject(new Error("known"));
    const [awaited, asked, result, caught, gathered, second, cancelledLate] = Array.from({ length: 7 }, () => createTask(fail));
    await expect(async () => await awaited).rejects.toThrow("known");
    await sleep(1);
    asked!.exception();
    expect(() => result!.result()).toThrow("known");
    caught!.then(undefined, () => undefined);
    await gather([gathered!, second!], { returnExceptions: true });
    cancelledLate!.cancel(); // as in asyncio
    await expect(async () => await gather(createTask(fail), createTask(fail))).rejects.toThrow("known");
    await sleep(1);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([]);
});

test("a gather that fails and that nobody awaits is reported", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    void gather(async () => {
      throw new Error("lost");
    });
    await sleep(1);
  });
  expect(loop.warnings).toEqual(["Future exception was never retrieved (gather of 1): Error: lost"]);
});

test("the exception handler is set, asked for and reset", async () => {
  const loop = new EventLoop({ slowStepMs });
  const told: string[] = [];
  await runLoop(loop, async () => {
    expect(loop.getExceptionHandler()).toBeUndefined();
    const handler = (_loop: EventLoop, context: ExceptionContext): void => {
      told.push(`${context.message}: ${String(context.exception)} ${context.handle?.name}`);
      loop.defaultExceptionHandler({ message: "passed on" });
    };
    loop.setExceptionHandler(handler);
    expect(loop.getExceptionHandler()).toBe(handler);
    loop.callSoon(function bad() {
      throw new Error("first");
    });
    await sleep(0);
    loop.setExceptionHandler(undefined);
    loop.callSoon(function bad() {
      throw new Error("second");
    });
    await sleep(0);
  });
  expect(told).toEqual(["Exception in bad: Error: first bad"]);
  expect(loop.warnings).toEqual(["passed on", "Exception in bad: Error: second"]);
});

test("an exception handler that throws is reported and stops nothing", async () => {
  const log: string[] = [];
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    loop.setExceptionHandler(() => {
      throw new Error("handler");
    });
    loop.callSoon(function bad() {
      throw new Error("callback");
    });
    void Promise.reject(new Error("stray"));
    await sleep(0);
    log.push("goes on");
    createTask(
      async () => {
        throw new Error("task");
      },
      { name: "lost" },
    );
    await sleep(0);
  });
  expect(log).toEqual(["goes on"]);
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([
    "Unhandled error in exception handler: Error: handler",
    "Unhandled rejection or exception: Error: stray",
    "Unhandled error in exception handler: Error: handler",
    "Exception in bad: Error: callback",
    "Unhandled error in exception handler: Error: handler",
    "Task exception was never retrieved (task lost): Error: task",
  ]);
});
