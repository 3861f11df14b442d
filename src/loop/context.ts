/**
 * Context variables. As in asyncio, a task begins in the context in which it was created and a callback runs in that in which it was
 * handed over, so what an `AsyncLocalStorage` holds there is seen here, and what is set here (`enterWith`) is not seen by siblings.
 *
 * The engine keeps the context across every `await`; only the first step of a task and plain callbacks are called by the loop, out of
 * its own context. An `AsyncResource` holds the one that is wanted. It costs about 35 ns a task, and `AsyncLocalStorage.snapshot()`, made
 * for the same purpose, up to 7,000.
 */
import { loadAsyncHooks } from "./host.js";

const AsyncResource = loadAsyncHooks()?.AsyncResource;

/** A context to run something in. */
export interface Context {
  runInAsyncScope<T>(fn: (argument: T) => void, thisArg: undefined, argument: T): void;
}

/** The context of the code that is running; undefined where the runtime knows none. */
export function captureContext(): Context | undefined {
  return AsyncResource === undefined ? undefined : new AsyncResource("heddle");
}
