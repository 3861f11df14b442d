import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.js";

interface Entry {
  readonly key: number;
  readonly sequence: number;
}

/** A total order: by key, and for equal ones by the time at which they came. */
const isBefore = (a: Entry, b: Entry): boolean => a.key < b.key || (a.key === b.key && a.sequence < b.sequence);

test("it agrees with a sorted list through additions and takes", () => {
  const actions = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant("take" as const)), { maxLength: 60 });
  fc.assert(
    fc.property(actions, (steps) => {
      const heap = new Heap(isBefore);
      const model: Entry[] = [];
      steps.forEach((step, sequence) => {
        if (step === "take") expect(heap.takeFirst()).toEqual(model.shift());
        else {
          heap.add({ key: step, sequence });
          model.push({ key: step, sequence });
          model.sort((a, b) => (isBefore(a, b) ? -1 : 1));
        }
        expect(heap.length).toBe(model.length);
      });
      expect(Array.from(model, () => heap.takeFirst())).toEqual(model);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test("what cannot be compared leaves it as it was", () => {
  const heap = new Heap<number>((a, b) => {
    if (a === 0 && b === 2) throw new Error("no order");
    return a < b;
  });
  for (const item of [2, 3, 4, 5]) heap.add(item);
  expect(() => {
    heap.add(0);
  }).toThrow("no order");
  expect(Array.from({ length: 5 }, () => heap.takeFirst())).toEqual([2, 3, 4, 5, undefined]);
});

test("an empty heap has nothing to take, and can be filled again", () => {
  const heap = new Heap<number>((a, b) => a < b);
  expect([heap.takeFirst(), heap.length]).toEqual([undefined, 0]);
  for (const item of [5, 4]) heap.add(item);
  expect([heap.takeFirst(), heap.takeFirst(), heap.takeFirst(), heap.length]).toEqual([4, 5, undefined, 0]);
});
