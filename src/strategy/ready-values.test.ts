import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import type { Alternative } from "../schedule/strategy.js";
import { chainOf, ReadyValues } from "./ready-values.js";

const one = (name: string): Alternative => ({ name, operation: "1" });
const [a, b, c, d] = ["a", "b", "c", "d"].map(one) as [Alternative, Alternative, Alternative, Alternative];

/** Values that say in which order they were made. */
function numbered(): ReadyValues<string> {
  let made = 0;
  return new ReadyValues(({ name }, index) => `${name}${index}#${++made}`);
}

test("what stays ready keeps its value, also where others vanish before it and appear between", () => {
  const values = numbered();
  expect(values.update([a, b, c])).toEqual(["a0#1", "b1#2", "c2#3"]);
  expect(values.update([a, c])).toEqual(["a0#1", "c2#3"]);
  expect(values.update([d, a, b, c])).toEqual(["d0#4", "a0#1", "b2#5", "c2#3"]);
  expect(values.values).toEqual(["d0#4", "a0#1", "b2#5", "c2#3"]);
});

test("however those that are ready change, each that stays keeps its value", () => {
  const source = new Random(7);
  const values = new ReadyValues((alternative) => alternative);
  let ready: Alternative[] = [];
  for (let decision = 0; decision < 2_000; decision++) {
    expect(values.update(ready)).toEqual(ready);
    for (const [index, each] of ready.entries()) expect(values.values[index]).toBe(each);
    const taken = ready.length === 0 ? -1 : source.below(ready.length);
    if (taken >= 0) values.take(taken);
    ready = ready.filter((_, index) => index !== taken && source.next() < 0.9);
    for (let more = source.below(3); more > 0; more--) ready.splice(source.below(ready.length + 1), 0, one(`${decision}.${more}`));
  }
});

test("what was taken is new when the same object becomes ready once more", () => {
  const values = numbered();
  values.update([a, b]);
  values.take(1);
  expect(values.update([a, b])).toEqual(["a0#1", "b1#3"]);
});

test("nothing is kept from one run to the next", () => {
  const values = numbered();
  values.update([a]);
  values.clear();
  expect(values.update([a])).toEqual(["a0#2"]);
});

test("a value is found by its alternative, as long as that is ready", () => {
  const values = numbered();
  values.update([a, b]);
  values.take(0);
  expect([a, b, c].map((each) => values.valueOf(each))).toEqual([undefined, "b1#2", undefined]);
});

test("a chain is known by its object, a gate without one by itself, and others by their names", () => {
  const chain = {};
  const gate: Alternative = { ...one("g"), kind: "gate" };
  expect(chainOf({ ...a, chain })).toBe(chain);
  expect(chainOf({ ...gate, chain })).toBe(chain);
  expect(chainOf(gate)).toBe(gate);
  expect(chainOf(a)).toBe("a");
});
