/**
 * The reports of a run that does not end: who runs in circles, and who is kept from running by it.
 */
import { HeddleError } from "../errors/errors.js";
import type { Handle } from "./handle.js";

/** One who runs in the circle. */
export interface CyclingTask {
  readonly task: string;
  /** How many of the steps that were looked at are its. */
  readonly steps: number;
  /** `src/poll.ts:4:11`: where it waits, where that is known. */
  readonly site: string | undefined;
}

/** A run took more steps than it was allowed. */
export class LivelockError extends HeddleError {
  /** The report of a step that does not come to its end, at `site` if that is known. */
  static ofStep(step: number, timeMs: number, limitMs: number, site: string | undefined): LivelockError {
    const error = new LivelockError(0, timeMs, [], false);
    error.message = [
      `step ${step} at t=${timeMs} did not come to its end within ${limitMs} ms of real time, and was stopped${site === undefined ? "." : ` at ${site}.`}`,
      "Usually a loop without an await, or one whose awaits never have to wait; raise hardLimitMs if the step really takes that long.",
    ].join("\n");
    return error;
  }

  /** Who ran in the last steps, in order of name; where those repeat exactly, one turn of the circle. */
  readonly cycle: readonly CyclingTask[];

  constructor(maxSteps: number, timeMs: number, cycle: readonly CyclingTask[], isExact: boolean) {
    const width = Math.max(0, ...cycle.map(({ task }) => task.length));
    const lines = cycle.map(
      ({ task, steps, site }) =>
        `  ${task.padEnd(width)}  ${steps} step${steps === 1 ? "" : "s"}${site === undefined ? "" : `  at ${site}`}`,
    );
    super(
      "HEDDLE_LIVELOCK",
      [
        `livelock at t=${timeMs}: the run took more than ${maxSteps} steps, ${isExact ? "the last of them in a circle, in each turn of which run" : "the last of which were"}`,
        ...lines,
        "Usually a task that polls for what never comes; raise maxSteps if the program really is that long.",
      ].join("\n"),
    );
    this.cycle = cycle;
  }

  static {
    this.prototype.name = "LivelockError";
  }
}

/** A run took more steps than it was allowed, and somebody could have run all the time and never did. */
export class StarvationError extends HeddleError {
  /** Who was passed over. */
  readonly starved: readonly string[];

  constructor(maxSteps: number, timeMs: number, starved: readonly string[], steps: number) {
    super(
      "HEDDLE_STARVATION",
      `starvation at t=${timeMs}: the run took more than ${maxSteps} steps, and ${starved.join(", ")} ${starved.length === 1 ? "was" : "were"} ready ` +
        `through the last ${steps} of them without being run. The strategy is not fair, and the others never end by themselves.`,
    );
    this.starved = starved;
  }

  static {
    this.prototype.name = "StarvationError";
  }
}

/** The last steps before the bound that are looked at. */
const WINDOW = 1_000;

/** Watches the last steps that a run is allowed. */
export class EndlessWatch {
  readonly #maxSteps: number;
  readonly #chains: object[] = [];
  /** The latest handle of each chain. */
  readonly #latest = new Map<object, Handle>();
  readonly #readyAtFirst: ReadonlySet<Handle>;

  /** `ready` are those who are ready when the watch begins. */
  constructor(maxSteps: number, ready: readonly Handle[]) {
    this.#maxSteps = maxSteps;
    this.#readyAtFirst = new Set(ready);
  }

  /** Steps beyond this one are to be watched. */
  static fromStep(maxSteps: number): number {
    return Math.max(Math.floor(maxSteps / 2), maxSteps - WINDOW);
  }

  /** `handle` is about to run. */
  note(handle: Handle): void {
    this.#chains.push(handle.chain);
    this.#latest.set(handle.chain, handle);
  }

  /** The report; `ready` are those who are ready at the end. */
  report(ready: readonly Handle[], timeMs: number, siteOf: (handle: Handle) => string | undefined): LivelockError | StarvationError {
    const starved = ready.filter((handle) => this.#readyAtFirst.has(handle) && !this.#latest.has(handle.chain));
    const names = [...new Set(starved.map(({ name }) => name))];
    if (names.length > 0) return new StarvationError(this.#maxSteps, timeMs, names, this.#chains.length);
    const period = periodOf(this.#chains);
    const turn = period === undefined ? this.#chains : this.#chains.slice(-period);
    const counts = new Map<object, number>();
    for (const chain of turn) counts.set(chain, (counts.get(chain) ?? 0) + 1);
    const cycle = [...this.#latest].flatMap(([chain, handle]) => {
      const steps = counts.get(chain);
      return steps === undefined ? [] : [{ task: handle.name, steps, site: siteOf(handle) }];
    });
    // A circle has no beginning, so they stand in order of name.
    cycle.sort((a, b) => (a.task < b.task ? -1 : 1));
    return new LivelockError(this.#maxSteps, timeMs, together(cycle), period !== undefined);
  }
}

/** Callbacks and timers are another one each time, and yet one place in the program. */
function together(cycle: readonly CyclingTask[]): readonly CyclingTask[] {
  const sums = new Map<string, CyclingTask>();
  for (const { task, steps, site } of cycle) {
    const key = `${task} ${site ?? ""}`;
    sums.set(key, { task, steps: (sums.get(key)?.steps ?? 0) + steps, site });
  }
  return [...sums.values()];
}

/** The shortest stretch of which the second half of `items` is a repetition. */
function periodOf(items: readonly object[]): number | undefined {
  const half = Math.floor(items.length / 2);
  const limit = Math.floor(half / 2);
  for (let period = 1; period <= limit; period++) {
    let at = items.length - 1;
    while (at >= half && items[at] === items[at - period]) at--;
    if (at < half) return period;
  }
  return undefined;
}
