/** `heddle replay`: runs one recorded failure again. */
import { isAbsolute, join } from "node:path";
import { BadInputError } from "../errors/errors.js";
import { checkTaskGraph } from "../graph/check.js";
import { placeGraph } from "../graph/interpret.js";
import { judgeNow } from "../invariant/judge.js";
import { loopInvariants } from "../invariant/loop-invariants.js";
import { inMacrotask, takeTurn } from "../loop/run.js";
import { renderFailure } from "../report/failure-text.js";
import { renderTimeline } from "../report/timeline.js";
import { decodeSchedule, looksLikeToken } from "../schedule/token.js";
import type { Failure } from "../store/failure.js";
import { readFailure } from "../store/read-file.js";
import { FAILURES_FOLDER, findFailureByToken, latestFailure } from "../store/reports.js";
import { following } from "../strategy/replay.js";
import { formatTrace } from "../trace/trace.js";
import { EXIT } from "./exit-codes.js";

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
 * cannot be used, DivergenceError when the program left the recorded schedule.
 */
export async function runReplay({ project, fileOrToken, trace, print, warn }: ReplayOptions): Promise<number> {
  const path = findFile(project, fileOrToken);
  if (fileOrToken === undefined) warn(`Replaying ${path}, the failure that was written last.`);
  const failure = readFailure(isAbsolute(path) ? path : join(project, path));
  if (failure.program.kind === "test") throw new BadInputError(`${path}: is a failure of the test ${JSON.stringify(failure.program.name)} in ${failure.program.file}; run that with HEDDLE_REPLAY=${path}`);
  return await replayGraph(path, failure, failure.program.graph, { trace, print, warn });
}

async function replayGraph(
  path: string,
  failure: Failure,
  graphData: unknown,
  { trace, print, warn }: Pick<ReplayOptions, "trace" | "print" | "warn">,
): Promise<number> {
  const graph = checkTaskGraph(graphData);
  const invariant = loopInvariants.find(({ name }) => name === failure.error.invariant);
  if (invariant === undefined) throw new BadInputError(`${path}: error.invariant: ${JSON.stringify(failure.error.invariant)} is not known to this heddle`);
  const release = await takeTurn("replay");
  const strategy = following(decodeSchedule(failure.schedule));
  const { run, violation } = await inMacrotask(() => judgeNow(placeGraph(graph), strategy, [invariant])).finally(release);
  strategy.requireComplete();
  if (trace) print(formatTrace(run.trace));
  if (violation !== undefined) {
    const { sentence } = invariant;
    const { message } = violation;
    if (!trace) print(`${renderFailure({ sentence: `${invariant.name}: ${sentence}`, message, graph, trace: run.trace, replay: failure.replay })}\n`);
    warn(`${path}: failed again${formatTrace(run.trace) === formatTrace(failure.trace as typeof run.trace) ? ", with the very trace that was recorded" : ", with another trace than was recorded"}.`);
    return EXIT.failed;
  }
  if (!trace) print(`${renderTimeline(run.trace)}\n`);
  warn(`${path}: held. ${invariant.name}: ${invariant.sentence}`);
  return EXIT.held;
}

function findFile(project: string, fileOrToken: string | undefined): string {
  if (fileOrToken === undefined) {
    const latest = latestFailure(project);
    if (latest === undefined) throw new BadInputError(`there is no failure to replay: ${FAILURES_FOLDER} holds none`);
    return latest;
  }
  if (!looksLikeToken(fileOrToken)) return fileOrToken;
  decodeSchedule(fileOrToken);
  const found = findFailureByToken(project, fileOrToken);
  if (found === undefined) throw new BadInputError(`the token is whole, but no failure in ${FAILURES_FOLDER} or fixtures/schedules has it; replay the failure's file`);
  return found;
}
