/** Barriers under every schedule: one generation after the other, and nobody left behind by a cancellation, a reset or an abort. */
import * as fc from "fast-check";
import { Barrier, BrokenBarrierError } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import { cancellations, finish, parameters, pause, runProgram, settle, start, take } from "./small-programs.js";

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

// Here nothing is said about places: as in asyncio a place is how many are inside, so one who comes after another was cancelled gets the
// place of one who is still there.
test("whoever is cancelled, and however often it is reset or aborted, nobody hangs in a barrier, and a reset makes it new", async () => {
  const breaking = fc.record({ after: pause, how: fc.constantFrom("reset" as const, "abort" as const) });
  const program = fc.record({
    parties: fc.integer({ min: 1, max: 4 }),
    visitors: fc.array(fc.array(pause, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 7 }),
    breakers: fc.array(breaking, { maxLength: 2 }),
    last: fc.constantFrom("reset" as const, "abort" as const),
    cancellations,
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ parties, visitors, breakers, last, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const barrier = new Barrier(parties);
        const inside = new Set<number>();
        let passed = 0;
        let broken = 0;
        const visiting = start(
          visitors.map((pauses, index) => async () => {
            for (const before of pauses) {
              await take(before);
              inside.add(index);
              try {
                await barrier.wait();
                passed++;
              } catch (error) {
                if (!(error instanceof BrokenBarrierError)) throw error;
                broken++;
              } finally {
                inside.delete(index);
              }
            }
          }),
          cancelling,
        );
        const breakingIt = start(
          breakers.map(({ after, how }) => async () => {
            await take(after);
            await barrier[how]();
            expect([barrier.broken, barrier.nWaiting]).toEqual([how === "abort", 0]);
          }),
        );
        await settle();
        // Whoever is left waits for others to come, and not for a wake-up that went elsewhere.
        expect(inside.size).toBe(barrier.nWaiting);
        expect(barrier.nWaiting).toBeLessThan(parties);
        if (breakers.length === 0) expect(broken).toBe(0);
        if (breakers.length === 0 && cancelling.length === 0) expect(passed % parties).toBe(0);

        // They may come again, so it takes as many rounds as a visitor makes, and one that nobody is left for.
        for (let round = 0; round < 3; round++) {
          const brokenBefore = broken;
          const waiting = inside.size;
          await barrier[last]();
          await settle();
          expect(broken).toBeGreaterThanOrEqual(brokenBefore + waiting);
          if (last === "abort") expect(inside.size).toBe(0);
        }
        await finish([...visiting, ...breakingIt]);

        if (last === "abort") await expect(start([() => barrier.wait()])[0]).rejects.toThrow(BrokenBarrierError);
        await barrier.reset();
        const fresh = start(places(parties).map(() => () => barrier.wait()));
        await finish(fresh);
        expect(fresh.map((task) => task.result()).sort()).toEqual(places(parties));
      });
    }),
    parameters(1_000),
  );
});
