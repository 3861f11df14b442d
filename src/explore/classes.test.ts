/**
 * Which orders are equivalent, told from outside: every schedule is run, and the classes are counted by their hashes.
 */
import { describe, expect, test } from "vitest";
import { asCompleted } from "../combine/as-completed.js";
import { gather } from "../combine/gather.js";
import { taskGroup } from "../combine/task-group.js";
import { wait } from "../combine/wait.js";
import { createTask } from "../loop/create-task.js";
import { noteMade, noteRead, noteWrite } from "../loop/footprint.js";
import { sleep } from "../loop/sleep.js";
import { exhaustive } from "../strategy/exhaustive.js";
import { explore } from "./explore.js";
import type { ExploreOptions } from "./options.js";
import type { Outcome } from "./outcome.js";
import type { Scenario } from "./scenario-run.js";

/** A shared number that tells who reads and writes it. */
class Cell {
  #value: number;

  constructor(value = 0) {
    this.#value = value;
    noteMade(this);
  }

  get value(): number {
    noteRead(this);
    return this.#value;
  }

  set value(value: number) {
    noteWrite(this);
    this.#value = value;
  }
}

/** Every schedule, and how many classes they fall into. */
async function all(scenario: Scenario, options: ExploreOptions = {}): Promise<Outcome> {
  const sharing: Scenario = (env) => {
    expect(env.shared).toBeTypeOf("function"); // whoever asks for it has his steps tracked
    return scenario(env);
  };
  return await explore(sharing, { seed: 7, strategy: exhaustive(), stopOnFailure: false, minimise: false, ...options });
}

const countsOf = async (scenario: Scenario, options?: ExploreOptions) => {
  const { runs, classes, complete, untracked } = await all(scenario, options);
  expect(complete).toBe(true);
  return { runs, classes, untracked };
};

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await sleep(0);
};

describe("the classes of", () => {
  test.each([
    [2, 6, 4],
    [3, 90, 36],
  ])("%i tasks that each read and then write one number", async (tasks, runs, classes) => {
    const counter: Scenario = async () => {
      const total = new Cell();
      const worker = async (): Promise<void> => {
        const before = total.value;
        await sleep(0);
        total.value = before + 1;
      };
      await gather(Array.from({ length: tasks }, () => worker));
    };
    expect(await countsOf(counter)).toEqual({ runs, classes, untracked: undefined });
  });

  test.each([1, 2, 3, 4])("a writer and %i readers are one for each set of readers that come before it", async (readers) => {
    const scenario: Scenario = async () => {
      const x = new Cell();
      const write = async (): Promise<void> => {
        x.value = 1;
      };
      const read = async (): Promise<number> => x.value;
      await gather([write, ...Array.from({ length: readers }, () => read)]);
    };
    expect((await countsOf(scenario)).classes).toBe(2 ** readers);
  });

  test("tasks that share nothing are one", async () => {
    const scenario: Scenario = async () => {
      const cells = [new Cell(), new Cell(), new Cell()];
      await gather(
        cells.map((cell) => async () => {
          cell.value = 1;
          await sleep(0);
          cell.value = 2;
        }),
      );
    };
    expect(await countsOf(scenario)).toEqual({ runs: 90, classes: 1, untracked: undefined });
  });

  test("steps that tell nothing are as many as the schedules, because they may do anything", async () => {
    const silent: Scenario = async () => {
      await gather(
        () => turns(2),
        () => turns(2),
      );
    };
    expect(await countsOf(silent)).toEqual({ runs: 20, classes: 20, untracked: "Task-2@1" });
  });

  test("the same steps are one where the scenario says that it tells everything", async () => {
    const silent: Scenario = async () => {
      await gather(
        () => turns(2),
        () => turns(2),
      );
    };
    expect(await countsOf(silent, { tracked: true })).toEqual({ runs: 20, classes: 1, untracked: undefined });
  });
});

describe("where steps tell everything, the classes", () => {
  const tracked = { tracked: true };

  test("of a future that one completes and one awaits are two: it waits, or it need not", async () => {
    const scenario: Scenario = async ({ createFuture }) => {
      const future = createFuture<number>();
      await gather(
        async () => {
          future.setResult(1);
        },
        async () => {
          await future;
        },
      );
    };
    expect((await countsOf(scenario, tracked)).classes).toBe(2);
  });

  test("of a gather do not count the order in which its children are done", async () => {
    const scenario: Scenario = async () => {
      await gather(...[1, 2, 3].map((count) => () => turns(count)));
    };
    expect((await countsOf(scenario, tracked)).classes).toBe(1);
  });

  test("of a gather whose children fail count which of them is the first", async () => {
    const scenario: Scenario = async () => {
      const fail = (name: string) => async () => {
        await sleep(0);
        throw new Error(name);
      };
      try {
        await gather(fail("a"), fail("b"));
      } catch {
        // one of them
      }
    };
    expect((await countsOf(scenario, tracked)).classes).toBeGreaterThanOrEqual(2);
  });

  test("of asCompleted, of a task group and of wait for the first count who is done first", async () => {
    const first: Scenario = async () => {
      await wait(
        [() => turns(1), () => turns(1)].map((body) => createTask(body)),
        { returnWhen: "FIRST_COMPLETED" },
      );
    };
    const inOrder: Scenario = async () => {
      const results: unknown[] = [];
      for await (const result of asCompleted([() => turns(1), () => turns(1)])) results.push(result);
    };
    const group: Scenario = async () => {
      await taskGroup(async (tasks) => {
        tasks.createTask(() => turns(1));
        tasks.createTask(() => turns(1));
      });
    };
    for (const scenario of [first, inOrder, group]) expect((await countsOf(scenario, tracked)).classes).toBeGreaterThanOrEqual(2);
  });

  test("of a cancellation count every step of the task that it may come before", async () => {
    const scenario: Scenario = async () => {
      const doomed = createTask(() => turns(2));
      await gather([async () => doomed.cancel(), doomed], { returnExceptions: true });
    };
    // Before its first step, before its second, before its third, and after its end.
    expect((await countsOf(scenario, tracked)).classes).toBe(4);
  });

  test("of sleeps count nothing, because time keeps them in order", async () => {
    const scenario: Scenario = async () => {
      await gather(
        () => sleep(1),
        () => sleep(2),
        () => sleep(3),
      );
    };
    expect((await countsOf(scenario, tracked)).classes).toBe(1);
  });

  test("under an invariant that reads two numbers count the order in which those are written", async () => {
    const scenario =
      (isWatched: boolean): Scenario =>
      async ({ invariant }) => {
        const [a, b] = [new Cell(), new Cell()];
        if (isWatched) invariant(() => a.value + b.value < 5);
        await gather(
          async () => {
            a.value = 1;
          },
          async () => {
            b.value = 1;
          },
        );
      };
    expect((await countsOf(scenario(false), tracked)).classes).toBe(1);
    expect((await countsOf(scenario(true), tracked)).classes).toBe(2);
  });
});

test("pairs of dependent steps are counted in one order, and in both", async () => {
  const scenario: Scenario = async () => {
    const x = new Cell();
    const write = async (): Promise<void> => {
      x.value = 1;
    };
    await gather(write, write, async () => undefined);
    x.value = 2;
  };
  const { coverage } = await all(scenario, { tracked: true });
  // The two writes. All else, as main before them and after them, comes in one order.
  expect(coverage.pairs?.bothWays).toBe(1);
  expect(coverage.pairs?.seen).toBeGreaterThan(3);
});
