/**
 * Listening to what a program asks that no schedule answers: a clock, a source of randomness. Everything answers as always meanwhile.
 */
import { captureStack, siteOfStack } from "../loop/site.js";

/** What can be asked that no schedule answers. */
const LEAKS: readonly (readonly [owner: () => object | undefined, name: string, text: string])[] = [
  [() => Math, "random", "Math.random()"],
  [() => Date, "now", "Date.now()"],
  [() => globalThis.performance, "now", "performance.now()"],
  [() => globalThis.crypto, "randomUUID", "crypto.randomUUID()"],
  [() => globalThis.crypto, "getRandomValues", "crypto.getRandomValues()"],
  [() => (globalThis as { readonly process?: object }).process, "hrtime", "process.hrtime()"],
];

/**
 * Runs `work` while it listens to what is asked; answers each leak once, with its place: `Math.random() at src/id.ts:3:15`. Everything
 * answers as always meanwhile.
 */
export async function listenForLeaks(work: () => Promise<unknown>): Promise<readonly string[]> {
  const heard = new Set<string>();
  const note = (text: string): void => {
    // Without a place it is somebody else's: the library's own, or the test runner's.
    const site = siteOfStack(captureStack(), /^\s*at /);
    if (site !== undefined) heard.add(`${text} at ${site}`);
  };
  const putBack = [...LEAKS.map(([owner, name, text]) => listen(owner(), name, () => note(text))), listenToDates(() => note("new Date()"))];
  try {
    await work();
  } finally {
    for (const restore of putBack.reverse()) restore();
  }
  return [...heard];
}

/** Puts a function that calls `note` first in the place of `owner[name]`; answers what puts it back. */
function listen(owner: object | undefined, name: string, note: () => void): () => void {
  const before = owner && findDescriptor(owner, name);
  if (owner === undefined || typeof before?.value !== "function") return () => undefined;
  const original = before.value as (...args: unknown[]) => unknown; // just seen
  const hasOwn = Object.hasOwn(owner, name);
  const listening = Object.assign(function (this: unknown, ...args: unknown[]): unknown {
    note();
    return original.apply(this, args);
  }, original); // `hrtime` carries `bigint`
  Object.defineProperty(owner, name, { ...before, value: listening });
  return () => {
    if (hasOwn) Object.defineProperty(owner, name, before);
    else Reflect.deleteProperty(owner, name);
  };
}

function findDescriptor(owner: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = owner; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

/** `new Date()` and `Date()` without arguments ask the clock. */
function listenToDates(note: () => void): () => void {
  const RealDate = globalThis.Date;
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args: unknown[], newTarget) {
      if (args.length === 0) note();
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply(target, receiver, args: unknown[]) {
      note();
      return Reflect.apply(target, receiver, args) as unknown;
    },
  });
  return () => {
    globalThis.Date = RealDate;
  };
}
