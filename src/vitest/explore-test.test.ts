/**
 * `test.explore` as a user sees it: vitest runs whole projects in processes of their own, with the built package installed. The project of
 * `fixtures/vitest/project` is also run by `.ci/explore-on-all-vitests.mjs`, under vitest 5 and on newer Nodes.
 */
import { cpSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { repository, requireBuilt } from "../../fixtures/command/built-command.js";
import { makeVitestProject, runVitest, type VitestRun } from "../../fixtures/vitest/run-vitest.js";
import type { ExplorationTestMeta } from "./protocol.js";

beforeAll(requireBuilt);

/** Each starts vitest, and a machine may have much else to do. */
vi.setConfig({ testTimeout: 120_000 });

const expectedEnds = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../fixtures/vitest/project/expected.json", import.meta.url)), "utf8"),
) as readonly string[];

const bank = readFileSync(fileURLToPath(new URL("../../fixtures/vitest/project/src/bank.ts", import.meta.url)), "utf8");

/** Two tests, of which the first fails. */
const losing = `
import { expect } from "vitest";
import { test } from "heddle/vitest";
import { Bank } from "./bank.js";

test.explore("two withdrawals leave what is left", async ({ io }) => {
  const bank = new Bank(io);
  await Promise.all([bank.withdraw(10), bank.withdraw(20)]);
  expect({ balance: bank.balance }).toEqual({ balance: 70 });
}, { seed: 7 });

test.explore("one withdrawal leaves what is left", async ({ io }) => {
  const bank = new Bank(io);
  await bank.withdraw(10);
  expect(bank.balance).toBe(90);
});
`;

const endsOf = ({ tests }: VitestRun): string[] => tests.map(({ status, name }) => `${status}  ${name}`);

/** What vitest says of the failing tests, without what it says of the time. */
function failuresIn({ stderr }: VitestRun): string {
  return stderr.slice(stderr.indexOf(" FAIL "));
}

const metaOf = ({ tests }: VitestRun, name: string): ExplorationTestMeta =>
  tests.find((one) => one.name === name)?.meta["heddleExploration"] as ExplorationTestMeta;

describe("the API", () => {
  test("tests, their options, hooks, fixtures and drawn values do as in vitest", async () => {
    const run = await runVitest(makeVitestProject({}, "project"));
    expect(endsOf(run)).toEqual(expectedEnds);
    // The configuration says 40 runs, the hook of a suite 30, and a test of it 20.
    expect(metaOf(run, "not skipped by its condition")).toMatchObject({ status: "passed", runs: 40, strategy: "portfolio" });
    expect(metaOf(run, "configureExplore > goes before the configuration").runs).toBe(30);
    expect(metaOf(run, "configureExplore > and the options of a test before both").runs).toBe(20);
    expect(metaOf(run, "vitest's options stand behind the scenario").runs).toBe(7);
    expect(metaOf(run, "what is left behind is told").leaks).toEqual([
      expect.stringMatching(/^setTimeout\(1000\) at explore\.spec\.ts:\d+:5$/),
    ]);
    expect(run.stderr).toContain(
      "heddle: what is left behind is told:\nLeft behind when a run was over, and dropped:\n  setTimeout(1000) at explore.spec.ts:",
    );
    expect(failuresIn(run)).toContain("UsageError: explore: runs must be a whole number, 1 or more, not -1\n ❯ explore.spec.ts:");
  });

  test("the environment goes before all options", async () => {
    const project = makeVitestProject({}, "project");
    const run = await runVitest(project, ["-t", "configureExplore"], { HEDDLE_RUNS: "11", HEDDLE_SEED: "5", HEDDLE_STRATEGY: "pct:2" });
    expect(metaOf(run, "configureExplore > and the options of a test before both")).toMatchObject({ runs: 11, seed: 5, strategy: "pct:2" });
    const wrong = await runVitest(project, ["-t", "configureExplore"], { HEDDLE_STRATEGY: "chaos" });
    expect(failuresIn(wrong)).toContain('BadInputError: HEDDLE_STRATEGY: strategy: "chaos" is not known');
  });

  test("only some are run where a test says so", async () => {
    const tests = "test.explore.only('the one', ({ io }) => io('a')); test.explore('the other', () => { throw new Error(); });";
    const run = await runVitest(makeVitestProject({ "a.test.ts": `import { test } from "heddle/vitest"; ${tests}` }));
    expect(endsOf(run)).toEqual(["passed  the one", "skipped  the other"]);
  });

  test("mistakes are told in clear words, at the declaration", async () => {
    const project = makeVitestProject({
      "a.test.ts": `
        import { test } from "heddle/vitest";
        for (const args of [[7], [() => {}, () => {}], [() => {}, "fast"], [() => {}, { values: 0 }]]) {
          test("a mistake", () => { test.explore("x", ...args); });
        }
        for (const arbitraries of [[], {}, undefined, [7]]) {
          test("a mistake", () => { test.explore.prop(arbitraries); });
        }
        test.explore("a typing error of the configuration", () => {});
      `,
      "vitest.config.ts": "export default { test: { provide: { heddle: { run: 5 } } } };",
    });
    const { tests } = await runVitest(project);
    expect(tests.map(({ errors }) => errors[0]?.split("\n")[0])).toMatchInlineSnapshot(`
      [
        "Error: Calling the test function inside another test function is not allowed. Please put it inside "describe" or "suite" so it can be properly collected.",
        "UsageError: test.explore: takes one scenario, and got two functions",
        "UsageError: test.explore: the options must be an object, or a number of milliseconds, not "fast"",
        "UsageError: test.explore: values must be a whole number, 1 or more, not 0",
        "UsageError: test.explore.prop: needs an arbitrary; a test that draws nothing is test.explore",
        "UsageError: test.explore.prop: needs an arbitrary; a test that draws nothing is test.explore",
        "UsageError: test.explore.prop: needs a list of arbitraries, or an object of them, not undefined",
        "UsageError: test.explore.prop: arbitraries[0] must be an arbitrary of fast-check, not 7",
        "UsageError: provide.heddle: run is no option of an exploration; known are runs, seed, strategy, granularity, ioLatencyMs, maxBatch, maxSteps, starvationBound, tracked, stopOnFailure, minimise, selfCheck, timeLimitMs, idleGraceMs, hardLimitMs, seedRandom, detectLeaks, onProgress, onRun",
      ]
    `);
  });

  test("whoever draws no values needs no fast-check", async () => {
    const project = makeVitestProject({
      "a.test.ts": `
        import { test } from "heddle/vitest";
        test.explore("draws none", async ({ io }) => { await io("a"); });
        test.explore.prop([{ generate() {} }])("draws some", () => {});
      `,
    });
    // A copy, because what heddle itself has installed would be found through a link.
    rmSync(join(project, "node_modules", "heddle"));
    rmSync(join(project, "node_modules", "fast-check"));
    for (const path of ["dist", "package.json"]) {
      cpSync(join(repository, path), join(project, "node_modules", "heddle", path), { recursive: true });
    }
    for (const name of ["commander", "seedrandom", "tinypool", "valibot"]) {
      symlinkSync(join(repository, "node_modules", name), join(project, "node_modules", name), "junction");
    }
    const { tests } = await runVitest(project);
    expect(tests.map(({ status, errors }) => [status, errors[0]?.split("\n")[0]])).toEqual([
      ["passed", undefined],
      ["failed", "UsageError: values are drawn by fast-check, which is not installed: npm install --save-dev fast-check"],
    ]);
  });
});

describe("a failure", () => {
  test("reads from the assertion to the line that replays it, the same each time", async () => {
    const runs = await Promise.all([1, 2].map(() => runVitest(makeVitestProject({ "bank.test.ts": losing, "bank.ts": bank }))));
    const texts = runs.map(failuresIn);
    expect(texts[0]).toMatchInlineSnapshot(`
      " FAIL  bank.test.ts > two withdrawals leave what is left
      AssertionError: expected { balance: 80 } to deeply equal { balance: 70 }

      - Expected
      + Received

        {
      -   "balance": 70,
      +   "balance": 80,
        }

       ❯ bank.test.ts:9:37
            7|   const bank = new Bank(io);
            8|   await Promise.all([bank.withdraw(10), bank.withdraw(20)]);
            9|   expect({ balance: bank.balance }).toEqual({ balance: 70 });
             |                                     ^
           10| }, { seed: 7 });
           11|

      Caused by: the order of steps: the smallest that was found to fail, one column a task:

              main                                withdraw 10  withdraw 20
        t=0   begin
                                                  settles
                                                               settles
              finish ! AssertionError: expected…

      Where that is:
        bank.ts:12:16  io withdraw 10, io withdraw 20
            11 |     const before = this.balance;
          > 12 |     await this.#ask(\`withdraw \${amount}\`);
               |                ^
            13 |     this.balance = before - amount;

      Found in run 1, strategy portfolio, seed 7.
      Replay it: npx heddle replay reports/failures/two-withdrawals-leave-what-is-left-5d5d7689.json
      ⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[1/1]⎯

      "
    `);
    expect(texts[1]).toBe(texts[0]);
    // It is whole in reporters that print nothing but a stack, too.
    const [stack = ""] = runs[0]?.tests[0]?.errors ?? [];
    expect(stack.split("\n")[0]).toBe("AssertionError: expected { balance: 80 } to deeply equal { balance: 70 }");
    expect(stack).toContain("the smallest that was found to fail, one column a task:");
    expect(stack).toMatch(/Replay it: npx heddle replay reports\/failures\/\S+\.json\n\s+at \S*bank\.test\.ts:\d+:\d+$/m);
  });

  test("points into the test whatever was thrown", async () => {
    const project = makeVitestProject({
      "a.test.ts": `
        import assert from "node:assert/strict";
        import { test } from "heddle/vitest";
        const fail = (error) => async ({ io }) => { await io("a"); throw error; };
        test.explore("a text", fail("no error at all"));
        test.explore("nothing", fail(undefined));
        test.explore("an error that is frozen", fail(Object.freeze(new Error("cold"))));
        test.explore("an error with causes", fail(new Error("outer", { cause: new TypeError("inner", { cause: "innermost" }) })));
        test.explore("several errors", fail(new AggregateError([new Error("one"), new Error("two")], "both")));
        test.explore("node's assertion", async ({ io }) => { assert.deepEqual(await io("a", [1]), [2]); });
        test.explore("a rejection that nobody handles", async ({ io }) => { void io("a", new Error("lost")); await io("b"); });
        test.explore("a deadlock", async ({ createFuture }) => { await createFuture("never"); });
        test.explore("a run without end", async ({ sleep }) => { for (;;) await sleep(0); }, { maxSteps: 100 });
        test.explore("an invariant", async ({ io, invariant }) => { invariant(() => false); await io("a"); });
        test.explore("no function of its schedule", async ({ io }) => { globalThis.n = (globalThis.n ?? 0) + 1; await io("a" + globalThis.n); });
      `,
    });
    const run = await runVitest(project, ["--reporter=default"]);
    const text = failuresIn(run);
    for (const failure of text.split(/^ FAIL /m).slice(1)) expect(failure).toMatch(/^ ❯ .*a\.test\.ts:\d+:\d+$/m);
    expect(text).toContain("Caused by: TypeError: inner");
    expect(text).toContain("Caused by: Error: thrown: innermost");
    expect(run.tests.map(({ errors }) => errors.map((error) => error.split("\n")[0]))).toMatchInlineSnapshot(`
      [
        [
          "Error: thrown: no error at all",
        ],
        [
          "Error: thrown: undefined",
        ],
        [
          "Error: cold",
        ],
        [
          "Error: outer",
        ],
        [
          "AggregateError: both",
        ],
        [
          "AssertionError: Expected values to be strictly deep-equal:",
        ],
        [
          "Error: lost",
        ],
        [
          "DeadlockError: deadlock at step 1, t=0: 1 task waits and nothing can wake it.",
        ],
        [
          "LivelockError: livelock at t=0: the run took more than 100 steps, the last of them in a circle, in each turn of which run",
        ],
        [
          "InvariantError: invariant does not hold after this step.",
        ],
        [
          "DivergenceError: the first run was made twice with the same decisions, and did not do the same: step 2 was a1@1 at t=0, of 1 ready first, and a2@1 at t=0, of 1 ready then.",
        ],
      ]
    `);
  });
});
