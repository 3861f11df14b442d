/** A Set: whether each value is in it is a location. */
import { CollectionHandler, type Method } from "./collection-handler.js";
import type { Sharing } from "./registry.js";
import type { Subject } from "./subject.js";

export class SetHandler extends CollectionHandler<Set<unknown>> {
  constructor(set: Set<unknown>, subject: Subject, sharing: Sharing) {
    super(set, Set.prototype, subject, sharing);
  }

  override makeMethods(): Record<PropertyKey, Method> {
    const values = (): Generator => this.#values();
    return {
      has: (value: unknown) => {
        const stored = this.toStored(value);
        this.noteLooked(stored, false);
        return this.collection.has(stored);
      },
      add: (value: unknown) => {
        const stored = this.toStored(value);
        // What is there already stays where it is.
        if (this.collection.has(stored)) this.noteLooked(stored, false);
        else this.notePut(stored, undefined);
        this.collection.add(stored);
        return this.proxy;
      },
      delete: (value: unknown) => this.remove(value),
      clear: () => {
        this.clear();
      },
      forEach: (callback: (value: unknown, again: unknown, set: unknown) => void, thisArg?: unknown) => {
        for (const value of this.#values()) Reflect.apply(callback, thisArg, [value, value, this.proxy]);
      },
      keys: values,
      values,
      entries: () => this.#pairs(),
      [Symbol.iterator]: values,
    };
  }

  *#values(): Generator {
    for (const stored of this.storedKeys()) yield this.toShared(stored);
  }

  *#pairs(): Generator {
    for (const value of this.#values()) yield [value, value];
  }
}
