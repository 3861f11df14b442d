/**
 * The token of a schedule: one short printable word with a version and a checksum.
 *
 * Layout before base64url: the settings, a table of the names used, the decisions, and the CRC-32 of all that. A decision stores
 * what joined the ready list since the one before, because a list usually is the previous one without the task that ran and with
 * newcomers at its end. No compressor is involved: the output of zlib differs between its versions, and a token must not.
 */
import { BadInputError, describeValue } from "../errors/errors.js";
import { MAX_SEED } from "../random/random.js";
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from "./bytes.js";
import { crc32 } from "./crc32.js";
import { isSameReadyTask, type RecordedDecision, type Schedule } from "./schedule.js";
import type { ReadyTask } from "./strategy.js";

const PREFIX = "hd1.";
const CHECKSUM_BYTES = 4;

/** A longer token is refused unread: a schedule of the default 10,000 steps stays far below. */
const MAX_TOKEN_LENGTH = 8_000_000;

/** The ready lists of a token may hold so many tasks together; a hostile one could otherwise unpack to terabytes. */
const MAX_UNPACKED_TASKS = 20_000_000;

/** Flags of the settings byte. */
const AWAIT_GRANULARITY = 1;
const INLINE_HOUSEKEEPING = 2;

/** How a decision's ready list is stored. */
const PREVIOUS_AND_NEWCOMERS = 0;
const WHOLE_LIST = 1;

/**
 * Packs a schedule. The same schedule gives the same token on every machine.
 *
 * @example
 * const token = encodeSchedule(schedule); // "hd1.BwoC…"
 * decodeSchedule(token); // an equal schedule
 * @since 0.1.0
 */
export function encodeSchedule(schedule: Schedule): string {
  const body = new ByteWriter();
  const names = new Map<string, number>();
  const idOf = (text: string): number => {
    const known = names.get(text);
    if (known !== undefined) return known;
    names.set(text, names.size);
    return names.size - 1;
  };
  const writeTask = ({ name, operation }: ReadyTask): void => {
    body.varint(idOf(name));
    body.varint(idOf(operation));
  };
  body.varint(schedule.decisions.length);
  let left: readonly ReadyTask[] = [];
  for (const { ready, index } of schedule.decisions) {
    const continues = left.every((task, place) => isSameReadyTask(task, ready[place]));
    body.varint(continues ? PREVIOUS_AND_NEWCOMERS : WHOLE_LIST);
    const listed = continues ? ready.slice(left.length) : ready;
    body.varint(listed.length);
    listed.forEach(writeTask);
    body.varint(index);
    left = ready.toSpliced(index, 1);
  }

  const whole = new ByteWriter();
  whole.varint((schedule.granularity === "await" ? AWAIT_GRANULARITY : 0) | (schedule.housekeeping === "inline" ? INLINE_HOUSEKEEPING : 0));
  whole.varint(schedule.seed);
  whole.varint(schedule.ioLatencyMs);
  whole.varint(names.size);
  for (const name of names.keys()) whole.text(name);
  whole.bytes(body.result());
  const checksum = crc32(whole.result());
  for (let shift = 24; shift >= 0; shift -= 8) whole.byte((checksum >>> shift) & 0xff);
  return PREFIX + toBase64Url(whole.result());
}

/** Whether `text` claims to be a token (of any version), rather than the name of a file. */
export function looksLikeToken(text: string): boolean {
  return /^hd\d+\./.test(text);
}

/**
 * Unpacks a token.
 *
 * Throws BadInputError when it is of another version, was cut or changed anywhere (the checksum finds every change of one
 * character), or claims more than it holds.
 * @since 0.1.0
 */
export function decodeSchedule(token: string): Schedule {
  if (typeof token !== "string") throw new BadInputError(`token: must be a text, not ${describeValue(token)}`);
  if (!token.startsWith(PREFIX)) {
    const version = /^hd\d+\./.exec(token);
    throw new BadInputError(
      version === null
        ? `token: a schedule token starts with "${PREFIX}", this one with ${JSON.stringify(token.slice(0, 8))}`
        : `token: version ${JSON.stringify(version[0])} is not known here; this heddle reads "${PREFIX}"`,
    );
  }
  if (token.length > MAX_TOKEN_LENGTH) throw new BadInputError(`token: longer than ${MAX_TOKEN_LENGTH} characters`);
  const bytes = fromBase64Url(token.slice(PREFIX.length));
  if (bytes === undefined) throw new BadInputError("token: holds a character that no token has, or was cut short");
  const payload = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const stated = bytes.subarray(payload.length).reduce((sum, byte) => ((sum << 8) | byte) >>> 0, 0);
  if (bytes.length <= CHECKSUM_BYTES || crc32(payload) !== stated) {
    throw new BadInputError("token: its checksum does not match, so it was changed or cut short; copy it again, whole");
  }
  return readPayload(new ByteReader(payload, "token"));
}

function readPayload(reader: ByteReader): Schedule {
  const flags = reader.varint(AWAIT_GRANULARITY | INLINE_HOUSEKEEPING);
  const seed = reader.varint(MAX_SEED);
  const ioLatencyMs = reader.varint(Number.MAX_SAFE_INTEGER);
  const names = Array.from({ length: reader.count() }, () => reader.text());
  const readText = (): string => names[reader.varint(names.length - 1)] ?? "";
  const readTask = (): ReadyTask => ({ name: readText(), operation: readText() });

  const decisions: RecordedDecision[] = [];
  let left: readonly ReadyTask[] = [];
  let unpacked = 0;
  for (let remaining = reader.count(); remaining > 0; remaining--) {
    const continues = reader.varint(WHOLE_LIST) === PREVIOUS_AND_NEWCOMERS;
    const listed = Array.from({ length: reader.count() }, readTask);
    const ready = continues ? [...left, ...listed] : listed;
    unpacked += ready.length;
    if (unpacked > MAX_UNPACKED_TASKS) throw new BadInputError(`token: lists more than ${MAX_UNPACKED_TASKS} ready tasks`);
    const index = reader.varint(ready.length - 1);
    decisions.push({ ready, index });
    left = ready.toSpliced(index, 1);
  }
  reader.end();
  return {
    version: 1,
    seed,
    granularity: (flags & AWAIT_GRANULARITY) === 0 ? "event" : "await",
    ioLatencyMs,
    housekeeping: (flags & INLINE_HOUSEKEEPING) === 0 ? "eager" : "inline",
    decisions,
  };
}
