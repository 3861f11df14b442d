/**
 * What the synchronisation primitives share: a line of waiters, each a future, in the order in which they came.
 */
import { RuntimeError } from "../errors/errors.js";
import type { EventLoop } from "../loop/event-loop.js";
import { noteMade } from "../loop/footprint.js";
import { type Describer, Future } from "../loop/future.js";
import { findRunningLoop, outsideError } from "../loop/running.js";

/** One who waits in line. */
export type Waiter = Future<void>;

/**
 * A line of waiters. It belongs to the loop of the first of them: a primitive that is kept from one run to the next would carry over
 * who held it, and the second run would depend on the first.
 */
export class Waiters implements Describer {
  readonly #sayWhat: () => string;
  readonly #line = new Set<Waiter>();
  #loop: EventLoop | undefined = undefined;

  /** `sayWhat` says what they wait for: `lock accounts, held by t2`. */
  constructor(sayWhat: () => string) {
    this.#sayWhat = sayWhat;
    noteMade(this);
  }

  /**
   * Whoever enters or leaves reads the line, and whoever looks at those who stand in it writes it: in which order several of them come and go says
   * nothing, but whether they do so before the line is looked at or after.
   */
  #touch(isLook: boolean): void {
    findRunningLoop()?.tracker?.touchInternally(this, isLook);
  }

  describe(): string {
    return this.#sayWhat();
  }

  get length(): number {
    return this.#line.size;
  }

  /** Whether somebody in line was not cancelled. One who was woken stays in line until it has gone on. */
  get hasUncancelled(): boolean {
    this.#touch(false); // whoever tries to take something writes it, and so do those who leave with it
    for (const waiter of this.#line) if (!waiter.cancelled()) return true;
    return false;
  }

  /** A new one at the end of the line. Throws UsageError outside of a run, RuntimeError in a run of another loop. */
  join(): Waiter {
    const waiter = new Future<void>(this.requireLoop(), this);
    this.enter(waiter);
    return waiter;
  }

  enter(waiter: Waiter): void {
    this.#touch(false);
    this.#line.add(waiter);
  }

  /** The loop in which they wait. Throws as {@link join} does. */
  requireLoop(): EventLoop {
    const loop = findRunningLoop();
    if (loop === undefined) throw outsideError(`Waiting for ${this.describe()}`);
    this.#loop ??= loop;
    if (this.#loop !== loop) {
      throw new RuntimeError(
        `Cannot wait for ${this.describe()}: it is bound to a different event loop, as it was waited for in an earlier run. ` +
          "Make it inside of the run that uses it.",
      );
    }
    return loop;
  }

  leave(waiter: Waiter): void {
    this.#touch(false);
    this.#line.delete(waiter);
  }

  /** The first in line, whether or not it was woken already. */
  first(): Waiter | undefined {
    this.#touch(true);
    const [first] = this.#line;
    return first;
  }

  /** Wakes the first who was neither woken nor cancelled; answers whether there was one. */
  wakeNext(): boolean {
    return this.wake(1) > 0;
  }

  /** Wakes at most `count` who were neither woken nor cancelled, in order; answers how many there were. */
  wake(count: number): number {
    this.#touch(true);
    let woken = 0;
    for (const waiter of this.#line) {
      if (woken >= count) break;
      if (waiter.done()) continue;
      waiter.setResult();
      woken++;
    }
    return woken;
  }

  /** Takes the first who was neither woken nor cancelled out of the line, with all before it, and wakes it. */
  takeNext(): void {
    this.#touch(true);
    for (const waiter of this.#line) {
      this.#line.delete(waiter);
      if (waiter.done()) continue;
      waiter.setResult();
      return;
    }
  }
}

/** What every primitive takes. */
export interface PrimitiveOptions {
  /** Stands in deadlock reports. Default: none. */
  readonly name?: string | undefined;
}

/** ` accounts`, or nothing for what has no name. */
export function nameOf(name: string | undefined): string {
  return name === undefined ? "" : ` ${name}`;
}
