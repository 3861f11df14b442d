/**
 * What a run that has taken over the platform keeps of it: how often each kind of timer was set, which timer has which number, and the
 * randomness behind `Math.random` and `crypto`. All of it begins anew with each run, and costs nothing where it is not asked for.
 */
import { Random } from "../random/random.js";
import type { RealIo } from "./host.js";

/** What a loop is to take over besides timers and clocks. */
export interface TakeOver {
  /** Seed of what `Math.random` and `crypto` answer, the same in every run of an exploration; undefined leaves them alone. */
  readonly seed: number | undefined;
  /** How much real I/O was under way before the run; see `countRealIo`. */
  readonly realIoBefore: RealIo;
  /** Told of randomness that is asked and left alone. */
  readonly onUnseeded?: (what: string) => void;
}

/** The first number of a timer: beyond those that the platform has given out. Whole numbers stay exact up to 2^53. */
const FIRST_ID = 2 ** 40;

export class TakenOver {
  readonly #options: TakeOver;
  #random: Random | undefined = undefined;
  #counts: Map<string, number> | undefined = undefined;
  #byId: Map<number, object> | undefined = undefined;

  constructor(options: TakeOver) {
    this.#options = options;
  }

  /** The program's own randomness, if it is taken over. Seeding costs as much as a short run, so only programs that draw pay for it. */
  get random(): Random | undefined {
    const { seed } = this.#options;
    return seed === undefined ? undefined : (this.#random ??= new Random(seed, "platform"));
  }

  /** The platform's own randomness answers. */
  noteUnseeded(what: string): void {
    this.#options.onUnseeded?.(what);
  }

  /** How many of this name there are now, this one included. */
  count(name: string): number {
    this.#counts ??= new Map();
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count;
  }

  /** A number by which {@link timerWithId} finds `timer`, as the platform's timers have one. */
  idFor(timer: object): number {
    this.#byId ??= new Map();
    const id = FIRST_ID + this.#byId.size;
    this.#byId.set(id, timer);
    return id;
  }

  timerWithId(id: number): object | undefined {
    return this.#byId?.get(id);
  }
}
