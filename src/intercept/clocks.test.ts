import { performance as importedPerformance } from "node:perf_hooks";
import process, { hrtime as importedHrtime } from "node:process";
import { describe, expect, test } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "../explore/explore.js";

const EPOCH = "2024-01-01T00:00:00.000Z";
const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** What each clock tells. */
const readAll = (): Readonly<Record<string, unknown>> => ({
  date: new Date().toISOString(),
  now: Date.now(),
  text: Date(),
  performance: performance.now(),
  imported: importedPerformance.now(),
  hrtime: process.hrtime(),
  importedHrtime: importedHrtime(),
  bigint: process.hrtime.bigint(),
});

describe("every clock is virtual inside of a run", () => {
  test("they begin at the same moment in each, and go on with its timers alone", async () => {
    const [begin, later] = await inRun(async () => {
      const first = readAll();
      await nap(86_400_500);
      return [first, readAll()];
    });
    expect(begin).toEqual({
      date: EPOCH,
      now: Date.parse(EPOCH),
      text: new Date(EPOCH).toString(),
      performance: 1_000,
      imported: 1_000,
      hrtime: [1, 0],
      importedHrtime: [1, 0],
      bigint: 1_000_000_000n,
    });
    expect(later).toEqual({
      date: "2024-01-02T00:00:00.500Z",
      now: Date.parse(EPOCH) + 86_400_500,
      text: new Date(Date.parse(EPOCH) + 86_400_500).toString(),
      performance: 86_401_500,
      imported: 86_401_500,
      hrtime: [86_401, 500_000_000],
      importedHrtime: [86_401, 500_000_000],
      bigint: 86_401_500_000_000n,
    });
  });

  test("they tell the same in every run and for every seed", async () => {
    const seen = new Set<string>();
    for (const seed of [1, 2]) {
      await explore(
        async ({ io }) => {
          const first = readAll();
          await Promise.all([io("a", 1), io("b", 2)]);
          await nap(100);
          const { date, performance: uptime } = readAll();
          seen.add(JSON.stringify([{ ...first, bigint: String(first["bigint"]) }, date, uptime]));
        },
        { seed, runs: 20 },
      );
    }
    expect([...seen]).toHaveLength(1);
  });

  test("hrtime tells the time since an earlier one", async () => {
    const differences = await inRun(async () => {
      await nap(999);
      const earlier = process.hrtime();
      await nap(2);
      const first = process.hrtime(earlier);
      await nap(1_500);
      return [first, process.hrtime(earlier), process.hrtime([0, 999_999_999])];
    });
    expect(differences).toEqual([
      [0, 2_000_000],
      [1, 502_000_000],
      [2, 501_000_001],
    ]);
  });

  test.each<[string, () => void]>([
    [
      "Date.now",
      () => {
        for (const end = Date.now() + 50; Date.now() < end; );
      },
    ],
    [
      "new Date",
      () => {
        for (const end = Number(new Date()) + 50; Number(new Date()) < end; );
      },
    ],
    [
      "performance.now",
      () => {
        for (const end = performance.now() + 50; performance.now() < end; );
      },
    ],
    [
      "hrtime.bigint",
      () => {
        for (const end = process.hrtime.bigint() + 50_000_000n; process.hrtime.bigint() < end; );
      },
    ],
  ])("a loop that waits for %s comes to its end, and what was due meanwhile is", async (_name, wait) => {
    const program = async ({ time }: { readonly time: () => number }): Promise<unknown> => {
      const log: string[] = [];
      setTimeout(() => log.push(`timer at ${time()}`), 20);
      wait();
      log.push(`over at ${time()}`);
      await nap(1);
      return log;
    };
    expect(await inRun(program)).toEqual(["over at 50", "timer at 50"]);
  });

  test("code that only stamps what it does takes no time", async () => {
    const stamps = await inRun(async () => {
      const seen = new Set<number>();
      for (let step = 0; step < 20; step++) {
        for (let entry = 0; entry < 100; entry++) seen.add(Date.now());
        await new Promise((resolve) => setImmediate(resolve));
      }
      return seen.size;
    });
    expect(stamps).toBe(1);
  });
});

describe("Date is the real one in everything else", () => {
  const look = (): unknown => {
    class Own extends Date {
      readonly mark = "own";
      override getFullYear(): number {
        return -1;
      }
    }
    const own = new Own(2020, 1, 2, 3, 4, 5, 6);
    const now = new Own();
    const date = new Date(1_700_000_000_000);
    const clone = structuredClone(date);
    return {
      parts: new Date(2020, 0, 31, 12, 30).getTime(),
      text: new Date("2020-02-29T12:00:00Z").toISOString(),
      copy: new Date(date).getTime(),
      invalid: new Date("no date").getTime(),
      undefined: new Date(undefined as unknown as number).getTime(),
      parse: Date.parse("2020-02-29T12:00:00Z"),
      utc: Date.UTC(2020, 1, 29),
      called: (Date as unknown as (...args: unknown[]) => unknown)(0) === Date(),
      instances: [date, own, now, clone].map((each) => each instanceof Date),
      own: [own instanceof Own, own.mark, own.getFullYear(), own.getTime(), now instanceof Own],
      clone: clone.getTime(),
      constructors: [date.constructor === Date, clone.constructor === Date, own.constructor === Own],
      made: Reflect.construct(Date, [5], Own) instanceof Own,
      tag: Object.prototype.toString.call(date),
      names: [Date.name, Date.length, Object.getOwnPropertyNames(Date).sort()],
      json: JSON.stringify(date),
      methods: typeof date.toLocaleDateString(),
    };
  };

  test("inside of a run and outside", async () => {
    const outside = look();
    expect(outside).toMatchObject({
      instances: [true, true, true, true],
      own: [true, "own", -1, new Date(2020, 1, 2, 3, 4, 5, 6).getTime(), true],
      constructors: [true, true, true],
      names: ["Date", 7, ["UTC", "length", "name", "now", "parse", "prototype"]],
    });
    expect(await inRun(look)).toEqual(outside);
  });

  test("a date that was made outside of the run is a date inside, and the other way round", async () => {
    const before = new Date(5);
    const [isDate, made] = await inRun(() => [before instanceof Date, new Date()]);
    expect(isDate).toBe(true);
    expect(made).toBeInstanceOf(Date);
    expect(made).toEqual(new Date(EPOCH));
  });
});

describe("AbortSignal.timeout", () => {
  test("is aborted at its virtual time, with what Node aborts it with", async () => {
    const reasonOf = (signal: AbortSignal): Promise<{ readonly name: string; readonly message: string; readonly code: number }> =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          const { name, message, code } = signal.reason as DOMException;
          resolve({ name, message, code });
        });
      });
    const program = async (delayMs: number): Promise<unknown> => {
      const held = setTimeout(() => undefined, delayMs + 10_000); // the signal's own timer keeps nothing alive
      const reason = await reasonOf(AbortSignal.timeout(delayMs));
      clearTimeout(held);
      return reason;
    };
    const expected = await program(1);
    expect(expected).toMatchObject({ name: "TimeoutError" });
    expect(await inRun(async ({ time }) => [await program(3_600_000), time()])).toEqual([expected, 3_600_000]);
  });

  test("ends what it is handed to", async () => {
    const ended = await inRun(async ({ time, sleep, createTask }) => {
      const task = createTask(() => sleep(1_000), { signal: AbortSignal.timeout(30) });
      return [await task.then(String, String), time()];
    });
    expect(ended).toEqual([expect.stringContaining("CancelledError"), 30]);
  });

  test("keeps nothing alive", async () => {
    const scenario = (): Promise<void> =>
      new Promise((resolve) => {
        AbortSignal.timeout(10).addEventListener("abort", () => {
          resolve();
        });
      });
    expect((await explore(scenario, { seed: 7, runs: 1, minimise: false })).failure?.kind).toBe("deadlock");
  });

  test.each([-1, 1.5, Number.NaN, "10", undefined])("%s as its delay is Node's own error, or its own answer", async (delay) => {
    const call = (): unknown => {
      try {
        return (AbortSignal.timeout as (delay: unknown) => unknown)(delay) instanceof AbortSignal;
      } catch (error) {
        return [(error as Error).name, (error as Error).message];
      }
    };
    const expected = call();
    expect(await inRun(call)).toEqual(expected);
  });
});

test("outside of runs every clock is the real one", async () => {
  await inRun(() => nap(5));
  const before = readAll();
  await nap(2);
  const after = readAll();
  for (const name of ["now", "performance", "imported", "bigint"]) {
    expect(Number(after[name])).toBeGreaterThan(Number(before[name]));
  }
  expect(Date.now()).toBeGreaterThan(Date.parse("2026-01-01"));
  const [seconds, nanoseconds] = process.hrtime(before["hrtime"] as [number, number]);
  expect(seconds * 1e9 + nanoseconds).toBeGreaterThan(0);
});
