/** `io` in its other forms: options that come alone, callbacks, events that are emitted, streams. */
import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { explore } from "../explore/explore.js";
import { random } from "../strategy/random.js";
import { createTask } from "./create-task.js";
import { currentTask } from "./current-task.js";
import { EventLoop } from "./event-loop.js";
import { io } from "./io.js";
import { run, runUntilComplete } from "./run.js";
import { sleep } from "./sleep.js";

const seed = 7;
const broken = new Error("broken");

describe("what comes second is options", () => {
  test.each([
    ["a bound alone", { maxMs: 5 }, undefined],
    ["a fault alone", { mayFail: broken }, undefined],
    ["both", { maxMs: 5, mayFail: () => broken }, undefined],
  ])("where it is %s", async (_what, options, answer) => {
    expect(await run(async () => await io("load", options))).toBe(answer);
  });

  const limits = { maxMs: 5 };
  class Limits {
    readonly maxMs = 5;
  }
  test.each([
    ["has another key, too", { maxMs: 5, items: 3 }],
    ["has no key", {}],
    ["is of a class", new Limits()],
    ["is a list", [5]],
    ["is null", null],
  ])("and a result where it %s", async (_what, result) => {
    expect(await run(async () => await io("load", result))).toBe(result);
  });

  test("and a result where options come third", async () => {
    expect(await run(async () => await io("load", limits, {}))).toBe(limits);
  });

  test.each([
    [() => io("load", { mayFail: "refused" as never }), 'io: mayFail must be an Error or a function that makes one, not "refused"'],
    [() => io("load", { maxMs: -1 }), "io: maxMs must be a number of milliseconds, 0 or more, not -1"],
    [() => io.callback("load", 5 as never), "io.callback: callback must be a function, not 5"],
    [() => io.callback(5 as never, () => 0), "io.callback: label must be a text, not 5"],
    [() => io.emit({} as never, "data"), "io.emit: emitter must be an EventEmitter or an EventTarget that takes this event"],
    [() => io.emit(null as never, "data"), "io.emit: emitter must be an EventEmitter or an EventTarget that takes this event"],
    [() => io.emit(new EventEmitter(), new Event("data") as never), "io.emit: emitter must be"],
  ])("and a usage error where it makes no sense", async (call, message) => {
    await expect(run(async () => call())).rejects.toThrow(message);
  });
});

describe("a callback", () => {
  test("gets null and the value, what a function makes of it when it settles, or the error alone", async () => {
    const calls: unknown[][] = [];
    const note = (...values: unknown[]): number => calls.push(values);
    await run(async () => {
      let opened = 0;
      io.callback("plain", note, 1);
      io.callback("made", note, () => opened);
      io.callback("later", note, async () => "later");
      io.callback("refused", note, broken);
      io.callback("thrown", note, () => {
        throw broken;
      });
      io.callback("nothing", note, { maxMs: 3 });
      opened = 5;
      await sleep(20);
    });
    expect(calls).toEqual([[null, 1], [null, 5], [null, "later"], [broken], [broken], [null, undefined]]);
  });

  test("is called in a step of its own, in the context and for the task of its caller", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    await run(async () => {
      await createTask(
        async () => {
          await storage.run("inside", async () => {
            io.callback("load", () => seen.push(storage.getStore(), currentTask()?.getName()));
            seen.push("returned");
            await sleep(20);
          });
        },
        { name: "loader" },
      );
    });
    expect(seen).toEqual(["returned", "inside", "loader"]);
  });

  test("is called in every order, and with its fault", async () => {
    const ends = new Set<string>();
    const outcome = await explore(
      async ({ sleep: wait }) => {
        const log: string[] = [];
        for (const name of ["a", "b"]) {
          io.callback(name, (error) => log.push(error === null ? name : name.toUpperCase()), { mayFail: broken });
        }
        await wait(11);
        return log.join("");
      },
      { seed, strategy: "exhaustive", onRun: (end) => ends.add(end.kind === "passed" ? String(end.value) : end.kind) },
    );
    expect(outcome.complete).toBe(true);
    expect([...ends].sort()).toEqual(["AB", "Ab", "BA", "Ba", "aB", "ab", "bA", "ba"]);
  });

  test("that throws fails its run, and the others of its batch are called all the same", async () => {
    const called: string[] = [];
    const { failure } = await explore(
      async () => {
        io.callback("first", () => {
          throw broken;
        });
        io.callback("second", () => called.push("second"));
        await sleep(20);
      },
      { seed, strategy: { name: "all", begin: (round) => round === 0, pick: ({ kind }) => (kind === "batch" ? 1 : 0) }, minimise: false },
    );
    expect(failure).toMatchObject({ kind: "unhandledRejection", error: broken });
    expect(new Set(called)).toEqual(new Set(["second"]));
    const loop = new EventLoop();
    await runUntilComplete(loop, async () => {
      io.callback("load", () => {
        throw broken;
      });
      await sleep(20);
    });
    expect(loop.warnings).toEqual([expect.stringContaining("Exception in load")]);
  });
});

describe("an event", () => {
  test("is emitted in a step of its own, and the promise says whether anybody listened", async () => {
    const emitter = new EventEmitter();
    const seen: unknown[] = [];
    emitter.on("data", (...values: unknown[]) => seen.push(values));
    const symbol = Symbol("ready");
    const heard = await run(async () => {
      const first = io.emit(emitter, "data", 1, 2);
      seen.push("returned");
      return [await first, await io.emit(emitter, "nobody"), await io.emit(emitter, symbol)];
    });
    expect(seen).toEqual(["returned", [1, 2]]);
    expect(heard).toEqual([true, false, false]);
  });

  test("is dispatched on an EventTarget: an Event as it is, a name as an Event or with its detail", async () => {
    const target = new EventTarget();
    const seen: unknown[] = [];
    target.addEventListener("message", (event) => seen.push(event instanceof CustomEvent ? event.detail : event));
    const own = new Event("message");
    await run(async () => {
      await io.emit(target, own);
      await io.emit(target, "message");
      await io.emit(target, "message", { id: 7 });
    });
    expect(seen).toEqual([own, expect.any(Event), { id: 7 }]);
  });

  test("whose listener throws fails its run, and the promise resolves", async () => {
    const emitter = new EventEmitter();
    const { failure } = await explore(
      async () => {
        expect(await io.emit(emitter, "error", broken)).toBe(false);
      },
      { seed },
    );
    expect(failure).toMatchObject({ kind: "unhandledRejection", error: broken });
  });

  test("comes before or after others, in an order that is the same under the same seed", async () => {
    const orderOf = async (of: number): Promise<string> => {
      const log: string[] = [];
      await run(
        async () => {
          const emitter = new EventEmitter();
          emitter.on("data", (value: string) => log.push(value));
          await Promise.all([...["a", "b", "c"].map((value) => io.emit(emitter, "data", value)), io("load").then(() => log.push("load"))]);
        },
        { strategy: random(of) },
      );
      return log.join(" ");
    };
    const orders = await Promise.all(Array.from({ length: 20 }, (_, of) => orderOf(of)));
    expect(await Promise.all(Array.from({ length: 20 }, (_, of) => orderOf(of)))).toEqual(orders);
    expect(new Set(orders).size).toBeGreaterThan(5);
  });
});

describe("a stream", () => {
  test("is fed in steps: what is pushed comes out in order, and a close may come between", async () => {
    const ends = new Map<string, number>();
    const outcome = await explore(
      async () => {
        const stream = new PassThrough({ encoding: "utf8" });
        const read: string[] = [];
        stream.on("data", (chunk: string) => read.push(chunk));
        stream.on("close", () => read.push("closed"));
        stream.on("error", () => undefined);
        const chunk = async (): Promise<void> => {
          await io("chunk a", () => stream.write("a"));
          await io("chunk b", () => stream.write("b"));
        };
        await Promise.all([chunk(), io("reset", () => stream.destroy(broken))]);
        return read.join(" ");
      },
      { seed, strategy: "exhaustive", onRun: (end) => void ends.set(String(end.kind === "passed" && end.value), 1) },
    );
    expect(outcome).toMatchObject({ status: "passed", complete: true, uncontrolled: undefined });
    expect([...ends.keys()].sort()).toEqual(["a b closed", "a closed", "closed"]);
  });

  test("emits its own events in steps, and is iterated meanwhile", async () => {
    const outcome = await explore(
      async () => {
        const stream = new Readable({ objectMode: true, read: () => undefined });
        const read: unknown[] = [];
        const reader = (async () => {
          for await (const item of stream) read.push(item);
        })();
        await io("first", () => stream.push(1));
        await Promise.all([io("second", () => stream.push(2)), io.emit(stream, "pause")]);
        await io("end", () => stream.push(null));
        await reader;
        expect(read).toEqual([1, 2]);
      },
      { seed, runs: 100 },
    );
    expect(outcome).toMatchObject({ status: "passed", uncontrolled: undefined });
  });
});
