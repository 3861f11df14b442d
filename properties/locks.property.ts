/**
 * Locks and semaphores under every schedule: no more inside than there are permits, in the order in which they came, and nothing is lost
 * when waiters are cancelled, before or after they were woken. A lock is a semaphore with one permit, so they share their properties.
 */
import * as fc from "fast-check";
import { BoundedSemaphore, currentTask, getRunningLoop, type Held, Lock, RuntimeError, Semaphore, type Task, ValueError } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import { cancellations, finish, forGood, type Pause, parameters, pause, runProgram, settle, start, take } from "./small-programs.js";

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
  before: pause,
  way: fc.constantFrom("body", "block", "calls"),
  inside: fc.oneof({ weight: 5, arbitrary: pause }, forGood),
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

  /** When nothing can happen any more nobody waits while there is a permit. */
  judgeSettled(): void {
    if (this.#inside < this.#granted) expect(this.#waiting).toEqual([]);
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
  /** How many permits there are at first, and when others add one each. */
  readonly atFirst: number;
  readonly later: readonly Pause[];
  /** What one more release throws at the end; undefined when that is allowed. */
  readonly refusal: typeof RuntimeError | typeof ValueError | undefined;
}

const lock: fc.Arbitrary<Program> = fc.constant({ make: permitsOfLock, atFirst: 1, later: [], refusal: RuntimeError });
const semaphore: fc.Arbitrary<Program> = fc
  .record({ atFirst: fc.nat(2), later: fc.array(pause, { maxLength: 2 }) })
  .filter(({ atFirst, later }) => atFirst + later.length > 0)
  .map((drawn) => ({ ...drawn, make: () => permitsOf(new Semaphore(drawn.atFirst)), refusal: undefined }));
const boundedSemaphore: fc.Arbitrary<Program> = fc
  .integer({ min: 1, max: 3 })
  .map((atFirst) => ({ make: () => permitsOf(new BoundedSemaphore(atFirst)), atFirst, later: [], refusal: ValueError }));

test.each([
  ["a lock lets in one at a time", lock],
  ["a semaphore lets in as many as it has permits", semaphore],
  ["a bounded semaphore, which takes back no more than it gave, lets in as many", boundedSemaphore],
])("%s, in the order in which they came, whoever is cancelled when", async (_name, primitive) => {
  const program = fc.record({
    primitive,
    visitors: fc.array(fc.array(visit, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 6 }),
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
        const adding = start(
          drawn.later.map((after) => async () => {
            await take(after);
            checked.add();
          }),
        );
        await settle();
        checked.judgeSettled();
        await finish([...visiting, ...adding]);
        await checked.judgeFree();
        if (drawn.refusal !== undefined) expect(() => permits.release()).toThrow(drawn.refusal);
      });
    }),
    parameters(1_500),
  );
});
