import timers, { setImmediate as importedSetImmediate, setTimeout as importedSetTimeout } from "node:timers";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "../explore/explore.js";

const seed = 7;

type Log = (entry: string) => void;

/** What `body` logs until it calls `end`, started in a timer, where neither a microtask nor a `nextTick` is under way. */
const logOf = (body: (log: Log, end: () => void) => void) => (): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const entries: string[] = [];
    setTimeout(() => {
      body(
        (entry) => entries.push(entry),
        () => {
          resolve(entries);
        },
      );
    }, 1);
  });

/** How a call ends: what it answers, or the error with all that Node says of it. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const { name, message, code } = error as Error & { readonly code?: unknown };
    return { name, message, code };
  }
}

describe("the order of a run is the order of Node", () => {
  const programs: readonly (readonly [string, () => Promise<readonly string[]>])[] = [
    [
      "nextTicks come before microtasks, and each kind is run to its end, inside of one callback",
      logOf((log, end) => {
        queueMicrotask(() => {
          log("microtask");
          process.nextTick(log, "tick of the microtask");
          void Promise.resolve().then(() => {
            log("microtask of the microtask");
          });
        });
        process.nextTick(() => {
          log("tick");
          process.nextTick(log, "tick of the tick");
          queueMicrotask(() => {
            log("microtask of the tick");
          });
        });
        void Promise.resolve().then(() => {
          log("reaction");
        });
        log("callback");
        setTimeout(end, 1);
      }),
    ],
    [
      "microtasks and nextTicks of a timer come before the next timer",
      logOf((log, end) => {
        for (const name of ["a", "b"]) {
          setTimeout(() => {
            log(name);
            queueMicrotask(() => {
              log(`microtask of ${name}`);
            });
            process.nextTick(log, `tick of ${name}`);
          }, 2);
        }
        setTimeout(end, 40);
      }),
    ],
    [
      "microtasks and nextTicks of an immediate come before the next immediate",
      logOf((log, end) => {
        for (const name of ["a", "b"]) {
          setImmediate(() => {
            log(name);
            queueMicrotask(() => {
              log(`microtask of ${name}`);
            });
            process.nextTick(log, `tick of ${name}`);
          });
        }
        setImmediate(end);
      }),
    ],
    [
      "timers fire by their time, and in the order in which they were set where it is the same",
      logOf((log, end) => {
        // So far apart that a machine which has much else to do turns none around.
        setTimeout(log, 90, "90");
        setTimeout(log, 10, "10, first");
        setTimeout(log, 50, "50");
        setTimeout(log, 10, "10, second");
        setTimeout(end, 130);
      }),
    ],
    [
      "an immediate that an immediate sets comes behind those that were there",
      logOf((log, end) => {
        setImmediate(() => {
          log("a");
          setImmediate(() => {
            log("c");
            end();
          });
        });
        setImmediate(log, "b");
      }),
    ],
    [
      "what a callback clears does not fire, also when it is due already",
      logOf((log, end) => {
        setTimeout(() => {
          log("timer");
          clearTimeout(timer);
        }, 2);
        const timer = setTimeout(log, 2, "cleared timer");
        setTimeout(() => {
          setImmediate(() => {
            log("immediate");
            clearImmediate(immediate);
          });
          const immediate = setImmediate(log, "cleared immediate");
          setImmediate(end);
        }, 4);
      }),
    ],
    [
      "an interval fires until it is cleared, also by its own callback, and also by clearTimeout",
      logOf((log, end) => {
        let fired = 0;
        const interval = setInterval(() => {
          log(`interval ${++fired}`);
          if (fired < 3) return;
          clearInterval(interval);
          // Not beside the first one: on a machine that is busy an interval leaves out times, and their order is another.
          const other = setInterval(() => {
            log("other");
            clearTimeout(other);
            setTimeout(end, 20);
          }, 1);
        }, 1);
      }),
    ],
    [
      "async functions and timers take turns",
      logOf((log, end) => {
        const nap = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
        const worker = async (name: string): Promise<void> => {
          for (let turn = 1; turn <= 2; turn++) {
            log(`${name}${turn}`);
            await nap(2);
          }
        };
        void Promise.all([worker("a"), worker("b")]).then(end);
      }),
    ],
  ];

  test.each(programs)("%s", async (_name, program) => {
    const expected = await program();
    expect(expected.length).toBeGreaterThan(0);
    expect(await inRun(program)).toEqual(expected);
    // Nothing of it is a matter of the schedule.
    for (let other = 0; other < 5; other++) expect(await inRun(program, { seed: other, strategy: "random" })).toEqual(expected);
  });
});

describe("what is handed over", () => {
  test("arguments reach the callback, each time", async () => {
    const calls = await inRun(
      () =>
        new Promise<unknown[]>((resolve) => {
          const seen: unknown[] = [];
          const note = (...args: unknown[]): void => {
            seen.push(args);
          };
          setTimeout(note, 1, "a", 1);
          setTimeout(note, 2);
          const interval = setInterval(note, 3, "i", { two: 2 });
          setImmediate(note, undefined, null);
          setTimeout(() => {
            clearInterval(interval);
            resolve(seen);
          }, 7);
        }),
    );
    expect(calls).toEqual([[undefined, null], ["a", 1], [], ["i", { two: 2 }], ["i", { two: 2 }]]);
  });

  test("this is the timer in a callback, as in Node", async () => {
    const own = (): Promise<readonly boolean[]> =>
      new Promise((resolve) => {
        const seen: boolean[] = [];
        const timer = setTimeout(function (this: unknown) {
          seen.push(this === timer);
        }, 1);
        const immediate = setImmediate(function (this: unknown) {
          seen.push(this === immediate);
        });
        setTimeout(() => {
          resolve(seen);
        }, 5);
      });
    expect(await own()).toEqual([true, true]);
    expect(await inRun(own)).toEqual([true, true]);
  });

  test.each([
    ["setTimeout", () => (setTimeout as (callback: unknown) => unknown)("a text")],
    ["setInterval", () => (setInterval as (callback: unknown) => unknown)(undefined)],
    ["setImmediate", () => (setImmediate as unknown as (callback: unknown) => unknown)({})],
    ["queueMicrotask", () => (queueMicrotask as (callback: unknown) => unknown)(7)],
    ["process.nextTick", () => (process.nextTick as (callback: unknown) => unknown)(null)],
    ["setTimeout with a symbol as its delay", () => (setTimeout as (callback: unknown, delay: unknown) => unknown)(() => 1, Symbol("s"))],
  ])("%s throws what Node throws for arguments that are none", async (_name, call) => {
    const expected = outcomeOf(call);
    expect(expected).toHaveProperty("message");
    expect(await inRun(() => outcomeOf(call))).toEqual(expected);
  });

  test.each([undefined, () => undefined, {}, null, Number.NaN, -1, 12_345_678, "12345678", "text", true, Object.create(null)])(
    "clearing what is no timer, as %j, does nothing",
    async (odd) => {
      const fired = await inRun(
        () =>
          new Promise((resolve) => {
            setTimeout(resolve, 1, "fired");
            for (const clear of [clearTimeout, clearInterval, clearImmediate]) (clear as (timer: unknown) => void)(odd);
          }),
      );
      expect(fired).toBe("fired");
    },
  );
});

test("a timer is no immediate, and an immediate no timer, for whoever clears them", async () => {
  const fired = await inRun(
    () =>
      new Promise((resolve) => {
        const seen: string[] = [];
        const timer = setTimeout(() => seen.push("timer"), 1);
        const immediate = setImmediate(() => seen.push("immediate"));
        (clearImmediate as (timer: unknown) => void)(timer);
        (clearTimeout as (immediate: unknown) => void)(immediate);
        setTimeout(resolve, 2, seen);
      }),
  );
  expect(fired).toEqual(["immediate", "timer"]);
});

describe("virtual time", () => {
  /** The virtual moment at which a timer of this delay fires. */
  const firesAt = (delay: unknown): Promise<number> =>
    inRun(
      ({ time }) =>
        new Promise<number>((resolve) => {
          (setTimeout as (callback: () => void, delay: unknown) => unknown)(() => {
            resolve(time());
          }, delay);
        }),
    );

  test.each([
    [0, 1],
    [1, 1],
    [1.9, 1],
    [50, 50],
    ["20", 20],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, 1],
    [Number.POSITIVE_INFINITY, 1],
    [-5, 1],
    [Number.NaN, 1],
    [undefined, 1],
    [null, 1],
    [{}, 1],
    ["text", 1],
    [true, 1],
    [{ valueOf: () => 30 }, 30],
  ])("a delay of %s is one of %i ms, as Node reads it", async (delay, expected) => {
    expect(await firesAt(delay)).toBe(expected);
  });

  test("immediates take no time, and days cost nothing", async () => {
    const day = 24 * 60 * 60 * 1_000;
    const moments = await inRun(
      ({ time }) =>
        new Promise<readonly number[]>((resolve) => {
          const seen: number[] = [];
          setImmediate(() => seen.push(time()));
          setTimeout(() => {
            seen.push(time());
            setImmediate(() => {
              seen.push(time());
              resolve(seen);
            });
          }, day);
        }),
    );
    expect(moments).toEqual([0, day, day]);
  });

  test("an interval keeps its distance, whatever it was read as", async () => {
    const moments = await inRun(
      ({ time }) =>
        new Promise<readonly number[]>((resolve) => {
          const seen: number[] = [];
          const interval = setInterval(() => {
            seen.push(time());
            if (seen.length < 4) return;
            clearInterval(interval);
            resolve(seen);
          }, 250);
        }),
    );
    expect(moments).toEqual([250, 500, 750, 1_000]);
  });

  test("a chain of immediates that polls the clock comes to its end, because time passes", async () => {
    const turns = await inRun(
      () =>
        new Promise<number>((resolve) => {
          let polls = 0;
          let isOver = false;
          setTimeout(() => {
            isOver = true;
          }, 5);
          const poll = (): void => {
            polls++;
            if (isOver) resolve(polls);
            else setImmediate(poll);
          };
          setImmediate(poll);
        }),
    );
    expect(turns).toBeGreaterThan(1);
  });
});

describe("each way to the functions is the same one", () => {
  test("node:timers and its imports are the globals", () => {
    expect(timers.setTimeout).toBe(setTimeout);
    expect(importedSetTimeout).toBe(setTimeout);
    expect(importedSetImmediate).toBe(setImmediate);
    expect([timers.clearTimeout, timers.clearInterval, timers.clearImmediate, timers.setInterval]).toEqual([
      clearTimeout,
      clearInterval,
      clearImmediate,
      setInterval,
    ]);
  });

  test("named imports are on the virtual clock", async () => {
    const moments = await inRun(
      ({ time }) =>
        new Promise((resolve) => {
          importedSetTimeout(() => {
            importedSetImmediate(() => {
              resolve(time());
            });
          }, 3_600_000);
        }),
    );
    expect(moments).toBe(3_600_000);
  });

  test("util.promisify makes promises of them that are on the virtual clock", async () => {
    const nap = promisify(setTimeout);
    const giveWay = promisify(setImmediate);
    expect(await inRun(async ({ time }) => [await nap(3_600_000, "slept"), await giveWay("gave way"), time()])).toEqual([
      "slept",
      "gave way",
      3_600_000,
    ]);
    expect(await Promise.all([nap(1, "slept"), giveWay("gave way")])).toEqual(["slept", "gave way"]);
  });

  test("they have the names of Node's own", () => {
    const functions = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
    expect(Object.values(functions).map(({ name }) => name)).toEqual(Object.keys(functions));
  });
});

describe("events against timers", () => {
  /** The orders in which the scenario's events came, over all schedules. */
  const ordersOf = async (scenario: (log: Log) => Promise<unknown>): Promise<readonly string[]> => {
    const orders = new Set<string>();
    const { failure, complete } = await explore(
      async () => {
        const log: string[] = [];
        await scenario((entry) => log.push(entry));
        orders.add(log.join(" "));
      },
      { seed, strategy: "exhaustive", runs: 2_000 },
    );
    if (failure !== undefined) throw failure.error;
    expect(complete).toBe(true);
    return [...orders].sort();
  };
  const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test("two timers of the same deadline have one order, as in Node", async () => {
    const orders = await ordersOf((log) => Promise.all([nap(5).then(() => log("a")), nap(5).then(() => log("b"))]));
    expect(orders).toEqual(["a b"]);
  });

  test("two immediates have one order, as in Node", async () => {
    expect(await ordersOf((log) => Promise.all([turn().then(() => log("a")), turn().then(() => log("b"))]))).toEqual(["a b"]);
  });

  test("a timer of 1 ms and an immediate have the order in which the immediate comes first", async () => {
    expect(await ordersOf((log) => Promise.all([nap(1).then(() => log("timer")), turn().then(() => log("immediate"))]))).toContain(
      "immediate timer",
    );
  });
});
