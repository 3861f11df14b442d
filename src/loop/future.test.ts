import { expect, test } from "vitest";
import { CancelledError, InvalidStateError } from "../errors/errors.js";
import { createTask } from "./create-task.js";
import { EventLoop } from "./event-loop.js";
import type { Future } from "./future.js";
import { run, runLoop, runUntilComplete } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";

test("a future is pending until its result is set", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const future = loop.createFuture<number>();
    expect([future.done(), future.cancelled(), future.getLoop() === loop]).toEqual([false, false, true]);
    expect(() => future.result()).toThrowErrorMatchingInlineSnapshot(`[InvalidStateError: Result is not set.]`);
    expect(() => future.exception()).toThrowErrorMatchingInlineSnapshot(`[InvalidStateError: Exception is not set.]`);
    future.setResult(5);
    expect([future.done(), future.cancelled(), future.result(), future.exception()]).toEqual([true, false, 5, undefined]);
    expect(await future).toBe(5);
  });
});

test("an exception is kept, and raised to every waiter", async () => {
  const log: string[] = [];
  const error = new RangeError("kept");
  await run(async () => {
    const future = getRunningLoop().createFuture();
    const waiter = (name: string) => async (): Promise<void> => {
      await expect(async () => await future).rejects.toBe(error);
      log.push(name);
    };
    const tasks = [createTask(waiter("a")), createTask(waiter("b"))];
    await sleep(0);
    future.setException(error);
    expect([future.done(), future.cancelled(), future.exception()]).toEqual([true, false, error]);
    expect(() => future.result()).toThrow(error);
    for (const task of tasks) await task;
    await waiter("late")();
  });
  expect(log).toEqual(["a", "b", "late"]);
});

test("anything can be thrown, undefined included", async () => {
  await run(async () => {
    const future = getRunningLoop().createFuture();
    future.setException(undefined);
    let isThrown = false;
    try {
      await future;
    } catch (error) {
      isThrown = error === undefined;
    }
    expect(isThrown).toBe(true);
  });
});

test("a future completes once: whatever comes later raises InvalidStateError and changes nothing", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const complete: ((future: Future<number>) => unknown)[] = [
      (future) => {
        future.setResult(1);
      },
      (future) => {
        future.setException(new Error("e"));
      },
      (future) => future.cancel("message"),
    ];
    for (const first of complete) {
      const future = loop.createFuture<number>("cell");
      first(future);
      const state = future.state;
      expect(() => {
        future.setResult(2);
      }).toThrow(InvalidStateError);
      expect(() => {
        future.setException(new Error("second"));
      }).toThrow(InvalidStateError);
      expect(future.cancel("second")).toBe(false);
      expect(future.state).toBe(state);
    }
    const done = loop.createFuture<number>();
    done.setResult(1);
    expect(() => {
      done.setResult(2);
    }).toThrowErrorMatchingInlineSnapshot(`[InvalidStateError: future 4 is already done]`);
    expect(done.result()).toBe(1);
  });
});

test("a cancelled future raises CancelledError with the message, everywhere", async () => {
  await run(async () => {
    const future = getRunningLoop().createFuture();
    const waiter = createTask(async () => {
      await future;
    });
    await sleep(0);
    expect(future.cancel("enough")).toBe(true);
    expect([future.done(), future.cancelled()]).toEqual([true, true]);
    for (const ask of [() => future.result(), () => future.exception()]) {
      expect(ask).toThrow(CancelledError);
      expect(ask).toThrow("enough");
    }
    await expect(async () => await waiter).rejects.toThrow("enough");
    expect(waiter.cancelled()).toBe(true);
    const silent = getRunningLoop().createFuture();
    silent.cancel();
    expect(() => silent.result()).toThrow(new CancelledError());
  });
});

test("done callbacks run in order of registration, each in a step of its own, soon when it is done already", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const future = loop.createFuture<number>();
    future.addDoneCallback((done) => log.push(`a ${done.result()} ${done === future}`));
    future.addDoneCallback(() => log.push("b"));
    const before = loop.steps;
    future.setResult(5);
    log.push("set");
    await sleep(0);
    expect(loop.steps - before).toBe(3);
    future.addDoneCallback(() => log.push("late"));
    log.push("added");
    await sleep(0);
  });
  expect(log).toEqual(["set", "a 5 true", "b", "added", "late"]);
});

test("waiters and callbacks of one future are woken in the order in which they came", async () => {
  const log: string[] = [];
  await run(async () => {
    const future = getRunningLoop().createFuture();
    for (const name of ["a", "b"]) {
      createTask(async () => {
        await future;
        log.push(name);
      });
      await sleep(0);
      future.addDoneCallback(() => log.push(`after ${name}`));
    }
    future.setResult(undefined);
    await sleep(0);
  });
  expect(log).toEqual(["a", "after a", "b", "after b"]);
});

test("a removed callback is not called; every registration of it goes", async () => {
  const log: string[] = [];
  await run(async () => {
    const future = getRunningLoop().createFuture();
    const removed = (): void => {
      log.push("removed");
    };
    expect(future.removeDoneCallback(removed)).toBe(0);
    future.addDoneCallback(removed);
    future.addDoneCallback(() => log.push("kept"));
    future.addDoneCallback(removed);
    expect(future.removeDoneCallback(removed)).toBe(2);
    future.setResult(1);
    expect(future.removeDoneCallback(removed)).toBe(0);
    await sleep(0);
  });
  expect(log).toEqual(["kept"]);
});

test("a callback that throws is reported, and the next one is called", async () => {
  const log: string[] = [];
  const loop = new EventLoop();
  await runLoop(loop, async () => {
    const future = loop.createFuture();
    future.addDoneCallback(function bad() {
      throw new Error("boom");
    });
    future.addDoneCallback(() => log.push("second"));
    future.setResult(1);
    await sleep(0);
  });
  expect(log).toEqual(["second"]);
  expect(loop.warnings).toEqual(["Exception in bad: Error: boom"]);
});

test("awaiting something done lets nobody in between, and takes no step", async () => {
  const log: string[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    const future = loop.createFuture<number>();
    future.setResult(1);
    const failed = loop.createFuture();
    failed.setException(new Error("e"));
    const task = createTask(async () => 2);
    await task;
    createTask(async () => log.push("other"));
    loop.callSoon(() => log.push("callback"));
    const before = loop.steps;
    log.push(`main ${await future} ${await task}`);
    await expect(async () => await failed).rejects.toThrow("e");
    log.push("main still");
    expect(loop.steps).toBe(before);
    await sleep(0);
  });
  expect(log).toEqual(["main 1 2", "main still", "other", "callback"]);
});

test("then works by hand: callbacks, values that pass through, chains, and callbacks that throw", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const good = loop.createFuture<number>();
    const bad = loop.createFuture<number>();
    const log: unknown[] = [];
    const chained = [
      good.then((value) => value + 1),
      good.then(),
      good.then(null, () => "never"),
      good
        .then(() => {
          throw new Error("in callback");
        })
        .then(undefined, (error: unknown) => (error as Error).message),
      bad.then(undefined, (error: unknown) => (error as Error).message),
      bad.then(() => "never").then(undefined, (error: unknown) => `passed ${(error as Error).message}`),
      good.then((value) => bad.then(undefined, () => value)),
    ];
    good.then((value) => log.push(value));
    createTask(async () => {
      good.setResult(1);
      bad.setException(new Error("bad"));
    });
    expect(await Promise.all(chained)).toEqual([2, 1, 1, "in callback", "bad", "passed bad", 1]);
    expect(log).toEqual([1]);
  });
});

test("a result that is itself a future is awaited, as the language does with every thenable", async () => {
  await run(async () => {
    const inner = getRunningLoop().createFuture<number>();
    const outer = getRunningLoop().createFuture<PromiseLike<number>>();
    createTask(async () => {
      outer.setResult(inner);
      await sleep(1);
      inner.setResult(7);
    });
    expect(await outer).toBe(7);
  });
});

test("a future is made by the running loop, and knows it", async () => {
  await run(async () => {
    const future = getRunningLoop().createFuture();
    expect(future.getLoop()).toBe(getRunningLoop());
    expect([future.cancel(), future.cancelled(), future.cancel()]).toEqual([true, true, false]);
  });
});

test.each([
  ["first", [0], ["b", "c"]],
  ["first and second", [0, 1], ["c"]],
  ["last", [2], ["a", "b"]],
] as const)("with the %s of three callbacks removed the others run in order", async (_which, places, expected) => {
  await run(async () => {
    const log: string[] = [];
    const future = getRunningLoop().createFuture();
    const callbacks = ["a", "b", "c"].map((name) => () => log.push(name));
    for (const callback of callbacks) future.addDoneCallback(callback);
    for (const place of places) {
      expect([future.removeDoneCallback(callbacks[place]!), future.removeDoneCallback(callbacks[place]!)]).toEqual([1, 0]);
    }
    future.setResult(undefined);
    await sleep(0);
    expect(log).toEqual(expected);
  });
});

test("a callback that takes out others of the same future, which are on their way already, stops none of them", async () => {
  await run(async () => {
    const log: string[] = [];
    const future = getRunningLoop().createFuture();
    const second = (): unknown => log.push("second");
    const third = (): unknown => log.push("third");
    future.addDoneCallback(() => log.push(`removed ${future.removeDoneCallback(second) + future.removeDoneCallback(third)}`));
    future.addDoneCallback(second);
    future.addDoneCallback(third);
    future.setResult(undefined);
    await sleep(0);
    expect(log).toEqual(["removed 0", "second", "third"]);
  });
});

test("callbacks run also for an exception, in a later step, and find the very object", async () => {
  await run(async () => {
    const error = new RangeError("set");
    const future = getRunningLoop().createFuture();
    const seen: unknown[] = [];
    future.addDoneCallback((done) => seen.push(done.exception()));
    future.setException(error);
    expect(seen).toEqual([]);
    await sleep(0);
    expect([seen.length, seen[0] === error]).toEqual([1, true]);
  });
});

test("a future that nobody completes, a result that nobody reads and one that was read are not reported", async () => {
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  await runUntilComplete(loop, async () => {
    loop.createFuture("abandoned");
    loop.createFuture("unread").setResult(1);
    const read = loop.createFuture("read");
    read.setResult(2);
    expect(read.result()).toBe(2);
    await sleep(1);
  });
  expect(loop.warnings).toEqual([]);
});

test("an exception counts as seen once exception() or result() was asked, or cancel() was tried", async () => {
  const told: unknown[] = [];
  const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
  loop.setExceptionHandler((_loop, context) => told.push([context.message, context.exception, context.future?.describe()]));
  const unseen = new RangeError("unseen");
  await runUntilComplete(loop, async () => {
    const asks: ((future: Future) => unknown)[] = [
      (future) => future.exception(),
      (future) => {
        expect(() => future.result()).toThrow("seen");
      },
      (future) => future.cancel(),
    ];
    for (const ask of asks) {
      const future = loop.createFuture();
      future.setException(new RangeError("seen"));
      ask(future);
    }
    loop.createFuture("cell").setException(unseen);
    await sleep(1);
  });
  expect(told).toEqual([["Future exception was never retrieved", unseen, "cell"]]);
});
