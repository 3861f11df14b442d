/**
 * Where the accesses to one shared object are told.
 *
 * An object with parts has three sorts of locations: the value under each key, whether each key is there, and which keys there are, in their
 * order. What is there is written by adding and deleting, and read by `in` and `has`; overwriting writes the value alone. So a step that
 * overwrites an entry is independent of one that only asks for its key or for the size, and adding is dependent with both.
 */
import { noteMade, noteRead, noteWrite } from "../loop/footprint.js";

class Label {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  describe(): string {
    return this.#text;
  }
}

/** An object in the role of a key of a Map or a Set. */
export class ObjectKey {
  readonly #presence = new Label("an object as a key");

  /** The running step has put it there. */
  introduce(): void {
    noteMade(this);
    noteMade(this.#presence);
  }

  get presence(): object {
    return this.#presence;
  }

  describe(): string {
    return "what an object leads to";
  }
}

export type Key = PropertyKey | ObjectKey;

/** Told of every access to one object, by whoever makes it. */
export interface Subject {
  /** Where the accesses to everything that is found in the object are told, if not in places of their own. */
  readonly region: Subject | undefined;
  readValue(key: Key): void;
  writeValue(key: Key): void;
  /** Whether `key` is there is looked at. */
  readPresence(key: Key): void;
  /** `key` comes, or goes. */
  changeKeys(key: Key): void;
  /** Which keys there are is looked at, or how many. */
  readKeys(): void;
  /** The running step has made it: to be told at once, or its locations would be called after whoever touches it first. */
  introduce(): void;
}

/** An object whose parts are locations. */
export class PartedSubject implements Subject {
  readonly region = undefined;
  readonly #keys: Label;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.#keys = new Label(`keys of ${name}`);
  }

  introduce(): void {
    noteMade(this);
    noteMade(this.#keys);
  }

  describe(): string {
    return this.#name;
  }

  readValue(key: Key): void {
    if (key instanceof ObjectKey) noteRead(key);
    else noteRead(this, key);
  }

  writeValue(key: Key): void {
    if (key instanceof ObjectKey) noteWrite(key);
    else noteWrite(this, key);
  }

  readPresence(key: Key): void {
    if (key instanceof ObjectKey) noteRead(key.presence);
    else noteRead(this.#keys, key);
  }

  changeKeys(key: Key): void {
    this.writeValue(key);
    if (key instanceof ObjectKey) noteWrite(key.presence);
    else noteWrite(this.#keys, key);
    noteWrite(this.#keys);
  }

  readKeys(): void {
    noteRead(this.#keys);
  }
}

/** An object that is one location, with all that is reached through it. */
export class WholeSubject implements Subject {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  introduce(): void {
    noteMade(this);
  }

  get region(): Subject {
    return this;
  }

  describe(): string {
    return this.#name;
  }

  readValue(): void {
    noteRead(this);
  }

  writeValue(): void {
    noteWrite(this);
  }

  readPresence(): void {
    noteRead(this);
  }

  changeKeys(): void {
    noteWrite(this);
  }

  readKeys(): void {
    noteRead(this);
  }
}
