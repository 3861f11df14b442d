import { expect, test } from "vitest";
import { coroutine } from "./coroutine.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

test("nothing of a coroutine runs before it is awaited, and then it runs without a suspension of its own", async () => {
  const log: string[] = [];
  await run(async () => {
    const made = coroutine(async () => {
      log.push("runs");
      return 7;
    });
    createTask(async () => log.push("other"));
    log.push("made");
    log.push(`awaited ${await made}`);
    await sleep(0);
  });
  expect(log).toEqual(["made", "runs", "awaited 7", "other"]);
});

test("a coroutine runs in the task that awaits it", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const made = coroutine(async () => {
      await sleep(1);
      return loop.currentTask()?.getName();
    });
    expect(await createTask(async () => await made, { name: "awaiting" })).toBe("awaiting");
    expect(
      await createTask(
        coroutine(() => loop.currentTask()?.getName()),
        { name: "own" },
      ),
    ).toBe("own");
  });
});

test("a coroutine is used once, however it was used first", async () => {
  await run(async () => {
    async function greet(): Promise<string> {
      return "hello";
    }
    const made = coroutine(greet);
    expect(made.name).toBe("greet");
    expect(await made).toBe("hello");
    await expect(async () => await made).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: cannot reuse already awaited coroutine greet]`,
    );
    expect(() => createTask(made)).toThrow("cannot reuse already awaited coroutine greet");
    const scheduled = coroutine(greet);
    const task = createTask(scheduled);
    await expect(async () => await scheduled).rejects.toThrow("cannot reuse already awaited coroutine greet");
    expect(await task).toBe("hello");
  });
});

test("a coroutine that fails raises its exception at the await", async () => {
  await run(async () => {
    await expect(
      (async () =>
        await coroutine(() => {
          throw new RangeError("sync");
        }))(),
    ).rejects.toThrow(new RangeError("sync"));
    await expect(
      (async () =>
        await coroutine(async () => {
          throw new RangeError("async");
        }))(),
    ).rejects.toThrow(new RangeError("async"));
  });
});

test("a coroutine that is never awaited is reported when the run ends, once, and one that was used is not", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    coroutine(async function forgotten() {});
    coroutine(() => 1);
    await coroutine(async () => {});
    await createTask(coroutine(async () => {}));
    createTask(coroutine(async function cancelledFirst() {})).cancel();
  });
  expect(loop.warnings).toEqual(["coroutine forgotten was never awaited", "coroutine anonymous was never awaited"]);
});

test("a coroutine can be made outside of a run, but is awaited inside", async () => {
  const made = coroutine(async () => 5);
  await expect(async () => await made).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: Awaiting coroutine anonymous needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  expect(await run(async () => await made)).toBe(5);
  expect(await run(coroutine(async () => 6))).toBe(6);
});
