/**
 * `Event`: a flag that tasks wait for, as `asyncio.Event`.
 */
import { Coroutine } from "../loop/coroutine.js";
import { noteRead, noteWrite } from "../loop/footprint.js";
import { inspectKey } from "../loop/inspect.js";
import { Primitive } from "./primitive.js";
import { nameOf, type PrimitiveOptions, Waiters } from "./waiters.js";

/**
 * A flag, not set at first.
 *
 * @example
 * const ready = new Event();
 * createTask(async () => { await ready.wait(); serve(); });
 * ready.set();
 * @since 0.2.0
 */
export class Event extends Primitive {
  readonly #name: string | undefined;
  readonly #waiters: Waiters;
  #isSet = false;

  constructor({ name }: PrimitiveOptions = {}) {
    super("event", name);
    this.#name = name;
    this.#waiters = new Waiters(() => `event${nameOf(name)}, which is not set`);
  }

  isSet(): boolean {
    noteRead(this);
    return this.#isSet;
  }

  /** Sets the flag and wakes all who wait, also when it is cleared before they go on. */
  set(): void {
    noteRead(this);
    if (this.#isSet) return;
    noteWrite(this);
    this.#isSet = true;
    this.#waiters.wake(Number.POSITIVE_INFINITY);
  }

  /** Who waits from now on waits for the next {@link set}. */
  clear(): void {
    this.#isSet = false;
    noteWrite(this);
  }

  /** Waits until the flag is set; at once when it is. Answers true. */
  wait(): Coroutine<true> {
    return new Coroutine(() => {
      noteRead(this);
      return this.#isSet ? true : this.#waitForSet();
    }, "Event.wait");
  }

  [inspectKey](): string {
    const waiters = this.#waiters.length === 0 ? "" : `, waiters: ${this.#waiters.length}`;
    return `<Event${nameOf(this.#name)} ${this.#isSet ? "set" : "not set"}${waiters}>`;
  }

  async #waitForSet(): Promise<true> {
    const waiter = this.#waiters.join();
    try {
      await waiter;
    } finally {
      this.#waiters.leave(waiter);
    }
    return true;
  }
}
