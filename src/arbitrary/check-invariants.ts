/**
 * The property suite's engine: random graphs under random schedules, each run held against invariants, and what fails made small.
 */
import * as fc from "fast-check";
import { minimise } from "../explore/minimise.js";
import type { GraphRun } from "../graph/graph-run.js";
import { placeGraph } from "../graph/interpret.js";
import type { TaskGraph } from "../graph/task-graph.js";
import type { Invariant } from "../invariant/invariant.js";
import { judgeNow, type Violation } from "../invariant/judge.js";
import { loopInvariants } from "../invariant/loop-invariants.js";
import { freshSeed } from "../loop/host.js";
import { inMacrotask, takeTurn } from "../loop/run.js";
import { interceptStrays } from "../loop/strays.js";
import { hash32, requireSeed } from "../random/random.js";
import type { Strategy } from "../schedule/strategy.js";
import { encodeSchedule } from "../schedule/token.js";
import { followingOrder } from "../strategy/replay.js";
import { requireWholeNumber } from "./require-whole-number.js";
import { schedule } from "./schedule.js";
import { shrinkTaskGraph } from "./shrink-graph.js";
import { taskGraph } from "./task-graph.js";

/** Where a check stands. */
export interface CheckProgress {
  /** Pairs of a graph and a schedule that were run. */
  readonly runs: number;
  /** Different graphs, and different pairs of a graph and its decisions, up to {@link MAX_DISTINCT}. */
  readonly graphs: number;
  readonly schedules: number;
  /** In how many runs each invariant was put to the test, by its name. */
  readonly exercised: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<GraphRun["outcome"], number>>;
  readonly failures: number;
}

/** A broken invariant, made small. */
export interface InvariantFailure extends Violation {
  readonly graph: TaskGraph;
  /** The run that failed first, before anything was made smaller. */
  readonly original: Violation;
  readonly originalGraph: TaskGraph;
  readonly seed: number;
  /** How often the program was run to make the failure small. */
  readonly reruns: number;
}

export interface CheckResult extends CheckProgress {
  readonly seed: number;
  /** False when the signal ended it before all runs were done. */
  readonly isComplete: boolean;
  readonly failure: InvariantFailure | undefined;
}

export interface CheckOptions {
  /** Default: {@link taskGraph} without constraints, and one in five without sharing and faults. */
  readonly graphs?: fc.Arbitrary<TaskGraph>;
  /** Default: {@link schedule}. */
  readonly schedules?: fc.Arbitrary<Strategy>;
  /** Default: {@link loopInvariants}. */
  readonly invariants?: readonly Invariant[];
  /** Pairs of a graph and a schedule. Default 10,000. */
  readonly runs?: number;
  /** Default: random. */
  readonly seed?: number;
  /** Ends the check early, with what is known. */
  readonly signal?: AbortSignal;
  /** Called after every 50 runs, and at the end. */
  readonly onProgress?: (progress: CheckProgress) => void;
  /** What follows the smallest failure is bounded by so many reruns. Default 2,000. */
  readonly maxReruns?: number;
}

/** Pairs that the suite runs by default. */
export const DEFAULT_RUNS = 10_000;

/** Different graphs and schedules are counted up to here, so that memory does not grow with the number of runs. */
const MAX_DISTINCT = 200_000;

/** How many runs go by between two looks at whether progress is to be told. */
const PROGRESS_EVERY = 50;

/**
 * Holds random task graphs under random schedules against invariants. Resolves with the counts and the first failure, made small;
 * it never rejects for what a graph did.
 *
 * Throws UsageError for options that make no sense.
 *
 * @example
 * const { failure } = await checkInvariants({ runs: 1_000, seed: 7 });
 * @since 0.1.0
 */
export async function checkInvariants(options: CheckOptions = {}): Promise<CheckResult> {
  const { runs = DEFAULT_RUNS, seed = freshSeed(), invariants = loopInvariants } = options;
  requireWholeNumber(runs, 1, "checkInvariants: runs");
  requireSeed(seed);
  const release = await takeTurn("checkInvariants()");
  let stray: { readonly error: unknown } | undefined;
  const putBack = interceptStrays((error) => {
    stray ??= { error };
  });
  try {
    const result = await new InvariantCheck(options, runs, seed, invariants).run();
    // Graphs leave no rejection behind, so it is of the invariants, or of other code of the process, which waited to be told.
    if (stray !== undefined) throw stray.error;
    return result;
  } finally {
    putBack();
    release();
  }
}

/** Mostly graphs that share and fail, and some that do neither, for the invariants that need such. */
function defaultGraphs(): fc.Arbitrary<TaskGraph> {
  return fc.oneof({ weight: 4, arbitrary: taskGraph() }, { weight: 1, arbitrary: taskGraph({ sharing: false, faults: false }) });
}

class InvariantCheck {
  readonly #options: CheckOptions;
  readonly #runs: number;
  readonly #seed: number;
  readonly #invariants: readonly Invariant[];
  readonly #exercised: number[];
  readonly #outcomes: Record<GraphRun["outcome"], number> = { finished: 0, failed: 0, deadlock: 0, livelock: 0 };
  readonly #graphs = new Set<number>();
  readonly #schedules = new Set<number>();
  #done = 0;
  #first: { readonly violation: Violation; readonly graph: TaskGraph } | undefined = undefined;
  #smallest: { readonly violation: Violation; readonly graph: TaskGraph } | undefined = undefined;
  #reruns = 0;

  constructor(options: CheckOptions, runs: number, seed: number, invariants: readonly Invariant[]) {
    this.#options = options;
    this.#runs = runs;
    this.#seed = seed;
    this.#invariants = invariants;
    this.#exercised = invariants.map(() => 0);
  }

  async run(): Promise<CheckResult> {
    const { graphs = defaultGraphs(), schedules = schedule() } = this.#options;
    const property = fc.asyncProperty(graphs, schedules, (graph, strategy) => this.#runPair(graph, strategy));
    const { interrupted, failed, errorInstance } = await fc.check(property, { seed: this.#seed | 0, numRuns: this.#runs });
    // A run or an invariant that throws is no broken invariant but a defect, and must not end the check as if all had held.
    if (failed && this.#first === undefined) throw errorInstance;
    this.#options.onProgress?.(this.#progress());
    return { ...this.#progress(), seed: this.#seed, isComplete: !interrupted, failure: await this.#minimised() };
  }

  async #runPair(graph: TaskGraph, strategy: Strategy): Promise<boolean> {
    if (this.#options.signal?.aborted === true) throw new fc.PreconditionFailure(true);
    const { run, exercised, violation } = await inMacrotask(() => judgeNow(placeGraph(graph), strategy, this.#invariants));
    if (this.#first === undefined) {
      this.#done++;
      this.#outcomes[run.outcome]++;
      exercised.forEach((count, index) => {
        if (count > 0) this.#exercised[index] = (this.#exercised[index] ?? 0) + 1;
      });
      const graphHash = hash32(JSON.stringify(graph));
      if (this.#graphs.size < MAX_DISTINCT) this.#graphs.add(graphHash);
      if (this.#schedules.size < MAX_DISTINCT) this.#schedules.add(hash32(`${graphHash}/${encodeSchedule(run.schedule)}`));
      if (this.#done % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.#progress());
    } else this.#reruns++;
    if (violation === undefined) return true;
    this.#first ??= { violation, graph };
    // While fast-check shrinks, another invariant that breaks is another failure, and not a smaller case of this one.
    if (violation.invariant !== this.#first.violation.invariant) return true;
    this.#smallest = { violation, graph };
    return false;
  }

  #progress(): CheckProgress {
    return {
      runs: this.#done,
      graphs: this.#graphs.size,
      schedules: this.#schedules.size,
      exercised: Object.fromEntries(this.#invariants.map(({ name }, index) => [name, this.#exercised[index] ?? 0])),
      outcomes: { ...this.#outcomes },
      failures: this.#first === undefined ? 0 : 1,
    };
  }

  /** What fast-check shrank, made smaller still: the decisions of the schedule and the graph in turn, until neither gets smaller. */
  async #minimised(): Promise<InvariantFailure | undefined> {
    const [first, shrunk] = [this.#first, this.#smallest];
    if (first === undefined || shrunk === undefined) return undefined;
    const { maxReruns = 2_000, signal } = this.#options;
    const isOver = (): boolean => signal?.aborted === true;
    let { violation, graph } = shrunk;
    let reruns = 0;
    const attempt = async (candidate: TaskGraph, strategy: Strategy): Promise<Violation | undefined> => {
      reruns++;
      const { violation: found } = await inMacrotask(() => judgeNow(placeGraph(candidate), strategy, [first.violation.invariant]));
      return found;
    };
    for (let isSmaller = true; isSmaller && reruns < maxReruns && !isOver(); ) {
      const { run: simplest } = await minimise(
        { steps: violation.run.steps, violation },
        async (strategy) => {
          const found = await attempt(graph, strategy);
          return found && { steps: found.run.steps, violation: found };
        },
        { maxReruns: maxReruns - reruns, isOver },
      );
      violation = simplest.violation;
      isSmaller = false;
      for (const candidate of shrinkTaskGraph(graph)) {
        if (reruns >= maxReruns || isOver()) break;
        const found = await attempt(candidate, followingOrder(violation.run.steps));
        if (found === undefined) continue;
        [violation, graph, isSmaller] = [found, candidate, true];
        break;
      }
    }
    return { ...violation, graph, original: first.violation, originalGraph: first.graph, seed: this.#seed, reruns: this.#reruns + reruns };
  }
}
