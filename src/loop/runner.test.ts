import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { CancelledError, RuntimeError } from "../errors/errors.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { allTasks } from "./current-task.js";
import { run } from "./run.js";
import { Runner } from "./runner.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";
import type { Task } from "./task.js";

/** A task that writes down when it wakes, every 10 ms, and that it was cancelled. */
function ticker(log: string[]): () => Promise<void> {
  return async () => {
    try {
      for (;;) {
        await sleep(10);
        log.push(`tick ${getRunningLoop().time()}`);
      }
    } catch (error) {
      log.push(error instanceof CancelledError ? `cancelled ${getRunningLoop().time()}` : "failed");
      await sleep(1);
      log.push(`cleaned up ${getRunningLoop().time()}`);
      throw error;
    }
  };
}

for (const [name, strategy] of [
  ["fifo", fifo],
  ["random", () => random(7)],
] as const) {
  describe(`under ${name}`, () => {
    test("what one main leaves behind goes on with the next, and is cancelled at the end", async () => {
      const log: string[] = [];
      const runner = new Runner({ strategy: strategy() });
      let background: Task | undefined;
      await runner.run(async () => {
        background = createTask(ticker(log), { name: "ticker" });
        await sleep(25);
      });
      expect(log).toEqual(["tick 10", "tick 20"]);
      expect(background?.done()).toBe(false);
      expect(
        await runner.run(async () => {
          await sleep(10);
          return allTasks().map((task) => task.getName());
        }),
      ).toEqual(["ticker", "main"]);
      expect(log).toEqual(["tick 10", "tick 20", "tick 30"]);
      await runner.close();
      expect(log).toEqual(["tick 10", "tick 20", "tick 30", "cancelled 35", "cleaned up 36"]);
      expect(background?.cancelled()).toBe(true);
    });
  });
}

test("each main gives its own result or exception, and a failed one ends nothing but itself", async () => {
  const runner = new Runner();
  expect(await runner.run(() => 1)).toBe(1);
  await expect(
    runner.run(async () => {
      await sleep(5);
      throw new Error("second");
    }),
  ).rejects.toThrow("second");
  expect(await runner.run(async () => getRunningLoop().time())).toBe(5);
  await runner.close();
});

test("the loop is one and the same, and is closed with the runner", async () => {
  const runner = new Runner();
  const loop = runner.getLoop();
  expect(await runner.run(() => getRunningLoop() === loop)).toBe(true);
  expect(loop.isClosed()).toBe(false);
  await runner.close();
  expect(loop.isClosed()).toBe(true);
  expect(() => runner.getLoop()).toThrow(new RuntimeError("Runner is closed"));
  await expect(runner.run(() => 1)).rejects.toThrow(new RuntimeError("Runner is closed"));
  await runner.close(); // does nothing
});

test("a runner that ran nothing closes without a word", async () => {
  const runner = new Runner();
  await runner.close();
  await expect(runner.run(() => 1)).rejects.toThrow("Runner is closed");
});

test("it is disposed of by closing it", async () => {
  const log: string[] = [];
  {
    await using runner = new Runner();
    await runner.run(async () => {
      createTask(ticker(log));
      await sleep(0);
    });
  }
  expect(log).toEqual(["cancelled 0", "cleaned up 1"]);
});

test("inside of a run it refuses to run", async () => {
  const runner = new Runner();
  await run(async () => {
    await expect(runner.run(() => 1)).rejects.toThrow("Runner.run() cannot be called inside a run");
  });
});

test("runs that are started together run one after another", async () => {
  const runner = new Runner();
  const order: number[] = [];
  const main = (place: number) => async () => {
    await sleep(10);
    order.push(place);
  };
  await Promise.all([runner.run(main(1)), run(main(2)), runner.run(main(3))]);
  expect(order).toEqual([1, 2, 3]);
  await runner.close();
});

test("a deadlock of one main closes the loop", async () => {
  const runner = new Runner();
  await expect(runner.run(() => getRunningLoop().createFuture())).rejects.toThrow("deadlock at step 1");
  await expect(runner.run(() => 1)).rejects.toThrow(
    new RuntimeError("Runner: its loop has ended, because an earlier main came to no end; make a new Runner"),
  );
  await runner.close();
});

test("what it has to complain of is told when it is closed", async () => {
  const warnings: string[] = [];
  const runner = new Runner({ onWarning: (warning) => warnings.push(warning) });
  await runner.run(async () => {
    createTask(() => {
      throw new Error("unseen");
    });
    await sleep(1);
  });
  expect(warnings).toEqual([]);
  await runner.close();
  expect(warnings).toEqual(["Task exception was never retrieved (task Task-2): Error: unseen"]);
});

test("what a task that is left behind raises at the end goes to the exception handler, and main's exception comes out all the same", async () => {
  const told: string[] = [];
  const runner = new Runner();
  runner.getLoop().setExceptionHandler((_loop, { message, exception, future }) => {
    told.push(`${message}: ${String(exception)}, ${String(future?.describe())}`);
  });
  const log: string[] = [];
  async function* letters(): AsyncGenerator<string> {
    try {
      for (;;) {
        await sleep(1);
        yield "a";
      }
    } finally {
      log.push("closed");
    }
  }
  const reader = async (): Promise<void> => {
    try {
      for await (const letter of letters()) log.push(letter);
    } catch {
      throw new Error("while it was cancelled");
    }
  };
  const failing = runner.run(async () => {
    createTask(reader, { name: "reader" });
    await sleep(1);
    await sleep(0);
    throw new Error("main's own");
  });
  await expect(failing).rejects.toThrow("main's own");
  await runner.close();
  expect(log).toEqual(["a", "closed"]);
  expect(told).toEqual(["unhandled exception during the shutdown of run(): Error: while it was cancelled, task reader"]);
});

test("a main runs in the context of whoever asked for it", async () => {
  const store = new AsyncLocalStorage<string>();
  const runner = new Runner();
  const main = async (): Promise<string | undefined> => {
    await sleep(1);
    return store.getStore();
  };
  expect(await store.run("first", () => runner.run(main))).toBe("first");
  expect(await runner.run(main)).toBe(undefined);
  await runner.close();
});

test("bad options are refused where the loop is made", () => {
  expect(() => new Runner({ maxSteps: 0 }).getLoop()).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Runner: maxSteps must be 1 or more, not 0]`,
  );
});

test("what is left and comes to no end when it is closed is told, and not swallowed", async () => {
  const runner = new Runner();
  await runner.run(async () => {
    createTask(async () => {
      await sleep(1).then(null, () => getRunningLoop().createFuture("never"));
    });
    await sleep(0);
  });
  await expect(runner.close()).rejects.toThrow("waits for never");
  await runner.close(); // it is closed all the same
});

test("a close that is asked for inside of a run, or while one waits for its turn, leaves nobody behind", async () => {
  const log: string[] = [];
  const inside = new Runner();
  await inside.run(async () => {
    createTask(ticker(log));
    await expect(inside.close()).rejects.toThrow("Runner.close() cannot be called inside a run");
  });
  await inside.close();
  const waiting = new Runner();
  const main = waiting.run(async () => {
    createTask(ticker(log));
    await sleep(0);
    log.push("main");
  });
  await waiting.close();
  await main;
  expect(log).toEqual(["cancelled 0", "cleaned up 1", "main", "cancelled 0", "cleaned up 1"]);
});

test("a strategy begins once, also after a main that was refused, and learns whether any main failed", async () => {
  const told: unknown[] = [];
  const strategy: Strategy = {
    name: "own",
    begin: (number) => {
      told.push(number);
      return true;
    },
    pick: () => 0,
    end: ({ failed }) => told.push(failed),
  };
  const runner = new Runner({ strategy });
  await expect(runner.run(Promise.resolve(1) as never)).rejects.toThrow("has started already");
  await expect(
    runner.run(() => {
      throw new Error("first");
    }),
  ).rejects.toThrow("first");
  await runner.run(() => 2);
  await runner.close();
  expect(told).toEqual([0, true]);
});
