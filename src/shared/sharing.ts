/**
 * How an object is shared: which handler its proxy has, and that everything that can be reached through it is known to be made by the step
 * that shares it, or puts it there. Otherwise its locations would be numbered by who touches them first, and differ from run to run.
 */
import { ArrayHandler } from "./array-handler.js";
import { kindOf } from "./kinds.js";
import { MapHandler } from "./map-handler.js";
import { ObjectHandler } from "./object-handler.js";
import { isMemory, memoryOf, OpaqueHandler } from "./opaque-handler.js";
import { type Entry, findEntry, isProxy, isTracking, originalOf, register, type Sharing } from "./registry.js";
import { SetHandler } from "./set-handler.js";
import { PartedSubject, type Subject, WholeSubject } from "./subject.js";

type Handler = ObjectHandler | OpaqueHandler;

/** A frozen object whose stand-in is not filled yet. */
interface Frozen {
  readonly original: object;
  readonly standIn: object;
  readonly region: Subject | undefined;
}

const sharing: Sharing = {
  share(object, region) {
    const known = findEntry(object);
    if (known !== undefined) return known.proxy;
    if (isProxy(object)) return object;
    if (region === undefined && isTracking()) introduce(object, false);
    return entryOf(object, region).proxy;
  },
  adopt(value) {
    const object = originalOf(value);
    if (typeof object === "object" && object !== null && findEntry(object)?.isIntroduced !== true) introduce(object, false);
  },
};

/** The proxy of `object`, which the running step shares. */
export function shareRoot(object: object): object {
  const original = originalOf(object) as object; // of an object it is one
  if (isTracking()) introduce(original, true);
  return entryOf(original, undefined).proxy;
}

/**
 * The running step has made `root` and all that is reached through it. What was introduced already is passed by, unless it is shared anew:
 * perhaps it was introduced in another run.
 */
function introduce(root: object, isAnew: boolean): void {
  const visited = new Set([root]);
  for (const object of visited) {
    const entry = entryOf(object, undefined);
    if (entry.isIntroduced && !isAnew) continue;
    entry.isIntroduced = true;
    entry.introduce();
    if (entry.subject === undefined || entry.subject.region !== undefined) continue;
    for (const part of partsOf(object)) {
      if (typeof part === "object" && part !== null) visited.add(originalOf(part) as object); // of an object it is one
    }
  }
}

/** The values of its properties, keys and entries, without calling a getter. */
function* partsOf(object: object): Generator {
  if (object instanceof Map) {
    yield* object.keys();
    yield* object.values();
  } else if (object instanceof Set) yield* object.keys();
  for (const key of Reflect.ownKeys(object)) yield Reflect.getOwnPropertyDescriptor(object, key)?.value;
}

function entryOf(original: object, region: Subject | undefined): Entry {
  const known = findEntry(original);
  if (known !== undefined) return known;
  const frozen: Frozen[] = [];
  const entry = makeEntry(original, region, frozen);
  // Filling one may add others. A list of frozen objects can be longer than the stack is deep.
  for (const each of frozen) fillStandIn(each, frozen);
  return entry;
}

function makeEntry(original: object, region: Subject | undefined, frozen: Frozen[]): Entry {
  const kind = kindOf(original);
  if (kind === "itself") {
    const entry: Entry = { subject: undefined, proxy: original, isIntroduced: true, introduce: () => undefined };
    register(original, entry);
    return entry;
  }
  const handler = makeHandler(original, kind, region);
  let target = original;
  if ((kind === "object" || kind === "array") && Object.isFrozen(original)) {
    target = kind === "array" ? [] : {};
    frozen.push({ original, standIn: target, region: handler.subject.region });
  }
  handler.proxy = new Proxy(target, handler);
  register(original, handler);
  return handler;
}

function makeHandler(original: object, kind: "object" | "array" | "map" | "set" | "opaque", region: Subject | undefined): Handler {
  const name = nameOfClass(original);
  if (kind === "opaque") {
    const whole = isMemory(original) ? subjectOf(memoryOf(original)) : new WholeSubject(name);
    return new OpaqueHandler(region ?? whole, sharing);
  }
  const subject = region ?? new PartedSubject(name);
  if (kind === "map") return new MapHandler(original as Map<unknown, unknown>, subject, sharing); // kindOf() says so
  if (kind === "set") return new SetHandler(original as Set<unknown>, subject, sharing); // the same
  return kind === "array" ? new ArrayHandler(subject, sharing) : new ObjectHandler(subject, sharing);
}

const memories = new WeakMap<object, Subject>();

function subjectOf(memory: object): Subject {
  let subject = memories.get(memory);
  if (subject === undefined) {
    subject = new WholeSubject(nameOfClass(memory));
    memories.set(memory, subject);
  }
  return subject;
}

/**
 * A frozen object must give out what it holds, and that may be changed: so its proxy stands on a frozen copy, which holds proxies. The copy is
 * exact, because the original never changes.
 */
function fillStandIn({ original, standIn, region }: Frozen, frozen: Frozen[]): void {
  Reflect.setPrototypeOf(standIn, Reflect.getPrototypeOf(original));
  for (const key of Reflect.ownKeys(original)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(original, key) ?? {};
    const value: unknown = descriptor.value;
    if (typeof value === "object" && value !== null && !isProxy(value)) {
      descriptor.value = (findEntry(value) ?? makeEntry(value, region, frozen)).proxy;
    }
    Reflect.defineProperty(standIn, key, descriptor);
  }
  Object.freeze(standIn);
}

/** `Account`, as its class calls it. */
function nameOfClass(object: object): string {
  const prototype = Reflect.getPrototypeOf(object);
  const constructor: unknown = prototype === null ? undefined : Reflect.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "Object";
}
