/** `heddle properties`: the property files of a project, through vitest, with progress and a summary. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BadInputError } from "../errors/errors.js";
import { freshSeed, realNowMs } from "../loop/host.js";
import { writeAtomically } from "../store/reports.js";
import { strategyNamed } from "../strategy/named.js";
import { fromEnvironment, parseRuns, parseSeed, VARIABLES } from "../vitest/environment.js";
import type { PropertyRun } from "../vitest/run-properties.js";
import { EXIT } from "./exit-codes.js";
import { format, ProgressLine } from "./progress.js";
import { renderSummary, summarise } from "./summary.js";

interface PropertiesOptions {
  readonly project: string;
  readonly files: readonly string[];
  readonly runs?: number;
  readonly seed?: number;
  readonly strategy?: string;
  readonly only?: string;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

const SUMMARY_FILE = join("reports", "summary.json");

/** Answers the exit code. Throws BadInputError before anything runs when there is nothing to run or `reports/` cannot be written. */
export async function runProperties({ project, files, print, warn, ...options }: PropertiesOptions): Promise<number> {
  requirePropertyFiles(project);
  const runsText = fromEnvironment("runs");
  const seedText = fromEnvironment("seed");
  const runs = options.runs ?? (runsText === undefined ? undefined : parseRuns(runsText, VARIABLES.runs));
  const seed = options.seed ?? (seedText === undefined ? freshSeed() : parseSeed(seedText, VARIABLES.seed));
  if (options.strategy !== undefined) strategyNamed(options.strategy, seed);
  requireWritable(project);
  Object.assign(process.env, {
    [VARIABLES.seed]: String(seed),
    [VARIABLES.progress]: "1",
    ...(runs !== undefined && { [VARIABLES.runs]: String(runs) }),
    ...(options.strategy !== undefined && { [VARIABLES.strategy]: options.strategy }),
    ...(options.only !== undefined && { [VARIABLES.only]: options.only }),
  });

  const { startMs, progress } = startProgress();
  warn(`heddle properties: seed ${seed}${runs === undefined ? "" : `, ${format(runs)} runs a check`}`);
  const propertyRun = await (await loadRunner())({
    project,
    files,
    only: options.only,
    onProgress: (id, told) => {
      progress.update(id, told);
    },
    onFailure: (test) => {
      progress.clear();
      print(`\n${test.heddle?.failure ?? `${test.file} > ${test.name}\n${test.errors.join("\n")}`}\n`);
    },
    onInterrupt: (interrupt) => {
      process.once("SIGINT", interrupt);
    },
  });
  progress.clear();
  return finish(project, propertyRun, { seed, elapsedMs: realNowMs() - startMs, print, warn });
}

interface FinishOptions {
  readonly seed: number;
  readonly elapsedMs: number;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

function finish(project: string, propertyRun: PropertyRun, { seed, elapsedMs, print, warn }: FinishOptions): number {
  const summary = summarise(propertyRun, seed);
  print(`${renderSummary(summary, elapsedMs)}\n`);
  for (const problem of propertyRun.loadErrors) warn(`heddle: ${problem}`);
  writeAtomically(join(project, SUMMARY_FILE), `${JSON.stringify(summary, undefined, 2)}\n`);
  if (propertyRun.isInterrupted) {
    warn(`heddle: interrupted; the summary holds what is known (${SUMMARY_FILE})`);
    return EXIT.interrupted;
  }
  if (propertyRun.loadErrors.length > 0) return EXIT.badInput;
  if (propertyRun.tests.length === 0) throw new BadInputError("no property was run: no test has a name that holds the text of --only, or no file matches");
  return propertyRun.tests.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.held;
}

function startProgress(): { readonly startMs: number; readonly progress: ProgressLine } {
  return {
    startMs: realNowMs(),
    progress: new ProgressLine({ isTerminal: process.stderr.isTTY, write: (text) => process.stderr.write(text), nowMs: realNowMs }),
  };
}

/** vitest and fast-check are peers that a project may not have. */
async function loadRunner(): Promise<typeof import("../vitest/run-properties.js").runPropertyFiles> {
  try {
    return (await import("../vitest/run-properties.js")).runPropertyFiles;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new BadInputError("heddle properties needs vitest and fast-check in the project: npm install --save-dev vitest fast-check", { cause: error });
  }
}

function requirePropertyFiles(project: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(join(project, "properties"), { recursive: true, encoding: "utf8" });
  } catch {
    // No folder: the same as no files.
  }
  if (!names.some((name) => /\.property\.[cm]?[jt]sx?$/.test(name))) {
    throw new BadInputError("properties/: there is no property file (NAME.property.ts or .js); start the command in the folder of the project");
  }
}

function requireWritable(project: string): void {
  writeAtomically(join(project, "reports", ".writable"), "");
}
