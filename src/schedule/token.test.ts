import fc from "fast-check";
import { expect, test } from "vitest";
import { BadInputError } from "../errors/errors.js";
import { ByteWriter, toBase64Url } from "./bytes.js";
import { crc32 } from "./crc32.js";
import type { Schedule } from "./schedule.js";
import { decodeSchedule, encodeSchedule, looksLikeToken } from "./token.js";

const a = { name: "a", operation: "1" };
const b = { name: "b", operation: "1" };
const a2 = { name: "a", operation: "2" };

const example: Schedule = {
  version: 1,
  seed: 7,
  granularity: "event",
  ioLatencyMs: 10,
  housekeeping: "eager",
  decisions: [
    { ready: [a, b], index: 1 },
    { ready: [a, a2], index: 0 },
    { ready: [b, a], index: 0 },
  ],
};

/** A token of our own making: right prefix and checksum around `payload`. */
function sealed(payload: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter();
  payload(writer);
  const checksum = crc32(writer.result());
  for (let shift = 24; shift >= 0; shift -= 8) writer.byte((checksum >>> shift) & 0xff);
  return `hd1.${toBase64Url(writer.result())}`;
}

/** Calls `decodeSchedule` and answers the message of its BadInputError, and how long it took. */
function refusal(token: string): { message: string; tookMs: number } {
  const began = performance.now();
  try {
    decodeSchedule(token);
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    return { message: error.message, tookMs: performance.now() - began };
  }
  throw new Error(`taken: ${token.slice(0, 100)}`);
}

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("t1", "t2", ""),
);
const anyDecision = fc
  .array(fc.record({ name: anyText, operation: anyText }), { minLength: 1, maxLength: 6 })
  .chain((ready) => fc.record({ ready: fc.constant(ready), index: fc.nat({ max: ready.length - 1 }) }));
/** Lists that follow from each other as those of a run do, and lists that do not. */
const anyDecisions = fc.array(fc.tuple(anyDecision, fc.boolean()), { maxLength: 20 }).map((drawn) => {
  const decisions: { ready: { name: string; operation: string }[]; index: number }[] = [];
  for (const [{ ready, index }, follows] of drawn) {
    const last = decisions.at(-1);
    const left = last === undefined || !follows ? [] : last.ready.toSpliced(last.index, 1);
    decisions.push({ ready: [...left, ...ready], index });
  }
  return decisions;
});
const anySchedule: fc.Arbitrary<Schedule> = fc.record(
  {
    version: fc.constant(1 as const),
    seed: fc.integer({ min: 0, max: 0xffff_ffff }),
    granularity: fc.constantFrom("event" as const, "await" as const),
    ioLatencyMs: fc.maxSafeNat(),
    housekeeping: fc.constantFrom("eager" as const, "inline" as const),
    maxSteps: fc.maxSafeNat(),
    maxBatch: fc.maxSafeNat(),
    decisions: anyDecisions,
  },
  { requiredKeys: ["version", "seed", "granularity", "ioLatencyMs", "housekeeping", "decisions"] },
);

test("every schedule comes back from its token", () => {
  fc.assert(
    fc.property(anySchedule, (schedule) => {
      const token = encodeSchedule(schedule);
      expect(decodeSchedule(token)).toEqual(schedule);
      expect(encodeSchedule(decodeSchedule(token))).toBe(token);
      expect(token).toMatch(/^hd1\.[A-Za-z0-9_-]+$/);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test("the token of an example is this one, byte for byte", () => {
  expect(encodeSchedule(example)).toMatchInlineSnapshot(`"hd1.AAcKBAJzYQJzMQJzYgJzMgMAAgABAgEBAAEAAwABAgIBAAEAVQAhGA"`);
});

test("the token of a schedule without decisions is short", () => {
  expect(encodeSchedule({ ...example, decisions: [] })).toMatchInlineSnapshot(`"hd1.AAcKAABWYkpy"`);
});

test("limits stand in the token of the schedule that has them", () => {
  const withLimits: Schedule = { ...example, maxSteps: 500, maxBatch: 3, decisions: [] };
  expect(encodeSchedule(withLimits)).toMatchInlineSnapshot(`"hd1.BAcKA_QDAwAAPoOGcQ"`);
  expect(decodeSchedule(encodeSchedule(withLimits))).toEqual(withLimits);
  expect(Object.keys(decodeSchedule(encodeSchedule(example)))).not.toContain("maxSteps");
});

/** `width` tasks that are all ready at once and end in their first step, the last one first. */
function allReadyAtOnce(width: number): Schedule {
  const tasks = Array.from({ length: width }, (_, place) => ({ name: `t${place}`, operation: "1" }));
  const decisions = tasks.map((_, done) => ({ ready: tasks.slice(0, width - done), index: width - done - 1 }));
  return { ...example, decisions };
}

test("a schedule of thousands of tasks that are ready at once comes back from its token, list by list", () => {
  const schedule = allReadyAtOnce(7_000); // 24,503,500 places
  const { decisions, ...settings } = decodeSchedule(encodeSchedule(schedule));
  expect({ ...settings, decisions: [] }).toEqual({ ...schedule, decisions: [] });
  expect(decisions.map(({ ready, index }) => [ready.length, index])).toEqual(
    schedule.decisions.map(({ ready, index }) => [ready.length, index]),
  );
  // In any order: one list after another, back, and the same again.
  for (const place of [0, 1, 6_990, 6_991, 6_991, 5_000, 6_999]) expect(decisions[place]).toEqual(schedule.decisions[place]);
});

test("a token of a few characters that stands for a billion places is read without unpacking them, and one of more is refused", () => {
  const tokenOf = (decisions: number): string =>
    sealed((writer) => {
      for (const value of [0, 7, 10]) writer.varint(value);
      writer.varint(1);
      writer.text("t");
      const width = 20_000;
      writer.varint(decisions);
      writer.varint(1);
      writer.varint(width);
      for (let count = 0; count < 2 * width; count++) writer.varint(0);
      writer.varint(0);
      // Each drops one task and adds another.
      for (let count = 1; count < decisions; count++) for (const value of [0, 1, 0, 0, 0]) writer.varint(value);
    });
  const began = performance.now();
  const { decisions } = decodeSchedule(tokenOf(50_000));
  expect(decisions[1]).toEqual({ ready: Array.from({ length: 20_000 }, () => ({ name: "t", operation: "t" })), index: 0 });
  // Unpacked, they would take 8 GB and some ten seconds.
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(refusal(tokenOf(50_001)).message).toMatchInlineSnapshot(`"token: lists more than 1000000000 ready tasks"`);
});

test("what could not be read again is not written", () => {
  const wide = { ready: Array<typeof a>(100_000).fill(a), index: 0 };
  const refusedBy = (change: Partial<Schedule>): string => {
    try {
      encodeSchedule({ ...example, ...change });
    } catch (error) {
      expect(error).toMatchObject({ code: "HEDDLE_USAGE" });
      return (error as Error).message;
    }
    throw new Error(`taken: ${JSON.stringify(change).slice(0, 100)}`);
  };
  expect([
    refusedBy({ decisions: [{ ready: [a, b], index: 2 }] }),
    refusedBy({ decisions: [{ ready: [a, b], index: 0.5 }] }),
    refusedBy({ decisions: [{ ready: [], index: 0 }] }),
    refusedBy({ seed: 2 ** 32 }),
    refusedBy({ ioLatencyMs: Number.POSITIVE_INFINITY }),
    refusedBy({ maxSteps: -1 }),
    refusedBy({ maxBatch: Number.NaN }),
    refusedBy({ decisions: Array<typeof wide>(10_001).fill(wide) }),
  ]).toMatchInlineSnapshot(`
    [
      "schedule: a decision takes index 2 of 2 ready tasks",
      "schedule: a decision takes index 0.5 of 2 ready tasks",
      "schedule: a decision takes index 0 of 0 ready tasks",
      "seed: must be a whole number from 0 to 4294967295, not 4294967296",
      "schedule: Infinity is no whole number from 0 to 2^53 - 1",
      "schedule: -1 is no whole number from 0 to 2^53 - 1",
      "schedule: NaN is no whole number from 0 to 2^53 - 1",
      "schedule: lists more than 1000000000 ready tasks",
    ]
  `);
});

test("every change of one character is refused", () => {
  const token = encodeSchedule(example);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= é";
  let tried = 0;
  for (let place = 0; place < token.length; place++) {
    for (const character of alphabet) {
      if (character === token[place]) continue;
      refusal(token.slice(0, place) + character + token.slice(place + 1));
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(token.length * (alphabet.length - 2));
});

test("a token that lost or gained a character, or two neighbours of which swapped, is refused", () => {
  const token = encodeSchedule(example);
  for (let place = 0; place < token.length; place++) {
    refusal(token.slice(0, place) + token.slice(place + 1));
    refusal(`${token.slice(0, place)}A${token.slice(place)}`);
    const swapped = [...token];
    [swapped[place], swapped[place + 1]] = [token[place + 1] ?? "", token[place] ?? ""];
    if (swapped.join("") !== token) refusal(swapped.join(""));
  }
  refusal(`${token}A`);
});

test("a refusal says what is wrong", () => {
  const token = encodeSchedule(example);
  expect(refusal(token.slice(0, 20)).message).toMatchInlineSnapshot(
    `"token: its checksum does not match, so it was changed or cut short; copy it again, whole"`,
  );
  expect(refusal(`${token.slice(0, 10)} ${token.slice(11)}`).message).toMatchInlineSnapshot(
    `"token: holds a character that no token has, or was cut short"`,
  );
  expect(refusal(token.replace("hd1.", "hd2.")).message).toMatchInlineSnapshot(
    `"token: version "hd2." is not known here; this heddle reads "hd1.""`,
  );
  expect(refusal("reports/failures/x.json").message).toMatchInlineSnapshot(
    `"token: a schedule token starts with "hd1.", this one with "reports/""`,
  );
  expect(refusal("").message).toMatchInlineSnapshot(`"token: a schedule token starts with "hd1.", this one with """`);
  expect(refusal("hd1.").message).toMatchInlineSnapshot(
    `"token: its checksum does not match, so it was changed or cut short; copy it again, whole"`,
  );
  expect(refusal(`hd1.${"A".repeat(32_000_001)}`).message).toMatchInlineSnapshot(`"token: longer than 32000000 characters"`);
});

test("a hostile token with a right checksum is refused before it costs anything", () => {
  const settings = (writer: ByteWriter): void => {
    for (const value of [0, 7, 10]) writer.varint(value);
  };
  const hostile: ((writer: ByteWriter) => void)[] = [
    (writer) => {
      settings(writer);
      writer.varint(Number.MAX_SAFE_INTEGER);
    },
    (writer) => {
      settings(writer);
      writer.varint(0);
      writer.varint(2 ** 40);
    },
    (writer) => {
      settings(writer);
      writer.varint(1);
      writer.varint(2 ** 30);
      writer.byte(115);
    },
    (writer) => {
      settings(writer);
      writer.varint(0);
      writer.varint(1);
      writer.varint(0);
      writer.varint(2 ** 30);
    },
    (writer) => {
      writer.varint(9);
    },
    // Limits that nobody knows, and none behind the flag that announces some.
    (writer) => {
      for (const value of [4, 7, 10, 4]) writer.varint(value);
    },
    (writer) => {
      for (const value of [4, 7, 10, 0, 0, 0]) writer.varint(value);
    },
    (writer) => {
      writer.varint(0);
      writer.varint(2 ** 32);
    },
    (writer) => {
      for (let count = 0; count < 1_000; count++) writer.byte(0x80);
    },
    (writer) => {
      settings(writer);
      writer.varint(1);
      writer.varint(2);
      writer.bytes(new TextEncoder().encode("j{"));
    },
    // A decision among nothing, and a name that is not in the table.
    (writer) => {
      settings(writer);
      for (const value of [0, 1, 0, 0, 0]) writer.varint(value);
    },
    (writer) => {
      settings(writer);
      for (const value of [0, 1, 0, 1, 0, 0, 0]) writer.varint(value);
    },
  ];
  for (const payload of hostile) {
    const { message, tookMs } = refusal(sealed(payload));
    expect(message).toMatch(/^token: (byte \d+: |announces limits and holds none$)/);
    expect(tookMs).toBeLessThan(2_000);
  }
});

test("a token of any version is told from the name of a file", () => {
  expect(looksLikeToken(encodeSchedule(example))).toBe(true);
  expect(looksLikeToken("hd12.anything")).toBe(true);
  expect(looksLikeToken("hd.json")).toBe(false);
  expect(looksLikeToken("reports/hd1.json")).toBe(false);
});
