import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { coroutine } from "./coroutine.js";
import { createTask } from "./create-task.js";
import { allTasks, currentTask } from "./current-task.js";
import { EventLoop } from "./event-loop.js";
import { run, runUntilComplete } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy() });

  test("currentTask is the running task, across every await of it and in what it calls", async () => {
    await running(async () => {
      const task = createTask(async () => {
        const seen = [currentTask()];
        await sleep(0);
        seen.push(currentTask());
        await coroutine(async () => {
          await sleep(1);
          seen.push(currentTask());
        });
        await Promise.all([sleep(1), null]);
        seen.push(currentTask());
        return seen.map((one) => one?.getName());
      });
      expect(currentTask()?.getName()).toBe("main");
      expect(await task).toEqual(Array(4).fill(task.getName()));
      expect([currentTask()?.getName(), getRunningLoop().currentTask() === currentTask()]).toEqual(["main", true]);
    });
  });

  test("it stays right for tasks that wake one another in turn", async () => {
    await running(async () => {
      const loop = getRunningLoop();
      const cells = Array.from({ length: 10 }, () => loop.createFuture());
      const seen: string[] = [];
      const player = (name: string, first: number) => async (): Promise<void> => {
        for (let turn = first; turn < cells.length; turn += 2) {
          if (turn > 0) await cells[turn - 1];
          seen.push(`${name} is ${currentTask()?.getName() ?? "nobody"}`);
          cells[turn]!.setResult(turn);
          seen.push(`${name} is ${currentTask()?.getName() ?? "nobody"}`);
        }
      };
      await gather(createTask(player("ping", 0), { name: "ping" }), createTask(player("pong", 1), { name: "pong" }));
      expect(seen).toEqual(Array(5).fill(["ping is ping", "ping is ping", "pong is pong", "pong is pong"]).flat());
    });
  });

  test("in callbacks there is none", async () => {
    await running(async () => {
      const loop = getRunningLoop();
      const seen: unknown[] = [];
      const note = (): void => {
        seen.push(currentTask());
      };
      loop.callSoon(note);
      loop.callLater(1, note);
      createTask(() => 1).addDoneCallback(note);
      await sleep(2);
      expect(seen).toEqual([undefined, undefined, undefined]);
    });
  });
});

test("allTasks are those that are not done, in order of creation", async () => {
  await run(async () => {
    createTask(() => sleep(5), { name: "slow" });
    createTask(() => sleep(1), { name: "fast" });
    const names = (): string[] => allTasks().map((task) => task.getName());
    expect(names()).toEqual(["main", "slow", "fast"]);
    await sleep(2);
    expect(names()).toEqual(["main", "slow"]);
    for (const task of allTasks()) if (task !== currentTask()) task.cancel();
    await sleep(0);
    expect(names()).toEqual(["main"]);
  });
});

test("a loop that does not run has no current task", async () => {
  const loop = new EventLoop();
  expect(loop.currentTask()).toBeUndefined();
  await runUntilComplete(loop, async () => {
    expect(new EventLoop().currentTask()).toBeUndefined();
    expect(loop.currentTask()).toBe(currentTask());
  });
  expect(loop.currentTask()).toBeUndefined();
});

test("both need a run", () => {
  expect(() => currentTask()).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: currentTask() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  expect(() => allTasks()).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: allTasks() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});
