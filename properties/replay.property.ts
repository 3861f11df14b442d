/** What was run once can be run again: a schedule survives its token, and a replay gives the recorded trace, byte for byte. */
import * as fc from "fast-check";
import {
  decodeSchedule,
  encodeSchedule,
  explore,
  following,
  formatTrace,
  type Granularity,
  random,
  replay,
  runTaskGraph,
  type Schedule,
} from "heddle";
import { schedule, taskGraph } from "heddle/arbitraries";
import { expect, test } from "vitest";

/** `HEDDLE_RUNS` is for the main check, which makes 10,000 by default; what is given here grows and shrinks with it. */
const parameters = (numRuns: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: Math.max(5, Math.ceil((numRuns * Number(process.env["HEDDLE_RUNS"] ?? 10_000)) / 10_000)),
  seed: Number(process.env["HEDDLE_SEED"] ?? 7) | 0,
});

test("a schedule of a random run of a random graph is the same after it went through its token", async () => {
  await fc.assert(
    fc.asyncProperty(taskGraph(), schedule(), fc.nat(), async (graph, strategy, seed) => {
      const run = await runTaskGraph(graph, { strategy, seed });
      const token = encodeSchedule(run.schedule);
      expect(token).toMatch(/^hd1\.[\w-]+$/);
      expect(decodeSchedule(token)).toEqual(run.schedule);
    }),
    parameters(500),
  );
});

test("any schedule is, whatever the names in it", () => {
  const ready = fc.array(fc.record({ name: fc.string({ unit: "binary" }), operation: fc.string() }), { minLength: 1, maxLength: 5 });
  const decision = ready.chain((tasks) => fc.record({ ready: fc.constant(tasks), index: fc.nat(tasks.length - 1) }));
  const anySchedule: fc.Arbitrary<Schedule> = fc.record({
    version: fc.constant(1 as const),
    seed: fc.nat(0xffff_ffff),
    granularity: fc.constantFrom<Granularity>("event", "await"),
    ioLatencyMs: fc.nat(),
    housekeeping: fc.constantFrom("inline" as const, "eager" as const),
    decisions: fc.array(decision),
  });
  fc.assert(
    fc.property(anySchedule, (one) => {
      expect(decodeSchedule(encodeSchedule(one))).toEqual(one);
    }),
    parameters(500),
  );
});

test("a random graph under a random schedule gives the same trace when the schedule is replayed", async () => {
  await fc.assert(
    fc.asyncProperty(taskGraph(), schedule(), async (graph, strategy) => {
      const first = await runTaskGraph(graph, { strategy });
      const recorded = following(first.schedule);
      const again = await runTaskGraph(graph, { strategy: recorded });
      recorded.requireComplete();
      expect(formatTrace(again.trace)).toBe(formatTrace(first.trace));
      expect(again.schedule).toEqual(first.schedule);
    }),
    parameters(1_000),
  );
});

test("a failure that an exploration found comes back from its token, the smallest as well as the first", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 4 }), async (seed, workers) => {
      const lostUpdate = async ({ gather, sleep }: Parameters<Parameters<typeof explore>[0]>[0]): Promise<void> => {
        let total = 0;
        const worker = async (): Promise<void> => {
          const before = total;
          await sleep(0);
          total = before + 1;
        };
        await gather(Array.from({ length: workers }, () => worker));
        if (total < workers) throw new Error("an update was lost");
      };
      // One run loses none with probability 1/2 or less, so all 50 do with p < 1e-15.
      const { failure } = await explore(lostUpdate, { runs: 50, seed, strategy: random(seed) });
      expect(failure?.kind).toBe("error");
      for (const token of [failure?.schedule ?? "", failure?.original ?? ""]) {
        const again = await replay(lostUpdate, token);
        expect(again.failure).toMatchObject({ kind: "error", schedule: token, error: failure?.error });
      }
    }),
    parameters(15),
  );
});
