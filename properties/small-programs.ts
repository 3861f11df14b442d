/**
 * What the properties of the primitives share: how a small program is drawn and run, and the line in which its tasks should wait.
 *
 * A program is a few tasks that pause, do what the property is about, and pause again. The pauses are so short that many things happen
 * at the same virtual time, because it is there that the schedule decides; and other tasks cancel some of them at such times.
 */
import * as fc from "fast-check";
import { allTasks, createTask, currentTask, getRunningLoop, run, type Strategy, sleep, type Task, wait } from "heddle";

/**
 * `HEDDLE_RUNS` is for the main check, which makes 10,000 by default; what is given here grows and shrinks with it. Properties that draw
 * the same programs draw others when they differ in `variant`.
 */
export const parameters = (numRuns: number, variant = 0): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: Math.max(5, Math.ceil((numRuns * Number(process.env["HEDDLE_RUNS"] ?? 10_000)) / 10_000)),
  seed: (Number(process.env["HEDDLE_SEED"] ?? 7) + variant) | 0,
});

/** A while: so many turns for others, and then so much virtual time; often none at all. */
export interface Pause {
  readonly turns: number;
  readonly sleepMs: number;
  /** Which one of the other tasks is cancelled first, if one is. */
  readonly cancels?: number | undefined;
}

const few = fc.oneof(fc.constant(0), fc.nat(3));
/** All times are even, so that at odd ones there is nothing to do but to {@link watch}. */
export const evenMs: fc.Arbitrary<number> = few.map((half) => 2 * half);
export const pause: fc.Arbitrary<Pause> = fc.record({ turns: few, sleepMs: evenMs });

/**
 * A pause that begins by cancelling another task every now and then. What comes before a pause may have woken that one in the same step,
 * and it is then, when a task was woken and cannot go on, that something is lost most easily.
 */
export const troubledPause: fc.Arbitrary<Pause> = fc.record({
  turns: few,
  sleepMs: evenMs,
  cancels: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.nat(3)),
});

/** So long stays who is there for good: beyond the end of {@link settle}. */
export const forGood: fc.Arbitrary<Pause> = fc.constant({ turns: 0, sleepMs: 2_000 });

export async function take({ turns, sleepMs, cancels }: Pause): Promise<void> {
  if (cancels !== undefined) cancelOne(cancels);
  for (let turn = 0; turn < turns; turn++) await sleep(0);
  if (sleepMs > 0) await sleep(sleepMs);
}

/** Cancels one of the others that {@link start} has started, counted round those that are left. */
function cancelOne(index: number): void {
  const others = allTasks().filter((task) => task.getName().startsWith("t") && task !== currentTask());
  others[index % others.length]?.cancel();
}

/** Three pauses long at most, so that they come in the middle of programs that pause several times, too. */
export const cancellations: fc.Arbitrary<readonly Pause[]> = fc.array(
  fc.record({ turns: fc.nat(9), sleepMs: fc.nat(6).map((half) => 2 * half), cancels: fc.nat(5) }),
  { maxLength: 2 },
);

/** Runs a program; fails when the run has anything to complain of. */
export async function runProgram(strategy: Strategy, main: () => Promise<void>): Promise<void> {
  const onWarning = (warning: string): void => {
    throw new Error(warning);
  };
  await run(main, { strategy, maxSteps: 10_000, slowStepMs: Number.POSITIVE_INFINITY, onWarning });
}

/** Starts each body in a task of its own, and after each of the pauses `cancelling` cancels one of them. */
export function start(bodies: readonly (() => PromiseLike<unknown>)[], cancelling: readonly Pause[] = []): Task[] {
  for (const { cancels = 0, ...after } of cancelling) {
    createTask(async () => {
      await take(after);
      cancelOne(cancels);
    });
  }
  return bodies.map((body, index) => createTask(body, { name: `t${index}` }));
}

/** The same for tasks that nobody cancels. */
export function startUntouched(bodies: readonly (() => PromiseLike<unknown>)[]): Task[] {
  return bodies.map((body) => createTask(body));
}

/**
 * Judges again and again while a program runs, and once more when it has settled. Time moves only when nothing is ready, and pauses end
 * at even times: at an odd one whoever has not gone on waits for time to pass, or for somebody else.
 */
export async function watch(judge: () => void): Promise<void> {
  await sleep(1);
  for (let round = 0; round < 20; round++) {
    judge();
    await sleep(2);
  }
  await settle();
  judge();
}

/** After this all pauses are over. */
export async function settle(): Promise<void> {
  await sleep(1_000);
}

/**
 * Waits until all have ended, and raises what one of them raised. Who was asked to be cancelled is, unless it `maySwallow` that, and
 * nobody else. Where one never ends the run is a deadlock, which fails as well.
 */
export async function finish(tasks: readonly Task[], { maySwallow = false } = {}): Promise<void> {
  await wait(tasks);
  for (const task of tasks) {
    const isAsked = task.cancelling() > 0;
    if (!task.cancelled() || !isAsked) task.result();
    if (isAsked && !task.cancelled() && !maySwallow) throw new Error(`${task.getName()} was cancelled, and went on`);
  }
}

/**
 * Who should wait, and who should have gone on, where somebody else lets tasks go in the order in which they came. One that is to be
 * cancelled before it is let go is passed over; one that is let go first keeps that to itself, also when it is cancelled then.
 */
export class Line {
  readonly #waiting = new Set<Task | undefined>();
  readonly #letGo = new Set<Task | undefined>();

  /** Waits for `waiting`, which must end without a step in between when the way `isOpen`, and otherwise once the task is let go. */
  async pass(waiting: PromiseLike<unknown>, isOpen = false): Promise<void> {
    const task = currentTask();
    const loop = getRunningLoop();
    const stepBefore = loop.steps;
    this.#waiting.add(task);
    try {
      await waiting;
      const mayGoOn = isOpen ? loop.steps === stepBefore : this.#letGo.has(task);
      if (!mayGoOn) throw new Error(isOpen ? "it waited where the way was open" : "it went on, and nobody had let it go");
    } finally {
      this.#waiting.delete(task);
      this.#letGo.delete(task);
    }
  }

  /** Lets the first `count` go. */
  letGo(count = Number.POSITIVE_INFINITY): void {
    const going = [...this.#waiting].filter((task) => task?.cancelling() === 0).slice(0, count);
    for (const task of going) {
      this.#waiting.delete(task);
      this.#letGo.add(task);
    }
  }

  /** When nothing is ready all who were let go have gone on. */
  judge(): void {
    for (const task of this.#letGo) throw new Error(`${task?.getName() ?? "main"} was let go, and still waits`);
  }
}
