import { describe, expect, test } from "vitest";
import { sleep } from "../loop/sleep.js";
import { explore } from "./explore.js";
import type { ExploreOptions } from "./options.js";
import type { ExploreFailure } from "./outcome.js";
import type { Scenario } from "./scenario-run.js";

/** A scenario that takes another way each time that `draw` answers something else. */
const drifting =
  (draw: () => unknown): Scenario =>
  async ({ gather }) => {
    const first = draw();
    for (let turn = 0; turn < 40; turn++) await gather(...(draw() === first ? [() => sleep(1)] : [() => sleep(1), () => sleep(2)]));
  };

const failureOf = async (scenario: Scenario, options: ExploreOptions = {}): Promise<ExploreFailure | undefined> =>
  (await explore(scenario, { seed: 7, runs: 3, ...options })).failure;

const messageOf = async (scenario: Scenario, options: ExploreOptions = {}): Promise<string> => {
  const failure = await failureOf(scenario, options);
  expect(failure).toMatchObject({ kind: "divergence", run: 0 });
  return (failure?.error as Error).message;
};

const draws: [string, () => number][] = [
  ["Math.random()", () => Math.floor(Math.random() * 4)],
  ["crypto.randomUUID()", () => crypto.randomUUID().charCodeAt(0) % 4],
  ["crypto.getRandomValues()", () => (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % 4],
];

describe("a scenario that is no function of its schedule is a divergence", () => {
  // Two runs of forty draws of four values each: that they are alike has p < 1e-24.
  test.each(draws)("which names %s and the place where it is asked, if it is left alone", async (leak, draw) => {
    expect(await messageOf(drifting(draw), { seedRandom: false })).toContain(
      `The scenario asks what no schedule answers: ${leak} at src/explore/self-check.test.ts:`,
    );
  });

  test("which blames state kept between runs where nothing was asked", async () => {
    let runs = 0;
    const message = await messageOf(async ({ gather }) => {
      runs++;
      await sleep(1);
      if (runs % 2 === 0) await gather(() => sleep(1));
    });
    expect(message).toMatchInlineSnapshot(`
      "the first run was made twice with the same decisions, and did not do the same: step 3 was the end first, and Task-2@1 at t=1, of 1 ready then.
      No clock and no randomness decided it, so it is state kept from one run to the next: make everything inside of the scenario."
    `);
  });

  test("also where only the end differs", async () => {
    let runs = 0;
    const message = await messageOf(async () => {
      await sleep(1);
      if (runs++ === 1) throw new Error("only the second time");
    });
    expect(message).toContain("the run ended with no failure first, and with Error: only the second time then");
  });
});

test.each(draws)("where %s is taken over, it is the same in every run", async (_, draw) => {
  expect(await explore(drifting(draw), { seed: 7, runs: 5 })).toMatchObject({ status: "passed", runs: 5 });
});

test.each<[string, () => number]>([
  ["Date.now()", () => Date.now()],
  ["new Date()", () => new Date().getTime()],
  ["performance.now()", () => performance.now()],
  ["process.hrtime()", () => Number(process.hrtime.bigint())],
])("a scenario that waits busily for %s to go on comes to its end, and is the same each time", async (_, now) => {
  let last = Number.NaN;
  const clock = (): number => {
    let time = now();
    while (time === last) time = now();
    last = time;
    return time % 7;
  };
  const scenario: Scenario = (env) => {
    last = Number.NaN;
    return drifting(clock)(env);
  };
  expect(await explore(scenario, { seed: 7, runs: 5 })).toMatchObject({ status: "passed", runs: 5 });
});

test("it can be left out", async () => {
  let runs = 0;
  const scenario: Scenario = async () => {
    runs++;
    await sleep(0);
  };
  await explore(scenario, { seed: 7, runs: 5 });
  await explore(scenario, { seed: 7, runs: 5, selfCheck: false });
  expect(runs).toBe(6 + 5);
});
