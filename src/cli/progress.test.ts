import { expect, test } from "vitest";
import type { CheckProgress } from "../arbitrary/check-invariants.js";
import type { ProgressOutput } from "./live-line.js";
import { format, ProgressLine } from "./progress.js";

function progress(runs: number, failures = 0): CheckProgress {
  return {
    runs,
    graphs: runs - 1,
    schedules: runs,
    exercised: {},
    outcomes: { finished: runs, failed: 0, deadlock: 0, livelock: 0 },
    failures,
  };
}

/** An output that keeps what it is given, and a clock that stands still until it is set. */
class Output implements ProgressOutput {
  readonly isTerminal: boolean;
  /** As JSON, which shows what moves the cursor. */
  readonly written: string[] = [];
  timeMs = 0;

  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal;
  }

  readonly write = (text: string): void => void this.written.push(JSON.stringify(text));
  readonly nowMs = (): number => this.timeMs;
}

test("on a terminal there is one line, which is written over", () => {
  const output = new Output(true);
  const line = new ProgressLine(output);
  output.timeMs = 1_000;
  line.update("a", progress(500));
  output.timeMs = 2_000;
  line.update("b", progress(12_000, 1));
  expect(output.written).toMatchInlineSnapshot(`
    [
      ""\\r\\u001b[2K500 runs  500/s  499 graphs  500 schedules  0 failures"",
      ""\\r\\u001b[2K12,500 runs  6,250/s  12,498 graphs  12,500 schedules  1 failure"",
    ]
  `);
});

test("on a terminal the line is taken away once, so that other text can stand there", () => {
  const output = new Output(true);
  const line = new ProgressLine(output);
  line.clear();
  line.update("a", progress(1));
  line.clear();
  line.clear();
  expect(output.written.slice(1)).toEqual([JSON.stringify("\r\u001b[2K")]);
});

test("where nothing can be written over, a plain line follows every five seconds", () => {
  const output = new Output(false);
  const line = new ProgressLine(output);
  for (let second = 1; second <= 12; second++) {
    output.timeMs = second * 1_000;
    line.update("a", progress(second * 1_000));
  }
  line.clear();
  expect(output.written).toMatchInlineSnapshot(`
    [
      ""5,000 runs  1,000/s  4,999 graphs  5,000 schedules  0 failures\\n"",
      ""10,000 runs  1,000/s  9,999 graphs  10,000 schedules  0 failures\\n"",
    ]
  `);
});

test("what several tests tell is added up, each with its latest word", () => {
  const output = new Output(false);
  const line = new ProgressLine(output);
  line.update("a", progress(10));
  line.update("b", progress(5, 1));
  line.update("a", progress(20, 1));
  output.timeMs = 500;
  expect(line.line()).toMatchInlineSnapshot(`"25 runs  50/s  23 graphs  25 schedules  2 failures"`);
});

test("numbers are grouped by thousands, whatever the machine's locale", () => {
  expect([0, 999, 1_000, 12_340, 1_234_567].map(format)).toEqual(["0", "999", "1,000", "12,340", "1,234,567"]);
});
