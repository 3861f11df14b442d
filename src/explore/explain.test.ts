import { describe, expect, test } from "vitest";
import { type Attempted, Attempts, type World } from "../../fixtures/search/attempts.js";
import { counter, deadlock01, lateRead, nested, runAhead, type SearchProgram, spread, twostage } from "../../fixtures/search/programs.js";
import { type ExplainOptions, explain } from "./explain.js";
import { explanationLines } from "./explanation-text.js";
import type { Judge } from "./inquiry.js";
import { minimise } from "./minimise.js";

const judging =
  (attempts: Attempts, failing: Attempted): Judge =>
  async (strategy) => {
    const { end } = await attempts.run(strategy);
    return end === "passed" ? "passes" : end === failing.end ? "fails" : "fails otherwise";
  };

/** What the smallest order is about that a failure of the program ends at. */
async function explanationOf(
  program: (world: World) => unknown,
  { isTracked = false, seed = 1, ...options }: ExplainOptions & { isTracked?: boolean; seed?: number } = {},
) {
  const attempts = new Attempts(program, { isTracked });
  const first = await attempts.failure(seed);
  const { run } = await minimise(first, attempts.again(first), { maxReruns: 200 });
  const { tracker } = attempts;
  const describeLocation = tracker && ((location: number): string => tracker.describeLocation(location));
  const explanation = await explain(run, judging(attempts, run), { error: run.error, describeLocation, ...options });
  return { run, explanation, lines: explanationLines(explanation) };
}

const tracked = ({ scenario }: SearchProgram) => scenario as (world: World) => unknown;
const untracked = (program: SearchProgram) => program.untracked as (world: World) => unknown;

describe("the pairs are the facts that the failure hangs on", () => {
  test.each([false, true])("nested, tracked %s", async (isTracked) => {
    const program = nested(6, 5);
    for (const seed of [1, 2, 3]) {
      const { lines } = await explanationOf(isTracked ? tracked(program) : untracked(program), { isTracked, seed });
      expect(lines.map((line) => line.replace(/ \(both .*/, "")).toSorted()).toEqual([
        expect.stringMatching(/^atomicity violation: t1 step \d comes between t0 step 2 and t0 step 3, which belong together$/),
        "passes if t0 step 2 runs after t1 step 2",
        "passes if t1 step 4 runs after t0 step 3",
        "passes if t2 step 5 runs after t0 step 2",
      ]);
    }
  });

  test("spread", async () => {
    const { lines } = await explanationOf(untracked(spread(6, 5)));
    expect(lines).toEqual([
      "order violation: t0 step 3 runs before t1 step 3",
      "passes if t0 step 3 runs after t1 step 3",
      "passes if t1 step 3 runs after t2 step 3",
      "passes if t2 step 3 runs after t3 step 3",
    ]);
  });

  test("run ahead", async () => {
    const { lines } = await explanationOf(untracked(runAhead(6, 5)));
    expect(lines.slice(1)).toEqual([
      "passes if t0 step 5 runs after t1 step 1",
      "passes if t1 step 5 runs after t2 step 1",
      "passes if t2 step 5 runs after t3 step 1",
    ]);
  });

  test("of two stages of locks", async () => {
    const { lines } = await explanationOf(untracked(twostage()));
    expect(lines).toEqual(["order violation: t1 step 4 runs before t0 step 4", "passes if t1 step 4 runs after t0 step 4"]);
  });

  test("of completions, batches and timeouts", async () => {
    const inOrder = await explanationOf(async ({ io }) => {
      const seen: string[] = [];
      await Promise.all(["a", "b", "c", "c"].map(async (name, index) => seen.push(await io(name, `${name}${index}`))));
      if (seen.indexOf("c3") < seen.indexOf("a0")) throw new Error("out of order");
    });
    expect(inOrder.lines).toEqual(["order violation: io c (call 2) runs before io a", "passes if io c (call 2) runs after io a"]);

    const batch = await explanationOf(async ({ io }) => {
      let [turn, together] = [0, 0];
      const ask = async (name: string): Promise<void> => {
        await io(name);
        const now = turn;
        await null;
        if (now === turn) turn++;
        else together++;
      };
      await Promise.all(["a", "b"].map(ask));
      if (together > 0) throw new Error("two at once");
    });
    expect(batch.lines).toEqual(["passes if io a and io b settle one by one"]);

    const timeout = await explanationOf(async ({ io, sleep, createTask }) => {
      let isLate = false;
      const timer = createTask(
        async () => {
          await sleep(5);
          isLate = true;
        },
        { name: "timer" },
      );
      await io("answer");
      if (isLate) throw new Error("late");
      await timer;
    });
    expect(timeout.lines).toContain("passes if io answer settles before time passes");
  });
});

describe("the pattern", () => {
  test("is a lost update where a task writes over what another one has written", async () => {
    const { explanation, lines } = await explanationOf(tracked(counter(2, 1)), { isTracked: true });
    expect(explanation.pattern?.kind).toBe("lost update");
    expect(lines).toEqual([
      "lost update of c: t0 step 1 reads it, t1 step 2 writes it, and t0 step 2 writes over that",
      "passes if t0 step 1 runs after t1 step 2 (both touch c)",
      "passes if t1 step 1 runs after t0 step 2 (both touch c)",
    ]);
  });

  test("is an atomicity violation where it is not known what the steps touch", async () => {
    const { lines } = await explanationOf(untracked(counter(2, 1)));
    expect(lines[0]).toBe("atomicity violation: t1 step 2 comes between t0 step 1 and t0 step 2, which belong together");
  });

  test("is check-then-act where a task acts on what has changed since", async () => {
    const { lines } = await explanationOf(
      async ({ gather, createTask, sleep, shared }) => {
        const door = shared({ open: true, entered: 0, enteredClosed: 0 });
        const enter = async (): Promise<void> => {
          if (!door.open) return;
          await sleep(0);
          door.entered = 1;
        };
        const shut = async (): Promise<void> => {
          door.open = false;
          await sleep(0);
          if (door.entered === 0) door.enteredClosed = 1;
        };
        await gather(createTask(enter, { name: "enter" }), createTask(shut, { name: "shut" }));
        if (door.enteredClosed === 1 && door.entered === 1) throw new Error("entered a shut door");
      },
      { isTracked: true },
    );
    expect(lines[0]).toBe(
      "check-then-act on open: enter step 1 reads it, shut step 1 changes it, and enter step 2 acts on what was read before",
    );
  });

  test("is use after close where the step says so, also if it takes all that follows to mend it", async () => {
    const { explanation, lines } = await explanationOf(
      async ({ gather, createTask, sleep, shared }) => {
        const stream = shared({ closed: false, written: 0 });
        const close = async (): Promise<void> => {
          await sleep(0);
          stream.closed = true;
        };
        const write = async (): Promise<void> => {
          for (let chunk = 0; chunk < 3; chunk++) {
            await sleep(0);
            if (stream.closed) throw new Error("write after the end");
            stream.written++;
          }
        };
        await gather(createTask(close, { name: "closer" }), createTask(write, { name: "writer" }));
      },
      { isTracked: true },
    );
    expect(explanation.pairs).toMatchObject([{ toItsEnd: true, swapped: "passes", location: "closed" }]);
    expect(lines).toEqual([
      "use after close: writer step 2 runs after closer step 2, which writes closed",
      "passes if closer step 2 runs after writer step 2 and all that follows it (both touch closed)",
    ]);
  });

  test("is an order violation where one step comes too early", async () => {
    const { lines } = await explanationOf(tracked(lateRead(3)), { isTracked: true });
    expect(lines).toEqual([
      "order violation: t0 step 4 runs before t1 step 1 (both touch x)",
      "passes if t0 step 4 runs after t1 step 1 (both touch x)",
    ]);
  });

  test("is the circle of a deadlock, with who holds what", async () => {
    const { lines } = await explanationOf(untracked(deadlock01()));
    expect(lines).toEqual([
      "deadlock cycle: t1 waits for lock, held by t0, which waits for lock, held by t1",
      "passes if t1 step 1 runs after t0 step 2",
      "passes if t0 step 1 runs after t1 step 2",
    ]);
  });
});

test("a swap that leads into another failure is told from one that passes, and comes later", async () => {
  const { explanation } = await explanationOf(async ({ gather, createTask, sleep }) => {
    const order: string[] = [];
    const task = (name: string) =>
      createTask(
        async () => {
          await sleep(0);
          order.push(name);
        },
        { name },
      );
    await gather(task("a"), task("b"), task("c"));
    const text = order.join("");
    if (text === "abc") throw new Error("in order");
    if (text === "acb") throw new Error("out of order");
  });
  // b and a change places: passes; c and b: another error. Either of the two errors may be the one that was found.
  expect(explanation.pairs.map(({ swapped }) => swapped)).toEqual(["passes", "fails otherwise"]);
});

test("a failure in every order has no pairs and no pattern", async () => {
  const { explanation, lines } = await explanationOf(async ({ gather, createTask, sleep }) => {
    await gather(
      createTask(() => sleep(0), { name: "a" }),
      createTask(() => sleep(0), { name: "b" }),
    );
    throw new Error("always");
  });
  expect(explanation).toMatchObject({ pairs: [], gates: [], pattern: undefined });
  expect(lines).toEqual([]);
});

test("an explanation takes a bounded number of reruns, and is the same each time", async () => {
  const attempts = new Attempts(untracked(nested(6, 5)));
  const first = await attempts.failure(1);
  const { run } = await minimise(first, attempts.again(first), { maxReruns: 100 });
  for (const maxReruns of [0, 1, 10, 100]) {
    attempts.count = 0;
    const { reruns, pairs } = await explain(run, judging(attempts, run), { maxReruns, maxPairs: 2 });
    expect(reruns).toBe(attempts.count);
    expect(reruns).toBeLessThanOrEqual(maxReruns);
    expect(pairs.length).toBeLessThanOrEqual(2);
    expect((await explain(run, judging(attempts, run), { maxReruns, maxPairs: 2 })).pairs).toEqual(pairs);
  }
  let asked = 0;
  expect((await explain(run, judging(attempts, run), { isOver: () => ++asked > 3 })).reruns).toBeLessThanOrEqual(3);
});
