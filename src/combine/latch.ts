import type { EventLoop } from "../loop/event-loop.js";
import { Future } from "../loop/future.js";

/** What a task awaits that waits for something else to be the case. */
export interface Latch {
  readonly future: Future<void>;
  /** Lets the task go on; the second time, and when its wait was cancelled, it does nothing. */
  readonly release: () => void;
}

/** `describe` says in reports what the task waits for. */
export function makeLatch(loop: EventLoop, describe: () => string): Latch {
  const future = new Future<void>(loop, { describe });
  const release = (): void => {
    if (!future.done()) future.setResult();
  };
  return { future, release };
}
