/**
 * A line whose waiters, once they are woken, take something that may be gone by then, and in that case stand in line again: the getters and
 * the putters of a queue.
 *
 * It could be an async function with a loop around an await. But this takes in the step in which the task goes on, without a promise
 * of its own in between, and a queue is where programs wait most: this makes an item that goes there and back some 15 % faster.
 */
import type { CancelledError } from "../errors/errors.js";
import { noteWrite } from "../loop/footprint.js";
import { Future } from "../loop/future.js";
import type { Wait } from "../loop/wait.js";
import { type Waiter, Waiters } from "./waiters.js";

/** What the waiters of a line are there for. `P` is what each brings, `T` what it gets. */
interface Taking<T, P> {
  /** Whether what a waiter was woken for is still there. */
  readonly isPossible: () => boolean;
  readonly take: (brought: P) => T;
}

/** One who waits to take. The future is completed when it is woken; the await gets what was taken. */
class Taker<T, P> extends Future<void> {
  readonly #takers: Takers<T, P>;
  readonly brought: P;

  constructor(takers: Takers<T, P>, brought: P) {
    super(takers.line.requireLoop(), takers.line);
    this.#takers = takers;
    this.brought = brought;
  }

  override deliverTo(wait: Wait, interruption: CancelledError | undefined): void {
    if (interruption === undefined && !this.cancelled()) this.#takers.take(this, wait);
    else {
      this.#takers.miss(this);
      super.deliverTo(wait, interruption);
    }
  }
}

export class Takers<T, P> {
  readonly line: Waiters;
  readonly #owner: object;
  readonly #taking: Taking<T, P>;

  /** `owner` is what they take from, or give to. */
  constructor(owner: object, sayWhat: () => string, taking: Taking<T, P>) {
    this.#owner = owner;
    this.line = new Waiters(sayWhat);
    this.#taking = taking;
  }

  get length(): number {
    return this.line.length;
  }

  /** Stands in line; the await of what it answers gives what was taken. Throws as {@link Waiters.join} does. */
  join(brought: P): PromiseLike<T> {
    return this.#enter(brought) as PromiseLike<unknown> as PromiseLike<T>; // deliverTo() hands the await what was taken
  }

  #enter(brought: P): Taker<T, P> {
    noteWrite(this.#owner);
    const taker = new Taker(this, brought);
    this.line.enter(taker);
    return taker;
  }

  /** Wakes the first in line. */
  wakeNext(): void {
    this.line.takeNext();
  }

  /** `taker` was woken, and goes on. */
  take(taker: Taker<T, P>, wait: Wait): void {
    if (!this.#taking.isPossible()) {
      wait.waitAgain(this.#enter(taker.brought));
      return;
    }
    let taken: T;
    try {
      taken = this.#taking.take(taker.brought);
    } catch (error) {
      wait.reject(error); // of the program: a priority queue compares its items
      return;
    }
    wait.fulfil(taken);
  }

  /** `taker` was cancelled: if it had been woken before, what it was woken for goes to the next. */
  miss(taker: Waiter): void {
    noteWrite(this.#owner);
    this.line.leave(taker);
    if (this.#taking.isPossible() && !taker.cancelled()) this.wakeNext();
  }
}
