/**
 * `Barrier`: a number of tasks that wait for each other, again and again, as `asyncio.Barrier`.
 *
 * A generation fills until all parties have come, then drains until all have left, and only then does the next one begin to fill: who
 * comes while it drains waits for that.
 */
import { BrokenBarrierError, describeValue, UsageError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import { noteRead, noteWrite } from "../loop/footprint.js";
import { inspectKey } from "../loop/inspect.js";
import { Condition } from "./condition.js";
import { Primitive } from "./primitive.js";
import { nameOf, type PrimitiveOptions } from "./waiters.js";

/**
 * A barrier for `parties` tasks.
 *
 * The constructor throws UsageError unless `parties` is a whole number from 1 on.
 *
 * @example
 * const start = new Barrier(3);
 * const place = await start.wait(); // 0, 1 or 2: the order in which they came
 * if (place === 0) announce();
 * @since 0.2.0
 */
export class Barrier extends Primitive {
  readonly #name: string | undefined;
  readonly #parties: number;
  readonly #changed: Condition;
  #state: "filling" | "draining" | "resetting" | "broken" = "filling";
  /** How many are inside. */
  #count = 0;

  constructor(parties: number, { name }: PrimitiveOptions = {}) {
    super("barrier", name);
    if (!Number.isSafeInteger(parties) || parties < 1) {
      throw new UsageError(`Barrier: parties must be a whole number, 1 or more, not ${describeValue(parties)}`);
    }
    this.#parties = parties;
    this.#name = name;
    this.#changed = new Condition({ name: `of barrier${nameOf(name)}` });
  }

  /** How many tasks it takes. */
  get parties(): number {
    return this.#parties;
  }

  /** How many wait for the others to come. */
  get nWaiting(): number {
    noteRead(this);
    return this.#state === "filling" ? this.#count : 0;
  }

  /** Whether it was aborted. */
  get broken(): boolean {
    noteRead(this);
    return this.#state === "broken";
  }

  /**
   * Waits until all parties have come. Answers how many were there before: 0 to the first, and so on. (As in asyncio, a number comes twice
   * in a generation where somebody between was cancelled.)
   *
   * Raises BrokenBarrierError when the barrier is reset or aborted meanwhile, or was aborted before.
   */
  wait(): Coroutine<number> {
    return new Coroutine(() => this.#changed.withLock(() => this.#wait()), "Barrier.wait");
  }

  /** Empties it: those who wait get BrokenBarrierError, and it can be used again. */
  reset(): Coroutine<void> {
    return this.#change(() => {
      this.#state = this.#count > 0 ? "resetting" : "filling";
    }, "Barrier.reset");
  }

  /** Breaks it: those who wait, and whoever comes later, get BrokenBarrierError. A {@link reset} mends it. */
  abort(): Coroutine<void> {
    return this.#change(() => {
      this.#state = "broken";
    }, "Barrier.abort");
  }

  [inspectKey](): string {
    return `<Barrier${nameOf(this.#name)} ${this.#state}, waiting: ${this.nWaiting} of ${this.#parties}>`;
  }

  #change(change: () => void, name: string): Coroutine<void> {
    return new Coroutine(
      () =>
        this.#changed.withLock(() => {
          noteWrite(this);
          change();
          this.#changed.notifyAll();
        }),
      name,
    );
  }

  async #wait(): Promise<number> {
    await this.#changed.waitFor(() => this.#state !== "draining" && this.#state !== "resetting");
    if (this.broken) throw new BrokenBarrierError("Barrier aborted");
    noteWrite(this);
    const place = this.#count++;
    try {
      if (place + 1 === this.#parties) {
        this.#state = "draining";
        this.#changed.notifyAll();
      } else await this.#waitForRest();
      return place;
    } finally {
      noteWrite(this);
      this.#count--;
      this.#noteLeft();
    }
  }

  async #waitForRest(): Promise<void> {
    await this.#changed.waitFor(() => this.#state !== "filling");
    if (this.#state !== "draining") throw new BrokenBarrierError("Abort or reset of barrier");
  }

  /** The last to leave opens it to the next generation. */
  #noteLeft(): void {
    if (this.#count > 0) return;
    if (this.#state === "resetting" || this.#state === "draining") this.#state = "filling";
    this.#changed.notifyAll();
  }
}
