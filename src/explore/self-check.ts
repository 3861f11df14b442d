/**
 * Whether a scenario is a function of its schedule: the first run is made twice and compared step by step.
 */
import { describeError } from "../errors/errors.js";
import { formatReadyTask } from "../schedule/schedule.js";
import type { StepRecord } from "../schedule/strategy.js";
import type { CloseRun } from "./runner.js";
import type { ScenarioEnd } from "./scenario-run.js";

/** Where two runs of the same schedule part; undefined when they do not. */
export function findDifference(
  first: { readonly steps: readonly StepRecord[]; readonly end: ScenarioEnd },
  second: Pick<CloseRun, "steps" | "end">,
): string | undefined {
  const length = Math.max(first.steps.length, second.steps.length);
  for (let index = 0; index < length; index++) {
    const [before, now] = [first.steps[index], second.steps[index]];
    if (describeStep(before) !== describeStep(now)) {
      return `step ${index + 1} was ${describeStep(before)} first, and ${describeStep(now)} then`;
    }
  }
  const [before, now] = [describeEnd(first.end), describeEnd(second.end)];
  return before === now ? undefined : `the run ended with ${before} first, and with ${now} then`;
}

function describeStep(step: StepRecord | undefined): string {
  return step === undefined ? "the end" : `${formatReadyTask(step)} at t=${step.timeMs}, of ${step.ready} ready`;
}

function describeEnd(end: ScenarioEnd): string {
  return end.kind === "passed" ? "no failure" : end.kind === "deadlock" ? "a deadlock" : describeError(end.error);
}
