import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadInputError } from "../errors/errors.js";
import { loadScenario } from "./load-scenario.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "heddle-scenario-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let written = 0;

/** Loads a module with this text; a new file each time, because Node keeps what it has loaded. */
async function load(text: string, extension = ".mjs") {
  const name = `scenario-${++written}${extension}`;
  writeFileSync(join(folder, name), text);
  return await loadScenario(name, folder);
}

async function refusalOf(text: string, extension?: string): Promise<string> {
  try {
    await load(text, extension);
    return "accepted";
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    return error.message.replace(/^scenario-\d+/, "scenario");
  }
}

test("the default export is the scenario, and the options that are exported go with it", async () => {
  const { scenario, options } = await load("export const options = { runs: 5, tracked: true }; export default () => 7;");
  expect(scenario({} as never)).toBe(7); // it asks for nothing
  expect(options).toEqual({ runs: 5, tracked: true });
  expect((await load("export default () => 7;")).options).toEqual({});
});

test("a scenario may be CommonJS, also what a compiler has made", async () => {
  const plain = await load("module.exports = () => 1;", ".cjs");
  const compiled = await load('Object.defineProperty(exports, "__esModule", { value: true }); exports.default = () => 2;', ".cjs");
  expect([plain, compiled].map(({ scenario }) => scenario({} as never))).toEqual([1, 2]); // they ask for nothing
});

test("what cannot be loaded is refused with the file and the reason", async () => {
  expect(await refusalOf("throw new Error('at import,\\nin two lines');")).toBe("scenario.mjs: cannot be loaded: Error: at import,");
  expect(await refusalOf("export default (")).toMatch(/^scenario\.mjs: cannot be loaded: /);
  const missing = await refusalOf('import "./nowhere.js";');
  expect(missing).toMatch(/^scenario\.mjs: cannot be loaded: Error: Cannot find module '(\.\/)?nowhere\.js'/);
  expect(missing).not.toContain(folder);
});

test("what is no module by its name, or is not there, is refused unread", async () => {
  mkdirSync(join(folder, "folder.mjs"));
  await expect(loadScenario("nowhere.mjs", folder)).rejects.toThrow(/^nowhere\.mjs: there is no such file$/);
  await expect(loadScenario("folder.mjs", folder)).rejects.toThrow(/^folder\.mjs: is no regular file$/);
  expect(await refusalOf("a scenario in words", ".txt")).toBe(
    "scenario.txt: is neither a task graph (.json) nor a module (.js, .mjs, .cjs, .ts, .mts, .cts) by the end of its name",
  );
});

test.each([
  ["export const scenario = () => 1;", "exports no scenario; it must be a function, and the default export"],
  ["export default { run() {} };", "the default export must be the scenario, a function, not [Object]"],
  ["export const options = null; export default () => 1;", "options must be an object with options of explore(), not null"],
  ["export const options = { seed: -1 }; export default () => 1;", "seed: must be a whole number from 0 to 4294967295, not -1"],
  ["export const options = { maxSteps: 0 }; export default () => 1;", "options: maxSteps must be a whole number, 1 or more, not 0"],
])("%s is refused", async (text, message) => {
  expect(await refusalOf(text)).toMatch(new RegExp(`^scenario\\.mjs: (options: )?${message.replaceAll(/[()[\]]/g, "\\$&")}$`));
});

test("an option that is not known is refused with those that are, because a slip of the pen would go unseen", async () => {
  expect(await refusalOf("export const options = { rums: 5 }; export default () => 1;")).toMatch(
    /^scenario\.mjs: options\.rums: is no option of a scenario; known are runs, seed, strategy, /,
  );
  // What belongs to the caller of explore() is none either.
  expect(await refusalOf("export const options = { onRun() {} }; export default () => 1;")).toMatch(/options\.onRun: is no option/);
});
