/** Injected faults: that both ways are tried, counted, replayed, made small and told. */
import { describe, expect, test } from "vitest";
import { renderOutcome } from "../report/outcome-text.js";
import type { Strategy } from "../schedule/strategy.js";
import { decodeSchedule } from "../schedule/token.js";
import { followingThen } from "../strategy/prefix.js";
import { following } from "../strategy/replay.js";
import { explore, replay } from "./explore.js";
import type { ExploreOptions } from "./options.js";
import type { Outcome } from "./outcome.js";
import type { Scenario } from "./scenario-run.js";

const seed = 7;
const refused = new Error("connection refused");

/** Calls by these names, at once, each of which may fail; answers what they came to. */
const calling =
  (names: readonly string[]): Scenario =>
  async ({ io }) => {
    const call = (name: string): Promise<string> => io(name, name, { mayFail: refused }).catch(() => name.toUpperCase());
    return (await Promise.all(names.map(call))).join("");
  };

/** All that a scenario came to, each with the number of runs. */
async function endsOf(
  scenario: Scenario,
  options: ExploreOptions,
): Promise<{ readonly outcome: Outcome; readonly ends: Record<string, number> }> {
  const ends: Record<string, number> = {};
  const outcome = await explore(scenario, {
    seed,
    stopOnFailure: false,
    minimise: false,
    selfCheck: false,
    onRun: (end) => {
      const text = end.kind === "passed" ? String(end.value) : end.kind;
      ends[text] = (ends[text] ?? 0) + 1;
    },
    ...options,
  });
  return { outcome, ends };
}

describe("exhaustive search counts both ways of each gate", () => {
  // n gates in a row: 2^n. n at once without batches: n! 2^n. In batches: each of the n - 1 neighbours in an order settles with the one before or not.
  test.each([
    { what: "one gate", names: ["a"], maxBatch: 3, runs: 2 },
    { what: "two at once, one by one", names: ["a", "b"], maxBatch: 1, runs: 2 * 4 },
    { what: "two at once, maybe together", names: ["a", "b"], maxBatch: 3, runs: 2 * 2 * 4 },
    { what: "three at once, one by one", names: ["a", "b", "c"], maxBatch: 1, runs: 6 * 8 },
    { what: "three at once, up to two together", names: ["a", "b", "c"], maxBatch: 2, runs: 6 * 3 * 8 },
    { what: "three at once, maybe all together", names: ["a", "b", "c"], maxBatch: 3, runs: 6 * 4 * 8 },
  ])("$what: $runs", async ({ names, maxBatch, runs }) => {
    for (const strategy of ["exhaustive", "dpor"]) {
      const { outcome, ends } = await endsOf(calling(names), { strategy, maxBatch });
      expect(outcome, strategy).toMatchObject({ status: "passed", runs, distinct: runs, complete: true });
      // Each way to fail comes as often as any other.
      expect(Object.keys(ends)).toHaveLength(2 ** names.length);
      expect(new Set(Object.values(ends)), strategy).toEqual(new Set([runs / 2 ** names.length]));
    }
  });

  test("gates that follow one another: 2 to the power of their number, also where a fault opens one more", async () => {
    const retrying: Scenario = async ({ io }) => {
      for (let attempt = 1; attempt <= 3; attempt++) {
        if (await io("try", true, { mayFail: refused }).catch(() => false)) return attempt;
      }
      return "given up";
    };
    for (const strategy of ["exhaustive", "dpor"]) {
      const { outcome, ends } = await endsOf(retrying, { strategy });
      expect(outcome, strategy).toMatchObject({ runs: 4, complete: true });
      expect(ends, strategy).toEqual({ 1: 1, 2: 1, 3: 1, "given up": 1 });
    }
  });

  test("beside a task and the clock", async () => {
    const racing: Scenario = async ({ io, gather, sleep }) => {
      const winner = Promise.race([
        io("load", "loaded", { mayFail: refused }).catch(() => "failed"),
        (async () => {
          await sleep(5);
          return "late";
        })(),
      ]);
      await gather(
        async () => await winner,
        async () => {
          await sleep(0);
        },
      );
      return await winner;
    };
    const [exhaustive, dpor] = [await endsOf(racing, { strategy: "exhaustive" }), await endsOf(racing, { strategy: "dpor" })];
    expect(Object.keys(exhaustive.ends).sort()).toEqual(["failed", "late", "loaded"]);
    // As many of either kind: the fault changes nothing of what can come before or after.
    expect(exhaustive.ends["failed"]).toBe(exhaustive.ends["loaded"]);
    expect(dpor.ends).toEqual(exhaustive.ends);
    expect(dpor.outcome.complete).toBe(true);
  });

  test("with preemptions bounded at 0, a fault is no preemption", async () => {
    for (const strategy of ["exhaustive:0", "dpor:0"]) {
      const { ends } = await endsOf(calling(["a"]), { strategy });
      expect(ends, strategy).toEqual({ a: 1, A: 1 });
    }
  });
});

describe("every strategy", () => {
  test.each(["random", "pct", "pct:5", "pos", "urw", "laggards", "portfolio", "seeded", "delay", "exhaustive", "dpor"])(
    "%s lets gates fail and not fail, the same ones under the same seed",
    async (strategy) => {
      const scenario = calling(["a", "b"]);
      const once = await endsOf(scenario, { strategy, runs: 200 });
      expect(Object.keys(once.ends).sort()).toEqual(["AB", "Ab", "aB", "ab"]);
      expect(await endsOf(scenario, { strategy, runs: 200 })).toEqual(once);
    },
  );

  test("fifo never lets one fail", async () => {
    expect((await endsOf(calling(["a", "b"]), { strategy: "fifo", runs: 50 })).ends).toEqual({ ab: 50 });
  });

  test("of one's own is asked with the gate and its fault, once it is known with which others it settles", async () => {
    const asked: string[] = [];
    const strategy: Strategy = {
      name: "last",
      begin: (run) => run === 0,
      pick: ({ kind = "next", ready, count }) => {
        asked.push(`${kind}: ${ready.map((each) => `${each.kind ?? "task"} ${each.name}@${each.operation}`).join(", ")}`);
        return count - 1;
      },
    };
    const steps: string[] = [];
    strategy.observe = ({ name, operation }) => steps.push(`${name}@${operation}`);
    const { ends } = await endsOf(calling(["a", "b"]), { strategy });
    expect(ends).toEqual({ AB: 1 });
    expect(asked).toEqual([
      "next: gate a@1, gate b@1",
      "batch: settle settle@, gate a@1",
      "fault: gate b@1, fault b@1!",
      "fault: gate a@1, fault a@1!",
    ]);
    expect(steps).toEqual(["main@1", "b@1!+a@1!", "main@2"].slice(0, steps.length));
  });
});

describe("a failure that needs a fault", () => {
  /** Gives up after two attempts; fails where both fail. What is read beside it may fail, too, and does no harm. */
  const impatient: Scenario = async ({ io }) => {
    const read = io("read", 1, { mayFail: () => new Error("unreadable") }).catch(() => 0);
    let isPaid = false;
    for (let attempt = 0; attempt < 2 && !isPaid; attempt++) isPaid = await io("pay", true, { mayFail: refused }).catch(() => false);
    await read;
    if (!isPaid) throw new Error("not paid");
  };

  test("comes back from its token, with the same trace", async () => {
    const { failure } = await explore(impatient, { seed, minimise: false });
    for (const token of [failure!.schedule, failure!.original]) {
      const again = await replay(impatient, token);
      expect(again.failure).toMatchObject({ kind: "error", error: new Error("not paid") });
    }
    expect((await replay(impatient, failure!.schedule)).failure?.trace).toEqual(failure!.trace);
  });

  test("keeps only the faults that it needs, and says so", async () => {
    for (const strategy of ["random", "portfolio", "exhaustive", "pos"]) {
      const { failure } = await explore(impatient, { seed, strategy });
      expect(failure?.minimised?.after, strategy).toMatchObject({ faults: 2, batches: 0, departures: 0 });
      expect(failure?.explanation, strategy).toEqual(["passes if io pay does not fail", "passes if io pay (call 2) does not fail"]);
    }
  });

  test("reads as a timeline in which they are told from other errors", async () => {
    const outcome = await explore(impatient, { seed, strategy: "random", starvationBound: Number.POSITIVE_INFINITY });
    expect(renderOutcome(outcome).split("\n").slice(2, -6).join("\n")).toMatchInlineSnapshot(`
      "  Error: not paid

      The smallest order found that fails, one column a task:
              main                      read     pay
        t=0   begin
                                        settles
                                                 fails (injected)
                                                 fails (injected) (call 2)
              finish ! Error: not paid

      Made small in 14 reruns:
        before  0 switches between tasks, 1 time I/O out of its order of arrival, 2 injected faults, 4 steps (run 0, the first that failed)
        after   0 switches between tasks, 2 injected faults, 4 steps

      What the order is about:"
    `);
  });

  test("is the same under the same seed, byte for byte", async () => {
    const [first, second] = [await explore(impatient, { seed: 3 }), await explore(impatient, { seed: 3 })];
    expect(renderOutcome(second)).toBe(renderOutcome(first));
  });

  test("one fault is left where another one in the same batch does no harm", async () => {
    const together: Scenario = async ({ io }) => {
      const failed: string[] = [];
      const call = (name: string): Promise<unknown> => io(name, undefined, { mayFail: refused }).catch(() => failed.push(name));
      await Promise.all([call("a"), call("b"), call("c")]);
      if (failed.includes("b")) throw new Error("b failed");
    };
    for (let each = 0; each < 10; each++) {
      const { failure } = await explore(together, { seed: each, strategy: "random" });
      expect(failure?.minimised?.after ?? { faults: 1, batches: 0 }).toMatchObject({ faults: 1, batches: 0, departures: 0 });
      expect(failure?.explanation).toContain("passes if io b does not fail");
    }
  });

  test("a program that lost the fault since leaves its schedule at that gate", async () => {
    const { failure } = await explore(impatient, { seed });
    const repaired: Scenario = async ({ io }) => {
      const read = io("read", 1);
      if (!(await io("pay", true))) throw new Error("not paid");
      await read;
    };
    expect((await replay(repaired, failure!.schedule)).failure?.kind).toBe("divergence");
  });

  test("a schedule is followed by names through faults in a program that was edited", async () => {
    const { failure } = await explore(impatient, { seed });
    const schedule = decodeSchedule(failure!.schedule);
    /** Has one more call before, and none of the reads. */
    const edited: Scenario = async (env) => {
      await env.io("open", undefined, { mayFail: refused });
      await impatient(env);
    };
    const strategy = followingThen(schedule, "fifo");
    const outcome = await explore(edited, { strategy, seed, runs: 1, selfCheck: false, minimise: false });
    expect(outcome.failure?.error).toEqual(new Error("not paid"));
    expect(strategy.report).toMatchObject({ missing: [], added: 0 });
    // And where the calls may fail no more, what was decided about that has no meaning.
    const steady: Scenario = async ({ io }) => {
      const read = io("read", 1);
      await io("pay", true);
      await io("pay", true);
      await read;
      await io("more");
    };
    const loose = followingThen(schedule, "random");
    expect(await explore(steady, { strategy: loose, seed, runs: 1, selfCheck: false })).toMatchObject({ status: "passed" });
    expect(loose.report.missing).toEqual([]);
    expect(loose.report.handedOverAt).toBeUndefined();
  });

  test("following to the letter checks a gate that was alone before it looks at its fault", async () => {
    const { failure } = await explore(
      async ({ io }) => {
        await io("load", undefined, { mayFail: refused });
      },
      { seed },
    );
    const strategy = following(decodeSchedule(failure!.schedule));
    const renamed: Scenario = async ({ io }) => {
      await io("store", undefined, { mayFail: refused });
    };
    const outcome = await explore(renamed, { strategy, seed, runs: 1, selfCheck: false, minimise: false });
    expect(outcome.failure?.kind).toBe("divergence");
    expect(String(outcome.failure?.error)).toContain("now       1 ready [store@1]");
  });
});

test("what the fault's function makes is the error, and what it throws is one, too", async () => {
  const ends = async (mayFail: () => Error): Promise<readonly string[]> =>
    Object.keys((await endsOf(async ({ io }) => await io("load", "fine", { mayFail }).catch(String), { strategy: "exhaustive" })).ends);
  expect(await ends(() => new RangeError("made"))).toEqual(["fine", "RangeError: made"]);
  expect(
    await ends(() => {
      throw new TypeError("thrown");
    }),
  ).toEqual(["fine", "TypeError: thrown"]);
});

test("a fault that nobody handles is the failure of its run", async () => {
  const { failure } = await explore(
    async ({ io, sleep }) => {
      void io("background", undefined, { mayFail: refused });
      await io("other");
      await sleep(20);
    },
    { seed },
  );
  expect(failure).toMatchObject({ kind: "unhandledRejection", error: refused });
});
