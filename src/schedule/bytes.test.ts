import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from "./bytes.js";

function bytesOf(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.result();
}

test("numbers are LEB128, the lowest seven bits first", () => {
  const of = (value: number): number[] => [
    ...bytesOf((writer) => {
      writer.varint(value);
    }),
  ];
  expect(of(0)).toEqual([0]);
  expect(of(127)).toEqual([127]);
  expect(of(128)).toEqual([0x80, 1]);
  expect(of(300)).toEqual([0xac, 2]);
  expect(of(2 ** 32)).toEqual([0x80, 0x80, 0x80, 0x80, 0x10]);
});

test("every number from 0 to 2^53 - 1 comes back", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const reader = new ByteReader(
        bytesOf((writer) => {
          writer.varint(value);
        }),
        "test",
      );
      expect(reader.varint(Number.MAX_SAFE_INTEGER)).toBe(value);
      reader.end();
    }),
    { seed: 7, examples: [[Number.MAX_SAFE_INTEGER], [0], [128]] },
  );
});

test("a number that the format cannot hold is refused instead of written wrong", () => {
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(() =>
      bytesOf((writer) => {
        writer.varint(value);
      }),
    ).toThrow(expect.objectContaining({ code: "HEDDLE_USAGE" }) as Error);
  }
  expect(() =>
    bytesOf((writer) => {
      writer.varint(0.5);
    }),
  ).toThrowErrorMatchingInlineSnapshot(`[UsageError: schedule: 0.5 is no whole number from 0 to 2^53 - 1]`);
});

test("every text comes back, lone surrogates and byte order marks included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(fc.integer({ min: 0, max: 0xffff })), (text, units) => {
      for (const written of [text, String.fromCharCode(...units)]) {
        const reader = new ByteReader(
          bytesOf((writer) => {
            writer.text(written);
          }),
          "test",
        );
        expect(reader.text()).toBe(written);
        reader.end();
      }
    }),
    {
      seed: 7,
      examples: [
        ["\ufeffmark", [0xd800]],
        ["", []],
        ["s", [0xdc00, 0xd800]],
        ['j"', [0xfeff]],
      ],
    },
  );
});

test("bytes that do not hold what is asked for are refused with their place", () => {
  const read = (bytes: number[], ask: (reader: ByteReader) => unknown) => () => ask(new ByteReader(Uint8Array.from(bytes), "token"));
  expect(read([], (reader) => reader.varint(9))).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: token: byte 1: ends in the middle of a number]`,
  );
  expect(read([0x80], (reader) => reader.varint(900))).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: token: byte 2: ends in the middle of a number]`,
  );
  expect(read([10], (reader) => reader.varint(9))).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: token: byte 1: holds 10 where at most 9 is allowed]`,
  );
  expect(read([3, 0, 0], (reader) => reader.count())).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: token: byte 1: announces 3 where 2 bytes follow]`,
  );
  expect(
    read([0, 0], (reader) => {
      reader.varint(0);
      reader.end();
    }),
  ).toThrowErrorMatchingInlineSnapshot(`[BadInputError: token: byte 1: goes on after its end]`);
});

test("a number padded with so many bytes that it overflows is refused", () => {
  const padded = [...Array.from({ length: 200 }, () => 0x80), 0];
  expect(() => new ByteReader(Uint8Array.from(padded), "token").varint(9)).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: token: byte 8: holds a number of too many bytes]`,
  );
});

test("a quoted name that is no quoted text is refused", () => {
  for (const content of ["j{", "j5", 'j{"toString":1}', "j"]) {
    const bytes = [content.length, ...new TextEncoder().encode(content)];
    expect(() => new ByteReader(Uint8Array.from(bytes), "token").text()).toThrow(/^token: byte \d+: holds a name that is no text$/);
  }
});

test("base64url agrees with Node's, and comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const text = toBase64Url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64url"));
      expect(fromBase64Url(text)).toEqual(bytes);
    }),
    { seed: 7 },
  );
});

test("only the one spelling of some bytes is taken", () => {
  expect(fromBase64Url("AA")).toEqual(Uint8Array.of(0));
  for (const text of ["AB", "AA==", "AA ", "A", "A+", "A/", "AA\n"]) expect(fromBase64Url(text)).toBeUndefined();
});

test("text is UTF-8, as the platform writes it where it can", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const written = bytesOf((writer) => {
        writer.text(text);
      });
      const expected = new TextEncoder().encode(`s${text}`);
      expect([...written.subarray(written.length - expected.length)]).toEqual([...expected]);
    }),
    { seed: 7, examples: [["é€😀\u0000%\ufeff"]] },
  );
});

test.each([
  ["a byte that begins nothing", [0x73, 0xff]],
  ["a character that is cut off", [0x73, 0xe2, 0x82]],
  ["a surrogate", [0x73, 0xed, 0xa0, 0x80]],
])("%s is refused", (_, bytes) => {
  const reader = new ByteReader(Uint8Array.of(bytes.length, ...bytes), "token");
  expect(() => reader.text()).toThrowErrorMatchingInlineSnapshot(`[BadInputError: token: byte 1: holds a name that is no text]`);
});
