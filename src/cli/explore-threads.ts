/**
 * The threads of `heddle explore`.
 *
 * Even a single block has a thread of its own: so the command still answers to Ctrl-C and to its time limit while a step of the program runs for
 * ever, and what the program prints, throws or allocates cannot spoil the result. The pool is tinypool's.
 */
import { MessageChannel } from "node:worker_threads";
import { Tinypool } from "tinypool";
import { BadInputError } from "../errors/errors.js";
import type { BlockFindings, BlockProgress, ExplorationPlan, FoundFailure } from "../explore/block.js";
import type { BlockMaker } from "../explore/blocks.js";
import type { Answer, BlockCall, Call, ProgramSource, SmallCall, StatedOptions } from "./explore-worker.js";
import { afterRealMs } from "./real-timer.js";

/** How long a thread that was told to stop may take for it, in real milliseconds. Runs give way every 10. */
const PATIENCE_MS = 2_000;

/** How long an error of a thread that has ended may be under way. */
const LAST_WORDS_MS = 200;

/** A thread that has nothing to do is kept for so long. */
const IDLE_MS = 60_000;

interface CallControl {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BlockProgress) => void;
}

export class ExploreThreads {
  readonly #source: ProgramSource;
  readonly #pool: Tinypool;

  constructor(source: ProgramSource, count: number) {
    this.#source = source;
    this.#pool = new Tinypool({
      filename: new URL("./explore-worker.js", import.meta.url).href,
      minThreads: 1,
      maxThreads: count,
      idleTimeout: IDLE_MS,
      // With atomics an idle thread stands still, and with it whatever the program under test has left to print.
      useAtomics: false,
    });
    // What a program leaves behind may throw between two calls, and is no matter of ours.
    this.#pool.on("error", () => undefined);
  }

  /** What the program says about how it is to be explored; undefined when it was interrupted. Throws BadInputError where it cannot be loaded. */
  stateOptions(signal: AbortSignal): Promise<StatedOptions | undefined> {
    return this.#call<Call, StatedOptions>("stateOptions", {}, { signal });
  }

  /** Makes the blocks of `plan`. */
  blockMaker(plan: ExplorationPlan): BlockMaker {
    return (number, control) => this.#call<BlockCall, BlockFindings>("makeBlock", { plan, number }, control);
  }

  /** The failure made small; as it was found when it was interrupted. */
  async makeSmall(plan: ExplorationPlan, found: FoundFailure, signal: AbortSignal): Promise<FoundFailure> {
    return (await this.#call<SmallCall, FoundFailure>("makeFailureSmall", { plan, found }, { signal })) ?? found;
  }

  /** Ends all threads, whatever they are doing. */
  end(): void {
    // For a thread that has ended by itself the pool would wait for ever, so nobody waits for the pool.
    this.#pool.destroy().catch(() => undefined);
  }

  /** Calls a function of the worker; answers undefined when it was told to stop and did not. */
  #call<Task extends Call, Result>(
    name: string,
    task: Omit<Task, keyof Call>,
    { signal, onProgress }: CallControl,
  ): Promise<Result | undefined> {
    const { port1: port, port2 } = new MessageChannel();
    const source = this.#source;
    return new Promise<Result | undefined>((resolve, reject) => {
      let stopWaiting = (): void => undefined;
      const stop = (): void => {
        port.postMessage("stop");
        stopWaiting = afterRealMs(PATIENCE_MS, () => {
          settle(() => {
            resolve(undefined);
          });
        });
      };
      const settle = (how: () => void): void => {
        stopWaiting();
        signal.removeEventListener("abort", stop);
        port.removeAllListeners();
        port.close();
        how();
      };
      port.on("message", (progress: BlockProgress) => onProgress?.(progress));
      // The port of a thread that ends is closed. The pool is told of an error soon after that, and nothing of an end by process.exit().
      port.on("close", () => {
        stopWaiting();
        stopWaiting = afterRealMs(LAST_WORDS_MS, () => {
          settle(() => {
            reject(new BadInputError(`${nameOf(source)}: has ended its thread, as process.exit() does, in the middle of an exploration`));
          });
        });
      });
      this.#pool.run({ ...task, source, port: port2 }, { name, transferList: [port2] }).then(
        (answer: Answer<Result>) => {
          settle(() => {
            if (answer.kind === "result") resolve(answer.result);
            else reject(answer.kind === "refused" ? new BadInputError(answer.message) : new Error(answer.stack));
          });
        },
        (error: unknown) => {
          settle(() => {
            reject(errorOfThread(source, error));
          });
        },
      );
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
    });
  }
}

function nameOf(source: ProgramSource): string {
  return source.kind === "graph" ? "the graph" : source.file;
}

/** A thread ends with an error when it runs out of memory, or when the program throws between two runs. */
function errorOfThread(source: ProgramSource, error: unknown): BadInputError {
  const what = error instanceof Error ? error.message : String(error);
  return new BadInputError(`${nameOf(source)}: has ended its thread: ${what}`, { cause: error });
}
