/**
 * Modules that export a scenario. Whatever is wrong with one is said in a clear sentence.
 */
import { statSync } from "node:fs";
import { extname, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { BadInputError, describeError, describeValue, UsageError } from "../errors/errors.js";
import { type ExploreOptions, requireOptions } from "../explore/options.js";
import { type Program, scenarioProgram } from "../explore/program.js";
import type { Scenario } from "../explore/scenario-run.js";
import { describeSystemError } from "./read-file.js";

const JAVASCRIPT = [".js", ".mjs", ".cjs"];
const TYPESCRIPT = [".ts", ".mts", ".cts"];

/** The options that a module may give with its scenario; the others are of whoever starts the exploration. */
const MODULE_OPTIONS: Readonly<Record<Exclude<keyof ExploreOptions, "signal" | "onProgress" | "onRun">, true>> = {
  runs: true,
  seed: true,
  strategy: true,
  granularity: true,
  ioLatencyMs: true,
  maxBatch: true,
  maxSteps: true,
  starvationBound: true,
  tracked: true,
  stopOnFailure: true,
  minimise: true,
  selfCheck: true,
  seedRandom: true,
  timeLimitMs: true,
  idleGraceMs: true,
};

/**
 * Imports the module `path`, which is relative to `folder`: its default export is the scenario, and what it exports as `options` goes with it.
 * Throws BadInputError that names the file and what is wrong with it.
 */
export async function loadScenario(path: string, folder = "."): Promise<Program> {
  const file = resolve(folder, path);
  requireModule(path, file);
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>; // whatever it exports
  } catch (error) {
    throw new BadInputError(`${path}: ${describeLoadError(error, file, resolve(folder))}`, { cause: error });
  }
  return scenarioProgram(scenarioOf(loaded, path), optionsOf(loaded["options"], path));
}

function requireModule(path: string, file: string): void {
  const extension = extname(path);
  if (![...JAVASCRIPT, ...TYPESCRIPT].includes(extension)) {
    throw new BadInputError(
      `${path}: is neither a task graph (.json) nor a module (${[...JAVASCRIPT, ...TYPESCRIPT].join(", ")}) by the end of its name`,
    );
  }
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (error) {
    throw new BadInputError(`${path}: ${describeSystemError(error)}`, { cause: error });
  }
  if (!isFile) throw new BadInputError(`${path}: is no regular file`);
}

function describeLoadError(error: unknown, file: string, folder: string): string {
  const { code } = error as { readonly code?: unknown };
  // The file itself, and not one that it imports, has an end that this Node does not know.
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && TYPESCRIPT.includes(extname(file)) && describeError(error).includes(file)) {
    return `Node ${process.versions.node} runs no TypeScript: take Node 22.18 or later, or name the JavaScript that tsc makes of it`;
  }
  const [what = ""] = describeError(error).split("\n");
  return `cannot be loaded: ${what.replaceAll(`${folder}${sep}`, "")}`;
}

function scenarioOf(loaded: Readonly<Record<string, unknown>>, path: string): Scenario {
  if (!("default" in loaded)) throw new BadInputError(`${path}: exports no scenario; it must be a function, and the default export`);
  let scenario = loaded["default"];
  // What a compiler made into CommonJS: its default export stands one level deeper.
  if (typeof scenario === "object" && scenario !== null && "default" in scenario && "__esModule" in scenario) scenario = scenario.default;
  if (typeof scenario === "function") return scenario as Scenario; // what it does with its argument shows in its runs
  throw new BadInputError(`${path}: the default export must be the scenario, a function, not ${describeValue(scenario)}`);
}

function optionsOf(options: unknown, path: string): ExploreOptions {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new BadInputError(`${path}: options must be an object with options of explore(), not ${describeValue(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(MODULE_OPTIONS, name)) {
      throw new BadInputError(`${path}: options.${name}: is no option of a scenario; known are ${Object.keys(MODULE_OPTIONS).join(", ")}`);
    }
  }
  try {
    requireOptions(() => undefined, options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new BadInputError(`${path}: options: ${error.message.replace(/^explore: /, "")}`, { cause: error });
  }
  return options;
}
