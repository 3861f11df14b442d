/** Rejections and exceptions that nobody handles, while a run lasts. */
import { expect, test } from "vitest";
import { EventLoop } from "./event-loop.js";
import { run, runLoop } from "./run.js";
import { getRunningLoop } from "./running.js";
import { sleep } from "./sleep.js";
import { interceptStrays } from "./strays.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

const EVENTS = ["unhandledRejection", "uncaughtException"] as const;

const listeners = (): unknown[] => EVENTS.map((event) => process.rawListeners(event));

test("the listeners of the process are set aside while a run lasts, and put back in order whatever its end", async () => {
  const own = [(): void => undefined, (): void => undefined];
  for (const event of EVENTS) for (const listener of own) process.on(event, listener);
  const once = (): void => undefined;
  process.once("unhandledRejection", once);
  try {
    const before = listeners();
    const during: unknown[] = [];
    await run(async () => {
      during.push(...EVENTS.map((event) => process.rawListeners(event).length));
    });
    expect(during).toEqual([1, 1]);
    expect(listeners()).toEqual(before);
    await run(async () => {
      throw new Error("main");
    }).catch(() => undefined);
    await run(async () => {
      await getRunningLoop().createFuture();
    }).catch(() => undefined);
    await run(5 as unknown as () => number).catch(() => undefined);
    expect(listeners()).toEqual(before);
  } finally {
    for (const event of EVENTS) for (const listener of own) process.off(event, listener);
    process.off("unhandledRejection", once);
  }
});

test("a listener that was added meanwhile stays, behind what was there before", () => {
  const added = (): void => undefined;
  const before = process.rawListeners("unhandledRejection");
  const putBack = interceptStrays(() => undefined);
  process.on("unhandledRejection", added);
  putBack();
  try {
    expect(process.rawListeners("unhandledRejection")).toEqual([...before, added]);
  } finally {
    process.off("unhandledRejection", added);
  }
});

test.each(["drain", "macrotask"] as const)(
  "a stray rejection or exception inside a run belongs to that run, under %s",
  async (quiescence) => {
    const outside: unknown[] = [];
    const listener = (error: unknown): void => {
      outside.push(error);
    };
    for (const event of EVENTS) process.on(event, listener);
    try {
      const loops = [1, 2].map(() => new EventLoop({ slowStepMs }));
      await Promise.all(
        loops.map((loop, index) =>
          runLoop(
            loop,
            async () => {
              void Promise.reject(new Error(`rejected ${index}`));
              queueMicrotask(() => {
                throw new Error(`thrown ${index}`);
              });
              await sleep(1);
              void (async () => {
                throw new Error(`last ${index}`);
              })();
              return "done";
            },
            quiescence,
          ),
        ),
      );
      for (const [index, loop] of loops.entries()) {
        expect(loop.completion).toEqual({ kind: "result", value: "done" });
        expect([...loop.warnings].sort()).toEqual([
          `Unhandled rejection or exception: Error: last ${index}`,
          `Unhandled rejection or exception: Error: rejected ${index}`,
          `Unhandled rejection or exception: Error: thrown ${index}`,
        ]);
      }
      expect(outside).toEqual([]);
    } finally {
      for (const event of EVENTS) process.off(event, listener);
    }
  },
);

test("a rejection that is handled within its step is no stray", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, async () => {
    const rejected = Promise.reject(new Error("handled"));
    for (let turn = 0; turn < 1_000; turn++) await null;
    await expect(rejected).rejects.toThrow("handled");
    const future = loop.createFuture();
    const waiting = Promise.allSettled([future, future]);
    future.setException(new Error("awaited"));
    expect(await waiting).toHaveLength(2);
  });
  expect(loop.completion?.kind).toBe("result");
  expect(loop.warnings).toEqual([]);
});
