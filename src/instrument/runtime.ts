/**
 * What instrumented code calls: three globals that hand their argument back, except in a run at the await grain.
 */
import type { EventLoop } from "../loop/event-loop.js";
import type { Reactions } from "../loop/reaction.js";
import { findRunningLoop } from "../loop/running.js";
import { AWAIT, EXIT, ITERATE } from "./runtime-names.js";

type Fallback<Value> = ((value: Value, site: string) => unknown) | undefined;

/** The globals of this copy of heddle, for an {@link installRuntime} that is called again. */
const installed = new WeakSet<object>();

/**
 * Puts the globals in place, once. Where another copy of heddle was first, code asks both.
 */
export function installRuntime(): void {
  define(AWAIT, (next: Fallback<unknown>) => {
    // Two functions, because the one that is called without a run costs as much as what it looks at.
    if (next === undefined) return (value: unknown, site: string): unknown => inRun(findRunningLoop(), value, site);
    return (value: unknown, site: string): unknown => inRun(findRunningLoop(), next(value, site), site);
  });
  define(ITERATE, (next: Fallback<unknown>) => (value: unknown, site: string): unknown => {
    const reactions = findRunningLoop()?.reactions;
    return reactions === undefined ? (next?.(value, site) ?? value) : iterating(reactions, value, site);
  });
  define(EXIT, (next: Fallback<unknown>) => (site: unknown): unknown => {
    const reactions = findRunningLoop()?.reactions;
    // `await using` of null waits for nothing.
    if (reactions === undefined) return next?.(site, "") ?? null;
    return { [Symbol.asyncDispose]: () => reactions.awaiting(undefined, String(site)) };
  });
}

function inRun(loop: EventLoop | undefined, value: unknown, site: string): unknown {
  return loop?.reactions === undefined ? value : loop.reactions.awaiting(value, site);
}

function define(name: string, make: (next: Fallback<unknown>) => object): void {
  const before: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value;
  if (typeof before === "function" && installed.has(before)) return;
  const value = make(before as Fallback<unknown>); // nobody else has these names
  installed.add(value);
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}

type Iterate = (...values: readonly unknown[]) => unknown;
type AnyIterator = Readonly<Partial<Record<"next" | "return" | "throw", Iterate>>>;

/** What a `for await` is to go through in the place of `iterable`: the same, and each answer of its iterator is a scheduling point. */
function iterating(reactions: Reactions, iterable: unknown, site: string): unknown {
  const source = iterable as AsyncIterable<unknown> | Iterable<unknown> | null | undefined;
  const method = (source as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] as unknown;
  const isAsync = method !== undefined && method !== null;
  // What cannot be iterated is refused by the language itself.
  if (!isAsync && typeof (source as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] !== "function") return iterable;
  return {
    [Symbol.asyncIterator]: () => {
      const asynchronous = isAsync ? (source as AsyncIterable<unknown>) : toAsync(source as Iterable<unknown>);
      return stepping(reactions, asynchronous[Symbol.asyncIterator]() as AnyIterator, site);
    },
  };
}

/** The language's own way from one to the other. */
// eslint-disable-next-line @typescript-eslint/require-await -- the language awaits each value in `yield*`
async function* toAsync(iterable: Iterable<unknown>): AsyncGenerator {
  yield* iterable;
}

function stepping(reactions: Reactions, iterator: AnyIterator, site: string): AnyIterator {
  const point =
    (name: "next" | "return" | "throw"): Iterate =>
    (...values) =>
      reactions.awaiting(iterator[name]?.(...values), site);
  // An iterator that cannot be ended early is asked for `return`, too, and must not have one.
  return {
    next: point("next"),
    ...(typeof iterator.return === "function" && { return: point("return") }),
    ...(typeof iterator.throw === "function" && { throw: point("throw") }),
  };
}
