/**
 * Where in the source an await stands, found out only when somebody asks.
 *
 * V8 can tell which async functions wait for a promise, but only from inside a reaction of that promise. So the promise of the await
 * is made to follow another one, and a reaction of that one looks at its own stack: the engine prints the awaiting functions below
 * it as `at async …`. Nothing is resumed, and an await that is never looked at costs nothing. (Capturing a stack at each await
 * instead costs ten steps' worth, and before V8 14 the stack inside `then` does not hold the awaiting function at all.)
 */
import { drainMicrotasks } from "./host.js";
import type { Wait } from "./wait.js";

/** Frames to look through; a stack of awaits that is deeper than this is cut. */
const STACK_DEPTH = 100;

/** The place at the end of a frame. */
const PLACE = /\(?((?:[a-z]+:\/\/)?[^\s()@]+:\d+:\d+)\)?$/;

/** A frame as V8 writes it, `at load (file:1:2)`, or as the other engines do, `load@file:1:2`. */
const FRAME = /^\s*at |@/;

/**
 * The folder of heddle's own code, which is never the place that a user asks for. It is read off the stack: `import.meta` would keep jest from
 * compiling this to CommonJS. Undefined where all was bundled into one file, in which nobody's code can be told from anybody else's.
 */
const OWN_FOLDER = /^(.*\/)loop\/site\.[jt]s:\d+:\d+$/.exec(pathOf(firstPlaceOf(captureStack()) ?? ""))?.[1];

/**
 * `src/pool.ts:41:20`: the innermost place in the program where `wait` is awaited, or undefined where the engine does not say. Only
 * works where microtasks can be drained.
 */
export function findSite(wait: Wait): string | undefined {
  let stack = "";
  let look: () => void = () => undefined;
  let resolve: (value: unknown) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const outcome = new Promise<unknown>((...settle) => {
    [resolve, reject] = settle;
  });
  const looking = new Promise<void>((start) => {
    look = start;
  }).then(() => {
    stack = captureStack();
    return outcome;
  });
  if (!wait.redirect(looking, resolve, reject)) return undefined;
  drainMicrotasks();
  look();
  drainMicrotasks();
  return siteOfStack(stack, /^\s*at async /);
}

type PrepareStackTrace = (error: Error, callSites: readonly NodeJS.CallSite[]) => unknown;

/** The stack here, deep enough to hold a chain of awaits. */
export function captureStack(): string {
  const host = Error as unknown as { stackTraceLimit: number; prepareStackTrace?: PrepareStackTrace | undefined };
  const { stackTraceLimit, prepareStackTrace: hook } = host;
  host.stackTraceLimit = STACK_DEPTH;
  // A hook that maps places back to their TypeScript (vitest's) leaves out which frames are async, which is what matters here.
  if (hook !== undefined) host.prepareStackTrace = (error, callSites) => callSites.map((site) => formatFrame(hook, error, site)).join("\n");
  const { stack } = new Error("stack");
  host.stackTraceLimit = stackTraceLimit;
  if (hook !== undefined) host.prepareStackTrace = hook;
  return stack ?? "";
}

function formatFrame(hook: PrepareStackTrace, error: Error, callSite: NodeJS.CallSite): string {
  const frame =
    String(hook(error, [callSite]))
      .split("\n")
      .at(-1) ?? "";
  const isAsync = (callSite as { isAsync?: () => boolean }).isAsync?.() === true;
  return `    at ${isAsync ? "async " : ""}${frame.replace(/^\s*at (async )?/, "")}`;
}

/** The first frame of `stack` that matches `kind` and is not heddle's own, as a path relative to the project. */
export function siteOfStack(stack: string, kind: RegExp): string | undefined {
  return sitesOfStack(stack, 1, kind)[0];
}

/** Of the frames of `stack` that match `kind` and are not heddle's own, the first `maximum`, as paths relative to the project. */
export function sitesOfStack(stack: string, maximum: number, kind = FRAME): readonly string[] {
  const sites: string[] = [];
  for (const line of stack.split("\n")) {
    const place = sites.length < maximum && kind.test(line) ? PLACE.exec(line)?.[1] : undefined;
    if (place !== undefined && !isOwn(place)) sites.push(relativeSite(place));
  }
  return sites;
}

/** The lines of a stack, without those before its frames and without the frames of heddle and of Node. */
export function framesOfOthers(stack: string): readonly string[] {
  return stack.split("\n").filter((line) => {
    const place = PLACE.exec(line)?.[1];
    return place !== undefined && FRAME.test(line) && !isOwn(place);
  });
}

/** Whether the place, or the file, is heddle's own or Node's. */
export function isOwn(place: string): boolean {
  if (place.startsWith("node:")) return true;
  return OWN_FOLDER !== undefined && pathOf(place).startsWith(OWN_FOLDER) && !/\.test\.[jt]s:/.test(place);
}

function firstPlaceOf(stack: string): string | undefined {
  return stack
    .split("\n")
    .map((line) => PLACE.exec(line)?.[1])
    .find((place) => place !== undefined);
}

/** A place as a path, where it is that of a file. */
function pathOf(place: string): string {
  return place.startsWith("file://") ? decodeURI(place.slice("file://".length)) : place;
}

/**
 * Absolute paths differ between machines, so a site is relative to the folder that the process was started in; of what lies outside,
 * the file and its folder are said.
 */
export function relativeSite(place: string): string {
  const path = pathOf(place);
  const folder = `${(globalThis as { process?: { cwd?: () => string } }).process?.cwd?.() ?? ""}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : path.split("/").slice(-2).join("/");
}
