/** A Map: what stands under each key is a location. */
import { CollectionHandler, type Method } from "./collection-handler.js";
import { originalOf, type Sharing } from "./registry.js";
import type { Subject } from "./subject.js";

export class MapHandler extends CollectionHandler<Map<unknown, unknown>> {
  constructor(map: Map<unknown, unknown>, subject: Subject, sharing: Sharing) {
    super(map, Map.prototype, subject, sharing);
  }

  override makeMethods(): Record<PropertyKey, Method> {
    const entries = (): Generator => this.#walk((key, value) => [key, value]);
    return {
      get: (key: unknown) => {
        const stored = this.toStored(key);
        this.noteLooked(stored, true);
        return this.toShared(this.collection.get(stored));
      },
      has: (key: unknown) => {
        const stored = this.toStored(key);
        this.noteLooked(stored, false);
        return this.collection.has(stored);
      },
      set: (key: unknown, value: unknown) => {
        const stored = this.toStored(key);
        this.notePut(stored, value);
        this.collection.set(stored, originalOf(value));
        return this.proxy;
      },
      delete: (key: unknown) => this.remove(key),
      clear: () => {
        this.clear();
      },
      forEach: (callback: (value: unknown, key: unknown, map: unknown) => void, thisArg?: unknown) => {
        for (const [key, value] of this.#walk((key, value) => [key, value] as const)) {
          Reflect.apply(callback, thisArg, [value, key, this.proxy]);
        }
      },
      keys: () => this.#keys(),
      values: () => this.#walk((_key, value) => value),
      entries,
      [Symbol.iterator]: entries,
    };
  }

  *#keys(): Generator {
    for (const stored of this.storedKeys()) yield this.toShared(stored);
  }

  *#walk<R>(pick: (key: unknown, value: unknown) => R): Generator<R, void, undefined> {
    for (const stored of this.storedKeys()) {
      this.noteLooked(stored, true);
      yield pick(this.toShared(stored), this.toShared(this.collection.get(stored)));
    }
  }
}
