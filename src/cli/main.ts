#!/usr/bin/env node
/**
 * The `heddle` command. Results go to standard output, messages to standard error. Exit codes: 0 held, 1 a property, a scenario or a
 * replayed failure failed, 2 bad input or usage, 3 divergence, 130 interrupted.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { BadInputError, HeddleError, UsageError } from "../errors/errors.js";
import { parseRuns, parseSeed, parseWholeNumber } from "../explore/environment.js";
import { STRATEGY_NAMES } from "../strategy/named.js";
import { EXIT } from "./exit-codes.js";
import type { ExploreFlags } from "./explore.js";
import { runProperties } from "./properties.js";
import { runReplay } from "./replay.js";
import { runTrace } from "./trace.js";

interface Options {
  readonly runs?: number;
  readonly seed?: number;
  readonly strategy?: string;
  readonly only?: string;
  readonly trace?: boolean;
  readonly mermaid?: boolean;
}

function print(text: string): void {
  process.stdout.write(text);
}

function warn(text: string): void {
  process.stderr.write(`${text}\n`);
}

function makeProgram(onCode: (code: number) => void): Command {
  const program = new Command("heddle")
    .description("Property-based concurrency testing: random task graphs under a seeded scheduler, and exact replay of what fails.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text.replace(/^error: /, "heddle: ")) });
  const seed = new Option("--seed <n>", "a whole number from 0 to 4294967295; default random, and printed").argParser((text) =>
    parseSeed(text, "--seed"),
  );
  const strategy = new Option("--strategy <name>", `who decides which ready task runs next: ${STRATEGY_NAMES.join(", ")}`);

  program
    .command("properties")
    .summary("run the property files of this project")
    .description(
      "Runs the files under properties/ through vitest, with progress, and writes reports/summary.json and what failed under reports/failures/.",
    )
    .argument("[file...]", "only property files whose path holds one of these texts")
    .addOption(
      new Option("--runs <n>", "pairs of a graph and a schedule for each check; default 10000").argParser((text) =>
        parseRuns(text, "--runs"),
      ),
    )
    .addOption(seed)
    .addOption(strategy)
    .option("--only <text>", "only tests and invariants whose name holds this text")
    .addHelpText("after", "\nExample: heddle properties --runs 1000 --seed 7 --only gather-order")
    .action(async (files: string[], options: Options) => {
      onCode(await runProperties({ project: process.cwd(), files, ...options, print, warn }));
    });

  program
    .command("replay")
    .summary("run one recorded failure again")
    .description("Runs one recorded failure again and prints its timeline. Without an argument, the failure that was written last.")
    .argument("[file-or-token]", "a failure file, or a schedule token that is looked up in reports/failures/ and fixtures/schedules/")
    .option("--trace", "print the trace as JSON lines in the place of the timeline")
    .addHelpText("after", "\nExample: heddle replay reports/failures/gather-order-1f2e3d4c.json")
    .action(async (fileOrToken: string | undefined, { trace = false }: Options) => {
      onCode(await runReplay({ project: process.cwd(), fileOrToken, trace, print, warn }));
    });

  program
    .command("trace")
    .summary("run one task graph and print its trace")
    .description("Runs one task graph and prints its trace, one JSON object a line. A graph that fails or deadlocks is a result.")
    .argument("<graph.json>", "the task graph")
    .addOption(strategy)
    .addOption(seed)
    .option("--mermaid", "print a sequence diagram in Mermaid's language in the place of JSON lines")
    .addHelpText("after", "\nExample: heddle trace graph.json --strategy random --seed 7")
    .action(async (file: string, options: Options) => {
      onCode(await runTrace({ file, ...options, print, warn }));
    });
  addExplore(program, onCode, { seed, strategy });
  return program;
}

function addExplore(
  program: Command,
  onCode: (code: number) => void,
  { seed, strategy }: { readonly seed: Option; readonly strategy: Option },
): void {
  const wholeNumber = (flag: string, placeholder: string, description: string, maximum: number): Option =>
    new Option(`${flag} <${placeholder}>`, description).argParser((text) => parseWholeNumber(text, flag, 1, maximum));
  program
    .command("explore")
    .summary("run one program in many orders")
    .description(
      [
        "Runs a task graph, or the scenario that a module exports as default, in many orders, and tells what came of it: which results there are,",
        "how often it fails, and the smallest order found that fails. A graph whose main fails, or that deadlocks, fails. A module may export",
        "options of explore() as `options`; what the command line says goes before.",
      ].join(" "),
    )
    .argument(
      "<graph.json|module>",
      "a task graph, or a module: .js, .mjs, .cjs; .ts, .mts, .cts where Node runs TypeScript (22.18 and later)",
    )
    .addOption(strategy)
    .addOption(
      wholeNumber("--runs", "n", "runs at most; default 1000, and no limit for a strategy that comes to an end by itself", 1_000_000_000),
    )
    .addOption(seed)
    .addOption(
      wholeNumber(
        "--workers",
        "n",
        "threads at most; default as many as the machine has. What is found is the same with any number; up to 5,000 runs, and strategies that come to an end by themselves, take one",
        1_024,
      ),
    )
    .addOption(wholeNumber("--max-steps", "n", "a run of more steps is a livelock; default 10000, and 1000000 for a graph", 1_000_000_000))
    .addOption(wholeNumber("--time-limit", "ms", "end after so many milliseconds", 0x7fff_ffff))
    .option("--stop-on-failure", "end with the first run that fails")
    .option("--json", "print one JSON object in the place of the report")
    .addHelpText("after", "\nExample: heddle explore bank.mjs --runs 10000 --seed 7")
    .action(async (file: string, flags: ExploreFlags) => {
      // It alone needs threads, and is loaded when it is asked for.
      const { runExplore } = await import("./explore.js");
      onCode(await runExplore({ project: process.cwd(), file, ...flags, print, warn }));
    });
}

function version(): string {
  const { version: stated } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }; // our own file
  return stated;
}

/** Runs the command line; answers the exit code. */
async function main(args: readonly string[]): Promise<number> {
  let code: number = EXIT.held;
  try {
    await makeProgram((result) => {
      code = result;
    }).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // commander has printed its own messages already, and help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.held : EXIT.badInput;
    if (error instanceof HeddleError && error.code === "HEDDLE_DIVERGENCE") {
      warn(`heddle: ${error.code}: ${error.message}`);
      return EXIT.divergence;
    }
    if (error instanceof BadInputError || error instanceof UsageError) {
      warn(`heddle: ${error.message}`);
      return EXIT.badInput;
    }
    throw error;
  }
}

// A reader that has seen enough (`| head`) closes the pipe; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.held);
});
process.exitCode = await main(process.argv.slice(2));
