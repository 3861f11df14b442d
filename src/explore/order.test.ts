import { describe, expect, test } from "vitest";
import { Attempts } from "../../fixtures/search/attempts.js";
import { twostage } from "../../fixtures/search/programs.js";
import { random } from "../strategy/random.js";
import { InOrder } from "./in-order.js";
import { nameOf, type OrderItem, orderOf } from "./order.js";

const textOf = (items: readonly OrderItem[]): string =>
  items.map((item) => [item, ...item.joined].map(({ name, operation }) => `${name}@${operation}`).join("+")).join(" ");

/** Gates that settle alone or together, a timer that may come before them, and tasks. */
const mixed = new Attempts(async ({ io, sleep, gather, createTask }) => {
  const waits = createTask(
    async () => {
      await sleep(3);
      await io("late");
    },
    { name: "waits" },
  );
  const asks = createTask(
    async () => {
      await Promise.all([io("a"), io("b"), io("a")]);
      await sleep(0);
    },
    { name: "asks" },
  );
  await gather(waits, asks);
});

describe("the order of a run", () => {
  test("holds every step once, batches and where time passed", async () => {
    let [batches, clocks] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const run = await mixed.run(random(seed));
      const items = orderOf(run);
      expect(items.flatMap(({ step }) => step ?? [])).toEqual(run.steps);
      expect(items.map(({ place }) => place).filter((place) => place !== undefined)).toEqual(run.steps.map((_, place) => place));
      batches += items.filter(({ joined }) => joined.length > 0).length;
      clocks += items.filter(({ kind }) => kind === "clock").length;
    }
    // Missed with p < 1e-6: about a third of the runs have each of them.
    expect(batches).toBeGreaterThan(0);
    expect(clocks).toBeGreaterThan(0);
  });

  test("followed again gives the same run", async () => {
    for (let seed = 0; seed < 60; seed++) {
      const run = await mixed.run(random(seed));
      const strategy = new InOrder(orderOf(run));
      const again = await mixed.run(strategy);
      expect(textOf(orderOf(again))).toBe(textOf(orderOf(run)));
      expect(again.schedule).toEqual(run.schedule);
      orderOf(run).forEach((item, index, items) => {
        if (item.kind === "clock") expect(strategy.placeOf(item)).toBeUndefined();
        else expect(strategy.placeOf(item)).toBe(items.slice(0, index + 1).filter(({ kind }) => kind !== "clock").length);
      });
    }
  });

  test("followed again gives the same run where steps are tracked, too", async () => {
    const attempts = new Attempts((world) => twostage().scenario(world as never), { isTracked: true });
    for (let seed = 0; seed < 20; seed++) {
      const run = await attempts.run(random(seed));
      const items = orderOf(run);
      expect(items.every(({ id }) => id !== undefined)).toBe(true);
      const strategy = new InOrder(items);
      expect(strategy.tracks).toBe(true);
      expect((await attempts.run(strategy)).steps).toEqual(
        run.steps.map((step) => expect.objectContaining({ name: step.name, id: step.id }) as unknown),
      );
    }
  });

  test("is that of the steps where no decisions are known, or not all", async () => {
    const run = await mixed.run(random(3));
    const names = run.steps.map(nameOf).join(" ");
    const namesOf = (items: readonly OrderItem[]): string =>
      items.flatMap(({ step }) => (step === undefined ? [] : [nameOf(step)])).join(" ");
    expect(namesOf(orderOf({ steps: run.steps }))).toBe(names);
    const { decisions } = run.schedule;
    for (let length = 0; length < decisions.length; length++) {
      expect(namesOf(orderOf({ steps: run.steps, schedule: { decisions: decisions.slice(0, length), ioLatencyMs: 10 } }))).toBe(names);
    }
  });
});

describe("an order is followed as far as it applies", () => {
  const item = (name: string, operation: string): OrderItem => ({ kind: "task", name, operation, joined: [], faults: [], ready: [] });
  const three = new Attempts(async ({ gather, createTask, sleep }) => {
    const turns = (count: number) => async (): Promise<void> => {
      for (let turn = 1; turn < count; turn++) await sleep(0);
    };
    await gather(createTask(turns(2), { name: "a" }), createTask(turns(2), { name: "b" }), createTask(turns(2), { name: "c" }));
  });
  const namesOf = async (strategy: InOrder): Promise<string> => (await three.run(strategy)).steps.map(({ name }) => name).join(" ");

  test("without any, tasks run one after the other", async () => {
    expect(await namesOf(new InOrder([]))).toBe("main a a b b c c main");
  });

  test("what it does not name comes after what it names, and then who ran last goes on", async () => {
    expect(await namesOf(new InOrder([item("b", "1"), item("a", "1"), item("a", "7")]))).toBe("main b a a c c b main");
  });

  test("what is to come last waits until nothing else is ready", async () => {
    expect(await namesOf(new InOrder([item("b", "1")], [item("a", "1"), item("b", "2")]))).toBe("main b c c a a b main");
  });
});
