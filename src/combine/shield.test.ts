import { describe, expect, test } from "vitest";
import { CancelledError } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runUntilComplete } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Strategy } from "../schedule/strategy.js";
import { random } from "../strategy/random.js";
import { gather } from "./gather.js";
import { shield } from "./shield.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

describe.each([
  ["fifo", (): Strategy | undefined => undefined],
  ["random", (): Strategy | undefined => random(7)],
] as const)("under %s", (_name, strategy) => {
  const running = async <T>(main: () => Promise<T>): Promise<T> => await run(main, { strategy: strategy(), slowStepMs });

  test("it has the result of what it shields, or the very exception", async () => {
    await running(async () => {
      const loop = getRunningLoop();
      const [good, bad] = [loop.createFuture<number>(), loop.createFuture()];
      const error = new RangeError("inner");
      loop.callLater(1, () => {
        good.setResult(5);
        bad.setException(error);
      });
      const outers = [shield(good), shield(bad)];
      await sleep(2);
      expect([outers[0]!.result(), outers[1]!.exception() === error]).toEqual([5, true]);
      expect(await shield(async () => 6)).toBe(6);
    });
  });

  test("when a task that awaits it is cancelled, what it shields goes on", async () => {
    await running(async () => {
      const log: string[] = [];
      const waiter = createTask(
        async () =>
          await shield(async () => {
            await sleep(10);
            log.push(`saved t=${getRunningLoop().time()}`);
          }),
      );
      await sleep(1);
      waiter.cancel("enough");
      await expect(async () => await waiter).rejects.toThrow(new CancelledError("enough"));
      expect([waiter.cancelled(), log]).toEqual([true, []]);
      await sleep(10);
      expect(log).toEqual(["saved t=10"]);
    });
  });

  test("cancelling what it shields cancels it too", async () => {
    await running(async () => {
      const inner = getRunningLoop().createFuture();
      const outer = shield(inner);
      inner.cancel("inner");
      await sleep(1);
      expect(outer.cancelled()).toBe(true);
    });
  });

  test("cancelling the shield itself leaves alone what it shields, which then has no callbacks left", async () => {
    await running(async () => {
      const inner = getRunningLoop().createFuture<number>();
      const outer = shield(inner);
      expect([outer.cancel(), outer.cancel(), outer.cancelled(), inner.done()]).toEqual([true, false, true, false]);
      await sleep(1);
      inner.setResult(5);
      await sleep(1);
      expect([outer.cancelled(), inner.result()]).toEqual([true, 5]);
    });
  });

  test("cancelling a shielded gather leaves it running to its results", async () => {
    await running(async () => {
      const loop = getRunningLoop();
      const children = [loop.createFuture<number>(), loop.createFuture<number>()];
      const all = gather(children);
      const outer = shield(all);
      outer.cancel();
      await sleep(1);
      expect([outer.cancelled(), all.done(), children.some((child) => child.done())]).toEqual([true, false, false]);
      children.forEach((child, place) => {
        child.setResult(place);
      });
      expect(await all).toEqual([0, 1]);
    });
  });

  test("cancelling a gather of shields cancels the shields and not what they shield", async () => {
    await running(async () => {
      const loop = getRunningLoop();
      const inners = [loop.createFuture<number>(), loop.createFuture<number>()];
      const shields = inners.map((inner) => shield(inner));
      const all = gather(shields);
      await sleep(1);
      expect(all.cancel("both")).toBe(true);
      await expect(async () => await all).rejects.toThrow(new CancelledError("both"));
      expect(shields.map((outer) => outer.cancelled())).toEqual([true, true]);
      inners.forEach((inner, place) => {
        inner.setResult(place);
      });
      await sleep(1);
      expect(inners.map((inner) => inner.result())).toEqual([0, 1]);
    });
  });
});

test("what is done already is handed back as it is", async () => {
  await run(async () => {
    const done = getRunningLoop().createFuture<number>();
    done.setResult(5);
    expect(shield(done)).toBe(done);
    expect(await shield(done)).toBe(5);
    const cancelled = getRunningLoop().createFuture();
    cancelled.cancel("before");
    await expect(async () => await shield(cancelled)).rejects.toThrow(new CancelledError("before"));
  });
});

test("coroutines and functions become tasks of the running loop at the call", async () => {
  await run(async () => {
    const outers = [shield(coroutine(async () => 1)), shield(() => 2), shield(Promise.resolve(3))];
    expect(outers.map((outer) => outer.getLoop() === getRunningLoop())).toEqual([true, true, true]);
    expect(getRunningLoop().allTasks()).toHaveLength(4);
    expect(await gather(outers)).toEqual([1, 2, 3]);
  });
});

test("an exception that comes after the shield was cancelled is reported, as in CPython", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runUntilComplete(loop, async () => {
    const late = loop.createFuture("late");
    const outer = shield(late);
    outer.cancel();
    await sleep(1);
    late.setException(new Error("nobody looks"));
    // Here both are done when the shield hears of it, and so it looks.
    const together = loop.createFuture("together");
    const second = shield(together);
    together.setException(new Error("looked at"));
    second.cancel();
    await sleep(1);
  });
  expect(loop.warnings).toEqual(["Future exception was never retrieved (late): Error: nobody looks"]);
});

test("what cannot be awaited is refused", async () => {
  await run(async () => {
    expect(() => shield(5 as unknown as () => number)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: shield: the argument cannot be awaited: 5. Pass a task, a future, a coroutine, a function or something with a then().]`,
    );
  });
});

test("shield needs a run", () => {
  expect(() => shield(() => 5)).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: shield() needs a running event loop, and none is running here. Usually the code is not inside run(): start it with \`await run(async () => { … })\`.]`,
  );
  const lazy = coroutine(() => 5);
  expect(() => shield(lazy)).toThrow("shield() needs a running event loop");
});

test("a deadlock names what is shielded", async () => {
  await expect(
    run(
      async () => {
        await shield(createTask(async () => await getRunningLoop().createFuture("cell"), { name: "saving" }));
      },
      { sites: false },
    ),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DeadlockError: deadlock at step 2, t=0: 2 tasks wait and nothing can wake them.
      main    waits for shield of task saving
      saving  waits for cell
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.]
  `);
});
