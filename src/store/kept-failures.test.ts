import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findKept, findRecorded, isSameTest, keptPath, type TestProgram } from "./kept-failures.js";
import { writeFailure } from "./reports.js";

const pool: TestProgram = { kind: "test", file: "test/pool.test.ts", name: "the pool gives back" };
const SCHEDULE = "hd1.AqjKyqoNCgIFc21haW4CczEBAAEAAQC7CKGj";

function makeProject(files: Readonly<Record<string, string>> = {}): string {
  const project = mkdtempSync(join(tmpdir(), "heddle-kept-"));
  onTestFinished(() => {
    rmSync(project, { recursive: true, force: true });
  });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  return project;
}

const failureOf = (program: TestProgram) => ({
  version: 1 as const,
  program,
  seed: 7,
  strategy: "random",
  options: {},
  schedule: SCHEDULE,
  original: { schedule: SCHEDULE },
  error: { kind: "error" as const, message: "Error: lost" },
  trace: [],
});

test("a failure is found again by its test, and by no other", () => {
  const project = makeProject();
  expect(findKept(project, pool)).toBeUndefined();
  const path = writeFailure(project, failureOf(pool));
  expect(path).toBe(keptPath(pool));
  expect(findKept(project, pool)).toMatchObject({
    path,
    failure: { error: { message: "Error: lost" }, replay: `npx heddle replay ${path}` },
  });
  for (const other of [{ name: "another" }, { file: "test/other.test.ts" }, { project: "browser" }, { nth: 1 }]) {
    expect(isSameTest(pool, { ...pool, ...other })).toBe(false);
    expect(findKept(project, { ...pool, ...other })).toBeUndefined();
  }
  expect(isSameTest(pool, { ...pool, nth: 0 })).toBe(true);
  expect(isSameTest(pool, { kind: "graph", graph: {} })).toBe(false);
});

test("a file that cannot be used is an error with its name", () => {
  const project = makeProject({ [keptPath(pool)]: "{" });
  expect(() => findKept(project, pool)).toThrow(`${keptPath(pool)}: is no valid JSON`);
});

test("recorded failures are found in the order of their names, whatever else lies there, and read anew when they were changed", () => {
  const text = (program: TestProgram): string => JSON.stringify({ ...failureOf(program), replay: "npx heddle replay it" });
  const project = makeProject({
    "fixtures/schedules/b.json": text(pool),
    "fixtures/schedules/a.json": text(pool),
    "fixtures/schedules/broken.json": "{",
    "fixtures/schedules/other.json": text({ ...pool, name: "another" }),
  });
  const paths = (): readonly string[] => findRecorded(project, pool).map(({ path }) => path);
  expect(paths()).toEqual(["fixtures/schedules/a.json", "fixtures/schedules/b.json"]);
  expect(paths()).toEqual(["fixtures/schedules/a.json", "fixtures/schedules/b.json"]);
  const changed = join(project, "fixtures/schedules/a.json");
  writeFileSync(changed, text({ ...pool, name: "renamed" }));
  utimesSync(changed, new Date(0), new Date(0));
  expect(paths()).toEqual(["fixtures/schedules/b.json"]);
  expect(findRecorded(makeProject(), pool)).toEqual([]);
});
