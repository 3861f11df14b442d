/**
 * `Semaphore` and `BoundedSemaphore`: a number of permits, as in asyncio.
 *
 * Invariant: a permit is free, or held, or on its way to one waiter that was woken. `release` takes the permit for the waiter before it
 * wakes it, so nobody can take it in between, and a woken waiter that is cancelled gives it to the next.
 */
import { describeValue, UsageError, ValueError } from "../errors/errors.js";
import type { Coroutine } from "../loop/coroutine.js";
import { noteRead, noteWrite } from "../loop/footprint.js";
import { inspectKey } from "../loop/inspect.js";
import { acquire, type Held, type Holdable, hold, holdDuring } from "./holding.js";
import { Primitive } from "./primitive.js";
import { nameOf, type PrimitiveOptions, Waiters } from "./waiters.js";

/**
 * Lets `value` holders in at a time.
 *
 * The constructor throws UsageError unless `value` is a whole number from 0 on.
 *
 * @example
 * const connections = new Semaphore(10);
 * const page = await connections.withPermit(() => load(url));
 * @since 0.2.0
 */
export class Semaphore extends Primitive {
  readonly #name: string | undefined;
  readonly #waiters: Waiters;
  readonly #holdable: Holdable = {
    tryTake: () => this.#tryAcquire(),
    takeInTurn: () => this.#acquireInTurn(),
    release: () => {
      this.release();
    },
  };
  #value: number;

  constructor(value = 1, { name }: PrimitiveOptions = {}) {
    super("semaphore", name);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new UsageError(`Semaphore: the initial value must be a whole number, 0 or more, not ${describeValue(value)}`);
    }
    this.#value = value;
    this.#name = name;
    this.#waiters = new Waiters(() => `semaphore${nameOf(name)}, of which no permit is free`);
  }

  /** Whether an acquire would have to wait. */
  locked(): boolean {
    noteRead(this);
    return this.#value === 0 || this.#waiters.hasUncancelled;
  }

  /** Waits for a permit, and takes it. Answers true. */
  acquire(): Coroutine<true> {
    return acquire(this.#holdable, "Semaphore.acquire");
  }

  /** Gives a permit back, to the first who waits for one. Also one that was never taken: see {@link BoundedSemaphore}. */
  release(): void {
    this.#value++;
    this.#wakeNext();
    noteWrite(this);
  }

  /** Runs `body` while holding a permit; answers what that returns. */
  withPermit<T>(body: () => PromiseLike<T> | T): Promise<T> {
    return holdDuring(this.#holdable, body, "withPermit");
  }

  /**
   * Takes a permit until the end of the block.
   *
   * @example
   * using permit = await connections.hold();
   */
  hold(): Coroutine<Held> {
    return hold(this.#holdable, "Semaphore.hold");
  }

  [inspectKey](): string {
    const waiters = this.#waiters.length === 0 ? "" : `, waiters: ${this.#waiters.length}`;
    return `<${this.constructor.name}${nameOf(this.#name)} value: ${this.#value}${waiters}>`;
  }

  /** How many permits are free. @internal */
  get value(): number {
    noteRead(this);
    return this.#value;
  }

  #tryAcquire(): boolean {
    noteWrite(this); // also when it fails: then it stands in line before the next
    if (this.locked()) return false;
    this.#value--;
    return true;
  }

  async #acquireInTurn(): Promise<true> {
    const waiter = this.#waiters.join();
    try {
      await waiter;
    } catch (error) {
      noteWrite(this);
      this.#waiters.leave(waiter);
      if (!waiter.cancelled()) {
        this.#value++;
        this.#wakeNext();
      }
      throw error;
    }
    noteWrite(this);
    this.#waiters.leave(waiter);
    if (this.#value > 0) this.#wakeNext();
    return true;
  }

  #wakeNext(): void {
    if (this.#waiters.wakeNext()) this.#value--;
  }
}

/**
 * A semaphore that refuses to give back more permits than it began with: `release` then throws ValueError.
 *
 * @since 0.2.0
 */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  constructor(value = 1, options?: PrimitiveOptions) {
    super(value, options);
    this.#bound = value;
  }

  override release(): void {
    if (this.value >= this.#bound) throw new ValueError("BoundedSemaphore released too many times");
    super.release();
  }
}
