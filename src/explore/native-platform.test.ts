/** A scenario that uses all of the platform: the same seed gives the same schedule, the same trace and the same report, everywhere. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { scenario } from "../../fixtures/tokens/scenarios/native-platform.js";
import { renderOutcome } from "../report/outcome-text.js";
import { explore, replay } from "./explore.js";
import type { Outcome } from "./outcome.js";

const resultOf = (outcome: Outcome): unknown => ({
  token: outcome.failure?.schedule,
  original: outcome.failure?.original,
  trace: outcome.failure?.trace,
  text: renderOutcome(outcome),
});

/** What the built package prints in a fresh process. */
async function resultInAnotherProcess(seed: number): Promise<string> {
  const source = `
    import { explore, renderOutcome } from "heddle";
    import { scenario } from "./fixtures/tokens/scenarios/native-platform.js";
    const outcome = await explore(scenario, { seed: ${seed} });
    const { schedule: token, original, trace } = outcome.failure;
    console.log(JSON.stringify({ token, original, trace, text: renderOutcome(outcome) }));
  `;
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", "--input-type=module", "--eval", source], { cwd });
  return stdout.trimEnd();
}

test("twice in one process, and in another one, it is the same to the byte", async () => {
  const first = await explore(scenario, { seed: 7 });
  expect(first).toMatchObject({ status: "failed", uncontrolled: undefined, failure: { kind: "error" } });
  const text = JSON.stringify(resultOf(first));
  expect(JSON.stringify(resultOf(await explore(scenario, { seed: 7 })))).toBe(text);
  expect(await resultInAnotherProcess(7)).toBe(text);
  expect(JSON.stringify(resultOf(await explore(scenario, { seed: 8 })))).not.toBe(text);
});

test("its token brings the failure back, with the same trace, after another exploration has used the platform", async () => {
  const { failure } = await explore(scenario, { seed: 7 });
  await explore(scenario, { seed: 9, runs: 3 });
  const again = await replay(scenario, failure?.schedule ?? "");
  expect(again.failure?.trace).toEqual(failure?.trace);
  expect(again.failure?.error).toEqual(failure?.error);
});
