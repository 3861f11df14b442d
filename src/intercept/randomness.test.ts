import { getRandomValues as nodeGetRandomValues, randomBytes, randomFillSync, randomInt, randomUUID, webcrypto } from "node:crypto";
import { describe, expect, test } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "../explore/explore.js";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const draws: Readonly<Record<string, () => unknown>> = {
  "Math.random": () => Math.random(),
  "crypto.randomUUID": () => crypto.randomUUID(),
  "crypto.getRandomValues": () => [...crypto.getRandomValues(new Uint8Array(16))],
  "crypto.getRandomValues of wide numbers": () => [...crypto.getRandomValues(new Uint32Array(4))],
  "webcrypto.randomUUID": () => webcrypto.randomUUID(),
  "node:crypto.randomUUID": () => randomUUID(),
  "node:crypto.getRandomValues": () => [...nodeGetRandomValues(new Uint8Array(16))],
  "node:crypto.randomBytes": () => randomBytes(16).toString("hex"),
  "node:crypto.randomFillSync": () => [...randomFillSync(new Uint8Array(16))],
  "node:crypto.randomInt": () => randomInt(2 ** 40),
};

const bytesOf = (filled: ArrayBufferView | ArrayBuffer): readonly number[] =>
  ArrayBuffer.isView(filled) ? [...new Uint8Array(filled.buffer, filled.byteOffset, filled.byteLength)] : [...new Uint8Array(filled)];

/** What each run of an exploration draws, twice. */
async function drawnIn(draw: () => unknown, seed: number, seedRandom = true): Promise<readonly string[]> {
  const runs: string[] = [];
  await explore(
    async ({ io }) => {
      const first = draw();
      await Promise.all([io("a", 1), io("b", 2)]);
      runs.push(JSON.stringify([first, draw()]));
    },
    { seed, runs: 8, selfCheck: false, seedRandom },
  );
  return runs;
}

describe.each(Object.entries(draws))("%s", (_name, draw) => {
  test("draws the same in every run, the same for the same seed, and other for another", async () => {
    const first = await drawnIn(draw, 7);
    expect(first).toHaveLength(8);
    expect(new Set(first).size).toBe(1);
    expect(await drawnIn(draw, 7)).toEqual(first);
    expect(await drawnIn(draw, 8)).not.toEqual(first);
    // It goes on from draw to draw.
    const [one, two] = JSON.parse(first[0] ?? "[]") as readonly unknown[];
    expect(one).not.toEqual(two);
  });

  test("is left alone by seedRandom: false, and outside of runs", async () => {
    // Eight draws of 40 bits or more: that two of them are alike has p < 1e-10.
    expect(new Set(await drawnIn(draw, 7, false)).size).toBe(8);
    await drawnIn(draw, 7);
    expect(draw()).not.toEqual(draw());
  });
});

describe("what is drawn is of the shape that it should be", () => {
  test("numbers of Math.random are from 0 to 1, and spread", async () => {
    const numbers = await inRun(() => Array.from({ length: 10_000 }, () => Math.random()));
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    // The mean of 10,000 has sigma 0.003; the seed is fixed.
    expect(Math.abs(numbers.reduce((sum, number) => sum + number, 0) / 10_000 - 0.5)).toBeLessThan(0.02);
  });

  test("UUIDs are of version 4, and no two are alike", async () => {
    const uuids = await inRun(() =>
      Array.from({ length: 500 }, () => [crypto.randomUUID(), randomUUID(), randomUUID({ disableEntropyCache: true })]),
    );
    expect(uuids.flat().filter((uuid) => !UUID_V4.test(uuid))).toEqual([]);
    expect(new Set(uuids.flat()).size).toBe(1_500);
  });

  test("arrays are filled in place, only where they are seen, and handed back", async () => {
    const [isSame, bytes, isFilledWide] = await inRun(() => {
      const buffer = new Uint8Array(24);
      const middle = buffer.subarray(8, 16);
      const wide = new BigUint64Array(4);
      return [
        crypto.getRandomValues(middle) === middle && crypto.getRandomValues(wide) === wide && randomFillSync(wide) === wide,
        buffer,
        wide.every((number) => number > 2n ** 8n),
      ] as const;
    });
    expect(isSame).toBe(true);
    expect([...bytes.subarray(0, 8), ...bytes.subarray(16)]).toEqual(Array.from({ length: 16 }, () => 0));
    expect(bytes.subarray(8, 16).some((byte) => byte !== 0)).toBe(true);
    expect(isFilledWide).toBe(true);
  });

  test.each<[string, () => ArrayBufferView | ArrayBuffer, readonly number[]]>([
    ["from an offset on", () => randomFillSync(new Uint8Array(8), 5), [5, 6, 7]],
    ["of a size", () => randomFillSync(new Uint8Array(8), 2, 3), [2, 3, 4]],
    ["of a size, in elements", () => randomFillSync(new Uint16Array(4), 1, 2), [2, 3, 4, 5]],
    ["of an ArrayBuffer", () => randomFillSync(new ArrayBuffer(4) as unknown as Uint8Array), [0, 1, 2, 3]],
    ["of a DataView", () => randomFillSync(new DataView(new ArrayBuffer(4))), [0, 1, 2, 3]],
  ])("randomFillSync fills the part %s, from the seed", async (_name, fillSome, expected) => {
    const filled = new Set<number>();
    // A byte is 0 in 1 of 256 draws: in all of 40 with p < 1e-96.
    const drawn = await inRun(() => Array.from({ length: 40 }, () => bytesOf(fillSome())));
    for (const bytes of drawn) for (const [place, byte] of bytes.entries()) if (byte !== 0) filled.add(place);
    expect([...filled].sort()).toEqual(expected);
    expect(await inRun(() => Array.from({ length: 40 }, () => bytesOf(fillSome())))).toEqual(drawn);
  });

  test("randomBytes answers a Buffer of its size, and randomInt whole numbers of its range", async () => {
    const [bytes, numbers] = await inRun(() => [
      [0, 1, 33].map((size) => randomBytes(size)),
      Array.from({ length: 300 }, () => [randomInt(3), randomInt(-5, -2), randomInt(10, 11)]),
    ]);
    expect(bytes?.map((each) => [Buffer.isBuffer(each), each.length])).toEqual([
      [true, 0],
      [true, 1],
      [true, 33],
    ]);
    const column = (place: number): readonly unknown[] => [...new Set((numbers ?? []).map((row) => row[place]))].sort();
    expect([column(0), column(1).toSorted(), column(2)]).toEqual([[0, 1, 2], [-3, -4, -5], [10]]);
  });
});

describe("arguments that are none get the platform's own error", () => {
  const calls: Readonly<Record<string, () => unknown>> = {
    "an array of fractions": () => crypto.getRandomValues(new Float64Array(2) as unknown as Uint8Array),
    "no array": () => crypto.getRandomValues([1, 2] as unknown as Uint8Array),
    "a DataView": () => crypto.getRandomValues(new DataView(new ArrayBuffer(8)) as unknown as Uint8Array),
    "nothing at all": () => (crypto.getRandomValues as () => unknown).call(crypto),
    "an array that is too long": () => crypto.getRandomValues(new Uint8Array(65_537)),
    "a negative size": () => randomBytes(-1),
    "a size that is none": () => randomBytes("8" as unknown as number),
    "an empty range": () => randomInt(5, 5),
    "a range of fractions": () => randomInt(1.5),
    "a range that is too wide": () => randomInt(0, 2 ** 48),
    "a part of an array that is beyond it": () => randomFillSync(new Uint8Array(8), 4, 5),
    "a part of an array before it": () => randomFillSync(new Uint8Array(8), -1),
    "no array to fill": () => randomFillSync([] as unknown as Uint8Array),
    "options of a UUID that are none": () => randomUUID(7 as unknown as object),
    "an option of a UUID that is none": () => randomUUID({ disableEntropyCache: "no" as unknown as boolean }),
  };
  const outcomeOf = (call: () => unknown): unknown => {
    try {
      return { value: call() };
    } catch (error) {
      const { name, message, code } = error as Error & { readonly code?: unknown };
      return { name, message, code };
    }
  };
  test.each(Object.entries(calls))("%s", async (_name, call) => {
    const expected = outcomeOf(call);
    expect(expected).toHaveProperty("message");
    expect(await inRun(() => outcomeOf(call))).toEqual(expected);
  });
});

describe("with a callback it is a request to the thread pool, which a run waits for", () => {
  test("randomBytes and randomInt answer so", async () => {
    const seen = await inRun(async () => {
      const bytes = await new Promise<Buffer>((resolve, reject) =>
        randomBytes(8, (error, buffer) => (error ? reject(error) : resolve(buffer))),
      );
      const number = await new Promise<number>((resolve, reject) =>
        randomInt(4, (error, value) => (error ? reject(error) : resolve(value))),
      );
      return [bytes.length, number >= 0 && number < 4];
    });
    expect(seen).toEqual([8, true]);
  });
});

test("the program's randomness decides no schedule: the orders of a scenario that draws are those of one that does not", async () => {
  const ordersOf = async (draw: () => unknown): Promise<readonly string[]> => {
    const orders: string[] = [];
    await explore(
      async ({ io }) => {
        const log: string[] = [];
        draw();
        await Promise.all(["a", "b", "c"].map((name) => io(name, name).then((each) => log.push(each))));
        orders.push(log.join(""));
      },
      { seed: 7, runs: 50, selfCheck: false },
    );
    return orders;
  };
  expect(await ordersOf(() => [Math.random(), crypto.randomUUID()])).toEqual(await ordersOf(() => undefined));
});
