/**
 * What footprints promise: steps that are independent can be swapped, and nothing is different afterwards. Here random small programs are run
 * in every order, and all orders in which dependent steps come in the same order must show every task the same, and end the same.
 */
import { expect, test } from "vitest";
import { Attempts } from "../../fixtures/search/attempts.js";
import { gather } from "../combine/gather.js";
import { createTask } from "../loop/create-task.js";
import { sleep } from "../loop/sleep.js";
import { Random } from "../random/random.js";
import type { Footprint } from "../schedule/strategy.js";
import { shared } from "./shared.js";

class Vault {
  #gold = 0;
  readonly #items: { n: number }[] = [{ n: 0 }];
  get gold(): number {
    return this.#gold;
  }
  add(): number {
    return ++this.#gold;
  }
  first(): { n: number } {
    return this.#items[0]!;
  }
  push(n: number): number {
    return this.#items.push({ n });
  }
  toJSON(): unknown {
    return [this.#gold, this.#items];
  }
}

class Account {
  balance = 0;
  get isEmpty(): boolean {
    return this.balance === 0;
  }
  set amount(value: number) {
    this.balance = value;
  }
  deposit(): number {
    return ++this.balance;
  }
}

const key = { name: "key" };
const otherKey = { name: "other key" };

function makeState() {
  const bytes = new Uint8Array(4);
  return {
    object: { a: 0, b: 0 } as Record<string, number>,
    nested: { inner: { n: 0 }, spare: { n: 10 } },
    list: [1, 2, 3],
    map: new Map<unknown, unknown>([
      ["a", 0],
      [key, 0],
    ]),
    set: new Set<unknown>(["a"]),
    vault: new Vault(),
    account: new Account(),
    bytes,
    view: new DataView(bytes.buffer),
    date: new Date(0),
    frozen: Object.freeze({ box: { n: 0 } }),
  };
}

type State = ReturnType<typeof makeState>;

/** What a step may do, grouped by what it does it to, so that a program has a chance to meet itself. `n` is different in every step. */
const OPERATIONS: readonly (readonly ((state: State, n: number) => unknown)[])[] = [
  [
    ({ object }) => object["a"],
    ({ object }, n) => (object["a"] = n),
    ({ object }, n) => (object["c"] = n),
    ({ object }) => object["c"],
    ({ object }) => "c" in object,
    ({ object }) => delete object["c"],
    ({ object }) => Object.keys(object),
    ({ object }) => ({ ...object }),
    ({ object }, n) => Object.defineProperty(object, "a", { value: n }) === object,
    ({ object }) => Object.isFrozen(Object.freeze(object)),
    ({ object }, n) => Reflect.set(object, "b", n),
    ({ object }) => Object.hasOwn(object, "c"),
  ],
  [
    ({ nested }) => nested.inner.n,
    ({ nested }, n) => (nested.inner.n = n),
    ({ nested }, n) => (nested.inner = { n }),
    ({ nested }) => (nested.inner = nested.spare),
    ({ nested }) => nested.spare.n++,
    ({ nested }) => nested.inner === nested.spare,
    ({ nested }) => [nested.spare].includes(nested.inner),
  ],
  [
    ({ list }, n) => list.push(n),
    ({ list }) => list.pop(),
    ({ list }) => list.shift(),
    ({ list }, n) => list.splice(1, 1, n, n),
    ({ list }) => list.length,
    ({ list }) => list[0],
    ({ list }) => list[3],
    ({ list }, n) => (list[1] = n),
    ({ list }, n) => (list[4] = n),
    ({ list }) => (list.length = 1),
    ({ list }) => [...list],
    ({ list }) => 2 in list,
    ({ list }) => list.sort((a, b) => b - a).length,
    ({ list }) => list.indexOf(2),
    ({ list }) => Object.keys(list),
    ({ list }) => Reflect.deleteProperty(list, 0),
    ({ list }) => list.reverse()[0],
  ],
  [
    ({ map }) => map.get("a"),
    ({ map }, n) => map.set("a", n).size,
    ({ map }, n) => map.set("b", n) instanceof Map,
    ({ map }) => map.has("b"),
    ({ map }) => map.delete("a"),
    ({ map }) => map.delete(key),
    ({ map }, n) => map.set(key, n) instanceof Map,
    ({ map }) => map.get(key),
    ({ map }, n) => map.set(otherKey, n) instanceof Map,
    ({ map }) => map.has(otherKey),
    ({ map }) => map.get(otherKey),
    ({ map }) => map.size,
    ({ map }) => [...map.keys()],
    ({ map }) => [...map],
    ({ map }) => [...map.values()],
    ({ map }) => map.clear(),
  ],
  [
    ({ set }) => set.add("a") instanceof Set,
    ({ set }) => set.add("b") instanceof Set,
    ({ set }) => set.add("c") instanceof Set,
    ({ set }) => set.has("b"),
    ({ set }) => set.delete("a"),
    ({ set }) => set.delete("b"),
    ({ set }) => set.size,
    ({ set }) => [...set],
    ({ set }) => set.add(key) instanceof Set,
    ({ set }) => set.has(key),
    ({ set }) => set.clear(),
  ],
  [
    ({ vault }) => vault.gold,
    ({ vault }) => vault.add(),
    ({ vault }) => vault.first().n,
    ({ vault }, n) => (vault.first().n = n),
    ({ vault }, n) => vault.push(n),
    ({ account }) => account.isEmpty,
    ({ account }) => account.deposit(),
    ({ account }, n) => (account.amount = n),
    ({ account }) => account.balance,
  ],
  [
    ({ bytes }, n) => (bytes[0] = n),
    ({ bytes }) => bytes[0],
    ({ bytes }, n) => bytes.fill(n).length,
    ({ view }) => view.getInt8(0),
    ({ bytes }) => [...bytes],
    ({ bytes }, n) => (new Uint8Array(bytes.buffer)[1] = n),
    ({ date }, n) => date.setTime(n),
    ({ date }) => date.getTime(),
    ({ frozen }, n) => (frozen.box.n = n),
    ({ frozen }) => frozen.box.n,
  ],
];

interface Step {
  readonly name: string;
  readonly operation: string;
  readonly footprint?: Footprint | undefined;
}

const isDependent = ({ footprint: a }: Step, { footprint: b }: Step): boolean =>
  a!.writes.some((location) => b!.writes.includes(location) || b!.reads.includes(location)) ||
  b!.writes.some((location) => a!.reads.includes(location));

function classOf(steps: readonly Step[]): string {
  const orders = steps.flatMap((later, place) =>
    steps
      .slice(0, place)
      .filter((earlier) => isDependent(earlier, later))
      .map((earlier) => [earlier, later].map(({ name, operation }) => `${name}.${operation}`).join("<")),
  );
  return orders.sort().join();
}

/** What an operation has seen, or that it failed. */
function observe(operation: (state: State, n: number) => unknown, state: State, n: number): string {
  try {
    return JSON.stringify(operation(state, n)) ?? "nothing";
  } catch (error) {
    return String(error);
  }
}

function show({ map, set, ...rest }: State): string {
  return JSON.stringify([rest, [...map], [...set]]);
}

/** Three tasks of one to two steps, each of one or two operations on the same kind of thing. */
function drawProgram(dice: Random): readonly (readonly (readonly [group: number, index: number])[])[][] {
  const group = dice.below(OPERATIONS.length);
  const draw = (): readonly [number, number] => [group, dice.below(OPERATIONS[group]!.length)];
  return [2, 2, 1].map((steps) => Array.from({ length: steps }, () => Array.from({ length: 1 + dice.below(2) }, draw)));
}

// That two random operations of a group are dependent, and both orders differ, is so likely that each of 150 programs is a test with p > 0.9.
test("runs in which dependent steps come in the same order show and leave the same", { timeout: 60_000 }, async () => {
  const dice = new Random(7, "footprints");
  let [runs, classes] = [0, 0];
  for (let program = 0; program < 150; program++) {
    const bodies = drawProgram(dice);
    let seen: string[] = [];
    const main = async (): Promise<void> => {
      const original = makeState();
      const state = shared(original);
      seen = [];
      const tasks = bodies.map((steps, task) =>
        createTask(
          async () => {
            for (const [step, operations] of steps.entries()) {
              if (step > 0) await sleep(0);
              for (const [place, [group, index]] of operations.entries()) {
                const n = 20 + task * 16 + step * 4 + place;
                seen.push(`${task}.${step}.${place}: ${observe(OPERATIONS[group]![index]!, state, n)}`);
              }
            }
          },
          { name: `t${task}` },
        ),
      );
      await gather(tasks);
      seen = [...seen.sort(), show(original)];
    };
    const known = new Map<string, string>();
    for await (const { steps, end } of new Attempts(main, { isTracked: true }).everyRun()) {
      expect(end).toBe("passed");
      const [itsClass, result] = [classOf(steps), seen.join("\n")];
      if (known.has(itsClass)) expect(result, JSON.stringify(bodies)).toBe(known.get(itsClass));
      known.set(itsClass, result);
      runs++;
    }
    classes += known.size;
  }
  // Not one class for each run: there was something to compare.
  expect(runs).toBeGreaterThan(1.5 * classes);
});
