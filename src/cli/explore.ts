/** `heddle explore`: many runs of one task graph, or of the scenario that a module exports. */
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { type BlockProgress, countBlocks, type ExplorationPlan } from "../explore/block.js";
import { exploreBlocks } from "../explore/blocks.js";
import type { Findings } from "../explore/findings.js";
import { DEFAULT_RUNS, DEFAULT_STRATEGY } from "../explore/options.js";
import { freshSeed, realNowMs } from "../loop/host.js";
import { renderExploration } from "../report/exploration-text.js";
import { readTaskGraph } from "../store/read-file.js";
import { strategyNamed } from "../strategy/named.js";
import { EXIT } from "./exit-codes.js";
import { explorationAsJson } from "./explore-json.js";
import { ExploreThreads } from "./explore-threads.js";
import type { ProgramSource, StatedOptions } from "./explore-worker.js";
import { catchInterrupt } from "./interrupt.js";
import { keepFailure } from "./keep-failure.js";
import { LiveLine } from "./live-line.js";
import { format } from "./progress.js";
import { afterRealMs } from "./real-timer.js";

export interface ExploreFlags {
  readonly strategy?: string;
  readonly runs?: number;
  readonly seed?: number;
  readonly workers?: number;
  readonly maxSteps?: number;
  /** Real milliseconds. */
  readonly timeLimit?: number;
  readonly stopOnFailure?: boolean;
  readonly json?: boolean;
}

export interface ExploreCommand extends ExploreFlags {
  readonly project: string;
  /** A task graph, or a module that exports a scenario; relative to the project. */
  readonly file: string;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** A graph says nothing about how it is to be explored. */
const NOTHING_STATED: StatedOptions = {
  runs: undefined,
  seed: undefined,
  stopOnFailure: undefined,
  minimise: undefined,
  timeLimitMs: undefined,
  strategy: undefined,
  ownStrategy: undefined,
};

/** Answers the exit code. Throws BadInputError, before anything is written, for a file or an option that cannot be used. */
export async function runExplore({ project, file, print, warn, ...flags }: ExploreCommand): Promise<number> {
  if (flags.strategy !== undefined) strategyNamed(flags.strategy, 0);
  const source = sourceOf(project, file);
  const interrupt = new AbortController();
  catchInterrupt()(() => {
    interrupt.abort();
  });
  const { signal } = interrupt;
  const isInterrupted = (): boolean => signal.aborted;
  const workers = flags.workers ?? availableParallelism();
  const threads = new ExploreThreads(source, workers);
  try {
    const stated = source.kind === "module" ? await threads.stateOptions(signal) : NOTHING_STATED;
    if (stated === undefined || isInterrupted()) return interrupted(warn, "before the first run");
    const plan = planOf(flags, stated);
    const strategy = plan.strategy ?? stated.ownStrategy?.name ?? "";
    warn(`heddle explore: ${file}, seed ${plan.seed}, strategy ${strategy}, ${describeRuns(plan)}`);
    const { findings, isOutOfTime } = await explore(threads, plan, { workers, signal, timeLimitMs: flags.timeLimit ?? stated.timeLimitMs });
    const { failure } = findings;
    const kept = failure && (await keepFailure(project, source, { failure, strategy }));
    const whole = {
      findings: { ...findings, failure: kept?.failure },
      strategy,
      seed: plan.seed,
      asked: plan,
      replay: kept?.replay ?? [],
    };
    print(flags.json === true ? `${explorationAsJson({ ...whole, file: kept?.path })}\n` : `${renderExploration(whole)}\n`);
    if (kept?.problem !== undefined) warn(`heddle: ${kept.problem}`);
    if (findings.givenUp > 0) warn(`heddle: ${describeGivenUp(findings.givenUp)}`);
    if (isInterrupted()) return interrupted(warn, `after ${countRuns(findings.runs)}`);
    if (isOutOfTime) warn(`heddle: the time limit ended it after ${countRuns(findings.runs)}`);
    return findings.status === "failed" ? EXIT.failed : EXIT.held;
  } finally {
    threads.end();
  }
}

function interrupted(warn: (text: string) => void, when: string): number {
  warn(`heddle: interrupted ${when}`);
  return EXIT.interrupted;
}

function sourceOf(project: string, file: string): ProgramSource {
  return extname(file) === ".json" ? { kind: "graph", graph: readTaskGraph(file) } : { kind: "module", file, project };
}

/** What is to be done: by the flags, by what the module says where they are silent, and otherwise as `explore()` does. */
function planOf(flags: ExploreFlags, stated: StatedOptions): ExplorationPlan {
  const own = flags.strategy === undefined ? stated.ownStrategy : undefined;
  const strategy = own === undefined ? (flags.strategy ?? stated.strategy ?? DEFAULT_STRATEGY) : undefined;
  const isSystematic = own?.isSystematic ?? (strategy !== undefined && strategyNamed(strategy, 0).isSystematic === true);
  return {
    seed: flags.seed ?? stated.seed ?? freshSeed(),
    strategy,
    runs: flags.runs ?? stated.runs ?? (isSystematic ? Number.POSITIVE_INFINITY : DEFAULT_RUNS),
    isOneBlock: isSystematic || own !== undefined,
    stopOnFailure: flags.stopOnFailure ?? stated.stopOnFailure ?? false,
    minimise: stated.minimise ?? true,
    maxSteps: flags.maxSteps,
  };
}

function describeRuns({ runs, stopOnFailure }: ExplorationPlan): string {
  const most = Number.isFinite(runs) ? countRuns(runs) : "until nothing is left to try";
  return stopOnFailure ? `${most} or the first failure` : most;
}

function countRuns(runs: number): string {
  return `${format(runs)} ${runs === 1 ? "run" : "runs"}`;
}

function describeGivenUp(runs: number): string {
  const which = runs === 1 ? "a run was" : `${runs} runs were`;
  return `${which} given up because a step of it did not come to its end: a loop without an await, or a very long computation`;
}

interface Limits {
  readonly workers: number;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  readonly timeLimitMs: number | undefined;
}

/** Makes the runs, and the first failure small. */
async function explore(
  threads: ExploreThreads,
  plan: ExplorationPlan,
  { workers, signal: interrupt, timeLimitMs = Number.POSITIVE_INFINITY }: Limits,
): Promise<{ readonly findings: Findings; readonly isOutOfTime: boolean }> {
  const live = new LiveLine({ isTerminal: process.stderr.isTTY, write: (text) => process.stderr.write(text), nowMs: realNowMs });
  const limit = new AbortController();
  const forgetLimit = afterRealMs(timeLimitMs, () => {
    limit.abort();
  });
  const signal = AbortSignal.any([interrupt, limit.signal]);
  try {
    const findings = await exploreBlocks(plan, {
      places: Math.min(workers, countBlocks(plan)),
      makeBlock: threads.blockMaker(plan),
      signal,
      onProgress: (progress) => {
        live.show(() => describeProgress(progress, live.seconds));
      },
    });
    const { failure } = findings;
    const isOutOfTime = findings.isStopped && !interrupt.aborted;
    if (failure === undefined || signal.aborted) return { findings, isOutOfTime };
    live.show(() => "making the failure small");
    return { findings: { ...findings, failure: await threads.makeSmall(plan, failure, signal) }, isOutOfTime };
  } finally {
    forgetLimit();
    live.clear();
  }
}

/** `12,340 runs  2,450/s  6,001 schedules  3 failures  about 40,000 runs left (17 s)` */
function describeProgress({ runs, failures, distinct, remaining }: BlockProgress, seconds: number): string {
  const perSecond = runs / seconds;
  return [
    `${format(runs)} runs`,
    `${format(Math.round(perSecond))}/s`,
    `${format(distinct)} schedules`,
    `${format(failures)} ${failures === 1 ? "failure" : "failures"}`,
    ...(remaining === undefined || perSecond === 0
      ? []
      : [`about ${describeMany(remaining)} runs left (${describeMany(Math.ceil(remaining / perSecond))} s)`]),
  ].join("  ");
}

/** `40,000`, or `3.2e+15` for what nobody will wait for. */
function describeMany(count: number): string {
  return count < 1e9 ? format(Math.round(count)) : count.toPrecision(2);
}
