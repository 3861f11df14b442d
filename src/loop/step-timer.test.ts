import { expect, test } from "vitest";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { runLoop } from "./run.js";
import { sleep } from "./sleep.js";
import { StepTimer } from "./step-timer.js";

test("a slow step is named, a fast one is not, and a pause does not count", () => {
  const timer = new StepTimer(100);
  timer.resume(0, 0);
  expect(timer.look(99, 1, "a")).toBeUndefined();
  expect(timer.look(199, 2, "b")).toMatchInlineSnapshot(
    `"step 2 of b took 100 ms of real time, in which no other task could run. Usually a blocking call inside a task."`,
  );
  timer.resume(5_000, 2);
  expect(timer.look(5_001, 3, "c")).toBeUndefined();
});

test("the clock is read after each of the first thousand steps and then after every 64th", () => {
  const timer = new StepTimer(100);
  const due = Array.from({ length: 2_000 }, (_, index) => index + 1).filter((step) => timer.isDue(step));
  expect(due.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  expect(due.slice(1_000, 1_003)).toEqual([1_024, 1_088, 1_152]);
});

test("where it could not tell the step it names the range", () => {
  const timer = new StepTimer(100);
  timer.resume(0, 1_024);
  expect(timer.look(250, 1_088, "z")).toMatchInlineSnapshot(
    `"one of the steps 1025 to 1088, the last of them of z, took 250 ms of real time, in which no other task could run. Usually a blocking call inside a task."`,
  );
});

test("a step that blocks for long is named in the warnings", async () => {
  const warningsOf = async (slowStepMs: number): Promise<string[]> => {
    const loop = new EventLoop({ slowStepMs });
    await runLoop(loop, async () => {
      const blocking = async (): Promise<void> => {
        await sleep(1);
        const until = performance.now() + 150;
        while (performance.now() < until);
        await sleep(1);
      };
      await createTask(blocking, { name: "blocking" });
    });
    return loop.warnings.map((warning) => warning.replace(/\d+ ms/, "N ms"));
  };
  // On a loaded machine another step may be slow as well.
  expect((await warningsOf(100)).filter((warning) => warning.includes("blocking"))).toMatchInlineSnapshot(`
    [
      "step 3 of blocking took N ms of real time, in which no other task could run. Usually a blocking call inside a task.",
    ]
  `);
  expect(await warningsOf(60_000)).toEqual([]);
  expect(await warningsOf(Number.POSITIVE_INFINITY)).toEqual([]);
});
