/** Dpor against exhaustive search, on random programs of a model of the loop (fixtures/search/model.ts). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classOf, Ids, type Op, type Program, Run } from "../../fixtures/search/model.js";
import type { Strategy } from "../schedule/strategy.js";
import { dpor } from "./dpor.js";
import { exhaustive } from "./exhaustive.js";

interface Explored {
  readonly runs: number;
  readonly isComplete: boolean;
  readonly mostPreemptions: number;
  readonly outcomes: ReadonlySet<string>;
  readonly classes: ReadonlySet<string>;
}

/** All runs that a strategy makes of a program, undefined when there are more than `maxRuns`. */
function exploreProgram(
  program: Program,
  strategy: Strategy,
  { ids = new Ids(), maxRuns = 2_000, maxSteps = 50 } = {},
): Explored | undefined {
  const [outcomes, classes] = [new Set<string>(), new Set<string>()];
  let mostPreemptions = 0;
  for (let runs = 0; ; runs++) {
    if (!strategy.begin(runs)) return { runs, isComplete: strategy.leavesOut !== true, mostPreemptions, outcomes, classes };
    if (runs >= maxRuns) return undefined;
    const run = new Run(strategy, ids, program, maxSteps).run();
    outcomes.add(run.outcome);
    classes.add(classOf(run));
    mostPreemptions = Math.max(mostPreemptions, run.preemptions);
    strategy.end?.({ run: runs, failed: false, steps: run.records.length, isCutOff: run.isCutOff });
  }
}

const variable = fc.integer({ min: 1, max: 4 });
const lock = fc.nat(1);

/** Bodies of tasks of so many operations at most, out of what `extra` gives besides reads, writes, branches and turns. */
function bodies(extra: readonly fc.Arbitrary<readonly Op[]>[], maxLength: number): fc.Arbitrary<readonly Op[]> {
  const simple: fc.Arbitrary<Op> = fc.oneof(
    fc.tuple(fc.constant("read" as const), variable),
    fc.tuple(fc.constant("write" as const), variable, fc.integer({ min: 1, max: 2 })),
    fc.tuple(fc.constant("add" as const), variable),
    fc.constant(["turn"] as const),
  );
  const branch: fc.Arbitrary<Op> = fc.tuple(
    fc.constant("if" as const),
    variable,
    fc.nat(1),
    fc.array(simple, { maxLength: 2 }),
    fc.array(simple, { maxLength: 2 }),
  );
  const part: fc.Arbitrary<readonly Op[]> = fc.oneof(
    { weight: 4, arbitrary: simple.map((op) => [op]) },
    { weight: 3, arbitrary: branch.map((op) => [op]) },
    ...extra.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return fc.array(part, { minLength: 1, maxLength }).map((parts) => parts.flat());
}

const locking = lock.map((number): readonly Op[] => [["acquire", number], ["turn"], ["release", number]]);
const trying = lock.map((number): readonly Op[] => [
  ["acquire", number],
  ["add", number + 1],
  ["release", number],
]);
const spawning = bodies([], 2).map((body): readonly Op[] => [["spawn", body]]);
const sleeping = fc.integer({ min: 1, max: 2 }).map((delayMs): readonly Op[] => [["sleep", delayMs]]);
const hiding = fc.integer({ min: 1, max: 2 }).map((value): readonly Op[] => [["hidden", value]]);
const counting = fc.constant<readonly Op[]>([["count"]]);
const looking = fc.tuple(fc.nat(2), bodies([counting], 2)).map(([value, body]): readonly Op[] => [["look", value, body]]);
const stopping = fc.constant<readonly Op[]>([["stop"]]);
const calling = bodies([], 2).map((body): readonly Op[] => [["later", body]]);
const cancelling = fc.constant<readonly Op[]>([["cancel"]]);
const waiting = fc.nat(3).map((maxMs): readonly Op[] => [["io", maxMs]]);

const programs = (extra: readonly fc.Arbitrary<readonly Op[]>[], maxTasks: number, maxLength: number): fc.Arbitrary<Program> =>
  fc.array(bodies(extra, maxLength), { minLength: 2, maxLength: maxTasks });

/** Compares all runs of both searches on random programs. */
function compare(
  arbitrary: fc.Arbitrary<Program>,
  judge: (ours: Explored, theirs: Explored) => void,
  options: { readonly maxSteps?: number } = {},
): void {
  fc.assert(
    fc.property(arbitrary, (program) => {
      const ids = new Ids(); // the same step has the same number in both
      const theirs = exploreProgram(program, exhaustive(), { ...options, ids });
      fc.pre(theirs !== undefined);
      const ours = exploreProgram(program, dpor(), { ...options, ids, maxRuns: theirs.runs + 1 });
      expect(ours).toBeDefined();
      judge(ours!, theirs);
      if (options.maxSteps !== undefined && !ours!.isComplete) return;
      expect([...ours!.outcomes].sort()).toEqual([...theirs.outcomes].sort());
      expect([...ours!.classes].sort()).toEqual([...theirs.classes].sort());
      expect(ours!.isComplete).toBe(true);
    }),
    { numRuns: 60, seed: 7, maxSkipsPerRun: 1_000 },
  );
}

const runsOnePerClass = ({ runs, classes }: Explored): void => {
  expect(runs).toBe(classes.size);
};

describe("on random programs it sees every outcome and every class of exhaustive search", () => {
  test("with one run per class where steps read, write, lock, spawn and sleep", () => {
    compare(programs([locking, trying, spawning, sleeping], 4, 4), runsOnePerClass);
  });
  test("variables only", () => {
    compare(programs([], 4, 4), runsOnePerClass);
  });
  test("where steps count something, which commutes, and look at the count", () => {
    compare(programs([counting, looking, looking], 4, 4), runsOnePerClass);
  });
  test("where some steps tell nothing of what they do", () => {
    compare(programs([hiding, hiding, locking, sleeping], 4, 4), runsOnePerClass);
  });
  test("where a step may end the run", () => {
    compare(programs([stopping, locking, spawning], 4, 4), () => {});
  });
  test("where runs are cut off", () => {
    compare(programs([locking], 3, 5), () => {}, { maxSteps: 6 });
  });
  test("where what is ready may be taken away", () => {
    compare(programs([calling, cancelling, cancelling, locking], 4, 4), () => {});
  });
  test("with gates, batches and a clock", () => {
    compare(programs([waiting, waiting, sleeping, hiding], 3, 4), () => {});
  });
});

describe("with a bound on preemptions, on random programs", () => {
  test.each([0, 1, 2])(
    "no run has more than %i, no two are of one class, and nothing is missed where nothing was left out",
    (preemptions) => {
      let complete = 0;
      fc.assert(
        fc.property(programs([locking, trying, spawning, sleeping], 3, 4), (program) => {
          const ids = new Ids();
          const every = exploreProgram(program, dpor(), { ids });
          const some = exploreProgram(program, dpor({ preemptions }), { ids });
          fc.pre(every !== undefined && some !== undefined);
          expect(some.mostPreemptions).toBeLessThanOrEqual(preemptions);
          expect(some.classes.size).toBe(some.runs);
          expect([...every.classes]).toEqual(expect.arrayContaining([...some.classes]));
          if (some.isComplete) complete++;
          if (some.isComplete) expect(some.runs).toBe(every.runs);
        }),
        { numRuns: 150, seed: 7 },
      );
      expect(complete).toBeGreaterThan(20);
      expect(complete).toBeLessThan(150);
    },
  );
});
