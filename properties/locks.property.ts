/**
 * Locks and semaphores under every schedule: no more inside than there are permits, in the order in which they came, and nothing is lost
 * when waiters are cancelled, before or after they were woken. A lock is a semaphore with one permit, so they share their properties.
 */
import * as fc from "fast-check";
import { BoundedSemaphore, currentTask, getRunningLoop, type Held, Lock, RuntimeError, Semaphore, type Task, ValueError } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import {
  cancellations,
  finish,
  forGood,
  type Pause,
  parameters,
  pause,
  runProgram,
  start,
  startUntouched,
  take,
  troubledPause,
  watch,
} from "./small-programs.js";

/** What a lock and a semaphore have in common. */
interface Permits {
  locked(): boolean;
  acquire(): PromiseLike<true>;
  release(): void;
  hold(): PromiseLike<Held>;
  within(body: () => Promise<void>): Promise<void>;
}

const permitsOfLock = (): Permits => {
  const lock = new Lock();
  return Object.assign(lock, { within: (body: () => Promise<void>) => lock.withLock(body) });
};
const permitsOf = (semaphore: Semaphore): Permits =>
  Object.assign(semaphore, { within: (body: () => Promise<void>) => semaphore.withPermit(body) });

/** The three ways to be inside. */
const ways = {
  body: (permits, body) => permits.within(body),
  block: async (permits, body) => {
    const held = await permits.hold();
    try {
      await body();
    } finally {
      held[Symbol.dispose](); // as at the end of a block with `using`
    }
  },
  calls: async (permits, body) => {
    await permits.acquire();
    try {
      await body();
    } finally {
      permits.release();
    }
  },
} satisfies Record<string, (permits: Permits, body: () => Promise<void>) => Promise<void>>;

interface Visit {
  readonly before: Pause;
  readonly way: keyof typeof ways;
  readonly inside: Pause;
}

const visit: fc.Arbitrary<Visit> = fc.record({
  before: troubledPause,
  way: fc.constantFrom("body", "block", "calls"),
  inside: fc.oneof({ weight: 5, arbitrary: troubledPause }, forGood),
});

/** Permits beside the line of those who wait for one. */
class CheckedPermits {
  readonly #permits: Permits;
  /** Who waits, in the order in which they came. */
  readonly #line = new Set<Task>();
  #granted: number;
  #inside = 0;

  constructor(permits: Permits, granted: number) {
    this.#permits = permits;
    this.#granted = granted;
  }

  async visit({ before, way, inside }: Visit): Promise<void> {
    await take(before);
    const self = currentTask()!;
    const cameAtStep = getRunningLoop().steps;
    this.#line.add(self);
    try {
      await ways[way](this.#permits, async () => {
        const waiting = this.#waiting;
        const earlier = waiting.slice(0, waiting.indexOf(self));
        this.#line.delete(self);
        this.#inside++;
        // Those who came earlier and still wait have a permit on its way to them, or this one has overtaken them. Which of those who
        // were woken goes on first is for the schedule to say; but nobody goes straight in while others stand in line.
        expect(this.#inside + earlier.length).toBeLessThanOrEqual(this.#granted);
        if (getRunningLoop().steps === cameAtStep) expect(earlier).toEqual([]);
        try {
          await take(inside);
        } finally {
          this.#inside--;
        }
      });
    } finally {
      this.#line.delete(self);
    }
  }

  /** Adds a permit. */
  add(): void {
    this.#granted++;
    this.#permits.release();
  }

  /** When nothing is ready nobody waits while there is a permit. */
  judge(): void {
    if (this.#inside < this.#granted && this.#waiting.length > 0) throw new Error("somebody waits, and there is a permit");
  }

  /** When all have left there are as many permits as were ever granted. */
  async judgeFree(): Promise<void> {
    let taken = 0;
    for (; taken < this.#granted && !this.#permits.locked(); taken++) await this.#permits.acquire();
    expect([taken, this.#permits.locked()]).toEqual([this.#granted, true]);
    for (; taken > 0; taken--) this.#permits.release();
  }

  /** Those in line who are not about to be cancelled. The one who goes in stands in it, too: it was not cancelled in time. */
  get #waiting(): Task[] {
    return [...this.#line].filter((task) => task.cancelling() === 0 || task === currentTask());
  }
}

interface Program {
  readonly make: () => Permits;
  /** How many permits there are at first, and when others add how many. */
  readonly atFirst: number;
  readonly later: readonly { readonly after: Pause; readonly count: number }[];
  /** What one more release throws at the end; undefined when that is allowed. */
  readonly refusal: typeof RuntimeError | typeof ValueError | undefined;
}

const lock: fc.Arbitrary<Program> = fc.constant({ make: permitsOfLock, atFirst: 1, later: [], refusal: RuntimeError });
const semaphore: fc.Arbitrary<Program> = fc
  .record({ atFirst: fc.nat(2), later: fc.array(fc.record({ after: pause, count: fc.constantFrom(1, 2) }), { maxLength: 2 }) })
  .filter(({ atFirst, later }) => atFirst + later.length > 0)
  .map((drawn) => ({ ...drawn, make: () => permitsOf(new Semaphore(drawn.atFirst)), refusal: undefined }));
const boundedSemaphore: fc.Arbitrary<Program> = fc
  .integer({ min: 1, max: 3 })
  .map((atFirst) => ({ make: () => permitsOf(new BoundedSemaphore(atFirst)), atFirst, later: [], refusal: ValueError }));

// A permit that stays unused while somebody waits, because nobody passed the wake-up on, shows in one program of 180 with a semaphore:
// 2,000 programs miss it with p < 1e-4, the 800 of a build with p < 0.02. Everything else that was tried shows sooner.
test.each([
  ["a lock lets in one at a time", 0, lock],
  ["a semaphore lets in as many as it has permits", 1, semaphore],
  ["a bounded semaphore, which takes back no more than it gave, lets in as many", 2, boundedSemaphore],
])("%s, in the order in which they came, whoever is cancelled when", async (_name, variant, primitive) => {
  const program = fc.record({
    primitive,
    visitors: fc.array(fc.array(visit, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
    cancellations,
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ primitive: drawn, visitors, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const permits = drawn.make();
        const checked = new CheckedPermits(permits, drawn.atFirst);
        const visiting = start(
          visitors.map((visits) => async () => {
            for (const one of visits) await checked.visit(one);
          }),
          cancelling,
        );
        const adding = startUntouched(
          drawn.later.map(({ after, count }) => async () => {
            await take(after);
            for (let added = 0; added < count; added++) checked.add();
          }),
        );
        await watch(() => {
          checked.judge();
        });
        await finish([...visiting, ...adding]);
        await checked.judgeFree();
        if (drawn.refusal !== undefined) expect(() => permits.release()).toThrow(drawn.refusal);
      });
    }),
    parameters(2_000, variant),
  );
});
