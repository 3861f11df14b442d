import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import timers, { setTimeout as importedSetTimeout } from "node:timers";
import timersPromises, { setTimeout as importedNap } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "../explore/explore.js";
import type { ExploreOptions } from "../explore/options.js";
import type { Scenario } from "../explore/scenario-run.js";

const seed = 7;
const HOUR_MS = 3_600_000;
const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

// What a package keeps when it is loaded, in the ways in which packages do.
const captured = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, Date };
const capturedNow = Date.now;
const capturedRandom = Math.random;
const boundSetTimeout = setTimeout.bind(globalThis);
const required = createRequire(import.meta.url)("node:timers") as typeof import("node:timers");
const { setTimeout: destructured, clearTimeout: destructuredClear } = required;
const promisified = promisify(setTimeout);

const INTERCEPTED: readonly (readonly [owner: object, names: readonly string[]])[] = [
  [
    globalThis,
    [
      "setTimeout",
      "setInterval",
      "setImmediate",
      "clearTimeout",
      "clearInterval",
      "clearImmediate",
      "Date",
      "queueMicrotask",
      "performance",
    ],
  ],
  [timers, ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"]],
  [timersPromises, ["setTimeout", "setInterval", "setImmediate"]],
  [timersPromises.scheduler, ["wait", "yield"]],
  [Object.getPrototypeOf(performance) as object, ["now"]],
  [process, ["hrtime", "nextTick"]],
  [AbortSignal, ["timeout"]],
  [Math, ["random"]],
  [Object.getPrototypeOf(crypto) as object, ["randomUUID", "getRandomValues"]],
  [Promise.prototype, ["then", "finally"]],
];

const platform = (): readonly unknown[] =>
  INTERCEPTED.map(([owner, names]) => names.map((name) => Object.getOwnPropertyDescriptor(owner, name)));

/** That real timers, clocks and randomness answer again. */
async function requireRealPlatform(): Promise<void> {
  const [before, beforeDate] = [performance.now(), Date.now()];
  await nap(2);
  expect(performance.now()).toBeGreaterThan(before);
  expect(Date.now()).toBeGreaterThanOrEqual(beforeDate);
  expect(Date.now()).toBeGreaterThan(Date.parse("2026-01-01"));
  expect(Math.random()).not.toBe(Math.random());
}

describe("references that were kept before a run are reached inside of it", () => {
  const waits: Readonly<Record<string, (wake: () => void) => unknown>> = {
    "a global function in a constant": (wake) => captured.setTimeout(wake, HOUR_MS),
    "one that was bound": (wake) => boundSetTimeout(wake, HOUR_MS),
    "one taken from require": (wake) => destructured(wake, HOUR_MS),
    "a named import": (wake) => importedSetTimeout(wake, HOUR_MS),
    "the module's object": (wake) => timers.setTimeout(wake, HOUR_MS),
    "what promisify has made": (wake) => promisified(HOUR_MS).then(wake),
    "a named import of node:timers/promises": (wake) => importedNap(HOUR_MS).then(wake),
    "an interval": (wake) => {
      const interval = captured.setInterval(() => {
        captured.clearInterval(interval);
        wake();
      }, HOUR_MS);
    },
    "an immediate": (wake) => captured.setImmediate(() => captured.setTimeout(wake, HOUR_MS)),
  };
  test.each(Object.entries(waits))("%s", async (_name, wait) => {
    const took = await inRun(
      ({ time }) =>
        new Promise((resolve) => {
          wait(() => {
            resolve(time());
          });
        }),
    );
    expect(took).toBe(HOUR_MS);
  });

  test("those that clear, and clocks and randomness as well", async () => {
    const program = async (): Promise<unknown> => {
      destructuredClear(captured.setTimeout(() => expect.unreachable(), 1));
      captured.clearTimeout(destructured(() => expect.unreachable(), 1));
      captured.clearImmediate(captured.setImmediate(() => expect.unreachable()));
      await nap(5);
      return [capturedNow(), new captured.Date().toISOString(), capturedRandom(), randomUUID()];
    };
    const seen = await inRun(program);
    expect(seen).toEqual([Date.UTC(2024, 0, 1, 0, 0, 0, 5), "2024-01-01T00:00:00.005Z", expect.any(Number), expect.any(String)]);
    expect(await inRun(program)).toEqual(seen);
  });

  test("outside of a run the very same references do the real thing", async () => {
    await inRun(() => nap(1));
    const before = performance.now();
    await new Promise((resolve) => boundSetTimeout(resolve, 5));
    await new Promise((resolve) => destructured(resolve, 5));
    await new Promise((resolve) => importedSetTimeout(resolve, 5));
    await promisified(5);
    await importedNap(5);
    // Node may fire a timer a millisecond early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(20);
    expect(Math.abs(capturedNow() - Date.now())).toBeLessThan(HOUR_MS);
    expect(capturedRandom()).not.toBe(capturedRandom());
    const immediate = await new Promise((resolve) => captured.setImmediate(resolve, "immediate"));
    expect(immediate).toBe("immediate");
    const timer = captured.setTimeout(() => expect.unreachable(), 1);
    destructuredClear(timer);
    await nap(5);
  });

  test("a real timer from before a run fires after it, and can be cleared inside", async () => {
    const log: string[] = [];
    const kept = setTimeout(() => log.push("kept"), 1);
    const cleared = setTimeout(() => log.push("cleared"), 1);
    const immediate = setImmediate(() => log.push("cleared immediate"));
    // All in one turn: nothing real comes in between.
    const ended = inRun(() => undefined);
    clearImmediate(immediate);
    await ended;
    await inRun(() => {
      clearTimeout(cleared);
      clearTimeout(kept.hasRef() ? undefined : kept);
    });
    await nap(10);
    expect(log.filter((entry) => entry !== "cleared")).toEqual(["kept"]);
  });
});

describe("afterwards the platform is as it was just before", () => {
  const ends: Readonly<Record<string, readonly [Scenario, ExploreOptions?]>> = {
    "after a pass": [() => nap(5)],
    "after a failure": [
      async () => {
        await nap(5);
        throw new Error("no");
      },
    ],
    "after an error that is thrown at once": [
      () => {
        throw new Error("at once");
      },
    ],
    "after a deadlock": [() => new Promise(() => undefined)],
    "after a livelock": [
      async () => {
        for (;;) await nap(1);
      },
      { maxSteps: 50 },
    ],
    "after a stray rejection": [
      async () => {
        void Promise.reject(new Error("stray"));
        await nap(1);
      },
    ],
    "after the time limit": [() => nap(1), { runs: Number.MAX_SAFE_INTEGER, timeLimitMs: 20 }],
    "after the time limit, in the middle of a run": [
      async () => {
        for (;;) await nap(1);
      },
      { maxSteps: Number.MAX_SAFE_INTEGER, timeLimitMs: 20 },
    ],
    "after it was aborted before": [() => nap(1), { signal: AbortSignal.abort() }],
    "after the hard limit": [
      async () => {
        await nap(1);
        for (;;);
      },
      { hardLimitMs: 100 },
    ],
    "after a run with intervals left": [
      async () => {
        setInterval(() => undefined, 1);
        await nap(5);
      },
    ],
    "at the await grain": [() => nap(5), { granularity: "await" }],
    "after a failure at the await grain": [
      async () => {
        await nap(5);
        throw new Error("no");
      },
      { granularity: "await" },
    ],
  };
  test.each(Object.entries(ends))("%s", async (_name, [scenario, options]) => {
    const before = platform();
    await explore(scenario, { seed, runs: 3, ...options });
    expect(platform()).toEqual(before);
    for (const [place, descriptors] of platform().entries()) {
      for (const [index, descriptor] of (descriptors as (PropertyDescriptor | undefined)[]).entries()) {
        // Equal functions are not the same ones yet.
        expect(descriptor?.value).toBe((before[place] as PropertyDescriptor[] | undefined)?.[index]?.value);
      }
    }
    await requireRealPlatform();
  });

  test("after what a strategy or a listener of the caller throws", async () => {
    const before = platform();
    const refuse = (): never => {
      throw new Error("of the caller");
    };
    await expect(explore(() => nap(1), { seed, onProgress: refuse })).rejects.toThrow("of the caller");
    await expect(
      explore(({ io }) => Promise.all([io("a", 1), io("b", 2)]), {
        seed,
        strategy: { name: "boom", begin: () => true, pick: refuse },
      }),
    ).rejects.toThrow("of the caller");
    expect(platform()).toEqual(before);
    await requireRealPlatform();
  });

  test("after it was aborted in the middle", async () => {
    const before = platform();
    const controller = new AbortController();
    const { status } = await explore(() => nap(1), {
      seed,
      runs: Number.MAX_SAFE_INTEGER,
      signal: controller.signal,
      onProgress: () => {
        controller.abort();
      },
    });
    expect(status).toBe("stopped");
    expect(platform()).toEqual(before);
    await requireRealPlatform();
  });
});

describe("what somebody else has put in place of the platform's functions", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("gives way for an exploration, and is back afterwards: fake timers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "Date", "setImmediate"], now: 5 });
    const before = platform();
    const fake = globalThis.setTimeout;
    expect(Date.now()).toBe(5);
    const seen = await inRun(async ({ time }) => {
      await nap(HOUR_MS);
      return [time(), Date.now()];
    });
    expect(seen).toEqual([HOUR_MS, Date.UTC(2024, 0, 1, 1)]);
    expect(globalThis.setTimeout).toBe(fake);
    expect(platform()).toEqual(before);
    expect(Date.now()).toBe(5);
    const fired = vi.fn();
    setTimeout(fired, HOUR_MS);
    vi.advanceTimersByTime(HOUR_MS);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("also a property with a getter, and one that is not there", async () => {
    const { setTimeout: descriptor, setInterval: intervalDescriptor } = Object.getOwnPropertyDescriptors(globalThis);
    const getter = (): unknown => captured.setTimeout;
    Object.defineProperty(globalThis, "setTimeout", { get: getter, configurable: true, enumerable: false });
    Reflect.deleteProperty(globalThis, "setInterval");
    try {
      expect(await inRun(async ({ time }) => await nap(7).then(time))).toBe(7);
      expect(Object.getOwnPropertyDescriptor(globalThis, "setTimeout")).toMatchObject({
        get: getter,
        configurable: true,
        enumerable: false,
      });
      expect("setInterval" in globalThis).toBe(false);
    } finally {
      Object.defineProperty(globalThis, "setTimeout", descriptor);
      Object.defineProperty(globalThis, "setInterval", intervalDescriptor);
    }
  });
});

describe("a scenario that changes the platform's functions gets a clear error, and they are intact", () => {
  const changes: Readonly<Record<string, readonly [change: () => void, named: string]>> = {
    "replaces setTimeout": [
      () => {
        globalThis.setTimeout = (() => undefined) as unknown as typeof setTimeout;
      },
      "globalThis.setTimeout and did not put it back",
    ],
    "replaces Date and Math.random": [
      () => {
        globalThis.Date = class extends Date {} as DateConstructor;
        Math.random = () => 0.5;
      },
      "globalThis.Date, Math.random and did not put them back",
    ],
    "deletes setImmediate": [() => void Reflect.deleteProperty(globalThis, "setImmediate"), "globalThis.setImmediate"],
    "deletes the clock": [() => void Reflect.deleteProperty(Object.getPrototypeOf(performance) as object, "now"), "performance.now"],
    "replaces those of node:timers": [
      () => {
        timers.clearTimeout = () => undefined;
      },
      "node:timers.clearTimeout",
    ],
    "replaces those of node:timers/promises": [
      () => {
        timersPromises.setTimeout = (() => Promise.resolve()) as unknown as typeof importedNap;
      },
      "timers/promises.setTimeout",
    ],
    "puts fake timers in place": [
      () => void vi.useFakeTimers(),
      "globalThis.setTimeout, globalThis.setInterval, globalThis.setImmediate, and ",
    ],
    "defines a getter": [
      () => void Object.defineProperty(globalThis, "setInterval", { get: () => captured.setTimeout, configurable: true }),
      "globalThis.setInterval",
    ],
  };

  const refusalOf = async (scenario: Scenario, options: ExploreOptions): Promise<Error> =>
    await explore(scenario, options).then(
      () => {
        throw new Error("the exploration was not refused");
      },
      (error: unknown) => error as Error, // of heddle
    );

  afterEach(() => {
    vi.useRealTimers();
  });

  test.each(Object.entries(changes))("one that %s", async (_name, [change, named]) => {
    const before = platform();
    const { name, message } = await refusalOf(
      async ({ sleep }) => {
        change();
        await sleep(1);
      },
      { seed, runs: 5 },
    );
    expect(name).toBe("UsageError");
    expect(message).toContain(`the scenario replaced `);
    expect(message).toContain(named);
    expect(message).toContain("leave out fake timers and the like, or restore them before the scenario ends");
    expect(platform()).toEqual(before);
    vi.useRealTimers();
    await requireRealPlatform();
  });

  test("but not one that puts them back in time", async () => {
    const before = platform();
    const { status } = await explore(
      async ({ sleep }) => {
        const real = globalThis.setTimeout;
        globalThis.setTimeout = (() => undefined) as unknown as typeof setTimeout;
        await sleep(1);
        globalThis.setTimeout = real;
        await nap(1);
      },
      { seed, runs: 5 },
    );
    expect(status).toBe("passed");
    expect(platform()).toEqual(before);
  });

  test("and the error is told also where the change makes the scenario fail in another way, or give up", async () => {
    const replace = (): void => {
      globalThis.setTimeout = (() => undefined) as unknown as typeof setTimeout;
    };
    const failing: Scenario = async ({ sleep }) => {
      replace();
      await sleep(1);
      throw new Error("something else");
    };
    const waiting: Scenario = () => {
      replace();
      return nap(1);
    };
    for (const scenario of [failing, waiting]) {
      expect((await refusalOf(scenario, { seed, runs: 1 })).message).toContain("globalThis.setTimeout");
    }
    await requireRealPlatform();
  });

  test("it does not spread to the exploration that follows, and is told in whichever run it happens", async () => {
    let runs = 0;
    const scenario: Scenario = async ({ io }) => {
      if (++runs === 2) globalThis.setTimeout = (() => undefined) as unknown as typeof setTimeout;
      await Promise.all([io("a", 1), nap(1)]);
    };
    expect((await refusalOf(scenario, { seed, runs: 20, selfCheck: false })).message).toContain("globalThis.setTimeout");
    expect(await explore(scenario, { seed, runs: 20 })).toMatchObject({ status: "passed", runs: 20 });
  });
});

describe("what cannot be undone, in a process of its own", () => {
  const dist = new URL("../../dist/index.js", import.meta.url).href;
  /** What a module prints in a fresh process, in which `heddle` stands for the built package. */
  const printed = async (code: string): Promise<readonly string[]> => {
    const source = code.replaceAll('"heddle"', JSON.stringify(dist));
    const args = ["--no-warnings", "--input-type=module", "--eval", source];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(new URL("../../", import.meta.url)) });
    return stdout.trimEnd().split("\n");
  };
  const explores = (change: string): string => `
    import { explore } from "heddle";
    const nap = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const options = { seed: 7, runs: 3, minimise: false };
    let isChanged = false;
    const first = await explore(async () => {
      if (!isChanged) { isChanged = true; ${change} }
      await nap(1);
    }, options).catch((error) => ({ status: "refused", failure: { error } }));
    console.log(first.status, first.failure?.error.name, first.failure?.error.message);
    const second = await explore(() => nap(3_600_000), options).catch((error) => ({ status: error.name, failure: { error } }));
    console.log(second.status, second.failure?.error.message);
    const before = performance.now();
    await nap(5);
    console.log(performance.now() > before);
  `;

  test("Object.freeze(globalThis) is told", async () => {
    const [first, second, third] = await printed(explores("Object.freeze(globalThis);"));
    expect(first).toMatch(/^refused UsageError the scenario replaced globalThis itself \(it is frozen now\)/);
    expect(second).toBe("passed undefined");
    expect(third).toBe("true");
  });

  test("a function that was nailed down is named, and the rest is intact", async () => {
    const [first, second, third] = await printed(
      explores('Object.defineProperty(globalThis, "setInterval", { value: () => 0, writable: false, configurable: false });'),
    );
    expect(first).toMatch(/^refused UsageError the scenario replaced globalThis\.setInterval and did not put it back\./);
    expect(first).toMatch(/It has frozen globalThis\.setInterval as well, so the rest of this process is without\.$/);
    expect(second).toMatch(
      /^UsageError the platform's timers, clocks and randomness cannot be taken over, because some of them are frozen\./,
    );
    expect(third).toBe("true");
  });

  test("globals that were frozen before heddle came refuse every exploration, and stay as they are", async () => {
    const [first, second] = await printed(`
      Object.freeze(Math);
      const { explore } = await import("heddle");
      await explore(() => new Promise((resolve) => setTimeout(resolve, 1))).catch((error) => console.log(error.name, error.message));
      const before = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 5));
      console.log(performance.now() > before && Date.now() > Date.parse("2026-01-01"));
    `);
    expect(first).toMatch(/^UsageError the platform's timers, .* some of them are frozen\. Import "heddle" before whatever freezes them/);
    expect(second).toBe("true");
  });

  test("globals that were frozen after heddle came are taken over all the same", async () => {
    const [first] = await printed(`
      import { explore } from "heddle";
      for (const frozen of [Math, Date, setTimeout, performance]) Object.freeze(frozen);
      const outcome = await explore(async ({ time }) => {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        if (time() !== 1000 || Date.now() !== Date.UTC(2024, 0, 1, 0, 0, 1)) throw new Error("not taken over");
        Math.random();
      }, { seed: 7, runs: 3 });
      console.log(outcome.status, outcome.failure?.error.message);
    `);
    expect(first).toBe("passed undefined");
  });

  test("an exploration leaves nothing behind by which a process would not end, and nothing to be seen in the global object", async () => {
    const [first] = await printed(`
      const before = Object.keys(globalThis).length;
      const { explore } = await import("heddle");
      await explore(async () => {
        setInterval(() => undefined, 10);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }, { seed: 7, runs: 3 });
      console.log(Object.keys(globalThis).length - before, process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length);
    `);
    expect(first).toBe("0 0");
  });
});
