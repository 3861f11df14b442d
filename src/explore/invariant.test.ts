/** What a scenario says must hold after every step. */
import { expect, test } from "vitest";
import { sleep } from "../loop/sleep.js";
import type { Strategy } from "../schedule/strategy.js";
import { explore, replay } from "./explore.js";
import type { Scenario } from "./scenario-run.js";

/** Moves an amount in two steps, between which it is nowhere; at the end all is well again. */
const transfer =
  (check: (total: number) => unknown): Scenario =>
  async ({ invariant, gather }) => {
    const [from, to] = [{ balance: 5 }, { balance: 0 }];
    invariant(() => check(from.balance + to.balance));
    await gather(async () => {
      from.balance -= 5;
      await sleep(0);
      to.balance += 5;
    });
  };

test("an invariant that throws between two steps fails the run with what it throws, and comes back from its token", async () => {
  const scenario = transfer((total) => {
    if (total !== 5) throw new Error(`${total} in all`);
  });
  const { failure } = await explore(scenario, { seed: 7 });
  expect(failure).toMatchObject({ kind: "invariant", run: 0, error: new Error("0 in all") });
  expect((await replay(scenario, failure!.schedule)).failure).toMatchObject({ kind: "invariant", trace: failure!.trace });
});

test("one that answers false does, too, and one that holds does not", async () => {
  const broken = await explore(
    transfer((total) => total === 5),
    { seed: 7 },
  );
  expect(broken.failure).toMatchObject({ kind: "invariant", error: { name: "InvariantError", code: "HEDDLE_INVARIANT" } });
  expect(
    await explore(
      transfer((total) => total <= 5),
      { seed: 7, runs: 20 },
    ),
  ).toMatchObject({ status: "passed", runs: 20 });
});

test("one that answers with a promise is a mistake, and said to be one", async () => {
  const { failure } = await explore(
    transfer(() => Promise.resolve(true)),
    { seed: 7 },
  );
  expect(String(failure?.error)).toContain("must answer at once");
});

test("who is never run although it is ready is starved, where the strategy is left alone, and is not where it is made fair", async () => {
  const unfair: Strategy = { name: "unfair", begin: () => true, pick: ({ ready }) => ready.findIndex(({ name }) => name !== "patient") };
  const scenario: Scenario = async ({ gather, createTask }) => {
    let isOver = false;
    const poll = async (): Promise<void> => {
      while (!isOver) await sleep(0);
    };
    const patient = async (): Promise<void> => {
      isOver = true;
    };
    await gather(poll, poll, createTask(patient, { name: "patient" }));
  };
  const options = { seed: 7, runs: 1, maxSteps: 2_000, strategy: unfair };
  const alone = await explore(scenario, { ...options, starvationBound: Number.POSITIVE_INFINITY });
  expect(alone.failure).toMatchObject({ kind: "starvation", error: { starved: ["patient"] } });
  expect(await explore(scenario, options)).toMatchObject({ status: "passed" });
});
