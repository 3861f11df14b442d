/** Time limits under every schedule: what takes less is never interrupted, what takes more always is, and exactly when it is due. */
import * as fc from "fast-check";
import {
  CancelledError,
  createTask,
  getRunningLoop,
  shield,
  sleep,
  type Task,
  type Timeout,
  TimeoutError,
  timeout,
  timeoutAt,
  waitFor,
} from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import { evenMs, finish, type Pause, parameters, pause, runProgram, settle, start, take } from "./small-programs.js";

type Ending = "result" | "timeout" | "cancellation";

/** How something ended, and when. */
async function endOf(waiting: () => PromiseLike<unknown>): Promise<{ readonly ending: Ending; readonly atMs: number }> {
  const ended = (ending: Ending): { ending: Ending; atMs: number } => ({ ending, atMs: getRunningLoop().time() });
  try {
    expect(await waiting()).toBe("done");
    return ended("result");
  } catch (error) {
    if (error instanceof TimeoutError) return ended("timeout");
    if (error instanceof CancelledError) return ended("cancellation");
    throw error;
  }
}

/** So long, with turns of others at both ends; then "done". After a cancellation it takes `cleanUpMs` more. */
async function work({ turns, sleepMs }: Pause, cleanUpMs: number): Promise<"done"> {
  try {
    await take({ turns, sleepMs });
    await take({ turns, sleepMs: 0 });
    return "done";
  } catch (error) {
    if (cleanUpMs > 0) await sleep(cleanUpMs);
    throw error;
  }
}

/** Cancels the task at a time, if one is given. */
function cancelAt(task: Task, atMs: number | undefined): void {
  if (atMs === undefined) return;
  createTask(async () => {
    await sleep(atMs);
    task.cancel();
  });
}

/** Moments of which no two are equal, all even: what happens at odd ones happens at another time than any of them. */
const moments = fc
  .uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
  .map((drawn) => drawn.map((half) => 2 * half));
const oddMs = fc.nat(12).map((half) => 2 * half + 1);
const cleanUpMs = fc.nat(6).map((half) => Math.max(0, 2 * half - 1));

test("of nested time limits the first that comes interrupts, and a body that takes less is left alone", async () => {
  const program = fc.record({
    moments,
    // Whether the last of the moments is not a limit but a cancellation from outside.
    isCancelled: fc.boolean(),
    turns: fc.nat(3),
    bodyMs: oddMs,
    cleanUpMs, // none, or odd, so that it never ends at a moment either
    isAbsolute: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async (drawn, strategy) => {
      const { turns, bodyMs, cleanUpMs, isCancelled, isAbsolute } = drawn;
      const limits = isCancelled ? drawn.moments.slice(0, -1) : drawn.moments;
      const cancelledAtMs = isCancelled ? drawn.moments.at(-1) : undefined;
      // The first moment before the body has ended interrupts it, and the next one before it has cleaned up interrupts that.
      const [first = Number.POSITIVE_INFINITY, second = Number.POSITIVE_INFINITY] = drawn.moments.toSorted((a, b) => a - b);
      const endMs = bodyMs < first ? bodyMs : Math.min(first + cleanUpMs, second);
      const isInTime = (ms: number | undefined): boolean => ms !== undefined && ms <= endMs;
      const ending = isInTime(cancelledAtMs) ? "cancellation" : limits.some(isInTime) ? "timeout" : "result";
      await runProgram(strategy, async () => {
        const levels: Timeout[] = [];
        const within = async ([limitMs, ...inner]: readonly number[]): Promise<unknown> => {
          if (limitMs === undefined) return await work({ turns, sleepMs: bodyMs }, cleanUpMs);
          return await (isAbsolute ? timeoutAt : timeout)(limitMs, async (limit) => {
            expect([limit.when(), limit.expired()]).toEqual([limitMs, false]);
            levels.push(limit);
            return await within(inner);
          });
        };
        const task = createTask(async () => {
          expect(await endOf(() => within(limits))).toEqual({ ending, atMs: endMs });
          await sleep(100); // limits that have not come by then are gone
          return "later";
        });
        cancelAt(task, isInTime(cancelledAtMs) ? cancelledAtMs : undefined);
        await finish([task], { maySwallow: true });
        expect([task.result(), task.cancelling()]).toEqual(["later", isInTime(cancelledAtMs) ? 1 : 0]);
        expect(levels.map((limit) => limit.expired())).toEqual(limits.map(isInTime));
      });
    }),
    parameters(1_500),
  );
});

test("a body that ends when its limit is due ends with its result or with a TimeoutError, and what comes after is not interrupted", async () => {
  const program = fc.record({ limits: fc.array(evenMs, { minLength: 1, maxLength: 3 }), body: pause, after: pause });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ limits, body, after }, strategy) => {
      await runProgram(strategy, async () => {
        const firstMs = Math.min(...limits);
        const nested = limits.reduceRight<() => Promise<unknown>>(
          (inner, limitMs) => () => timeout(limitMs, inner),
          () => work(body, 0),
        );
        const task = createTask(async () => {
          const { ending, atMs } = await endOf(nested);
          if (body.sleepMs < firstMs) expect(ending).toBe("result");
          if (body.sleepMs > firstMs) expect(ending).toBe("timeout");
          expect(atMs).toBe(ending === "result" ? body.sleepMs : firstMs);
          await take(after);
          await sleep(10);
        });
        await finish([task]);
        expect([task.cancelled(), task.cancelling()]).toEqual([false, 0]);
        // What does not suspend cannot be interrupted, however short the limit.
        expect(await timeout(0, () => "done")).toBe("done");
      });
    }),
    parameters(1_000),
  );
});

test("waitFor answers when it is due, and leaves nothing running", async () => {
  const program = fc.record({
    moments: moments.map(([limitMs, cancelledAtMs]) => ({ limitMs, cancelledAtMs })),
    hasLimit: fc.boolean(),
    turns: fc.nat(3),
    bodyMs: oddMs,
    cleanUpMs,
    isTask: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ moments: drawn, hasLimit, turns, bodyMs, cleanUpMs, isTask }, strategy) => {
      const { cancelledAtMs = Number.POSITIVE_INFINITY } = drawn;
      const limitMs = hasLimit ? drawn.limitMs : undefined;
      const limit = limitMs ?? Number.POSITIVE_INFINITY;
      const interruptedMs = Math.min(limit, cancelledAtMs);
      // The time-out waits until the body has cleaned up. As in asyncio a cancellation in the middle of that ends the wait, but not the body.
      const isInterruptedTwice = limit < bodyMs && limit < cancelledAtMs && cancelledAtMs < limit + cleanUpMs;
      const expected: { readonly ending: Ending; readonly atMs: number } =
        bodyMs < interruptedMs
          ? { ending: "result", atMs: bodyMs }
          : isInterruptedTwice
            ? { ending: "cancellation", atMs: cancelledAtMs }
            : { ending: limit < cancelledAtMs ? "timeout" : "cancellation", atMs: interruptedMs + cleanUpMs };
      await runProgram(strategy, async () => {
        let isRunning = false;
        const body = async (): Promise<unknown> => {
          isRunning = true;
          try {
            return await work({ turns, sleepMs: bodyMs }, cleanUpMs);
          } finally {
            isRunning = false;
          }
        };
        const task = createTask(async () => {
          expect(await endOf(() => waitFor(isTask ? createTask(body) : body, limitMs))).toEqual(expected);
          expect(isRunning).toBe(isInterruptedTwice);
        });
        cancelAt(task, drawn.cancelledAtMs);
        await finish([task], { maySwallow: true });
        expect(task.cancelling()).toBe(cancelledAtMs < expected.atMs || expected.ending === "cancellation" ? 1 : 0);
      });
    }),
    parameters(1_500),
  );
});

test("waitFor throws no result away, also when it comes just when the limit is due", async () => {
  const program = fc.array(fc.record({ limitMs: evenMs, body: pause }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async (waits, strategy) => {
      await runProgram(strategy, async () => {
        const waiting = start(
          waits.map(({ limitMs, body }) => async () => {
            const beginMs = getRunningLoop().time();
            const inner = createTask(() => work(body, 0));
            const { ending, atMs } = await endOf(() => waitFor(inner, limitMs));
            expect([inner.done(), inner.cancelled()]).toEqual([true, ending === "timeout"]);
            expect(atMs - beginMs).toBe(ending === "timeout" ? limitMs : body.sleepMs);
          }),
        );
        await finish(waiting);
      });
    }),
    parameters(1_000),
  );
});

test("what is shielded comes to its end, whoever of those that wait for it is cancelled", async () => {
  const waiter = fc.record({
    before: pause,
    cancelledAtMs: fc.option(evenMs, { nil: undefined }),
    limitMs: fc.option(evenMs, { nil: undefined }),
  });
  const program = fc.record({ body: pause, waiters: fc.array(waiter, { minLength: 1, maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ body, waiters }, strategy) => {
      await runProgram(strategy, async () => {
        let endedAtMs: number | undefined;
        const inner = createTask(async () => {
          try {
            return await work(body, 0);
          } finally {
            endedAtMs = getRunningLoop().time();
          }
        });
        const tasks = start(
          waiters.map(({ before, limitMs }) => async () => {
            await take(before);
            const { ending } = await endOf(() => waitFor(shield(inner), limitMs));
            if (ending === "result") expect(inner.done()).toBe(true);
          }),
        );
        waiters.forEach(({ cancelledAtMs }, index) => {
          cancelAt(tasks[index]!, cancelledAtMs);
        });
        await finish(tasks, { maySwallow: true });
        await settle();
        expect([inner.result(), inner.cancelling(), endedAtMs]).toEqual(["done", 0, body.sleepMs]);
      });
    }),
    parameters(1_000),
  );
});
