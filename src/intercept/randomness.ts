/**
 * `Math.random` and `crypto` inside a run: they draw from the run's seed, the same in every run of an exploration. Can be left alone, by
 * `seedRandom: false`.
 */
import type { Random } from "../random/random.js";
import { builtin } from "./builtin.js";
import { named, type Replacement, replacing } from "./replacement.js";
import { findTakingLoop } from "./taking-loop.js";

export function randomnessReplacements(): readonly Replacement[] {
  const { crypto } = globalThis as { readonly crypto?: object };
  const webCrypto = crypto && (Object.getPrototypeOf(crypto) as object);
  const nodeCrypto = builtin("crypto");
  return [
    ...drawing(Math, "random", "Math.random", (random) => random.next()),
    ...drawing(webCrypto, "randomUUID", "crypto.randomUUID", uuid),
    ...drawing(webCrypto, "getRandomValues", "crypto.getRandomValues", fill, isFillable),
    ...drawing(nodeCrypto, "randomUUID", "node:crypto.randomUUID", uuid, areUuidOptions),
    // With a callback it is a request to the thread pool, and stays one.
    ...drawing(nodeCrypto, "randomBytes", "node:crypto.randomBytes", bytes, (size, callback) => isSize(size) && callback === undefined),
    ...drawing(
      nodeCrypto,
      "randomFillSync",
      "node:crypto.randomFillSync",
      fillPart,
      (buffer, offset, size) => findPart(buffer, offset, size) !== undefined,
    ),
    ...drawing(nodeCrypto, "randomInt", "node:crypto.randomInt", wholeNumber, isRange),
  ];
}

/** Inside a run with a seed `draw` is asked; everywhere else, and for arguments that it does not take, the platform. */
function drawing(
  owner: object | undefined,
  name: string,
  label: string,
  draw: (random: Random, ...args: never[]) => unknown,
  takes: (...args: unknown[]) => boolean = () => true,
): readonly Replacement[] {
  return replacing(owner, name, label, (real) => {
    const forwarding = function (this: unknown, ...args: unknown[]): unknown {
      const takenOver = findTakingLoop()?.takenOver;
      const random = takenOver?.random;
      if (random !== undefined && takes(...args)) return draw(random, ...(args as never[])); // just looked at
      takenOver?.noteUnseeded(`${label}()`);
      return real.apply(this, args);
    };
    return named(forwarding, name, real.length);
  });
}

/** What the web takes: whole numbers in an array, and not too many of them. */
function isFillable(array: unknown): boolean {
  if (!ArrayBuffer.isView(array) || array.byteLength > 65_536) return false;
  return /^(?:Big)?U?[Ii]nt\d+(?:Clamped)?Array$/.test((array as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "");
}

/** The bytes that `randomFillSync(buffer, offset, size)` fills, both counted in elements; undefined where it would throw. */
function findPart(buffer: unknown, offset: unknown = 0, size?: unknown): Uint8Array | undefined {
  const view = ArrayBuffer.isView(buffer) ? buffer : buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : undefined;
  if (view === undefined) return undefined;
  const width = (buffer as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  const from = Number.isInteger(offset) ? (offset as number) * width : -1;
  const length = size === undefined ? view.byteLength - from : Number.isInteger(size) ? (size as number) * width : -1;
  if (from < 0 || length < 0 || from + length > view.byteLength) return undefined;
  return new Uint8Array(view.buffer, view.byteOffset + from, length);
}

function fillPart(random: Random, buffer: unknown, offset: unknown, size: unknown): unknown {
  const part = findPart(buffer, offset, size);
  if (part !== undefined) fill(random, part);
  return buffer;
}

function areUuidOptions(options: unknown): boolean {
  if (typeof options !== "object" || options === null) return options === undefined;
  const { disableEntropyCache = false } = options as { readonly disableEntropyCache?: unknown };
  return typeof disableEntropyCache === "boolean";
}

const isSize = (size: unknown): boolean => Number.isInteger(size) && (size as number) >= 0 && (size as number) <= 2 ** 31 - 1;

/** Whether these are one or two bounds of `randomInt`, without a callback. */
function isRange(low: unknown, high: unknown, callback: unknown): boolean {
  const [from, to] = high === undefined ? [0, low] : [low, high];
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || callback !== undefined) return false;
  const width = (to as number) - (from as number);
  return width > 0 && width < 2 ** 48;
}

function fill(random: Random, array: ArrayBufferView): ArrayBufferView {
  const view = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let index = 0; index < view.length; index++) view[index] = random.below(256);
  return array;
}

function bytes(random: Random, size: number): Uint8Array {
  const { Buffer } = globalThis as unknown as { readonly Buffer: { alloc(size: number): Uint8Array } };
  const buffer = Buffer.alloc(size);
  fill(random, buffer);
  return buffer;
}

function wholeNumber(random: Random, low: number, high?: number): number {
  const [from, to] = high === undefined ? [0, low] : [low, high];
  return from + Math.floor(random.next() * (to - from));
}

/** A UUID of version 4, as in RFC 9562, section 5.4. */
function uuid(random: Random): string {
  const view = fill(random, new Uint8Array(16)) as Uint8Array;
  view[6] = ((view[6] ?? 0) & 0x0f) | 0x40;
  view[8] = ((view[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(view, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
