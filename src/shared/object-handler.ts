/**
 * Plain objects, arrays and instances of classes whose state is in their properties: each property is a location.
 *
 * Invariant: what is stored are objects, what comes out are their proxies. The exception is what the language forbids to change: a property
 * that is neither writable nor configurable comes out as it is, so taking an object out of it counts as a write, as the step may write to that.
 */
import { remembersElsewhere } from "./kinds.js";
import { type Entry, isTracking, originalOf, type Sharing } from "./registry.js";
import type { Subject } from "./subject.js";

/** Written by every step that takes out a function that does not find its object through `this`: what it works on is not seen. */
const CLOSURES = Symbol("what functions have closed over");

/** Whether keys can be added. */
const EXTENSIONS = Symbol("whether it can be extended");

export class ObjectHandler implements ProxyHandler<object>, Entry {
  readonly subject: Subject;
  readonly sharing: Sharing;
  proxy: object = this;
  isIntroduced = false;

  constructor(subject: Subject, sharing: Sharing) {
    this.subject = subject;
    this.sharing = sharing;
  }

  introduce(): void {
    this.subject.introduce();
  }

  get(target: object, key: PropertyKey, receiver: unknown): unknown {
    // Whatever resolves a promise asks for it, and learns nothing of the object.
    if (key === "then" && !(key in target)) return undefined;
    const tracks = isTracking();
    if (tracks) this.subject.readValue(key);
    // Newer engines keep the stack of an error in a slot.
    const value: unknown = Reflect.get(target, key, key === "stack" && target instanceof Error ? target : receiver);
    if (typeof value === "object" && value !== null) return this.#handOut(target, key, value);
    if (tracks && typeof value === "function" && Object.hasOwn(target, key) && remembersElsewhere(value)) this.subject.writeValue(CLOSURES);
    return value;
  }

  set(target: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    const own = Reflect.getOwnPropertyDescriptor(target, key);
    const tracks = isTracking();
    if (receiver !== this.proxy || isAccessor(own ?? findInherited(target, key))) {
      // A setter works on the proxy. An object that only inherits from it gets a property of its own.
      if (tracks) this.subject.readValue(key);
      return Reflect.set(target, key, value, receiver);
    }
    if (tracks) {
      this.sharing.adopt(value);
      if (own === undefined) this.subject.changeKeys(key);
      else this.subject.writeValue(key);
    }
    return Reflect.set(target, key, originalOf(value), target);
  }

  has(target: object, key: PropertyKey): boolean {
    if (isTracking()) this.subject.readPresence(key);
    return Reflect.has(target, key);
  }

  deleteProperty(target: object, key: PropertyKey): boolean {
    if (isTracking()) {
      if (Object.hasOwn(target, key)) this.subject.changeKeys(key);
      else this.subject.readPresence(key);
    }
    return Reflect.deleteProperty(target, key);
  }

  ownKeys(target: object): (string | symbol)[] {
    if (isTracking()) this.subject.readKeys();
    return Reflect.ownKeys(target);
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    if (isTracking()) {
      this.subject.readPresence(key);
      this.subject.readValue(key);
    }
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    const value: unknown = descriptor?.value;
    return typeof value === "object" && value !== null ? { ...descriptor, value: this.#handOut(target, key, value) } : descriptor;
  }

  defineProperty(target: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    if (isTracking()) {
      this.sharing.adopt(descriptor.value);
      this.subject.changeKeys(key);
    }
    return Reflect.defineProperty(target, key, this.#toStore(descriptor, Reflect.getOwnPropertyDescriptor(target, key)));
  }

  isExtensible(target: object): boolean {
    if (isTracking()) this.subject.readPresence(EXTENSIONS);
    return Reflect.isExtensible(target);
  }

  preventExtensions(target: object): boolean {
    if (isTracking()) this.subject.changeKeys(EXTENSIONS);
    return Reflect.preventExtensions(target);
  }

  #handOut(target: object, key: PropertyKey, value: object): object {
    const proxy = this.sharing.share(value, this.subject.region);
    if (proxy === value || !isFixed(Reflect.getOwnPropertyDescriptor(target, key))) return proxy;
    if (isTracking()) this.subject.writeValue(key);
    return value;
  }

  /**
   * The descriptor of what is stored. A property that is fixed from now on comes out as it is stored, so `Object.freeze`, which names no
   * value, stores the proxy; a value that is named must be stored as it was named.
   */
  #toStore(descriptor: PropertyDescriptor, own: PropertyDescriptor | undefined): PropertyDescriptor {
    const isFixedNow = isFixed({ writable: false, configurable: false, ...own, ...descriptor });
    const value: unknown = "value" in descriptor ? descriptor.value : own?.value;
    if (typeof value !== "object" || value === null || isFixed(own)) return descriptor;
    if (!isFixedNow) return "value" in descriptor ? { ...descriptor, value: originalOf(value) } : descriptor;
    return "value" in descriptor ? descriptor : { ...descriptor, value: this.sharing.share(value, this.subject.region) };
  }
}

/** Whether a property can never change again. */
function isFixed(descriptor: PropertyDescriptor | undefined): boolean {
  return descriptor?.configurable === false && descriptor.writable === false;
}

function isAccessor(descriptor: PropertyDescriptor | undefined): boolean {
  return descriptor?.set !== undefined || descriptor?.get !== undefined;
}

function findInherited(target: object, key: PropertyKey): PropertyDescriptor | undefined {
  if (!(key in target)) return undefined;
  for (let at = Reflect.getPrototypeOf(target); at !== null; at = Reflect.getPrototypeOf(at)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(at, key);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}
