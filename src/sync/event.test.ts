import { inspect } from "node:util";
import { expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { waitFor } from "../combine/wait-for.js";
import { CancelledError, describeError, TimeoutError } from "../errors/errors.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runLoop } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { random } from "../strategy/random.js";
import { Event } from "./event.js";

/** asyncio's own order, and a hundred others. */
const schedules = (): Strategy[] => [fifo(), ...Array.from({ length: 100 }, (_, seed) => random(seed))];

/** A task that waits for the event and notes that it has. */
const waiterOf = (event: Event, name: string, log: string[]): Task<boolean> =>
  createTask(
    async () => {
      const answer = await event.wait();
      log.push(name);
      return answer;
    },
    { name },
  );

test("set wakes all who wait, in the order in which they came; whoever comes meanwhile passes at once", async () => {
  const log: string[] = [];
  await run(async () => {
    const event = new Event();
    const tasks = [waiterOf(event, "first", log), waiterOf(event, "second", log)];
    await sleep(0);
    expect([log, event.isSet()]).toEqual([[], false]);
    tasks.push(waiterOf(event, "late", log));
    event.set();
    expect(log).toEqual([]);
    await sleep(0);
    expect(log).toEqual(["late", "first", "second"]);
    expect(tasks.map((task) => task.result())).toEqual([true, true, true]);
  });
});

test("a wait for an event that is set is over without a suspension", async () => {
  const log: string[] = [];
  await run(async () => {
    const event = new Event();
    event.set();
    createTask(async () => log.push("other"));
    expect(await event.wait()).toBe(true);
    log.push("through");
    await sleep(0);
  });
  expect(log).toEqual(["through", "other"]);
});

test("an event is not set at first, then set, and not after a clear", async () => {
  const event = new Event();
  const seen = [event.isSet()];
  event.set();
  seen.push(event.isSet());
  event.clear();
  seen.push(event.isSet());
  expect(seen).toEqual([false, true, false]);
});

test("a cancelled waiter gets CancelledError and leaves the line", async () => {
  await run(async () => {
    const event = new Event();
    const waiter = createTask(event.wait());
    getRunningLoop().callSoon(() => waiter.cancel("enough"));
    await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
    expect(inspect(event)).toBe("<Event not set>");
  });
});

test("a clear right after a set does not take back the wake-up, and to set it again is harmless", async () => {
  const log: string[] = [];
  await run(async () => {
    const event = new Event();
    const waiter = waiterOf(event, "waiter", log);
    await sleep(0);
    event.set();
    event.clear();
    expect(event.isSet()).toBe(false);
    event.set();
    event.set();
    expect(inspect(event)).toBe("<Event set, waiters: 1>");
    await sleep(0);
    expect([log, inspect(event), waiter.result()]).toEqual([["waiter"], "<Event set>", true]);
  });
});

test("whoever comes after a clear waits for the next set", async () => {
  const log: string[] = [];
  await run(async () => {
    const event = new Event();
    event.set();
    event.clear();
    waiterOf(event, "waiter", log);
    await sleep(10);
    expect(log).toEqual([]);
    event.set();
    await sleep(0);
    expect(log).toEqual(["waiter"]);
  });
});

test("a woken waiter that is cancelled before it goes on gets CancelledError, and the others pass", async () => {
  const log: string[] = [];
  await run(async () => {
    const event = new Event();
    const [first, second] = [waiterOf(event, "first", log), waiterOf(event, "second", log)];
    await sleep(0);
    event.set();
    first.cancel();
    await sleep(0);
    expect([first.cancelled(), second.done(), inspect(event)]).toEqual([true, true, "<Event set>"]);
  });
  expect(log).toEqual(["second"]);
});

test("an event can be set from a callback and before a run", async () => {
  const early = new Event();
  early.set();
  await run(async () => {
    const event = new Event();
    getRunningLoop().callLater(7, () => {
      event.set();
    });
    expect([await early.wait(), await event.wait(), getRunningLoop().time()]).toEqual([true, true, 7]);
  });
});

test("under any schedule every waiter passes, though the event is cleared at once", async () => {
  for (const strategy of schedules()) {
    const passed: number[] = [];
    await run(
      async () => {
        const event = new Event();
        let waiting = 0;
        const tasks = Array.from({ length: 5 }, (_, number) =>
          createTask(async () => {
            for (let turn = 0; turn < number; turn++) await sleep(0);
            waiting++;
            await event.wait();
            waiting--;
            passed.push(number);
          }),
        );
        createTask(async () => {
          for (; passed.length < tasks.length; await sleep(0)) {
            if (waiting === 0) continue;
            event.set();
            event.clear();
          }
        });
        await gather(tasks);
        expect(inspect(event)).toBe("<Event not set>");
      },
      { strategy },
    );
    expect(passed.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  }
});

test("a wait that takes too long leaves no waiter behind", async () => {
  await run(async () => {
    const event = new Event();
    await expect(async () => await waitFor(event.wait(), 10)).rejects.toThrow(TimeoutError);
    expect(inspect(event)).toBe("<Event not set>");
  });
});

test("a wait that nobody awaits is reported", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runLoop(loop, async () => {
    void new Event().wait();
  });
  expect(loop.warnings).toEqual(["coroutine Event.wait was never awaited"]);
});

test("a deadlock names the event that nobody sets", async () => {
  const message = await run(async () => {
    createTask(new Event({ name: "ready" }).wait(), { name: "named" });
    await new Event().wait();
  }).catch((error: unknown) => describeError(error));
  expect(String(message).replaceAll(/\d+:\d+/g, "LINE:COLUMN")).toMatchInlineSnapshot(`
    "DeadlockError: deadlock at step 2, t=0: 2 tasks wait and nothing can wake them.
      main   waits for event, which is not set  at src/sync/event.test.ts:LINE:COLUMN
      named  waits for event ready, which is not set
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("an event that was waited for in an earlier run is refused where it would have to wait", async () => {
  const event = new Event({ name: "kept" });
  await run(async () => {
    createTask(event.wait());
    await sleep(0);
    event.set();
    await sleep(0);
  });
  await run(async () => {
    expect(await event.wait()).toBe(true); // as in asyncio: what needs no wait is not refused
    event.clear();
    await expect(async () => await event.wait()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for event kept, which is not set: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
  });
});

test("a waiter that an earlier run has cancelled at its end is not set by the next one", async () => {
  const event = new Event();
  const states: string[] = [];
  await run(async () => {
    createTask(event.wait()).addDoneCallback((task) => states.push(inspect(task)));
    await sleep(0);
  });
  await run(async () => {
    event.set();
    await sleep(0);
  });
  expect([states, inspect(event)]).toEqual([["<Task Task-2 cancelled>"], "<Event set>"]);
});

test("an event prints its name, its state and how many wait", async () => {
  const seen: string[] = [];
  await run(async () => {
    const event = new Event({ name: "ready" });
    seen.push(inspect(new Event()), inspect(event));
    const waiters = [createTask(event.wait()), createTask(event.wait())];
    await sleep(0);
    seen.push(inspect(event));
    waiters[0]!.cancel();
    await sleep(0);
    seen.push(inspect(event));
    event.set();
    await sleep(0);
    seen.push(inspect(event));
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "<Event not set>",
      "<Event ready not set>",
      "<Event ready not set, waiters: 2>",
      "<Event ready not set, waiters: 1>",
      "<Event ready set>",
    ]
  `);
});
