/** Which steps of the primitives depend on each other, and into how many classes the schedules of small programs fall because of that. */
import { describe, expect, test } from "vitest";
import { Attempts } from "../../fixtures/search/attempts.js";
import { gather } from "../combine/gather.js";
import { createTask } from "../loop/create-task.js";
import { sleep } from "../loop/sleep.js";
import type { Footprint, Strategy } from "../schedule/strategy.js";
import { Barrier } from "./barrier.js";
import { Condition } from "./condition.js";
import { Event } from "./event.js";
import { Lock } from "./lock.js";
import { LifoQueue, PriorityQueue, Queue } from "./queue.js";
import { BoundedSemaphore, Semaphore } from "./semaphore.js";

interface Step {
  readonly name: string;
  readonly operation: string;
  readonly footprint?: Footprint | undefined;
}

const isDependent = ({ footprint: a }: Step, { footprint: b }: Step): boolean =>
  a!.writes.some((location) => b!.writes.includes(location) || b!.reads.includes(location)) ||
  b!.writes.some((location) => a!.reads.includes(location));

const inOrder: Strategy = { name: "first", begin: () => true, pick: () => 0 };

type Use<T> = (primitive: T) => unknown;

/** Whether the first step of a task that does `first` and that of one that does `second` are dependent, in this order. */
async function conflict<T>(make: () => T | Promise<T>, first: Use<T>, second: Use<T>): Promise<boolean> {
  const attempts = new Attempts(
    async () => {
      const primitive = await make();
      const tasks = [first, second].map((use, index) => createTask(async () => await use(primitive), { name: `t${index}` }));
      await sleep(0);
      for (const task of tasks) task.cancel();
      await gather(tasks, { returnExceptions: true });
    },
    { isTracked: true },
  );
  const { steps, end } = await attempts.run(inOrder);
  expect(end).toBe("passed");
  const [one, other] = ["t0", "t1"].map((task) => steps.find(({ name }) => name === task)!);
  return isDependent(one!, other!);
}

type Row<T> = readonly [nameOfFirst: string, first: Use<T>, nameOfSecond: string, second: Use<T>, expected: boolean];

/** Pairs of uses, and whether they conflict in both orders. */
function tableOf<T>(make: () => T | Promise<T>, rows: readonly Row<T>[]): void {
  const cases = rows.map(([nameOfFirst, first, nameOfSecond, second, expected]) => ({
    nameOfFirst,
    first,
    nameOfSecond,
    second,
    expected,
  }));
  test.each(cases)("$nameOfFirst and $nameOfSecond: $expected", async ({ first, second, expected }) => {
    expect([await conflict(make, first, second), await conflict(make, second, first)]).toEqual([expected, expected]);
  });
}

describe("a free lock", () => {
  tableOf(
    () => new Lock(),
    [
      ["a try", (lock) => lock.acquire(), "a try", (lock) => lock.acquire(), true],
      ["a try", (lock) => lock.withLock(() => 0), "locked", (lock) => lock.locked(), true],
      ["locked", (lock) => lock.locked(), "locked", (lock) => lock.locked(), false],
      ["hold", (lock) => lock.hold(), "a try", (lock) => lock.acquire(), true],
    ],
  );
});

describe("a lock that is held", () => {
  const held = async (): Promise<Lock> => {
    const lock = new Lock();
    await lock.acquire();
    return lock;
  };
  tableOf(held, [
    ["a release", (lock) => lock.release(), "a try", (lock) => lock.acquire(), true],
    ["a release", (lock) => lock.release(), "locked", (lock) => lock.locked(), true],
    ["a try that must wait", (lock) => lock.acquire(), "another, because they stand in line", (lock) => lock.acquire(), true],
  ]);
});

describe("locks of which each is another", () => {
  tableOf(
    () => ({ a: new Lock(), b: new Lock() }),
    [
      ["a try of one", ({ a }) => a.acquire(), "a try of the other", ({ b }) => b.acquire(), false],
      ["both", ({ a, b }) => a.withLock(() => b.acquire()), "one", ({ b }) => b.acquire(), true],
    ],
  );
});

describe("a semaphore", () => {
  tableOf(
    () => new Semaphore(2),
    [
      ["a try", (semaphore) => semaphore.acquire(), "a try", (semaphore) => semaphore.acquire(), true],
      ["a try", (semaphore) => semaphore.withPermit(() => 0), "a release", (semaphore) => semaphore.release(), true],
      ["a try", (semaphore) => semaphore.hold(), "locked", (semaphore) => semaphore.locked(), true],
      ["locked", (semaphore) => semaphore.locked(), "locked", (semaphore) => semaphore.locked(), false],
    ],
  );
  tableOf(
    () => new BoundedSemaphore(1),
    [
      ["a release too many", refused((bounded) => bounded.release()), "a try", (bounded) => bounded.acquire(), true],
      ["a release too many", refused((bounded) => bounded.release()), "another", refused((bounded) => bounded.release()), false],
    ],
  );
});

/** A use that throws for whoever does not come first. */
function refused<T>(use: (primitive: T) => unknown): Use<T> {
  return (primitive) => {
    try {
      use(primitive);
    } catch {
      // it looked, and found that it must not
    }
  };
}

describe("an event", () => {
  const set: Use<Event> = (event) => event.set();
  tableOf(
    () => new Event(),
    [
      ["set", set, "isSet", (event) => event.isSet(), true],
      ["set", set, "wait", (event) => event.wait(), true],
      ["set", set, "set", set, true],
      ["set", set, "clear", (event) => event.clear(), true],
      ["wait", (event) => event.wait(), "wait", (event) => event.wait(), false],
      ["wait", (event) => event.wait(), "isSet", (event) => event.isSet(), false],
      ["clear", (event) => event.clear(), "isSet", (event) => event.isSet(), true],
    ],
  );
});

describe("an event that is set", () => {
  const make = (): Event => {
    const event = new Event();
    event.set();
    return event;
  };
  tableOf(make, [
    ["set, which changes nothing,", (event) => event.set(), "isSet", (event) => event.isSet(), false],
    ["clear", (event) => event.clear(), "wait", (event) => event.wait(), true],
  ]);
});

describe.each([
  ["a queue", () => new Queue<number>(2)],
  ["a queue that gives the last first", () => new LifoQueue<number>(2)],
  ["a queue by priority", () => new PriorityQueue<number>(2)],
])("%s", (_name, makeEmpty) => {
  const make = (): Queue<number> => {
    const queue = makeEmpty();
    queue.putNowait(1);
    return queue;
  };
  const put: Use<Queue<number>> = (queue) => queue.put(2);
  const get: Use<Queue<number>> = (queue) => queue.get();
  tableOf(make, [
    ["put", put, "put", put, true],
    ["put", put, "get", get, true],
    ["get", get, "get", get, true],
    ["put", put, "qsize", (queue) => queue.qsize(), true],
    ["getNowait", (queue) => queue.getNowait(), "empty", (queue) => queue.empty(), true],
    ["putNowait", (queue) => queue.putNowait(3), "full", (queue) => queue.full(), true],
    ["qsize", (queue) => queue.qsize(), "empty", (queue) => queue.empty(), false],
    ["taskDone", (queue) => queue.taskDone(), "join", (queue) => queue.join(), true],
    ["join", (queue) => queue.join(), "join", (queue) => queue.join(), false],
  ]);
  tableOf(makeEmpty, [
    ["get, which waits,", get, "get, which stands behind it", get, true],
    ["a getNowait in vain", refused((queue) => queue.getNowait()), "another", refused((queue) => queue.getNowait()), false],
    ["a getNowait in vain", refused((queue) => queue.getNowait()), "put", put, true],
  ]);
});

describe("a full queue", () => {
  const putInVain: Use<Queue<number>> = refused((queue) => queue.putNowait(2));
  const make = (): Queue<number> => {
    const queue = new Queue<number>(1);
    queue.putNowait(1);
    return queue;
  };
  tableOf(make, [
    ["a putNowait in vain", putInVain, "another", putInVain, false],
    ["a putNowait in vain", putInVain, "get", (queue) => queue.get(), true],
    ["put, which waits,", (queue) => queue.put(2), "put, which stands behind it", (queue) => queue.put(3), true],
  ]);
});

describe("whoever waited writes it when he goes on", () => {
  interface Waiting {
    readonly wait: () => unknown;
    /** Hands over what is waited for. */
    readonly give: () => unknown;
  }
  const waits: Record<string, () => Promise<Waiting>> = {
    lock: async () => {
      const lock = new Lock();
      await lock.acquire();
      return { wait: () => lock.acquire(), give: () => lock.release() };
    },
    semaphore: async () => {
      const semaphore = new Semaphore(0);
      return { wait: () => semaphore.acquire(), give: () => semaphore.release() };
    },
    queue: async () => {
      const queue = new Queue<number>();
      return { wait: () => queue.get(), give: () => queue.putNowait(1) };
    },
  };

  test.each(Object.entries(waits).flatMap(([name, make]) => [true, false].map((isCancelled) => ({ name, make, isCancelled }))))(
    "a $name, cancelled: $isCancelled",
    async ({ name, make, isCancelled }) => {
      const attempts = new Attempts(
        async () => {
          const { wait, give } = await make();
          const waiter = createTask(async () => await wait(), { name: "waiter" });
          await sleep(0);
          if (isCancelled) waiter.cancel();
          else give();
          await gather([waiter], { returnExceptions: true });
        },
        { isTracked: true },
      );
      const { steps, end } = await attempts.run({ ...inOrder, pick: ({ ready }) => ready.findIndex((task) => task.name === "waiter") });
      expect(end).toBe("passed");
      const [, goesOn] = steps.filter((step) => step.name === "waiter");
      expect(goesOn!.footprint!.writes.map((location) => attempts.tracker!.describeLocation(location))).toContain(name);
    },
  );
});

describe("a condition whose lock is held", () => {
  const make = async (): Promise<Condition> => {
    const condition = new Condition();
    await condition.acquire();
    return condition;
  };
  tableOf(make, [
    ["wait", (condition) => condition.wait(), "notify", refused((condition) => condition.notify()), true],
    ["notify", (condition) => condition.notify(), "locked", (condition) => condition.locked(), false],
    // Whether somebody stands in line shows only to who looks, and two who look are kept apart, or one who leaves could come in between unseen.
    ["notify, which wakes nobody,", (condition) => condition.notify(), "another", (condition) => condition.notify(), true],
    ["a release", (condition) => condition.release(), "notify", refused((condition) => condition.notify()), true],
  ]);
});

describe("a barrier", () => {
  tableOf(
    () => new Barrier(2),
    [
      ["wait", (barrier) => barrier.wait(), "wait", (barrier) => barrier.wait(), true],
      ["wait", (barrier) => barrier.wait(), "nWaiting", (barrier) => barrier.nWaiting, true],
      ["abort", (barrier) => barrier.abort(), "broken", (barrier) => barrier.broken, true],
      ["reset", (barrier) => barrier.reset(), "wait", (barrier) => barrier.wait(), true],
      ["nWaiting", (barrier) => barrier.nWaiting, "broken", (barrier) => barrier.broken, false],
    ],
  );
});

interface Found {
  readonly runs: number;
  /** Classes by the order of dependent steps, which are called by their tasks. */
  readonly classes: number;
  /** Classes by the hash that the tracker makes of a run. */
  readonly hashes: number;
  readonly ends: Record<string, number>;
}

/** Every schedule of tasks that start together, and the classes that they fall into. */
async function classesOf(makeBodies: () => readonly (() => unknown)[]): Promise<Found> {
  const main = (): unknown => gather(makeBodies().map((body, index) => createTask(async () => await body(), { name: `t${index}` })));
  const attempts = new Attempts(main, { isTracked: true });
  const [classes, hashes, ends] = [new Set<string>(), new Set<string>(), new Map<string, Set<string>>()];
  for await (const { steps, end } of attempts.everyRun()) {
    const orders: string[] = [];
    for (const [place, later] of steps.entries()) {
      for (const earlier of steps.slice(0, place)) {
        if (isDependent(earlier, later)) orders.push([earlier, later].map(({ name, operation }) => `${name}.${operation}`).join("<"));
      }
    }
    const itsClass = orders.sort().join();
    classes.add(itsClass);
    hashes.add(JSON.stringify(attempts.tracker!.runClass));
    ends.set(end, (ends.get(end) ?? new Set()).add(itsClass));
  }
  return {
    runs: attempts.count,
    classes: classes.size,
    hashes: hashes.size,
    ends: Object.fromEntries([...ends].map(([end, those]) => [end, those.size])),
  };
}

describe("the classes of", () => {
  test("two tasks that take two locks in opposite order are nine, one of them the deadlock", async () => {
    const found = await classesOf(() => {
      const [a, b] = [new Lock(), new Lock()];
      const holder = (outer: Lock, inner: Lock) => async () => {
        await outer.acquire();
        await sleep(0);
        await inner.acquire();
        await sleep(0);
        inner.release();
        await sleep(0);
        outer.release();
      };
      return [holder(a, b), holder(b, a)];
    });
    expect(found).toEqual({ runs: 16, classes: 9, hashes: 9, ends: { passed: 8, deadlock: 1 } });
  });

  test("a hand-over are told from those of a lock that is free again", async () => {
    const found = await classesOf(() => {
      const lock = new Lock();
      return [0, 1].map(() => async () => {
        await lock.acquire();
        await sleep(0);
        lock.release();
      });
    });
    // Either comes first, and the other tries before the release or after it.
    expect(found).toEqual({ runs: 4, classes: 4, hashes: 4, ends: { passed: 4 } });
  });

  test("an event do not count in which order the waiters come and go on", async () => {
    const found = await classesOf(() => {
      const event = new Event();
      const wait = (): unknown => event.wait();
      return [wait, wait, wait, () => event.set()];
    });
    expect({ classes: found.classes, hashes: found.hashes }).toEqual({ classes: 8, hashes: 8 }); // who comes before it is set
  });

  test("two tasks that put and two that get are counted alike by the order of their steps and by their hashes", async () => {
    const found = await classesOf(() => {
      const queue = new Queue<number>(1);
      return [() => queue.put(1), () => queue.put(2), () => queue.get(), () => queue.get()];
    });
    expect(found.hashes).toBe(found.classes);
    expect(found.classes).toBeGreaterThan(24); // all of their first steps depend on each other
    expect(found.ends).toEqual({ passed: found.classes });
  });

  test("a barrier, a semaphore and a condition are counted alike by the order of their steps and by their hashes", async () => {
    const programs = [
      () => {
        const barrier = new Barrier(2);
        return [() => barrier.wait(), () => barrier.wait()];
      },
      () => {
        const semaphore = new Semaphore(1);
        return [0, 1, 2].map(() => () => semaphore.withPermit(() => sleep(0)));
      },
      () => {
        const condition = new Condition();
        let isReady = false;
        return [
          () => condition.withLock(() => condition.waitFor(() => isReady)),
          () =>
            condition.withLock(() => {
              isReady = true;
              condition.notifyAll();
            }),
        ];
      },
    ];
    for (const program of programs) {
      const { classes, hashes, ends } = await classesOf(program);
      expect(hashes).toBe(classes);
      expect(ends).toEqual({ passed: classes });
    }
  });

  test("a cancelled waiter are told by when it is cancelled", async () => {
    const found = await classesOf(() => {
      const lock = new Lock();
      const waiter = createTask(async () => lock.withLock(() => 0), { name: "waiter" });
      return [() => lock.withLock(() => sleep(0)), async () => void waiter.cancel(), () => lock.withLock(() => 0)];
    });
    expect(found.hashes).toBe(found.classes);
    expect(found.ends["deadlock"]).toBe(undefined); // cancelled or not, it passes the lock on
  });
});

test("a location is called after its primitive", async () => {
  const attempts = new Attempts(() => new Lock({ name: "accounts" }).acquire(), { isTracked: true });
  const { steps } = await attempts.run(inOrder);
  const labels = steps.flatMap(({ footprint }) => footprint!.writes.map((location) => attempts.tracker!.describeLocation(location)));
  expect(labels).toContain("lock accounts");
});
