/**
 * Stray rejections and exceptions of a run: those that nobody handles, and that Node would tell the whole process of. While a run
 * lasts the process's own listeners are set aside, so that neither a test runner nor Node's default blames something else for them.
 */
import { realProcess } from "./host.js";

/** The last one only says that a rejection was handled late: it has been told already, and without a listener Node warns of it. */
const EVENTS = ["unhandledRejection", "uncaughtException", "rejectionHandled"] as const;
type Listener = (...args: unknown[]) => void;

/** The part of Node's `process` that is needed here. */
interface Emitter {
  rawListeners(event: string): Listener[];
  removeAllListeners(event: string): void;
  on(event: string, listener: Listener): void;
  removeListener(event: string, listener: Listener): void;
}

/** Sends strays to `onStray` until the function that it answers is called, which puts everything back. */
export function interceptStrays(onStray: (error: unknown) => void): () => void {
  const emitter = realProcess() as Partial<Emitter> | undefined; // checked below
  if (!isEmitter(emitter)) return () => undefined;
  const ignore: Listener = () => undefined;
  const listener: Listener = (error) => {
    onStray(error);
  };
  const setAside = EVENTS.map((event) => {
    const listeners = emitter.rawListeners(event);
    emitter.removeAllListeners(event);
    emitter.on(event, event === "rejectionHandled" ? ignore : listener);
    return { event, listeners };
  });
  return () => {
    for (const { event, listener, listeners } of setAside) {
      // What was added meanwhile stays, behind what was there before.
      const added = emitter.rawListeners(event).filter((other) => other !== listener && other !== ignore);
      emitter.removeAllListeners(event);
      for (const other of [...listeners, ...added]) emitter.on(event, other);
    }
  };
}

function isEmitter(candidate: Partial<Emitter> | undefined): candidate is Emitter {
  return typeof candidate?.rawListeners === "function" && typeof candidate.removeAllListeners === "function";
}
