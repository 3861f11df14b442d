/** `heddle properties`: the property files of a project, through vitest, with progress and a summary. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BadInputError } from "../errors/errors.js";
import { fromEnvironment, parseRuns, parseSeed, VARIABLES } from "../explore/environment.js";
import { freshSeed, realNowMs } from "../loop/host.js";
import { requireWritableReports, writeAtomically } from "../store/reports.js";
import { strategyNamed } from "../strategy/named.js";
import type { PropertyRun } from "../vitest/run-properties.js";
import { EXIT } from "./exit-codes.js";
import { catchInterrupt } from "./interrupt.js";
import { loadRunner } from "./load-runner.js";
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
  if (fromEnvironment("replay") !== undefined) {
    throw new BadInputError(
      `${VARIABLES.replay} is set, so nothing new would be tried: unset it, or run one failure again with heddle replay`,
    );
  }
  const runsText = fromEnvironment("runs");
  const seedText = fromEnvironment("seed");
  const strategy = options.strategy ?? fromEnvironment("strategy");
  const only = options.only ?? fromEnvironment("only");
  const runs = options.runs ?? (runsText === undefined ? undefined : parseRuns(runsText, VARIABLES.runs));
  const seed = options.seed ?? (seedText === undefined ? freshSeed() : parseSeed(seedText, VARIABLES.seed));
  if (strategy !== undefined) strategyNamed(strategy, seed);
  requireWritableReports(project);
  Object.assign(process.env, {
    [VARIABLES.seed]: String(seed),
    [VARIABLES.progress]: "1",
    ...(runs !== undefined && { [VARIABLES.runs]: String(runs) }),
    ...(strategy !== undefined && { [VARIABLES.strategy]: strategy }),
    ...(only !== undefined && { [VARIABLES.only]: only }),
  });

  const onInterrupt = catchInterrupt();
  const { startMs, progress } = startProgress();
  warn(`heddle properties: seed ${seed}${runs === undefined ? "" : `, ${format(runs)} runs a check`}`);
  const propertyRun = await (await loadRunner("properties")).runPropertyFiles({
    project,
    files,
    only,
    onProgress: (id, told) => {
      progress.update(id, told);
    },
    onFailure: (test) => {
      progress.clear();
      print(`\n${test.heddle?.failure ?? `${test.file} > ${test.name}\n${test.errors.join("\n")}`}\n`);
    },
    onInterrupt,
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
  const { tests, loadErrors, isInterrupted } = propertyRun;
  for (const problem of loadErrors) warn(`heddle: ${problem}`);
  if (tests.length === 0 && !isInterrupted) {
    // The summary of an earlier run says more than one of nothing would.
    if (loadErrors.length > 0) return EXIT.badInput;
    throw new BadInputError(
      "no property was run: no file has a path that holds one of the texts given, or no test a name that holds the text of --only",
    );
  }
  const summary = summarise(propertyRun, seed);
  print(`${renderSummary(summary, elapsedMs)}\n`);
  writeAtomically(SUMMARY_FILE, `${JSON.stringify(summary, undefined, 2)}\n`, project);
  if (isInterrupted) {
    warn(`heddle: interrupted; the summary holds what is known (${SUMMARY_FILE})`);
    return EXIT.interrupted;
  }
  if (loadErrors.length > 0) return EXIT.badInput;
  return tests.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.held;
}

function startProgress(): { readonly startMs: number; readonly progress: ProgressLine } {
  return {
    startMs: realNowMs(),
    progress: new ProgressLine({ isTerminal: process.stderr.isTTY, write: (text) => process.stderr.write(text), nowMs: realNowMs }),
  };
}

function requirePropertyFiles(project: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(join(project, "properties"), { recursive: true, encoding: "utf8" });
  } catch {
    // No folder: the same as no files.
  }
  if (!names.some((name) => /\.property\.[cm]?[jt]sx?$/.test(name))) {
    throw new BadInputError(
      "properties/: there is no property file (NAME.property.ts or .js); start the command in the folder of the project",
    );
  }
}
