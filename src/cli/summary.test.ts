import { expect, test } from "vitest";
import type { PropertyRun, PropertyTest } from "../vitest/run-properties.js";
import { renderSummary, summarise } from "./summary.js";

const held: PropertyTest = {
  file: "properties/a.property.ts",
  name: "the loop holds",
  state: "passed",
  errors: [],
  replay: undefined,
  heddle: {
    progress: {
      runs: 1_000,
      graphs: 990,
      schedules: 995,
      exercised: { "atomic-spans": 800, "gather-order": 0 },
      outcomes: { finished: 700, failed: 200, deadlock: 100, livelock: 0 },
      failures: 0,
    },
    seed: 7,
    isComplete: true,
    sentences: { "atomic-spans": "A span is atomic.", "gather-order": "Results stand in argument order." },
  },
};

const broken: PropertyTest = {
  ...held,
  file: "properties/b.property.ts",
  name: "a suite > gather holds",
  state: "failed",
  heddle: {
    ...held.heddle!,
    progress: { ...held.heddle!.progress, runs: 5, exercised: { "gather-order": 5 } },
    sentences: { "gather-order": "Results stand in argument order." },
    failureFile: "reports/failures/gather-order-1.json",
    failure: "gather-order: Results stand in argument order.\n  broken: …",
  },
};

const plain: PropertyTest = { ...held, name: "a test of another kind", heddle: undefined };

const run: PropertyRun = { tests: [held, broken, plain], isInterrupted: false, loadErrors: [] };

test("a summary adds up what the tests did, and names what is broken and what nothing put to the test", () => {
  const summary = summarise(run, 7);
  expect(summary).toMatchInlineSnapshot(`
    {
      "graphs": 1980,
      "invariants": [
        {
          "exercised": 800,
          "isBroken": false,
          "name": "atomic-spans",
          "sentence": "A span is atomic.",
        },
        {
          "exercised": 5,
          "isBroken": true,
          "name": "gather-order",
          "sentence": "Results stand in argument order.",
        },
      ],
      "isComplete": true,
      "outcomes": {
        "deadlock": 200,
        "failed": 400,
        "finished": 1400,
        "livelock": 0,
      },
      "runs": 1005,
      "schedules": 1990,
      "seed": 7,
      "tests": [
        {
          "file": "properties/a.property.ts",
          "name": "the loop holds",
          "state": "passed",
        },
        {
          "failure": "reports/failures/gather-order-1.json",
          "file": "properties/b.property.ts",
          "name": "a suite > gather holds",
          "state": "failed",
        },
        {
          "file": "properties/a.property.ts",
          "name": "a test of another kind",
          "state": "passed",
        },
      ],
      "version": 1,
    }
  `);
  expect(renderSummary(summary, 2_000)).toMatchInlineSnapshot(`
    "
    Invariants, with the runs that put them to the test:
      atomic-spans        800  held
      gather-order          5  BROKEN

    1,005 runs in 2.0 s (503/s): 1,980 different graphs, 1,990 different schedules
    outcomes: 1,400 finished, 400 failed, 200 deadlock, 0 livelock
    3 properties, 1 failed; seed 7; reports/summary.json"
  `);
});

test("an invariant that no run put to the test is not said to hold", () => {
  expect(renderSummary(summarise({ ...run, tests: [held] }, 7), 500)).toMatchInlineSnapshot(`
    "
    Invariants, with the runs that put them to the test:
      atomic-spans        800  held
      gather-order          0  UNTESTED

    1,000 runs in 0.5 s (2,000/s): 990 different graphs, 995 different schedules
    outcomes: 700 finished, 200 failed, 100 deadlock, 0 livelock
    1 property, all held; seed 7; reports/summary.json"
  `);
});

test("a run that was interrupted, or had a file that cannot be run, is not complete and not said to hold", () => {
  for (const cut of [{ isInterrupted: true }, { loadErrors: ["properties/c.property.ts: cannot be run: boom"] }]) {
    const summary = summarise({ ...run, tests: [held], ...cut }, 7);
    expect(summary.isComplete).toBe(false);
    expect(renderSummary(summary, 500).split("\n").at(-1)).toBe(
      "1 property, none failed, but not all of them ran to the end; seed 7; reports/summary.json",
    );
  }
});

test("a run that could not begin has a summary all the same", () => {
  expect(renderSummary(summarise({ tests: [], isInterrupted: true, loadErrors: [] }, 0), 0)).toMatchInlineSnapshot(`
    "

    0 runs in 0.0 s (0/s): 0 different graphs, 0 different schedules
    outcomes: none
    0 properties, none failed, but not all of them ran to the end; seed 0; reports/summary.json"
  `);
});
