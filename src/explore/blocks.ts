/**
 * All blocks of an exploration, several of them at once.
 */
import { type BlockFindings, type BlockProgress, countBlocks, type ExplorationPlan } from "./block.js";
import { type Findings, FindingsSum } from "./findings.js";

/** Blocks that are done wait for those before them: at most so many for each place where blocks are made. */
const AHEAD = 4;

/** Makes the runs of one block, here or elsewhere; answers undefined when it was given up and told no more than its progress. */
export type BlockMaker = (
  number: number,
  control: { readonly signal: AbortSignal; readonly onProgress: (progress: BlockProgress) => void },
) => Promise<BlockFindings | undefined>;

export interface BlocksOptions {
  /** At most so many blocks at once. */
  readonly places: number;
  readonly makeBlock: BlockMaker;
  /** Ends all blocks; what they have found until then counts. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BlockProgress) => void;
}

interface BlockUnderWay {
  readonly controller: AbortController;
  progress: BlockProgress;
}

const NOTHING: BlockProgress = { runs: 0, failures: 0, distinct: 0, remaining: undefined };

/** Makes the blocks of an exploration and adds them up. Where they are made, and how many at once, makes no difference to what is found. */
export async function exploreBlocks(plan: ExplorationPlan, options: BlocksOptions): Promise<Findings> {
  const exploration = new BlockExploration(plan, options);
  await exploration.run();
  return exploration.findings();
}

class BlockExploration {
  readonly #plan: ExplorationPlan;
  readonly #options: BlocksOptions;
  readonly #sum: FindingsSum;
  readonly #underWay = new Map<number, BlockUnderWay>();
  /** Blocks that wait until those before them are done. */
  readonly #done = new Map<number, BlockFindings | BlockProgress>();
  /** Places that wait until there is less ahead. */
  #waiting: (() => void)[] = [];
  /** The first block that is not to be made. */
  #end: number;
  #next = 0;
  #added = 0;

  constructor(plan: ExplorationPlan, options: BlocksOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#sum = new FindingsSum(plan);
    this.#end = countBlocks(plan);
  }

  async run(): Promise<void> {
    const { signal, places } = this.#options;
    const stop = (): void => {
      this.#endAt(this.#next);
      for (const { controller } of this.#underWay.values()) controller.abort();
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      await Promise.all(Array.from({ length: Math.min(places, this.#end) }, () => this.#fillPlace()));
    } finally {
      signal.removeEventListener("abort", stop);
      for (const { controller } of this.#underWay.values()) controller.abort();
    }
  }

  findings(): Findings {
    const findings = this.#sum.findings();
    // What was not even begun counts as stopped, too.
    const isCut = this.#options.signal.aborted && !this.#sum.isDecided && this.#added < countBlocks(this.#plan);
    if (!isCut) return findings;
    return { ...findings, isStopped: true, status: findings.failures > 0 ? "failed" : "stopped" };
  }

  /** Makes one block after the other until there is none left. */
  async #fillPlace(): Promise<void> {
    while (this.#next < this.#end) {
      if (this.#next - this.#added >= this.#options.places * AHEAD) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      await this.#make(this.#next++);
    }
  }

  async #make(number: number): Promise<void> {
    const block: BlockUnderWay = { controller: new AbortController(), progress: NOTHING };
    this.#underWay.set(number, block);
    const findings = await this.#options.makeBlock(number, {
      signal: block.controller.signal,
      onProgress: (progress) => {
        block.progress = progress;
        this.#tellProgress();
      },
    });
    this.#underWay.delete(number);
    this.#done.set(number, findings ?? block.progress);
    if (findings?.isLast === true) this.#endAt(number + 1);
    this.#addUp();
    this.#tellProgress();
  }

  /** Blocks from `number` on do not count, whatever they might find. */
  #endAt(number: number): void {
    this.#end = Math.min(this.#end, number);
    for (const [other, { controller }] of this.#underWay) if (other >= this.#end) controller.abort();
  }

  #addUp(): void {
    for (;;) {
      const block = this.#done.get(this.#added);
      if (block === undefined) break;
      this.#done.delete(this.#added++);
      if ("results" in block) this.#sum.add(block);
      else this.#sum.addLost(block);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  #tellProgress(): void {
    const parts = [...[...this.#underWay.values()].map(({ progress }) => progress), ...[...this.#done.values()].map(progressOf)];
    const total = (pick: (progress: BlockProgress) => number, soFar: number): number =>
      parts.reduce((all, part) => all + pick(part), soFar);
    const runs = total((part) => part.runs, this.#sum.runs);
    this.#options.onProgress({
      runs,
      failures: total((part) => part.failures, this.#sum.failures),
      distinct: total((part) => part.distinct, this.#sum.distinct),
      remaining: Number.isFinite(this.#plan.runs) ? this.#plan.runs - runs : parts[0]?.remaining,
    });
  }
}

function progressOf(block: BlockFindings | BlockProgress): BlockProgress {
  const { runs, failures } = block;
  return "results" in block ? { runs, failures, distinct: block.coverage.schedules, remaining: undefined } : block;
}
