/**
 * Making a livelock small.
 *
 * It is as long as it may be in every order, and switches all the time, so switches and steps say nothing about it. What may be small is
 * how often it departs from the order of arrival, in which every task that is ready has its turn: the few departures that are left say what
 * led into the circle, and that it goes round without any more of them shows that nobody is merely kept waiting. (Starvation is just that,
 * needs departures to its very end, and cannot be made small.)
 *
 * A departure is known by what it took and what was first instead. Delta debugging leaves out those that are not needed.
 */
import { formatReadyTask } from "../schedule/schedule.js";
import type { Decision, ReadyTask, Strategy } from "../schedule/strategy.js";
import { type Attempt, MAX_RERUNS, MAX_STEPS, type Minimised, type MinimiseLimits } from "./minimise.js";
import type { FailingRun } from "./order.js";
import { shrinkList } from "./shrink-list.js";

/** That `taken` ran when `first` was the first in the order of arrival. */
interface Departure {
  readonly taken: string;
  readonly first: string;
}

/** The run of the fewest departures from the order of arrival that was found, `first` itself where no departure can be spared. */
export async function minimiseLivelock<Run extends FailingRun>(
  first: Run,
  attempt: Attempt<Run>,
  { maxReruns = MAX_RERUNS, isOver }: MinimiseLimits = {},
): Promise<Minimised<Run>> {
  let run = first;
  let reruns = 0;
  let steps = 0;
  await shrinkList(departuresOf(first), async (departures) => {
    if (reruns >= maxReruns || steps >= MAX_STEPS || isOver?.() === true) return false;
    reruns++;
    const candidate = await attempt(departing(departures));
    steps += (candidate ?? first).steps.length;
    if (candidate === undefined || departuresOf(candidate).length >= departuresOf(run).length) return false;
    run = candidate;
    return true;
  });
  return { run, reruns };
}

function departuresOf({ schedule }: FailingRun): readonly Departure[] {
  return (schedule?.decisions ?? []).flatMap(({ ready, index }) => {
    const [first, taken] = [ready[0], ready[index]];
    return index === 0 || first === undefined || taken === undefined
      ? []
      : [{ taken: formatReadyTask(taken), first: formatReadyTask(first) }];
  });
}

/** Keeps the order of arrival, but for the given departures. */
function departing(departures: readonly Departure[]): Strategy {
  const byFirst = new Map<string, Set<string>>();
  for (const { taken, first } of departures) byFirst.set(first, (byFirst.get(first) ?? new Set<string>()).add(taken));
  const isTaken = (instead: ReadonlySet<string>) => (alternative: ReadyTask) => instead.has(formatReadyTask(alternative));
  return {
    name: "departures",
    isFair: true,
    begin: () => true,
    pick({ ready }: Decision): number {
      const instead = ready[0] && byFirst.get(formatReadyTask(ready[0]));
      return instead === undefined ? 0 : Math.max(0, ready.findIndex(isTaken(instead)));
    },
  };
}
