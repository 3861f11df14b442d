/** What a program sees of a shared object: the object. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { UsageError } from "../errors/errors.js";
import { coroutine } from "../loop/coroutine.js";
import { run } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { Barrier } from "../sync/barrier.js";
import { Condition } from "../sync/condition.js";
import { Event } from "../sync/event.js";
import { Lock } from "../sync/lock.js";
import { Queue } from "../sync/queue.js";
import { BoundedSemaphore } from "../sync/semaphore.js";
import { shared } from "./shared.js";

/** What node shows of a value. From Node 26 on it says in addition that something is a proxy, and breaks lines because of that. */
const shown = (value: unknown): string => inspect(value).replaceAll(/Proxy\(|[)\s]/g, "");

describe("identity", () => {
  test("the same object has the same proxy, and a proxy is its own", () => {
    const original = { a: { n: 1 } };
    const proxy = shared(original);
    expect(shared(original)).toBe(proxy);
    expect(shared(proxy)).toBe(proxy);
    expect(proxy).not.toBe(original);
    expect(proxy.a).toBe(proxy.a);
    expect(shared(original.a)).toBe(proxy.a);
  });

  test("what is stored are objects, what comes out are their proxies", () => {
    const original: { a: object; list: object[]; map: Map<unknown, unknown>; set: Set<unknown> } = {
      a: {},
      list: [],
      map: new Map(),
      set: new Set(),
    };
    const { a } = original;
    const proxy = shared(original);
    proxy.list.push(proxy.a);
    proxy.list[1] = proxy.a;
    proxy.map.set(proxy.a, proxy.a);
    proxy.set.add(proxy.a);
    Object.defineProperty(proxy, "b", { value: proxy.a, writable: true });
    expect(original.list[0]).toBe(a);
    expect(original.list[1]).toBe(a);
    expect(original.map.get(a)).toBe(a);
    expect(original.set.has(a)).toBe(true);
    expect((original as unknown as { b: object }).b).toBe(a);
    expect(proxy.list[0]).toBe(proxy.a);
    expect(proxy.map.get(a)).toBe(proxy.a);
    expect([...proxy.set][0]).toBe(proxy.a);
    expect([...proxy.map.keys()][0]).toBe(proxy.a);
    expect(Object.getOwnPropertyDescriptor(proxy, "a")?.value).toBe(proxy.a);
  });

  test("an object is found whether the program has it or its proxy", () => {
    const item = {};
    const proxy = shared({ list: [{}, item], set: new Set([item]), map: new Map([[item, 1]]) });
    for (const known of [item, proxy.list[1]!]) {
      expect(proxy.list.includes(known)).toBe(true);
      expect(proxy.list.indexOf(known)).toBe(1);
      expect(proxy.list.lastIndexOf(known)).toBe(1);
      expect(proxy.set.has(known)).toBe(true);
      expect(proxy.map.get(known)).toBe(1);
    }
    expect(proxy.list.includes({})).toBe(false);
    expect(Reflect.get(proxy.list, "includes")).toBe(Reflect.get(proxy.list, "includes"));
    expect(proxy.set.delete(item)).toBe(true);
    expect(proxy.set.size).toBe(0);
  });

  test("a proxy that was put into a collection before that was shared is found there", () => {
    const item = shared({ n: 1 });
    const proxy = shared({ set: new Set([item]), map: new Map([[item, 1]]), list: [item] });
    expect(proxy.set.has(item)).toBe(true);
    expect(proxy.map.get(item)).toBe(1);
    expect(proxy.list.includes(item)).toBe(true);
    expect(proxy.map.delete(item)).toBe(true);
  });
});

describe("plain objects", () => {
  test("are read, written, listed and deleted from as usual", () => {
    const key = Symbol("key");
    const proxy: Record<PropertyKey, unknown> = shared({ a: 1, [key]: 2 });
    proxy["b"] = 3;
    proxy[key] = 4;
    expect({ ...proxy }).toEqual({ a: 1, b: 3, [key]: 4 });
    expect(Object.keys(proxy)).toEqual(["a", "b"]);
    expect("b" in proxy && Object.hasOwn(proxy, "b")).toBe(true);
    delete proxy["b"];
    expect("b" in proxy).toBe(false);
    expect(JSON.stringify({ proxy })).toBe('{"proxy":{"a":1}}');
    expect(Object.entries(proxy)).toEqual([["a", 1]]);
    const names: string[] = [];
    for (const name in proxy) names.push(name);
    expect(names).toEqual(["a"]);
    expect(proxy).toEqual({ a: 1, [key]: 4 });
  });

  test("run getters, setters and methods with the proxy as this", () => {
    class Account {
      balance = 1;
      seen: unknown[] = [];
      get self(): this {
        return this;
      }
      set next(value: number) {
        this.seen.push(this);
        this.balance = value;
      }
      me(): this {
        return this;
      }
    }
    const proxy = shared(new Account());
    expect(proxy.self).toBe(proxy);
    expect(proxy.me()).toBe(proxy);
    proxy.next = 5;
    expect(proxy.balance).toBe(5);
    expect(proxy.seen[0]).toBe(proxy);
    expect(proxy).toBeInstanceOf(Account);
    expect(proxy.constructor).toBe(Account);
    expect(Reflect.getOwnPropertyDescriptor(Account.prototype, "next")).toBeDefined();
    expect(Object.hasOwn(proxy, "next")).toBe(false);
  });

  test("refuse what the object refuses, with the usual error", () => {
    const frozen = shared(Object.freeze({ a: 1, inner: { n: 1 } }));
    expect(() => {
      (frozen as { a: number }).a = 2;
    }).toThrow(TypeError);
    expect(() => delete (frozen as { a?: number }).a).toThrow(TypeError);
    expect(() => Object.assign(frozen, { b: 1 })).toThrow(TypeError);
    const fixed = shared(Object.defineProperty({}, "a", { value: 1 }) as { a: number });
    expect(() => {
      fixed.a = 2;
    }).toThrow(TypeError);
    const onlyRead = shared({
      get a() {
        return 1;
      },
    });
    expect(() => {
      (onlyRead as { a: number }).a = 2;
    }).toThrow(TypeError);
    const fixedAbove: object = Object.defineProperty({}, "a", { value: 1 });
    const heir = shared<{ a: number }>(Object.setPrototypeOf({}, fixedAbove) as { a: number });
    expect(() => {
      heir.a = 2;
    }).toThrow(TypeError);
  });

  test("that are frozen stay frozen, and give out proxies all the same", () => {
    const original = Object.freeze({ inner: { n: 1 }, list: Object.freeze([{ n: 2 }]), fn: () => 1 });
    const proxy = shared(original);
    expect(Object.isFrozen(proxy)).toBe(true);
    expect(Array.isArray(proxy.list)).toBe(true);
    expect(Object.isFrozen(proxy.list)).toBe(true);
    proxy.inner.n = 5;
    expect(original.inner.n).toBe(5);
    expect(proxy.inner).toBe(shared(original.inner));
    expect(proxy.list[0]).toBe(shared(original.list[0]!));
    expect(proxy.fn).toBe(original.fn);
    expect(shown(proxy)).toBe(shown(original));
  });

  test("a list of frozen objects may be longer than the stack is deep, and may hold itself", () => {
    let list: { readonly rest: object | undefined } = { rest: undefined };
    for (let length = 0; length < 50_000; length++) list = Object.freeze({ rest: list });
    expect(Object.isFrozen(shared(list).rest)).toBe(true);
    const circle: { self?: object } = {};
    circle.self = circle;
    const proxy = shared(Object.freeze(circle));
    expect(proxy.self).toBe(proxy);
  });

  test("can be frozen through the proxy", () => {
    const inner = { n: 1 };
    const proxy = Object.freeze(shared({ inner, list: [1] }));
    expect(Object.isFrozen(proxy)).toBe(true);
    expect(proxy.inner).toBe(shared(inner));
    expect(proxy.inner.n).toBe(1);
    expect(Object.keys(proxy)).toEqual(["inner", "list"]);
  });

  test("hand out what is fixed as it is, because a proxy must", () => {
    const inner = {};
    const original = { open: {} };
    Object.defineProperty(original, "inner", { value: inner, enumerable: true });
    const proxy = shared(original as { inner: object; open: object });
    expect(proxy.inner).toBe(inner);
    expect(Object.getOwnPropertyDescriptor(proxy, "inner")?.value).toBe(inner);
    expect(proxy.open).not.toBe(original.open);
    const late = shared<{ inner?: object }>({});
    Object.defineProperty(late, "inner", { value: inner });
    expect(late.inner).toBe(inner);
    Object.defineProperty(late, "inner", { value: inner });
    expect(late.inner).toBe(inner);
  });

  test("whoever inherits from a proxy gets properties of its own", () => {
    const original = { a: 1 };
    const heir = Object.create(shared(original)) as { a: number };
    heir.a = 2;
    expect([heir.a, original.a, Object.hasOwn(heir, "a")]).toEqual([2, 1, true]);
  });

  test("functions come out as they are", () => {
    const fn = (): number => 1;
    const proxy = shared({ fn, Class: Map });
    expect(proxy.fn).toBe(fn);
    expect(new proxy.Class([[1, 2]]).get(1)).toBe(2);
  });

  test("an error keeps its message and stack", () => {
    const error = new RangeError("boom");
    const { error: proxy } = shared({ error });
    expect(proxy).toBeInstanceOf(RangeError);
    expect(String(proxy)).toBe("RangeError: boom");
    expect(proxy.stack).toBe(error.stack);
  });
});

describe("arrays", () => {
  test("do all that arrays do", () => {
    const original = [3, 1, 2];
    const proxy = shared(original);
    expect(Array.isArray(proxy)).toBe(true);
    expect(proxy.push(5)).toBe(4);
    expect(proxy.pop()).toBe(5);
    expect(proxy.sort()).toBe(proxy);
    expect(proxy.splice(1, 1)).toEqual([2]);
    expect(proxy.unshift(0)).toBe(3);
    expect([...proxy]).toEqual([0, 1, 3]);
    expect(proxy.map((n) => n * 2)).toEqual([0, 2, 6]);
    expect([...proxy.entries()]).toEqual([
      [0, 0],
      [1, 1],
      [2, 3],
    ]);
    expect([9].concat(proxy)).toEqual([9, 0, 1, 3]);
    proxy.length = 1;
    expect(original).toEqual([0]);
    expect(JSON.stringify(proxy)).toBe("[0]");
    expect(proxy.at(-1)).toBe(0);
    expect(() => {
      proxy.length = -1;
    }).toThrow(RangeError);
    const [first] = proxy;
    expect(first).toBe(0);
  });
});

describe("Map and Set", () => {
  test("a Map does all that Maps do", () => {
    const original = new Map<unknown, unknown>([["a", 1]]);
    const proxy = shared(original);
    expect(proxy).toBeInstanceOf(Map);
    expect(proxy.set("b", { n: 2 })).toBe(proxy);
    expect(proxy.size).toBe(2);
    expect(proxy.get("a")).toBe(1);
    expect(proxy.has("b") && !proxy.has("c")).toBe(true);
    expect([...proxy.keys()]).toEqual(["a", "b"]);
    expect([...proxy.values()]).toEqual([1, { n: 2 }]);
    expect([...proxy.entries()]).toEqual([...proxy]);
    const visited: unknown[] = [];
    const self = {};
    proxy.forEach(function (this: unknown, value, key, map) {
      visited.push([value, key, map === proxy, this === self]);
    }, self);
    expect(visited).toEqual([
      [1, "a", true, true],
      [{ n: 2 }, "b", true, true],
    ]);
    expect(proxy.delete("a")).toBe(true);
    expect(proxy.delete("a")).toBe(false);
    expect(proxy.set(Number.NaN, 1).get(Number.NaN)).toBe(1);
    expect(proxy.set(-0, "zero").get(0)).toBe("zero");
    expect(Reflect.get(proxy, "get")).toBe(Reflect.get(proxy, "get"));
    expect(Object.prototype.toString.call(proxy)).toBe("[object Map]");
    expect(new Map(proxy).size).toBe(3);
    proxy.clear();
    expect(original.size).toBe(0);
  });

  test("a Set does all that Sets do", () => {
    const original = new Set(["a"]);
    const proxy = shared(original);
    expect(proxy).toBeInstanceOf(Set);
    expect(proxy.add("b").add("b")).toBe(proxy);
    expect(proxy.size).toBe(2);
    expect([...proxy.entries()]).toEqual([
      ["a", "a"],
      ["b", "b"],
    ]);
    expect([...proxy.keys(), ...proxy.values()]).toEqual(["a", "b", "a", "b"]);
    const visited: unknown[] = [];
    proxy.forEach((value, again, set) => visited.push([value, again, set === proxy]));
    expect(visited).toEqual([
      ["a", "a", true],
      ["b", "b", true],
    ]);
    expect(proxy.delete("a")).toBe(true);
    proxy.clear();
    expect(original.size).toBe(0);
  });

  test("what is added during an iteration is visited", () => {
    const proxy = shared(new Map([[1, 1]]));
    const visited: number[] = [];
    for (const [key] of proxy) {
      visited.push(key);
      if (key < 5) proxy.set(key + 1, 1);
    }
    expect(visited).toEqual([1, 2, 3, 4, 5]);
  });

  test("a method that only newer engines have works on the whole", () => {
    // As the language's own: native code that asks `this` for its brand.
    Object.defineProperty(Set.prototype, "heddleTest", { value: Reflect.get(Set.prototype, "add") as unknown, configurable: true });
    try {
      const set = shared(new Set<unknown>());
      const item = {};
      const result: unknown = (set as unknown as { heddleTest(item: unknown): unknown }).heddleTest(shared(item));
      expect(result).toBe(set);
      expect(set.has(item)).toBe(true);
    } finally {
      Reflect.deleteProperty(Set.prototype, "heddleTest");
    }
  });

  test("a class of the program that extends Map has its methods called on the object", () => {
    class Counts extends Map<string, number> {
      override get(key: string): number {
        return super.get(key) ?? 0;
      }
      count(key: string): void {
        this.set(key, this.get(key) + 1);
      }
    }
    const proxy = shared(new Counts());
    proxy.count("a");
    proxy.count("a");
    expect([proxy.get("a"), proxy.get("b"), proxy.size]).toEqual([2, 0, 1]);
  });
});

describe("objects that a proxy does not see into", () => {
  test("a class with #private fields works, and what is found in it belongs to it", () => {
    class Store {
      readonly #rows = new Map<string, { n: number }>();
      label = "store";
      put(key: string, row: { n: number }): this {
        this.#rows.set(key, row);
        return this;
      }
      get(key: string): { n: number } | undefined {
        return this.#rows.get(key);
      }
      get size(): number {
        return this.#rows.size;
      }
      *[Symbol.iterator](): Generator<[string, { n: number }]> {
        yield* this.#rows;
      }
      static isStore(value: object): boolean {
        return #rows in value;
      }
      isLarger(other: Store): boolean {
        return this.#rows.size > other.#rows.size;
      }
      async load(): Promise<number> {
        return this.#rows.size;
      }
    }
    const proxy = shared(new Store());
    const row = { n: 1 };
    proxy.put("a", row).put("b", { n: 2 });
    expect(proxy.get("a")).toBe(proxy.get("a"));
    proxy.get("a")!.n++;
    expect(row.n).toBe(2);
    expect(proxy.size).toBe(2);
    expect([...proxy].map(([key, { n }]) => [key, n])).toEqual([
      ["a", 2],
      ["b", 2],
    ]);
    expect(proxy.isLarger(shared(new Store()))).toBe(true);
    expect(proxy.constructor).toBe(Store);
    expect(proxy).toBeInstanceOf(Store);
    expect(Reflect.get(proxy, "get")).toBe(Reflect.get(proxy, "get"));
    expect((Reflect.get(proxy, "get") as () => unknown).name).toBe("get");
    proxy.label = "b";
    expect(Object.entries(proxy)).toEqual([["label", "b"]]);
    expect("label" in proxy && delete (proxy as { label?: string }).label).toBe(true);
    expect(Object.isFrozen(Object.freeze(proxy))).toBe(true);
    return expect(proxy.load()).resolves.toBe(2);
  });

  test("dates, regular expressions, boxed values and iterators work", () => {
    const proxy = shared({ date: new Date(0), pattern: /a/g, text: new String("ab"), items: [1, 2].values(), url: new URL("http://a/b") });
    proxy.date.setFullYear(2000);
    expect(proxy.date.getFullYear()).toBe(2000);
    expect(`${proxy.date.valueOf()}`).toBe(String(+proxy.date));
    expect(JSON.stringify(proxy.date)).toBe(JSON.stringify(new Date(proxy.date.getTime())));
    expect(proxy.pattern.test("a") && proxy.pattern.lastIndex === 1).toBe(true);
    expect(proxy.pattern.exec("b")).toBe(null);
    expect("aXa".replace(proxy.pattern, "b")).toBe("bXb");
    expect(proxy.text.length + proxy.text.indexOf("b")).toBe(3);
    expect([...proxy.items]).toEqual([1, 2]);
    proxy.url.pathname = "/c";
    expect(String(proxy.url)).toBe("http://a/c");
  });

  test("typed arrays and their memory work", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const proxy = shared({ bytes, buffer: bytes.buffer, view: new DataView(bytes.buffer) });
    proxy.bytes[0] = 9;
    proxy.bytes.set([8], 1);
    proxy.bytes.subarray(2)[0] = 7;
    expect([...bytes]).toEqual([9, 8, 7]);
    expect(proxy.view.getInt8(0)).toBe(9);
    expect(proxy.bytes.length + proxy.buffer.byteLength).toBe(6);
    expect(new Uint8Array(proxy.bytes.buffer)).toEqual(bytes);
    const copy = proxy.bytes.slice();
    copy[0] = 0;
    expect(bytes[0]).toBe(9);
    expect(proxy.bytes.map((n) => n + 1)).toEqual(new Uint8Array([10, 9, 8]));
  });

  test("a WeakMap and a WeakSet find objects and their proxies", () => {
    const item = {};
    const proxy = shared({ weak: new WeakMap([[item, { n: 1 }]]), set: new WeakSet([item]), item });
    expect(proxy.weak.get(proxy.item)).toEqual({ n: 1 });
    expect(proxy.weak.get(item)).toBe(proxy.weak.get(proxy.item));
    expect(proxy.set.has(proxy.item)).toBe(true);
    proxy.set.delete(proxy.item);
    expect(proxy.set.has(item)).toBe(false);
  });

  test("private fields as a compiler rewrites them are seen as such", () => {
    const secrets = new WeakMap<object, number>();
    const __privateGet = (object: object): number => {
      if (!secrets.has(object)) throw new TypeError("Cannot read private member");
      return secrets.get(object)!;
    };
    class Rewritten {
      constructor() {
        secrets.set(this, 1);
      }
      get(): number {
        return __privateGet(this);
      }
    }
    expect(shared(new Rewritten()).get()).toBe(1);
  });
});

describe("what needs no proxy", () => {
  test("locks, queues, futures and the like stay what they are", async () => {
    await run(async () => {
      const loop = getRunningLoop();
      const things = {
        lock: new Lock(),
        semaphore: new BoundedSemaphore(1),
        event: new Event(),
        condition: new Condition(),
        barrier: new Barrier(2),
        queue: new Queue<number>(),
        future: loop.createFuture<number>(),
        loop,
      };
      const proxy = shared(things);
      for (const [name, thing] of Object.entries(things)) expect(proxy[name as keyof typeof things]).toBe(thing);
      await proxy.lock.withLock(() => proxy.queue.put(1));
      proxy.future.setResult(2);
      expect([await proxy.queue.get(), await proxy.future]).toEqual([1, 2]);
      const lazy = coroutine(async () => 1);
      expect(shared({ lazy }).lazy).toBe(lazy);
      await lazy;
      expect(shared(things.lock)).toBe(things.lock);
    });
  });

  test("a promise stays what it is, so that an await of it takes no turn more", async () => {
    const promise = Promise.resolve({ n: 1 });
    const proxy = shared({ promise });
    expect(proxy.promise).toBe(promise);
    expect(await proxy.promise).toEqual({ n: 1 });
  });
});

describe("at the edges", () => {
  test("an object without a prototype is shared, and awaiting a proxy gives the proxy", async () => {
    const proxy = shared(Object.assign(Object.create(null) as { n: number }, { n: 1 }));
    expect(proxy.n).toBe(1);
    expect(await proxy).toBe(proxy);
    expect(await Promise.resolve(proxy)).toBe(proxy);
  });

  test("node shows the object behind a proxy", () => {
    class Account {
      readonly balance = 1;
      readonly tags = new Set(["a"]);
      readonly owner = { name: "b" };
    }
    for (const original of [new Account(), new Map([[{ a: 1 }, [1]]]), new Date(0)]) expect(shown(shared(original))).toBe(shown(original));
  });

  test("sharing calls no getter", () => {
    let calls = 0;
    shared({
      get a() {
        return ++calls;
      },
    });
    expect(calls).toBe(0);
  });

  test.each([1, "a", null, undefined, Symbol("s"), () => 1])("%s is refused", (value) => {
    expect(() => shared(value as never)).toThrow(UsageError);
  });

  test("the refusal says what it was given", () => {
    expect(() => shared(5 as never)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: shared: needs an object, whose properties the tasks share, not 5]`,
    );
  });
});
