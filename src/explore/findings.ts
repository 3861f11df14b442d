/**
 * What the blocks of an exploration add up to.
 */
import type { Uncontrolled } from "../loop/outside.js";
import type { BlockFindings, BlockProgress, ExplorationPlan, FoundFailure } from "./block.js";
import { type Coverage, CoverageCounter } from "./coverage.js";
import { ResultCounts } from "./result-counts.js";

/** The result of an exploration that was made in blocks, as plain data. */
export interface Findings {
  readonly status: "passed" | "failed" | "stopped";
  readonly runs: number;
  readonly failures: number;
  /** Whether every schedule was covered. */
  readonly complete: boolean;
  /** Whether it was ended before all was done that was asked for. */
  readonly isStopped: boolean;
  /** Runs that were under way when it was stopped and did not come to an end, although they were waited for. */
  readonly givenUp: number;
  readonly coverage: Coverage;
  /** Each result as JSON, with the number of runs that had it; the most frequent first. */
  readonly results: readonly (readonly [result: string, count: number])[];
  /** Runs whose result is not among them, because there were too many different ones. */
  readonly otherResults: number;
  readonly failure: FoundFailure | undefined;
  readonly uncontrolled: Uncontrolled | undefined;
  /** The first step that did not tell what it touches, where others did. */
  readonly untracked: string | undefined;
  /** What the first run that left something behind has left, where that was asked for. */
  readonly leaks: readonly string[];
}

/**
 * Adds blocks up in the order of their numbers. What is answered follows from the blocks alone, and not from when they came: the first one that
 * is the last, because it failed and a failure is to end it, or because its strategy has nothing left to try, is the last that counts.
 */
export class FindingsSum {
  readonly #isOneBlock: boolean;
  readonly #results = new ResultCounts();
  readonly #coverage = new CoverageCounter();
  #runs = 0;
  #failures = 0;
  #isComplete = false;
  #isStopped = false;
  #isDecided = false;
  #givenUp = 0;
  #coverageOfBlock: Coverage | undefined = undefined;
  #failure: FoundFailure | undefined = undefined;
  #uncontrolled: Uncontrolled | undefined = undefined;
  #untracked: string | undefined = undefined;
  #leaks: readonly string[] = [];

  constructor({ isOneBlock }: Pick<ExplorationPlan, "isOneBlock">) {
    this.#isOneBlock = isOneBlock;
  }

  /** Whether blocks with higher numbers no longer count. */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  get runs(): number {
    return this.#runs;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Different schedules so far. */
  get distinct(): number {
    return this.#coverageOfBlock?.schedules ?? this.#coverage.schedules.count;
  }

  /** To be called for each block, in the order of their numbers. */
  add(block: BlockFindings): void {
    if (this.isDecided) return;
    this.#runs += block.runs;
    this.#failures += block.failures;
    this.#isComplete = block.isComplete;
    this.#isStopped ||= block.isStopped;
    this.#isDecided = block.isLast;
    this.#failure ??= block.failure;
    this.#uncontrolled ??= block.uncontrolled;
    this.#untracked ??= block.untracked;
    if (this.#leaks.length === 0) this.#leaks = block.leaks;
    for (const [result, count] of block.results) this.#results.add(result, count);
    this.#results.addOthers(block.otherResults);
    if (this.#isOneBlock) this.#coverageOfBlock = block.coverage;
    else this.#addCoverage(block);
  }

  /** A block that was given up, and of which no more is known than how far it had come. */
  addLost({ runs, failures }: Pick<BlockProgress, "runs" | "failures">): void {
    if (this.isDecided) return;
    this.#runs += runs;
    this.#failures += failures;
    this.#isStopped = true;
    this.#givenUp++;
  }

  findings(): Findings {
    return {
      status: this.#failures > 0 ? "failed" : this.#isStopped ? "stopped" : "passed",
      runs: this.#runs,
      failures: this.#failures,
      complete: this.#isComplete,
      isStopped: this.#isStopped,
      givenUp: this.#givenUp,
      coverage: this.#coverageOfBlock ?? this.#coverage.summary(undefined, {}),
      results: this.#results.sorted(),
      otherResults: this.#results.others,
      failure: this.#failure,
      uncontrolled: this.#uncontrolled,
      untracked: this.#untracked,
      leaks: this.#leaks,
    };
  }

  /** As if one exploration had made all the runs. */
  #addCoverage({ schedules, classes }: BlockFindings): void {
    for (let place = 0; place < schedules.length; place += 2) {
      const runClass = hashAt(classes, place);
      this.#coverage.add(hashAt(schedules, place), runClass.high === 0 && runClass.low === 0 ? undefined : runClass);
    }
  }
}

function hashAt(hashes: Uint32Array, place: number): { readonly high: number; readonly low: number } {
  return { high: hashes[place] ?? 0, low: hashes[place + 1] ?? 0 }; // the caller knows the length
}
