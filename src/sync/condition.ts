/**
 * `Condition`: waiting for a change of something that a lock protects, as `asyncio.Condition`.
 */
import { CancelledError, describeValue, RuntimeError, UsageError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import { noteRead, noteWrite } from "../loop/footprint.js";
import { inspectKey } from "../loop/inspect.js";
import { isThenable } from "../loop/thenable.js";
import type { Held } from "./holding.js";
import { Lock } from "./lock.js";
import { Primitive } from "./primitive.js";
import { nameOf, type PrimitiveOptions, Waiters } from "./waiters.js";

export interface ConditionOptions extends PrimitiveOptions {
  /** The lock that protects what changes. Default: one of its own. */
  readonly lock?: Lock | undefined;
}

/**
 * A condition with its lock; several conditions may share one.
 *
 * @example
 * const changed = new Condition();
 * await changed.withLock(() => changed.waitFor(() => stock > 0));
 * // elsewhere:
 * await changed.withLock(() => { stock++; changed.notify(); });
 * @since 0.2.0
 */
export class Condition extends Primitive {
  readonly #name: string | undefined;
  readonly #lock: Lock;
  readonly #waiters: Waiters;

  constructor({ lock, name }: ConditionOptions = {}) {
    super("condition", name);
    this.#lock = lock ?? new Lock({ name: `of condition${nameOf(name)}` });
    this.#name = name;
    this.#waiters = new Waiters(() => `condition${nameOf(name)}`);
  }

  /** Whether somebody holds the lock. */
  locked(): boolean {
    return this.#lock.locked();
  }

  /** Takes the lock. */
  acquire(): Coroutine<true> {
    return this.#lock.acquire();
  }

  /** Gives the lock back. Throws RuntimeError when nobody holds it. */
  release(): void {
    this.#lock.release();
  }

  /** Runs `body` while holding the lock; answers what that returns. */
  withLock<T>(body: () => PromiseLike<T> | T): Promise<T> {
    return this.#lock.withLock(body);
  }

  /** Takes the lock until the end of the block. */
  hold(): Coroutine<Held> {
    return this.#lock.hold();
  }

  /**
   * Gives the lock back, waits to be notified, and takes the lock again; also when it is cancelled. Answers true. (A cancellation while it
   * takes the lock again keeps its message; asyncio 3.11 raises one without.)
   *
   * Raises RuntimeError when nobody holds the lock.
   */
  wait(): Coroutine<true> {
    return new Coroutine(() => this.#wait(), "Condition.wait");
  }

  /**
   * Waits until `predicate` holds, asked now and after each notification; answers what it answered.
   *
   * Raises RuntimeError when nobody holds the lock, UsageError when the predicate is asynchronous: its promise would always hold.
   */
  waitFor<T>(predicate: () => T): Coroutine<T> {
    const ask = (): T => {
      const result = predicate();
      if (!isThenable(result)) return result;
      throw new UsageError("Condition.waitFor: the predicate must answer at once, and not a promise, which always counts as true");
    };
    return new Coroutine(async () => {
      let result = ask();
      while (!result) {
        await this.#wait();
        result = ask();
      }
      return result;
    }, "Condition.waitFor");
  }

  /**
   * Wakes at most `count` who wait, in order; they go on when they get the lock. As in asyncio 3.11, a notification is lost when the one
   * who was woken is cancelled before that.
   *
   * Throws RuntimeError when nobody holds the lock, UsageError unless `count` is a whole number from 0 on, or Infinity.
   */
  notify(count = 1): void {
    if (count !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(count) && count >= 0)) {
      throw new UsageError(`Condition.notify: count must be a whole number, 0 or more, not ${describeValue(count)}`);
    }
    if (!this.locked()) throw new RuntimeError("cannot notify on un-acquired lock");
    if (this.#waiters.wake(count) > 0) noteWrite(this);
    else noteRead(this);
  }

  /** Wakes all who wait. Throws RuntimeError when nobody holds the lock. */
  notifyAll(): void {
    this.notify(Number.POSITIVE_INFINITY);
  }

  [inspectKey](): string {
    const waiters = this.#waiters.length === 0 ? "" : `, waiters: ${this.#waiters.length}`;
    return `<Condition${nameOf(this.#name)} ${this.locked() ? "locked" : "unlocked"}${waiters}>`;
  }

  async #wait(): Promise<true> {
    if (!this.locked()) throw new RuntimeError("cannot wait on un-acquired lock");
    this.release();
    try {
      noteWrite(this);
      const waiter = this.#waiters.join();
      try {
        await waiter;
      } finally {
        this.#waiters.leave(waiter);
      }
    } finally {
      await this.#acquireAgain();
    }
    return true;
  }

  /** Whoever waits on a condition holds its lock afterwards, whatever happens; a cancellation meanwhile is raised once it does. */
  async #acquireAgain(): Promise<void> {
    let cancellation: CancelledError | undefined;
    for (;;) {
      try {
        await this.#lock.acquire();
        break;
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        cancellation = error;
      }
    }
    if (cancellation !== undefined) throw cancellation;
  }
}
