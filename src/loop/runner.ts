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
 * Between two mains nothing of the loop runs: a task that waits for real I/O then cannot be resumed by it.
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
  #hasBegun = false;
  #hasFailed = false;
  #isClosed = false;

  /** The loop is made when it is first needed. The options are those of {@link run}; `maxSteps` counts those of all mains together. */
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
   * Rejects with what main throws, with DeadlockError when nothing can go on, which ends the loop, with RuntimeError once the loop has
   * ended or the runner is closed, and with UsageError inside of a run.
   */
  async run<T>(main: TaskBody<T>): Promise<T> {
    const loop = this.getLoop();
    await driveLoop(loop, "Runner.run()", () => {
      this.#begin(this.getLoop()); // which may have been closed meanwhile
      loop.start(main, this.#options.quiescence ?? detectQuiescence(), undefined, true);
      return undefined;
    });
    if (loop.completion?.kind !== "result") this.#hasFailed = true;
    return resultOfMain(loop) as T; // the main that was just run answers nothing else
  }

  /**
   * Cancels what is left, waits for it, and closes the loop. A runner that is closed stays as it is.
   *
   * Rejects with DeadlockError and the like when what is left comes to no end, and with UsageError inside of a run.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const loop = this.getLoop();
    let isDriven = false as boolean; // a callback sets it, which flow analysis does not see
    await driveLoop(loop, "Runner.close()", () => {
      this.#isClosed = true;
      isDriven = this.#hasBegun && !loop.isClosed();
      if (!isDriven) return "nothing";
      loop.beginClosing();
      return undefined;
    });
    if (!this.#hasBegun) return;
    const { completion } = loop;
    loop.strategy?.end?.({ run: 0, failed: this.#hasFailed || completion?.kind !== "result", steps: loop.steps });
    tellWarnings(loop, this.#options);
    // What main threw was told by run().
    if (isDriven && completion?.kind !== "result" && completion?.kind !== "error") throw completion?.error;
  }

  /** `await using runner = new Runner()`: closes it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(loop: EventLoop): void {
    if (loop.isClosed()) {
      throw new RuntimeError("Runner: its loop has ended, because an earlier main came to no end; make a new Runner", {
        cause: loop.completion?.kind === "result" ? undefined : loop.completion?.error,
      });
    }
    if (this.#hasBegun) return;
    const { strategy } = loop;
    if (strategy?.begin(0) === false) throw new UsageError(`Runner: strategy ${strategy.name} has no run left to make; make a new one`);
    this.#hasBegun = true;
  }
}
