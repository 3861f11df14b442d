/**
 * One block of a long exploration.
 *
 * An exploration is cut into blocks of a fixed number of runs, each under a strategy of its own whose seed follows from the seed of the
 * exploration and the number of the block. So it does not matter where and in which order the blocks are made: what they add up to is
 * the same. The first block has the seed of the exploration itself, so an exploration that fits in it is the one that {@link explore} makes.
 *
 * What a block found is plain data, because it may come from another thread.
 */
import { describeError, InternalError } from "../errors/errors.js";
import type { Uncontrolled } from "../loop/outside.js";
import { hash32 } from "../random/random.js";
import type { Strategy } from "../schedule/strategy.js";
import { decodeSchedule } from "../schedule/token.js";
import { strategyNamed } from "../strategy/named.js";
import { following } from "../strategy/replay.js";
import type { Coverage } from "./coverage.js";
import { explore } from "./explore.js";
import type { CommandOptions } from "./options.js";
import type { ExploreFailure } from "./outcome.js";
import type { Program } from "./program.js";
import { ResultCounts } from "./result-counts.js";

/**
 * Runs of a block. Enough for a strategy to learn from, because each block learns anew; few enough for a long exploration to be shared among
 * the threads of a machine.
 */
export const BLOCK_RUNS = 5_000;

/** What is the same for all blocks of an exploration. */
export interface ExplorationPlan {
  readonly seed: number;
  /** The name of a strategy; undefined where the program brings an object of its own, and then there is one block. */
  readonly strategy: string | undefined;
  /** All runs; Infinity where the strategy comes to an end by itself, and then there is one block. */
  readonly runs: number;
  /** One block whatever the number of runs, for a strategy that goes on where its last run ended. */
  readonly isOneBlock: boolean;
  readonly stopOnFailure: boolean;
  /** Whether the first failure is to be made small. */
  readonly minimise: boolean;
  /** Undefined leaves it to the program. */
  readonly maxSteps: number | undefined;
}

/** A failure as plain data: without the error itself, which does not survive the way to another thread. */
export interface FoundFailure extends Omit<ExploreFailure, "error" | "about" | "explanation"> {
  readonly message: string;
  /** Which steps the order is about, in sentences. */
  readonly explanation?: readonly string[];
}

export interface BlockFindings {
  readonly runs: number;
  readonly failures: number;
  readonly isComplete: boolean;
  /** Whether the signal ended it. */
  readonly isStopped: boolean;
  /** Whether it decides the exploration, so that the blocks behind it do not count. */
  readonly isLast: boolean;
  /** Each result as JSON, with the number of runs that had it. */
  readonly results: readonly (readonly [result: string, count: number])[];
  /** Runs whose result is not among them. */
  readonly otherResults: number;
  /** What this block has covered. */
  readonly coverage: Coverage;
  /** For what several blocks have covered together: the hash of each run's schedule, in two halves. Empty where there is one block. */
  readonly schedules: Uint32Array;
  /** The same of its class of equivalent orders; zeros where steps were not tracked. */
  readonly classes: Uint32Array;
  /** Its first failure, as it was found; its run is counted from the begin of the exploration. */
  readonly failure: FoundFailure | undefined;
  readonly uncontrolled: Uncontrolled | undefined;
  readonly untracked: string | undefined;
  /** What its first run that left something behind has left. */
  readonly leaks: readonly string[];
}

/** How far a block has come. */
export interface BlockProgress {
  readonly runs: number;
  readonly failures: number;
  /** Different schedules. */
  readonly distinct: number;
  /** An estimate of the runs that are left, where the strategy can tell. */
  readonly remaining: number | undefined;
}

export interface BlockOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: BlockProgress) => void;
}

/** How many blocks an exploration has. */
export function countBlocks({ runs, isOneBlock }: ExplorationPlan): number {
  return isOneBlock ? 1 : Math.ceil(runs / BLOCK_RUNS);
}

/** Makes the runs of the block `number`, counted from 0. Throws UsageError for options that make no sense, and what the strategy throws. */
export async function exploreBlock(
  program: Program,
  plan: ExplorationPlan,
  number: number,
  { signal, onProgress }: BlockOptions = {},
): Promise<BlockFindings> {
  const results = new ResultCounts();
  const schedules: number[] = [];
  const classes: number[] = [];
  const firstRun = number * BLOCK_RUNS;
  const runs = plan.isOneBlock ? Math.min(plan.runs, Number.MAX_SAFE_INTEGER) : Math.min(BLOCK_RUNS, plan.runs - firstRun);
  const options: CommandOptions = {
    ...optionsOf(program, plan),
    strategy: strategyOf(program, plan, number),
    runs,
    stopOnFailure: plan.stopOnFailure,
    // Of all blocks only the first that fails has a failure to be made small; see makeSmall.
    minimise: false,
    ...(signal && { signal }),
    onProgress: ({ runs: made, failures, distinct, coverage: { remaining } }) => {
      onProgress?.({ runs: made, failures, distinct, remaining });
    },
    onRun: (end, { schedule, runClass }) => {
      results.add(program.resultOf(end));
      if (plan.isOneBlock) return;
      schedules.push(schedule.high, schedule.low);
      classes.push(runClass?.high ?? 0, runClass?.low ?? 0);
    },
  };
  const outcome = await explore(program.scenario, options);
  const { complete: isComplete, failures, failure, coverage, uncontrolled, untracked, leaks } = outcome;
  // Of a program that is no function of its schedule more runs would tell nothing more.
  const isLast = isComplete || (plan.stopOnFailure && failures > 0) || failure?.kind === "divergence";
  return {
    runs: outcome.runs,
    failures,
    isComplete,
    // A strategy may also come to an end without having covered everything, because of a bound of its own.
    isStopped: signal?.aborted === true && outcome.runs < runs && !isLast,
    isLast,
    results: results.entries,
    otherResults: results.others,
    coverage,
    schedules: Uint32Array.from(schedules),
    classes: Uint32Array.from(classes),
    failure: failure && asData(failure, firstRun + failure.run),
    uncontrolled,
    untracked,
    leaks,
  };
}

/**
 * Makes a failure small, which only the first of an exploration is worth. Answers it as it was found where the signal ends the work before
 * that, or where it does not fail again in this way.
 */
export async function makeSmall(program: Program, plan: ExplorationPlan, found: FoundFailure, signal: AbortSignal): Promise<FoundFailure> {
  // A program that left its schedule has no schedule to be made small.
  if (found.kind === "divergence" || !plan.minimise) return found;
  const schedule = decodeSchedule(found.original);
  const options: CommandOptions = {
    ...optionsOf(program, plan),
    ioLatencyMs: schedule.ioLatencyMs,
    strategy: following(schedule),
    runs: 1,
    starvationBound: Number.POSITIVE_INFINITY,
    selfCheck: false,
    stopOnFailure: true,
    minimise: true,
    signal,
  };
  const { failure } = await explore(program.scenario, options);
  return failure?.kind === found.kind ? { ...asData(failure, found.run), original: found.original } : found;
}

function optionsOf({ options, mainName }: Program, { seed, maxSteps }: ExplorationPlan): CommandOptions {
  return { ...options, seed, mainName, ...(maxSteps !== undefined && { maxSteps }) };
}

function strategyOf({ options }: Program, { seed, strategy }: ExplorationPlan, number: number): Strategy {
  if (strategy !== undefined) return strategyNamed(strategy, number === 0 ? seed : hash32(`${seed}/block ${number}`));
  if (typeof options.strategy === "object") return options.strategy;
  throw new InternalError("an exploration was planned without a strategy");
}

function asData({ error, ...failure }: ExploreFailure, run: number): FoundFailure {
  return { ...failure, run, message: describeError(error) };
}
