/** The contract that every strategy keeps; a new one is a line in the table. */
import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { runLoop } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import { Random } from "../random/random.js";
import type { Decision, ReadyTask, StepRecord, Strategy } from "../schedule/strategy.js";
import { fifo } from "./fifo.js";
import { random } from "./random.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

const strategies: readonly (readonly [string, (seed: number) => Strategy])[] = [
  ["fifo", () => fifo()],
  ["random", random],
];

/** Decisions with 2 to 9 ready tasks that appear and finish, the same for every strategy. */
function feed(strategy: Strategy, count: number): number[] {
  const source = new Random(7, "contract");
  const picks: number[] = [];
  let ready: ReadyTask[] = [];
  let made = 0;
  for (let step = 1; step <= count; step++) {
    while (ready.length < 2 || (ready.length < 9 && source.next() < 0.5)) ready.push({ name: `t${made++}`, operation: "1" });
    const decision: Decision = { step, timeMs: 0, count: ready.length, ready };
    const index = strategy.pick(decision);
    picks.push(index);
    expect(Number.isInteger(index) && index >= 0 && index < ready.length).toBe(true);
    const record = { name: "t", operation: "1", ...ready[index], step, timeMs: 0, ready: ready.length };
    ready = ready.filter((_, place) => place !== index && source.next() < 0.9);
    strategy.observe?.(record);
  }
  return picks;
}

/** A program whose order of steps shows in its log: tasks that come, go, wait for each other and are cancelled. */
async function program(): Promise<string[]> {
  const log: string[] = [];
  const worker = (name: string, turns: number) => async (): Promise<string> => {
    for (let turn = 0; turn < turns; turn++) {
      log.push(`${name}${turn}`);
      await sleep(turn % 2);
    }
    if (turns > 2) await createTask(async () => log.push(`${name} child`));
    return name;
  };
  const doomed = createTask(worker("x", 50), { name: "x" });
  const results = await gather(worker("a", 1), worker("b", 2), worker("c", 3), worker("d", 4));
  doomed.cancel();
  await sleep(1);
  return [...log, ...results, `t=${getRunningLoop().time()}`];
}

async function runWith(strategy: Strategy): Promise<string[]> {
  const loop = new EventLoop({ slowStepMs, strategy });
  strategy.begin(0);
  await runLoop(loop, program);
  expect(loop.warnings).toEqual([]);
  const { completion } = loop;
  if (completion?.kind !== "result") throw completion?.error;
  return completion.value as string[]; // the result of program
}

describe.each(strategies)("%s", (name, make) => {
  test("it is known by its name, and a run can begin", () => {
    const strategy = make(7);
    expect(strategy.name).toBe(name);
    expect(strategy.begin(0)).toBe(true);
  });

  test("its index is in range while tasks appear and finish, and the same seed gives the same picks", () => {
    const [first, second] = [make(7), make(7)];
    first.begin(0);
    second.begin(0);
    expect(feed(first, 2_000)).toEqual(feed(second, 2_000));
  });

  test("the same seed gives the same order of a program", async () => {
    const log = await runWith(make(7));
    expect(log.slice(-5)).toEqual(["a", "b", "c", "d", "t=3"]);
    expect(await runWith(make(7))).toEqual(log);
  });
});

test("fifo is what a loop does without a strategy", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, program);
  expect(loop.completion).toEqual({ kind: "result", value: await runWith(fifo()) });
});

test("random gives other orders under other seeds", async () => {
  const orders = await Promise.all(Array.from({ length: 20 }, async (_, seed) => (await runWith(random(seed))).join()));
  // 20 of far more than a thousand orders: that no more than 15 differ has p < 1e-6, and the seeds are fixed.
  expect(new Set(orders).size).toBeGreaterThan(15);
});

test("random takes each of four ready tasks as often as any other", () => {
  const strategy = random(7);
  const ready = ["a", "b", "c", "d"].map((name) => ({ name, operation: "1" }));
  const taken = [0, 0, 0, 0];
  for (let step = 1; step <= 4_000; step++) taken[strategy.pick({ step, timeMs: 0, count: 4, ready })]! += 1;
  // Each is binomial with mean 1,000 and sigma 27.4: outside 5 sigma with p < 3e-6, and the seed is fixed.
  for (const count of taken) expect(Math.abs(count - 1_000)).toBeLessThan(137);
});

test("random refuses a seed that is none", () => {
  expect(() => random(1.5)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not 1.5]`);
});

test.each([-1, 3, 0.5, Number.NaN])("a strategy that answers index %s ends the run with a usage error", async (index) => {
  const loop = new EventLoop({ slowStepMs, strategy: { name: "broken", begin: () => true, pick: () => index } });
  await runLoop(loop, async () => {
    createTask(async () => {});
    createTask(async () => {});
    await sleep(0);
  });
  expect(loop.completion?.kind).toBe("strategy");
  expect((loop.completion as { error: Error }).error).toMatchObject({
    code: "HEDDLE_USAGE",
    message: `strategy broken: picked ${index} of 3 ready tasks`,
  });
});

test.each(["drain", "macrotask"] as const)(
  "a strategy that throws ends the run with its error under %s, in pick and in observe",
  async (quiescence) => {
    const fails = (): never => {
      throw new Error("boom");
    };
    for (const hooks of [{ pick: fails }, { pick: () => 0, observe: fails }]) {
      const loop = new EventLoop({ slowStepMs, strategy: { name: "broken", begin: () => true, ...hooks } });
      await runLoop(
        loop,
        async () => {
          await gather(
            async () => {},
            async () => {},
          );
        },
        quiescence,
      );
      expect(loop.completion).toEqual({ kind: "strategy", error: new Error("boom") });
      expect(loop.isRunning()).toBe(false);
    }
  },
);

test("a strategy sees the ready tasks in the order of arrival, with step and time, and is asked only when there are two", async () => {
  const seen: string[] = [];
  const last: Strategy = {
    name: "lifo",
    begin: () => true,
    pick: ({ step, timeMs, count, ready }) => {
      seen.push(`${step} t=${timeMs} ${count}: ${ready.map(({ name, operation }) => `${name}@${operation}`).join(" ")}`);
      return ready.length - 1;
    },
  };
  const loop = new EventLoop({ slowStepMs, strategy: last });
  await runLoop(loop, async () => {
    for (const name of ["a", "b"]) {
      createTask(
        async () => {
          await sleep(5);
        },
        { name },
      );
    }
    getRunningLoop().callSoon(function ping() {});
    await sleep(5);
    await sleep(1);
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "2 t=0 3: a@1 b@1 ping@1",
      "3 t=0 2: a@1 b@1",
      "5 t=5 3: main@2 b@2 a@2",
      "6 t=5 2: main@2 b@2",
    ]
  `);
});

test.each(["drain", "macrotask"] as const)(
  "a strategy that observes is told of each step as it was decided, under %s",
  async (quiescence) => {
    const decided: string[] = [];
    const observed: StepRecord[] = [];
    const strategy: Strategy = {
      name: "watching",
      begin: () => true,
      pick: ({ step, count, ready }) => {
        decided.push(`${step} ${count} ${ready[count - 1]!.name}@${ready[count - 1]!.operation}`);
        return count - 1;
      },
      observe: (step) => observed.push(step),
    };
    const loop = new EventLoop({ slowStepMs, strategy });
    await runLoop(loop, program, quiescence);
    expect(observed.map(({ step }) => step)).toEqual(Array.from({ length: loop.steps }, (_, index) => index + 1));
    const chosen = observed
      .filter(({ ready }) => ready > 1)
      .map(({ step, ready, name, operation }) => `${step} ${ready} ${name}@${operation}`);
    expect(chosen).toEqual(decided);
    expect(decided.length).toBeGreaterThan(15);
  },
);
