/**
 * Invariants as a test of vitest: random graphs, random schedules, and a failure that is small, kept, and readable.
 */
import type * as fc from "fast-check";
import { type TestContext, test } from "vitest";
import type { CheckOptions, CheckProgress, CheckResult, InvariantFailure } from "../arbitrary/check-invariants.js";
import { BadInputError, HeddleError } from "../errors/errors.js";
import { fromEnvironment, parseRuns, parseSeed } from "../explore/environment.js";
import type { Invariant } from "../invariant/invariant.js";
import { loopInvariants } from "../invariant/loop-invariants.js";
import { freshSeed, realNowMs } from "../loop/host.js";
import { renderFailure } from "../report/failure-text.js";
import type { Strategy } from "../schedule/strategy.js";
import { encodeSchedule } from "../schedule/token.js";
import type { Failure } from "../store/failure.js";
import { replayGraph } from "../store/replay-failure.js";
import { openFailure, writeFailure } from "../store/reports.js";
import { strategyNamed } from "../strategy/named.js";
import { DivergenceError } from "../strategy/replay.js";
import { loadFastCheck } from "./fast-check.js";
import { type InvariantTestMeta, PROGRESS_ANNOTATION } from "./protocol.js";

export type InvariantTestOptions = Pick<CheckOptions, "graphs" | "schedules" | "invariants" | "runs" | "seed">;

/** How often progress is told, in milliseconds of real time. */
const PROGRESS_INTERVAL_MS = 100;

/**
 * A test that holds random task graphs under random schedules against invariants. What fails is made small, written to
 * `reports/failures/` and shown with a timeline and the command that replays it. An invariant that no run put to the test fails too.
 *
 * `HEDDLE_RUNS`, `HEDDLE_SEED` and `HEDDLE_STRATEGY` override the options; with `HEDDLE_REPLAY` (a token or a failure file) only that
 * failure is run, by the tests that hold what it broke.
 *
 * @example
 * testInvariants("the loop keeps its promises", { runs: 2_000 });
 * @since 0.1.0
 */
export function testInvariants(name: string, options: InvariantTestOptions = {}): void {
  const { invariants = loopInvariants } = options;
  const only = fromEnvironment("only");
  const selected = only === undefined || name.includes(only) ? invariants : invariants.filter((invariant) => invariant.name.includes(only));
  // The selected invariants stand in the name, so that vitest's own filter, which sees only names, lets the test through.
  const shownName = selected === invariants ? name : `${name} [${selected.map((invariant) => invariant.name).join(", ")}]`;
  // No time limit: a check is bounded by its number of runs.
  test(shownName, { timeout: 0 }, async (context) => {
    const replayed = fromEnvironment("replay");
    const id = {
      file: context.task.file.name,
      name: context.task.fullTestName.slice(0, context.task.fullTestName.length - shownName.length) + name,
    };
    if (selected.length === 0) context.skip("HEDDLE_ONLY names another test");
    if (replayed !== undefined) await replay(context, id, replayed, selected);
    else await check(context, id, options, selected);
  });
}

/** A test, as a failure file names it: its file relative to the project, and its name behind those of its suites. */
type TestId = NonNullable<Failure["test"]>;

async function check(context: TestContext, id: TestId, options: InvariantTestOptions, invariants: readonly Invariant[]): Promise<void> {
  const runs = fromEnvironment("runs");
  const seed = fromEnvironment("seed");
  const strategy = fromEnvironment("strategy");
  const chosenSeed = seed === undefined ? (options.seed ?? freshSeed()) : parseSeed(seed, "HEDDLE_SEED");
  // Whoever takes another function of this entry need not have fast-check.
  const fastCheck = await loadFastCheck();
  const { checkInvariants, DEFAULT_RUNS } = await import("../arbitrary/check-invariants.js");
  const result = await checkInvariants({
    ...(options.graphs && { graphs: options.graphs }),
    ...(strategy === undefined
      ? options.schedules && { schedules: options.schedules }
      : { schedules: strategiesNamed(strategy, fastCheck) }),
    invariants,
    runs: runs === undefined ? (options.runs ?? DEFAULT_RUNS) : parseRuns(runs, "HEDDLE_RUNS"),
    seed: chosenSeed,
    signal: context.signal,
    ...(fromEnvironment("progress") !== undefined && { onProgress: tellProgress(context, chosenSeed, invariants) }),
  });
  const kept = result.failure && keep(result.failure, id);
  context.task.meta.heddle = metaOf(result, invariants, kept);
  if (kept !== undefined) throw failureError(kept.text);
  if (!result.isComplete) return;
  const idle = invariants.filter((invariant) => (result.exercised[invariant.name] ?? 0) === 0);
  if (idle.length > 0) {
    throw failureError(
      `No run put to the test: ${idle.map((invariant) => invariant.name).join(", ")} (${result.runs} runs, seed ${result.seed}). ` +
        "The graphs never come to what the invariant is about: draw others, or more of them.",
    );
  }
}

function strategiesNamed(name: string, { nat, noShrink }: typeof fc): fc.Arbitrary<Strategy> {
  strategyNamed(name, 0);
  return noShrink(nat()).map((seed) => strategyNamed(name, seed));
}

/**
 * Progress goes to the command through annotations, which vitest sends on while the test still runs; and into the meta, because vitest
 * ends a test that is interrupted before the check can answer.
 */
function tellProgress(context: TestContext, seed: number, invariants: readonly Invariant[]): (progress: CheckProgress) => void {
  let lastMs = 0;
  return (progress) => {
    const nowMs = realNowMs();
    if (nowMs - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = nowMs;
    if (context.signal.aborted) return;
    context.task.meta.heddle = metaOf({ ...progress, seed, isComplete: false, failure: undefined }, invariants, undefined);
    void context.annotate(JSON.stringify(progress), PROGRESS_ANNOTATION);
  };
}

interface Kept {
  readonly text: string;
  /** Undefined when the file could not be written; the text says so. */
  readonly file: string | undefined;
}

/** Writes the failure file, and words the failure. */
function keep({ invariant, message, run, graph, original, originalGraph, seed, reruns }: InvariantFailure, test: TestId): Kept {
  const token = encodeSchedule(run.schedule);
  const failure: Omit<Failure, "replay"> = {
    version: 1,
    program: { kind: "graph", graph: { ...graph } },
    ...(!loopInvariants.includes(invariant) && { test }),
    seed,
    strategy: fromEnvironment("strategy") ?? (run.schedule.housekeeping === "inline" ? "fifo" : "seeded"),
    options: {},
    schedule: token,
    original: { program: { kind: "graph", graph: { ...originalGraph } }, schedule: encodeSchedule(original.run.schedule) },
    error: { kind: "invariant", invariant: invariant.name, message },
    trace: [...run.trace] as Failure["trace"],
  };
  let file: string | undefined;
  let replay: string;
  try {
    file = writeFailure(process.cwd(), failure);
    replay = `npx heddle replay ${file}`;
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    replay = `not possible from a file, because ${error.message}\n  its schedule: ${token}`;
  }
  const size = `made small in ${reruns} reruns, from ${originalGraph.tasks.length} tasks and ${original.run.steps.length} steps to ${graph.tasks.length} and ${run.steps.length}`;
  const text = renderFailure({ sentence: `${invariant.name}: ${invariant.sentence}`, message, graph, trace: run.trace, replay });
  return { text: `${text}\n(${size}; seed ${seed})`, file };
}

function metaOf(
  { seed, isComplete, failure: _failure, ...progress }: CheckResult,
  invariants: readonly Invariant[],
  kept: Kept | undefined,
): InvariantTestMeta {
  return {
    progress,
    seed,
    isComplete,
    sentences: Object.fromEntries(invariants.map((invariant) => [invariant.name, invariant.sentence])),
    ...(kept?.file !== undefined && { failureFile: kept.file }),
    ...(kept !== undefined && { failure: kept.text }),
  };
}

/** Runs a recorded failure again. It passes when what was broken holds now; a test that knows nothing of what was broken is skipped. */
async function replay(context: TestContext, id: TestId, fileOrToken: string, invariants: readonly Invariant[]): Promise<void> {
  const { path, failure } = openFailure(process.cwd(), fileOrToken);
  const { program, test: recorder, error } = failure;
  const isOther = recorder !== undefined && (recorder.file !== id.file || recorder.name !== id.name);
  const invariant = invariants.find((candidate) => candidate.name === error.invariant);
  if (program.kind !== "graph" || isOther || invariant === undefined) return context.skip(`${path} is a failure of another test`);
  try {
    const replayed = await replayGraph(failure, program.graph, invariant);
    context.task.meta.heddleReplay = replayed;
    if (replayed.isBroken) throw failureError(replayed.report);
  } catch (thrown) {
    if (thrown instanceof DivergenceError) context.task.meta.heddleReplay = { divergence: thrown.message };
    throw thrown;
  }
}

/** An error whose message is the whole report: the stack of this file would only hide it. */
function failureError(text: string): HeddleError {
  const error = new HeddleError("HEDDLE_INVARIANT", text);
  error.stack = `${error.name}: ${text}`;
  return error;
}
