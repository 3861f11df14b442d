import { expect, test } from "vitest";
import { TakenOver } from "./taken-over.js";

const realIoBefore = new Map<string, number>();

test("how often each name was given is counted by itself, and from 1", () => {
  const takenOver = new TakenOver({ seed: 7, realIoBefore });
  expect(["setTimeout(5)", "setTimeout(5)", "setImmediate", "setTimeout(5)"].map((name) => takenOver.count(name))).toEqual([1, 2, 1, 3]);
  expect(new TakenOver({ seed: 7, realIoBefore }).count("setTimeout(5)")).toBe(1);
});

test("a timer is found by its number, which none of the platform's has", () => {
  const takenOver = new TakenOver({ seed: 7, realIoBefore });
  expect(takenOver.timerWithId(1)).toBeUndefined();
  const [first, second] = [{}, {}];
  const ids = [takenOver.idFor(first), takenOver.idFor(second)];
  expect(ids.map((id) => takenOver.timerWithId(id))).toEqual([first, second]);
  expect(takenOver.timerWithId(ids[0] ?? 0)).toBe(first);
  expect(takenOver.timerWithId(7)).toBeUndefined();
  expect(ids.every((id) => Number.isSafeInteger(id) && id > 2 ** 32)).toBe(true);
});

test("its randomness is the same for the same seed, and none without one, of which somebody is told", () => {
  const draw = (seed: number): readonly number[] => {
    const { random } = new TakenOver({ seed, realIoBefore });
    return [1, 2, 3].map(() => random?.below(1_000_000) ?? -1);
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  const told: string[] = [];
  const without = new TakenOver({ seed: undefined, realIoBefore, onUnseeded: (what) => told.push(what) });
  expect(without.random).toBeUndefined();
  without.noteUnseeded("Math.random()");
  expect(told).toEqual(["Math.random()"]);
});
