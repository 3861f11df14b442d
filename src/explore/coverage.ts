/**
 * What an exploration has covered.
 */
import type { Strategy } from "../schedule/strategy.js";
import { DistinctCounter } from "./distinct.js";

/** Different things are counted exactly up to here, so that memory does not grow with the number of runs. */
const MAX_DISTINCT = 100_000;

/** New ones are looked for in so many of the last runs. */
const RECENT = 1_000;

/**
 * What an exploration has covered. Where steps are tracked it is told in classes of equivalent orders, and in schedules otherwise.
 *
 * @since 0.2.0
 */
export interface Coverage {
  /** Different schedules seen, counted exactly up to 100,000. */
  readonly schedules: number;
  /** Different classes of equivalent schedules seen, counted exactly up to 100,000; undefined where steps are not tracked. */
  readonly classes: number | undefined;
  /** Pairs of dependent steps that were seen one right after the other on something they share: so many pairs, so many of them in both orders. */
  readonly pairs: { readonly seen: number; readonly bothWays: number } | undefined;
  /** How many of the last 1,000 runs (of all, where there were fewer) were of a class, or of a schedule, that no run before was of. */
  readonly newInLast1000: number;
  /**
   * An estimate of the chance that the next run is of a class, or of a schedule, that none was of: the share of runs whose like was seen
   * only once (Good, Biometrika 1953). Undefined for a strategy that makes no run twice, where more than 100,000 were seen, and before the first run.
   */
  readonly chanceOfNew: number | undefined;
  /** An estimate of the runs that are left, by a strategy that comes to an end (Knuth, Mathematics of Computation 1975). */
  readonly remaining: number | undefined;
}

/** Counts what the runs of an exploration cover. */
export class CoverageCounter {
  readonly schedules = new DistinctCounter(MAX_DISTINCT);
  readonly classes = new DistinctCounter(MAX_DISTINCT);
  readonly #recent = new Uint8Array(RECENT);
  #newInRecent = 0;
  #runs = 0;

  /** A run is over; the numbers are the two halves of its hashes. */
  add(
    schedule: { readonly high: number; readonly low: number },
    runClass: { readonly high: number; readonly low: number } | undefined,
  ): void {
    const isNewSchedule = this.schedules.add(schedule.high, schedule.low);
    const isNew = runClass === undefined ? isNewSchedule : this.classes.add(runClass.high >>> 11, runClass.low);
    const place = this.#runs % RECENT;
    this.#newInRecent += Number(isNew) - (this.#recent[place] ?? 0);
    this.#recent[place] = Number(isNew);
    this.#runs++;
  }

  summary(pairs: Coverage["pairs"], { isSystematic, remaining }: Pick<Strategy, "isSystematic" | "remaining">): Coverage {
    const isTracked = this.classes.count > 0;
    const counter = isTracked ? this.classes : this.schedules;
    return {
      schedules: this.schedules.count,
      classes: isTracked ? this.classes.count : undefined,
      pairs: isTracked ? pairs : undefined,
      newInLast1000: this.#newInRecent,
      chanceOfNew: isSystematic === true || counter.isFull || this.#runs === 0 ? undefined : counter.once / this.#runs,
      remaining,
    };
  }
}
