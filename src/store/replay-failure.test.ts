import { expect, test } from "vitest";
import { explore } from "../explore/explore.js";
import { scenarioProgram } from "../explore/program.js";
import type { Scenario } from "../explore/scenario-run.js";
import { DivergenceError } from "../strategy/replay.js";
import { formatTrace } from "../trace/trace.js";
import type { Failure } from "./failure.js";
import { replayScenario, replayScenarioLoosely } from "./replay-failure.js";

/** The reader fails when it runs before the writer; with `extra` the writer has a step more to make, and when `isMended` nothing fails. */
function reading({ extra = false, isMended = false } = {}): Scenario {
  return async ({ createTask, gather, sleep }) => {
    let isWritten = false;
    let hasRead = false;
    const writer = createTask(
      async () => {
        await sleep(0);
        if (extra) await sleep(0);
        isWritten = true;
      },
      { name: "writer" },
    );
    const reader = createTask(
      async () => {
        hasRead = isWritten;
      },
      { name: "reader" },
    );
    await gather(writer, reader);
    if (!hasRead && !isMended) throw new Error("nothing was read");
  };
}

async function record(): Promise<Failure> {
  const { failure } = await explore(reading(), { seed: 7, strategy: "random" });
  if (failure === undefined) throw new Error("two of three orders fail");
  return {
    version: 1,
    program: { kind: "module", file: "reading.mjs" },
    seed: 7,
    strategy: "random",
    options: {},
    schedule: failure.schedule,
    original: { schedule: failure.original },
    error: { kind: "error", message: "Error: nothing was read" },
    trace: [...failure.trace],
    replay: "npx heddle replay recorded.json",
  };
}

test("the failure of a scenario comes back with its timeline and the trace that was recorded", async () => {
  const failure = await record();
  const { isBroken, report, trace } = await replayScenario(failure, scenarioProgram(reading()));
  expect(isBroken).toBe(true);
  expect(report).toMatch(/^ {2}broken: Error: nothing was read\n[^]*\nReplay it: npx heddle replay recorded\.json$/);
  // The places are those of this file both times.
  expect(trace).toBe(formatTrace(failure.trace));
});

test("a scenario that was mended holds, and there is nothing to show of it", async () => {
  expect(await replayScenario(await record(), scenarioProgram(reading({ isMended: true })))).toEqual({
    isBroken: false,
    report: "",
    trace: "",
  });
});

test("a scenario that was changed leaves its schedule, and is followed loosely where that is asked for", async () => {
  const failure = await record();
  const changed = scenarioProgram(reading({ extra: true }));
  await expect(replayScenario(failure, changed)).rejects.toThrow(DivergenceError);
  expect(await replayScenarioLoosely(failure, changed)).toMatchObject({ isBroken: true });
  expect(await replayScenarioLoosely(failure, scenarioProgram(reading({ extra: true, isMended: true })))).toMatchObject({
    isBroken: false,
  });
});

test("a bound of steps that was recorded with the failure holds again", async () => {
  const failure = await record();
  const endless = scenarioProgram(async ({ sleep }) => {
    for (;;) await sleep(0);
  });
  const outcome = await explore(endless.scenario, { seed: 7, strategy: "random", maxSteps: 30 });
  const { report } = await replayScenario({ ...failure, schedule: outcome.failure?.schedule ?? "", options: { maxSteps: 30 } }, endless);
  expect(report).toContain("LivelockError");
});
