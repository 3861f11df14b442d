/** Exceptions and rejections that nobody handles: they fail the run that caused them, and nobody else hears of them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { explore } from "./explore.js";
import type { Scenario } from "./scenario-run.js";

const seed = 7;
const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
const fail = (what: string) => (): never => {
  throw new Error(what);
};

let heard: unknown[] = [];
const hear = (error: unknown): number => heard.push(error);
beforeEach(() => {
  heard = [];
  process.on("uncaughtException", hear);
  process.on("unhandledRejection", hear);
});
afterEach(() => {
  process.off("uncaughtException", hear);
  process.off("unhandledRejection", hear);
});

describe("a run fails by", () => {
  const causes: Readonly<Record<string, () => unknown>> = {
    "an exception in a timer": () => setTimeout(fail("stray"), 2),
    "an exception in an immediate": () => setImmediate(fail("stray")),
    "an exception in an interval": () => setInterval(fail("stray"), 2),
    "an exception in a nextTick": () => {
      process.nextTick(fail("stray"));
    },
    "an exception in a microtask": () => {
      queueMicrotask(fail("stray"));
    },
    "a rejection": () => Promise.reject(new Error("stray")),
    "a rejection in a timer": () => setTimeout(() => void Promise.reject(new Error("stray")), 2),
    "an async function that nobody awaits": () => {
      void nap(2).then(fail("stray"));
    },
    "a promise that a callback of a timer leaves alone": () => setTimeout(() => void nap(1).then(fail("stray")), 2),
    "an exception in a gate's continuation": () => undefined,
  };
  test.each(Object.entries(causes))("%s", async (name, cause) => {
    const { status, runs, failure } = await explore(
      async ({ io }) => {
        void cause();
        if (name.includes("gate")) void io("load", 1).then(fail("stray"));
        await nap(20);
      },
      { seed, runs: 10, minimise: false },
    );
    expect({ status, runs, kind: failure?.kind, error: failure?.error }).toEqual({
      status: "failed",
      runs: 1,
      kind: "unhandledRejection",
      error: new Error("stray"),
    });
    await nap(5);
    expect(heard).toEqual([]);
  });
});

test("only the run that caused it fails, and only those runs in which it happens", async () => {
  let runs = 0;
  const { failures } = await explore(
    async () => {
      const isBad = ++runs % 4 === 0;
      setTimeout(() => {
        if (isBad) throw new Error("stray");
      }, 5);
      await nap(10);
    },
    { seed, runs: 40, stopOnFailure: false, selfCheck: false, minimise: false },
  );
  expect(failures).toBe(10);
  expect(heard).toEqual([]);
});

test("an exception in a callback does not keep the others from firing", async () => {
  const log: string[] = [];
  await explore(
    async () => {
      log.length = 0;
      setTimeout(fail("first"), 2);
      setTimeout(() => log.push("second"), 2);
      const interval = setInterval(() => {
        log.push("interval");
        throw new Error("interval");
      }, 3);
      setImmediate(fail("immediate"));
      setImmediate(() => log.push("immediate"));
      await nap(10);
      clearInterval(interval);
    },
    { seed, runs: 1, minimise: false },
  );
  expect(log).toEqual(["immediate", "second", "interval", "interval", "interval"]);
});

test("a rejection that is handled in time is none", async () => {
  const scenario: Scenario = async () => {
    const rejected = Promise.reject(new Error("handled"));
    setTimeout(() => undefined, 1);
    await Promise.resolve();
    await expect(rejected).rejects.toThrow("handled");
    await nap(2);
  };
  expect((await explore(scenario, { seed, runs: 5 })).status).toBe("passed");
});

test("what comes after the end of a run is not blamed on the next one", async () => {
  const { status, failures } = await explore(
    async () => {
      setTimeout(fail("after the end"), 5);
      await nap(1);
    },
    { seed, runs: 20, stopOnFailure: false },
  );
  expect({ status, failures, heard }).toEqual({ status: "passed", failures: 0, heard: [] });
});

test("after an exploration the process hears of its strays as before", async () => {
  await explore(() => nap(1), { seed, runs: 2 });
  setTimeout(fail("real"), 1);
  await nap(10);
  expect(heard).toEqual([new Error("real")]);
});
