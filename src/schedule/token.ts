/**
 * The token of a schedule: one short printable word with a version and a checksum.
 *
 * Layout before base64url: the settings, a table of the names used, the decisions, and the CRC-32 of all that. A decision stores
 * what joined the ready list since the one before, because a list usually is the previous one without the task that ran and with
 * newcomers at its end. No compressor is involved: the output of zlib differs between its versions, and a token must not.
 *
 * Settings that came later stand behind a flag, so that a token without them is the same word as ever. What cannot be read again is not
 * written: every schedule that {@link encodeSchedule} takes comes back.
 */
import { BadInputError, describeValue, UsageError } from "../errors/errors.js";
import { MAX_SEED, requireSeed } from "../random/random.js";
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from "./bytes.js";
import { crc32 } from "./crc32.js";
import { type StoredDecision, unpackDecisions } from "./ready-lists.js";
import { isSameReadyTask, type RecordedDecision, type Schedule } from "./schedule.js";
import type { ReadyTask } from "./strategy.js";

/** What the token of a schedule begins with, its version included. */
export const SCHEDULE_PREFIX = "hd1.";
const CHECKSUM_BYTES = 4;

/** A longer token is neither written nor read: a step takes four to eleven characters, so this is about three million steps. */
const MAX_TOKEN_LENGTH = 32_000_000;

/** The ready lists of a schedule together name so many tasks at most, or walking through them all would take a hostile token's reader minutes. */
const MAX_PLACES = 1_000_000_000;

/** Flags of the settings byte. */
const AWAIT_GRANULARITY = 1;
const INLINE_HOUSEKEEPING = 2;
const HAS_LIMITS = 4;

/** Which limits follow, in this order. */
const MAX_STEPS = 1;
const MAX_BATCH = 2;

/** How a decision's ready list is stored. */
const PREVIOUS_AND_NEWCOMERS = 0;
const WHOLE_LIST = 1;

/**
 * Packs a schedule. The same schedule gives the same token on every machine.
 *
 * Throws UsageError for what no run leaves behind: a seed or another number that is none, or a decision that picks what was not ready.
 *
 * @example
 * const token = encodeSchedule(schedule); // "hd1.BwoC…"
 * decodeSchedule(token); // an equal schedule
 * @since 0.1.0
 */
export function encodeSchedule(schedule: Schedule): string {
  requireReadable(schedule);
  const names = new Map<string, number>();
  const decisions = packDecisions(schedule.decisions, names);
  const whole = new ByteWriter();
  writeSettings(whole, schedule);
  whole.varint(names.size);
  for (const name of names.keys()) whole.text(name);
  whole.bytes(decisions);
  const checksum = crc32(whole.result());
  for (let shift = 24; shift >= 0; shift -= 8) whole.byte((checksum >>> shift) & 0xff);
  const token = SCHEDULE_PREFIX + toBase64Url(whole.result());
  if (token.length > MAX_TOKEN_LENGTH) throw new UsageError(`schedule: its token would be longer than ${MAX_TOKEN_LENGTH} characters`);
  return token;
}

/** Throws UsageError for what {@link decodeSchedule} would refuse; numbers of a setting are judged where they are written. */
function requireReadable({ seed, decisions }: Schedule): void {
  requireSeed(seed);
  let places = 0;
  for (const { ready, index } of decisions) {
    if (!(Number.isInteger(index) && index >= 0 && index < ready.length)) {
      throw new UsageError(`schedule: a decision takes index ${String(index)} of ${ready.length} ready tasks`);
    }
    places += ready.length;
  }
  if (places > MAX_PLACES) throw new UsageError(`schedule: lists more than ${MAX_PLACES} ready tasks`);
}

function writeSettings(writer: ByteWriter, { granularity, housekeeping, seed, ioLatencyMs, maxSteps, maxBatch }: Schedule): void {
  const limits = (maxSteps === undefined ? 0 : MAX_STEPS) | (maxBatch === undefined ? 0 : MAX_BATCH);
  writer.varint(
    (granularity === "await" ? AWAIT_GRANULARITY : 0) |
      (housekeeping === "inline" ? INLINE_HOUSEKEEPING : 0) |
      (limits === 0 ? 0 : HAS_LIMITS),
  );
  writer.varint(seed);
  writer.varint(ioLatencyMs);
  if (limits !== 0) writer.varint(limits);
  if (maxSteps !== undefined) writer.varint(maxSteps);
  if (maxBatch !== undefined) writer.varint(maxBatch);
}

/** Writes the decisions, and adds the names in them to `names`. */
function packDecisions(decisions: readonly RecordedDecision[], names: Map<string, number>): Uint8Array {
  const writer = new ByteWriter();
  const idOf = (text: string): number => {
    const known = names.get(text);
    if (known !== undefined) return known;
    names.set(text, names.size);
    return names.size - 1;
  };
  const writeTask = ({ name, operation }: ReadyTask): void => {
    writer.varint(idOf(name));
    writer.varint(idOf(operation));
  };
  writer.varint(decisions.length);
  let left: readonly ReadyTask[] = [];
  for (const { ready, index } of decisions) {
    const continues = left.every((task, place) => isSameReadyTask(task, ready[place]));
    writer.varint(continues ? PREVIOUS_AND_NEWCOMERS : WHOLE_LIST);
    const listed = continues ? ready.slice(left.length) : ready;
    writer.varint(listed.length);
    listed.forEach(writeTask);
    writer.varint(index);
    left = ready.toSpliced(index, 1);
  }
  return writer.result();
}

/** Whether `text` claims to be a token (of any version, with drawn values or without), rather than the name of a file. */
export function looksLikeToken(text: string): boolean {
  return /^h[dp]\d+\./.test(text);
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
  if (!token.startsWith(SCHEDULE_PREFIX)) {
    const version = /^hd\d+\./.exec(token);
    throw new BadInputError(
      version === null
        ? `token: a schedule token starts with "${SCHEDULE_PREFIX}", this one with ${JSON.stringify(token.slice(0, 8))}`
        : `token: version ${JSON.stringify(version[0])} is not known here; this heddle reads "${SCHEDULE_PREFIX}"`,
    );
  }
  if (token.length > MAX_TOKEN_LENGTH) throw new BadInputError(`token: longer than ${MAX_TOKEN_LENGTH} characters`);
  const bytes = fromBase64Url(token.slice(SCHEDULE_PREFIX.length));
  if (bytes === undefined) throw new BadInputError("token: holds a character that no token has, or was cut short");
  const payload = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const stated = bytes.subarray(payload.length).reduce((sum, byte) => ((sum << 8) | byte) >>> 0, 0);
  if (bytes.length <= CHECKSUM_BYTES || crc32(payload) !== stated) {
    throw new BadInputError("token: its checksum does not match, so it was changed or cut short; copy it again, whole");
  }
  return readPayload(new ByteReader(payload, "token"));
}

function readPayload(reader: ByteReader): Schedule {
  const flags = reader.varint(AWAIT_GRANULARITY | INLINE_HOUSEKEEPING | HAS_LIMITS);
  const seed = reader.varint(MAX_SEED);
  const ioLatencyMs = reader.varint(Number.MAX_SAFE_INTEGER);
  const limits = (flags & HAS_LIMITS) === 0 ? {} : readLimits(reader);
  const names = Array.from({ length: reader.count() }, () => reader.text());
  const decisions = readDecisions(reader, names);
  reader.end();
  return {
    version: 1,
    seed,
    granularity: (flags & AWAIT_GRANULARITY) === 0 ? "event" : "await",
    ioLatencyMs,
    housekeeping: (flags & INLINE_HOUSEKEEPING) === 0 ? "eager" : "inline",
    ...limits,
    decisions,
  };
}

function readLimits(reader: ByteReader): Pick<Schedule, "maxSteps" | "maxBatch"> {
  const limits = reader.varint(MAX_STEPS | MAX_BATCH);
  if (limits === 0) throw new BadInputError("token: announces limits and holds none");
  return {
    ...((limits & MAX_STEPS) !== 0 && { maxSteps: reader.varint(Number.MAX_SAFE_INTEGER) }),
    ...((limits & MAX_BATCH) !== 0 && { maxBatch: reader.varint(Number.MAX_SAFE_INTEGER) }),
  };
}

function readDecisions(reader: ByteReader, names: readonly string[]): readonly RecordedDecision[] {
  const readText = (): string => names[reader.varint(names.length - 1)] ?? "";
  const readTask = (): ReadyTask => ({ name: readText(), operation: readText() });
  const stored: StoredDecision[] = [];
  let left = 0;
  let places = 0;
  for (let remaining = reader.count(); remaining > 0; remaining--) {
    const continues = reader.varint(WHOLE_LIST) === PREVIOUS_AND_NEWCOMERS && stored.length > 0;
    const listed = Array.from({ length: reader.count() }, readTask);
    const length = continues ? left + listed.length : listed.length;
    places += length;
    if (places > MAX_PLACES) throw new BadInputError(`token: lists more than ${MAX_PLACES} ready tasks`);
    stored.push({ continues, listed, index: reader.varint(length - 1) });
    left = length - 1;
  }
  return unpackDecisions(stored, places);
}
