/** A line that is written over and over on a terminal, and now and then to a log. */

/** How often a log, which cannot be overwritten, gets a line. */
const LOG_INTERVAL_MS = 5_000;

export interface ProgressOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Real milliseconds. */
  readonly nowMs: () => number;
}

export class LiveLine {
  readonly #output: ProgressOutput;
  readonly #startMs: number;
  #lastLogMs: number;
  #isShown = false;

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#startMs = output.nowMs();
    this.#lastLogMs = this.#startMs;
  }

  /** Real seconds since the begin, never quite 0. */
  get seconds(): number {
    return Math.max(0.001, (this.#output.nowMs() - this.#startMs) / 1_000);
  }

  /** Shows the line, where it is time for one. */
  show(line: () => string): void {
    const nowMs = this.#output.nowMs();
    if (this.#output.isTerminal) {
      this.#output.write(`\r\u001b[2K${line()}`);
      this.#isShown = true;
    } else if (nowMs - this.#lastLogMs >= LOG_INTERVAL_MS) {
      this.#lastLogMs = nowMs;
      this.#output.write(`${line()}\n`);
    }
  }

  /** Takes the live line away, so that other text can be written. */
  clear(): void {
    if (this.#isShown) this.#output.write("\r\u001b[2K");
    this.#isShown = false;
  }
}
