import { describe, expect, test } from "vitest";
import { createTask } from "../loop/create-task.js";
import { run } from "../loop/run.js";
import { sleep } from "../loop/sleep.js";
import { simplicityOf } from "../schedule/simplicity.js";
import type { Strategy } from "../schedule/strategy.js";
import { decodeSchedule, encodeSchedule } from "../schedule/token.js";
import { explore, replay } from "./explore.js";
import type { ExploreFailure } from "./outcome.js";
import type { Scenario } from "./scenario-run.js";

/** Three withdrawals that read, take a turn and write. */
const bank =
  (withdrawals: number, turns = 1): Scenario =>
  async ({ gather, random }) => {
    let balance = 100;
    const amount = 1 + random.below(9);
    const withdraw = async (): Promise<void> => {
      const before = balance;
      for (let turn = 0; turn < turns; turn++) await sleep(0);
      balance = before - amount;
    };
    await gather(Array.from({ length: withdrawals }, (_, index) => createTask(withdraw, { name: `withdrawal ${index}` })));
    if (balance !== 100 - withdrawals * amount) throw new Error(`the balance is ${balance}`);
  };

const failureOf = async (scenario: Scenario, options: Parameters<typeof explore>[1] = {}): Promise<ExploreFailure> => {
  const { failure } = await explore(scenario, { seed: 7, ...options });
  if (failure === undefined) throw new Error("nothing failed");
  return failure;
};

/** As a trace has it: `begin` is a step too. */
const stepsOf = ({ trace }: ExploreFailure) =>
  trace.flatMap(({ task = "", op = "", phase }) => (phase === "begin" || phase === "start" ? [{ name: task, operation: op }] : []));

describe("a token", () => {
  test("gives the same failure and the same trace again, each time", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const failure = await failureOf(bank(3), { seed });
      for (let time = 0; time < 2; time++) {
        const again = await replay(bank(3), failure.schedule);
        expect(again).toMatchObject({ status: "failed", runs: 1, failures: 1, seed });
        expect(again.failure).toEqual({
          ...failure,
          run: 0,
          original: failure.schedule,
          minimised: undefined,
          about: undefined,
          explanation: [],
        });
      }
    }
  });

  test("of the original run gives that one, which is never simpler than the smallest", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const smallest = await failureOf(bank(4), { seed });
      const { failure: original } = await replay(bank(4), smallest.original);
      expect(original?.schedule).toBe(smallest.original);
      expect(String(original?.error)).toMatch(/^Error: the balance is \d+$/);
      const [small, first] = [simplicityOf(stepsOf(smallest)), simplicityOf(stepsOf(original!))];
      expect(small.switches).toBeLessThanOrEqual(first.switches);
    }
  });

  test("of a failure that is not minimised is the original one", async () => {
    const failure = await failureOf(bank(3), { minimise: false });
    expect(failure.schedule).toBe(failure.original);
    expect((await replay(bank(3), failure.schedule)).failure).toMatchObject({ kind: "error", trace: failure.trace });
  });

  test("of a failure under fifo gives asyncio's order again", async () => {
    const late: Scenario = async ({ gather }) => {
      let isOver = false;
      const gathered = gather(async () => undefined);
      createTask(async () => {
        await sleep(0);
        isOver = true;
      });
      await gathered;
      if (isOver) throw new Error("the gather was late");
    };
    const failure = await failureOf(late, { strategy: "fifo", runs: 1 });
    expect((await replay(late, failure.schedule)).failure).toMatchObject({ kind: "error", trace: failure.trace });
  });

  test("of each kind of failure gives that kind again", async () => {
    const never: Scenario = async ({ gather }) => {
      const tasks: ReturnType<typeof createTask>[] = [];
      const waiter = (other: number) => async (): Promise<void> => {
        await sleep(0);
        await tasks[other];
      };
      tasks.push(createTask(waiter(1)), createTask(waiter(0)));
      await gather(tasks);
    };
    const poll: Scenario = async () => {
      for (;;) await sleep(0);
    };
    const stray: Scenario = async ({ gather }) => {
      await gather(sleep(0), sleep(0));
      void Promise.reject(new Error("stray"));
    };
    for (const [kind, scenario] of [
      ["deadlock", never],
      ["livelock", poll],
      ["unhandledRejection", stray],
    ] as const) {
      const failure = await failureOf(scenario, { maxSteps: 100 });
      expect(failure.kind).toBe(kind);
      const again = await replay(scenario, failure.schedule, { maxSteps: 100 });
      expect(again.failure?.kind).toBe(kind);
      expect(again.failure?.trace).toEqual(failure.trace);
    }
  });

  test("carries the seed of the program's own randomness", async () => {
    const failure = await failureOf(bank(3), { seed: 12_345 });
    expect(decodeSchedule(failure.schedule).seed).toBe(12_345);
    expect(String((await replay(bank(3), failure.schedule)).failure?.error)).toBe(String(failure.error));
  });
});

describe("a program that was changed", () => {
  test("so that more is ready is a divergence, which says where, and what is ready now", async () => {
    const { schedule } = await failureOf(bank(2));
    const { status, failure } = await replay(bank(3), schedule);
    expect(status).toBe("failed");
    expect(failure?.kind).toBe("divergence");
    expect((failure?.error as Error).message).toMatchInlineSnapshot(`
      "divergence at step 2: the program left the recorded schedule.
        recorded  2 ready [withdrawal 0@1, withdrawal 1@1], ran withdrawal 0@1
        now       3 ready [withdrawal 0@1, withdrawal 1@1, withdrawal 2@1]
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run."
    `);
    expect(failure?.trace[0]).toMatchObject({ task: "main", phase: "begin" });
  });

  test("so that it ends before its schedule does is a divergence too", async () => {
    const { schedule } = await failureOf(bank(3));
    const { status, failures, failure } = await replay(() => undefined, schedule);
    expect({ status, failures, kind: failure?.kind }).toEqual({ status: "failed", failures: 1, kind: "divergence" });
    expect((failure?.error as Error).message).toContain("now       the end of the program");
  });

  test("so that it makes the same decisions and holds passes", async () => {
    const fixed: Scenario = async ({ gather }) => {
      const withdraw = async (): Promise<void> => {
        await sleep(0);
      };
      await gather([0, 1, 2].map((index) => createTask(withdraw, { name: `withdrawal ${index}` })));
    };
    const { schedule } = await failureOf(bank(3));
    expect(await replay(fixed, schedule)).toMatchObject({ status: "passed", runs: 1, failures: 0, failure: undefined });
  });
});

describe("refusals", () => {
  test("a token that is cut, changed or none is bad input", async () => {
    const { schedule } = await failureOf(bank(2));
    await expect(replay(bank(2), "nonsense")).rejects.toMatchObject({ code: "HEDDLE_BAD_INPUT" });
    await expect(replay(bank(2), schedule.slice(0, -1))).rejects.toMatchObject({ code: "HEDDLE_BAD_INPUT" });
    const place = Math.floor(schedule.length / 2);
    const changed = schedule.slice(0, place) + (schedule[place] === "A" ? "B" : "A") + schedule.slice(place + 1);
    await expect(replay(bank(2), changed)).rejects.toMatchObject({ code: "HEDDLE_BAD_INPUT" });
  });

  test("inside of a run it is refused, as an exploration is", async () => {
    const { schedule } = await failureOf(bank(2));
    await expect(run(async () => await replay(bank(2), schedule))).rejects.toMatchObject({ code: "HEDDLE_USAGE" });
  });
});

test("a strategy of one's own leads to a schedule as small as any", async () => {
  const inTurn: Strategy = { name: "in turn", begin: () => true, pick: () => 0 };
  const failure = await failureOf(bank(3), { strategy: inTurn, runs: 1 });
  const schedule = decodeSchedule(failure.schedule);
  expect(encodeSchedule(schedule)).toBe(failure.schedule);
  // Main, two withdrawals that both read before either writes, the third in one go, and main again.
  expect(simplicityOf(stepsOf(failure)).switches).toBe(5);
});
