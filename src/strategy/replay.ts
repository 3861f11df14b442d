/**
 * Following a recorded schedule: to the letter, or as far as it still applies.
 */
import { HeddleError } from "../errors/errors.js";
import { formatReadyTask, isSameReadyTask, type RecordedDecision, type Schedule } from "../schedule/schedule.js";
import type { Decision, ReadyTask, StepRecord, Strategy } from "../schedule/strategy.js";
import { nameReadyTask } from "./recording.js";

/**
 * The program left the recorded schedule.
 *
 * @since 0.1.0
 */
export class DivergenceError extends HeddleError {
  /** Number of the first step that differs, counted from 1. */
  readonly step: number;
  readonly recorded: RecordedDecision | undefined;
  readonly now: readonly ReadyTask[] | undefined;

  /** @param message says it otherwise, where there is more to say than what was recorded and what is ready now */
  constructor(step: number, recorded: RecordedDecision | undefined, now: readonly ReadyTask[] | undefined, message?: string) {
    super(
      "HEDDLE_DIVERGENCE",
      message ??
        [
          `divergence at step ${step}: the program left the recorded schedule.`,
          `  recorded  ${recorded === undefined ? "the end of the schedule" : `${formatReady(recorded.ready)}, ran ${formatReadyTask(recorded.ready[recorded.index] ?? UNKNOWN)}`}`,
          `  now       ${now === undefined ? "the end of the program" : formatReady(now)}`,
          "Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run.",
        ].join("\n"),
    );
    this.step = step;
    this.recorded = recorded;
    this.now = now;
  }

  static {
    this.prototype.name = "DivergenceError";
  }
}

const UNKNOWN: ReadyTask = { name: "?", operation: "" };

/** A replay, which can say whether it went to the end of its schedule. */
export interface ReplayStrategy extends Strategy {
  /** Throws DivergenceError when the run ended before the schedule did. */
  requireComplete(): void;
}

/**
 * Makes exactly the decisions of `schedule`. It throws {@link DivergenceError} at the first step where what is ready, or what runs,
 * differs from what was recorded, and so does a run that goes on after the end of the schedule.
 *
 * @example
 * await run(main, { strategy: following(decodeSchedule(token)) });
 * @since 0.1.0
 */
export function following({ decisions, housekeeping }: Schedule): ReplayStrategy {
  let next = 0;
  let isDecided = false;
  const follow = (step: number, ready: readonly ReadyTask[]): number => {
    const recorded = decisions[next++];
    const isSame = recorded?.ready.length === ready.length && recorded.ready.every((task, place) => isSameReadyTask(task, ready[place]));
    if (recorded === undefined || !isSame) throw new DivergenceError(step, recorded, ready.map(nameReadyTask));
    return recorded.index;
  };
  return {
    name: "replay",
    housekeeping,
    isFair: true, // or at least not to be made fair: what was recorded is to run, however long others have waited
    begin(run: number): boolean {
      next = 0;
      isDecided = false;
      return run === 0;
    },
    pick({ kind, step, ready }: Decision): number {
      // A gate that nobody decided about stands before its fault, see recording.ts.
      if (kind === "fault" && !isDecided) follow(step, ready.slice(0, 1));
      const index = follow(step, ready);
      isDecided = ready[index]?.kind !== "clock"; // no step: what runs next was not decided by it
      return index;
    },
    observe(step: StepRecord): void {
      if (!isDecided) follow(step.step, [step]);
      isDecided = false;
    },
    requireComplete(): void {
      if (next < decisions.length) throw new DivergenceError(next + 1, decisions[next], undefined);
    },
  };
}

/**
 * Runs steps in a wanted order as far as it applies to the program, which may not be the one that the order is from: of what is
 * ready, the step that stands first in the order runs; a step that does not stand in it waits until nothing else is ready.
 */
export function followingOrder(order: readonly ReadyTask[]): Strategy {
  const place = new Map<string, number>();
  order.forEach((task, index) => {
    const key = formatReadyTask(task);
    if (!place.has(key)) place.set(key, index);
  });
  return {
    name: "replay",
    isFair: true, // the order comes to an end, and behind it everything runs as it became ready
    begin: () => true,
    pick({ ready }: Decision): number {
      let best = 0;
      let bestPlace = Number.POSITIVE_INFINITY;
      ready.forEach((task, index) => {
        const at = place.get(formatReadyTask(task)) ?? Number.POSITIVE_INFINITY;
        if (at < bestPlace) [best, bestPlace] = [index, at];
      });
      return best;
    },
  };
}

/** `3 ready [t1@0, t2@0, t3@0]` */
function formatReady(ready: readonly ReadyTask[]): string {
  return `${ready.length} ready [${ready.map(formatReadyTask).join(", ")}]`;
}
