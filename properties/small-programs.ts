/**
 * What the properties of the primitives share: how a small program is drawn and run, and the line in which its tasks should wait.
 *
 * A program is a few tasks that pause, do what the property is about, and pause again. The pauses are so short that many things happen
 * at the same virtual time, because it is there that the schedule decides; and other tasks cancel some of them at such times.
 */
import * as fc from "fast-check";
import { createTask, currentTask, getRunningLoop, run, type Strategy, sleep, type Task, wait } from "heddle";

/** `HEDDLE_RUNS` is for the main check, which makes 10,000 by default; what is given here grows and shrinks with it. */
export const parameters = (numRuns: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: Math.max(5, Math.ceil((numRuns * Number(process.env["HEDDLE_RUNS"] ?? 10_000)) / 10_000)),
  seed: Number(process.env["HEDDLE_SEED"] ?? 7) | 0,
});

/** A while: so many turns for others, and then so much virtual time; often none at all. */
export interface Pause {
  readonly turns: number;
  readonly sleepMs: number;
}

export const pause: fc.Arbitrary<Pause> = fc.record({ turns: fc.nat(3), sleepMs: fc.nat(3) });

export async function take({ turns, sleepMs }: Pause): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await sleep(0);
  if (sleepMs > 0) await sleep(sleepMs);
}

/** Who is cancelled, counted round the tasks of the program, and after how long. */
interface Cancellation {
  readonly victim: number;
  readonly after: Pause;
}

/** So long stays who is there for good: beyond the end of {@link settle}. */
export const forGood: fc.Arbitrary<Pause> = fc.constant({ turns: 0, sleepMs: 2_000 });

/** Three pauses long at most, so that they come in the middle of programs that pause several times, too. */
export const cancellations: fc.Arbitrary<readonly Cancellation[]> = fc.array(
  fc.record({ victim: fc.nat(9), after: fc.record({ turns: fc.nat(9), sleepMs: fc.nat(9) }) }),
  { maxLength: 4 },
);

/** Runs a program; fails when the run has anything to complain of. */
export async function runProgram(strategy: Strategy, main: () => Promise<void>): Promise<void> {
  const onWarning = (warning: string): void => {
    throw new Error(warning);
  };
  await run(main, { strategy, maxSteps: 10_000, slowStepMs: Number.POSITIVE_INFINITY, onWarning });
}

/** Starts each body in a task of its own, and what cancels them. */
export function start(bodies: readonly (() => PromiseLike<unknown>)[], cancelling: readonly Cancellation[] = []): Task[] {
  const tasks = bodies.map((body, index) => createTask(body, { name: `t${index}` }));
  cancelling.forEach(({ victim, after }, index) => {
    const cancel = async (): Promise<void> => {
      await take(after);
      tasks[victim % tasks.length]?.cancel();
    };
    createTask(cancel, { name: `cancels ${index}` });
  });
  return tasks;
}

/** Time moves only when nothing is ready: after this, whoever has not gone on waits for somebody else. */
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

  /** The names of those who were let go and have not gone on: nobody, once the program has settled. */
  get leftBehind(): readonly string[] {
    return [...this.#letGo].map((task) => task?.getName() ?? "");
  }
}
