/** `wrap`: calls of a client as two events each. */

import * as files from "node:fs/promises";
import { readFile } from "node:fs/promises";
import { describe, expect, expectTypeOf, test } from "vitest";
import { explore, replay } from "../explore/explore.js";
import type { ExploreOptions } from "../explore/options.js";
import type { Scenario } from "../explore/scenario-run.js";
import { renderTimeline } from "../report/timeline.js";
import { createTask } from "./create-task.js";
import { currentTask } from "./current-task.js";
import { run } from "./run.js";
import { wrap } from "./wrap.js";

const seed = 7;
const lost = new Error("connection lost");

/** A store that answers at once, with private state and a method that calls another. */
class Store {
  readonly #values = new Map<string, number>();
  readonly calls: string[] = [];
  prefix = "";

  async get(key: string): Promise<number | undefined> {
    this.calls.push(`get ${key}`);
    await Promise.resolve();
    return this.#values.get(this.prefix + key);
  }

  set(key: string, value: number): number {
    this.calls.push(`set ${key}`);
    this.#values.set(this.prefix + key, value);
    return this.#values.size;
  }

  refuse(): number {
    throw lost;
  }

  get size(): number {
    return this.#values.size;
  }

  async twice(key: string): Promise<readonly unknown[]> {
    return [await this.get(key), await this.get(key)];
  }
}

async function endsOf(scenario: Scenario, options: ExploreOptions = {}): Promise<readonly string[]> {
  const ends = new Set<string>();
  const outcome = await explore(scenario, {
    seed,
    strategy: "exhaustive",
    ...options,
    onRun: (end) => ends.add(end.kind === "passed" ? String(end.value) : `${end.kind}: ${String(end.error)}`),
  });
  expect(outcome.complete).toBe(true);
  return [...ends].sort();
}

describe("a call", () => {
  test("reaches the client at its request, and is answered at its answer", async () => {
    const ends = await endsOf(async ({ wrap: wrapping, gather }) => {
      const store = new Store();
      const { calls } = store;
      const client = wrapping(store, ["get", "set"]);
      const work = async (): Promise<void> => {
        await client.set("a", 1);
        calls.push("set answered");
      };
      await gather(work, async () => calls.push(`got ${String(await client.get("a"))}`));
      return calls.join(", ");
    });
    expect(ends).toMatchInlineSnapshot(`
      [
        "get a, got undefined, set a, set answered",
        "get a, set a, got 1, set answered",
        "get a, set a, got undefined, set answered",
        "get a, set a, set answered, got 1",
        "get a, set a, set answered, got undefined",
        "set a, get a, got 1, set answered",
        "set a, get a, set answered, got 1",
        "set a, set answered, get a, got 1",
      ]
    `);
  });

  test("fails with what the method throws, at its answer", async () => {
    const seen: unknown[] = [];
    await run(async () => {
      const client = wrap(new Store(), ["refuse"]);
      const refused = client.refuse();
      seen.push("returned");
      await refused.catch((error: unknown) => seen.push(error));
    });
    expect(seen).toEqual(["returned", lost]);
  });

  test("of a lost update is found, told with its labels, and replays", async () => {
    const scenario: Scenario = async ({ wrap: wrapping }) => {
      const store = new Store();
      const client = wrapping(store, ["get", "set"], { label: (method, [key]) => `${method} ${String(key)}` });
      const add = async (): Promise<void> => {
        await client.set("count", ((await client.get("count")) ?? 0) + 1);
      };
      await Promise.all([add(), add()]);
      if ((await store.get("count")) !== 2) throw new Error("an update was lost");
    };
    const { failure } = await explore(scenario, { seed });
    expect(failure).toMatchObject({ kind: "error", error: new Error("an update was lost") });
    const timeline = renderTimeline(failure!.trace);
    expect(timeline.split("\n")[0]).toMatch(/get count request +get count answer +set count request +set count answer/);
    expect((await replay(scenario, failure!.schedule)).failure?.trace).toEqual(failure!.trace);
    expect((await explore(scenario, { seed })).failure).toEqual(failure);
  });

  test("may be lost on the way there, when the method was not called, and on the way back, when it was", async () => {
    const ends = await endsOf(async ({ wrap: wrapping }) => {
      const store = new Store();
      const client = wrapping(store, ["set"], { mayFail: lost });
      const answer = await client.set("a", 1).catch(() => "lost");
      return `${answer} ${store.size}`;
    });
    expect(ends).toEqual(["1 1", "lost 0", "lost 1"]);
  });

  test("is its caller's, in its context", async () => {
    const seen: unknown[] = [];
    await run(async () => {
      const client = wrap({ who: () => seen.push(currentTask()?.getName()) }, ["who"]);
      await createTask(
        async () => {
          await client.who();
          seen.push(currentTask()?.getName());
        },
        { name: "caller" },
      );
    });
    expect(seen).toEqual(["caller", "caller"]);
  });

  test("of a real file system is ordered, and stays under control", async () => {
    const path = new URL("../../package.json", import.meta.url);
    const outcome = await explore(
      async ({ wrap: wrapping }) => {
        const disk = wrapping(files, ["readFile", "stat"]);
        const [text, stat] = await Promise.all([disk.readFile(path, "utf8"), disk.stat(path)]);
        expect(text).toHaveLength(stat.size);
      },
      { seed, runs: 20, idleGraceMs: 2_000 },
    );
    expect(outcome).toMatchObject({ status: "passed", uncontrolled: undefined });
  });
});

describe("what is not wrapped", () => {
  test("is the client's: properties are read and written there, methods run on it, and its calls of itself are its own", async () => {
    const store = new Store();
    const client = wrap(store, ["get"]);
    client.prefix = "p/";
    expect(store.prefix).toBe("p/");
    expect(client.set("a", 5)).toBe(1);
    expect(client.size).toBe(1);
    expect(client).toBeInstanceOf(Store);
    expect(await client.twice("a")).toEqual([5, 5]);
    const read = (): unknown => Reflect.get(client, "set");
    expect(read()).toBe(read());
    expect(await run(async () => await client.get("a"))).toBe(5);
  });

  test("is there for frozen clients and functions, too", async () => {
    const frozen = Object.freeze({ load: () => 5, name: "frozen" });
    const called = Object.assign((value: number) => value + 1, { load: () => 6 });
    const [first, second] = [wrap(frozen, ["load"]), wrap(called, ["load"])];
    expect(await run(async () => [await first.load(), await second.load()])).toEqual([5, 6]);
    expect([first.name, Object.keys(first)]).toEqual(["frozen", ["load", "name"]]);
    expect((second as unknown as (value: number) => number)(1)).toBe(2);
  });
});

test("the type is that of the client, where its methods return promises already, and else they do", () => {
  const store = new Store();
  expectTypeOf(wrap(store, ["get", "twice"])).toEqualTypeOf<Store>();
  expectTypeOf(wrap(store, ["set"]).set).toEqualTypeOf<(key: string, value: number) => Promise<number>>();
  expectTypeOf(wrap(store, ["set"]).size).toEqualTypeOf<number>();
  expectTypeOf(wrap(files, ["readFile"]).readFile).toEqualTypeOf<typeof readFile>();
});

test.each([
  [() => wrap(new Store(), ["prefix" as never]), 'wrap: "prefix" is no method of the client, but ""'],
  [() => wrap(new Store(), ["missing" as never]), 'wrap: "missing" is no method of the client, but undefined'],
  [() => wrap(new Store(), "get" as never), 'wrap: names must be a list of names of methods, not "get"'],
  [() => wrap(5 as never, ["get" as never]), "wrap: client must be an object, not 5"],
  [() => wrap(null as never, ["get" as never]), "wrap: client must be an object, not null"],
  [() => wrap(new Store(), ["get"], { maxMs: -1 }), "wrap: maxMs must be a number of milliseconds, 0 or more, not -1"],
])("what makes no sense is a usage error", (call, message) => {
  expect(call).toThrow(message);
});

test("a call outside of a run is a usage error that names it", () => {
  expect(() => wrap(new Store(), ["get"]).get("a")).toThrow("get() of a wrapped client");
});
