/**
 * A loop for several mains, one after another, as `asyncio.Runner`.
 */
import { RuntimeError, UsageError } from "../errors/errors.js";
import type { EventLoop } from "./event-loop.js";
import { detectQuiescence } from "./host.js";
import { driveLoop, loopFor, type RunOptions, resultOfMain, tellWarnings } from "./run.js";
import type { TaskBody } from "./task.js";

/**
 * Runs mains on one loop. What one leaves behind (a task in the background, the clock) goes on with the next; {@link close} ends it all.
 *
 * @example
 * const runner = new Runner({ strategy: random(7) });
 * const server = await runner.run(() => startServer()); // its tasks wait until something runs again
 * const answer = await runner.run(() => ask(server));
 * await runner.close(); // cancels what is left, and waits for it
 * @since 0.2.0
 */
export class Runner {
  readonly #options: RunOptions;
  #loop: EventLoop | undefined = undefined;
  #isClosed = false;

  /** The loop is made when it is first needed. The options are those of {@link run}. */
  constructor(options: RunOptions = {}) {
    this.#options = options;
  }

  /** The loop. Throws RuntimeError once the runner is closed. */
  getLoop(): EventLoop {
    if (this.#isClosed) throw new RuntimeError("Runner is closed");
    return (this.#loop ??= loopFor(this.#options, "Runner"));
  }

  /**
   * Runs `main` to its end, and answers its result.
   *
   * Rejects with what main throws, with DeadlockError when nothing can go on (which closes the loop), with RuntimeError once the runner
   * is closed, and with UsageError inside of a run.
   */
  async run<T>(main: TaskBody<T>): Promise<T> {
    const loop = this.getLoop();
    const { strategy } = loop;
    await driveLoop(loop, "Runner.run()", () => {
      if (loop.completion === undefined && strategy?.begin(0) === false) {
        throw new UsageError(`Runner: strategy ${strategy.name} has no run left to make; make a new one`);
      }
      loop.start(main, this.#options.quiescence ?? detectQuiescence(), undefined, true);
    });
    return resultOfMain(loop) as T; // the main that was just run answers nothing else
  }

  /** Cancels what is left, waits for it, and closes the loop. A runner that is closed, or never ran anything, stays as it is. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const loop = this.#loop;
    if (loop?.completion === undefined) return;
    if (!loop.isClosed()) {
      await driveLoop(loop, "Runner.close()", () => {
        loop.beginClosing();
      });
    }
    loop.strategy?.end?.({ run: 0, failed: loop.completion.kind !== "result", steps: loop.steps });
    tellWarnings(loop, this.#options);
  }

  /** `await using runner = new Runner()`: closes it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
