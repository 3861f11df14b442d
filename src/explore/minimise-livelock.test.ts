import { expect, test } from "vitest";
import { type Attempted, Attempts } from "../../fixtures/search/attempts.js";
import { random } from "../strategy/random.js";
import { minimiseLivelock } from "./minimise-livelock.js";

/** A polls for what b tells only if it comes after c; the fourth task does nothing that matters. */
const poller = new Attempts(
  async ({ gather, createTask, sleep }) => {
    let told = false;
    let [isFirst, isOver] = [true, false];
    const tasks = {
      a: async () => {
        while (!told) await sleep(0);
        isOver = true;
      },
      b: async () => {
        await sleep(0);
        if (isFirst) return;
        told = true;
      },
      c: async () => {
        isFirst = false;
        await sleep(0);
      },
      d: async () => {
        for (let turn = 0; turn < 20; turn++) await sleep(0);
      },
    };
    await gather(...Object.entries(tasks).map(([name, body]) => createTask(body, { name })));
    return isOver;
  },
  { maxSteps: 500 },
);

const departures = ({ schedule }: Attempted) => schedule.decisions.filter(({ index }) => index > 0);

test("of a livelock, what is left are the departures from the order of arrival that lead into it", async () => {
  for (let seed = 0; seed < 5; seed++) {
    const first = await poller.failure(seed, random(seed));
    expect(first.end).toBe("livelock");
    const { run, reruns } = await minimiseLivelock(first, poller.again(first));
    // In the order of arrival c runs before the second step of b. One departure is enough to change that; two may be left that need each other.
    expect(departures(first).length).toBeGreaterThan(10);
    expect([1, 2]).toContain(departures(run).length);
    expect(run.end).toBe("livelock");
    expect(reruns).toBeLessThan(60);
  }
});

test("all reruns together are bounded by a number, and by their steps", async () => {
  const first = await poller.failure(3, random(3));
  for (const maxReruns of [0, 1, 7]) {
    const { run, reruns } = await minimiseLivelock(first, poller.again(first), { maxReruns });
    expect(reruns).toBeLessThanOrEqual(maxReruns);
    expect(departures(run).length).toBeLessThanOrEqual(departures(first).length);
  }
  const long = { ...first, steps: Array.from({ length: 100_001 }, () => first.steps[0]!) };
  expect(await minimiseLivelock(long, () => Promise.resolve(undefined))).toEqual({ run: long, reruns: 4 });
});

test("a run that is over for another reason than before is not kept", async () => {
  const first = await poller.failure(3, random(3));
  const { run } = await minimiseLivelock(first, async (strategy) => {
    await poller.run(strategy);
    return undefined;
  });
  expect(run).toBe(first);
});
