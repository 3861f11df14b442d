import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CancelledError, ExceptionGroup } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { type TaskGroup, taskGroup } from "./task-group.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** What `work` throws, which it must. */
async function errorOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it raised nothing");
}

/** An error as it stands in these tests: groups as lists, everything else as its message or name. */
function shapeOf(error: unknown): unknown {
  if (error instanceof ExceptionGroup) return error.errors.map(shapeOf).sort();
  return error instanceof CancelledError ? "CancelledError" : (error as Error).message;
}

/** A function that takes `delayMs` and throws `name`. */
const failing =
  (name: string, delayMs = 0) =>
  async (): Promise<never> => {
    await sleep(delayMs);
    throw new Error(name);
  };

/** Sleeps for long; when it is cancelled, it notes that and throws `message`, or the cancellation on. */
const sleeper = (log: string[], name: string, message?: string) => async (): Promise<void> => {
  try {
    await sleep(1_000);
  } catch (error) {
    log.push(name);
    throw message === undefined ? error : new Error(message);
  }
};

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random, seed 7", (): Strategy | undefined => random(7)],
  ["random, seed 8", (): Strategy | undefined => random(8)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("it waits for its tasks, and answers what its body answers", async () => {
    await running(async () => {
      const tasks: Task<string>[] = [];
      const result = await taskGroup(async (group) => {
        for (const delayMs of [20, 10]) {
          tasks.push(
            group.createTask(async () => {
              await sleep(delayMs);
              return `slept ${delayMs}`;
            }),
          );
        }
        return "body";
      });
      expect([result, getRunningLoop().time()]).toEqual(["body", 20]);
      expect(tasks.map((task) => task.result())).toEqual(["slept 20", "slept 10"]);
      expect(await taskGroup(() => "nothing to wait for")).toBe("nothing to wait for");
    });
  });

  test("a task can be added when the body has waited already, and by another task", async () => {
    await running(async () => {
      const log: string[] = [];
      await taskGroup(async (group) => {
        group.createTask(async () => log.push("first"));
        await sleep(5);
        group.createTask(async () => {
          await sleep(5);
          group.createTask(async () => {
            await sleep(5);
            log.push(`grandchild t=${getRunningLoop().time()}`);
          });
          log.push("child");
        });
      });
      log.push("end");
      expect(log).toEqual(["first", "child", "grandchild t=15", "end"]);
    });
  });

  test("a task that is cancelled by hand disturbs neither the group nor the others", async () => {
    await running(async () => {
      const log: string[] = [];
      const tasks: Task[] = [];
      await taskGroup(async (group) => {
        tasks.push(group.createTask(sleeper(log, "cancelled")));
        tasks.push(group.createTask(() => sleep(10)));
        await sleep(1);
        tasks[0]!.cancel();
      });
      expect([tasks.map((task) => task.cancelled()), log, getRunningLoop().time()]).toEqual([[true, false], ["cancelled"], 10]);
    });
  });

  test("a task that fails cancels the others, the body does not go on, and a group of errors is raised", async () => {
    await running(async () => {
      const log: string[] = [];
      const error = await errorOf(
        taskGroup(async (group) => {
          group.createTask(sleeper(log, "sibling"));
          group.createTask(failing("boom", 10));
          await sleeper(log, "body")();
          log.push("never");
        }),
      );
      expect(error).toBeInstanceOf(ExceptionGroup);
      expect((error as Error).message).toBe("unhandled errors in a TaskGroup (1 sub-exception)");
      expect([shapeOf(error), log.sort(), getRunningLoop().time()]).toEqual([["boom"], ["body", "sibling"], 10]);
      expect(getRunningLoop().currentTask()?.cancelling()).toBe(0);
    });
  });

  test("what the others raise on being cancelled stands in the same group", async () => {
    await running(async () => {
      const log: string[] = [];
      const error = await errorOf(
        taskGroup(async (group) => {
          group.createTask(sleeper(log, "a", "a failed too"));
          group.createTask(sleeper(log, "b", "b failed too"));
          group.createTask(failing("boom", 10));
          await sleep(1_000);
        }),
      );
      expect(shapeOf(error)).toEqual(["a failed too", "b failed too", "boom"]);
      expect((error as Error).message).toBe("unhandled errors in a TaskGroup (3 sub-exceptions)");
    });
  });

  test("cancelling the parent while it waits at the end cancels every task and raises CancelledError", async () => {
    await running(async () => {
      const log: string[] = [];
      const parent = createTask(async () => {
        await taskGroup((group) => {
          group.createTask(sleeper(log, "a"));
          group.createTask(sleeper(log, "b"));
        });
      });
      await sleep(10);
      parent.cancel("enough");
      expect(await errorOf(parent)).toEqual(new CancelledError("enough"));
      expect([parent.cancelled(), log.sort()]).toEqual([true, ["a", "b"]]);
    });
  });

  test("cancelling the parent inside the body is seen by the body and by every task, once each", async () => {
    await running(async () => {
      const log: string[] = [];
      const parent = createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(sleeper(log, "a"));
          group.createTask(sleeper(log, "b"));
          await sleeper(log, "body")();
        });
      });
      await sleep(10);
      parent.cancel("enough");
      expect(await errorOf(parent)).toEqual(new CancelledError("enough"));
      expect(log.sort()).toEqual(["a", "b", "body"]);
    });
  });

  test("cancelling the parent of an empty group raises CancelledError", async () => {
    await running(async () => {
      const parent = createTask(async () => {
        await taskGroup(async () => {
          await sleep(1_000);
        });
      });
      await sleep(10);
      parent.cancel("enough");
      expect(await errorOf(parent)).toEqual(new CancelledError("enough"));
    });
  });

  test("cancelling the parent soon after the start raises CancelledError", async () => {
    await running(async () => {
      const parent = createTask(async () => {
        await taskGroup((group) => {
          group.createTask(() => sleep(1_000));
          group.createTask(() => sleep(1_000));
        });
      });
      await sleep(1);
      parent.cancel();
      expect(await errorOf(parent)).toBeInstanceOf(CancelledError);
      expect(getRunningLoop().time()).toBe(1);
    });
  });

  test("errors that tasks raise on being cancelled come in the place of the parent's CancelledError", async () => {
    await running(async () => {
      const log: string[] = [];
      const parent = createTask(async () => {
        await taskGroup((group) => {
          for (const name of ["a", "b"]) group.createTask(sleeper(log, name, `${name} failed`));
        });
      });
      await sleep(10);
      parent.cancel();
      expect(shapeOf(await errorOf(parent))).toEqual(["a failed", "b failed"]);
      expect(parent.cancelled()).toBe(false);
    });
  });

  test.each([0, 1])("an error of the body cancels the tasks and comes out in a group; they have had %s ms", async (delayMs) => {
    await running(async () => {
      const log: string[] = [];
      const error = await errorOf(
        taskGroup(async (group) => {
          group.createTask(sleeper(log, "a"));
          group.createTask(sleeper(log, "b"));
          if (delayMs > 0) await sleep(delayMs);
          throw new Error("body");
        }),
      );
      // Without a wait in the body the tasks have not begun, and never do.
      expect([shapeOf(error), log.sort()]).toEqual([["body"], delayMs > 0 ? ["a", "b"] : []]);
    });
  });

  test("a body that turns its cancellation into another error gives a group of that", async () => {
    await running(async () => {
      const parent = createTask(async () => {
        await taskGroup(async () => {
          await sleeper([], "body", "turned")();
        });
      });
      await sleep(10);
      parent.cancel();
      expect(shapeOf(await errorOf(parent))).toEqual(["turned"]);
    });
  });

  test("a task that fails and a body that fails on being cancelled for it give a group of both", async () => {
    await running(async () => {
      const error = await errorOf(
        taskGroup(async (group) => {
          group.createTask(failing("task", 10));
          await sleeper([], "body", "body")();
        }),
      );
      expect(shapeOf(error)).toEqual(["body", "task"]);
    });
  });

  test("a task that fails while the cancelled body still cleans up makes it a group", async () => {
    await running(async () => {
      const log: string[] = [];
      const parent = createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(failing("task", 15));
          try {
            await sleep(1_000);
          } finally {
            log.push(shapeOf(await errorOf(sleep(1_000))) as string);
          }
        });
      });
      await sleep(10);
      parent.cancel();
      expect([shapeOf(await errorOf(parent)), log, getRunningLoop().time()]).toEqual([["task"], ["CancelledError"], 15]);
    });
  });

  test("so it is with the group in a task that the cancelled task awaits", async () => {
    await running(async () => {
      const inner = createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(failing("task", 15));
          try {
            await sleep(1_000);
          } finally {
            await errorOf(sleep(1_000));
          }
        });
      });
      const outer = createTask(async () => await inner);
      await sleep(10);
      outer.cancel();
      expect(shapeOf(await errorOf(outer))).toEqual(["task"]);
    });
  });

  test("errors of an inner group on cancellation come out as a group in a group, whether or not the outer has a task", async () => {
    await running(async () => {
      for (const hasOwn of [false, true]) {
        const log: string[] = [];
        const parent = createTask(async () => {
          await taskGroup(async (outer) => {
            if (hasOwn) outer.createTask(sleeper(log, "own"));
            await taskGroup((inner) => {
              for (const name of ["a", "b"]) inner.createTask(sleeper(log, name, `${name} failed`));
            });
          });
        });
        await sleep(10);
        parent.cancel();
        expect(shapeOf(await errorOf(parent))).toEqual([["a failed", "b failed"]]);
        expect(log.sort()).toEqual(hasOwn ? ["a", "b", "own"] : ["a", "b"]);
      }
    });
  });

  test("a task of the outer group that fails cancels the inner group, and only its error comes out", async () => {
    await running(async () => {
      const log: string[] = [];
      const error = await errorOf(
        taskGroup(async (outer) => {
          outer.createTask(failing("outer task", 10));
          await taskGroup((inner) => {
            inner.createTask(sleeper(log, "inner task"));
          });
        }),
      );
      expect([shapeOf(error), log, getRunningLoop().currentTask()?.cancelling()]).toEqual([["outer task"], ["inner task"], 0]);
    });
  });

  test("a task of the inner group that fails cancels those of the outer one, and its error comes out two levels deep", async () => {
    await running(async () => {
      const log: string[] = [];
      const error = await errorOf(
        taskGroup(async (outer) => {
          outer.createTask(sleeper(log, "outer task"));
          await taskGroup((inner) => {
            inner.createTask(failing("inner task", 10));
          });
        }),
      );
      expect([shapeOf(error), log]).toEqual([[["inner task"]], ["outer task"]]);
    });
  });

  test("tasks that keep adding tasks are all stopped by one that fails", async () => {
    await running(async () => {
      let begun = 0;
      const error = await errorOf(
        taskGroup((group) => {
          const spread = async (): Promise<void> => {
            begun++;
            for (let child = 0; child < 2; child++) {
              await sleep(1);
              group.createTask(spread);
            }
            await sleep(1_000);
          };
          group.createTask(spread);
          group.createTask(failing("stop", 6));
        }),
      );
      expect([shapeOf(error), getRunningLoop().time()]).toEqual([["stop"], 6]);
      expect(begun).toBeGreaterThan(5);
      expect(getRunningLoop().allTasks()).toHaveLength(1);
    });
  });

  test("a parent that is cancelled again and again while its tasks clean up leaves nobody behind", async () => {
    await running(async () => {
      const log: string[] = [];
      const parent = createTask(async () => {
        await taskGroup((group) => {
          group.createTask(async () => {
            try {
              await sleep(1_000);
            } finally {
              await sleep(20);
              log.push(`cleaned t=${getRunningLoop().time()}`);
            }
          });
        });
      });
      await sleep(10);
      for (const message of ["first", "second", "third"]) {
        parent.cancel(message);
        await sleep(2);
      }
      expect(await errorOf(parent)).toEqual(new CancelledError("first"));
      expect(log).toEqual(["cleaned t=30"]);
    });
  });

  test("an error of something that the body has open comes out together with that of a task", async () => {
    await running(async () => {
      const closing = {
        async [Symbol.asyncDispose](): Promise<void> {
          await sleep(0);
          throw new Error("closing");
        },
      };
      const error = await errorOf(
        taskGroup(async (group) => {
          try {
            group.createTask(failing("task", 10));
            await sleep(1_000);
          } finally {
            await closing[Symbol.asyncDispose]();
          }
        }),
      );
      expect([shapeOf(error), getRunningLoop().currentTask()?.cancelling()]).toEqual([["closing", "task"], 0]);
    });
  });
});

test("under fifo everybody goes on in CPython's order", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const parent = createTask(async () => {
      try {
        await taskGroup(async (group) => {
          group.createTask(sleeper(log, "a"));
          group.createTask(failing("boom"));
          await sleeper(log, "body")();
        });
      } catch (error) {
        log.push(`parent ${JSON.stringify(shapeOf(error))}`);
      }
    });
    for (let turn = 1; turn < 8 && !parent.done(); turn++) {
      await sleep(0);
      loop.callSoon(() => log.push(`turn ${turn}`));
    }
  });
  expect(log).toEqual(["turn 1", "turn 2", "turn 3", "a", "body", "turn 4", "turn 5", 'parent ["boom"]', "turn 6", "turn 7"]);
});

test("the parent's cancelling() is back at 0 after a failure during the body, and not after one at the end, as in CPython 3.11", async () => {
  await run(async () => {
    const me = getRunningLoop().currentTask()!;
    await errorOf(
      taskGroup(async (group) => {
        group.createTask(failing("boom"));
        await sleep(1_000);
      }),
    );
    expect(me.cancelling()).toBe(0);
    await errorOf(
      taskGroup((group) => {
        group.createTask(failing("boom"));
      }),
    );
    expect(me.cancelling()).toBe(1);
    await sleep(1); // it is no cancellation any more
  });
});

test("a task can have a name", async () => {
  await run(async () => {
    const names = await taskGroup(async (group) => [
      group.createTask(() => 1, { name: "fetch" }).getName(),
      group.createTask(coroutine(() => 2)).getName(),
    ]);
    expect(names).toEqual(["fetch", "Task-3"]);
  });
});

test("a task can have a signal, and one that it aborts disturbs nobody", async () => {
  await run(async () => {
    const stop = new AbortController();
    let task: Task | undefined;
    await taskGroup(async (group) => {
      task = group.createTask(() => sleep(1_000), { signal: stop.signal });
      group.createTask(() => sleep(10));
      await sleep(1);
      stop.abort();
    });
    expect([task?.cancelled(), getRunningLoop().time()]).toEqual([true, 10]);
  });
});

test("once a task has failed, adding one is refused, and the coroutine that was refused can still be used", async () => {
  await run(async () => {
    const lazy = coroutine(() => "untouched");
    const error = await errorOf(
      taskGroup(async (group) => {
        group.createTask(failing("boom"));
        try {
          await sleep(1_000);
        } finally {
          group.createTask(lazy);
        }
      }),
    );
    expect(shapeOf(error)).toEqual(["TaskGroup is shutting down", "boom"]);
    expect((error as ExceptionGroup).errors.map(String)).toMatchInlineSnapshot(`
      [
        "Error: boom",
        "RuntimeError: TaskGroup is shutting down",
      ]
    `);
    expect(await lazy).toBe("untouched");
  });
});

test("a group that is over takes no task", async () => {
  await run(async () => {
    let group: TaskGroup | undefined;
    await taskGroup((given) => {
      group = given;
    });
    const lazy = coroutine(() => "untouched");
    expect(() => group?.createTask(lazy)).toThrowErrorMatchingInlineSnapshot(`[RuntimeError: TaskGroup is finished]`);
    expect(await lazy).toBe("untouched");
  });
});

test("a promise is refused, and the group goes on", async () => {
  await run(async () => {
    await taskGroup((group) => {
      expect(() => group.createTask(Promise.resolve(1) as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
        `[UsageError: createTask: got a promise, which has started already, out of reach of the scheduler. Pass the function: createTask(() => work()).]`,
      );
    });
  });
});

test("a group that lives long holds none of the tasks that have ended", async () => {
  await expect(
    run(
      async () => {
        await taskGroup(async (group) => {
          for (let round = 0; round < 100; round++) await group.createTask(() => round);
          group.createTask(() => getRunningLoop().createFuture("cell"), { name: "last" });
        });
      },
      { sites: false, slowStepMs },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DeadlockError: deadlock at step 202, t=0: 2 tasks wait and nothing can wake them.
      main  waits for task group, of which pending: task last
      last  waits for cell
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.]
  `);
});

test("a task that fails when its parent is done already is reported to the exception handler", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    // The group outlives its parent, because nobody awaits it.
    await createTask(async () => {
      void taskGroup((group) => {
        group.createTask(failing("late", 5), { name: "late" });
      }).catch(() => undefined);
    });
    await sleep(10);
  });
  expect(loop.warnings).toEqual(["Task of a TaskGroup has failed but its parent task is already completed (task late): Error: late"]);
});

test("a group needs a task", async () => {
  await run(async () => {
    let inCallback: Promise<unknown> | undefined;
    getRunningLoop().callSoon(() => {
      inCallback = taskGroup(() => "never").catch((error: unknown) => error);
    });
    await sleep(1);
    expect(await inCallback).toMatchInlineSnapshot(`[RuntimeError: TaskGroup cannot determine the parent task]`);
  });
});

test("a group needs a run", async () => {
  await expect(taskGroup(() => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: taskGroup() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});

test("a body that is no function is refused, and a group prints its state", async () => {
  await run(async () => {
    await expect(taskGroup(sleep(1) as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: taskGroup: needs a function to run, () => …, not [Sleep]]`,
    );
    await taskGroup(async (group) => {
      group.createTask(() => sleep(1));
      expect(inspect(group)).toBe("<TaskGroup entered tasks=1 errors=0>");
      await sleep(2);
    });
  });
});
