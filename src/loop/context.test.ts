/** Context variables: what an AsyncLocalStorage holds in tasks and callbacks. */
import { AsyncLocalStorage } from "node:async_hooks";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { coroutine } from "./coroutine.js";
import { createTask } from "./create-task.js";
import { currentTask } from "./current-task.js";
import type { Quiescence } from "./host.js";
import { type RunOptions, run } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

describe.each([
  ["fifo", (): Strategy | undefined => undefined, "drain"],
  ["random", (): Strategy | undefined => random(7), "drain"],
  ["fifo, with macrotasks", (): Strategy | undefined => undefined, "macrotask"],
] as const)("under %s", (_name, strategy, quiescence: Quiescence) => {
  const options = (): RunOptions => ({ strategy: strategy(), quiescence, slowStepMs });
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, options());

  test("a task sees what held where it was created", async () => {
    const user = new AsyncLocalStorage<string>();
    await running(async () => {
      const seen = async (): Promise<(string | undefined)[]> => {
        const before = user.getStore();
        await sleep(1);
        return [before, user.getStore()];
      };
      const tasks = [
        createTask(seen),
        user.run("ann", () => createTask(seen)),
        user.run("bob", () => createTask(coroutine(seen))),
        user.run("cy", () => getRunningLoop().createTask(seen)),
      ];
      expect(await gather(tasks)).toEqual([
        [undefined, undefined],
        ["ann", "ann"],
        ["bob", "bob"],
        ["cy", "cy"],
      ]);
      expect(user.getStore()).toBeUndefined();
    });
  });

  test("what gather and its like make of functions sees what held at the call", async () => {
    const user = new AsyncLocalStorage<string>();
    await running(async () => {
      const seen = async (): Promise<string | undefined> => {
        await sleep(0);
        return user.getStore();
      };
      const all = user.run("ann", () => gather(seen, seen));
      expect([await all, await gather(seen)]).toEqual([["ann", "ann"], [undefined]]);
    });
  });

  test("a task sees the value from when it was created, and neither side sees what the other sets later", async () => {
    const variable = new AsyncLocalStorage<string>();
    await running(async () => {
      const parent = createTask(async () => {
        variable.enterWith("at creation");
        const child = createTask(async () => {
          const before = variable.getStore();
          variable.enterWith("child's");
          await sleep(2);
          return [before, variable.getStore()];
        });
        variable.enterWith("later");
        await sleep(1);
        return [variable.getStore(), await child, variable.getStore()];
      });
      expect(await parent).toEqual(["later", ["at creation", "child's"], "later"]);
      expect(variable.getStore()).toBeUndefined();
    });
  });

  test("what a task sets, also before its first await, is its own and its later children's across every kind of await", async () => {
    const variable = new AsyncLocalStorage<string>();
    await running(async () => {
      const loop = getRunningLoop();
      const cell = loop.createFuture();
      const seen: (string | undefined)[] = [];
      const note = (): void => {
        seen.push(variable.getStore());
      };
      const task = createTask(async () => {
        variable.enterWith("own");
        note();
        const earlier = createTask(async () => variable.getStore());
        await sleep(0);
        note();
        await sleep(1);
        note();
        await cell;
        note();
        await null;
        note();
        await Promise.all([sleep(1), earlier, coroutine(() => 1)]);
        note();
        await coroutine(async () => await sleep(1));
        note();
        await earlier;
        note();
        const children = [await earlier, await createTask(async () => variable.getStore())];
        variable.enterWith("changed");
        await sleep(0);
        note();
        return [...children, await createTask(() => variable.getStore())];
      });
      const sibling = createTask(async () => {
        const before = variable.getStore();
        await sleep(5);
        return [before, variable.getStore()];
      });
      await sleep(2);
      cell.setResult(1);
      expect(await task).toEqual(["own", "own", "changed"]);
      expect(seen).toEqual([...Array<string>(8).fill("own"), "changed"]);
      expect(await sibling).toEqual([undefined, undefined]);
      expect([variable.getStore(), await createTask(() => variable.getStore())]).toEqual([undefined, undefined]);
    });
  });

  test("nothing of a run is seen in the next, nor outside", async () => {
    const variable = new AsyncLocalStorage<string>();
    await running(async () => {
      variable.enterWith("main's");
      getRunningLoop().callSoon(() => {
        variable.enterWith("callback's");
      });
      createTask(async () => {
        variable.enterWith("task's");
        await sleep(1);
      });
      await sleep(5);
    });
    expect(variable.getStore()).toBeUndefined();
    const seen = await running(async () => {
      const before = variable.getStore();
      await sleep(1);
      return [before, variable.getStore(), await createTask(() => variable.getStore())];
    });
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  test("main sees what held where it was run", async () => {
    const variable = new AsyncLocalStorage<string>();
    const seen = variable.run(
      "caller",
      async () =>
        await running(async () => {
          const before = variable.getStore();
          await sleep(5);
          return [before, variable.getStore(), await createTask(() => variable.getStore())];
        }),
    );
    const other = variable.run("other", async () => await running(async () => variable.getStore()));
    expect([await seen, await other]).toEqual([["caller", "caller", "caller"], "other"]);
  });

  test("a callback sees what held where it was handed over, and what it sets stays its own", async () => {
    const variable = new AsyncLocalStorage<string>();
    const seen: Record<string, string | undefined> = {};
    await running(async () => {
      const loop = getRunningLoop();
      const [future, done] = [loop.createFuture(), loop.createFuture()];
      done.setResult(1);
      const note = (name: string): void => {
        seen[name] = variable.getStore();
        variable.enterWith(`left behind by ${name}`);
      };
      variable.run("soon", () => loop.callSoon(note, "callSoon"));
      variable.run("later", () => loop.callLater(1, note, "callLater"));
      variable.run("at", () => loop.callAt(1, note, "callAt"));
      variable.run("added", () => {
        future.addDoneCallback(() => {
          note("addDoneCallback");
        });
      });
      variable.run("added late", () => {
        done.addDoneCallback(() => {
          note("addDoneCallback when done");
        });
      });
      loop.callLater(1, note, "plain");
      await sleep(2);
      variable.run("setter", () => {
        future.setResult(1);
      });
      await sleep(1);
      seen["main"] = variable.getStore();
    });
    expect(seen).toEqual({
      callSoon: "soon",
      callLater: "later",
      callAt: "at",
      addDoneCallback: "added",
      "addDoneCallback when done": "added late",
      plain: undefined,
      main: undefined,
    });
  });

  test("done callbacks of a task see their own context, and those that it sets nowhere else", async () => {
    const variable = new AsyncLocalStorage<string>();
    await running(async () => {
      const seen: (string | undefined)[] = [];
      const task = createTask(async () => {
        variable.enterWith("task's");
        currentTask()?.addDoneCallback(() => {
          seen.push(variable.getStore());
          variable.enterWith("callback's");
        });
        await sleep(1);
        seen.push(variable.getStore());
      });
      variable.run("outer", () => {
        task.addDoneCallback(() => seen.push(variable.getStore()));
      });
      await task;
      await sleep(1);
      expect(seen.sort()).toEqual(["outer", "task's", "task's"]);
      expect(variable.getStore()).toBeUndefined();
    });
  });

  test("a hundred tasks that set the same variable in turn never see each other's value", async () => {
    const variable = new AsyncLocalStorage<number>();
    await running(async () => {
      const count = async (from: number): Promise<boolean> => {
        for (let value = from; value < from + 10; value++) {
          variable.enterWith(value);
          await sleep(value % 3);
          if (variable.getStore() !== value) return false;
        }
        return true;
      };
      const tasks = Array.from({ length: 100 }, (_, number) => createTask(() => count(1_000 * number)));
      expect(await gather(tasks)).toEqual(Array(100).fill(true));
      expect(variable.getStore()).toBeUndefined();
    });
  });

  test("tasks that are to share a value hold one object: what one sets in it the next sees", async () => {
    const variable = new AsyncLocalStorage<{ value: number }>();
    await running(async () => {
      const shared = { value: 0 };
      const bump = async (): Promise<number> => {
        const store = variable.getStore()!;
        store.value++;
        await sleep(0);
        return store.value;
      };
      for (const expected of [1, 2, 3]) expect(await variable.run(shared, () => createTask(bump))).toBe(expected);
      expect([shared.value, variable.getStore()]).toEqual([3, undefined]);
    });
  });

  test("a task that waits for something outside keeps its own context, and it is the current task afterwards", async () => {
    const variable = new AsyncLocalStorage<string>();
    await running(async () => {
      const reader = (name: string) => async (): Promise<unknown[]> => {
        variable.enterWith(name);
        const me = currentTask();
        const seen: unknown[] = [];
        for (let round = 0; round < 3; round++) {
          await readFile(import.meta.filename);
          seen.push(variable.getStore(), currentTask() === me);
          await sleep(round);
          seen.push(variable.getStore(), currentTask() === me);
        }
        return seen;
      };
      const sleeper = async (): Promise<unknown[]> => {
        const me = currentTask();
        await sleep(1);
        return [variable.getStore(), currentTask() === me];
      };
      const [a, b, c] = await gather(reader("a"), reader("b"), sleeper);
      expect([a, b, c]).toEqual([Array(6).fill(["a", true]).flat(), Array(6).fill(["b", true]).flat(), [undefined, true]]);
      expect([variable.getStore(), currentTask()?.getName()]).toEqual([undefined, "main"]);
    });
  });

  test("a cancelled task's clean-up sees its own context, not that of whoever cancelled it", async () => {
    const variable = new AsyncLocalStorage<string>();
    await running(async () => {
      const seen: (string | undefined)[] = [];
      const task = createTask(async () => {
        variable.enterWith("task's");
        try {
          await sleep(1_000);
        } finally {
          seen.push(variable.getStore());
          await sleep(1);
          seen.push(variable.getStore());
        }
      });
      await sleep(1);
      variable.run("canceller's", () => task.cancel());
      await sleep(5);
      expect(seen).toEqual(["task's", "task's"]);
    });
  });
});
