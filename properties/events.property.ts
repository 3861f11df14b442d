/** Events and conditions under every schedule: who is to be woken is woken, and nobody else. */
import * as fc from "fast-check";
import { Condition, Event, Lock } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import {
  cancellations,
  finish,
  Line,
  parameters,
  pause,
  runProgram,
  start,
  startUntouched,
  take,
  troubledPause,
  watch,
} from "./small-programs.js";

test("setting an event wakes all who wait at that moment, also when it is cleared at once, and nobody else", async () => {
  const change = fc.record({ after: troubledPause, does: fc.constantFrom("set" as const, "clear" as const, "set and clear" as const) });
  const program = fc.record({
    waiters: fc.array(fc.array(troubledPause, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
    changers: fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 2 }),
    cancellations,
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ waiters, changers, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const event = new Event();
        const line = new Line();
        const waiting = start(
          waiters.map((pauses) => async () => {
            for (const before of pauses) {
              await take(before);
              await line.pass(event.wait(), event.isSet());
            }
          }),
          cancelling,
        );
        const changing = startUntouched(
          changers.map((changes) => async () => {
            for (const { after, does } of changes) {
              await take(after);
              if (does !== "clear") {
                line.letGo();
                event.set();
              }
              if (does !== "set") event.clear();
            }
          }),
        );
        await watch(() => {
          line.judge();
        });
        line.letGo();
        event.set();
        await finish([...waiting, ...changing]);
      });
    }),
    parameters(1_500),
  );
});

/** A lock's holders as the program sees them: never two at a time. */
class Room {
  #isTaken = false;

  enter(): void {
    if (this.#isTaken) throw new Error("it is inside, and so is another");
    this.#isTaken = true;
  }

  leave(): void {
    this.#isTaken = false;
  }

  async during<T>(body: () => Promise<T>): Promise<T> {
    this.enter();
    try {
      return await body();
    } finally {
      this.leave();
    }
  }

  /** Out while it waits, and in again afterwards, whatever ends the wait. */
  async outside<T>(waiting: PromiseLike<T>): Promise<T> {
    this.leave();
    try {
      return await waiting;
    } finally {
      this.enter();
    }
  }
}

// As in CPython 3.11 a task that is cancelled after it was notified keeps the notification to itself. So it is not said here that
// another one gets it, which holds from 3.13 on; but it is said that one cancelled before takes none away from those behind it.
test("a condition wakes as many as are notified, of those who came first, and who waited has the lock, cancelled or not", async () => {
  const waiter = fc.record({ before: pause, inside: troubledPause, afterwards: troubledPause });
  const notifier = fc.record({ before: pause, count: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY), afterwards: troubledPause });
  const program = fc.record({
    waiters: fc.array(waiter, { minLength: 1, maxLength: 6 }),
    notifiers: fc.array(notifier, { maxLength: 4 }),
    cancellations,
    isLockShared: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ waiters, notifiers, cancellations: cancelling, isLockShared }, strategy) => {
      await runProgram(strategy, async () => {
        const lock = new Lock();
        const condition = new Condition({ lock });
        const other = isLockShared ? new Condition({ lock }) : condition;
        const room = new Room();
        const line = new Line();
        const waiting = start(
          waiters.map(({ before, inside, afterwards }) => async () => {
            await take(before);
            await condition.withLock(() =>
              room.during(async () => {
                await take(inside);
                await room.outside(line.pass(condition.wait()));
                await take(afterwards);
              }),
            );
          }),
          cancelling,
        );
        const notify = (count: number): void => {
          line.letGo(count);
          if (count === Number.POSITIVE_INFINITY) condition.notifyAll();
          else condition.notify(count);
        };
        const notifying = startUntouched(
          notifiers.map(({ before, count, afterwards }) => async () => {
            await take(before);
            await other.withLock(() =>
              room.during(async () => {
                notify(count);
                await take(afterwards);
              }),
            );
          }),
        );
        await watch(() => {
          if (!condition.locked()) line.judge(); // who holds it may be the one that they wait for
        });
        await condition.withLock(() => {
          notify(Number.POSITIVE_INFINITY);
        });
        await finish([...waiting, ...notifying]);
        expect(condition.locked()).toBe(false);
      });
    }),
    parameters(1_500),
  );
});

test("where every change is notified to all, nobody misses what it waits for, whoever is cancelled", async () => {
  const program = fc.record({
    consumers: fc.array(fc.record({ before: pause, afterwards: troubledPause }), { minLength: 1, maxLength: 5 }),
    deliveries: fc.array(fc.record({ before: pause, afterwards: troubledPause }), { minLength: 1, maxLength: 5 }),
    cancellations,
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ consumers, deliveries, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const changed = new Condition();
        let stock = 0;
        const consuming = start(
          consumers.map(({ before, afterwards }) => async () => {
            await take(before);
            await changed.withLock(async () => {
              expect(await changed.waitFor(() => stock > 0 && `${stock} left`)).toBe(`${stock} left`);
              stock--;
              await take(afterwards);
            });
          }),
          cancelling,
        );
        // What comes is enough for all of them.
        const delivering = startUntouched(
          deliveries.map(({ before, afterwards }, index) => async () => {
            await take(before);
            await changed.withLock(async () => {
              stock += Math.ceil(consumers.length / deliveries.length) + (index % 2);
              changed.notifyAll();
              await take(afterwards);
            });
          }),
        );
        await finish([...consuming, ...delivering]);
        expect(stock).toBeGreaterThanOrEqual(0);
        expect(changed.locked()).toBe(false);
      });
    }),
    parameters(1_000),
  );
});
