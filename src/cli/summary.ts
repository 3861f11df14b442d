/** What a property run covered, for the terminal and for `reports/summary.json`. */
import type { PropertyRun, PropertyTest } from "../vitest/run-properties.js";
import { format } from "./progress.js";

/** `reports/summary.json`. It holds no time and no path of the machine, so that the same seed gives the same file. */
export interface Summary {
  readonly version: 1;
  readonly seed: number;
  readonly isComplete: boolean;
  readonly runs: number;
  readonly graphs: number;
  readonly schedules: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly invariants: readonly InvariantSummary[];
  readonly tests: readonly TestSummary[];
}

interface InvariantSummary {
  readonly name: string;
  readonly sentence: string;
  /** Runs that put it to the test. */
  readonly exercised: number;
  readonly isBroken: boolean;
}

interface TestSummary {
  readonly file: string;
  readonly name: string;
  readonly state: PropertyTest["state"];
  readonly failure?: string;
}

export function summarise({ tests, isInterrupted, loadErrors }: PropertyRun, seed: number): Summary {
  const checks = tests.flatMap(({ heddle }) => heddle ?? []);
  const sum = (pick: (check: (typeof checks)[number]) => number): number => checks.reduce((total, check) => total + pick(check), 0);
  const sentences = Object.assign({}, ...checks.map((check) => check.sentences)) as Record<string, string>; // of records of texts
  return {
    version: 1,
    seed,
    isComplete: !isInterrupted && loadErrors.length === 0 && checks.every(({ isComplete }) => isComplete),
    runs: sum(({ progress }) => progress.runs),
    graphs: sum(({ progress }) => progress.graphs),
    schedules: sum(({ progress }) => progress.schedules),
    outcomes: addUp(checks.map(({ progress }) => progress.outcomes)),
    invariants: Object.entries(sentences).map(([name, sentence]) => ({
      name,
      sentence,
      exercised: sum(({ progress }) => progress.exercised[name] ?? 0),
      isBroken: checks.some(({ failure }) => failure?.startsWith(`${name}: `) === true),
    })),
    tests: tests.map(({ file, name, state, heddle }) => ({
      file,
      name,
      state,
      ...(heddle?.failureFile !== undefined && { failure: heddle.failureFile }),
    })),
  };
}

/** The summary as text, with the failures first. */
export function renderSummary(summary: Summary, elapsedMs: number): string {
  const width = Math.max(0, ...summary.invariants.map(({ name }) => name.length));
  const failed = summary.tests.filter(({ state }) => state === "failed").length;
  const verdict =
    failed > 0 ? `${format(failed)} failed` : summary.isComplete ? "all held" : "none failed, but not all of them ran to the end";
  const seconds = Math.max(1, elapsedMs) / 1_000;
  return [
    "",
    ...(summary.invariants.length === 0 ? [] : ["Invariants, with the runs that put them to the test:"]),
    ...summary.invariants.map(({ name, exercised, isBroken }) => {
      const mark = isBroken ? "BROKEN" : exercised === 0 ? "UNTESTED" : "held";
      return `  ${name.padEnd(width)}  ${format(exercised).padStart(9)}  ${mark}`;
    }),
    "",
    `${format(summary.runs)} runs in ${seconds.toFixed(1)} s (${format(Math.round(summary.runs / seconds))}/s): ${format(summary.graphs)} different graphs, ${format(summary.schedules)} different schedules`,
    `outcomes: ${
      Object.entries(summary.outcomes)
        .map(([name, count]) => `${format(count)} ${name}`)
        .join(", ") || "none"
    }`,
    `${format(summary.tests.length)} ${summary.tests.length === 1 ? "property" : "properties"}, ${verdict}; seed ${summary.seed}; reports/summary.json`,
  ].join("\n");
}

function addUp(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const record of records) for (const [name, count] of Object.entries(record)) total[name] = (total[name] ?? 0) + count;
  return total;
}
