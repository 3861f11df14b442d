import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { Event } from "../sync/event.js";
import { createTask } from "./create-task.js";
import { LivelockError, StarvationError } from "./livelock.js";
import { run } from "./run.js";
import { sleep } from "./sleep.js";

const errorOf = async (main: () => Promise<unknown>, maxSteps: number, strategy?: Strategy): Promise<unknown> =>
  await run(main, { maxSteps, ...(strategy && { strategy }) }).then(
    () => undefined,
    (error: unknown) => error,
  );

/** Each waits for a turn of the other, for ever. */
async function ping(): Promise<void> {
  const poll = async (): Promise<never> => {
    for (;;) await sleep(0);
  };
  await gather(createTask(poll, { name: "ping" }), createTask(poll, { name: "pong" }));
}

describe("a livelock", () => {
  test("names the circle of tasks that runs in it, and where each of them waits", async () => {
    const error = await errorOf(ping, 100);
    expect(error).toBeInstanceOf(LivelockError);
    expect((error as LivelockError).cycle).toEqual([
      { task: "ping", steps: 1, site: expect.stringMatching(/livelock\.test\.ts:\d+:\d+$/) as string },
      { task: "pong", steps: 1, site: expect.stringMatching(/livelock\.test\.ts:\d+:\d+$/) as string },
    ]);
    expect((error as Error).message.replaceAll(/at src\S+/g, "at PLACE")).toMatchInlineSnapshot(`
      "livelock at t=0: the run took more than 100 steps, the last of them in a circle, in each turn of which run
        ping  1 step  at PLACE
        pong  1 step  at PLACE
      Usually a task that polls for what never comes; raise maxSteps if the program really is that long."
    `);
  });

  test("leaves out who only waits", async () => {
    const error = await errorOf(async () => {
      const never = new Event({ name: "never" });
      await gather(
        createTask(() => never.wait(), { name: "waiter" }),
        ping,
      );
    }, 100);
    expect((error as LivelockError).cycle.map(({ task }) => task)).toEqual(["ping", "pong"]);
  });

  test("without an exact circle says who ran how often in the last steps", async () => {
    const error = await errorOf(ping, 4_000, random(7));
    const { cycle } = error as LivelockError;
    expect(cycle.map(({ task }) => task).sort()).toEqual(["ping", "pong"]);
    expect(cycle.reduce((sum, { steps }) => sum + steps, 0)).toBe(1_000);
  });
});

test("who was ready all the time and never ran is starved, by a strategy that is not fair", async () => {
  const first: Strategy = { name: "first", begin: () => true, pick: ({ ready }) => ready.findIndex(({ name }) => name !== "patient") };
  const error = await errorOf(
    async () => {
      createTask(async () => undefined, { name: "patient" });
      await ping();
    },
    400,
    first,
  );
  expect(error).toBeInstanceOf(StarvationError);
  expect((error as StarvationError).starved).toEqual(["patient"]);
  expect((error as Error).message).toMatchInlineSnapshot(
    `"starvation at t=0: the run took more than 400 steps, and patient was ready through the last 200 of them without being run. The strategy is not fair, and the others never end by themselves."`,
  );
});
