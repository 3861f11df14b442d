import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { runOneTest, runPropertyFiles } from "./run-properties.js";

let project: string;

/** Three files: a test in a suite and one beside it, a test that fails, and a file that does not load. */
const files = {
  "a.property.js": `
    import { describe, test } from "vitest";
    describe("suite (a|b) > inner", () => { test("holds, and [so on]", () => {}); });
    test("holds", () => {});
  `,
  "b.property.js": 'import { test } from "vitest"; test("fails", () => { throw new Error("boom"); });',
  "c.property.js": 'throw new Error("no load");',
};

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "heddle-vitest-"));
  for (const folder of ["properties/[odd] (folder)", "node_modules"]) mkdirSync(join(project, folder), { recursive: true });
  symlinkSync(fileURLToPath(new URL("../../node_modules/vitest", import.meta.url)), join(project, "node_modules/vitest"), "junction");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, "properties", name), text);
  writeFileSync(join(project, "properties/[odd] (folder)", "a.property.js"), files["a.property.js"]);
});
afterAll(() => {
  rmSync(project, { recursive: true });
});

const quiet = { onProgress: () => undefined, onFailure: () => undefined, onInterrupt: () => undefined, only: undefined };

test("every property file is run, in the order of their paths, and each failure is told as it comes", async () => {
  const failed: string[] = [];
  const run = await runPropertyFiles({ ...quiet, project, files: [], onFailure: ({ name }) => failed.push(name) });
  expect(run.tests.map(({ file, name, state }) => `${file}: ${name}: ${state}`)).toMatchInlineSnapshot(`
    [
      "properties/[odd] (folder)/a.property.js: suite (a|b) > inner > holds, and [so on]: passed",
      "properties/[odd] (folder)/a.property.js: holds: passed",
      "properties/a.property.js: suite (a|b) > inner > holds, and [so on]: passed",
      "properties/a.property.js: holds: passed",
      "properties/b.property.js: fails: failed",
    ]
  `);
  expect(run.loadErrors).toEqual(["properties/c.property.js: cannot be run: no load"]);
  expect(failed).toEqual(["fails"]);
  expect(run.tests.find(({ name }) => name === "fails")?.errors[0]).toContain("boom");
  expect(run.isInterrupted).toBe(false);
});

test("files and names are narrowed by a text, which is no pattern", async () => {
  const namesOf = async (filters: string[], only?: string): Promise<string[]> =>
    (await runPropertyFiles({ ...quiet, project, files: filters, only })).tests.map(({ file, name }) => `${file}: ${name}`);
  expect(await namesOf(["properties/b"])).toEqual(["properties/b.property.js: fails"]);
  expect(await namesOf(["properties/a"], "(a|b)")).toEqual(["properties/a.property.js: suite (a|b) > inner > holds, and [so on]"]);
  expect(await namesOf(["nothing"])).toEqual([]);
});

test("one test of one file is run by its path and its whole name, whatever characters they hold", async () => {
  const name = "suite (a|b) > inner > holds, and [so on]";
  for (const file of ["properties/a.property.js", "properties/[odd] (folder)/a.property.js"]) {
    expect((await runOneTest(project, { kind: "property", file, name })).tests).toMatchObject([{ file, name, state: "passed" }]);
    expect((await runOneTest(project, { kind: "property", file, name: "holds" })).tests).toMatchObject([{ file, name: "holds" }]);
    expect((await runOneTest(project, { kind: "property", file, name: "hold" })).tests).toEqual([]);
  }
});

test("an interrupt that comes before any test runs ends a test that would never end", async () => {
  const endless = join(project, "properties", "endless.property.js");
  writeFileSync(endless, 'import { test } from "vitest"; test("never ends", () => new Promise(() => {}));');
  onTestFinished(() => rmSync(endless));
  const run = await runPropertyFiles({ ...quiet, project, files: ["properties/endless"], onInterrupt: (interrupt) => interrupt() });
  expect(run).toEqual({ tests: [], isInterrupted: true, loadErrors: [] });
});

test("vitest does not listen for interrupts by itself", async () => {
  const before = process.rawListeners("SIGINT");
  let during: unknown[] = [];
  await runPropertyFiles({ ...quiet, project, files: ["properties/b"], onFailure: () => (during = process.rawListeners("SIGINT")) });
  expect(during).toEqual(before);
});

test("where the configuration has projects, no other test than the property files is run", async () => {
  const config = "vitest.config.mjs";
  writeFileSync(join(project, "other.test.js"), 'import { test } from "vitest"; test("other", () => {});');
  writeFileSync(join(project, config), 'export default { test: { projects: [{ test: { name: "all", include: ["**/*.test.js"] } }] } };');
  onTestFinished(() => {
    for (const name of [config, "other.test.js"]) rmSync(join(project, name));
  });
  const { tests } = await runPropertyFiles({ ...quiet, project, files: [] });
  expect(new Set(tests.map(({ file }) => file))).toEqual(
    new Set(["properties/[odd] (folder)/a.property.js", "properties/a.property.js", "properties/b.property.js"]),
  );
});
