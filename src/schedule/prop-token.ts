/**
 * The token of a failure that needs drawn values besides its order: what draws the values again, and the schedule, under one checksum.
 *
 * Layout before base64url: fast-check's seed, the path of its shrinker as text, a checksum of the values as text, the bytes of the
 * schedule's own token, and the CRC-32 of all that. The values themselves are not stored: they may be functions, and whoever
 * draws them again can tell by their checksum whether they are the same.
 */
import { BadInputError, UsageError } from "../errors/errors.js";
import { MAX_SEED, requireSeed } from "../random/random.js";
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from "./bytes.js";
import { crc32 } from "./crc32.js";
import type { Schedule } from "./schedule.js";
import { decodeSchedule, SCHEDULE_PREFIX } from "./token.js";

const PREFIX = "hp1.";
const CHECKSUM_BYTES = 4;

/** What draws values again. */
export interface DrawnFrom {
  /** A whole number from 0 to 2^32 - 1; fast-check takes it as a signed one. */
  readonly seed: number;
  /** fast-check's: the number of the draw, then of the candidate taken at each step of making it smaller. */
  readonly path: string;
  /** {@link checksumOf} the values as text. */
  readonly checksum: number;
}

/** What a token holds: a schedule, and where its values come from if it needs any. */
export interface DecodedToken {
  readonly schedule: Schedule;
  /** The token of the schedule alone. */
  readonly scheduleToken: string;
  readonly drawn: DrawnFrom | undefined;
}

/** Of values as text, for {@link DrawnFrom.checksum}. */
export function checksumOf(values: string): number {
  return crc32(new TextEncoder().encode(values));
}

/** Packs where values come from together with the token of a schedule. The same parts give the same token on every machine. */
export function encodePropToken({ seed, path, checksum }: DrawnFrom, scheduleToken: string): string {
  requireSeed(seed);
  if (!isPath(path)) throw new UsageError(`token: ${JSON.stringify(path)} is no path of fast-check's`);
  const schedule = scheduleToken.startsWith(SCHEDULE_PREFIX) ? fromBase64Url(scheduleToken.slice(SCHEDULE_PREFIX.length)) : undefined;
  if (schedule === undefined) throw new UsageError(`token: a schedule token starts with "${SCHEDULE_PREFIX}"`);
  const writer = new ByteWriter();
  writer.varint(seed);
  writer.text(path);
  writer.varint(checksum);
  writer.varint(schedule.length);
  writer.bytes(schedule);
  const own = crc32(writer.result());
  for (let shift = 24; shift >= 0; shift -= 8) writer.byte((own >>> shift) & 0xff);
  return PREFIX + toBase64Url(writer.result());
}

/**
 * Unpacks a token of either kind. Throws BadInputError where {@link decodeSchedule} would, and for a token with values that was cut or
 * changed anywhere.
 */
export function decodeToken(token: string): DecodedToken {
  if (typeof token !== "string" || !/^hp\d+\./.test(token)) {
    return { schedule: decodeSchedule(token), scheduleToken: token, drawn: undefined };
  }
  if (!token.startsWith(PREFIX)) {
    throw new BadInputError(
      `token: version ${JSON.stringify(/^hp\d+\./.exec(token)?.[0])} is not known here; this heddle reads "${PREFIX}" and "${SCHEDULE_PREFIX}"`,
    );
  }
  const bytes = fromBase64Url(token.slice(PREFIX.length));
  if (bytes === undefined) throw new BadInputError("token: holds a character that no token has, or was cut short");
  const payload = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const stated = bytes.subarray(payload.length).reduce((sum, byte) => ((sum << 8) | byte) >>> 0, 0);
  if (bytes.length <= CHECKSUM_BYTES || crc32(payload) !== stated) {
    throw new BadInputError("token: its checksum does not match, so it was changed or cut short; copy it again, whole");
  }
  const reader = new ByteReader(payload, "token");
  const seed = reader.varint(MAX_SEED);
  const path = reader.text();
  const checksum = reader.varint(0xffff_ffff);
  const schedule = reader.bytes(reader.count());
  reader.end();
  if (!isPath(path)) throw new BadInputError(`token: ${JSON.stringify(path.slice(0, 40))} is no path of fast-check's`);
  const scheduleToken = SCHEDULE_PREFIX + toBase64Url(schedule);
  return { schedule: decodeSchedule(scheduleToken), scheduleToken, drawn: { seed, path, checksum } };
}

function isPath(path: string): boolean {
  return /^\d{1,9}(:\d{1,9})*$/.test(path);
}
