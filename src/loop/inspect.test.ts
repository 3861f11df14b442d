/** How the loop's objects print themselves. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { coroutine } from "./coroutine.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import { nameOfFunction } from "./inspect.js";
import { runLoop } from "./run.js";
import { sleep } from "./sleep.js";

test("a loop prints its state, time and counts", async () => {
  const loop = new EventLoop();
  const seen = [inspect(loop)];
  await runLoop(loop, async () => {
    createTask(async () => {
      await sleep(5);
    });
    loop.callLater(9, () => undefined);
    loop.callLater(9, () => undefined).cancel();
    seen.push(inspect(loop));
    await sleep(7);
    seen.push(inspect(loop));
  });
  seen.push(inspect(loop));
  expect(seen).toMatchInlineSnapshot(`
    [
      "<EventLoop not started t=0 step=0 ready=0 timers=0 tasks=0>",
      "<EventLoop running t=0 step=1 ready=1 timers=1 tasks=2>",
      "<EventLoop running t=7 step=4 ready=0 timers=1 tasks=1>",
      "<EventLoop closed t=7 step=4 ready=0 timers=1 tasks=0>",
    ]
  `);
});

test("futures print their name and state", async () => {
  const loop = new EventLoop();
  await runLoop(loop, async () => {
    const future = (): ReturnType<typeof loop.createFuture> => loop.createFuture();
    const all = Array.from({ length: 8 }, future);
    all[1]!.setResult(5);
    all[2]!.setResult("text");
    all[3]!.setResult({ a: 1 });
    all[4]!.setResult(Object.create(null));
    all[5]!.setException(new RangeError("wrong"));
    all[6]!.cancel("enough");
    all[7]!.setResult(undefined);
    expect([...all, loop.createFuture("lock")].map((one) => inspect(one))).toMatchInlineSnapshot(`
      [
        "<Future future 1 pending>",
        "<Future future 2 result=5>",
        "<Future future 3 result="text">",
        "<Future future 4 result=[Object]>",
        "<Future future 5 result=[object]>",
        "<Future future 6 exception=RangeError: wrong>",
        "<Future future 7 cancelled>",
        "<Future future 8 result=undefined>",
        "<Future lock pending>",
      ]
    `);
  });
});

test("tasks print their name, where they stand and what they wait for", async () => {
  const loop = new EventLoop();
  await runLoop(loop, async () => {
    const cell = loop.createFuture("cell");
    const tasks = [
      createTask(
        async () => {
          await cell;
        },
        { name: "one" },
      ),
      createTask(
        async () => {
          await Promise.all([cell, sleep(5)]);
        },
        { name: "two" },
      ),
      createTask(
        async () => {
          await gather(
            cell,
            createTask(() => cell, { name: "child" }),
          );
        },
        { name: "three" },
      ),
      createTask(
        async () => {
          await new Promise(() => undefined);
        },
        { name: "native" },
      ),
      createTask(async () => 5, { name: "done" }),
      createTask(
        async () => {
          for (;;) await sleep(0);
        },
        { name: "spinning" },
      ),
    ];
    expect(inspect(tasks[0])).toBe("<Task one not started>");
    await sleep(0);
    await sleep(0);
    expect(tasks.map((task) => inspect(task))).toMatchInlineSnapshot(`
      [
        "<Task one suspended, waits for cell>",
        "<Task two suspended, waits for cell and sleep(5)>",
        "<Task three suspended, waits for gather of 2, of which pending: cell, task child>",
        "<Task native suspended>",
        "<Task done result=5>",
        "<Task spinning suspended, waits for its turn>",
      ]
    `);
    expect(inspect(loop.currentTask())).toBe("<Task main suspended>");
    tasks[3]!.cancel();
    tasks[5]!.cancel();
    await sleep(0);
    expect(inspect(tasks[5])).toBe("<Task spinning cancelled>");
  });
});

test("coroutines and sleeps print whether they were used", async () => {
  await runLoop(new EventLoop(), async () => {
    const made = coroutine(async function fetchUser() {});
    const nap = sleep(5);
    const seen = [inspect(made), inspect(coroutine(() => 1)), inspect(nap)];
    await made;
    await nap;
    seen.push(inspect(made), inspect(nap));
    expect(seen).toMatchInlineSnapshot(`
      [
        "<Coroutine fetchUser: not started>",
        "<Coroutine anonymous: not started>",
        "<Sleep 5 ms>",
        "<Coroutine fetchUser: started>",
        "<Sleep, awaited>",
      ]
    `);
  });
});

test("a function without a name is anonymous", () => {
  expect([nameOfFunction(() => undefined), nameOfFunction(function named() {})]).toEqual(["anonymous", "named"]);
});
