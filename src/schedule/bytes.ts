/**
 * Reading and writing the bytes of a token: LEB128 numbers, UTF-8 text, base64url. Nothing here is particular to Node.
 */
import { BadInputError, UsageError } from "../errors/errors.js";

/** Collects bytes. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  byte(value: number): void {
    this.#bytes.push(value);
  }

  bytes(values: Uint8Array): void {
    for (const value of values) this.#bytes.push(value);
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`schedule: ${String(value)} is no whole number from 0 to 2^53 - 1`);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes.push(rest);
  }

  text(text: string): void {
    // JSON escapes lone surrogates, which UTF-8 cannot hold.
    const encoded = toUtf8(text.isWellFormed() ? `s${text}` : `j${JSON.stringify(text)}`);
    this.varint(encoded.length);
    this.bytes(encoded);
  }

  result(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what a {@link ByteWriter} wrote; every method throws BadInputError where the bytes do not hold what is asked for. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #subject: string;
  #position = 0;

  constructor(bytes: Uint8Array, subject: string) {
    this.#bytes = bytes;
    this.#subject = subject;
  }

  /** A number of at most `maximum`. */
  varint(maximum: number): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw this.#error("ends in the middle of a number");
      value += (byte & 0x7f) * factor;
      if (value > maximum) throw this.#error(`holds ${value} where at most ${maximum} is allowed`);
      if (byte < 0x80) return value;
      factor *= 0x80;
      if (factor > Number.MAX_SAFE_INTEGER) throw this.#error("holds a number of too many bytes");
    }
  }

  /** How many things follow; each takes at least a byte, so a count that the rest cannot hold is refused before it is believed. */
  count(): number {
    const count = this.varint(this.#bytes.length - this.#position);
    const rest = this.#bytes.length - this.#position;
    if (count > rest) throw this.#error(`announces ${count} where ${rest} bytes follow`);
    return count;
  }

  text(): string {
    const length = this.count();
    const text = fromUtf8(this.#bytes.subarray(this.#position, this.#position + length));
    if (text === undefined) throw this.#error("holds a name that is no text");
    this.#position += length;
    return text.startsWith("j") ? this.#unquote(text.slice(1)) : text.slice(1);
  }

  #unquote(quoted: string): string {
    let value: unknown;
    try {
      value = JSON.parse(quoted);
    } catch {
      // Falls through to the one error for everything that is no quoted text.
    }
    if (typeof value !== "string") throw this.#error("holds a name that is no text");
    return value;
  }

  /** So many bytes as they are. */
  bytes(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#position, this.#position + length);
    if (bytes.length < length) throw this.#error(`ends where ${length} bytes were announced`);
    this.#position += length;
    return bytes;
  }

  end(): void {
    if (this.#position !== this.#bytes.length) throw this.#error("goes on after its end");
  }

  #error(problem: string): BadInputError {
    return new BadInputError(`${this.#subject}: byte ${this.#position}: ${problem}`);
  }
}

/** The language has UTF-8 only in the escapes of addresses, and not every realm has a TextEncoder: jest's realm with jsdom has none. */
function toUtf8(text: string): Uint8Array {
  const bytes = encodeURIComponent(text).matchAll(/%(..)|./g);
  return Uint8Array.from(bytes, ([character, escaped]) => (escaped === undefined ? character.charCodeAt(0) : Number.parseInt(escaped, 16)));
}

/** The text, or undefined where the bytes are no UTF-8. */
function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
  } catch {
    return undefined;
  }
}

// Kept from when this is loaded, because Node makes them when they are first asked for, which it cannot do in a global object that is frozen by then.
const { btoa, atob } = globalThis;

/** RFC 4648, section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes, or undefined unless `text` is exactly what {@link toBase64Url} writes (so spare bits must be zero). */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : undefined;
}
