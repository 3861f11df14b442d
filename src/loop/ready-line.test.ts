import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { CallbackHandle } from "./handle.js";
import { ReadyLine } from "./ready-line.js";
import { ReadyQueue } from "./ready-queue.js";

const makeHandle = (name: string): CallbackHandle => new CallbackHandle(name, () => undefined, 0);
const namesOf = (ready: ReadyQueue): readonly string[] => ready.list().map(({ name }) => name);

test("only the first of a line is ready, and the next one when that is taken", () => {
  const ready = new ReadyQueue();
  const line = new ReadyLine(ready);
  expect(line.isEmpty).toBe(true);
  for (const name of ["a", "b", "c"]) line.push(makeHandle(name));
  ready.push(makeHandle("other"));
  expect(namesOf(ready)).toEqual(["a", "other"]);
  expect(line.list().map(({ name }) => name)).toEqual(["a", "b", "c"]);
  line.noteTaken(ready.take(1)); // of nobody's line
  expect(namesOf(ready)).toEqual(["a"]);
  line.noteTaken(ready.take(0));
  expect(namesOf(ready)).toEqual(["b"]);
  expect(line.first?.name).toBe("b");
});

test("those that are cancelled are passed over, in front and in the middle", () => {
  const ready = new ReadyQueue();
  const line = new ReadyLine(ready);
  const [a, b, c] = ["a", "b", "c"].map(makeHandle);
  for (const handle of [a, b, c]) if (handle !== undefined) line.push(handle);
  a?.cancel();
  b?.cancel();
  ready.dropCancelled();
  line.noteDropped();
  expect(namesOf(ready)).toEqual(["c"]);
  line.noteDropped(); // nothing was dropped
  expect(namesOf(ready)).toEqual(["c"]);
  line.noteTaken(ready.take(0));
  expect([line.isEmpty, ready.length]).toEqual([true, 0]);
});

test("whatever happens, it agrees with a plain array of which the first live one is ready", () => {
  const random = new Random(7, "ready-line");
  const ready = new ReadyQueue();
  const line = new ReadyLine(ready);
  let model: CallbackHandle[] = [];
  const taken: string[] = [];
  for (let round = 0; round < 5_000; round++) {
    const action = random.below(6);
    if (action < 3) {
      const handle = makeHandle(String(round));
      line.push(handle);
      model.push(handle);
    } else if (action < 5 && model.length > 0) {
      const handle = ready.take(0);
      line.noteTaken(handle);
      expect(handle).toBe(model.shift());
      taken.push(handle.name);
    } else if (model.length > 0) {
      model[random.below(model.length)]?.cancel();
      ready.dropCancelled();
      line.noteDropped();
    }
    model = model.filter((handle) => !handle.cancelled());
    expect(ready.list()).toEqual(model.slice(0, 1));
    expect(line.first).toBe(model[0]);
  }
  expect(taken.length).toBeGreaterThan(1_000);
  expect(taken.map(Number)).toEqual(taken.map(Number).sort((a, b) => a - b));
});
