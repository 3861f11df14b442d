import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { explore } from "../explore/explore.js";
import type { ExploreOptions } from "../explore/options.js";
import type { Scenario } from "../explore/scenario-run.js";
import { hardLimit } from "./hard-limit.js";

const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Each is stopped only by this, so the tests take as long as it says. */
const HARD_LIMIT_MS = 120;
const options: ExploreOptions = { seed: 7, runs: 10, hardLimitMs: HARD_LIMIT_MS };

const endless: Readonly<Record<string, Scenario>> = {
  "a loop without an await": async () => {
    await nap(5);
    for (;;);
  },
  "a loop in a scenario that is no async function": () => {
    for (;;);
  },
  "a loop whose awaits never have to wait": async () => {
    await nap(5);
    for (;;) await null;
  },
  "microtasks without end": async () => {
    await nap(5);
    const again = (): void => {
      queueMicrotask(again);
    };
    again();
  },
  "promises that call one another": async () => {
    await nap(5);
    const again = (): Promise<unknown> => Promise.resolve().then(again);
    await again();
  },
  "nextTicks without end": async () => {
    await nap(5);
    const again = (): void => {
      process.nextTick(again);
    };
    again();
  },
  "nextTicks and microtasks in turn": async () => {
    await nap(5);
    const again = (): void => {
      process.nextTick(() => {
        queueMicrotask(again);
      });
    };
    again();
  },
  "a loop that catches whatever comes": async () => {
    await nap(5);
    for (;;) {
      try {
        for (;;) JSON.parse("{");
      } catch {
        // and tries again
      }
    }
  },
  "a loop that goes on in its finally": async () => {
    await nap(5);
    const spin = (): void => {
      try {
        for (;;);
      } finally {
        spin();
      }
    };
    spin();
  },
  "a retry that awaits what fails at once": async () => {
    await nap(5);
    for (;;) {
      try {
        await Promise.reject(new Error("again"));
      } catch {
        // and tries again
      }
    }
  },
  "a loop in a timer": () =>
    new Promise(() => {
      setTimeout(() => {
        for (;;);
      }, 5);
    }),
  "a generator that nobody ends": async () => {
    await nap(5);
    const numbers = function* (): Generator<number> {
      for (let number = 0; ; number++) yield number;
    };
    for (const number of numbers()) if (number < 0) break;
  },
  "a pattern that backtracks": async () => {
    await nap(5);
    /^(?:a+)+$/.test(`${"a".repeat(60)}!`);
  },
};

describe("what never gives way is stopped, as a livelock", () => {
  let uncaught: unknown[] = [];
  const note = (error: unknown): number => uncaught.push(error);
  beforeEach(() => {
    uncaught = [];
    process.on("uncaughtException", note);
    process.on("unhandledRejection", note);
  });
  afterEach(() => {
    process.off("uncaughtException", note);
    process.off("unhandledRejection", note);
  });

  test.each(Object.entries(endless))("%s", async (_name, scenario) => {
    const { status, runs, failure } = await explore(scenario, { ...options, minimise: false });
    expect({ status, runs, kind: failure?.kind }).toEqual({ status: "failed", runs: 1, kind: "livelock" });
    expect((failure?.error as Error).message.replace(/(?<=was stopped) at \S+(?=\.\n)/, "")).toMatch(
      new RegExp(`^step [12] at t=[05] did not come to its end within ${HARD_LIMIT_MS} ms of real time, and was stopped\\.\n`),
    );
    // It goes on as if nothing had been, and so does the process.
    const next = await explore(() => Promise.all([nap(3_600_000), nap(1)]), { seed: 7, runs: 20 });
    expect(next).toMatchObject({ status: "passed", runs: 20, uncontrolled: undefined });
    await nap(5);
    expect(uncaught).toEqual([]);
  });

  test("the message reads so, with the place where it is known", async () => {
    const { failure } = await explore(endless["a loop without an await"] as Scenario, options);
    const [first, second] = (failure?.error as Error).message.split("\n");
    // The place is read off a sampling profiler, which cannot always tell.
    expect(first).toMatch(/^step 2 at t=5 did not come to its end within 120 ms of real time, and was stopped(?: at \S+:\d+)?\.$/);
    expect(second).toBe(
      "Usually a loop without an await, or one whose awaits never have to wait; raise hardLimitMs if the step really takes that long.",
    );
  });

  test("in the runs of an exploration that goes on, only the run that never ends fails", async () => {
    let runs = 0;
    const { failures, runs: made } = await explore(
      async ({ io }) => {
        await Promise.all([io("a", 1), nap(1)]);
        if (++runs === 3) for (;;);
      },
      { ...options, stopOnFailure: false, minimise: false, selfCheck: false },
    );
    expect({ failures, made }).toEqual({ failures: 1, made: 10 });
  });

  test("a step that takes long, and less than the limit, is none", async () => {
    const { status } = await explore(
      async () => {
        await nap(1);
        const end = process.hrtime.bigint() + 2_000_000n;
        while (process.hrtime.bigint() < end);
      },
      { seed: 7, runs: 3, hardLimitMs: 10_000 },
    );
    expect(status).toBe("passed");
  });

  test("no limit is needed for what ends by itself: hardLimitMs Infinity", async () => {
    expect((await explore(() => nap(1), { seed: 7, runs: 3, hardLimitMs: Number.POSITIVE_INFINITY })).status).toBe("passed");
  });

  test("a step at the await grain, too", async () => {
    const { failure } = await explore(endless["a loop without an await"] as Scenario, {
      ...options,
      granularity: "await",
      minimise: false,
    });
    expect(failure?.kind).toBe("livelock");
  });
});

describe("a limited call", () => {
  test("answers what its work answers, and throws what it throws", () => {
    const limit = hardLimit(1_000);
    expect(limit(() => 7)).toEqual({ isOver: true, value: 7 });
    expect(limit(() => undefined)).toEqual({ isOver: true, value: undefined });
    const error = new RangeError("of the work");
    expect(() =>
      limit(() => {
        throw error;
      }),
    ).toThrow(error);
    expect(limit(() => "afterwards")).toEqual({ isOver: true, value: "afterwards" });
  });

  test("throws also what looks like the end of a limit and is none", () => {
    const error = Object.assign(new Error("of the work"), { code: "ERR_OF_THE_WORK" });
    expect(() =>
      hardLimit(1_000)(() => {
        throw error;
      }),
    ).toThrow(error);
  });

  test("inside of another one is limited by itself", () => {
    const inner = hardLimit(10_000);
    expect(hardLimit(10_000)(() => inner(() => 7))).toEqual({ isOver: true, value: { isOver: true, value: 7 } });
  });
});

describe("a hardLimitMs that makes no sense is refused", () => {
  test.each([-1, 0, 1.5, Number.NaN, "100"])("%s", async (hardLimitMs) => {
    await expect(explore(() => nap(1), { hardLimitMs: hardLimitMs as number })).rejects.toThrow(
      "explore: hardLimitMs must be a whole number of milliseconds, 1 or more, not ",
    );
  });
});
