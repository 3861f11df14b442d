/**
 * `Lock`: mutual exclusion between tasks, as `asyncio.Lock`.
 *
 * Invariant: at most one waiter is woken and has not gone on. Whoever is woken takes the lock when it goes on; until then nobody else
 * can, because it still stands in line. So the lock is handed over in the order in which the waiters came.
 */
import { RuntimeError } from "../errors/errors.js";
import type { Coroutine } from "../loop/coroutine.js";
import { noteRead, noteWrite } from "../loop/footprint.js";
import { inspectKey } from "../loop/inspect.js";
import { findRunningLoop } from "../loop/running.js";
import type { Task } from "../loop/task.js";
import { acquire, type Held, type Holdable, hold, holdDuring } from "./holding.js";
import { Primitive } from "./primitive.js";
import { nameOf, type PrimitiveOptions, Waiters } from "./waiters.js";

/**
 * A lock that one task holds at a time. It is not reentrant, and anybody may release it.
 *
 * @example
 * const lock = new Lock();
 * await lock.withLock(async () => {
 *   const balance = await read();
 *   await write(balance + 1);
 * });
 * @since 0.2.0
 */
export class Lock extends Primitive {
  readonly #name: string | undefined;
  readonly #waiters: Waiters;
  readonly #holdable: Holdable = {
    tryTake: () => this.#tryAcquire(),
    takeInTurn: () => this.#acquireInTurn(),
    release: () => {
      this.release();
    },
  };
  #isLocked = false;
  /** Who took it, for reports. */
  #holder: Task | undefined = undefined;

  constructor({ name }: PrimitiveOptions = {}) {
    super("lock", name);
    this.#name = name;
    this.#waiters = new Waiters(() => this.#describe());
  }

  /** Whether somebody holds it. */
  locked(): boolean {
    noteRead(this);
    return this.#isLocked;
  }

  /** Waits until it is free, and takes it. Answers true. */
  acquire(): Coroutine<true> {
    return acquire(this.#holdable, "Lock.acquire");
  }

  /** Gives it back, to the first who waits for it. Throws RuntimeError when nobody holds it. */
  release(): void {
    noteWrite(this);
    if (!this.#isLocked) throw new RuntimeError("Lock is not acquired.");
    this.#isLocked = false;
    this.#holder = undefined;
    this.#wakeFirst();
  }

  /** Runs `body` while holding it; answers what that returns. */
  withLock<T>(body: () => PromiseLike<T> | T): Promise<T> {
    return holdDuring(this.#holdable, body, "withLock");
  }

  /**
   * Takes it until the end of the block.
   *
   * @example
   * using held = await lock.hold();
   */
  hold(): Coroutine<Held> {
    return hold(this.#holdable, "Lock.hold");
  }

  [inspectKey](): string {
    const waiters = this.#waiters.length === 0 ? "" : `, waiters: ${this.#waiters.length}`;
    return `<Lock${nameOf(this.#name)} ${this.#isLocked ? "locked" : "unlocked"}${waiters}>`;
  }

  #describe(): string {
    const holder = this.#holder === undefined ? "" : `, held by ${this.#holder.getName()}`;
    const isGone = this.#holder?.isDone === true ? ", which has ended" : "";
    return `lock${nameOf(this.#name)}${holder}${isGone}`;
  }

  #tryAcquire(): boolean {
    noteWrite(this); // also when it fails: then it stands in line before the next
    if (this.#isLocked || this.#waiters.hasUncancelled) return false;
    this.#take();
    return true;
  }

  #take(): void {
    this.#isLocked = true;
    this.#holder = findRunningLoop()?.currentTask();
  }

  async #acquireInTurn(): Promise<true> {
    const waiter = this.#waiters.join();
    try {
      await waiter;
    } catch (error) {
      noteWrite(this);
      // Perhaps it was woken, and cancelled before it went on: then the lock goes to the next.
      this.#waiters.leave(waiter);
      if (!this.#isLocked) this.#wakeFirst();
      throw error;
    }
    noteWrite(this);
    this.#waiters.leave(waiter);
    this.#take();
    return true;
  }

  /** Only the first: when it is done already, it will go on and take the lock, or pass it on. */
  #wakeFirst(): void {
    const first = this.#waiters.first();
    if (first?.done() === false) first.setResult();
  }
}
