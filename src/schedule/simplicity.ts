/**
 * Which of two failing runs is easier to understand.
 */
import type { ReadyTask } from "./strategy.js";

/** What of a run is to be small, the most important first. */
export interface Simplicity {
  /** How often the next step is of another task than the one before. */
  readonly switches: number;
  readonly steps: number;
}

export function simplicityOf(steps: readonly ReadyTask[]): Simplicity {
  return { switches: steps.filter(({ name }, index) => index > 0 && steps[index - 1]?.name !== name).length, steps: steps.length };
}

/** Whether `a` is strictly simpler than `b`. */
export function isSimpler(a: Simplicity, b: Simplicity): boolean {
  return a.switches === b.switches ? a.steps < b.steps : a.switches < b.switches;
}
