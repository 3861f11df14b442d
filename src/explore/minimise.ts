/**
 * Making a failing order small: fewest switches from one task to another, then fewest steps.
 *
 * A run is the list of its steps. Two kinds of change make it simpler, each tried by running the program in the changed order: a
 * later stretch of steps of the same task is moved up to where the task was left, or a stretch is moved to the very end, which for
 * a failure that comes before means that it is not needed. A change is kept when the run still fails in the same way and became
 * strictly simpler, so the search ends; it is bounded by a number of reruns besides.
 */
import { isSimpler, simplicityOf } from "../schedule/simplicity.js";
import type { ReadyTask, Strategy } from "../schedule/strategy.js";
import { followingOrder } from "../strategy/replay.js";

/** A run that fails, as far as minimising needs to know it. */
export interface FailingRun {
  readonly steps: readonly ReadyTask[];
}

/** At most so many reruns by default. */
export const MAX_RERUNS = 1_000;

/** All reruns together take at most so many steps, so that a long run is tried less often than a short one. */
const MAX_STEPS = 400_000;

export interface MinimiseLimits {
  /** Default {@link MAX_RERUNS}. */
  readonly maxReruns?: number;
  /** Asked before each rerun; true ends the search with the best so far. Default: never. */
  readonly isOver?: () => boolean;
}

/**
 * The simplest failing run that was found, `first` itself when nothing simpler fails.
 *
 * @param attempt runs the program; answers the run when it fails in the same way, undefined when it does not
 */
export async function minimise<Run extends FailingRun>(
  first: Run,
  attempt: (strategy: Strategy) => Promise<Run | undefined>,
  { maxReruns = MAX_RERUNS, isOver = () => false }: MinimiseLimits = {},
): Promise<{ readonly run: Run; readonly reruns: number }> {
  let run = first;
  let reruns = 0;
  let steps = 0;
  const isSpent = (): boolean => reruns >= maxReruns || steps >= MAX_STEPS || isOver();
  const improve = async (order: readonly ReadyTask[]): Promise<boolean> => {
    if (isSpent()) return false;
    reruns++;
    steps += order.length;
    const candidate = await attempt(followingOrder(order));
    if (candidate === undefined || !isSimpler(simplicityOf(candidate.steps), simplicityOf(run.steps))) return false;
    run = candidate;
    return true;
  };
  // The order of arrival is often enough, and then nothing else has to be tried.
  await improve([]);
  for (let isImproved = true; isImproved; ) {
    isImproved = false;
    for (const order of simplerOrders(run.steps)) {
      if (isSpent()) break;
      if (!(await improve(order))) continue;
      isImproved = true;
      break;
    }
  }
  return { run, reruns };
}

/** Orders with fewer switches, the boldest change first. */
function* simplerOrders(steps: readonly ReadyTask[]): Generator<readonly ReadyTask[]> {
  const stretches = stretchesOf(steps);
  for (const [index, stretch] of stretches.entries()) {
    const later = stretches.findIndex((other, place) => place > index + 1 && other[0]?.name === stretch[0]?.name);
    const moved = stretches[later];
    if (moved === undefined) continue;
    yield stretches
      .toSpliced(later, 1)
      .toSpliced(index + 1, 0, moved)
      .flat();
    yield stretches
      .toSpliced(index, 1)
      .toSpliced(later - 1, 0, stretch)
      .flat();
  }
  for (const [index, stretch] of stretches.entries()) {
    if (index < stretches.length - 1) yield [...stretches.toSpliced(index, 1).flat(), ...stretch];
  }
}

/** The steps cut where the task changes. */
function stretchesOf(steps: readonly ReadyTask[]): readonly (readonly ReadyTask[])[] {
  const stretches: ReadyTask[][] = [];
  for (const step of steps) {
    const last = stretches.at(-1);
    if (last?.[0]?.name === step.name) last.push(step);
    else stretches.push([step]);
  }
  return stretches;
}
