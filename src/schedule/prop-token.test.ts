import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "./bytes.js";
import { checksumOf, type DrawnFrom, decodeToken, encodePropToken } from "./prop-token.js";
import type { Schedule } from "./schedule.js";
import { encodeSchedule } from "./token.js";

const schedule: Schedule = {
  version: 1,
  seed: 7,
  granularity: "event",
  housekeeping: "eager",
  ioLatencyMs: 10,
  decisions: [
    {
      ready: [
        { name: "a", operation: "1" },
        { name: "b", operation: "1" },
      ],
      index: 1,
    },
  ],
};
const scheduleToken = encodeSchedule(schedule);
const drawn: DrawnFrom = { seed: 4_294_967_295, path: "12:0:3", checksum: checksumOf("[1,2]") };

test("a token gives back where the values come from, and the schedule", () => {
  const token = encodePropToken(drawn, scheduleToken);
  expect(token).toMatch(/^hp1\.[\w-]+$/);
  expect(decodeToken(token)).toMatchObject({ drawn, scheduleToken, schedule: { seed: 7 } });
  expect(encodePropToken(drawn, scheduleToken)).toBe(token);
});

test("a token of a schedule alone has no values", () => {
  expect(decodeToken(scheduleToken)).toMatchObject({ drawn: undefined, scheduleToken });
});

test("values are told apart by their checksum", () => {
  expect(checksumOf("[1,2]")).not.toBe(checksumOf("[1,3]"));
});

test("every single change of a token is noticed", () => {
  const token = encodePropToken(drawn, scheduleToken);
  for (let at = 4; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    // The last character may hold bits that no byte needs.
    if (toBase64Url(fromBase64Url(changed.slice(4)) ?? new Uint8Array()) === token.slice(4)) continue;
    expect(() => decodeToken(changed), `changed at ${at}`).toThrow(/^token: /);
  }
  for (let length = 4; length < token.length; length++) expect(() => decodeToken(token.slice(0, length))).toThrow(/^token: /);
});

test.each([
  ["hp2.AAAA", 'token: version "hp2." is not known here; this heddle reads "hp1." and "hd1."'],
  ["hp1.!", "token: holds a character that no token has, or was cut short"],
  ["hp1.", "token: its checksum does not match"],
])("%s is refused", (token, message) => {
  expect(() => decodeToken(token)).toThrow(message);
});

test("what is no path and no schedule is a usage error", () => {
  expect(() => encodePropToken({ ...drawn, path: "12:" }, scheduleToken)).toThrow('token: "12:" is no path of fast-check\'s');
  expect(() => encodePropToken(drawn, "hp1.AAAA")).toThrow('token: a schedule token starts with "hd1."');
});
