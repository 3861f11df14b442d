/**
 * What went wrong and nobody awaits: who is told of it, and the warnings of a run.
 */
import { describeError } from "../errors/errors.js";
import type { EventLoop } from "./event-loop.js";
import type { Future } from "./future.js";
import type { Handle } from "./handle.js";

/** What an exception handler is told. */
export interface ExceptionContext {
  readonly message: string;
  readonly exception?: unknown;
  readonly future?: Future;
  readonly handle?: Handle;
}

export type ExceptionHandler = (loop: EventLoop, context: ExceptionContext) => void;

export class ExceptionReports {
  /** Undefined for the default, which warns. */
  handler: ExceptionHandler | undefined = undefined;
  readonly warnings: string[] = [];

  /** Adds the exception to the warnings of the run. */
  warn({ message, exception, future }: ExceptionContext): void {
    const where = future === undefined ? "" : ` (${future.describe()})`;
    this.warnings.push(`${message}${where}${exception === undefined ? "" : `: ${describeError(exception)}`}`);
  }

  /** Tells the handler. One that throws is reported too, and stops nothing. */
  report(loop: EventLoop, context: ExceptionContext): void {
    if (this.handler === undefined) {
      this.warn(context);
      return;
    }
    try {
      this.handler(loop, context);
    } catch (exception) {
      this.warn({ message: "Unhandled error in exception handler", exception });
      this.warn(context);
    }
  }
}
