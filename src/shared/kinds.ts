/**
 * What can be seen of an object through a proxy.
 *
 * A proxy sees what goes through properties. What an engine or a class keeps elsewhere, in internal slots, `#private` fields or variables
 * that its functions have closed over, it does not see, and methods that use them must be called on the object itself. That is decided by the
 * source of classes, before anything is called: a method that fails on a proxy has perhaps done half of its work.
 */
import { Coroutine } from "../loop/coroutine.js";
import { EventLoop } from "../loop/event-loop.js";
import { isOwnAwaitable } from "../loop/thenable.js";

/**
 * `"itself"`: needs no proxy, because it tells its accesses itself, or because there is nothing to write: promises, which an await
 * of a proxy would also reach two turns later. `"opaque"`: one location, with methods called on the object itself.
 */
export type Kind = "itself" | "object" | "array" | "map" | "set" | "opaque";

/** Marks what tells its accesses itself. The folder of the primitives has the same, and neither imports the other. */
const tracksItself = Symbol.for("heddle: tracks itself");

export function kindOf(object: object): Kind {
  if (object instanceof Promise || object instanceof Coroutine || object instanceof EventLoop) return "itself";
  if (isOwnAwaitable in object || tracksItself in object) return "itself";
  const prototype = Reflect.getPrototypeOf(object);
  if (prototype === Map.prototype && hasSlot(mapSize, object)) return "map";
  if (prototype === Set.prototype && hasSlot(setSize, object)) return "set";
  if (hasHiddenState(prototype)) return "opaque";
  if (prototype !== Object.prototype && prototype !== null && hasFunctionsOfItsOwn(object)) return "opaque";
  return Array.isArray(object) ? "array" : "object";
}

const mapSize = getterOf(Map.prototype, "size");
const setSize = getterOf(Set.prototype, "size");

function getterOf(prototype: object, key: string): () => unknown {
  return Reflect.getOwnPropertyDescriptor(prototype, key)?.get as () => unknown; // the language says that it has one
}

/** Whether it is what it looks like: `Object.create(Map.prototype)` is not, and goes on to be opaque. */
function hasSlot(getter: () => unknown, object: object): boolean {
  try {
    Reflect.apply(getter, object, []);
    return true;
  } catch {
    return false;
  }
}

/** Classes of the language whose methods are content with properties. */
const PLAIN_NATIVES: ReadonlySet<string> = new Set([
  "Object",
  "Array",
  "Error",
  "AggregateError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);

const verdicts = new WeakMap<object, boolean>();

/** Whether objects with this prototype may keep state where a proxy does not see it. */
function hasHiddenState(prototype: object | null): boolean {
  if (prototype === null || prototype === Object.prototype) return false;
  let verdict = verdicts.get(prototype);
  if (verdict === undefined) {
    verdict = isHiding(prototype) || hasHiddenState(Reflect.getPrototypeOf(prototype));
    verdicts.set(prototype, verdict);
  }
  return verdict;
}

function isHiding(prototype: object): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(prototype, "constructor");
  const constructor: unknown = descriptor?.value;
  if (typeof constructor === "function") {
    const source = sourceOf(constructor);
    if (isNative(source)) return !PLAIN_NATIVES.has(constructor.name);
    // The constructor of a date may be one that was put in the place of Node's, as heddle itself does; its methods are still native.
    return PRIVATE.test(source) || hasNativeMethods(prototype);
  }
  // Iterators and generators have prototypes of their own sort: without a constructor, but with native methods.
  return descriptor !== undefined || hasNativeMethods(prototype);
}

function hasNativeMethods(prototype: object): boolean {
  return Reflect.ownKeys(prototype).some((key) => hasNativeCode(Reflect.getOwnPropertyDescriptor(prototype, key)));
}

/** A `#name` anywhere in the source of a class, and what compilers make of it. Also in a text or comment, which only costs precision. */
const PRIVATE = /#[\p{ID_Start}$_\\]|_?class_?private|__private/iu;

function hasNativeCode(descriptor: PropertyDescriptor | undefined): boolean {
  if (descriptor === undefined) return false;
  return Object.values(descriptor).some((code: unknown) => typeof code === "function" && isNative(sourceOf(code)));
}

/**
 * An instance of a class may hold functions that are bound to it, or closed over it in its constructor: they would pass the proxy by, and
 * change what it stands for.
 */
function hasFunctionsOfItsOwn(object: object): boolean {
  return Reflect.ownKeys(object).some((key) => {
    const value: unknown = Reflect.getOwnPropertyDescriptor(object, key)?.value;
    return typeof value === "function" && remembersElsewhere(value);
  });
}

const remembering = new WeakMap<object, boolean>();

/**
 * Whether a function does not find what it works on through `this`: an arrow function, a bound or native one, one that never says `this`. A
 * class is none: its instances are looked at for themselves.
 */
export function remembersElsewhere(fn: object): boolean {
  let verdict = remembering.get(fn);
  if (verdict === undefined) {
    const source = sourceOf(fn);
    verdict = !source.startsWith("class") && (isNative(source) || ARROW.test(source) || !/\bthis\b/.test(source));
    remembering.set(fn, verdict);
  }
  return verdict;
}

const ARROW = /^(?:async\b\s*)?(?:\([^]*?\)|[\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u;

const harmless = new WeakMap<object, boolean>();

/** Whether the call of a function of the program cannot change anything: it calls nothing and assigns nothing. */
export function changesNothing(fn: object): boolean {
  let verdict = harmless.get(fn);
  if (verdict === undefined) {
    const source = sourceOf(fn);
    const body = /^[^(]*\(\s*\)\s*(?:=>|\{)(?<body>[^]*)$/.exec(source)?.groups?.["body"];
    verdict = body !== undefined && !isNative(source) && !CHANGING.test(body);
    harmless.set(fn, verdict);
  }
  return verdict;
}

/** Calls, assignments, and whatever else runs code that does not stand there. */
const CHANGING = /[(`]|\+\+|--|(?<![=!<>])=(?![=>])|<<=|>>=|\b(?:delete|new|await|yield|function|class)\b/;

export function isNativeFunction(fn: object): boolean {
  return isNative(sourceOf(fn));
}

function isNative(source: string): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(source);
}

function sourceOf(fn: object): string {
  try {
    return Function.prototype.toString.call(fn);
  } catch {
    return "function () { [native code] }"; // no function that the engine would show
  }
}
