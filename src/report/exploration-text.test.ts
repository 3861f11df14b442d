import { expect, test } from "vitest";
import type { FoundFailure } from "../explore/block.js";
import type { Findings } from "../explore/findings.js";
import { renderExploration } from "./exploration-text.js";

const passed: Findings = {
  status: "passed",
  runs: 1_000,
  failures: 0,
  complete: false,
  isStopped: false,
  givenUp: 0,
  coverage: { schedules: 812, classes: undefined, pairs: undefined, newInLast1000: 812, chanceOfNew: 0.0712, remaining: undefined },
  results: [
    ["70", 988],
    ['{"error":"Error: boom"}', 12],
  ],
  otherResults: 0,
  failure: undefined,
  uncontrolled: undefined,
  untracked: undefined,
  leaks: [],
};

const failure: FoundFailure = {
  kind: "error",
  message: "Error: the balance is 90,\nnot 70",
  run: 1_234,
  seed: 7,
  schedule: "hd1.AAAA",
  original: "hd1.BBBB",
  minimised: {
    before: { switches: 5, departures: 2, batches: 1, faults: 0, ioLatencyMs: 10, steps: 12 },
    after: { switches: 1, departures: 0, batches: 1, faults: 0, ioLatencyMs: 3, steps: 1 },
    reruns: 1,
  },
  granularity: "event",
  slowestIoMs: 3,
  trace: [
    { t: 0, task: "rent", phase: "begin" },
    { t: 0, task: "food", phase: "begin" },
    { t: 3, task: "rent", op: "2", name: "step", phase: "start", site: "src/bank.mjs:7:5" },
    { t: 3, task: "rent", phase: "finish", error: "Error: the balance is 90,\nnot 70" },
  ],
  explanation: ["It passes if rent step 2 runs before food step 1.", "Lost update of balance."],
};

const failed: Findings = { ...passed, status: "failed", failures: 12, failure };

function render(findings: Findings, replay: readonly string[] = []): string {
  return renderExploration({ findings, strategy: "random", seed: 7, asked: { runs: 1_000, stopOnFailure: findings.runs === 1 }, replay });
}

test("what fails is told with its smallest order, what that is about, how small it is, the results, and how to replay it", () => {
  const replay = ["npx heddle replay reports/failures/bank-error-1.json", "npx heddle replay hd1.AAAA"];
  expect(render(failed, replay)).toMatchInlineSnapshot(`
    "FAILED: 12 of 1,000 runs

      Error: the balance is 90,
      not 70

    The smallest order found that fails, one column a task:
            rent                                food
      t=0   begin
                                                begin
      t=3   step 2 at src/bank.mjs:7:5
            finish ! Error: the balance is 90…

    Made small in 1 rerun:
      before  5 switches between tasks, 2 times I/O out of its order of arrival, 1 answer in the step of another, 12 steps (run 1,234, the first that failed)
      after   1 switch between tasks, 1 answer in the step of another, 1 step

    It needs I/O of 3 ms or slower.

    What the order is about:
      It passes if rent step 2 runs before food step 1.
      Lost update of balance.

    What the runs came to:
      988  70
       12  {"error":"Error: boom"}

    1,000 runs, strategy random, seed 7: as many as were asked for
    Covered: 812 different schedules
    New schedules in the last 1,000 runs: 812; chance that the next run shows one (Good-Turing): 7.1 %
    Replay it: npx heddle replay reports/failures/bank-error-1.json
           or: npx heddle replay hd1.AAAA"
  `);
});

test("what held is told with its results and what has been covered", () => {
  expect(render(passed)).toMatchInlineSnapshot(`
    "passed: none of 1,000 runs failed

    What the runs came to:
      988  70
       12  {"error":"Error: boom"}

    1,000 runs, strategy random, seed 7: as many as were asked for
    Covered: 812 different schedules
    New schedules in the last 1,000 runs: 812; chance that the next run shows one (Good-Turing): 7.1 %"
  `);
});

test("where steps are tracked, classes and pairs are told, too", () => {
  const coverage = { ...passed.coverage, classes: 1, pairs: { seen: 10, bothWays: 4 }, newInLast1000: 0, chanceOfNew: 0 };
  const text = render({ ...passed, complete: true, coverage, untracked: "t1@2" });
  expect(text.split("\n").slice(-5)).toMatchInlineSnapshot(`
    [
      "",
      "1,000 runs, strategy random, seed 7: every schedule was tried, by itself or by one that is equivalent",
      "Covered: 812 different schedules, 1 class of equivalent ones, 4 of 10 pairs of neighbouring dependent steps in both orders",
      "New classes in the last 1,000 runs: 0; chance that the next run shows one (Good-Turing): 0 %",
      "Not all was tracked: t1@2",
    ]
  `);
});

test("of many results the most frequent are shown, and long ones are cut", () => {
  const results = Array.from(
    { length: 14 },
    (_, index) => [index === 0 ? JSON.stringify("x".repeat(500)) : String(index), 20 - index] as const,
  );
  const lines = render({ ...passed, results }).split("\n");
  expect(lines[3]).toBe(`  20  "${"x".repeat(118)}…`);
  expect(lines[13]).toBe("  34  with 4 other results");
  expect(render({ ...passed, results, otherResults: 6 }).split("\n")[13]).toBe("  40  with more than 4 other results");
});

test("what was stopped says so, and what is not under control, too", () => {
  const uncontrolled = { task: "reader", step: 3, timeMs: 0, site: undefined };
  const text = render({ ...passed, status: "stopped", runs: 1, isStopped: true, results: [], uncontrolled });
  expect(text).toMatchInlineSnapshot(`
    "stopped: none of 1 run failed until then

    No run came to an end.

    1 run, strategy random, seed 7: stopped before the end
    Covered: 812 different schedules
    New schedules in the last 1,000 runs: 812; chance that the next run shows one (Good-Turing): 7.1 %
    Not all was under control: reader waited for something outside of the loop, so a replay is not promised."
  `);
});

test("a failure that was not made small is told as it was found, also without a trace", () => {
  const asFound = { ...failure, minimised: undefined, trace: [], explanation: [] };
  expect(render({ ...failed, runs: 1, failures: 1, failure: asFound })).toMatchInlineSnapshot(`
    "FAILED: 1 of 1 run

      Error: the balance is 90,
      not 70

    It is the order of run 1,234, the first that failed.

    Its slowest I/O took 3 ms.

    What the runs came to:
      988  70
       12  {"error":"Error: boom"}

    1 run, strategy random, seed 7: until the first failure
    Covered: 812 different schedules
    New schedules in the last 1,000 runs: 812; chance that the next run shows one (Good-Turing): 7.1 %"
  `);
});

test.each<[string, Partial<Findings>, string]>([
  ["everything was covered", { complete: true }, "every schedule was tried, by itself or by one that is equivalent"],
  ["a bound leaves something out", { runs: 999 }, "nothing is left to try within the bounds"],
  [
    "the program is no function of its schedule",
    { ...failed, runs: 999, failure: { ...failure, kind: "divergence" } },
    "not gone on with, because nothing it finds could be replayed",
  ],
])("where %s, that is told as its end", (_what, fields, end) => {
  expect(render({ ...passed, ...fields })).toContain(` runs, strategy random, seed 7: ${end}\n`);
});
