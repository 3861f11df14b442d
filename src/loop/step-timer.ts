/**
 * Notices steps that take long in real time: a blocking call inside a task stops every other task. It only warns; real time never
 * reaches a decision, a trace or a report.
 */

/** Reading the clock costs a third of a step, so it is read after each step only this long, and then once in so many. */
const EXACT_STEPS = 1_000;
const COARSE_EVERY = 64;

export class StepTimer {
  readonly #slowStepMs: number;
  #lastMs = 0;
  #lastStep = 0;

  constructor(slowStepMs: number) {
    this.#slowStepMs = slowStepMs;
  }

  /** Whether the clock is to be read after step number `step`. */
  isDue(step: number): boolean {
    return step <= EXACT_STEPS || step % COARSE_EVERY === 0;
  }

  /** Starts to measure, after a pause that does not count. */
  resume(nowMs: number, step: number): void {
    this.#lastMs = nowMs;
    this.#lastStep = step;
  }

  /** A warning when what ran since the last look took too long. `name` is the task of step number `step`, the last of it. */
  look(nowMs: number, step: number, name: string): string | undefined {
    const elapsedMs = nowMs - this.#lastMs;
    const isOne = step - this.#lastStep <= 1;
    const first = this.#lastStep + 1;
    this.resume(nowMs, step);
    if (elapsedMs < this.#slowStepMs) return undefined;
    const which = isOne ? `step ${step} of ${name}` : `one of the steps ${first} to ${step}, the last of them of ${name},`;
    return `${which} took ${Math.round(elapsedMs)} ms of real time, in which no other task could run. Usually a blocking call inside a task.`;
  }
}
