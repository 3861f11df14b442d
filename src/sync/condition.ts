/**
 * `Condition`: waiting for a change of something that a lock protects, as `asyncio.Condition`.
 */
import { CancelledError, RuntimeError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import { inspectKey } from "../loop/inspect.js";
import { Lock, type PrimitiveOptions } from "./lock.js";
import { type Held, nameOf, Waiters } from "./waiters.js";

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
export class Condition {
  readonly #name: string | undefined;
  readonly #lock: Lock;
  readonly #waiters: Waiters;

  constructor(lock?: Lock, { name }: PrimitiveOptions = {}) {
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
   * Gives the lock back, waits to be notified, and takes the lock again; also when it is cancelled. Answers true.
   *
   * Raises RuntimeError when nobody holds the lock.
   */
  wait(): Coroutine<true> {
    return new Coroutine(() => this.#wait(), "Condition.wait");
  }

  /** Waits until `predicate` holds, asked now and after each notification; answers what it answered. */
  waitFor<T>(predicate: () => T): Coroutine<T> {
    return new Coroutine(async () => {
      let result = predicate();
      while (!result) {
        await this.#wait();
        result = predicate();
      }
      return result;
    }, "Condition.waitFor");
  }

  /** Wakes at most `count` who wait, in order; they go on when they get the lock. Throws RuntimeError when nobody holds the lock. */
  notify(count = 1): void {
    if (!this.locked()) throw new RuntimeError("cannot notify on un-acquired lock");
    this.#waiters.wake(count);
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
