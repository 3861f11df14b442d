/**
 * A property of one's own, from nothing but the public entries. It takes three things: a program with something random about it, an
 * order to run it in, and what must hold whatever the two are. fast-check makes both small when it does not hold.
 */
import * as fc from "fast-check";
import { gather, run, sleep } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";

const parameters = (numRuns: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: Math.max(5, Math.ceil((numRuns * Number(process.env["HEDDLE_RUNS"] ?? 10_000)) / 10_000)),
  seed: Number(process.env["HEDDLE_SEED"] ?? 7) | 0,
});

/** What one worker does: it takes so many turns, sleeps so long, and then answers or fails. */
const worker = fc.record({ turns: fc.nat(3), sleepMs: fc.nat(20), fails: fc.boolean() });

test("the results of gather stand in the order of its arguments, whatever the order of completion", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(worker, { maxLength: 6 }), schedule(), async (workers, strategy) => {
      const completed: number[] = [];
      // Virtual time: the sleeps of a thousand runs take no real time at all.
      const outcomes = await run(
        () =>
          gather(
            workers.map(({ turns, sleepMs, fails }, index) => async () => {
              for (let turn = 0; turn < turns; turn++) await sleep(0);
              await sleep(sleepMs);
              completed.push(index);
              if (fails) throw new Error(`worker ${index}`);
              return index;
            }),
            { returnExceptions: true },
          ),
        { strategy },
      );
      expect(outcomes).toEqual(workers.map(({ fails }, index) => (fails ? new Error(`worker ${index}`) : index)));
      // The order of completion, on the other hand, is that of the sleeps, and up to the schedule where those are equal.
      const sleeps = completed.map((index) => workers[index]?.sleepMs ?? 0);
      expect(sleeps).toEqual(sleeps.toSorted((a, b) => a - b));
    }),
    parameters(1_000),
  );
});
