import * as fc from "fast-check";
import { expect, test } from "vitest";
import { freshCopy } from "./fresh-copy.js";

const { hasCloneMethod, cloneIfNeeded } = fc;
const copyOf = <T>(value: T): T => freshCopy<T>(value, { hasCloneMethod, cloneIfNeeded });

test("plain values of any shape are copied all the way down", () => {
  fc.assert(
    fc.property(
      fc.anything({ withMap: true, withSet: true, withDate: true, withTypedArray: true, withSparseArray: true, withNullPrototype: true }),
      (value) => {
        const copy = copyOf(value);
        expect(copy).toStrictEqual(value);
        const isShared = typeof value === "object" && value !== null && copy === value;
        expect(isShared).toBe(false);
      },
    ),
  );
});

test("what is changed in a copy is not changed in the values", () => {
  const values = { list: [1, [2]], map: new Map([["a", { n: 1 }]]), set: new Set([1]), at: new Date(5), bytes: new Uint8Array([1, 2]) };
  const copy = copyOf(values);
  (copy.list[1] as number[]).push(3);
  copy.map.get("a")!.n = 2;
  copy.set.add(2);
  copy.at.setTime(6);
  copy.bytes[0] = 9;
  expect(values).toEqual({
    list: [1, [2]],
    map: new Map([["a", { n: 1 }]]),
    set: new Set([1]),
    at: new Date(5),
    bytes: new Uint8Array([1, 2]),
  });
});

test("what stands in two places does so in the copy, and a circle stays one", () => {
  const shared = { n: 1 };
  const circle: { self?: unknown; readonly both: readonly unknown[] } = { both: [shared, shared] };
  circle.self = circle;
  const copy = copyOf(circle);
  expect(copy.both[0]).toBe(copy.both[1]);
  expect(copy.both[0]).not.toBe(shared);
  expect(copy.self).toBe(copy);
});

test("objects of classes and functions are the values themselves, and what fast-check can clone is cloned by it", () => {
  class Account {
    balance = 1;
  }
  const account = new Account();
  const call = (): number => 1;
  expect(copyOf([account, call])).toEqual([account, call]);
  expect(copyOf([account])[0]).toBe(account);
  const [context] = fc.sample(fc.context(), 1);
  context?.log("before");
  expect(copyOf(context)).not.toBe(context);
});

test("getters are copied as getters", () => {
  let reads = 0;
  const value = Object.defineProperty({}, "n", { get: () => ++reads, enumerable: true });
  const copy = copyOf(value);
  expect(reads).toBe(0);
  expect((copy as { readonly n: number }).n).toBe(1);
});
