import { describe, expect, test } from "vitest";
import { runTaskGraph } from "../graph/graph-run.js";
import type { TaskGraph } from "../graph/task-graph.js";
import type { Schedule } from "../schedule/schedule.js";
import type { Decision, ReadyTask } from "../schedule/strategy.js";
import { random } from "./random.js";
import { DivergenceError, following, followingOrder } from "./replay.js";

const taskAt = (text: string): ReadyTask => {
  const [name = "", operation = ""] = text.split("@");
  return { name, operation };
};
const decisionOf = (step: number, ...ready: readonly string[]): Decision => ({
  step,
  timeMs: 0,
  count: ready.length,
  ready: ready.map(taskAt),
});

function scheduleOf(...decisions: readonly (readonly [index: number, ...ready: readonly string[]])[]): Schedule {
  return {
    version: 1,
    seed: 7,
    granularity: "event",
    ioLatencyMs: 0,
    housekeeping: "eager",
    decisions: decisions.map(([index, ...ready]) => ({ index, ready: ready.map(taskAt) })),
  };
}

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ name: "DivergenceError", code: "HEDDLE_DIVERGENCE" });
    return (error as Error).message;
  }
  throw new Error("it did not diverge");
}

describe("following", () => {
  const schedule = scheduleOf([1, "t1@0", "t2@0", "t3@0"], [0, "t1@0", "t3@0"]);

  test("it makes the recorded decisions, and again from the start of another run", () => {
    const strategy = following(schedule);
    for (let time = 0; time < 2; time++) {
      expect(strategy.begin(0)).toBe(true);
      expect(strategy.pick(decisionOf(2, "t1@0", "t2@0", "t3@0"))).toBe(1);
      expect(strategy.pick(decisionOf(3, "t1@0", "t3@0"))).toBe(0);
      strategy.requireComplete();
    }
  });

  test("a recorded schedule is one run", () => {
    expect(following(schedule).begin(1)).toBe(false);
  });

  test("it keeps the housekeeping of the schedule", () => {
    expect(following(schedule).housekeeping).toBe("eager");
    const inline = following({ ...schedule, housekeeping: "inline", decisions: [] });
    expect(inline.housekeeping).toBe("inline");
    inline.requireComplete(); // no decision is made in asyncio's own order
  });

  test("it says what was recorded and what is ready where a task is missing", () => {
    const strategy = following(schedule);
    strategy.begin(0);
    expect(messageOf(() => strategy.pick(decisionOf(17, "t1@0", "t3@0")))).toMatchInlineSnapshot(`
      "divergence at step 17: the program left the recorded schedule.
        recorded  3 ready [t1@0, t2@0, t3@0], ran t2@0
        now       2 ready [t1@0, t3@0]
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run."
    `);
  });

  test("a step that nobody decided about is compared too, under asyncio's own order as well", () => {
    const inline = following({ ...scheduleOf([0, "main@1"], [0, "t1@0"]), housekeeping: "inline" });
    const stepOf = (step: number, text: string) => ({ ...taskAt(text), step, timeMs: 0, ready: 1 });
    inline.begin(0);
    inline.observe?.(stepOf(1, "main@1"));
    expect(messageOf(() => inline.observe?.(stepOf(2, "t2@0")))).toContain("divergence at step 2: the program left the recorded schedule.");
    inline.begin(0);
    inline.observe?.(stepOf(1, "main@1"));
    expect(
      messageOf(() => {
        inline.requireComplete();
      }),
    ).toContain("now       the end of the program");
  });

  test("a task at another place, and tasks in another order, are a divergence too", () => {
    const strategy = following(schedule);
    strategy.begin(0);
    expect(messageOf(() => strategy.pick(decisionOf(2, "t1@0", "t2@1", "t3@0")))).toContain("now       3 ready [t1@0, t2@1, t3@0]");
    strategy.begin(0);
    expect(messageOf(() => strategy.pick(decisionOf(2, "t2@0", "t1@0", "t3@0")))).toContain("now       3 ready [t2@0, t1@0, t3@0]");
  });

  test("a run that needs more decisions than were recorded has diverged", () => {
    const strategy = following(scheduleOf());
    strategy.begin(0);
    expect(messageOf(() => strategy.pick(decisionOf(4, "t1@0", "t2@0")))).toMatchInlineSnapshot(`
      "divergence at step 4: the program left the recorded schedule.
        recorded  the end of the schedule
        now       2 ready [t1@0, t2@0]
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run."
    `);
  });

  test("a run that ends before its schedule has diverged, and says which decision was left", () => {
    const strategy = following(schedule);
    strategy.begin(0);
    strategy.pick(decisionOf(2, "t1@0", "t2@0", "t3@0"));
    expect(
      messageOf(() => {
        strategy.requireComplete();
      }),
    ).toMatchInlineSnapshot(`
      "divergence at step 2: the program left the recorded schedule.
        recorded  2 ready [t1@0, t3@0], ran t1@0
        now       the end of the program
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run."
    `);
  });

  test("the error holds the names, which do not change when the tasks go on", () => {
    const strategy = following(scheduleOf());
    const running = { name: "t1", operation: "0" };
    strategy.begin(0);
    try {
      strategy.pick({ step: 1, timeMs: 0, count: 2, ready: [running, taskAt("t2@0")] });
    } catch (error) {
      running.operation = "5";
      expect(error).toMatchObject({ step: 1, recorded: undefined, now: [taskAt("t1@0"), taskAt("t2@0")] });
    }
    expect.assertions(1);
  });
});

describe("followingOrder", () => {
  test("of what is ready, the step that stands first in the order runs", () => {
    const strategy = followingOrder(["c@0", "a@0", "b@0"].map(taskAt));
    expect(strategy.pick(decisionOf(1, "a@0", "b@0", "c@0"))).toBe(2);
    expect(strategy.pick(decisionOf(2, "b@0", "a@0"))).toBe(1);
  });

  test("a step that does not stand in it waits until nothing else is ready, and then the first to arrive runs", () => {
    const strategy = followingOrder([taskAt("a@0")]);
    expect(strategy.pick(decisionOf(1, "x@0", "y@0", "a@0"))).toBe(2);
    expect(strategy.pick(decisionOf(2, "y@0", "x@0", "a@1"))).toBe(0);
  });

  test("a step that stands in it twice counts where it stands first", () => {
    const strategy = followingOrder(["a@0", "b@0", "a@0"].map(taskAt));
    expect(strategy.pick(decisionOf(1, "b@0", "a@0"))).toBe(1);
  });

  test("the order of a run's steps gives that run again, and an empty order the order of arrival", async () => {
    const body = [["yield"], ["yield"], ["sleep", 1], ["yield"]] as const;
    const tasks = [
      { name: "main", body: [["gather", [1, 2, 3, 4], false]] as const },
      ...[1, 2, 3, 4].map((index) => ({ name: `t${index}`, body })),
    ];
    const graph: TaskGraph = { version: 1, cells: 0, futures: 0, tasks };
    for (let seed = 0; seed < 20; seed++) {
      const { steps, schedule } = await runTaskGraph(graph, { strategy: random(seed) });
      const again = await runTaskGraph(graph, { strategy: followingOrder(steps) });
      expect(again.schedule).toEqual(schedule);
    }
    const { schedule } = await runTaskGraph(graph, { strategy: followingOrder([]) });
    expect(schedule.decisions.map(({ index }) => index)).toEqual(schedule.decisions.map(() => 0));
  });
});
