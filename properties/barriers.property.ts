/** Barriers under every schedule: one generation after the other, and nobody left behind by a cancellation, a reset or an abort. */
import * as fc from "fast-check";
import { Barrier, BrokenBarrierError } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import {
  cancellations,
  finish,
  type Pause,
  parameters,
  pause,
  runProgram,
  settle,
  start,
  startUntouched,
  take,
  troubledPause,
  watch,
} from "./small-programs.js";

/** The places that a whole generation gets. */
const places = (parties: number): number[] => Array.from({ length: parties }, (_, place) => place);

test("a generation has left before the next one passes, and each place is given once in it", async () => {
  const program = fc.record({
    parties: fc.integer({ min: 1, max: 4 }),
    generations: fc.integer({ min: 1, max: 3 }),
    // Either the same tasks come again, perhaps before the others have left, or every generation is made of whoever comes first.
    isOfRegulars: fc.boolean(),
    pauses: fc.array(pause, { minLength: 1, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ parties, generations, isOfRegulars, pauses }, strategy) => {
      const passed: number[] = [];
      await runProgram(strategy, async () => {
        const barrier = new Barrier(parties);
        let arrived = 0;
        const comeAndPass = async (visit: number): Promise<number> => {
          await take(pauses[visit % pauses.length]!);
          arrived++;
          const place = await barrier.wait();
          const generation = Math.floor(passed.length / parties);
          passed.push(place);
          expect(arrived).toBeGreaterThanOrEqual((generation + 1) * parties);
          expect(barrier.nWaiting).toBeLessThan(parties);
          return generation;
        };
        const visits = places(parties * generations);
        const oneTimers = visits.map((visit) => () => comeAndPass(visit));
        const regulars = places(parties).map((party) => async () => {
          for (let round = 0; round < generations; round++) expect(await comeAndPass(round * parties + party)).toBe(round);
        });
        await finish(start(isOfRegulars ? regulars : oneTimers));
        expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]);
      });
      for (let begin = 0; begin < passed.length; begin += parties) {
        expect(passed.slice(begin, begin + parties).sort()).toEqual(places(parties));
      }
    }),
    parameters(1_000),
  );
});

interface Visit {
  ending: "waits" | "passed" | "broken" | "cancelled";
}

// Here nothing is said about places: as in asyncio a place is how many are inside, so one who comes after another was cancelled gets the
// place of one who is still there.
test("whoever is cancelled, and however often it is reset or aborted, nobody hangs in a barrier, and a reset makes it new", async () => {
  const breaking = fc.record({ after: pause, how: fc.constantFrom("reset" as const, "abort" as const) });
  const program = fc.record({
    parties: fc.integer({ min: 1, max: 4 }),
    visitors: fc.array(fc.array(troubledPause, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 7 }),
    breakers: fc.array(breaking, { maxLength: 2 }),
    last: fc.constantFrom("reset" as const, "abort" as const),
    cancellations,
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ parties, visitors, breakers, last, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const barrier = new Barrier(parties);
        const visits: Visit[] = [];
        const visitOnce = async (before: Pause): Promise<void> => {
          await take(before);
          const visit: Visit = { ending: "waits" };
          visits.push(visit);
          try {
            await barrier.wait();
            visit.ending = "passed";
          } catch (error) {
            visit.ending = error instanceof BrokenBarrierError ? "broken" : "cancelled";
            if (visit.ending === "cancelled") throw error;
          }
        };
        const visiting = start(
          visitors.map((pauses) => async () => {
            for (const before of pauses) await visitOnce(before);
          }),
          cancelling,
        );
        const countOf = (ending: Visit["ending"]): number => visits.filter((visit) => visit.ending === ending).length;
        const breakingIt = startUntouched(
          breakers.map(({ after, how }) => async () => {
            await take(after);
            await barrier[how]();
            expect([barrier.broken, barrier.nWaiting]).toEqual([how === "abort", 0]);
          }),
        );
        await watch(() => {
          // Whoever is left waits for others to come, and not for a wake-up that went elsewhere.
          if (countOf("waits") !== barrier.nWaiting) throw new Error("somebody waits, and not for others to come");
          if (barrier.nWaiting >= parties) throw new Error("enough have come, and they wait");
        });
        if (breakers.length === 0) {
          expect(countOf("broken")).toBe(0);
          if (countOf("cancelled") === 0) expect(countOf("passed") % parties).toBe(0);
        }

        // They may come again, so it takes as many rounds as a visitor makes, and one that nobody is left for.
        for (let round = 0; round < 3; round++) {
          const waiting = visits.filter(({ ending }) => ending === "waits");
          await barrier[last]();
          await settle();
          expect(waiting.filter(({ ending }) => ending === "waits" || ending === "passed")).toEqual([]);
          if (last === "abort") expect(countOf("waits")).toBe(0);
        }
        await finish([...visiting, ...breakingIt]);

        if (last === "abort") await expect(startUntouched([() => barrier.wait()])[0]).rejects.toThrow(BrokenBarrierError);
        await barrier.reset();
        const fresh = startUntouched(places(parties).map(() => () => barrier.wait()));
        await finish(fresh);
        expect(fresh.map((task) => task.result()).sort()).toEqual(places(parties));
      });
    }),
    parameters(1_000),
  );
});
