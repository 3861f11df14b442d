/**
 * Invariants: what must hold of every run of a task graph, each judged from what the run left behind.
 */
import type { GraphRun } from "../graph/graph-run.js";
import type { RunHistory } from "./history.js";

/** What an invariant found in one run. */
export interface Judgement {
  /** How many places of the run put it to the test; with 0 the run says nothing about it. */
  readonly exercised: number;
  /** What broke it, in one sentence with the place; undefined when it held. */
  readonly violation: string | undefined;
}

/** The same graph under another schedule, for invariants that compare runs. */
export interface Reruns {
  /** Under the very schedule of the run. */
  readonly replay: () => GraphRun;
  /** In asyncio's own order. */
  readonly fifo: () => GraphRun;
  /** Always what became ready last: as far from the order of arrival as it gets. */
  readonly lastFirst: () => GraphRun;
}

/**
 * Something that must hold of every run.
 *
 * @example
 * const { violation } = atomicSpans.judge(historyOf(run), reruns);
 * @since 0.1.0
 */
export interface Invariant {
  /** A short name: `atomic-spans`. */
  readonly name: string;
  /** What must hold, in one sentence. */
  readonly sentence: string;
  judge(history: RunHistory, reruns: Reruns): Judgement;
}

/** Judges one place after another until one is wrong. A place answers a violation, `true` when it held, `undefined` when it says nothing. */
export function judgeEach<T>(places: Iterable<T>, judge: (place: T) => string | true | undefined): Judgement {
  let exercised = 0;
  for (const place of places) {
    const verdict = judge(place);
    if (verdict === undefined) continue;
    exercised++;
    if (verdict !== true) return { exercised, violation: verdict };
  }
  return { exercised, violation: undefined };
}

/** One judgement of several: the first violation, and all that was exercised. */
export function judgeAll(...judgements: readonly Judgement[]): Judgement {
  return {
    exercised: judgements.reduce((sum, { exercised }) => sum + exercised, 0),
    violation: judgements.find(({ violation }) => violation !== undefined)?.violation,
  };
}
