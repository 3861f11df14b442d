/**
 * Whether what steps tell of what they touch is all that matters: a search that runs one order of each class relies on it. Some of its runs
 * are made again with independent steps swapped, which must change nothing.
 */
import { Random } from "../random/random.js";
import { type StepRecord, WORLD } from "../schedule/strategy.js";
import { signatureOf } from "./failed-run.js";
import { InOrder } from "./in-order.js";
import { orderOf } from "./order.js";
import type { CloseRun, ScenarioRunner } from "./runner.js";
import type { ScenarioEnd } from "./scenario-run.js";

/** So many runs are looked at, drawn from all with the same chance (Vitter's algorithm R, 1985). */
const SAMPLES = 50;

/** Longer runs are left alone: to swap steps takes time that grows with the square. */
const MAX_LENGTH = 500;

interface Sample {
  readonly steps: readonly StepRecord[];
  readonly end: ScenarioEnd;
  readonly runClass: NonNullable<CloseRun["runClass"]>;
}

export class Audit {
  readonly #random: Random;
  readonly #samples: Sample[] = [];
  #seen = 0;
  #steps: StepRecord[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed, "audit");
  }

  /** A run begins. */
  begin(): void {
    this.#steps = [];
  }

  note(step: StepRecord): void {
    if (this.#steps.length <= MAX_LENGTH) this.#steps.push(step);
  }

  /** The run is over. */
  end(result: Pick<Sample, "end" | "runClass">): void {
    if (this.#steps.length > MAX_LENGTH || result.end.kind === "divergence" || decidesMoreThanSteps(this.#steps)) return;
    const place = this.#seen < SAMPLES ? this.#seen : this.#random.below(this.#seen + 1);
    this.#seen++;
    if (place < SAMPLES) this.#samples[place] = { ...result, steps: this.#steps };
  }

  /** Makes the samples again in other orders of their classes; how the first one differed that did. */
  async findDifference(runner: ScenarioRunner, isOver: () => boolean): Promise<string | undefined> {
    for (const { steps, end, runClass } of this.#samples) {
      const order = anotherOrder(steps, this.#random);
      if (order === undefined) continue;
      if (isOver()) return undefined;
      const again = await runner.runClosely(new InOrder(orderOf({ steps: order })), { isOver });
      if (again === undefined) return undefined;
      const [before, now] = [describe(end), describe(again.end)];
      if (before !== now) return `two orders that differ only in steps that share nothing ended differently: ${before}, and ${now}`;
      if (runClass.high !== again.runClass?.high || runClass.low !== again.runClass.low) {
        return "two orders that differ only in steps that share nothing went on differently afterwards";
      }
    }
    return undefined;
  }
}

/** Whether batches were put together in the run, gates failed, or time may have passed open ones: the order of its steps does not say so. */
function decidesMoreThanSteps(steps: readonly StepRecord[]): boolean {
  const gates = steps.filter(({ kind }) => kind === "gate");
  return gates.length > 0 && (steps.some(({ timeMs }) => timeMs > 0) || gates.some(({ operation }) => /[+!]/.test(operation)));
}

const describe = (end: ScenarioEnd): string => (end.kind === "passed" ? "no failure" : signatureOf(end));

/** The steps of a run in an equivalent order; undefined when there is no other. */
function anotherOrder(steps: readonly StepRecord[], random: Random): readonly StepRecord[] | undefined {
  const after: number[][] = steps.map(() => []);
  const waitsFor = steps.map((step, index) => {
    const before = steps.slice(0, index).flatMap((earlier, place) => (mustComeBefore(earlier, step) ? [place] : []));
    for (const place of before) after[place]?.push(index);
    return before.length;
  });
  const free = steps.flatMap((_, index) => (waitsFor[index] === 0 ? [index] : []));
  const order: number[] = [];
  while (free.length > 0) {
    const [next = 0] = free.splice(random.below(free.length), 1); // it is not empty
    order.push(next);
    for (const index of after[next] ?? []) {
      waitsFor[index] = (waitsFor[index] ?? 0) - 1;
      if (waitsFor[index] === 0) free.push(index);
    }
  }
  return order.every((place, index) => place === index) ? undefined : order.flatMap((place) => steps[place] ?? []);
}

function mustComeBefore(earlier: StepRecord, later: StepRecord): boolean {
  return (
    earlier.timeMs !== later.timeMs ||
    later.causes?.includes(earlier.step) !== false ||
    touches(earlier.footprint?.writes, later) ||
    touches(later.footprint?.writes, earlier)
  );
}

/** Whether `step` touches one of the locations. */
function touches(locations: readonly number[] | undefined, { footprint }: StepRecord): boolean {
  if (locations === undefined || footprint === undefined) return true;
  return locations.some((location) => location === WORLD || footprint.reads.includes(location) || footprint.writes.includes(location));
}
