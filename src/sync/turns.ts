/**
 * A line whose waiters, once they are woken, take something that may be gone by then, and in that case stand in line again: the getters and
 * the putters of a queue.
 *
 * It could be an async function with a loop around an await. But a turn is taken in the step in which the task goes on, without a promise
 * of its own in between, and a queue is where programs wait most: this makes an item that goes there and back a third faster.
 */
import type { CancelledError } from "../errors/errors.js";
import { Future } from "../loop/future.js";
import type { Wait } from "../loop/wait.js";
import { type Waiter, Waiters } from "./waiters.js";

/** What the waiters of a line are there for. `P` is what each brings, `T` what it gets. */
interface Taking<T, P> {
  /** Whether what a waiter was woken for is still there. */
  readonly isPossible: () => boolean;
  readonly take: (brought: P) => T;
}

/** One who waits for its turn. The future is completed when it is woken; the await gets what was taken. */
class Turn<T, P> extends Future<void> {
  readonly #turns: Turns<T, P>;
  readonly brought: P;

  constructor(turns: Turns<T, P>, brought: P) {
    super(turns.line.requireLoop(), turns.line);
    this.#turns = turns;
    this.brought = brought;
  }

  override deliverTo(wait: Wait, interruption: CancelledError | undefined): void {
    if (interruption === undefined && !this.cancelled()) this.#turns.take(this, wait);
    else {
      this.#turns.miss(this);
      super.deliverTo(wait, interruption);
    }
  }
}

export class Turns<T, P> {
  readonly line: Waiters;
  readonly #taking: Taking<T, P>;

  constructor(sayWhat: () => string, taking: Taking<T, P>) {
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

  #enter(brought: P): Turn<T, P> {
    const turn = new Turn(this, brought);
    this.line.enter(turn);
    return turn;
  }

  /** Wakes the first in line. */
  wakeNext(): void {
    this.line.takeNext();
  }

  /** `turn` was woken, and goes on. */
  take(turn: Turn<T, P>, wait: Wait): void {
    if (this.#taking.isPossible()) wait.fulfil(this.#taking.take(turn.brought));
    else wait.waitAgain(this.#enter(turn.brought));
  }

  /** `turn` was cancelled: if it had been woken before, what it was woken for goes to the next. */
  miss(turn: Waiter): void {
    this.line.leave(turn);
    if (this.#taking.isPossible() && !turn.cancelled()) this.wakeNext();
  }
}
