import { expect, test } from "vitest";
import type { Decision, RunResult, StepRecord, Strategy } from "../schedule/strategy.js";
import { fifo } from "./fifo.js";
import { random } from "./random.js";
import { recording } from "./recording.js";
import { seeded } from "./seeded.js";

const ready = [
  { name: "a", operation: "1" },
  { name: "b", operation: "2" },
];
const decision: Decision = { step: 1, timeMs: 0, count: 2, ready };

test("it decides as the other strategy does, and remembers what was ready and what was taken", () => {
  const [plain, recorded] = [random(7), recording(random(7))];
  recorded.begin(0);
  const picks = Array.from({ length: 100 }, () => recorded.pick(decision));
  expect(picks).toEqual(Array.from({ length: 100 }, () => plain.pick(decision)));
  expect(recorded.decisions).toEqual(picks.map((index) => ({ ready, index })));
});

test("it remembers the latest run alone, and the decisions of an earlier one stay as they were", () => {
  const recorded = recording(random(7));
  recorded.begin(0);
  recorded.pick(decision);
  const { decisions } = recorded;
  recorded.begin(1);
  expect(recorded.decisions).toEqual([]);
  expect(decisions).toHaveLength(1);
});

test("it keeps names, which do not change when the tasks go on", () => {
  const recorded = recording(random(7));
  const running = { name: "a", operation: "1", task: "something that only the loop should hold" };
  recorded.begin(0);
  recorded.pick({ ...decision, ready: [running, { name: "b", operation: "2" }] });
  running.operation = "9";
  expect(recorded.decisions[0]?.ready).toStrictEqual(ready);
});

test("a step that nobody decided about is written down alone", () => {
  const recorded = recording(fifo());
  recorded.begin(0);
  recorded.observe?.({ name: "main", operation: "1", step: 1, timeMs: 0, ready: 1 });
  expect(recorded.decisions).toEqual([{ ready: [{ name: "main", operation: "1" }], index: 0 }]);
  recorded.pick(decision);
  recorded.observe?.({ name: "a", operation: "1", step: 2, timeMs: 0, ready: 2 });
  expect(recorded.decisions).toHaveLength(2);
});

test("it has the name and the housekeeping of the other", () => {
  expect(recording(fifo())).toMatchObject({ name: "fifo", housekeeping: "inline" });
  expect(recording(seeded(7)).housekeeping).toBeUndefined();
  expect(recording({ ...random(7), begin: () => false }).begin(0)).toBe(false);
});

test("a strategy that is an object of a class is told of everything", () => {
  class Telling implements Strategy {
    readonly #told: string[] = [];
    get name(): string {
      return "telling";
    }
    get housekeeping(): "eager" {
      return "eager";
    }
    get told(): string {
      return this.#told.join(", ");
    }
    begin(run: number): boolean {
      this.#told.push(`begin ${run}`);
      return true;
    }
    pick({ count }: Decision): number {
      this.#told.push(`pick of ${count}`);
      return 1;
    }
    observe({ name }: StepRecord): void {
      this.#told.push(`observe ${name}`);
    }
    end({ steps }: RunResult): void {
      this.#told.push(`end after ${steps}`);
    }
  }
  const telling = new Telling();
  const recorded = recording(telling);
  expect(recorded).toMatchObject({ name: "telling", housekeeping: "eager" });
  recorded.begin(3);
  recorded.pick(decision);
  recorded.observe?.({ name: "b", operation: "2", step: 1, timeMs: 0, ready: 2 });
  recorded.end?.({ run: 3, failed: false, steps: 1 });
  expect(telling.told).toBe("begin 3, pick of 2, observe b, end after 1");
});
