/** Live progress of a property run, for a terminal and for a log. */
import type { CheckProgress } from "../arbitrary/check-invariants.js";

/** How often a log, which cannot be overwritten, gets a line. */
const LOG_INTERVAL_MS = 5_000;

export interface ProgressOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Real milliseconds. */
  readonly nowMs: () => number;
}

/** Adds up the progress of several tests and shows the sum. */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #startMs: number;
  readonly #parts = new Map<string, CheckProgress>();
  #lastLogMs: number;
  #isShown = false;

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#startMs = output.nowMs();
    this.#lastLogMs = this.#startMs;
  }

  /** Notes where the test `id` stands. */
  update(id: string, progress: CheckProgress): void {
    this.#parts.set(id, progress);
    const nowMs = this.#output.nowMs();
    if (this.#output.isTerminal) {
      this.#output.write(`\r\u001b[2K${this.line()}`);
      this.#isShown = true;
    } else if (nowMs - this.#lastLogMs >= LOG_INTERVAL_MS) {
      this.#lastLogMs = nowMs;
      this.#output.write(`${this.line()}\n`);
    }
  }

  /** Takes the live line away, so that other text can be written. */
  clear(): void {
    if (this.#isShown) this.#output.write("\r\u001b[2K");
    this.#isShown = false;
  }

  /** `12,340 runs  2,450/s  5,200 graphs  6,001 schedules  0 failures` */
  line(): string {
    const sum = (pick: (progress: CheckProgress) => number): number =>
      [...this.#parts.values()].reduce((total, part) => total + pick(part), 0);
    const runs = sum(({ runs: own }) => own);
    const seconds = Math.max(0.001, (this.#output.nowMs() - this.#startMs) / 1_000);
    const failures = sum(({ failures: own }) => own);
    return [
      `${format(runs)} runs`,
      `${format(Math.round(runs / seconds))}/s`,
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
