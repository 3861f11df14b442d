import { expect, test } from "vitest";
import { crc32 } from "./crc32.js";

const of = (text: string): number => crc32(new TextEncoder().encode(text));

test("the check value of CRC-32 is that of the catalogue", () => {
  expect(of("123456789")).toBe(0xcbf43926);
});

test("it agrees with zlib on other inputs", () => {
  // From Python: zlib.crc32(b"") and so on.
  expect(of("")).toBe(0);
  expect(of("a")).toBe(0xe8b7be43);
  expect(of("The quick brown fox jumps over the lazy dog")).toBe(0x414fa339);
  expect(crc32(Uint8Array.from({ length: 256 }, (_, index) => index))).toBe(0x29058c73);
});
