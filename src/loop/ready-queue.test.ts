import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { CallbackHandle } from "./handle.js";
import { ReadyQueue } from "./ready-queue.js";

test.each([
  ["short", 4_000],
  ["long", 20_000],
])("a %s one agrees with a plain array through pushes, takes anywhere, lists and cancellations", (_length, stretch) => {
  const random = new Random(7, "ready-queue");
  const queue = new ReadyQueue();
  let model: CallbackHandle[] = [];
  let made = 0;
  for (let round = 0; round < 5 * stretch; round++) {
    const action = random.below(10);
    // Long stretches of growth and of shrinking, so that the front part is given back many times.
    const isGrowing = Math.floor(round / stretch) % 2 === 0;
    if (action < (isGrowing ? 6 : 3)) {
      const handle = new CallbackHandle(String(made), () => undefined, made++);
      queue.push(handle);
      model.push(handle);
    } else if (action < 7 && model.length > 0) {
      expect(queue.shift()).toBe(model.shift());
    } else if (action < 9 && model.length > 0) {
      const index = random.below(model.length);
      expect(queue.take(index)).toBe(model.splice(index, 1)[0]);
    } else if (action === 9 && random.below(stretch / 200) === 0) {
      if (model.length > 0) model[random.below(model.length)]?.cancel();
      queue.dropCancelled();
      model = model.filter((handle) => !handle.cancelled());
      expect(queue.list()).toEqual(model);
    }
    expect(queue.length).toBe(model.length);
  }
  expect(made).toBeGreaterThan(5_000);
  while (model.length > 0) expect(queue.shift()).toBe(model.shift());
  expect(queue.length).toBe(0);
});

test("taking the only one, the first and the last leaves the others in order", () => {
  const queue = new ReadyQueue();
  const names = (): string[] => queue.list().map(({ name }) => name);
  const push = (name: string): void => {
    queue.push(new CallbackHandle(name, () => undefined, 0));
  };
  push("a");
  expect(queue.take(0).name).toBe("a");
  expect(names()).toEqual([]);
  for (const name of "bcdef") push(name);
  expect(queue.take(4).name).toBe("f");
  expect(queue.take(0).name).toBe("b");
  expect(queue.take(1).name).toBe("d");
  expect(names()).toEqual(["c", "e"]);
});
