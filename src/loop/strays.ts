/**
 * Stray rejections and exceptions of a run: those that nobody handles, and that Node would tell the whole process of. While a run
 * lasts the process's own listeners are set aside, so that neither a test runner nor Node's default blames something else for them.
 */
import { realProcess } from "./host.js";

type Listener = (...args: unknown[]) => void;

/** The part of Node's `process` that is needed here. */
interface Emitter {
  rawListeners(event: string): Listener[];
  removeAllListeners(event: string): void;
  on(event: string, listener: Listener): void;
  removeListener(event: string, listener: Listener): void;
}

/**
 * Sends strays to `onStray` until the function that it answers is called, which puts everything back. With a rejection comes its promise; one that is
 * handled after all is told to `onHandled`. (Without a listener Node warns of it.)
 */
export function interceptStrays(
  onStray: (error: unknown, promise: object | undefined) => void,
  onHandled: (promise: object) => void = () => undefined,
): () => void {
  const emitter = realProcess() as Partial<Emitter> | undefined; // checked below
  if (!isEmitter(emitter)) return () => undefined;
  const own: readonly (readonly [event: string, listener: Listener])[] = [
    ["unhandledRejection", (error, promise) => onStray(error, promise as object)],
    ["uncaughtException", (error) => onStray(error, undefined)],
    ["rejectionHandled", (promise) => onHandled(promise as object)],
  ];
  const setAside = own.map(([event, listener]) => {
    const listeners = emitter.rawListeners(event);
    emitter.removeAllListeners(event);
    emitter.on(event, listener);
    return { event, listener, listeners };
  });
  return () => {
    for (const { event, listener, listeners } of setAside) {
      // What was added meanwhile stays, behind what was there before.
      const added = emitter.rawListeners(event).filter((other) => other !== listener);
      emitter.removeAllListeners(event);
      for (const other of [...listeners, ...added]) emitter.on(event, other);
    }
  };
}

function isEmitter(candidate: Partial<Emitter> | undefined): candidate is Emitter {
  return typeof candidate?.rawListeners === "function" && typeof candidate.removeAllListeners === "function";
}
