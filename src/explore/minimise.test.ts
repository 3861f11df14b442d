import { describe, expect, test } from "vitest";
import { type Attempted, Attempts, type World } from "../../fixtures/search/attempts.js";
import {
  counter,
  deadlock01,
  lateRead,
  nested,
  reorder,
  runAhead,
  type SearchProgram,
  spread,
  twostage,
} from "../../fixtures/search/programs.js";
import { Random } from "../random/random.js";
import { isSimpler, type Simplicity, simplicityOf } from "../schedule/simplicity.js";
import { Lock } from "../sync/lock.js";
import { minimise } from "./minimise.js";
import type { FailingRun } from "./order.js";

const simplicity = ({ steps, schedule }: FailingRun): Simplicity => simplicityOf(steps, schedule);

const attemptsOf = ({ scenario, untracked }: SearchProgram, isTracked: boolean): Attempts =>
  new Attempts((isTracked ? scenario : untracked) as (world: World) => unknown, { isTracked });

const orderOf = ({ steps }: FailingRun): string => steps.map(({ name, operation }) => `${name}.${operation}`).join(" ");

/** All failing runs, and how simple the simplest of each failure is. */
async function everyFailure(
  attempts: Attempts,
): Promise<{ readonly failing: readonly Attempted[]; readonly least: ReadonlyMap<string, Simplicity> }> {
  const failing: Attempted[] = [];
  const least = new Map<string, Simplicity>();
  for await (const run of attempts.everyRun()) {
    if (run.end === "passed") continue;
    failing.push(run);
    const known = least.get(run.end);
    if (known === undefined || isSimpler(simplicity(run), known)) least.set(run.end, simplicity(run));
  }
  return { failing, least };
}

/** Some of them, spread over all. */
const someOf = <T>(all: readonly T[], count: number): readonly T[] =>
  all.length <= count ? all : Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)] as T);

describe("the shapes of depth 3, from 50 failing orders each, end at the fewest switches that still fail", () => {
  test.each([
    // Main runs at both ends, and six tasks take five switches at least. Nested, t0 must stop in its middle for t1, and no other can be saved.
    ["nested", nested(6, 5), 2 + 6],
    ["spread", spread(6, 5), 2 + 5],
    ["run ahead", runAhead(6, 5), 2 + 5],
  ])("%s", async (_name, program, fewest) => {
    const attempts = attemptsOf(program, false);
    for (let seed = 0; seed < 50; seed++) {
      const first = await attempts.failure(seed);
      const { run } = await minimise(first, attempts.again(first), { maxReruns: 100 });
      expect(simplicity(run).switches).toBe(fewest);
      expect(run.end).toBe(first.end);
    }
  });
});

describe("the result is the simplest of all failing runs, found by running all", () => {
  const small = [
    counter(2, 1),
    counter(3, 1),
    counter(2, 2),
    reorder(3),
    twostage(),
    deadlock01(),
    lateRead(5),
    nested(3, 3),
    spread(4, 2),
    runAhead(4, 2),
  ];
  test.each(
    small.flatMap((program) =>
      [false, true].map((isTracked) => [program.name, isTracked ? "tracked" : "not tracked", program, isTracked] as const),
    ),
  )("%s, %s", async (_name, _tracked, program, isTracked) => {
    const attempts = attemptsOf(program, isTracked);
    const { failing, least } = await everyFailure(attempts);
    for (const first of someOf(failing, 10)) {
      const { run, reruns } = await minimise(first, attempts.again(first));
      expect({ ...simplicity(run), ioLatencyMs: 10 }).toEqual(least.get(first.end));
      expect(reruns).toBeLessThan(60);
    }
  });

  const gates: Readonly<Record<string, (world: World) => Promise<void>>> = {
    "two completions in the wrong order": async ({ io }) => {
      const seen: string[] = [];
      await Promise.all(["a", "b", "c", "d"].map(async (name) => seen.push(await io(name, name))));
      if (seen.indexOf("d") < seen.indexOf("a") && seen.indexOf("c") < seen.indexOf("b")) throw new Error("out of order");
    },
    "a timeout before an answer": async ({ io, sleep, createTask }) => {
      let isLate = false;
      const timer = createTask(async () => {
        await sleep(5);
        isLate = true;
      });
      await Promise.all([io("x"), io("y")]);
      if (isLate) throw new Error("late");
      await timer;
    },
    "two answers in one step": async ({ io }) => {
      let turn = 0;
      const seen: number[] = [];
      const ask = async (name: string): Promise<void> => {
        await io(name);
        seen.push(turn);
        await null;
        turn++;
      };
      await Promise.all(["a", "b", "c"].map(ask));
      if (new Set(seen).size === 2) throw new Error("two at once");
    },
    "labels that the clock and a batch have": async ({ io }) => {
      const seen: string[] = [];
      await Promise.all(["a", "clock", "settle"].map(async (name) => seen.push(await io(name, name))));
      if (seen.indexOf("settle") < seen.indexOf("a")) throw new Error("out of order");
    },
    "tasks and gates": async ({ io, sleep, gather, createTask }) => {
      let total = 0;
      const one = async (): Promise<void> => {
        await sleep(0);
        await io("get");
        const before = total;
        await sleep(0);
        total = before + 1;
      };
      const two = async (): Promise<void> => {
        await io("put");
        await sleep(0);
        const before = total;
        await io("ack");
        total = before + 1;
      };
      await gather(createTask(one, { name: "one" }), createTask(two, { name: "two" }));
      if (total !== 2) throw new Error("lost");
    },
  };
  test.each(Object.entries(gates))("%s", async (_name, program) => {
    const attempts = new Attempts(program);
    const { failing, least } = await everyFailure(attempts);
    for (const first of someOf(failing, 12)) {
      const { run } = await minimise(first, attempts.again(first));
      expect({ ...simplicity(run), ioLatencyMs: 10 }).toEqual(least.get(first.end));
    }
  });

  test("random programs of cells and locks", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const program = randomProgram(seed);
      const counts = new Map<string, number>();
      for await (const { result } of runsOf(program)) counts.set(result, (counts.get(result) ?? 0) + 1);
      const [rarest] = [...counts].sort(([, a], [, b]) => a - b)[0] ?? [""];
      const attempts = new Attempts((world) => program(world, (result) => result === rarest));
      const { failing, least } = await everyFailure(attempts);
      for (const first of someOf(failing, 3)) {
        const { run } = await minimise(first, attempts.again(first));
        expect({ ...simplicity(run), ioLatencyMs: 10 }).toEqual(least.get(first.end));
      }
    }
  });
});

type RandomProgram = (world: World, isWrong: (result: string) => boolean) => Promise<void>;

/** Two or three tasks that read, write and lock at random, with conditions among it; what it ends with depends on the order. */
function randomProgram(seed: number): RandomProgram {
  const random = new Random(seed);
  const bodies = Array.from({ length: 2 + (seed % 2) }, () =>
    Array.from({ length: 2 + random.below(2) }, () => ({ act: random.below(5), cell: random.below(2), other: random.below(2) })),
  );
  return async ({ gather, createTask, sleep }, isWrong) => {
    const cells = [0, 0];
    const locks = [new Lock(), new Lock()] as const;
    const results = await gather(
      bodies.map((body, task) =>
        createTask(
          async () => {
            let value = task + 1;
            const held = new Set<Lock>();
            for (const { act, cell, other } of body) {
              const lock = cell === 0 ? locks[0] : locks[1];
              const found = cells[cell] ?? 0;
              await sleep(0);
              if (act === 0) value = found;
              else if (act === 1) cells[cell] = value + task;
              else if (act === 2 && found === 0) {
                await sleep(0);
                cells[other] = 7 + task;
              } else if (act === 3 && !held.has(lock)) {
                await lock.acquire();
                held.add(lock);
              } else if (act === 4) cells[other] = (cells[other] ?? 0) + 1;
            }
            for (const lock of held) lock.release();
            return value;
          },
          { name: `t${task}` },
        ),
      ),
    );
    const result = [...results, ...cells].join(" ");
    if (isWrong(result)) throw new Error("wrong");
  };
}

async function* runsOf(program: RandomProgram): AsyncGenerator<{ readonly result: string }> {
  let result = "deadlock";
  const attempts = new Attempts((world) => {
    result = "deadlock";
    return program(world, (ended) => {
      result = ended;
      return false;
    });
  });
  for await (const { end } of attempts.everyRun()) yield { result: end === "passed" ? result : end };
}

test("the latency bound ends at the lowest under which the failure is still there", async () => {
  const attempts = new Attempts(async ({ io, sleep, createTask }) => {
    let isLate = false;
    const timer = createTask(async () => {
      await sleep(7);
      isLate = true;
    });
    await io("answer");
    if (isLate) throw new Error("late");
    await timer;
  });
  const first = await attempts.failure(1);
  const { run } = await minimise(first, attempts.again(first));
  expect(simplicity(run)).toMatchObject({ departures: 1, ioLatencyMs: 7 });
});

test("every run that is kept fails in the same way and is strictly simpler than the one before", async () => {
  const attempts = attemptsOf(nested(6, 5), false);
  for (let seed = 0; seed < 5; seed++) {
    const first = await attempts.failure(seed);
    const again = attempts.again(first);
    const kept: Simplicity[] = [simplicity(first)];
    const { run } = await minimise(
      first,
      async (strategy, ioLatencyMs) => {
        const found = await again(strategy, ioLatencyMs);
        if (found !== undefined && isSimpler(simplicity(found), kept.at(-1) as Simplicity)) kept.push(simplicity(found));
        return found;
      },
      { maxReruns: 200 },
    );
    expect(simplicity(run)).toEqual(kept.at(-1));
    expect(kept.length).toBeGreaterThan(1);
  }
});

test("it is bounded by a number of reruns and by whoever asks, and answers the best so far", async () => {
  const attempts = attemptsOf(nested(6, 5), false);
  const first = await attempts.failure(3);
  let fewest = simplicity(first);
  for (const maxReruns of [0, 1, 5, 40]) {
    attempts.count = 0;
    const { run, reruns } = await minimise(first, attempts.again(first), { maxReruns });
    expect(reruns).toBe(attempts.count);
    expect(reruns).toBeLessThanOrEqual(maxReruns);
    expect(isSimpler(fewest, simplicity(run))).toBe(false);
    fewest = simplicity(run);
  }
  let asked = 0;
  const { reruns } = await minimise(first, attempts.again(first), { isOver: () => ++asked > 10 });
  expect(reruns).toBeLessThanOrEqual(10);
});

test("a run that fails in no simpler way is answered itself", async () => {
  const attempts = attemptsOf(nested(6, 5), false);
  const first = await attempts.failure(7);
  const { run } = await minimise(first, () => Promise.resolve(undefined), { maxReruns: 50 });
  expect(run).toBe(first);
});

test("the same run is made small in the same way, each time", async () => {
  const attempts = attemptsOf(reorder(3), true);
  const first = await attempts.failure(3);
  const [one, other] = [await minimise(first, attempts.again(first)), await minimise(first, attempts.again(first))];
  expect(orderOf(one.run)).toBe(orderOf(other.run));
  expect(one.reruns).toBe(other.reruns);
});

test("another failure than the first is not slipped into", async () => {
  // Two defects: one shows whenever a comes first, the other needs an interruption. The first is simpler by far.
  const attempts = new Attempts(async ({ gather, createTask, sleep }) => {
    const order: string[] = [];
    const task = (name: string) =>
      createTask(
        async () => {
          order.push(name);
          await sleep(0);
          order.push(name);
        },
        { name },
      );
    await gather(task("a"), task("b"));
    if (order.join("") === "abba") throw new Error("torn");
    if (order.join("") === "aabb") throw new Error("a was first");
  });
  const { failing } = await everyFailure(attempts);
  for (const first of failing) {
    const { run } = await minimise(first, attempts.again(first));
    expect(orderOf(run)).toBe(first.end === "error: Error: torn" ? "main.1 a.1 b.1 b.2 a.2 main.2" : "main.1 a.1 a.2 b.1 b.2 main.2");
  }
});

describe("where steps are tracked", () => {
  /** Six tasks that share nothing take turns, and one fact: the first before the last. */
  const apart: (world: World) => Promise<void> = async ({ gather, createTask, sleep, shared }) => {
    const data = shared({ isSet: false, isSeen: false, cells: [0, 0, 0, 0] });
    const idle = (cell: number) => async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn++) {
        data.cells[cell] = turn;
        await sleep(0);
      }
    };
    const set = async (): Promise<void> => {
      await sleep(0);
      await sleep(0);
      data.isSet = true;
    };
    const see = async (): Promise<void> => {
      await sleep(0);
      data.isSeen = data.isSet;
    };
    const bodies = [set, see, ...[0, 1, 2, 3].map(idle)];
    await gather(bodies.map((body, index) => createTask(body, { name: `t${index}` })));
    if (data.isSeen) throw new Error("seen");
  };

  test("independent steps are put in order without a rerun, and one confirms it", async () => {
    const attempts = new Attempts(apart, { isTracked: true });
    for (let seed = 0; seed < 10; seed++) {
      const first = await attempts.failure(seed);
      // The first rerun is that without any order.
      const { run } = await minimise(first, attempts.again(first), { maxReruns: 2 });
      expect(simplicity(run).switches).toBe(7);
    }
  });

  test("footprints that do not tell everything are found out", async () => {
    let hidden = false;
    const attempts = new Attempts(
      async (world) => {
        hidden = false;
        const { gather, createTask, sleep, shared } = world;
        const data = shared({ told: [0, 0] });
        let wasHidden = false;
        const hides = async (): Promise<void> => {
          data.told[0] = 1;
          await sleep(0);
          data.told[0] = 2;
          hidden = true;
          await sleep(0);
          data.told[0] = 3;
          hidden = false;
        };
        const finds = async (): Promise<void> => {
          data.told[1] = 1;
          await sleep(0);
          data.told[1] = 2;
          wasHidden = hidden;
        };
        await gather(createTask(hides, { name: "hides" }), createTask(finds, { name: "finds" }));
        if (wasHidden) throw new Error("found");
      },
      { isTracked: true },
    );
    const { failing, least } = await everyFailure(attempts);
    for (const first of failing) {
      const { run } = await minimise(first, attempts.again(first));
      expect({ ...simplicity(run), ioLatencyMs: 10 }).toEqual(least.get(first.end));
    }
  });

  test("tasks are known by their lineage, where their names depend on the order", async () => {
    // Three parents, each with a child without a name: which child is Task-5 depends on which parent ran first.
    const attempts = new Attempts(
      async ({ gather, createTask, sleep, shared }) => {
        const data = shared({ order: "" });
        const parent = (name: string) => async (): Promise<void> => {
          const child = createTask(async () => {
            await sleep(0);
            data.order += name;
            await sleep(0);
            data.order += name;
          });
          await child;
        };
        await gather(parent("a"), parent("b"), parent("c"));
        if (data.order === "cbbaac") throw new Error("nested");
      },
      { isTracked: true },
    );
    for (let seed = 0; seed < 5; seed++) {
      const first = await attempts.failure(seed);
      const { run } = await minimise(first, attempts.again(first), { maxReruns: 200 });
      const switches = simplicity(first).switches;
      expect(simplicity(run).switches).toBeLessThanOrEqual(Math.min(switches, 11));
    }
  });
});

test("without decisions, as a run of names alone, it is made small all the same", async () => {
  const attempts = attemptsOf(nested(3, 3), false);
  const first = await attempts.failure(5);
  const again = attempts.again(first);
  const namesOf = (run: FailingRun | undefined): FailingRun | undefined =>
    run && { steps: run.steps.map(({ name, operation }) => ({ name, operation })) };
  const { run } = await minimise(namesOf(first) as FailingRun, async (strategy) => namesOf(await again(strategy)));
  expect(simplicity(run).switches).toBe(5);
});

test("what does not have to run before the failure ends the run is left out", async () => {
  const attempts = new Attempts(async ({ gather, createTask, sleep, invariant }) => {
    let [low, high] = [0, 0];
    invariant(() => low <= high);
    const idle = async (): Promise<void> => {
      for (let turn = 0; turn < 4; turn++) await sleep(0);
    };
    const raise = async (): Promise<void> => {
      await sleep(0);
      high = 1;
    };
    const follow = async (): Promise<void> => {
      await sleep(0);
      low = 1;
    };
    await gather([idle, raise, follow, idle].map((body, index) => createTask(body, { name: `t${index}` })));
  });
  for (let seed = 0; seed < 5; seed++) {
    const first = await attempts.failure(seed);
    const { run } = await minimise(first, attempts.again(first));
    expect(run.end).toBe("invariant");
    expect(orderOf(run)).toBe("main.1 t2.1 t2.2");
  }
});

test("a task that polls is not let go on for ever", async () => {
  const attempts = new Attempts(
    async ({ gather, createTask, sleep }) => {
      let isReady = false;
      let turns = 0;
      const poll = async (): Promise<void> => {
        for (; !isReady; turns++) await sleep(0);
      };
      const tell = async (): Promise<void> => {
        for (let turn = 0; turn < 3; turn++) await sleep(0);
        isReady = true;
      };
      await gather(createTask(poll, { name: "poll" }), createTask(tell, { name: "tell" }));
      if (turns > 1) throw new Error("polled twice");
    },
    { maxSteps: 10_000 },
  );
  const first = await attempts.failure(2);
  let longest = 0;
  const { run } = await minimise(first, async (strategy) => {
    const found = await attempts.run(strategy);
    longest = Math.max(longest, found.steps.length);
    return found.end === first.end ? found : undefined;
  });
  expect(orderOf(run)).toBe("main.1 poll.1 poll.2 tell.1 tell.2 tell.3 tell.4 poll.3 main.2");
  expect(longest).toBeLessThan(2_000);
});
