import fc from "fast-check";
import { expect, test } from "vitest";
import { type StoredDecision, unpackDecisions } from "./ready-lists.js";
import type { ReadyTask } from "./strategy.js";

/** More places than are unpacked at once, so that lists are made when they are asked for. */
const TOO_MANY = Number.POSITIVE_INFINITY;

/** Decisions of which some continue the one before and others list all that is ready. */
const anyStored = fc
  .array(fc.record({ continues: fc.boolean(), newcomers: fc.nat({ max: 3 }), draw: fc.nat() }), { minLength: 1 })
  .map((drawn) => {
    const stored: StoredDecision[] = [];
    const expected: { ready: ReadyTask[]; index: number }[] = [];
    for (const [place, { continues: wished, newcomers, draw }] of drawn.entries()) {
      const before = expected.at(-1);
      const left = before?.ready.toSpliced(before.index, 1) ?? [];
      const continues = wished && place > 0;
      const length = continues && left.length > 0 ? newcomers : newcomers + 1;
      const listed = Array.from({ length }, (_, at) => ({ name: `t${place}`, operation: String(at) }));
      const ready = continues ? [...left, ...listed] : listed;
      const index = draw % ready.length;
      stored.push({ continues, listed, index });
      expected.push({ ready, index });
    }
    return { stored, expected };
  });

test("lists are the same whether they are unpacked at once or one at a time, in any order", () => {
  fc.assert(
    fc.property(anyStored, fc.array(fc.nat()), ({ stored, expected }, draws) => {
      expect(unpackDecisions(stored, 0)).toEqual(expected);
      expect(unpackDecisions(stored, TOO_MANY)).toEqual(expected);
      const oneAtATime = unpackDecisions(stored, TOO_MANY);
      for (const draw of draws) expect(oneAtATime[draw % stored.length]).toEqual(expected[draw % stored.length]);
    }),
    { seed: 7 },
  );
});

test("no decisions are no lists", () => {
  expect(unpackDecisions([], 0)).toEqual([]);
});
