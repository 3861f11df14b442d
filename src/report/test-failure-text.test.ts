import { expect, test } from "vitest";
import { explore } from "../explore/explore.js";
import type { ExploreFailure } from "../explore/outcome.js";
import type { Scenario } from "../explore/scenario-run.js";
import { placesThatMatter } from "./places.js";
import { renderTestFailure, type TestFailureText } from "./test-failure-text.js";

const here = "src/report/test-failure-text.test.ts";

/** Both read the balance before either writes it. */
const lostUpdate: Scenario = async ({ io }) => {
  let balance = 100;
  const withdraw = async (amount: number): Promise<void> => {
    const before = balance;
    await io(`withdraw ${amount}`);
    balance = before - amount;
  };
  await Promise.all([withdraw(10), withdraw(20)]);
  if (balance !== 70) throw new Error(`the balance is ${balance}`);
};

async function failureOf(scenario: Scenario): Promise<ExploreFailure> {
  const { failure } = await explore(scenario, { seed: 7 });
  if (failure === undefined) throw new Error("the scenario passed");
  return failure;
}

const textOf = (failure: ExploreFailure, more: Partial<TestFailureText> = {}): string =>
  renderTestFailure({
    failure,
    found: "run 3",
    testFile: "test/other.test.ts",
    readSource: () => undefined,
    replay: "npx heddle replay it",
    ...more,
  });

test("says what happens when, where it matters, how it was found, and how to see it again", async () => {
  const text = textOf(await failureOf(lostUpdate), {
    readSource: (file) => (file === here ? "\n".repeat(14) + "    await io();" : undefined),
  });
  expect(text.replaceAll(/:\d+:\d+/g, ":L:C")).toMatchInlineSnapshot(`
    "the smallest that was found to fail, one column a task:

            main                               withdraw 10  withdraw 20
      t=0   begin
                                               settles
                                                            settles
            finish ! Error: the balance is 80

    Where that is:
      src/report/test-failure-text.test.ts:L:C  io withdraw 10, io withdraw 20
          14 |
        > 15 |     await io();
             |           ^

    Found in run 3.
    Replay it: npx heddle replay it"
  `);
});

test("names the drawn values, those of the first failure where they differ, and what was not under control", async () => {
  const failure = await failureOf(lostUpdate);
  const text = textOf(failure, {
    values: { smallest: "[1]", first: "[9, 8]" },
    uncontrolled: { task: "main", step: 2, timeMs: 0, site: "src/load.ts:3:4", resource: "FSReqPromise" },
  });
  expect(text).toContain("The values:  [1]\n  at first:  [9, 8]\n");
  expect(text).toContain(
    "Not all was under control: main waited at src/load.ts:3:4 for FSReqPromise outside of the loop, so a replay is not promised.",
  );
  expect(textOf(failure, { values: { smallest: "[1]", first: "[1]" } })).not.toContain("at first:  [1]");
});

test("of a failure without a trace it says that no step is known", async () => {
  const { about: _about, ...failure } = await failureOf(lostUpdate);
  expect(textOf({ ...failure, about: undefined, trace: [], ioSites: {}, explanation: [], slowestIoMs: 25 })).toMatch(
    /^no step of it is known\.\n\nFound in run 3\.\n(?:Made small.*\n)?The slowest I\/O takes 25 ms of virtual time in it\.\nReplay it: npx heddle replay it$/,
  );
});

test("I/O stands where the code under test asks for it, and not where the test's adapter does", async () => {
  const failure = await failureOf(lostUpdate);
  const ioSites = Object.fromEntries(
    Object.keys(failure.ioSites ?? {}).map((gate) => [gate, ["test/bank.test.ts:3:4", "src/bank.ts:12:7"]]),
  );
  const trace = failure.trace.map(({ site: _site, ...event }) => event);
  expect(placesThatMatter({ ...failure, ioSites, trace }, "test/bank.test.ts")[0]?.site).toBe("src/bank.ts:12:7");
  expect(placesThatMatter({ ...failure, ioSites, trace }, "test/other.test.ts")[0]?.site).toBe("test/bank.test.ts:3:4");
  // Where nothing is known of what matters it is the last steps.
  expect(placesThatMatter({ ...failure, about: undefined, ioSites, trace }).length).toBeGreaterThan(0);
});

test("a deadlock stands where its tasks wait", async () => {
  const failure = await failureOf(async ({ createFuture }) => {
    await createFuture("never");
  });
  expect(placesThatMatter(failure, here)).toEqual([
    { site: expect.stringMatching(/test-failure-text\.test\.ts:\d+:\d+$/) as string, steps: ["main waits"] },
  ]);
});
