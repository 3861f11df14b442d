/** `gate`: real work whose completion the scheduler orders, however fast the work is. */
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { explore, replay } from "../explore/explore.js";
import type { Scenario } from "../explore/scenario-run.js";
import { renderTimeline } from "../report/timeline.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { DeadlockError } from "./deadlock.js";
import { onRealTimeout } from "./host.js";
import { gate } from "./real-gate.js";
import { run } from "./run.js";
import { sleep } from "./sleep.js";

const seed = 7;
const broken = new Error("broken");

/** Real work that is done after so many real milliseconds, and may fail. */
const working = (delayMs: number, value: unknown): Promise<unknown> =>
  new Promise((resolve, reject) => {
    onRealTimeout(() => {
      if (value instanceof Error) reject(value);
      else resolve(value);
    }, delayMs);
  });

const idleGraceMs = 2_000; // a loaded machine is slow

describe("the order of completion", () => {
  test("is every order that there is, whatever the real order", async () => {
    const ends: Record<string, number> = {};
    const outcome = await explore(
      async ({ gate: open }) => {
        const done: string[] = [];
        const work = (name: string, delayMs: number): Promise<unknown> => open(working(delayMs, name), name).then(() => done.push(name));
        await Promise.all([work("slow", 6), work("fast", 0)]);
        return done.join(" ");
      },
      {
        seed,
        strategy: "exhaustive",
        maxBatch: 1,
        idleGraceMs,
        onRun: (end) => {
          const text = end.kind === "passed" ? String(end.value) : end.kind;
          ends[text] = (ends[text] ?? 0) + 1;
        },
      },
    );
    expect(ends).toEqual({ "slow fast": 1, "fast slow": 1 });
    expect(outcome).toMatchObject({ complete: true, uncontrolled: undefined });
  });

  test("is the same under the same seed, and replays from its token with the same trace, whatever the real order is then", async () => {
    let delays = [8, 0, 3];
    const scenario: Scenario = async ({ gate: open, sleep: wait }) => {
      const done: string[] = [];
      const work = (name: string, delayMs = 0): Promise<unknown> => open(() => working(delayMs, name), name).then(() => done.push(name));
      await Promise.all([work("a", delays[0]), work("b", delays[1]), work("c", delays[2]), wait(4)]);
      if (done.join("") === "cab") throw broken;
    };
    const first = await explore(scenario, { seed, idleGraceMs });
    delays = [0, 5, 1];
    const second = await explore(scenario, { seed, idleGraceMs });
    expect(second.failure).toEqual(first.failure);
    expect(first.failure).toMatchObject({ kind: "error", error: broken });
    delays = [2, 2, 9];
    const again = await replay(scenario, first.failure!.schedule, { idleGraceMs });
    expect(again.failure?.trace).toEqual(first.failure!.trace);
    expect(renderTimeline(first.failure!.trace)).toContain("settles");
  });

  test("is that of arrival under fifo", async () => {
    const done: string[] = [];
    await run(
      async () => {
        const work = (name: string, delayMs: number): Promise<unknown> => gate(working(delayMs, name), name).then(() => done.push(name));
        await Promise.all([work("slow", 8), work("fast", 0)]);
      },
      { idleGraceMs },
    );
    expect(done).toEqual(["slow", "fast"]);
  });

  test("may be that of a batch, which waits for all of its gates", async () => {
    const log: string[] = [];
    const strategy = { name: "all", begin: () => true, pick: ({ kind }: { readonly kind?: string }) => (kind === "batch" ? 1 : 0) };
    await run(
      async () => {
        const work = (name: string, delayMs: number): Promise<unknown> => gate(working(delayMs, name), name).then(() => log.push(name));
        await Promise.all([work("a", 0), work("b", 8), createTask(async () => log.push("task"))]);
      },
      { strategy, idleGraceMs },
    );
    expect(log).toEqual(["a", "b", "task"]);
  });

  test("leaves timers within its bound the choice to come first, and those beyond it none", async () => {
    const winners = async (delayMs: number, options: { readonly maxMs?: number }): Promise<readonly unknown[]> => {
      const ends = new Set<unknown>();
      await explore(
        async () =>
          await Promise.race([
            gate(working(1, "done"), "work", options),
            (async () => {
              await sleep(delayMs);
              return "late";
            })(),
          ]),
        { seed, strategy: "exhaustive", idleGraceMs, onRun: (end) => ends.add(end.kind === "passed" && end.value) },
      );
      return [...ends].sort();
    };
    expect(await winners(10, {})).toEqual(["done", "late"]);
    expect(await winners(11, {})).toEqual(["done"]);
    expect(await winners(11, { maxMs: 11 })).toEqual(["done", "late"]);
  });
});

describe("real I/O", () => {
  test("of files is ordered, controlled, and read to its end", async () => {
    const ends = new Set<unknown>();
    const path = new URL("../../package.json", import.meta.url);
    const scenario: Scenario = async ({ gate: open }) => {
      const log: string[] = [];
      const read = async (label: string): Promise<void> => {
        const text = await open(() => readFile(path, "utf8"), label);
        log.push(`${label} ${(JSON.parse(text) as { name: string }).name}`);
      };
      await Promise.all([read("a"), read("b")]);
      return log.join(", ");
    };
    const options = { seed, strategy: "exhaustive", idleGraceMs } as const;
    const outcome = await explore(scenario, { ...options, onRun: (end) => ends.add(end.kind === "passed" && end.value) });
    expect(outcome).toMatchObject({ status: "passed", runs: 4, complete: true, uncontrolled: undefined });
    expect([...ends].sort()).toEqual(["a heddle, b heddle", "b heddle, a heddle"]);
  });

  test("of sockets on the loopback interface is, too", async () => {
    const server = createServer((incoming, response) => response.end(incoming.url));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo; // it listens on one
    const get = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const asked = request({ port, path, agent: false }, (response) => {
          response.setEncoding("utf8");
          response.on("data", resolve);
        });
        asked.on("error", reject);
        asked.end();
      });
    const ends = new Set<unknown>();
    const outcome = await explore(
      async ({ gate: open }) => {
        const log: string[] = [];
        await Promise.all(["/a", "/b"].map((path) => open(get(path), path).then((body) => log.push(body))));
        return log.join("");
      },
      { seed, runs: 30, strategy: "random", idleGraceMs, onRun: (end) => ends.add(end.kind === "passed" ? end.value : end.error) },
    );
    server.close();
    expect(outcome).toMatchObject({ status: "passed", uncontrolled: undefined });
    expect([...ends].sort()).toEqual(["/a/b", "/b/a"]);
  });
});

describe("what it answers", () => {
  test("is what the work comes to: of a promise, of a function, or a value at once; or what it fails with", async () => {
    const answers = await run(
      async () => [
        await gate(working(1, "promised")),
        await gate(() => working(1, "started")),
        await gate(() => "at once"),
        await gate(Promise.reject(broken)).catch(String),
        await gate(() => {
          throw broken;
        }).catch(String),
      ],
      { idleGraceMs },
    );
    expect(answers).toEqual(["promised", "started", "at once", "Error: broken", "Error: broken"]);
  });

  test("is a rejection only when the gate settles: the work's own is no stray before, and the gate's is one if nobody handles it", async () => {
    const patient: Scenario = async ({ gate: open, sleep: wait }) => {
      const failing = open(Promise.reject(broken), "work").catch(String);
      await wait(3);
      if ((await failing) !== "Error: broken") throw new Error("it was another error");
    };
    expect(await explore(patient, { seed, runs: 50, idleGraceMs })).toMatchObject({ status: "passed" });
    const careless: Scenario = async ({ gate: open, sleep: wait }) => {
      void open(Promise.reject(broken), "work");
      await wait(20);
    };
    expect((await explore(careless, { seed, idleGraceMs })).failure).toMatchObject({ kind: "unhandledRejection", error: broken });
    // One that is left behind when the scenario ends is not asked any more.
    const leaving: Scenario = async ({ gate: open, sleep: wait }) => {
      void open(Promise.reject(broken), "work", { maxMs: 100 });
      await wait(1);
    };
    const strategy = { name: "clock first", begin: () => true, pick: ({ count }: { readonly count: number }) => count - 1 };
    expect(await explore(leaving, { seed, strategy, runs: 3, idleGraceMs })).toMatchObject({ status: "passed" });
  });

  test("may be a fault, when the work is done", async () => {
    let done = 0;
    const ends = new Set<unknown>();
    const scenario: Scenario = async ({ gate: open }) => {
      const mayFail = (): Error => new Error(`lost, after ${done} done`);
      done = 0;
      const work = working(1, "fine").then((value) => {
        done++;
        return value;
      });
      return await open(work, "work", { mayFail }).catch(String);
    };
    await explore(scenario, { seed, strategy: "exhaustive", idleGraceMs, onRun: (end) => ends.add(end.kind === "passed" && end.value) });
    expect([...ends].sort()).toEqual(["Error: lost, after 1 done", "fine"]);
  });
});

describe("work that never ends", () => {
  test("is a deadlock that names its gate, after idleGraceMs in which nothing arrived", async () => {
    const { failure } = await explore(
      async ({ gate: open }) => {
        await open(new Promise(() => undefined), "answer of the server");
      },
      { seed, idleGraceMs: 5 },
    );
    expect(failure).toMatchObject({ kind: "deadlock", error: expect.any(DeadlockError) as unknown });
    expect(String(failure?.error).replace(/at src.*/, "at PLACE")).toMatchInlineSnapshot(`
      "DeadlockError: deadlock at step 1, t=0: 1 task waits and nothing can wake it.
        main  waits for gate answer of the server, whose work is not done
      Judged so because the work of gate answer of the server@1 was to be settled, and in 5 ms of real time it was not done and nothing else arrived; raise idleGraceMs if it is slower. Work that waits for the loop's own (io, a sleep, a timer) needs no gate: io(label, () => work()) runs it in its step."
    `);
  });

  test("and that nobody waits for ends no run before it is chosen", async () => {
    const outcome = await run(
      async () => {
        void gate(new Promise(() => undefined), "forgotten", { maxMs: 1_000 });
        await sleep(0);
        return "done";
      },
      { idleGraceMs: 5, strategy: { name: "last", begin: () => true, pick: ({ count }) => count - 1 } },
    );
    expect(outcome).toBe("done");
  });
});

test.each([
  [() => gate(5 as never), "gate: work must be a promise or a function that starts real work, not 5"],
  [() => gate(createTask(async () => 5)), "gate: work must be a promise or a function that starts real work, not something of the loop's"],
  [() => gate(working(0, 1), 5 as never), "gate: label must be a text, not 5"],
  [() => gate(working(0, 1), "work", { maxMs: -1 }), "gate: maxMs must be a number of milliseconds, 0 or more, not -1"],
])("what makes no sense is a usage error", async (call, message) => {
  await expect(run(async () => await call())).rejects.toThrow(message);
});

test("outside of a run it is a usage error, and the work does not start", () => {
  let started = 0;
  expect(() => gate(() => started++)).toThrow("gate()");
  expect(started).toBe(0);
});

test("steps of tasks go on around it in an order that the seed alone decides", async () => {
  const orderOf = async (of: number): Promise<string> => {
    const log: string[] = [];
    const turns = (name: string) => async (): Promise<void> => {
      for (let turn = 1; turn <= 3; turn++) {
        await sleep(0);
        log.push(`${name}${turn}`);
      }
    };
    await run(
      async () => {
        const tasks = ["a", "b"].map((name) => createTask(turns(name), { name }));
        await gate(working(2, undefined), "work");
        log.push("work");
        for (const task of tasks) await task;
      },
      { strategy: random(of), idleGraceMs },
    );
    return log.join(" ");
  };
  const orders: string[] = [];
  for (let of = 0; of < 10; of++) orders.push(await orderOf(of));
  const again: string[] = [];
  for (let of = 0; of < 10; of++) again.push(await orderOf(of));
  expect(again).toEqual(orders);
  expect(new Set(orders).size).toBeGreaterThan(5);
});
