/**
 * A recorded failure of a task graph, run again.
 */
import { describeError } from "../errors/errors.js";
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
