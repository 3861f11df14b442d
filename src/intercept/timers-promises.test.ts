import promises, { setImmediate as giveWay, setTimeout as nap, scheduler, setInterval as ticks } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "../explore/explore.js";

const HOUR_MS = 3_600_000;

/** How a wait ends: its value, or all that Node says of its error. */
async function endOf(wait: () => unknown): Promise<unknown> {
  try {
    return { value: await wait() };
  } catch (error) {
    const { name, message, code, cause } = error as Error & { readonly code?: unknown };
    return { name, message, code, cause };
  }
}

describe("they wait on the virtual clock", () => {
  test.each<[string, () => Promise<unknown>, number, unknown]>([
    ["setTimeout", () => nap(HOUR_MS), HOUR_MS, undefined],
    ["setTimeout with a value", () => nap(HOUR_MS, "value"), HOUR_MS, "value"],
    ["setTimeout of the module's object", () => promises.setTimeout(HOUR_MS, "value"), HOUR_MS, "value"],
    ["setTimeout without a delay", () => nap(undefined, "value"), 1, "value"],
    ["setImmediate", () => giveWay(), 0, undefined],
    ["setImmediate with a value", () => giveWay("value"), 0, "value"],
    ["setImmediate with a function", () => giveWay(endOf), 0, endOf],
    ["setImmediate with null", () => giveWay(null), 0, null],
    ["scheduler.wait", () => scheduler.wait(HOUR_MS), HOUR_MS, undefined],
    ["scheduler.yield", () => scheduler.yield(), 0, undefined],
    ["util.promisify(setTimeout)", () => promisify(setTimeout)(HOUR_MS, "value"), HOUR_MS, "value"],
    ["util.promisify(setImmediate)", () => promisify(setImmediate)("value"), 0, "value"],
  ])("%s", async (_name, wait, tookMs, value) => {
    expect(await inRun(async ({ time }) => [await wait(), time()])).toEqual([value, tookMs]);
  });

  // Rows of a database, options of others: a value is never looked into.
  test.each([{ signal: "SIGTERM" }, { ref: 7 }, { signal: null }, [], "text", 0n, Symbol.iterator])(
    "a value may be anything, as %o",
    async (value) => {
      expect(await inRun(async ({ time }) => [await nap(HOUR_MS, value), await giveWay(value), time()])).toEqual([value, value, HOUR_MS]);
      const outcome = await explore(() => Promise.all([nap(5, value), giveWay(value)]), { seed: 7, runs: 2 });
      expect(outcome).toMatchObject({ status: "passed", uncontrolled: undefined });
    },
  );

  test("promisify answers the module's own functions, as Node's does", () => {
    expect(promisify(setTimeout)).toBe(nap);
    expect(promisify(setImmediate)).toBe(giveWay);
  });

  test("an interval answers its value at each of its times, until it is left", async () => {
    const moments = await inRun(async ({ time }) => {
      const seen: unknown[] = [];
      for await (const value of ticks(100, "tick")) {
        seen.push(`${value} at ${time()}`);
        if (seen.length === 3) break;
      }
      await nap(500);
      return [...seen, time()];
    });
    expect(moments).toEqual(["tick at 100", "tick at 200", "tick at 300", 800]);
  });

  test("an interval makes up for the times at which nobody waited", async () => {
    const moments = await inRun(async ({ time }) => {
      const seen: number[] = [];
      const interval = ticks(100)[Symbol.asyncIterator]();
      for (let turn = 1; turn <= 4; turn++) {
        await interval.next();
        seen.push(time());
        if (turn === 1) await nap(250);
      }
      await interval.return?.();
      return seen;
    });
    expect(moments).toEqual([100, 350, 350, 400]);
  });
});

describe("a signal ends a wait", () => {
  const waits: readonly (readonly [string, (signal: AbortSignal) => unknown])[] = [
    ["setTimeout", (signal) => nap(50, "value", { signal })],
    ["setImmediate", (signal) => giveWay("value", { signal })],
    ["scheduler.wait", (signal) => scheduler.wait(50, { signal })],
    [
      "setInterval",
      async (signal) => {
        const interval = ticks(50, "value", { signal })[Symbol.asyncIterator]();
        const { value } = await interval.next();
        await interval.return?.();
        return value as unknown;
      },
    ],
  ];

  test.each(waits)("%s, that was aborted before it began, as in Node", async (_name, wait) => {
    const program = (): Promise<unknown> => endOf(() => wait(AbortSignal.abort("the reason")));
    const expected = await program();
    expect(expected).toMatchObject({ name: "AbortError", code: "ABORT_ERR", cause: "the reason" });
    expect(await inRun(program)).toEqual(expected);
  });

  test.each(waits)("%s, that is aborted meanwhile, as in Node", async (_name, wait) => {
    const program = (): Promise<unknown> => {
      const controller = new AbortController();
      const end = endOf(() => wait(controller.signal));
      process.nextTick(() => {
        controller.abort(new Error("the reason"));
      });
      return end;
    };
    const expected = await program();
    expect(expected).toMatchObject({ name: "AbortError", code: "ABORT_ERR", cause: new Error("the reason") });
    expect(await inRun(program)).toEqual(expected);
  });

  test.each(waits)("%s, that is aborted too late, has its value, and listens no more", async (_name, wait) => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    expect(await inRun(() => endOf(() => wait(signal)))).toHaveProperty("value");
    expect(added).toHaveBeenCalledOnce();
    expect(removed).toHaveBeenCalledOnce();
    expect(removed.mock.calls[0]?.slice(0, 2)).toEqual(added.mock.calls[0]?.slice(0, 2));
  });

  test("a wait that was aborted has no timer left", async () => {
    const { leaks } = await explore(
      async () => {
        const controller = new AbortController();
        const waiting = [...waits.map(([, wait]) => wait(controller.signal))];
        await giveWay();
        controller.abort();
        await Promise.allSettled(waiting);
      },
      { seed: 7, runs: 1, detectLeaks: true },
    );
    expect(leaks).toEqual([]);
  });

  test("an interval in the middle of its times", async () => {
    const seen = await inRun(async ({ time }) => {
      const controller = new AbortController();
      setTimeout(() => {
        controller.abort("enough");
      }, 250);
      const moments: unknown[] = [];
      try {
        for await (const value of ticks(100, "tick", { signal: controller.signal })) moments.push([value, time()]);
      } catch (error) {
        moments.push([time(), (error as Error).name, (error as Error).cause]);
      }
      return moments;
    });
    expect(seen).toEqual([
      ["tick", 100],
      ["tick", 200],
      [250, "AbortError", "enough"],
    ]);
  });
});

describe("ref: false keeps nothing alive", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["setTimeout", () => nap(10, undefined, { ref: false })],
    ["setInterval", () => ticks(10, undefined, { ref: false })[Symbol.asyncIterator]().next()],
  ])("so a scenario that waits for %s alone is a deadlock", async (_name, wait) => {
    expect((await explore(wait, { seed: 7, runs: 2, minimise: false })).failure?.kind).toBe("deadlock");
    expect((await explore(() => Promise.all([wait(), nap(20)]), { seed: 7, runs: 2 })).status).toBe("passed");
  });
});

describe("arguments that are none get Node's own error", () => {
  const calls = {
    "setTimeout with a delay that is none": () => (nap as (...args: unknown[]) => unknown)("10"),
    "setTimeout with null as its delay": () => (nap as (...args: unknown[]) => unknown)(null),
    "scheduler.wait with a delay that is none": () => (scheduler.wait as (...args: unknown[]) => unknown)({}),
    "setTimeout with options that are none": () => (nap as (...args: unknown[]) => unknown)(1, undefined, "text"),
    "setTimeout with null as its options": () => (nap as (...args: unknown[]) => unknown)(1, undefined, null),
    "setTimeout with a signal that is none": () => (nap as (...args: unknown[]) => unknown)(1, undefined, { signal: "text" }),
    "setTimeout with a ref that is none": () => (nap as (...args: unknown[]) => unknown)(1, undefined, { ref: 1 }),
    "setImmediate with options that are none": () => (giveWay as (...args: unknown[]) => unknown)(1, 7),
    "setImmediate with a signal that is none": () => (giveWay as (...args: unknown[]) => unknown)(1, { signal: {} }),
    "setImmediate with a ref that is none": () => (giveWay as (...args: unknown[]) => unknown)(1, { ref: "no" }),
    "scheduler.wait with a signal that is none": () => (scheduler.wait as (...args: unknown[]) => unknown)(1, { signal: 1 }),
    "setInterval with a signal that is none": () =>
      (ticks as unknown as (...args: unknown[]) => AsyncIterator<unknown>)(1, 1, { signal: true }).next(),
  };
  test.each(Object.entries(calls))("%s", async (_name, call) => {
    const expected = await endOf(call);
    expect(expected).toHaveProperty("code", "ERR_INVALID_ARG_TYPE");
    expect(await inRun(() => endOf(call))).toEqual(expected);
  });
});
