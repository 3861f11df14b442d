/** Live progress of a property run, for a terminal and for a log. */
import type { CheckProgress } from "../arbitrary/check-invariants.js";
import { LiveLine, type ProgressOutput } from "./live-line.js";

/** Adds up the progress of several tests and shows the sum. */
export class ProgressLine {
  readonly #live: LiveLine;
  readonly #parts = new Map<string, CheckProgress>();

  constructor(output: ProgressOutput) {
    this.#live = new LiveLine(output);
  }

  /** Notes where the test `id` stands. */
  update(id: string, progress: CheckProgress): void {
    this.#parts.set(id, progress);
    this.#live.show(() => this.line());
  }

  /** Takes the live line away, so that other text can be written. */
  clear(): void {
    this.#live.clear();
  }

  /** `12,340 runs  2,450/s  5,200 graphs  6,001 schedules  0 failures` */
  line(): string {
    const sum = (pick: (progress: CheckProgress) => number): number =>
      [...this.#parts.values()].reduce((total, part) => total + pick(part), 0);
    const runs = sum(({ runs: own }) => own);
    const failures = sum(({ failures: own }) => own);
    return [
      `${format(runs)} runs`,
      `${format(Math.round(runs / this.#live.seconds))}/s`,
      `${format(sum(({ graphs }) => graphs))} graphs`,
      `${format(sum(({ schedules }) => schedules))} schedules`,
      `${format(failures)} ${failures === 1 ? "failure" : "failures"}`,
    ].join("  ");
  }
}

/** `12,340`, whatever the locale of the machine. */
export function format(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
