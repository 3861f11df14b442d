/**
 * Which loop is running right now. asyncio keeps the same pointer per thread; here there is one per realm, set only while a step of
 * that loop runs or while something outside may resume its program, and never left behind.
 */
import { UsageError } from "../errors/errors.js";
import type { EventLoop } from "./event-loop.js";

let running: EventLoop | undefined;

/** The loop whose step is running, or undefined outside. */
export function findRunningLoop(): EventLoop | undefined {
  return running;
}

/**
 * The loop whose step is running. Throws UsageError outside of a run; `what` names what was asked for.
 *
 * @example
 * await run(async () => getRunningLoop().time()); // 0
 * @since 0.1.0
 */
export function getRunningLoop(what = "getRunningLoop()"): EventLoop {
  if (running === undefined) throw outsideError(what);
  return running;
}

/** The error for whoever uses something of a loop where none is running. */
export function outsideError(what: string): UsageError {
  return new UsageError(
    `${what} needs a running event loop, and none is running here. ` +
      "Usually the code is not inside run(): start it with `await run(async () => { … })`.",
  );
}

/** Makes `loop` the running one; answers the one before, which must be restored. */
export function setRunningLoop(loop: EventLoop | undefined): EventLoop | undefined {
  const previous = running;
  running = loop;
  return previous;
}
