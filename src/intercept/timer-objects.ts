/**
 * What `setTimeout`, `setInterval` and `setImmediate` answer inside a run: objects with all that Node's have.
 */
import { IMMEDIATE, type NativeTimer } from "../loop/native-timer.js";
import { findTakingLoop, type TakingLoop } from "./taking-loop.js";

/** The longest delay that a native timer knows, in milliseconds; a longer one is 1. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The delay of a timer in whole milliseconds, as Node reads it: at least 1, and 1 for what is no delay. */
export function delayOf(value: unknown): number {
  const delayMs = Number(value);
  return delayMs >= 1 && delayMs <= LONGEST_DELAY_MS ? Math.trunc(delayMs) : 1;
}

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/** A timer of the program: armed, or over. Its methods work also when its run is over, and do nothing then. */
export class Timeout {
  /** The loop that it was armed on last. */
  #loop: TakingLoop;
  readonly #callback: Callback;
  readonly #args: readonly unknown[];
  readonly #delayMs: number;
  readonly #isRepeating: boolean;
  readonly #name: string;
  /** Which of its name it is. */
  readonly #number: number;
  #firings = 0;
  #isRef = true;
  #isCleared = false;
  #id: number | undefined = undefined;
  /** Where it was set, if that is known: an interval is armed again by nobody's call. */
  #site: string | undefined = undefined;
  /** Its arming, as long as it is armed. */
  #armed: NativeTimer | undefined = undefined;

  constructor(
    loop: TakingLoop,
    callback: Callback,
    delayMs: number,
    { isRepeating, args }: { readonly isRepeating: boolean; readonly args: readonly unknown[] },
  ) {
    this.#loop = loop;
    this.#callback = callback;
    this.#args = args;
    this.#delayMs = delayMs;
    this.#isRepeating = isRepeating;
    this.#name = isRepeating ? `setInterval(${delayMs})` : `setTimeout(${delayMs})`;
    this.#number = loop.takenOver.count(this.#name);
    this.#arm();
  }

  #arm(): void {
    const operation = this.#firings === 0 ? String(this.#number) : `${this.#number}.${this.#firings + 1}`;
    this.#armed = this.#loop.setNativeTimer(this.#name, operation, this.#delayMs, () => this.#fire(), this.#site);
    this.#site = this.#armed.site;
    if (!this.#isRef) this.#loop.setNativeTimerRef(this.#armed, false);
  }

  #fire(): void {
    const fired = this.#armed;
    this.#firings++;
    try {
      this.#callback.apply(this, [...this.#args]);
    } finally {
      // Unless the callback has cleared it, or has armed it anew by refresh().
      if (this.#armed === fired && fired !== undefined) {
        this.#armed = undefined;
        if (this.#isRepeating) this.#arm();
      }
    }
  }

  ref(): this {
    return this.#setRef(true);
  }

  unref(): this {
    return this.#setRef(false);
  }

  #setRef(isRef: boolean): this {
    this.#isRef = isRef;
    if (this.#armed !== undefined) this.#loop.setNativeTimerRef(this.#armed, isRef);
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  /**
   * Starts its time anew, also when it has fired, and in the run that is under way, if that is a later one: modules keep a timer of theirs for
   * ever. One that was cleared stays so.
   */
  refresh(): this {
    if (this.#isCleared) return this;
    if (this.#armed !== undefined) this.#loop.cancelNativeTimer(this.#armed);
    this.#loop = findTakingLoop() ?? this.#loop;
    this.#arm();
    return this;
  }

  close(): this {
    this.#isCleared = true;
    if (this.#armed !== undefined) this.#loop.cancelNativeTimer(this.#armed);
    this.#armed = undefined;
    return this;
  }

  [Symbol.toPrimitive](): number {
    return (this.#id ??= this.#loop.takenOver.idFor(this));
  }
}

/** An immediate of the program. */
export class Immediate {
  readonly #loop: TakingLoop;
  readonly #handle: NativeTimer;
  #isRef = true;

  constructor(loop: TakingLoop, callback: Callback, args: readonly unknown[]) {
    this.#loop = loop;
    const operation = String(loop.takenOver.count(IMMEDIATE));
    this.#handle = loop.setNativeTimer(IMMEDIATE, operation, undefined, () => callback.apply(this, [...args]));
  }

  ref(): this {
    this.#isRef = true;
    return this;
  }

  unref(): this {
    this.#isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  close(): void {
    this.#loop.cancelNativeTimer(this.#handle);
  }
}

// The language's symbol for it is missing on Node 20 before 20.5 and elsewhere, and the types of this project's target do not know it.
const dispose = (Symbol as { readonly dispose?: symbol }).dispose;
if (dispose !== undefined) {
  for (const { prototype } of [Timeout, Immediate]) {
    Object.defineProperty(prototype, dispose, {
      value(this: Timeout | Immediate): void {
        this.close();
      },
      writable: true,
      configurable: true,
    });
  }
}
