/**
 * What a systematic search reports of a program that is no function of its schedule: it makes the decisions of an earlier run again, and
 * finds others to make.
 */
import { formatReadyTask } from "../schedule/schedule.js";
import type { Decision } from "../schedule/strategy.js";
import { DivergenceError } from "./replay.js";

/** The error at `step`, where there was `before` in an earlier run and there is `now` after the same decisions in this one. */
export function nondeterminism(step: number, before: string, now: string): DivergenceError {
  const message = [
    `divergence at step ${step}: the same decisions did not lead to the same place again.`,
    `  before  ${before}`,
    `  now     ${now}`,
    "Something outside the loop takes part: a real clock, Math.random, real I/O, or state kept from an earlier run.",
  ];
  return new DivergenceError(step, undefined, undefined, message.join("\n"));
}

/** `3 ready at step 7 [t1@0, t2@0, t3@0]` */
export function describeDecision({ step, count, ready }: Decision): string {
  return `${count} ready at step ${step} [${ready.map(formatReadyTask).join(", ")}]`;
}
