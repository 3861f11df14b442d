/**
 * What all primitives have in common: each is one thing that steps read and write, and tells it itself.
 *
 * Trying to take, being handed, giving back, waiting in line and waking write a primitive; asking for its state reads it, and so does waiting
 * for something that wakes all who wait, because their order does not matter.
 */
import { noteMade } from "../loop/footprint.js";
import { nameOf } from "./waiters.js";

/** Marks what needs no proxy to be followed. The folder of `shared` has the same, and neither imports the other. */
const tracksItself: unique symbol = Symbol.for("heddle: tracks itself") as never; // `for` returns a plain symbol; the key is fixed

export abstract class Primitive {
  readonly #what: string;
  readonly #name: string | undefined;

  constructor(what: string, name: string | undefined) {
    this.#what = what;
    this.#name = name;
    noteMade(this);
  }

  /** @internal */
  get [tracksItself](): true {
    return true;
  }

  /** How reports call it: `lock accounts`. @internal */
  describe(): string {
    return `${this.#what}${nameOf(this.#name)}`;
  }
}
