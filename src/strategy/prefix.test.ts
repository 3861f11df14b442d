import { describe, expect, test } from "vitest";
import { explore } from "../explore/explore.js";
import type { ExploreFailure } from "../explore/outcome.js";
import type { Scenario, ScenarioEnv } from "../explore/scenario-run.js";
import { runTaskGraph } from "../graph/graph-run.js";
import type { TaskGraph } from "../graph/task-graph.js";
import { formatReadyTask, type Schedule } from "../schedule/schedule.js";
import type { Strategy } from "../schedule/strategy.js";
import { decodeSchedule } from "../schedule/token.js";
import { exhaustive } from "./exhaustive.js";
import { fifo } from "./fifo.js";
import { followingThen, type PrefixReport } from "./prefix.js";
import { random } from "./random.js";

/** Tasks by name, each a list of what it does; "." waits for a turn. The log is what the others do, in order. */
type Bodies = Readonly<Record<string, readonly string[]>>;

function programOf(bodies: Bodies, log: string[] = []): Scenario {
  return async ({ gather, createTask, sleep }: ScenarioEnv) => {
    log.length = 0;
    const tasks = Object.entries(bodies).map(([name, body]) =>
      createTask(
        async () => {
          for (const item of body) {
            if (item === ".") await sleep(0);
            else log.push(item);
          }
        },
        { name },
      ),
    );
    await gather(tasks);
  };
}

/** The steps that a schedule records, `a1` for the first one of task a. */
function stepsOf({ decisions }: Schedule): readonly string[] {
  return decisions.map(({ ready, index }) => formatReadyTask(ready[index] ?? { name: "?", operation: "?" }).replace("@", ""));
}

interface Recorded {
  readonly schedule: Schedule;
  readonly failure: ExploreFailure | undefined;
  readonly order: readonly string[];
}

/** One run under `strategy`, written down. The scenario must not fail; it is made to, after its end. */
async function record(scenario: Scenario, strategy: Strategy, seed = 7): Promise<Recorded> {
  const failing: Scenario = async (env) => {
    await scenario(env);
    throw new Error("the end");
  };
  const { failure } = await explore(failing, { strategy, seed, runs: 1, minimise: false });
  if (failure === undefined) throw new Error("a run that throws at its end did not fail");
  const schedule = decodeSchedule(failure.original);
  return { schedule, failure, order: stepsOf(schedule) };
}

/** The order of a run of `scenario` that begins with `schedule`. */
async function follow(
  scenario: Scenario,
  schedule: Schedule,
  strategy: string | Strategy = "random",
): Promise<{ readonly order: readonly string[]; readonly report: PrefixReport }> {
  const prefix = followingThen(schedule, strategy);
  const { order } = await record(scenario, prefix);
  return { order, report: prefix.report };
}

/** The steps of the tasks alone, without those of main. */
const ofTasks = (order: readonly string[]): string => order.filter((step) => !step.startsWith("main")).join(" ");

const bodies: Bodies = {
  a: ["a", ".", "a", ".", "a"],
  b: ["b", ".", "b", ".", "b"],
  c: ["c", ".", "c", ".", "c"],
};

/** An order of {@link bodies} that is far from any that a program takes by itself. */
async function recordOrder(wanted: string, of: Bodies = bodies): Promise<Schedule> {
  const places = wanted.split(" ");
  const placeOf = (step: string): number => (places.indexOf(step) + places.length + 1) % (places.length + 1);
  const byPlace: Strategy = {
    name: "by-place",
    isFair: true,
    begin: () => true,
    pick: ({ ready }) => {
      const wishes = ready.map((task) => placeOf(formatReadyTask(task).replace("@", "")));
      return wishes.indexOf(Math.min(...wishes));
    },
  };
  const { schedule, order } = await record(programOf(of), byPlace);
  expect(ofTasks(order)).toBe(wanted);
  return schedule;
}

const ORDER = "c1 a1 c2 b1 c3 b2 a2 b3 a3";

describe("a program that is as it was", () => {
  test("makes the recorded run again, whatever the strategy behind it", async () => {
    const schedule = await recordOrder(ORDER);
    for (const strategy of ["fifo", "random", exhaustive()]) {
      const { order, report } = await follow(programOf(bodies), schedule, strategy);
      expect(order).toEqual(stepsOf(schedule));
      expect(report).toEqual({
        recorded: schedule.decisions.length,
        followed: schedule.decisions.length,
        left: undefined,
        missing: [],
        added: 0,
        renamed: [],
        handedOverAt: undefined,
      });
    }
  });

  test("does so for graphs with sleeps, locks, queues and cancellations, in 100 random orders", async () => {
    const worker = (index: number) => [
      [
        "withLock",
        0,
        [
          ["sleep", index % 2],
          ["span", 0, 1],
        ],
      ],
      ["yield"],
      ["put", 0, index],
      ["get", 0],
    ];
    const graph = {
      version: 1,
      cells: 1,
      futures: 0,
      locks: 1,
      queues: [1],
      tasks: [
        {
          name: "main",
          body: [
            ["spawn", 1],
            ["spawn", 2],
            ["spawn", 3],
            ["spawn", 4],
            ["sleep", 1],
            ["cancel", 4],
            ["gather", [1, 2, 3], true],
          ],
        },
        ...[1, 2, 3, 4].map((index) => ({ name: `t${index}`, body: worker(index) })),
      ],
    } as unknown as TaskGraph; // checked when it is run
    for (let seed = 0; seed < 100; seed++) {
      const { schedule, trace } = await runTaskGraph(graph, { strategy: random(seed) });
      const prefix = followingThen(schedule, fifo());
      const again = await runTaskGraph(graph, { strategy: prefix });
      expect(again.trace).toEqual(trace);
      expect(again.schedule.decisions).toEqual(schedule.decisions);
      expect(prefix.report).toMatchObject({ left: undefined, followed: schedule.decisions.length, handedOverAt: undefined });
    }
  });

  test("goes on with the strategy where the schedule ends, in another way in each run", async () => {
    const schedule = await recordOrder(ORDER);
    const cut = { ...schedule, decisions: schedule.decisions.slice(0, 5) }; // main, c1, a1, c2, b1
    const prefix = followingThen(cut, "random");
    const orders = new Set<string>();
    for (let run = 0; run < 20; run++) {
      expect(prefix.begin(run)).toBe(true);
      const { order } = await record(programOf(bodies), {
        ...prefix,
        begin: () => true,
        pick: (decision) => prefix.pick(decision),
        observe: (step) => prefix.observe?.(step),
      });
      expect(order.slice(0, 5)).toEqual(["main1", "c1", "a1", "c2", "b1"]);
      expect(prefix.report).toMatchObject({ recorded: 5, followed: 5, left: undefined, added: 0, handedOverAt: 6 });
      orders.add(ofTasks(order));
    }
    // 20 of 30 orders of what is left (c3, b2 b3 and a2 a3), no more likely than 1/12 each: that they are fewer than 4 has p < 1e-8.
    expect(orders.size).toBeGreaterThanOrEqual(4);
  });

  test("is searched exhaustively behind the schedule, and nothing is claimed of what is before", async () => {
    const schedule = await recordOrder(ORDER);
    const cut = { ...schedule, decisions: schedule.decisions.slice(0, 5) };
    const outcome = await explore(programOf(bodies), { strategy: followingThen(cut, exhaustive()), seed: 7 });
    // c3, b2 b3 and a2 a3 in every order: 5! / (2! 2!).
    expect(outcome).toMatchObject({ status: "passed", runs: 30, distinct: 30, complete: false, strategy: "replay+exhaustive" });
  });

  test("is followed out of asyncio's own order, too, of which a schedule knows only what ran", async () => {
    const { schedule, order } = await record(programOf(bodies), fifo());
    expect(schedule.housekeeping).toBe("inline");
    const { order: again, report } = await follow(programOf(bodies), schedule);
    expect(again).toEqual(order);
    expect(report).toMatchObject({ left: undefined, missing: [], handedOverAt: undefined });
  });
});

describe("a program that was edited", () => {
  test("with a task more keeps the order of the others; the new one comes last", async () => {
    const schedule = await recordOrder(ORDER);
    const { order, report } = await follow(programOf({ a: bodies["a"]!, x: ["x", ".", "x"], b: bodies["b"]!, c: bodies["c"]! }), schedule);
    expect(ofTasks(order)).toBe(`${ORDER} x1 x2`);
    expect(report).toMatchObject({ missing: [], added: 2, renamed: [] });
    expect(report.left).toEqual({
      step: 2,
      recorded: schedule.decisions[1],
      now: ["a", "x", "b", "c"].map((name) => ({ name, operation: "1" })),
      ran: { name: "c", operation: "1" },
    });
  });

  test("with a step more in a task keeps the order of all that was recorded", async () => {
    const schedule = await recordOrder(ORDER);
    const { order, report } = await follow(programOf({ ...bodies, b: [".", ...bodies["b"]!] }), schedule);
    expect(ofTasks(order)).toBe(`${ORDER} b4`);
    expect(report).toMatchObject({
      missing: [],
      left: { ran: { name: "a", operation: "3" }, now: [{ name: "a" }, { name: "b", operation: "4" }] },
    });
  });

  test("with a task of another name takes it for the one that is gone", async () => {
    const schedule = await recordOrder(ORDER);
    const { order, report } = await follow(programOf({ a: bodies["a"]!, renamed: bodies["b"]!, c: bodies["c"]! }), schedule);
    expect(ofTasks(order)).toBe(ORDER.replaceAll("b", "renamed"));
    expect(report).toMatchObject({
      missing: [],
      added: 0,
      renamed: [{ recorded: "b", now: "renamed" }],
      left: { step: 2, ran: { name: "c", operation: "1" } },
    });
  });

  test("with all its tasks renamed keeps the whole order, where they begin in the order in which they are listed", async () => {
    const schedule = await recordOrder("a1 b1 b2 c1 c2 c3 b3 a2 a3");
    const { order, report } = await follow(programOf({ x: bodies["a"]!, y: bodies["b"]!, z: bodies["c"]! }), schedule);
    expect(ofTasks(order)).toBe("x1 y1 y2 z1 z2 z3 y3 x2 x3");
    expect(report).toMatchObject({ missing: [], added: 0 });
    expect(report.renamed.map(({ recorded, now }) => `${recorded} is ${now}`)).toEqual(["a is x", "b is y", "c is z"]);
  });

  test("without a task keeps the order of the others, and says what is missing", async () => {
    const schedule = await recordOrder(ORDER);
    const { order, report } = await follow(programOf({ a: bodies["a"]!, b: bodies["b"]! }), schedule);
    expect(ofTasks(order)).toBe("a1 b1 b2 a2 b3 a3");
    expect(report).toMatchObject({ added: 0, renamed: [], handedOverAt: undefined, left: { step: 2 } });
    expect(report.missing.map(formatReadyTask)).toEqual(["c@1", "c@2", "c@3"]);
  });

  test("without a step in a task keeps the order of what is left", async () => {
    const schedule = await recordOrder(ORDER);
    const { order, report } = await follow(programOf({ ...bodies, b: ["b", ".", "b"] }), schedule);
    expect(ofTasks(order)).toBe("c1 a1 c2 b1 c3 b2 a2 a3");
    expect(report.missing.map(formatReadyTask)).toEqual(["b@3"]);
  });

  /** Two tasks, of which b waits in the middle for `help`. */
  const withHelp =
    (help: (env: ScenarioEnv) => PromiseLike<unknown>): Scenario =>
    async (env) => {
      const { createTask, gather, sleep } = env;
      const turns = async (): Promise<void> => {
        for (let turn = 0; turn < 4; turn++) await sleep(0);
      };
      const b = async (): Promise<void> => {
        await sleep(0);
        await help(env);
        await sleep(0);
      };
      await gather(createTask(turns, { name: "a" }), createTask(b, { name: "b" }));
    };

  test("with a new task that the next recorded step waits for runs it there", async () => {
    const first = (wanted: string): Strategy => ({
      name: `first-${wanted}`,
      isFair: true,
      begin: () => true,
      pick: ({ ready }) =>
        Math.max(
          0,
          ready.findIndex(({ name }) => name === wanted),
        ),
    });
    const { schedule, order } = await record(
      withHelp(({ sleep }) => sleep(0)),
      first("b"),
    );
    expect(ofTasks(order)).toBe("b1 b2 b3 b4 a1 a2 a3 a4 a5");
    const helped = withHelp(({ createTask, sleep }) =>
      createTask(
        async () => {
          await sleep(0);
          await sleep(0);
        },
        { name: "helper" },
      ),
    );
    const { order: now, report } = await follow(helped, schedule);
    expect(ofTasks(now)).toBe("b1 b2 helper1 helper2 helper3 b3 b4 a1 a2 a3 a4 a5");
    expect(report).toMatchObject({ added: 3, missing: [], left: { step: 4, ran: { name: "helper", operation: "1" } } });
  });

  test("with a new task that polls for a recorded one does not wait for what is gone for ever", async () => {
    let isDone = false;
    const schedule = await recordOrder("d1 c1 d2 a1 b1 d3 b2 c2 c3 a2 b3 a3", { ...bodies, d: ["d", ".", "d", ".", "d"] });
    const polled: Scenario = async (env) => {
      isDone = false;
      const poller = env.createTask(
        async () => {
          while (!isDone) await env.sleep(0);
        },
        { name: "poller" },
      );
      await programOf({ a: bodies["a"]!, b: bodies["b"]! })(env);
      isDone = true;
      await poller;
    };
    const { order, report } = await follow(polled, schedule);
    // The poller is taken for d; c is waited for in vain, once.
    expect(ofTasks(order.filter((step) => !step.startsWith("poller")))).toBe("a1 b1 b2 a2 b3 a3");
    expect(report.renamed).toEqual([{ recorded: "d", now: "poller" }]);
    expect(report.missing.map(formatReadyTask)).toEqual(["c@1", "c@2", "c@3"]);
    expect(order.filter((step) => step.startsWith("poller")).length).toBeGreaterThanOrEqual(50);
    expect(order.length).toBeLessThan(80);
  });

  test("with a task that was taken for another one, which turns up after all, gives that its place back", async () => {
    const schedule = await recordOrder("b1 b2 b3 a1 a2 a3", { a: bodies["a"]!, b: bodies["b"]! });
    const late: Scenario = async (env) => {
      const x = env.createTask(() => env.sleep(0), { name: "x" });
      await env.sleep(0);
      await programOf({ a: bodies["a"]!, b: bodies["b"]! })(env);
      await x;
    };
    const { order, report } = await follow(late, schedule);
    expect(order.join(" ")).toBe("main1 x1 x2 main2 b1 b2 b3 a1 a2 a3 main3");
    expect(report).toMatchObject({ renamed: [], missing: [] });
  });

  test("with a step more in main, which then comes to its recorded end at once, keeps the order of the others", async () => {
    const schedule = await recordOrder(ORDER);
    const later: Scenario = async (env) => {
      await env.sleep(5);
      await programOf(bodies)(env);
    };
    const { order, report } = await follow(later, schedule);
    expect(order.join(" ")).toBe(`main1 main2 ${ORDER} main3`);
    expect(report).toMatchObject({ missing: [], added: 0, left: { step: 2, ran: { name: "main", operation: "2" } } });
  });

  test("fails again in the same way after each of these edits, where a replay to the letter gives up", async () => {
    const account =
      (edit: "none" | "task" | "step" | "renamed" | "removed"): Scenario =>
      async ({ createTask, gather, sleep }) => {
        let balance = 100;
        const withdraw = (amount: number) => async (): Promise<void> => {
          if (edit === "step") await sleep(0);
          const before = balance;
          await sleep(0);
          await sleep(0);
          balance = before - amount;
        };
        const look = (name: string) => createTask(() => sleep(0), { name });
        const looks = edit === "removed" ? [] : [look("look")];
        if (edit === "task") looks.push(look("audit"));
        const rent = createTask(withdraw(10), { name: edit === "renamed" ? "flat" : "rent" });
        const food = createTask(withdraw(20), { name: "food" });
        await gather(...looks, rent, food);
        if (balance === 90) throw new Error("the food was free");
      };
    const { failure } = await explore(account("none"), { seed: 7, strategy: "random" });
    const schedule = decodeSchedule(failure?.schedule ?? "");
    for (const edit of ["none", "task", "step", "renamed", "removed"] as const) {
      const strategy = followingThen(schedule, "random");
      const outcome = await explore(account(edit), { strategy, seed: schedule.seed, runs: 1, minimise: false });
      expect([edit, outcome.failure?.kind, (outcome.failure?.error as Error | undefined)?.message]).toEqual([
        edit,
        "error",
        "the food was free",
      ]);
      expect(strategy.report.left === undefined).toBe(edit === "none");
    }
  });
});

describe("gates and the clock", () => {
  /** Three requests, a time limit that the slowest may miss, and what came of them. */
  const requests =
    (labels: readonly string[], limitMs = 5): Scenario =>
    async ({ io, gather, createTask, sleep }) => {
      const log: string[] = [];
      const load = async (label: string): Promise<void> => {
        await io(label);
        log.push(label);
        await io(`${label} again`);
        log.push(`${label} again`);
      };
      const limit = createTask(
        async () => {
          await sleep(limitMs);
          log.push("late");
        },
        { name: "limit" },
      );
      await gather(...labels.map((label) => createTask(() => load(label), { name: `task ${label}` })), limit);
    };

  test("batches and passing time are followed, and what an unchanged program does stays the same", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const scenario = requests(["x", "y", "z"]);
      const { schedule } = await record(scenario, random(seed));
      const prefix = followingThen(schedule, fifo());
      const again = await record(scenario, prefix);
      expect(again.schedule.decisions).toEqual(schedule.decisions);
      expect(prefix.report).toMatchObject({ left: undefined, missing: [], handedOverAt: undefined });
    }
  });

  test("a request more, a request less, and another time limit leave the others in their order", async () => {
    const gatesOf = (order: readonly string[]): readonly string[] => order.filter((step) => /^[xyzw]( again)?1$/.test(step));
    for (let seed = 0; seed < 20; seed++) {
      const { schedule, order } = await record(requests(["x", "y", "z"]), random(seed));
      const more = await follow(requests(["x", "y", "w", "z"]), schedule);
      expect(more.report.missing.filter(({ name }) => name !== "clock")).toEqual([]);
      expect(gatesOf(more.order).filter((gate) => !gate.startsWith("w"))).toEqual(gatesOf(order));
      const less = await follow(requests(["x", "z"]), schedule);
      expect(gatesOf(less.order)).toEqual(gatesOf(order).filter((gate) => !gate.startsWith("y")));
      const slower = await follow(requests(["x", "y", "z"], 6), schedule);
      expect(ofTasks(slower.order)).toBe(ofTasks(order).replaceAll("clock5", "clock6"));
    }
  });
});

test("what is recorded of batches that a program has no more is void, and its gates come one by one", async () => {
  /** Two requests, at once or one after the other, and then `more` turns of two tasks. */
  const requests =
    (isAtOnce: boolean, more = 0): Scenario =>
    async ({ io, createTask, gather, sleep }) => {
      const p = createTask(() => (isAtOnce ? io("x") : io("y").then(() => io("x"))), { name: "p" });
      const q = createTask(async () => (isAtOnce ? await io("y") : undefined), { name: "q" });
      await gather(p, q);
      for (let turn = 0; turn < more; turn++) await gather([1, 2].map(() => () => sleep(0)));
    };
  /** Gates when nothing else is left, the last one first, and none of them together. */
  const oneByOne: Strategy = {
    name: "one-by-one",
    isFair: true,
    begin: () => true,
    pick: ({ kind: about, ready }) =>
      about === "batch"
        ? 0
        : Math.max(
            0,
            ready.findLastIndex(({ kind }) => kind !== "gate"),
          ),
  };
  const { schedule, order } = await record(requests(true), oneByOne);
  expect(order.join(" ")).toBe("main1 q1 p1 y1 settle x1 main2");
  expect(await follow(requests(true), schedule)).toMatchObject({ order, report: { left: undefined, missing: [] } });
  const { order: now, report } = await follow(requests(false, 1), schedule);
  expect(now.slice(0, 6).join(" ")).toBe("main1 q1 p1 y1 x1 main2");
  expect(report).toMatchObject({ recorded: 7, followed: 6, missing: [], handedOverAt: 7, left: { step: 3 } });
});

test("gates that joined a batch do so again", async () => {
  const threeAtOnce: Scenario = async ({ io, gather }) => {
    await gather(["x", "y", "z"].map((label) => async () => await io(label)));
  };
  const inBatches: Strategy = {
    name: "batches",
    isFair: true,
    begin: () => true,
    pick: ({ kind: about, ready }) =>
      about === "batch"
        ? ready.length - 1
        : Math.max(
            0,
            ready.findIndex(({ kind }) => kind !== "gate"),
          ),
  };
  const { schedule, order } = await record(threeAtOnce, inBatches);
  expect(order.join(" ")).toBe("main1 Task-21 Task-31 Task-41 x1 z1 y1 main2");
  expect(await follow(threeAtOnce, schedule)).toMatchObject({ order, report: { left: undefined, missing: [] } });
});

test("it tells what the strategy behind it is and needs, and ends and observes with it", async () => {
  const seen: string[] = [];
  const inner: Strategy = {
    name: "inner",
    tracks: true,
    isSystematic: true,
    remaining: 5,
    begin: (run) => run === 0,
    pick: () => 0,
    observe: ({ name, operation }) => seen.push(name + operation),
    end: ({ failed }) => seen.push(failed ? "failed" : "passed"),
  };
  const prefix = followingThen(await recordOrder(ORDER), inner);
  expect(prefix).toMatchObject({ name: "replay+inner", tracks: true, isSystematic: true, remaining: 5, isFair: true, leavesOut: true });
  await explore(programOf(bodies), { strategy: prefix, seed: 7, selfCheck: false });
  expect(seen.join(" ")).toBe(`main1 ${ORDER} main2 passed`);
});

test("a strategy that has no such name is refused", async () => {
  const schedule = await recordOrder(ORDER);
  expect(() => followingThen(schedule, "lucky")).toThrow(/strategy: "lucky" is not known/);
});
