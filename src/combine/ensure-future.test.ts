import { expect, test } from "vitest";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import { Task } from "../loop/task.js";
import { ensureFuture } from "./ensure-future.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

test("a future and a task are handed back as they are", async () => {
  await run(async () => {
    const future = getRunningLoop().createFuture<number>();
    const task = createTask(async () => 5);
    expect([ensureFuture(future) === future, ensureFuture(task) === (task as Future)]).toEqual([true, true]);
  });
});

test("a coroutine and a function become a task of the running loop, of which nothing runs at once", async () => {
  await run(async () => {
    const log: string[] = [];
    const futures = [
      ensureFuture(coroutine(async () => log.push("coroutine"))),
      ensureFuture(async () => log.push("function")),
      ensureFuture(() => log.push("plain function")),
    ];
    expect(futures.map((future) => [future instanceof Task, future.getLoop() === getRunningLoop()])).toEqual(Array(3).fill([true, true]));
    expect(log).toEqual([]);
    const results: number[] = [];
    for (const future of futures) results.push(await future);
    expect([results, log]).toEqual([
      [1, 2, 3],
      ["coroutine", "function", "plain function"],
    ]);
  });
});

test("whatever has a then of its own becomes a task with its result", async () => {
  await run(async () => {
    const thenable = {
      then(onFulfilled: (value: string) => void): void {
        getRunningLoop().callLater(5, () => {
          onFulfilled("thenable");
        });
      },
    } as unknown as PromiseLike<string>;
    const future = ensureFuture(thenable);
    expect(future).toBeInstanceOf(Task);
    expect([await future, await ensureFuture(Promise.resolve("promise")), await ensureFuture(sleep(5))]).toEqual([
      "thenable",
      "promise",
      undefined,
    ]);
    expect(getRunningLoop().time()).toBe(10);
  });
});

test("a native promise that rejects fails its task, and is no stray rejection", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    const future = ensureFuture(Promise.reject(new RangeError("native")));
    await sleep(1);
    expect(future.exception()).toEqual(new RangeError("native"));
  });
  expect(loop.warnings).toEqual([]);
});

test("a future of an earlier run gives its result, and fails where it is awaited while pending", async () => {
  const [done, pending] = await run(async () => {
    const futures = [getRunningLoop().createFuture<number>("done"), getRunningLoop().createFuture<number>("pending")] as const;
    futures[0].setResult(5);
    return futures;
  });
  await run(async () => {
    const future = ensureFuture(done);
    expect([future.getLoop() === getRunningLoop(), await future]).toEqual([true, 5]);
    await expect(async () => await ensureFuture(pending)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: pending belongs to another event loop than the one that is running. Usually it was created in an earlier run: create futures and tasks inside the run that awaits them.]`,
    );
  });
});

test("what cannot be awaited is refused with what can", async () => {
  await run(async () => {
    expect(() => ensureFuture(5 as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: ensureFuture: the argument cannot be awaited: 5. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => ensureFuture("text" as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: ensureFuture: the argument cannot be awaited: "text". Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
    expect(() => ensureFuture({ then: 5 } as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: ensureFuture: the argument cannot be awaited: [Object]. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
  });
});

test("ensureFuture needs a run", () => {
  expect(() => ensureFuture(() => 5)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: ensureFuture() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
});
