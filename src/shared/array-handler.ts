/**
 * Arrays: each index is a location, and so is the length. The methods run on the proxy, so that each of their accesses is told.
 */
import { ObjectHandler } from "./object-handler.js";
import { isTracking } from "./registry.js";

/** Methods that look for an item, and compare it with what comes out of the array: proxies. */
const SEARCHES = new Map<PropertyKey, unknown>([
  ["includes", Array.prototype.includes],
  ["indexOf", Array.prototype.indexOf],
  ["lastIndexOf", Array.prototype.lastIndexOf],
]);

type Search = (item: unknown, ...rest: unknown[]) => unknown;

export class ArrayHandler extends ObjectHandler {
  #searches: Map<PropertyKey, (...args: unknown[]) => unknown> | undefined = undefined;

  override get(target: object, key: PropertyKey, receiver: unknown): unknown {
    const value = super.get(target, key, receiver);
    return typeof value === "function" && value === SEARCHES.get(key) ? this.#search(key, value as Search) : value;
  }

  override set(target: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    if (!isTracking()) return super.set(target, key, value, receiver);
    const array = target as unknown[]; // it is an array's handler
    const { length } = array;
    if (key === "length") this.#noteCut(array, value);
    const isDone = super.set(target, key, value, receiver);
    if (array.length !== length) this.subject.writeValue("length");
    return isDone;
  }

  override defineProperty(target: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    const array = target as unknown[]; // see above
    const { length } = array;
    if (key === "length" && isTracking()) this.#noteCut(array, descriptor.value);
    const isDone = super.defineProperty(target, key, descriptor);
    if (array.length !== length && isTracking()) this.subject.writeValue("length");
    return isDone;
  }

  /** A length below the old one deletes what is behind. */
  #noteCut(array: readonly unknown[], length: unknown): void {
    for (let index = Number(length); index < array.length; index++) if (index in array) this.subject.changeKeys(String(index));
  }

  /** Whoever looks for an object finds its proxy. */
  #search(key: PropertyKey, search: Search): unknown {
    this.#searches ??= new Map();
    let known = this.#searches.get(key);
    if (known === undefined) {
      const { sharing, subject } = this;
      known = function (this: unknown, ...[item, ...rest]: unknown[]): unknown {
        const proxy = typeof item === "object" && item !== null ? sharing.share(item, subject.region) : item;
        return Reflect.apply(search, this, [proxy, ...rest]);
      };
      this.#searches.set(key, known);
    }
    return known;
  }
}
