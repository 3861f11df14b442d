/**
 * The only place where the loop touches the JavaScript runtime that it runs in: how microtasks are drained, how one hops to a fresh
 * macrotask, and what real time it is. Everything is captured when this file is first loaded, so that fake timers installed by a
 * test later do not reach the loop.
 */

interface HostProcess {
  _tickCallback?: () => void;
  _fatalException?: (exception: unknown) => boolean;
  listenerCount?: (event: string) => number;
  getActiveResourcesInfo?: () => string[];
  getBuiltinModule?: (name: string) => unknown;
  versions?: { readonly node?: string };
}

interface WebPort {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

type RealTimers = Pick<typeof globalThis, "setImmediate" | "setTimeout">;

/**
 * jest runs each test file in a realm of its own and gives it a copy of `process`, of whose events nobody hears. Where there is no such realm
 * the process of the main one is the same.
 */
const hostProcess: HostProcess | undefined = findHostProcess();
const tickCallback = hostProcess?._tickCallback?.bind(hostProcess);
// A realm made to look like a browser has no setImmediate, and timers that answer numbers.
const nodeTimers = loadBuiltin("node:timers") as RealTimers | undefined; // Node's own name for it
const realSetImmediate: RealTimers["setImmediate"] | undefined = (nodeTimers ?? globalThis).setImmediate;
const { setTimeout: realSetTimeout } = nodeTimers ?? globalThis;
const realClock = globalThis.performance;
const realCrypto = globalThis.crypto;
const NodeMessageChannel = globalThis.MessageChannel;

/** One of Node's modules without a static import, which would keep heddle from loading elsewhere. */
function loadBuiltin(name: string): unknown {
  return (globalThis as { process?: HostProcess }).process?.getBuiltinModule?.(name);
}

function findHostProcess(): HostProcess | undefined {
  const { process: nearest } = globalThis as { process?: HostProcess };
  if (nearest?.versions?.node === undefined) return nearest;
  const vm = loadBuiltin("node:vm") as typeof import("node:vm") | undefined; // Node's own name for it
  const main = vm?.runInThisContext("typeof process === 'object' ? process : undefined") as HostProcess | undefined; // of that realm
  return main?._tickCallback === undefined ? nearest : main;
}

/** The process whose events are those that happen: Node's own, also in a realm that was given a copy of it. Undefined outside of Node. */
export function realProcess(): unknown {
  return hostProcess;
}

/**
 * How a loop reaches the end of a step. `"drain"` runs all microtasks and nextTicks synchronously; `"macrotask"` hops through one
 * macrotask, before which the language runs them all. Both are exact: neither counts turns.
 */
export type Quiescence = "drain" | "macrotask";

/**
 * Runs every microtask and `nextTick` that is due, and those that they set off, to the very end. It does nothing from inside a
 * microtask: runs start from a macrotask, and {@link detectQuiescence} tells.
 */
export const drainMicrotasks: () => void = tickCallback ?? (() => undefined);

/**
 * Hands what a `nextTick` threw out of {@link drainMicrotasks} to Node, as happens where Node itself runs that callback: the
 * listeners of `uncaughtException` are told, and the stack of async ids, from which the callback was not popped, is cleared. Without
 * that Node would find it corrupted at the end of the macrotask, and abort the process. Answers false where nobody listens.
 */
export function raiseUncaught(exception: unknown): boolean {
  if (hostProcess?._fatalException === undefined || hostProcess.listenerCount?.("uncaughtException") === 0) return false;
  return hostProcess._fatalException(exception);
}

/** Tries the synchronous drain here and now, because some runtimes have the function without its effect. */
export function detectQuiescence(): Quiescence {
  let isDrained = false as boolean; // a microtask sets it, which flow analysis does not see
  void Promise.resolve().then(() => {
    isDrained = true;
  });
  drainMicrotasks();
  return isDrained ? "drain" : "macrotask";
}

/** Resolves in a fresh macrotask, after everything that is due in the real event loop had its turn. */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    onNextMacrotask(resolve);
  });
}

/** Calls back directly from a fresh macrotask, where {@link drainMicrotasks} works. The callback must not throw. */
export function onNextMacrotask(callback: () => void): void {
  if (realSetImmediate !== undefined) {
    realSetImmediate(callback);
    return;
  }
  // A runtime without setImmediate is no Node, so its ports are those of the web and not of @types/node.
  const { port1, port2 } = new NodeMessageChannel() as unknown as { port1: WebPort; port2: WebPort };
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
}

/** Calls back after about `delayMs` of real time. */
export function onRealTimeout(callback: () => void, delayMs: number): void {
  realSetTimeout(callback, delayMs);
}

/** Real milliseconds from an arbitrary start. Only for when to give way to the real event loop, and for warnings. */
export function realNowMs(): number {
  return realClock.now();
}

/** What is no sign of real I/O among the resources of a process: its timers, which are looked at elsewhere, and its terminal. */
const NO_REAL_IO = /^(?:Timeout|Immediate|TTYWrap)$/;

/** How many resources of each kind for real I/O a process has: requests, and whatever is open that may call back, as a socket. */
export type RealIo = ReadonlyMap<string, number>;

export function countRealIo(): RealIo {
  const counts = new Map<string, number>();
  for (const kind of hostProcess?.getActiveResourcesInfo?.() ?? []) {
    if (!NO_REAL_IO.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/**
 * Whether there is more of any kind now than `before`. Kind by kind, because what was open then may be gone: a socket of the test before that was
 * about to close is no file.
 */
export function hasRealIoBeyond(before: RealIo): boolean {
  if (unlistedRequests.size > 0) return true;
  for (const [kind, count] of countRealIo()) if (count > (before.get(kind) ?? 0)) return true;
  return false;
}

/** What the process waits for, as `FSReqCallback`: the request that was made last, or whatever was opened last. */
export function nameRealIo(): string | undefined {
  if (unlistedRequests.size > 0) return "FSReqCallback";
  const resources = (hostProcess?.getActiveResourcesInfo?.() ?? []).filter((kind) => !NO_REAL_IO.test(kind));
  return resources.findLast((kind) => /Req|ConnectWrap|ShutdownWrap/.test(kind)) ?? resources.at(-1);
}

/** Whether the process has a request under way (a file, a name lookup, a connection) that is bound to call back in the end. */
export function hasRequestUnderWay(): boolean {
  if (unlistedRequests.size > 0) return true;
  const resources = hostProcess?.getActiveResourcesInfo?.() ?? [];
  return resources.some((kind) => /^FSReq|ReqWrap$|^CloseReq$|ConnectWrap$|^ShutdownWrap$/.test(kind));
}

export type AsyncHooks = typeof import("node:async_hooks");

/** Node's module, where it is Node. */
export function loadAsyncHooks(): AsyncHooks | undefined {
  return loadBuiltin("node:async_hooks") as AsyncHooks | undefined; // Node's own name for it
}

/** Since then a whole file is read or written by one job of the thread pool, which is not listed among the active resources. */
const FIRST_NODE_WITH_UNLISTED_REQUESTS = 26;

/** The async ids of the requests for files that were made under {@link watchRequests} and have not called back. */
const unlistedRequests = new Set<number>();

const requestHooks =
  Number.parseInt(hostProcess?.versions?.node ?? "0", 10) < FIRST_NODE_WITH_UNLISTED_REQUESTS ? undefined : makeRequestHooks();

function makeRequestHooks(): { enable(): void; disable(): void } | undefined {
  const hooks = loadAsyncHooks();
  if (hooks === undefined) return undefined;
  // A hook on each promise would cost more than most steps. The types of Node 20 do not know the option.
  const noPromises: object = { trackPromises: false };
  // A hook on all that begins would cost as much as a step, so there is one only while a request is under way.
  const arrivals = hooks.createHook({ before: forget, destroy: forget, ...noPromises });
  // A request has arrived when it is about to call back; one that was refused before it was made never does, and is collected.
  function forget(id: number): void {
    unlistedRequests.delete(id);
    if (unlistedRequests.size === 0) arrivals.disable();
  }
  const requests = hooks.createHook({
    init: (id: number, type: string): void => {
      if (type !== "FSREQCALLBACK") return;
      unlistedRequests.add(id);
      arrivals.enable();
    },
    ...noPromises,
  });
  return {
    enable: () => void requests.enable(),
    disable: () => {
      requests.disable();
      arrivals.disable();
    },
  };
}

/**
 * Follows the requests for files that Node itself does not list, for {@link hasRequestUnderWay}, until the function that it answers is
 * called. Where Node lists them all it does nothing.
 */
export function watchRequests(): () => void {
  requestHooks?.enable();
  return () => {
    requestHooks?.disable();
    unlistedRequests.clear();
  };
}

/** A seed for whoever gave none: a whole number from 0 to 2^32 - 1. Whatever uses it must tell it. */
export function freshSeed(): number {
  return realCrypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
