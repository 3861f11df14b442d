import assert from "node:assert";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BadInputError, CancelledError, UsageError } from "../errors/errors.js";
import type { Scenario } from "../explore/scenario-run.js";
import { createTask } from "../loop/create-task.js";
import { ExplorationError } from "./exploration-error.js";
import { exploreOrThrow } from "./explore-or-throw.js";

const seed = 7;

// What the environment of this test run asks for is not meant for the explorations in here.
beforeEach(() => {
  for (const name of ["HEDDLE_SEED", "HEDDLE_RUNS", "HEDDLE_STRATEGY", "HEDDLE_REPLAY"]) vi.stubEnv(name, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A page that shows the answer which arrives last, whatever was asked last. `check` is handed what it shows. */
const search =
  (check: (shown: string) => void): Scenario =>
  async ({ io }) => {
    let shown = "nothing";
    const ask = async (text: string): Promise<void> => {
      shown = await io(`ask ${text}`, text);
    };
    await Promise.all([ask("a"), ask("b")]);
    check(shown);
  };

const stale = search((shown) => {
  if (shown !== "b") throw new Error(`the page shows ${shown}`);
});

const thrownBy = async (exploring: Promise<unknown>): Promise<ExplorationError> => {
  const thrown = await exploring.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert(thrown instanceof ExplorationError, `not an ExplorationError: ${String(thrown)}`);
  return thrown;
};

describe("a failure", () => {
  test("reads: the program's own message, the smallest order, what it is about, and one line that replays it", async () => {
    const { message } = await thrownBy(exploreOrThrow(stale, { seed }));
    expect(message).toMatchInlineSnapshot(`
      "the page shows a

      The smallest order found that fails, one column a task:
              main                              ask b    ask a
        t=0   begin
                                                settles
                                                         settles
              finish ! Error: the page shows a

      What the order is about:
        order violation: io ask b runs before io ask a
        passes if io ask b runs after io ask a

      Failed: 1 run of 2, strategy portfolio, seed 7; made small: 0 switches between tasks, 1 time I/O out of its order of arrival, 3 steps
      Replay it: run this test alone with HEDDLE_REPLAY=hd1.AAcABgVzbWFpbgJzMQZzYXNrIGEGc2FzayBiB3NzZXR0bGUBcwQAAQABAAACAgEDAQEBAgQFAgEAAAAAvby76A"
    `);
  });

  test("is the same text, byte for byte, each time", async () => {
    const first = await thrownBy(exploreOrThrow(stale, { seed }));
    const second = await thrownBy(exploreOrThrow(stale, { seed }));
    expect(second.message).toBe(first.message);
    expect(second.stack?.split("\n").slice(0, -1)).toEqual(first.stack?.split("\n").slice(0, -1)); // the last frame is the call, which stands in another line here
  });

  test("carries what the program threw and all that was found out, and prints neither as a field", async () => {
    const error = await thrownBy(exploreOrThrow(stale, { seed }));
    expect(error.code).toBe("HEDDLE_EXPLORATION");
    expect(error.cause).toEqual(new Error("the page shows a"));
    expect(error.cause).toBe(error.outcome.failure.error);
    expect(error.outcome).toMatchObject({ status: "failed", seed, failure: { kind: "error" } });
    expect(Object.keys(error)).toEqual(["code"]);
  });

  test("has the stack of what the program threw, without a frame of heddle's", async () => {
    const thrower = (shown: string): void => {
      if (shown !== "b") throw new Error("wrong\n    at looksLike (a/frame.js:1:2)");
    };
    const { stack = "", message } = await thrownBy(exploreOrThrow(search(thrower), { seed }));
    expect(stack.startsWith(`ExplorationError: ${message}\n`)).toBe(true);
    const frames = stack.slice("ExplorationError: ".length + message.length + 1).split("\n");
    expect(frames[0]).toMatch(/^ {4}at thrower .*explore-or-throw\.test\.ts:\d+:\d+/);
    expect(frames.filter((frame) => !frame.includes(".test.ts:"))).toEqual([]);
  });

  test.each<[string, Scenario]>([
    ["a deadlock", async () => await new Promise(() => undefined)],
    [
      "what is no Error",
      async () => {
        throw "text";
      },
    ],
  ])("that has no frame in anybody's code has that of the call: %s", async (_, scenario) => {
    const exploreHere = (): Promise<unknown> => exploreOrThrow(scenario, { seed, runs: 1 });
    const { stack = "", message } = await thrownBy(exploreHere());
    const frames = stack.slice("ExplorationError: ".length + message.length + 1).split("\n");
    expect(frames[0]).toMatch(/^ {4}at exploreHere .*explore-or-throw\.test\.ts:\d+:\d+/);
  });

  test.each([
    ["an Error", new Error("boom"), "boom"],
    ["an Error without a message", new Error(""), "Error"],
    ["an error whose name says more", new TypeError("no function"), "TypeError: no function"],
    ["an assertion's error", new assert.AssertionError({ message: "not so" }), "not so"],
    ["a text", "boom", "thrown: boom"],
    ["undefined", undefined, "thrown: undefined"],
    ["an object without a prototype", Object.create(null) as unknown, "thrown: [object]"],
  ])("begins with what was thrown: %s", async (_, thrown, headline) => {
    const error = await thrownBy(
      exploreOrThrow(
        async () => {
          throw thrown;
        },
        { seed, runs: 1 },
      ),
    );
    expect(error.message.split("\n")[0]).toBe(headline);
    expect(error.cause).toBe(thrown);
  });

  test("says so when nobody handled what was thrown", async () => {
    const { message } = await thrownBy(
      exploreOrThrow(
        async ({ sleep }) => {
          void Promise.reject(new RangeError("lost"));
          await sleep(1);
        },
        { seed, runs: 1 },
      ),
    );
    expect(message.split("\n").slice(0, 2)).toEqual(["RangeError: lost", "(an exception or rejection that nobody handled)"]);
  });

  test("carries what a test runner makes a difference of", async () => {
    const expecting = await thrownBy(
      exploreOrThrow(
        search((shown) => expect({ shown }).toEqual({ shown: "b" })),
        { seed },
      ),
    );
    expect(expecting).toMatchObject({ actual: { shown: "a" }, expected: { shown: "b" }, showDiff: true });
    const asserting = await thrownBy(
      exploreOrThrow(
        search((shown) => assert.deepStrictEqual([shown], ["b"])),
        { seed },
      ),
    );
    expect(asserting).toMatchObject({ actual: ["a"], expected: ["b"], operator: "deepStrictEqual", generatedMessage: true });
    expect(asserting.code).toBe("HEDDLE_EXPLORATION");
  });

  test("is told even when its fields and its message throw", async () => {
    const hostile = Object.defineProperties(new Error("hidden"), {
      stack: { get: () => assert.fail("stack") }, // first, because the engine reads the message when it makes a stack
      message: { get: () => assert.fail("message") },
      actual: { get: () => assert.fail("actual") },
      expected: { value: 1 },
    });
    const error = await thrownBy(
      exploreOrThrow(
        async () => {
          throw hostile;
        },
        { seed, runs: 1 },
      ),
    );
    expect(error.message.split("\n")[0]).toBe("[error that cannot be shown]");
    expect(Object.keys(error)).toEqual(["code", "expected"]);
  });
});

describe("an exploration without a failure", () => {
  test("answers its outcome", async () => {
    expect(await exploreOrThrow(({ sleep }) => sleep(1), { seed, runs: 5 })).toMatchObject({
      status: "passed",
      runs: 5,
      failure: undefined,
    });
  });

  test("passes when its time was over after some runs", async () => {
    const outcome = await exploreOrThrow(({ sleep }) => sleep(1), { seed, runs: Number.POSITIVE_INFINITY, timeLimitMs: 30 });
    expect(outcome.status).toBe("stopped");
    expect(outcome.runs).toBeGreaterThan(0);
  });

  test("does not pass when its time was over before the first run", async () => {
    const exploring = exploreOrThrow(({ sleep }) => sleep(1), { seed, timeLimitMs: 0 });
    await expect(exploring).rejects.toThrow(UsageError);
    await expect(exploring).rejects.toThrow(/timeLimitMs \(0\) was over before the first run/);
  });

  test("rejects with the reason of its signal when that was aborted", async () => {
    const reason = new Error("the test's own time limit");
    const during = new AbortController();
    const exploring = exploreOrThrow(({ sleep }) => sleep(1), {
      seed,
      runs: Number.POSITIVE_INFINITY,
      signal: during.signal,
      onProgress: () => during.abort(reason),
    });
    await expect(exploring).rejects.toBe(reason);
    await expect(exploreOrThrow(({ sleep }) => sleep(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("keeps its outcome when the signal was aborted after its end", async () => {
    const late = new AbortController();
    const onRun = (): void => late.abort();
    expect(await exploreOrThrow(({ sleep }) => sleep(1), { seed, runs: 1, signal: late.signal, onRun })).toMatchObject({
      status: "passed",
    });
  });

  test("refuses what explore refuses", async () => {
    await expect(exploreOrThrow("scenario" as unknown as Scenario)).rejects.toThrow(UsageError);
    const nested = await thrownBy(exploreOrThrow(() => exploreOrThrow(stale), { seed, runs: 1 }));
    expect(nested.message).toContain("cannot be called inside a run");
  });
});

describe("the environment", () => {
  test("overrides the number of runs, the seed and the strategy", async () => {
    vi.stubEnv("HEDDLE_RUNS", "3");
    vi.stubEnv("HEDDLE_SEED", "11");
    vi.stubEnv("HEDDLE_STRATEGY", "pct:4");
    const { runs, seed: used, strategy } = await exploreOrThrow(({ sleep }) => sleep(1), { runs: 5, seed, strategy: "random" });
    expect({ runs, used, strategy }).toEqual({ runs: 3, used: 11, strategy: expect.stringContaining("pct") });
  });

  test.each([
    ["HEDDLE_RUNS", "0", "HEDDLE_RUNS: must be a whole number from 1"],
    ["HEDDLE_SEED", "x", "HEDDLE_SEED: must be a whole number from 0"],
    ["HEDDLE_STRATEGY", "luck", "HEDDLE_STRATEGY: "],
    ["HEDDLE_REPLAY", "hd1.AAAA", "HEDDLE_REPLAY: "],
  ])("that cannot be is refused by its name: %s", async (name, value, complaint) => {
    vi.stubEnv(name, value);
    const refused = exploreOrThrow(({ sleep }) => sleep(1));
    await expect(refused).rejects.toThrow(BadInputError);
    await expect(refused).rejects.toThrow(complaint);
  });

  test("replays one schedule, which fails as it did", async () => {
    const found = await thrownBy(exploreOrThrow(stale, { seed }));
    const { schedule } = found.outcome.failure;
    expect(found.message).toContain(`HEDDLE_REPLAY=${schedule}`);
    vi.stubEnv("HEDDLE_REPLAY", `${schedule}\n`);
    const again = await thrownBy(exploreOrThrow(stale, { seed: 3 }));
    expect(again.message.split("\n")[0]).toBe("the page shows a");
    expect(again.outcome).toMatchObject({ runs: 1, seed, strategy: "replay", failure: { schedule, trace: found.outcome.failure.trace } });
  });

  test("passes a replay of what was repaired since", async () => {
    const found = await thrownBy(exploreOrThrow(stale, { seed }));
    vi.stubEnv("HEDDLE_REPLAY", found.outcome.failure.schedule);
    expect(await exploreOrThrow(search(() => undefined))).toMatchObject({ status: "passed", runs: 1 });
  });

  test("says what to do when the schedule is that of another test", async () => {
    const found = await thrownBy(exploreOrThrow(stale, { seed }));
    vi.stubEnv("HEDDLE_REPLAY", found.outcome.failure.schedule);
    const { message } = await thrownBy(
      exploreOrThrow(async () => {
        const other = createTask(async () => {
          throw new CancelledError();
        });
        await other;
      }),
    );
    expect(message).toContain("the program left the recorded schedule");
    expect(message).toContain("run alone, by its name, the test that printed it");
  });
});
