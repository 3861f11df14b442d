/** `heddle replay`: runs one recorded failure again. */
import { BadInputError, HeddleError } from "../errors/errors.js";
import { VARIABLES } from "../explore/environment.js";
import { loopInvariants } from "../invariant/loop-invariants.js";
import type { Failure } from "../store/failure.js";
import { loadScenario } from "../store/load-scenario.js";
import { type Replay, replayGraph, replayScenario } from "../store/replay-failure.js";
import { FAILURES_FOLDER, latestFailure, openFailure } from "../store/reports.js";
import { formatTrace } from "../trace/trace.js";
import { EXIT } from "./exit-codes.js";
import { loadRunner } from "./load-runner.js";

interface ReplayOptions {
  readonly project: string;
  readonly fileOrToken: string | undefined;
  /** Print the trace in the place of the report. */
  readonly trace: boolean;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

/**
 * Answers the exit code: 0 when what was broken holds now, 1 when it is broken again. Throws BadInputError for a file or token that
 * cannot be used, and HeddleError with the code of a divergence when the program left the recorded schedule.
 */
export async function runReplay({ project, fileOrToken, trace, print, warn }: ReplayOptions): Promise<number> {
  const wanted = fileOrToken ?? latestFailure(project);
  if (wanted === undefined) throw new BadInputError(`there is no failure to replay: ${FAILURES_FOLDER} holds none`);
  const { path, failure } = openFailure(project, wanted);
  if (fileOrToken === undefined) warn(`Replaying ${path}, the failure that was written last.`);
  const replayed = await replayIt(project, path, wanted, failure);
  if (trace) print(replayed.trace);
  // Of a scenario that held there is nothing to see.
  else if (replayed.report !== "") print(`${replayed.report}\n`);
  if (replayed.isBroken) {
    const recorded = formatTrace(failure.trace);
    // The original of a failure has no recorded trace to compare with.
    const comparison =
      recorded === ""
        ? ""
        : replayed.trace === recorded
          ? ", with the very trace that was recorded"
          : ", with another trace than was recorded";
    warn(`${path}: failed again${comparison}.`);
    return EXIT.failed;
  }
  warn(`${path}: held. Broken was: ${failure.error.invariant ?? failure.error.kind}: ${failure.error.message}`);
  return EXIT.held;
}

/** Runs the failure again, wherever what failed can be run. */
async function replayIt(project: string, path: string, wanted: string, failure: Failure): Promise<Replay> {
  const { program, test } = failure;
  switch (program.kind) {
    case "test":
      return await replayInTest(project, path, wanted, program);
    case "module":
      return await replayScenario(failure, await loadScenario(program.file, project));
    case "graph":
      if (test !== undefined) return await replayInTest(project, path, wanted, { kind: "property", ...test });
      return await replayGraph(failure, program.graph, invariantOf(path, failure));
  }
}

/** The invariant that was broken; undefined where the graph itself failed. */
function invariantOf(path: string, { error }: Failure): (typeof loopInvariants)[number] | undefined {
  if (error.invariant === undefined) return undefined;
  const invariant = loopInvariants.find(({ name }) => name === error.invariant);
  if (invariant !== undefined) return invariant;
  throw new BadInputError(
    `${path}: error.invariant: ${JSON.stringify(error.invariant)} is none of heddle's own, and the file names no test that knows it; run that test with ${VARIABLES.replay}=${path}`,
  );
}

/** A test of vitest that can run a failure: one that explores, or a property, which alone knows the invariant that was broken. */
interface ReplayingTest {
  readonly kind: "test" | "property";
  readonly file: string;
  readonly name: string;
}

async function replayInTest(project: string, path: string, wanted: string, test: ReplayingTest): Promise<Replay> {
  Object.assign(process.env, { [VARIABLES.replay]: wanted, [VARIABLES.only]: "" });
  const { file, name } = test;
  const { tests, loadErrors } = await (await loadRunner("replay")).runOneTest(project, test);
  const [problem] = loadErrors;
  if (problem !== undefined) throw new BadInputError(problem);
  // Several may have the name; those that know nothing of the failure are skipped, and others say why they could not run it.
  const [ran] = tests.toSorted((a, b) => Number(b.replay !== undefined) - Number(a.replay !== undefined));
  if (ran === undefined) {
    const what = test.kind === "property" ? " any more that holds the invariant that was broken" : " any more that explores";
    throw new BadInputError(`${path}: test: ${file} has no test ${JSON.stringify(name)}${what}`);
  }
  if (ran.replay === undefined) throw new BadInputError(`${path}: ${file} > ${name}: ${ran.errors[0] ?? "did not run the failure"}`);
  if ("divergence" in ran.replay) throw new HeddleError("HEDDLE_DIVERGENCE", ran.replay.divergence);
  return ran.replay;
}
