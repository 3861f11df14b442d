/**
 * Driving loops from the real event loop: one after another, each from a fresh macrotask, giving way about every 10 ms.
 */
import { UsageError } from "../errors/errors.js";
import { EventLoop, type EventLoopOptions } from "./event-loop.js";
import {
  detectQuiescence,
  hasRequestUnderWay,
  nextMacrotask,
  onNextMacrotask,
  onRealTimeout,
  type Quiescence,
  realNowMs,
  watchRequests,
} from "./host.js";
import { requireDuration, requireStrategy } from "./require-options.js";
import { findRunningLoop, setRunningLoop } from "./running.js";
import { interceptStrays } from "./strays.js";
import type { TaskBody } from "./task.js";

/** After so many real milliseconds without a pause, timers and signals of the process get their turn. */
export const SLICE_MS = 10;

/** And after so many turns of the real event loop: on a machine that is busy, time passes in which this process could not even look. */
const QUIET_TURNS = 3;

/** While it waits for something outside, a run looks again at once this long, and then once a millisecond. */
const BUSY_WAIT_MS = 2;

export interface RunOptions extends EventLoopOptions {
  /** Told of what the run has to complain of, a line each, when it ends. Default: `console.warn`. */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /** How a step is brought to its end. Default: what works here, `"drain"` in Node. */
  readonly quiescence?: Quiescence | undefined;
}

/** Resolves when the run or exploration that is under way in this realm, if any, is over. */
let lastRun: Promise<void> = Promise.resolve();

/**
 * Waits for its turn: only one run at a time has the realm. Resolves, in a fresh macrotask, to the function that ends the turn.
 * Throws UsageError inside a run, which could never end.
 */
export async function takeTurn(what: string): Promise<() => void> {
  if (findRunningLoop()?.isInsideStep() === true) {
    throw new UsageError(`${what} cannot be called inside a run: await the function itself, or createTask(fn).`);
  }
  const before = lastRun;
  let release: () => void = () => undefined;
  lastRun = new Promise((resolve) => {
    release = resolve;
  });
  await before;
  await nextMacrotask();
  const unwatch = watchRequests();
  return () => {
    unwatch();
    release();
  };
}

/**
 * Runs `main` on a new loop to its end, as `asyncio.run` does: cancels what main leaves behind, waits for that, and answers main's
 * result. Runs that are started at the same time are run one after another.
 *
 * Rejects with what main throws, with DeadlockError when nothing can go on, and with UsageError when called inside a run.
 *
 * @example
 * const result = await run(async () => {
 *   const [a, b] = await gather(() => fetchUser(1), () => fetchUser(2));
 *   return a + b;
 * });
 * @since 0.1.0
 */
export async function run<T>(main: TaskBody<T>, options: RunOptions = {}): Promise<T> {
  const loop = loopFor(options, "run");
  return await runUntilComplete(loop, main, options.quiescence).finally(() => {
    tellWarnings(loop, options);
  });
}

/** A loop for `options`. Throws UsageError that names `what` and the option for one that cannot be. */
export function loopFor(options: RunOptions, what: string): EventLoop {
  const { strategy, maxSteps, idleGraceMs, slowStepMs } = options;
  for (const [name, value] of Object.entries({ idleGraceMs, slowStepMs })) requireDuration(value, `${what}: ${name}`);
  if (typeof strategy === "string") {
    throw new UsageError(`${what}: strategy must be an object, as ${strategy as string}() makes one, not a name`);
  }
  requireStrategy(strategy, `${what}: strategy`);
  if (maxSteps !== undefined && !(maxSteps >= 1)) throw new UsageError(`${what}: maxSteps must be 1 or more, not ${maxSteps}`);
  return new EventLoop(options);
}

/** Tells what a run that has ended has to complain of. */
export function tellWarnings(loop: EventLoop, { onWarning }: RunOptions): void {
  const warn =
    onWarning ??
    ((warning: string) => {
      console.warn(`heddle: ${warning}`);
    });
  loop.warnings.forEach(warn);
}

/**
 * Runs `main` on a loop of one's own, as {@link run} does: for whoever sets an exception handler first, or reads the loop's clock,
 * warnings and `uncontrolled` afterwards. A loop runs one main, once.
 *
 * Rejects with what main throws, with DeadlockError when nothing can go on, and with UsageError for a loop that has run.
 *
 * @example
 * const loop = new EventLoop({ strategy: random(7) });
 * await runUntilComplete(loop, main);
 * loop.time(); // the virtual milliseconds that it took
 * @since 0.1.0
 */
export async function runUntilComplete<T>(loop: EventLoop, main: TaskBody<T>, quiescence?: Quiescence): Promise<T> {
  await runLoop(loop, main, quiescence);
  return resultOfMain(loop) as T; // the main that was just run answers nothing else
}

/** The result of the main that ended last; throws what it threw. */
export function resultOfMain(loop: EventLoop): unknown {
  const { completion } = loop;
  if (completion?.kind !== "result") throw completion?.error;
  return completion.value;
}

/** Takes a turn and runs `main` on `loop` to the end of the run; the outcome is in `loop.completion`. */
export async function runLoop(loop: EventLoop, main: TaskBody<unknown>, quiescence?: Quiescence): Promise<void> {
  const { strategy } = loop;
  await driveLoop(loop, "run()", () => {
    if (strategy?.begin(0) === false) throw new UsageError(`run: strategy ${strategy.name} has no run left to make; make a new one`);
    loop.start(main, quiescence ?? detectQuiescence());
    return undefined;
  });
  strategy?.end?.({ run: 0, failed: loop.completion?.kind !== "result", steps: loop.steps });
}

/**
 * Takes a turn and drives `loop` from what `begin` starts to the end of that; not at all where that answers that there is nothing to drive.
 * Rejects with what `begin` throws.
 */
export async function driveLoop(loop: EventLoop, what: string, begin: () => "nothing" | undefined): Promise<void> {
  const release = await takeTurn(what);
  const putBack = interceptStrays((exception) => {
    loop.callExceptionHandler({ message: "Unhandled rejection or exception", exception });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      onNextMacrotask(() => {
        try {
          if (begin() === "nothing") resolve();
          else continueDriving(loop, resolve);
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    putBack();
    release();
  }
}

/** Answers what `work` returns when it is called directly from a macrotask, where microtasks can be drained. */
export function inMacrotask<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    onNextMacrotask(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error); // whatever was thrown is passed on unchanged
      }
    });
  });
}

/**
 * Goes on with a loop that was started, and calls back when it is over, or when `isAbandoned` says so between two slices. To be called
 * directly from a macrotask: after an `await` it would run in a microtask, where nothing can be drained and steps would mix.
 */
export function continueDriving(loop: EventLoop, onEnd: () => void, isAbandoned: () => boolean = () => false): void {
  let quietSince = realNowMs();
  let lastActivity = loop.activity;
  let quietTurns = 0;
  const turn = (): void => {
    if (isAbandoned()) {
      setRunningLoop(undefined);
      onEnd();
      return;
    }
    const progress = loop.advance(realNowMs() + SLICE_MS);
    if (progress === "ended") {
      onEnd();
      return;
    }
    if (progress !== "outside") {
      quietSince = realNowMs();
      onNextMacrotask(turn);
      return;
    }
    if (loop.activity !== lastActivity || hasRequestUnderWay() || loop.isOutsideExpected()) {
      if (loop.activity !== lastActivity) loop.noteArrival();
      lastActivity = loop.activity;
      quietSince = realNowMs();
      quietTurns = 0;
    }
    const quietMs = realNowMs() - quietSince;
    const isQuiet = quietMs >= loop.idleGraceMs && ++quietTurns >= QUIET_TURNS;
    if (isQuiet && loop.giveUpOutside()) {
      quietSince = realNowMs();
      onNextMacrotask(turn);
    } else if (isQuiet) {
      loop.endAsDeadlock(loop.idleGraceMs);
      setRunningLoop(undefined);
      onEnd();
    } else if (quietMs < BUSY_WAIT_MS && !hasRequestUnderWay()) onNextMacrotask(turn);
    else onRealTimeout(turn, 1);
  };
  turn();
}
