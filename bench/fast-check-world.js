/** The scheduler of fast-check as a world for the programs of `fixtures/search/`. */
import * as fc from "fast-check";

/** @typedef {import("../fixtures/search/world.js").World} World */

/**
 * A turn is a scheduled promise, and so are the begin of a task, which heddle decides about as well, and the hand-over of a lock.
 *
 * @param {fc.Scheduler} scheduler
 * @returns {World}
 */
function worldOf(scheduler) {
  const turn = () => scheduler.schedule(Promise.resolve());
  return {
    turn,
    lock: () => fairLock(turn),
    share: (data) => data,
    together: (bodies) =>
      Promise.all(
        bodies.map(async (body) => {
          await turn();
          return await body();
        }),
      ),
  };
}

/**
 * Taken at once when it is free and nobody waits for it; given back to the first in line, who goes on when the scheduler says so.
 *
 * @param {() => Promise<unknown>} turn
 */
function fairLock(turn) {
  /** @type {(() => void)[]} */
  const waiters = [];
  let isLocked = false;
  return {
    async acquire() {
      if (!isLocked) {
        isLocked = true;
        return;
      }
      await new Promise((resolve) => waiters.push(() => resolve(undefined)));
      await turn();
    },
    release() {
      const next = waiters.shift();
      if (next === undefined) isLocked = false;
      else next();
    },
  };
}

/**
 * Runs of `program` until one fails, at most `runs`; undefined when none did.
 *
 * @param {import("../fixtures/search/programs.js").SearchProgram} program
 * @param {number} runs
 * @param {number} seed
 */
export async function fastCheckRunsUntilFailure({ body, expected }, runs, seed) {
  const canDeadlock = expected.kind === "deadlock";
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const end = body(worldOf(scheduler));
    if (!canDeadlock) return void (await scheduler.waitFor(end));
    let isOver = false;
    void end.then(() => (isOver = true));
    await scheduler.waitIdle();
    if (!isOver) throw new Error("nothing is left to run, and the tasks have not ended");
  });
  const { failed, numRuns } = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  return failed ? numRuns : undefined;
}
