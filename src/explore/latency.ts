/**
 * Under which bound on the latency of I/O each run of an exploration is made, where there are several.
 *
 * Runs that are drawn draw their bound, too: not in turn, because strategies that take turns themselves would give some of their members one
 * bound alone. A search that comes to an end by itself is made under the largest bound: a larger one only adds that time passes, so every order
 * that there is under a smaller one is among its own, and would be made twice.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { IO_LATENCY_MS } from "../loop/event-loop.js";
import { Random } from "../random/random.js";

export class LatencyBounds {
  readonly #bounds: readonly number[];
  /** Undefined where there is nothing to draw. */
  readonly #stream: Random | undefined;
  #current: number;

  constructor(ioLatencyMs: number | readonly number[] = IO_LATENCY_MS, seed: number, isSystematic: boolean) {
    this.#bounds = typeof ioLatencyMs === "number" ? [ioLatencyMs] : ioLatencyMs;
    this.#stream = isSystematic || this.#bounds.length === 1 ? undefined : new Random(seed, "latency");
    this.#current = this.largest;
  }

  get largest(): number {
    return Math.max(...this.#bounds);
  }

  /** The bound of the run that was begun last. */
  get current(): number {
    return this.#current;
  }

  /** The next run of the search begins. */
  begin(): void {
    if (this.#stream !== undefined) this.#current = this.#bounds[this.#stream.below(this.#bounds.length)] ?? this.largest;
  }
}

/** Throws UsageError unless it is undefined, a bound, or a list of at least one. */
export function requireLatency(ioLatencyMs: unknown, argument: string): void {
  const isBound = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (ioLatencyMs === undefined || isBound(ioLatencyMs)) return;
  if (!Array.isArray(ioLatencyMs)) {
    throw new UsageError(
      `${argument} must be a whole number of milliseconds, 0 or more, or a list of such, not ${describeValue(ioLatencyMs)}`,
    );
  }
  if (ioLatencyMs.length === 0) throw new UsageError(`${argument} must hold at least one bound, and is an empty list`);
  ioLatencyMs.forEach((bound: unknown, place) => {
    if (!isBound(bound)) {
      throw new UsageError(`${argument}[${place}] must be a whole number of milliseconds, 0 or more, not ${describeValue(bound)}`);
    }
  });
}
