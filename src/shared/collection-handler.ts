/**
 * What Map and Set have in common: each key is a location, and so are the keys together, with their order and their number.
 *
 * A key that is an object is found whether the program has the object or its proxy. It gets its location from the step that puts it there;
 * until then asking for it is asking for the keys, because a number that hangs on who asks first would differ from run to run.
 */
import { isNativeFunction } from "./kinds.js";
import { ObjectHandler } from "./object-handler.js";
import { findEntry, isProxy, isTracking, originalOf, type Sharing } from "./registry.js";
import { type Key, ObjectKey, type Subject } from "./subject.js";

export type Method = (...args: never[]) => unknown;

export abstract class CollectionHandler<C extends Map<unknown, unknown> | Set<unknown>> extends ObjectHandler {
  readonly collection: C;
  readonly #objectKeys = new WeakMap<object, ObjectKey>();
  #methods: Record<PropertyKey, Method> | undefined = undefined;
  readonly #native: object;

  constructor(collection: C, native: object, subject: Subject, sharing: Sharing) {
    super(subject, sharing);
    this.collection = collection;
    this.#native = native;
  }

  /** Its methods, called on anything. */
  abstract makeMethods(): Record<PropertyKey, Method>;

  override introduce(): void {
    super.introduce();
    for (const key of this.collection.keys()) if (isObject(key)) this.#locate(key).introduce();
  }

  override get(target: object, key: PropertyKey, receiver: unknown): unknown {
    if (key === "size") {
      if (isTracking()) this.subject.readKeys();
      return this.collection.size;
    }
    this.#methods ??= Object.assign(Object.create(null) as Record<PropertyKey, Method>, this.makeMethods());
    return this.#methods[key] ?? this.#adaptNative(this.#methods, target, key) ?? super.get(target, key, receiver);
  }

  /** The key as it is stored: programs may have put proxies there before the collection was shared. */
  toStored(key: unknown): unknown {
    const original = originalOf(key);
    if (!isObject(original) || this.collection.has(original)) return original;
    const proxy = findEntry(original)?.proxy;
    return proxy !== undefined && this.collection.has(proxy) ? proxy : original;
  }

  toShared(value: unknown): unknown {
    return typeof value === "object" && value !== null ? this.sharing.share(value, this.subject.region) : value;
  }

  noteLooked(stored: unknown, isValue: boolean): void {
    if (!isTracking()) return;
    if (isObject(stored) && !this.#objectKeys.has(stored) && !this.collection.has(stored)) this.subject.readKeys();
    else if (isValue) this.subject.readValue(this.#keyOf(stored));
    else this.subject.readPresence(this.#keyOf(stored));
  }

  /** `stored` is about to be put there, with `value`. */
  notePut(stored: unknown, value: unknown): void {
    if (!isTracking()) return;
    this.sharing.adopt(stored);
    this.sharing.adopt(value);
    const isNew = !this.collection.has(stored);
    if (isNew && isObject(stored)) this.#locate(stored).introduce();
    if (isNew) this.subject.changeKeys(this.#keyOf(stored));
    else this.subject.writeValue(this.#keyOf(stored));
  }

  /** `key` is about to be deleted; answers whether it was there. */
  remove(key: unknown): boolean {
    const stored = this.toStored(key);
    if (!this.collection.has(stored)) this.noteLooked(stored, false);
    else if (isTracking()) this.subject.changeKeys(this.#keyOf(stored));
    return this.collection.delete(stored);
  }

  clear(): void {
    this.#noteAll();
    this.collection.clear();
  }

  /** The keys as they are stored. An iteration may take several steps, and each of them reads. */
  *storedKeys(): Generator<unknown, void, undefined> {
    for (const stored of this.collection.keys()) {
      if (isTracking()) this.subject.readKeys();
      yield stored;
    }
    if (isTracking()) this.subject.readKeys();
  }

  #keyOf(stored: unknown): Key {
    return isObject(stored) ? this.#locate(stored) : nameOfPrimitive(stored);
  }

  #locate(object: object): ObjectKey {
    let key = this.#objectKeys.get(object);
    if (key === undefined) {
      key = new ObjectKey();
      this.#objectKeys.set(object, key);
    }
    return key;
  }

  #noteAll(): void {
    if (!isTracking()) return;
    this.subject.readKeys();
    for (const stored of this.collection.keys()) this.subject.changeKeys(this.#keyOf(stored));
  }

  /** A method of the language that is not known here may do anything: newer engines have more of them. */
  #adaptNative(methods: Record<PropertyKey, Method>, target: object, key: PropertyKey): Method | undefined {
    if (key === "constructor" || !Object.hasOwn(this.#native, key)) return undefined;
    const method: unknown = Reflect.get(target, key);
    if (typeof method !== "function" || !isNativeFunction(method)) return undefined;
    return (methods[key] = (...args: unknown[]) => {
      for (const arg of args) readAll(arg);
      this.#noteAll();
      const result: unknown = Reflect.apply(method, this.collection, args.map(originalOf));
      this.#noteAll();
      return this.toShared(result);
    });
  }
}

/** A shared collection is read by whatever it is handed to. */
function readAll(arg: unknown): void {
  if (isObject(arg) && isProxy(arg) && (arg instanceof Map || arg instanceof Set)) Array.from(arg.keys());
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** A name that no two keys have in common: texts stand in quotes. */
function nameOfPrimitive(key: unknown): PropertyKey {
  if (typeof key === "symbol") return key;
  if (typeof key === "string") return `"${key}"`;
  return typeof key === "bigint" ? `${key}n` : String(key);
}
