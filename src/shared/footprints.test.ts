/** Which accesses to shared objects depend on each other: two tasks of one step each, and what these touch. */
import { describe, expect, test } from "vitest";
import { Attempts } from "../../fixtures/search/attempts.js";
import { gather } from "../combine/gather.js";
import { sleep } from "../loop/sleep.js";
import type { Footprint, Strategy } from "../schedule/strategy.js";
import { shared } from "./shared.js";

interface Step {
  readonly name: string;
  readonly operation: string;
  readonly footprint?: Footprint | undefined;
}

const isDependent = ({ footprint: a }: Step, { footprint: b }: Step): boolean =>
  a!.writes.some((location) => b!.writes.includes(location) || b!.reads.includes(location)) ||
  b!.writes.some((location) => a!.reads.includes(location));

const nameOf = ({ name, operation }: Step): string => `${name}.${operation}`;

/** How many classes the schedules of `main` fall into: by the order of dependent steps, called by their tasks, and by the hash of the run. */
async function classesOf(main: () => unknown): Promise<{ runs: number; canonical: number; hashes: number }> {
  const attempts = new Attempts(main, { isTracked: true });
  const [canonical, hashes] = [new Set<string>(), new Set<string>()];
  for await (const { steps, end } of attempts.everyRun()) {
    expect(end).toBe("passed");
    const orders: string[] = [];
    for (const [place, later] of steps.entries()) {
      for (const earlier of steps.slice(0, place)) if (isDependent(earlier, later)) orders.push([earlier, later].map(nameOf).join("<"));
    }
    canonical.add(orders.sort().join());
    hashes.add(JSON.stringify(attempts.tracker!.runClass));
  }
  return { runs: attempts.count, canonical: canonical.size, hashes: hashes.size };
}

type Access<T> = (object: T) => unknown;

/** Whether a step that does `first` and one that does `second` to one shared object are dependent, in this order. */
async function conflict<T extends object>(make: () => T, first: Access<T>, second: Access<T>): Promise<boolean> {
  const attempts = new Attempts(
    async () => {
      const object = shared(make());
      await gather(
        async () => void first(object),
        async () => void second(object),
      );
    },
    { isTracked: true },
  );
  const { steps, end } = await attempts.run(inOrder);
  expect(end).toBe("passed");
  const [, one, other] = steps;
  return isDependent(one!, other!);
}

const inOrder: Strategy = { name: "first", begin: () => true, pick: () => 0 };

/** Each pair of accesses, and whether they conflict in both orders. */
function tableOf<T extends object>(make: () => T, rows: readonly (readonly [string, Access<T>, string, Access<T>, boolean])[]): void {
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

describe("properties", () => {
  interface Account {
    balance: number;
    limit: number;
    extra?: number;
    owner: { name: string };
  }
  const make = (): Account => ({ balance: 1, limit: 2, owner: { name: "a" } });
  const read: Access<Account> = (object) => object.balance;
  const write: Access<Account> = (object) => (object.balance = 1);
  const add: Access<Account> = (object) => (object.extra = 1);

  tableOf(make, [
    ["reading", read, "reading", read, false],
    ["reading", read, "writing", write, true],
    ["writing", write, "writing the same value", write, true],
    ["writing one", write, "writing another", (object) => (object.limit = 1), false],
    ["adding", add, "reading what is not there yet", (object) => object.extra, true],
    ["adding", add, "asking whether it is there", (object) => "extra" in object, true],
    ["adding", add, "listing the keys", (object) => Object.keys(object), true],
    ["adding", add, "spreading", (object) => ({ ...object }), true],
    ["adding", add, "reading another", read, false],
    ["adding", add, "asking for another", (object) => "balance" in object, false],
    ["overwriting", write, "asking whether it is there", (object) => "balance" in object, false],
    ["overwriting", write, "JSON.stringify", (object) => JSON.stringify(object), true],
    ["overwriting", write, "Reflect.ownKeys", (object) => Reflect.ownKeys(object), false],
    ["overwriting", write, "getOwnPropertyDescriptor", (object) => Object.getOwnPropertyDescriptor(object, "balance"), true],
    ["deleting", (object) => delete object.extra, "deleting what is not there", (object) => delete object.extra, false],
    ["deleting", (object) => Reflect.deleteProperty(object, "balance"), "reading", read, true],
    ["deleting", (object) => Reflect.deleteProperty(object, "balance"), "listing the keys", (object) => Object.keys(object), true],
    ["defining", (object) => Object.defineProperty(object, "balance", { value: 5 }), "reading", read, true],
    ["freezing", (object) => Object.freeze(object), "adding", (object) => Reflect.set(object, "extra", 1), true],
    ["sealing off", (object) => Object.preventExtensions(object), "asking for it", (object) => Object.isExtensible(object), true],
    ["writing of a nested object", (object) => (object.owner.name = "b"), "reading of it", (object) => object.owner.name, true],
    ["writing of a nested object", (object) => (object.owner.name = "b"), "reading the object alone", (object) => object.owner, false],
    ["an assignment that fails", (object) => Reflect.set(Object.freeze(object), "balance", 1), "reading", read, true],
  ]);

  test("reading a `then` that is not there touches nothing", async () => {
    expect(
      await conflict(
        make,
        (object) => Promise.resolve(object),
        (object) => Reflect.set(object, "then", 1),
      ),
    ).toBe(false);
  });

  test("an object that a step puts in is the same one in equivalent runs, whoever touches it first", async () => {
    const { canonical, hashes, runs } = await classesOf(async () => {
      const board = shared<Record<string, { n: number } | undefined>>({ old: { n: 0 } });
      const look = (name: string) => async () => board[name]?.n;
      const post = async (): Promise<void> => {
        board["new"] = { n: 0 };
      };
      await gather(post, look("new"), look("new"), look("old"), look("old"));
    });
    expect(runs).toBe(120);
    expect(canonical).toBe(4); // each of two comes before or after the first
    expect(hashes).toBe(canonical);
  });

  test("an object as a key is the same one in equivalent runs, whoever asks for it first", async () => {
    const { canonical, hashes } = await classesOf(async () => {
      const map = shared(new Map<object, number>());
      const [one, two, none] = [{}, {}, {}];
      await gather(
        async () => void map.has(one),
        async () => void map.get(none),
        async () => void map.set(two, 1),
        async () => {
          map.set(one, 1);
          await sleep(0);
          map.set(two, 2);
        },
      );
    });
    expect(hashes).toBe(canonical);
    expect(canonical).toBeGreaterThan(6);
  });
});

describe("arrays", () => {
  const make = (): number[] => [1, 2, 3];
  const push: Access<number[]> = (array) => array.push(4);
  const first: Access<number[]> = (array) => array[0];

  tableOf(make, [
    ["push", push, "push", push, true],
    ["push", push, "length", (array) => array.length, true],
    ["push", push, "an index that was there", first, false],
    ["push", push, "the index that it fills", (array) => array[3], true],
    ["push", push, "iterating", (array) => [...array], true],
    ["pop", (array) => array.pop(), "the last", (array) => array[2], true],
    ["pop", (array) => array.pop(), "the first", first, false],
    ["shift", (array) => array.shift(), "the first", first, true],
    ["splice in the middle", (array) => array.splice(1, 1), "the first", first, false],
    ["splice in the middle", (array) => array.splice(1, 1), "the last", (array) => array[2], true],
    ["writing an index", (array) => (array[0] = 9), "iterating", (array) => [...array], true],
    ["writing an index", (array) => (array[0] = 9), "length", (array) => array.length, false],
    ["writing an index", (array) => (array[0] = 9), "writing another", (array) => (array[1] = 9), false],
    ["writing behind the end", (array) => (array[5] = 9), "length", (array) => array.length, true],
    ["defining behind the end", (array) => Object.defineProperty(array, 5, { value: 9 }), "length", (array) => array.length, true],
    ["cutting", (array) => (array.length = 1), "what is cut off", (array) => array[2], true],
    ["cutting", (array) => (array.length = 1), "what stays", first, false],
    ["cutting by a definition", (array) => Object.defineProperty(array, "length", { value: 1 }), "the last", (array) => array[2], true],
    ["sort", (array) => array.sort(), "the first", first, true],
    ["includes", (array) => array.includes(1), "writing an index", (array) => (array[0] = 9), true],
    ["map", (array) => array.map(String), "iterating", (array) => [...array], false],
  ]);
});

describe("a Map", () => {
  const key = { name: "a key" };
  const make = (): Map<unknown, unknown> =>
    new Map<unknown, unknown>([
      ["a", 1],
      ["b", 2],
      [1, "one"],
      [key, { n: 1 }],
    ]);
  type M = Map<unknown, unknown>;
  const overwrite: Access<M> = (map) => map.set("a", 1);
  const add: Access<M> = (map) => map.set("new", 1);
  const remove: Access<M> = (map) => map.delete("a");

  tableOf(make, [
    ["get", (map) => map.get("a"), "get", (map) => map.get("a"), false],
    ["overwriting", overwrite, "get", (map) => map.get("a"), true],
    ["overwriting", overwrite, "get of another", (map) => map.get("b"), false],
    ["overwriting", overwrite, "has", (map) => map.has("a"), false],
    ["overwriting", overwrite, "size", (map) => map.size, false],
    ["overwriting", overwrite, "keys", (map) => [...map.keys()], false],
    ["overwriting", overwrite, "values", (map) => [...map.values()], true],
    ["overwriting", overwrite, "iterating", (map) => [...map], true],
    ["overwriting", overwrite, "forEach", (map) => map.forEach(() => undefined), true],
    ["overwriting", overwrite, "overwriting", overwrite, true],
    ["overwriting", overwrite, "adding", add, false],
    ["overwriting", overwrite, "deleting", remove, true],
    ["adding", add, "get of what is not there yet", (map) => map.get("new"), true],
    ["adding", add, "has", (map) => map.has("new"), true],
    ["adding", add, "has of another", (map) => map.has("a"), false],
    ["adding", add, "size", (map) => map.size, true],
    ["adding", add, "keys", (map) => [...map.keys()], true],
    ["adding", add, "adding another, because of the order", (map) => map.set("newer", 1), true],
    ["adding", add, "get of another", (map) => map.get("a"), false],
    ["deleting", remove, "has", (map) => map.has("a"), true],
    ["deleting", remove, "size", (map) => map.size, true],
    ["deleting what is not there", (map) => map.delete("no"), "size", (map) => map.size, false],
    ["clear", (map) => map.clear(), "get", (map) => map.get("a"), true],
    ["clear", (map) => map.clear(), "has", (map) => map.has("b"), true],
    ["clear", (map) => map.clear(), "size", (map) => map.size, true],
    ['the key "1"', (map) => map.set("1", 0), "the key 1", (map) => map.get(1), false],
    ["an object as a key", (map) => map.set(key, 0), "the same object", (map) => map.get(key), true],
    ["an object as a key", (map) => map.set(key, 0), "has of the same object", (map) => map.has(key), false],
    ["an object as a key", (map) => map.set(key, 0), "another object", (map) => map.get("b"), false],
    ["deleting an object as a key", (map) => map.delete(key), "has", (map) => map.has(key), true],
    ["adding an object as a key", (map) => map.set(other, 0), "has", (map) => map.has(other), true],
    ["adding an object as a key", (map) => map.set(other, 0), "get", (map) => map.get(other), true],
    [
      "writing into a value",
      (map) => ((map.get(key) as { n: number }).n = 2),
      "reading of it",
      (map) => (map.get(key) as { n: number }).n,
      true,
    ],
    ["writing into a value", (map) => ((map.get(key) as { n: number }).n = 2), "get", (map) => map.get(key), false],
  ]);
  const other = { name: "another" };
});

describe("a Set", () => {
  const make = (): Set<unknown> => new Set(["a", "b"]);
  type S = Set<unknown>;
  tableOf(make, [
    ["has", (set) => set.has("a"), "has", (set) => set.has("a"), false],
    ["add of a new value", (set: S) => set.add("c"), "has", (set) => set.has("c"), true],
    ["add of a new value", (set: S) => set.add("c"), "has of another", (set) => set.has("a"), false],
    ["add of a new value", (set: S) => set.add("c"), "size", (set) => set.size, true],
    ["add of a new value", (set: S) => set.add("c"), "iterating", (set) => [...set], true],
    ["add of what is there", (set: S) => set.add("a"), "size", (set) => set.size, false],
    ["add of what is there", (set: S) => set.add("a"), "has", (set) => set.has("a"), false],
    ["add of what is there", (set: S) => set.add("a"), "delete", (set) => set.delete("a"), true],
    ["delete", (set) => set.delete("a"), "forEach", (set) => set.forEach(() => undefined), true],
    ["clear", (set) => set.clear(), "has", (set) => set.has("a"), true],
  ]);
});

describe("what is one location", () => {
  class Vault {
    #gold = 0;
    readonly #items: { n: number }[] = [{ n: 1 }];
    name = "vault";
    get gold(): number {
      return this.#gold;
    }
    get next(): number {
      return ++this.#gold;
    }
    add(): void {
      this.#gold++;
    }
    peek(): { n: number } {
      return this.#items[0]!;
    }
    isSame(vault: Vault): boolean {
      return this.#gold === vault.#gold;
    }
  }
  const add: Access<Vault> = (vault) => vault.add();

  describe("an object with #private fields", () => {
    tableOf(
      () => new Vault(),
      [
        ["a method", add, "a method", add, true],
        ["a method", add, "a getter", (vault) => vault.gold, true],
        ["a method", add, "a property", (vault) => vault.name, true],
        ["a getter", (vault) => vault.gold, "a getter", (vault) => vault.gold, false],
        ["a getter that changes something", (vault) => vault.next, "a getter", (vault) => vault.gold, true],
        ["a method that only looks", (vault) => vault.peek(), "a getter", (vault) => vault.gold, false],
        ["writing into what is in it", (vault) => vault.peek().n++, "a getter", (vault) => vault.gold, true],
        ["reading of what is in it", (vault) => vault.peek().n, "a getter", (vault) => vault.gold, false],
        ["writing a property", (vault) => (vault.name = ""), "a getter", (vault) => vault.gold, true],
        ["listing its keys", (vault) => Object.keys(vault), "writing a property", (vault) => (vault.name = ""), true],
      ],
    );
  });

  describe("what others of its class change in it", () => {
    tableOf(
      () => ({ a: new Vault(), b: new Vault() }),
      [
        ["its own method", ({ a }) => a.add(), "another's method with it", ({ a, b }) => b.isSame(a), true],
        ["a method", ({ a }) => a.add(), "another's method", ({ b }) => b.add(), false],
      ],
    );
  });

  describe("a Date", () => {
    tableOf(
      () => new Date(0),
      [
        ["setting", (date) => date.setTime(5), "getting", (date) => date.getTime(), true],
        ["getting", (date) => date.getTime(), "getting", (date) => String(date), false],
      ],
    );
  });

  describe("memory", () => {
    const make = () => {
      const bytes = new Uint8Array(8);
      return { bytes, same: new DataView(bytes.buffer), other: new Uint8Array(8) };
    };
    tableOf(make, [
      ["writing", ({ bytes }) => (bytes[0] = 1), "reading", ({ bytes }) => bytes[3], true],
      ["writing", ({ bytes }) => (bytes[0] = 1), "reading through another view", ({ same }) => same.getInt8(0), true],
      ["writing", ({ bytes }) => (bytes[0] = 1), "writing elsewhere", ({ other }) => (other[0] = 1), false],
      ["fill of a part", ({ bytes }) => bytes.subarray(1).fill(1), "reading", ({ bytes }) => bytes[0], true],
      ["a copy", ({ bytes }) => (bytes.slice(1)[0] = 7), "reading", ({ bytes }) => bytes[0], false],
      ["the memory itself", ({ bytes }) => bytes.buffer, "reading", ({ bytes }) => bytes[0], true],
      ["iterating", ({ bytes }) => [...bytes], "writing", ({ bytes }) => (bytes[0] = 1), true],
    ]);
  });

  describe("functions that pass the proxy by", () => {
    class Arrow {
      count = 0;
      inc = () => ++this.count;
    }
    class Bound {
      count = 0;
      constructor() {
        this.inc = this.inc.bind(this);
      }
      inc() {
        return ++this.count;
      }
    }
    for (const make of [() => new Arrow(), () => new Bound()]) {
      tableOf<{ count: number; inc: () => number }>(make, [
        ["a function of the instance", (object) => object.inc(), "a property that it changes", (object) => object.count, true],
      ]);
    }
    const makeCounter = () => {
      let count = 0;
      return { label: "", inc: () => ++count, get: () => count };
    };
    tableOf(makeCounter, [
      ["a closure", (counter) => counter.inc(), "a closure beside it", (counter) => counter.get(), true],
      ["a closure", (counter) => counter.inc(), "a property", (counter) => counter.label, false],
    ]);
  });

  test("what a fixed property holds may be written by whoever takes it out", async () => {
    const make = () => Object.defineProperty({}, "box", { value: { n: 0 } }) as { box: { n: number } };
    expect(
      await conflict(
        make,
        ({ box }) => box.n++,
        ({ box }) => box.n,
      ),
    ).toBe(true);
  });

  test("what a frozen object holds has its own locations", async () => {
    const make = () => Object.freeze({ a: { n: 0 }, b: { n: 0 } });
    expect(
      await conflict(
        make,
        ({ a }) => a.n++,
        ({ a }) => a.n,
      ),
    ).toBe(true);
    expect(
      await conflict(
        make,
        ({ a }) => a.n++,
        ({ b }) => b.n++,
      ),
    ).toBe(false);
  });
});

describe("methods", () => {
  class Account {
    balance = 0;
    log: string[] = [];
    deposit(): void {
      this.balance++;
    }
    get isEmpty(): boolean {
      return this.balance === 0;
    }
    set amount(value: number) {
      this.balance = value;
    }
  }
  tableOf(
    () => new Account(),
    [
      ["a method", (account) => account.deposit(), "what it does not touch", (account) => account.log.push("a"), false],
      ["a method", (account) => account.deposit(), "a getter of what it touches", (account) => account.isEmpty, true],
      ["a setter", (account) => (account.amount = 1), "what it sets", (account) => account.balance, true],
      ["a getter", (account) => account.isEmpty, "the same", (account) => account.isEmpty, false],
    ],
  );
  const literal = () => ({
    a: 0,
    b: 0,
    incA() {
      this.a++;
    },
    incB() {
      this.b++;
    },
  });
  tableOf(literal, [
    ["a method of a literal", (object) => object.incA(), "another", (object) => object.incB(), false],
    ["a method of a literal", (object) => object.incA(), "the same", (object) => object.incA(), true],
  ]);
});
