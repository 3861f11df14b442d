/**
 * What runs in the threads of `heddle explore`: one block of runs, or the making small of one failure. Whatever goes in and out is plain data.
 */
import type { MessagePort } from "node:worker_threads";
import { BadInputError, describeError, InternalError, UsageError } from "../errors/errors.js";
import {
  type BlockFindings,
  type BlockProgress,
  type ExplorationPlan,
  exploreBlock,
  type FoundFailure,
  makeSmall,
} from "../explore/block.js";
import { graphProgram, type Program } from "../explore/program.js";
import type { TaskGraph } from "../graph/task-graph.js";
import { realNowMs } from "../loop/host.js";
import { loadScenario } from "../store/load-scenario.js";

/** Where a program comes from. */
export type ProgramSource =
  | { readonly kind: "graph"; readonly graph: TaskGraph }
  /** A file relative to the project. */
  | { readonly kind: "module"; readonly file: string; readonly project: string };

/** What came of a call: its result; or, in one sentence, why there cannot be one; or the stack of a defect of ours. */
export type Answer<T> =
  | { readonly kind: "result"; readonly result: T }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "defect"; readonly stack: string };

/** The options that a module gives with its scenario, as far as whoever plans the exploration must know them. */
export interface StatedOptions {
  readonly runs: number | undefined;
  readonly seed: number | undefined;
  readonly stopOnFailure: boolean | undefined;
  readonly minimise: boolean | undefined;
  readonly timeLimitMs: number | undefined;
  readonly strategy: string | undefined;
  /** Set where it brings a strategy of its own, which no other thread has: whether that comes to an end by itself. */
  readonly ownStrategy: { readonly name: string; readonly isSystematic: boolean } | undefined;
}

export interface Call {
  readonly source: ProgramSource;
  /** Progress goes out, and a request to stop comes in. */
  readonly port: MessagePort;
}

export interface BlockCall extends Call {
  readonly plan: ExplorationPlan;
  readonly number: number;
}

export interface SmallCall extends Call {
  readonly plan: ExplorationPlan;
  readonly found: FoundFailure;
}

/** How often progress is told, in real milliseconds. */
const PROGRESS_MS = 100;

// Results go to standard output, and what the program under test prints is none.
process.stdout.write = process.stderr.write.bind(process.stderr);

/** Loads the program; answers what it says about how it is to be explored. */
export function stateOptions({ source }: Call): Promise<Answer<StatedOptions>> {
  return answering(source, ({ options }) => {
    const { strategy, runs, seed, stopOnFailure, minimise, timeLimitMs } = options;
    const isOwn = typeof strategy === "object";
    return Promise.resolve({
      ...{ runs, seed, stopOnFailure, minimise, timeLimitMs },
      strategy: isOwn ? undefined : strategy,
      ownStrategy: isOwn ? { name: strategy.name, isSystematic: strategy.isSystematic === true } : undefined,
    });
  });
}

/** Makes the runs of one block. */
export function makeBlock({ source, plan, number, port }: BlockCall): Promise<Answer<BlockFindings>> {
  return answering(source, (program) => exploreBlock(program, plan, number, { signal: stopSignal(port), onProgress: telling(port) }));
}

/** Makes the first failure of the exploration small. */
export function makeFailureSmall({ source, plan, found, port }: SmallCall): Promise<Answer<FoundFailure>> {
  return answering(source, (program) => makeSmall(program, plan, found, stopSignal(port)));
}

async function answering<T>(source: ProgramSource, work: (program: Program) => Promise<T>): Promise<Answer<T>> {
  try {
    const program = source.kind === "graph" ? graphProgram(source.graph) : await loadScenario(source.file, source.project);
    return { kind: "result", result: await work(program) };
  } catch (error) {
    // Of an error only its text is sure to reach another thread.
    if (error instanceof BadInputError) return { kind: "refused", message: error.message };
    // And nothing of a graph can throw.
    const isDefect = source.kind === "graph" || error instanceof InternalError;
    if (isDefect) return { kind: "defect", stack: error instanceof Error ? (error.stack ?? error.message) : describeError(error) };
    return { kind: "refused", message: `${source.file}: ${error instanceof UsageError ? error.message : describeError(error)}` };
  }
}

function stopSignal(port: MessagePort): AbortSignal {
  const controller = new AbortController();
  port.once("message", () => {
    controller.abort();
  });
  return controller.signal;
}

function telling(port: MessagePort): (progress: BlockProgress) => void {
  let lastMs = realNowMs();
  return (progress) => {
    const nowMs = realNowMs();
    if (nowMs - lastMs < PROGRESS_MS) return;
    lastMs = nowMs;
    port.postMessage(progress);
  };
}
