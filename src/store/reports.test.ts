import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeSchedule } from "../schedule/token.js";
import type { Failure } from "./failure.js";
import { readFailure } from "./read-file.js";
import {
  FAILURES_FOLDER,
  findFailureByToken,
  latestFailure,
  openFailure,
  requireWritableReports,
  writeAtomically,
  writeFailure,
} from "./reports.js";

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "heddle-reports-"));
});
afterEach(() => {
  rmSync(project, { recursive: true });
});

function tokenOf(seed: number): string {
  return encodeSchedule({ version: 1, seed, granularity: "event", ioLatencyMs: 0, housekeeping: "eager", decisions: [] });
}

function failureOf(invariant: string | undefined, seed = 1): Omit<Failure, "replay"> {
  return {
    version: 1,
    program: { kind: "graph", graph: { version: 1, cells: 0, futures: 0, tasks: [{ name: "main", body: [] }] } },
    seed,
    strategy: "seeded",
    options: {},
    schedule: tokenOf(seed),
    original: {
      program: { kind: "graph", graph: { version: 1, cells: 0, futures: 0, tasks: [{ name: "original", body: [] }] } },
      schedule: tokenOf(seed + 1_000),
    },
    error: { kind: "invariant", ...(invariant !== undefined && { invariant }), message: "broken" },
    trace: [{ t: 0, phase: "exit" }],
  };
}

/** Every file of the project, hidden ones too. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function setModified(path: string, seconds: number): void {
  utimesSync(join(project, path), seconds, seconds);
}

test("a file is written with the folders that it needs, and replaced as a whole", () => {
  writeAtomically("reports/deep/summary.json", "first, which is longer", project);
  writeAtomically("reports/deep/summary.json", "second", project);
  expect(readFileSync(join(project, "reports/deep/summary.json"), "utf8")).toBe("second");
  expect(filesOf(project)).toEqual(["summary.json"]);
});

test("a disk that is full in the middle of a write leaves the old file, and nothing half written", () => {
  writeAtomically("reports/summary.json", "old", project);
  // Every write to this device fails as on a full disk. Where there is no such device, a folder stands in the way.
  const temporary = join(project, `reports/summary.json.${process.pid}.tmp`);
  const isFull = existsSync("/dev/full");
  if (isFull) symlinkSync("/dev/full", temporary);
  else mkdirSync(temporary);
  expect(() => writeAtomically("reports/summary.json", "new", project)).toThrow(
    `reports/summary.json: cannot be written: ${isFull ? "no space is left on the device" : "is a folder"}`,
  );
  expect(readFileSync(join(project, "reports/summary.json"), "utf8")).toBe("old");
  if (isFull) expect(filesOf(project)).toEqual(["summary.json"]);
});

test("a folder in the place of the file is refused, and nothing half written is left beside it", () => {
  mkdirSync(join(project, "reports/summary.json/kept"), { recursive: true });
  expect(() => writeAtomically("reports/summary.json", "new", project)).toThrow(/^reports\/summary\.json: cannot be written: /);
  expect(readdirSync(join(project, "reports"))).toEqual(["summary.json"]);
});

test("reports/ that is a file, or leads nowhere, is refused before a run, and stays as it is", () => {
  writeFileSync(join(project, "reports"), "mine");
  expect(() => requireWritableReports(project)).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: reports/.writable: cannot be written: a part of the path is a file where a folder is needed]`,
  );
  expect(readFileSync(join(project, "reports"), "utf8")).toBe("mine");
  rmSync(join(project, "reports"));
  symlinkSync(join(project, "nowhere", "reports"), join(project, "reports"));
  expect(() => requireWritableReports(project)).toThrow(/^reports\/\.writable: cannot be written: /);
  rmSync(join(project, "reports"));
  mkdirSync(join(project, "reports"));
  writeFileSync(join(project, FAILURES_FOLDER), "mine");
  expect(() => requireWritableReports(project)).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: reports/failures/.writable: cannot be written: a part of the path is a file where a folder is needed]`,
  );
  expect(filesOf(project)).toEqual(["failures"]);
});

test("reports/ that can be written is left without a trace of the attempt", () => {
  requireWritableReports(project);
  expect(filesOf(project)).toEqual([]);
});

test("a failure is written under a name that follows from what failed, and says how to replay it", () => {
  const path = writeFailure(project, failureOf("gather-order"));
  expect(path).toMatch(/^reports\/failures\/gather-order-[0-9a-f]{8}\.json$/);
  expect(readFailure(path, project)).toEqual({ ...failureOf("gather-order"), replay: `npx heddle replay ${path}` });
  const bytes = readFileSync(join(project, path), "utf8");
  expect(writeFailure(project, failureOf("gather-order"))).toBe(path);
  expect(readFileSync(join(project, path), "utf8")).toBe(bytes);
  expect(writeFailure(project, failureOf("gather-order", 2))).not.toBe(path);
});

test("the name of a failure file holds only what every file system takes", () => {
  const slugOf = (invariant: string | undefined): string =>
    writeFailure(project, failureOf(invariant))
      .replace(/^.*[\\/]/, "")
      .replace(/-[0-9a-f]{8}\.json$/, "");
  expect(slugOf("../../etc/passwd")).toBe("etc-passwd");
  expect(slugOf("No task — ever! — is cancelled…")).toBe("no-task-ever-is-cancelled");
  expect(slugOf("CON: x\n\u0000")).toBe("con-x");
  expect(slugOf("x".repeat(500))).toBe("x".repeat(60));
  expect(slugOf("無限")).toBe("failure");
  expect(slugOf(undefined)).toBe("invariant");
});

test("the failure of a module is named after its file and the way in which it failed", () => {
  const failure = { ...failureOf(undefined), program: { kind: "module", file: "src/Bank Account.mjs" } } as const;
  expect(writeFailure(project, { ...failure, error: { kind: "unhandledRejection", message: "Error: boom" } })).toMatch(
    /^reports\/failures\/bank-account-unhandledrejection-[0-9a-f]{8}\.json$/,
  );
});

test("the latest failure is the one written last, and the first by name of those written at once", () => {
  expect(latestFailure(project)).toBeUndefined();
  const [a, b, c] = ["a", "b", "c"].map((invariant) => writeFailure(project, failureOf(invariant)));
  writeFileSync(join(project, FAILURES_FOLDER, "notes.txt"), "no failure");
  symlinkSync("nowhere", join(project, FAILURES_FOLDER, "gone.json"));
  setModified(a!, 2_000);
  setModified(b!, 3_000);
  setModified(c!, 1_000);
  expect(latestFailure(project)).toBe(b);
  setModified(a!, 3_000);
  expect(latestFailure(project)).toBe(a);
});

test("a failure is found by its token, in reports/failures/ and in fixtures/schedules/, past files that are broken", () => {
  mkdirSync(join(project, "fixtures/schedules"), { recursive: true });
  mkdirSync(join(project, FAILURES_FOLDER), { recursive: true });
  writeFileSync(join(project, FAILURES_FOLDER, "0-broken.json"), "{");
  const path = writeFailure(project, failureOf("own", 1));
  writeFileSync(join(project, "fixtures/schedules/kept.json"), JSON.stringify({ ...failureOf("kept", 2), replay: "" }));
  expect(findFailureByToken(project, tokenOf(1))).toBe(path);
  expect(findFailureByToken(project, tokenOf(1_001))).toBe(path);
  expect(findFailureByToken(project, tokenOf(2))).toBe(join("fixtures", "schedules", "kept.json"));
  expect(findFailureByToken(project, tokenOf(3))).toBeUndefined();
});

test("the token of the smallest failure opens that, and the token of the original opens the original", () => {
  const path = writeFailure(project, failureOf("own", 1));
  const smallest = readFailure(path, project);
  expect(openFailure(project, path)).toEqual({ path, failure: smallest });
  expect(openFailure(project, tokenOf(1))).toEqual({ path, failure: smallest });
  expect(openFailure(project, tokenOf(1_001))).toEqual({
    path,
    failure: {
      ...smallest,
      program: smallest.original.program,
      schedule: tokenOf(1_001),
      trace: [],
      replay: `npx heddle replay ${tokenOf(1_001)}`,
    },
  });
});

test("a token that nothing has, or that was changed, is refused", () => {
  expect(() => openFailure(project, tokenOf(5))).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: the token is whole, but no failure in reports/failures or fixtures/schedules has it; replay the failure's file]`,
  );
  const token = tokenOf(5);
  expect(() => openFailure(project, `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`)).toThrow(/^token: /);
  expect(() => openFailure(project, "hd2.AAAA")).toThrowErrorMatchingInlineSnapshot(
    `[BadInputError: token: version "hd2." is not known here; this heddle reads "hd1."]`,
  );
});
