/**
 * A recorded failure of a task graph or of a scenario, run again.
 */
import { describeError } from "../errors/errors.js";
import { explore, replay } from "../explore/explore.js";
import type { Outcome } from "../explore/outcome.js";
import type { Program } from "../explore/program.js";
import { checkTaskGraph } from "../graph/check.js";
import type { GraphRun } from "../graph/graph-run.js";
import { placeGraph } from "../graph/interpret.js";
import type { TaskGraph } from "../graph/task-graph.js";
import type { Invariant } from "../invariant/invariant.js";
import { judgeNow } from "../invariant/judge.js";
import { inMacrotask, takeTurn } from "../loop/run.js";
import { interceptStrays } from "../loop/strays.js";
import { renderFailure } from "../report/failure-text.js";
import { renderTimeline } from "../report/timeline.js";
import type { Strategy } from "../schedule/strategy.js";
import { decodeSchedule } from "../schedule/token.js";
import { DivergenceError, following, followingOrder } from "../strategy/replay.js";
import { formatTrace } from "../trace/trace.js";
import type { Failure } from "./failure.js";

/** What came of running a failure again, as text, because it may come from another thread. */
export interface Replay {
  readonly isBroken: boolean;
  /** What broke, with its timeline; the timeline alone where it held. */
  readonly report: string;
  /** As JSON Lines. */
  readonly trace: string;
}

/** How a run of a graph ends that failed in the way of `error.kind`. */
const OUTCOMES: { readonly [kind: string]: GraphRun["outcome"] | undefined } = {
  error: "failed",
  deadlock: "deadlock",
  livelock: "livelock",
};

/**
 * {@link replayGraph} for a program that was repaired, which often changes what is ready when: where the graph leaves the schedule, the
 * steps run in the recorded order by their names, as far as that goes.
 */
export async function replayGraphLoosely(failure: Failure, graphData: unknown, invariant: Invariant | undefined): Promise<Replay> {
  try {
    return await replayGraph(failure, graphData, invariant);
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    const { decisions } = decodeSchedule(failure.schedule);
    const order = decisions.flatMap(({ ready, index }) => ready[index] ?? []);
    return await replayUnder(followingOrder(order), failure, graphData, invariant);
  }
}

/**
 * Runs the graph of `failure` under its schedule, and holds it against `invariant`, or, where that is undefined, against the way in
 * which it ended. Throws DivergenceError when the graph left the schedule.
 */
export async function replayGraph(failure: Failure, graphData: unknown, invariant: Invariant | undefined): Promise<Replay> {
  const strategy = following(decodeSchedule(failure.schedule));
  const replay = await replayUnder(strategy, failure, graphData, invariant);
  strategy.requireComplete();
  return replay;
}

/**
 * Runs the scenario of `failure` under its schedule. Broken is whatever fails, because of a scenario it is known only that it must not. Throws
 * DivergenceError when it left the schedule.
 */
export async function replayScenario(failure: Failure, { scenario, options }: Program): Promise<Replay> {
  const { maxSteps = options.maxSteps } = failure.options;
  const { idleGraceMs } = options;
  const outcome = await replay(scenario, failure.schedule, {
    ...(maxSteps !== undefined && { maxSteps }),
    ...(idleGraceMs !== undefined && { idleGraceMs }),
  });
  if (outcome.failure?.kind === "divergence") throw outcome.failure.error;
  return describeOutcome(failure, outcome);
}

/** {@link replayScenario} for a program that was repaired: the recorded order is followed by its names, as far as that goes. */
export async function replayScenarioLoosely(failure: Failure, program: Program): Promise<Replay> {
  try {
    return await replayScenario(failure, program);
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    const { decisions, seed } = decodeSchedule(failure.schedule);
    const strategy = followingOrder(decisions.flatMap(({ ready, index }) => ready[index] ?? []));
    return describeOutcome(failure, await explore(program.scenario, { ...program.options, seed, strategy, runs: 1, minimise: false }));
  }
}

/** Of a run that held there is no trace. */
function describeOutcome(recorded: Failure, { failure }: Outcome): Replay {
  if (failure === undefined) return { isBroken: false, report: "", trace: "" };
  const { error, trace } = failure;
  return {
    isBroken: true,
    report: renderFailure({ message: describeError(error), trace, replay: recorded.replay }),
    trace: formatTrace(trace),
  };
}

async function replayUnder(strategy: Strategy, failure: Failure, graphData: unknown, invariant: Invariant | undefined): Promise<Replay> {
  const graph = checkTaskGraph(graphData);
  const release = await takeTurn("replay");
  const putBack = interceptStrays(() => undefined);
  try {
    const { run, violation } = await inMacrotask(() => judgeNow(placeGraph(graph), strategy, invariant === undefined ? [] : [invariant]));
    const endedSo = invariant === undefined && run.outcome === OUTCOMES[failure.error.kind] ? describeError(run.error) : undefined;
    return describe(failure, graph, run, invariant, violation?.message ?? endedSo);
  } finally {
    putBack();
    release();
  }
}

function describe(
  failure: Failure,
  graph: TaskGraph,
  { trace }: GraphRun,
  invariant: Invariant | undefined,
  broken: string | undefined,
): Replay {
  const sentence = invariant && `${invariant.name}: ${invariant.sentence}`;
  return {
    isBroken: broken !== undefined,
    report:
      broken === undefined ? renderTimeline(trace) : renderFailure({ sentence, message: broken, graph, trace, replay: failure.replay }),
    trace: formatTrace(trace),
  };
}
