/**
 * Objects of which a proxy sees too little: dates, typed arrays, classes with `#private` fields. The whole object is one location, with all
 * that is found in it, and its methods are called on the object itself.
 *
 * A call writes, unless it cannot: a method of the language whose name says so, or one of the program that calls and assigns nothing. What an
 * asynchronous method does after its first await is not seen.
 */
import { changesNothing, isNativeFunction } from "./kinds.js";
import { type Entry, findEntry, isTracking, originalOf, type Sharing } from "./registry.js";
import type { Subject } from "./subject.js";

/** Native methods that only look; those that are given a function hand it items, and it may change the items, which are of no one's else. */
const LOOKS = /^(?:get(?!Or)|has$|to|valueOf$|at$|includes$|indexOf$|lastIndexOf$|join$|slice$|subarray$|values$|keys$|entries$)/;

export class OpaqueHandler implements ProxyHandler<object>, Entry {
  readonly subject: Subject;
  readonly sharing: Sharing;
  proxy: object = this;
  isIntroduced = false;
  readonly #methods = new WeakMap<object, object>();

  constructor(subject: Subject, sharing: Sharing) {
    this.subject = subject;
    this.sharing = sharing;
  }

  introduce(): void {
    this.subject.introduce();
  }

  get(target: object, key: PropertyKey): unknown {
    if (key === "then" && !(key in target)) return undefined;
    if (isTracking()) this.#note(isChangingGetter(findDescriptor(target, key)));
    const value: unknown = Reflect.get(target, key, target);
    if (typeof value === "function") {
      if (key === "constructor") return value;
      if (!isFixed(Reflect.getOwnPropertyDescriptor(target, key))) return this.#method(target, key, value);
      this.#note(true); // it must come out as it is
      return value;
    }
    if (typeof value !== "object" || value === null) return value;
    return isFixed(Reflect.getOwnPropertyDescriptor(target, key)) ? this.#handOutRaw(value) : this.#handOut(target, value);
  }

  set(target: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    if (receiver !== this.proxy) return Reflect.set(target, key, value, receiver);
    this.#note(true);
    return Reflect.set(target, key, originalOf(value), target);
  }

  has(target: object, key: PropertyKey): boolean {
    this.#note(false);
    return Reflect.has(target, key);
  }

  deleteProperty(target: object, key: PropertyKey): boolean {
    this.#note(true);
    return Reflect.deleteProperty(target, key);
  }

  ownKeys(target: object): (string | symbol)[] {
    this.#note(false);
    return Reflect.ownKeys(target);
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    const value: unknown = descriptor?.value;
    const isObject = typeof value === "object" && value !== null;
    this.#note(isObject && isFixed(descriptor));
    return isObject && !isFixed(descriptor) ? { ...descriptor, value: this.#handOut(target, value) } : descriptor;
  }

  defineProperty(target: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    this.#note(true);
    return Reflect.defineProperty(target, key, descriptor);
  }

  preventExtensions(target: object): boolean {
    this.#note(true);
    return Reflect.preventExtensions(target);
  }

  #note(isWrite: boolean): void {
    if (!isTracking()) return;
    if (isWrite) this.subject.writeValue("");
    else this.subject.readValue("");
  }

  /** `method`, to be called on the object; the same each time. */
  #method(target: object, key: PropertyKey, method: object): object {
    const known = this.#methods.get(method);
    if (known !== undefined) return known;
    const isNative = isNativeFunction(method);
    const isLook = isNative ? LOOKS.test(nameOfMethod(key)) : changesNothing(method);
    const bound = new Proxy(method, {
      apply: (_method, self: unknown, args: unknown[]) => {
        this.#note(!isLook);
        // It is a function, or it would not be called.
        const result: unknown = Reflect.apply(method as () => unknown, originalOf(self), this.#toPass(target, args, isNative));
        return typeof result === "object" && result !== null ? this.#handOut(target, result) : result;
      },
    });
    this.#methods.set(method, bound);
    return bound;
  }

  /**
   * What is passed to a method. Others of its kind it needs as they are, and may change them; everything else goes on to be followed. A
   * WeakMap only keeps what it gets, and must find it again.
   */
  #toPass(target: object, args: readonly unknown[], isNative: boolean): unknown[] {
    const keepsOnly = target instanceof WeakMap || target instanceof WeakSet;
    return args.map((arg) => {
      const original = originalOf(arg);
      if (original === arg || typeof original !== "object" || original === null) return arg;
      if (keepsOnly) return original;
      const entry = findEntry(original);
      if (!(entry instanceof OpaqueHandler)) return arg;
      entry.#note(!isNative);
      return original;
    });
  }

  #handOut(target: object, value: object): object {
    if (target instanceof WeakMap) return this.sharing.share(value, undefined);
    if (!isMemory(value)) return this.sharing.share(value, this.subject);
    if (!isMemory(target) || value === memoryOf(value)) return this.#handOutRaw(value);
    return memoryOf(value) === memoryOf(target) ? this.sharing.share(value, this.subject) : value; // a copy is its caller's alone
  }

  /** What goes out as it is can be written unseen, at least in this step. Memory and views of it must, or nothing of the language could work on them. */
  #handOutRaw(value: object): object {
    this.#note(true);
    return value;
  }
}

function nameOfMethod(key: PropertyKey): string {
  return key === Symbol.iterator ? "values" : key === Symbol.toPrimitive ? "toPrimitive" : String(key);
}

function isChangingGetter(descriptor: PropertyDescriptor | undefined): boolean {
  const getter: unknown = descriptor === undefined ? undefined : Reflect.get(descriptor, "get");
  return typeof getter === "function" && !isNativeFunction(getter) && !changesNothing(getter);
}

function findDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
  for (let at: object | null = target; at !== null; at = Reflect.getPrototypeOf(at)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(at, key);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

function isFixed(descriptor: PropertyDescriptor | undefined): boolean {
  return descriptor?.configurable === false && descriptor.writable === false;
}

/** Browsers have it only where a page asked to be isolated from others. */
const { SharedArrayBuffer: SharedMemory } = globalThis as Partial<Pick<typeof globalThis, "SharedArrayBuffer">>;

/** Memory, or a view of some. */
export function isMemory(value: object): value is ArrayBufferView | ArrayBufferLike {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || (SharedMemory !== undefined && value instanceof SharedMemory);
}

/** The memory that a view looks at. Two views of one are one location. */
export function memoryOf(value: ArrayBufferView | ArrayBufferLike): ArrayBufferLike {
  return ArrayBuffer.isView(value) ? value.buffer : value;
}
