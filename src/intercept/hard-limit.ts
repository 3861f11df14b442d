/**
 * A limit on real time that also ends what gives nobody else a turn: a loop without an await, or promises and `nextTick`s without end.
 *
 * Only the engine can stop such code, and `node:vm` has it do so for a script that is run with a timeout, together with all that it calls. It
 * costs some 70 to 150 us a call, so it stands around a slice of many runs. What is stopped runs no `catch` and no `finally`, and the engine
 * drops the microtasks that were due. Where there is no `node:vm` there is no limit.
 */
import { drainMicrotasks, raiseUncaught } from "../loop/host.js";
import { builtin } from "./builtin.js";

interface Script {
  runInThisContext(options?: { readonly timeout: number }): unknown;
}

interface VirtualMachine {
  readonly Script: new (code: string, options?: { readonly filename: string }) => Script;
}

/** Under this key of the global object the script finds what it is to call. It is an object of its own, which is left alone by `Object.freeze(globalThis)`. */
const SLOT = Symbol.for("heddle.work");
const CODE = 'globalThis[Symbol.for("heddle.work")].work()';

interface Slot {
  work: () => void;
}

const NOTHING = (): void => undefined;

/** The slot of the realm, made when it is first needed; undefined where its global object takes nothing more. */
function slotOf(holder: { [SLOT]?: Slot }): Slot | undefined {
  if (holder[SLOT] === undefined) Reflect.defineProperty(holder, SLOT, { value: { work: NOTHING }, configurable: true });
  return holder[SLOT];
}
/** Its frame stands between the program's and Node's, and whoever leaves out Node's is to leave it out, too. */
const FILENAME = "node:heddle/hard-limit";

/** What the listeners of stray exceptions are told after something was stopped: it says nothing of the program, and is to be ignored. */
export class Stopped extends Error {}

/** What came of work under a limit. */
export type Limited<T> = { readonly isOver: true; readonly value: T } | { readonly isOver: false };

/** Makes a function that calls `work` and answers what it answers, unless that takes longer than `limitMs` of real time. */
export function hardLimit(limitMs: number): <T>(work: () => T) => Limited<T> {
  const vm = builtin("vm") as VirtualMachine | undefined;
  if (vm === undefined || limitMs === Number.POSITIVE_INFINITY) return (work) => ({ isOver: true, value: work() });
  const script = new vm.Script(CODE, { filename: FILENAME });
  // The script runs among the globals of the process; those here may be others, as in vitest's vmThreads.
  const slot = slotOf(new vm.Script("globalThis").runInThisContext() as object);
  if (slot === undefined) return (work) => ({ isOver: true, value: work() });
  return <T>(work: () => T): Limited<T> => {
    let value: { readonly it: T } | undefined;
    slot.work = () => {
      value = { it: work() };
    };
    try {
      runLimited(script, slot, limitMs);
    } catch (error) {
      if ((error as { readonly code?: unknown } | undefined)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      dropTicks(script, slot);
    } finally {
      slot.work = NOTHING;
    }
    return value === undefined ? { isOver: false } : { isOver: true, value: value.it };
  };
}

/**
 * So many more limits stand around the first. The engine stops code once, and that is lost where it hits the code in which Node notes a rejection: a
 * loop around an await that fails would go on for ever.
 */
const BACKUPS = 3;
/** How much later each of them strikes. */
const BACKUP_MS = 100;

/** Calls what is in the slot. Throws when it takes too long. */
function runLimited(script: Script, slot: Slot, limitMs: number): void {
  const { work } = slot;
  const run = (backups: number): void => {
    slot.work = backups === 0 ? work : () => run(backups - 1);
    script.runInThisContext({ timeout: limitMs + backups * BACKUP_MS });
  };
  run(BACKUPS);
}

/** How long what was stopped may go on in order to come to its end, in real milliseconds. */
const LAST_TICKS_MS = 50;

/** A `nextTick` that sets itself anew for ever would go on outside of any limit. Without a way to do so it comes to its end. */
function dropTicks(script: Script, slot: Slot): void {
  const { process } = globalThis as unknown as { readonly process: { nextTick: unknown } };
  const { nextTick } = process;
  process.nextTick = () => undefined;
  slot.work = drainMicrotasks;
  try {
    runLimited(script, slot, LAST_TICKS_MS);
  } catch {
    // It throws, or never ends, and is as good as gone either way.
  } finally {
    process.nextTick = nextTick;
  }
  // As after an exception in a tick, Node's stack of async ids still holds what was stopped, and is cleared by this.
  raiseUncaught(new Stopped());
}

interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly hitCount?: number;
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}

interface InspectorSession {
  connect(): void;
  post(method: string, callback?: (error: unknown, result: { readonly profile: { readonly nodes: readonly ProfileNode[] } }) => void): void;
}

/**
 * The profiler does not know code that a loop was replaced with before it began to look. The engine keeps that code weakly, so it is made anew after
 * this. (Forbidding such code meanwhile, by `--no-use-osr`, makes some loops of Node 24 deaf to the limit.)
 */
function collectGarbage(): void {
  const engine = builtin("v8") as { readonly setFlagsFromString?: (flags: string) => void } | undefined;
  const vm = builtin("vm") as { readonly runInNewContext?: (code: string) => unknown } | undefined;
  engine?.setFlagsFromString?.("--expose-gc");
  const collect = vm?.runInNewContext?.("globalThis.gc");
  engine?.setFlagsFromString?.("--no-expose-gc");
  if (typeof collect === "function") (collect as () => void)();
}

/**
 * Where `work` spends its time, as `file:///src/poll.js:12`: the line of code that is no part of Node, nor of `isOwn`, in which it was seen
 * most often. The session stays open: closing it would end the coverage that a test runner collects.
 */
export function findHotPlace(work: () => void, isOwn: (url: string) => boolean): string | undefined {
  const inspector = builtin("inspector") as { readonly Session: new () => InspectorSession } | undefined;
  if (inspector === undefined) return undefined;
  const session = new inspector.Session();
  let nodes: readonly ProfileNode[] = [];
  try {
    session.connect();
    collectGarbage();
    session.post("Profiler.enable");
    session.post("Profiler.start");
    work();
    session.post("Profiler.stop", (_error, result) => {
      nodes = result.profile.nodes;
    });
  } catch {
    return undefined; // a runtime that has the module without its effect
  }
  const ticks = new Map<string, number>();
  for (const { callFrame, positionTicks = [] } of nodes) {
    if (callFrame.url === "" || callFrame.url.startsWith("node:") || isOwn(callFrame.url)) continue;
    for (const { line, ticks: count } of positionTicks) {
      const place = `${callFrame.url}:${line}`;
      ticks.set(place, (ticks.get(place) ?? 0) + count);
    }
  }
  return [...ticks].sort(([, a], [, b]) => b - a)[0]?.[0];
}
