/**
 * What an exploration found, as text: the verdict, the smallest order that fails, the results, and what has been covered.
 */
import type { ExplorationPlan, FoundFailure } from "../explore/block.js";
import type { Coverage } from "../explore/coverage.js";
import type { Findings } from "../explore/findings.js";
import type { Uncontrolled } from "../loop/outside.js";
import type { Granularity } from "../schedule/schedule.js";
import type { Simplicity } from "../schedule/simplicity.js";
import { renderTimeline } from "./timeline.js";

/** Results beyond so many are counted together. */
const MAX_RESULTS = 10;
const MAX_RESULT_LENGTH = 120;

export interface ExplorationText {
  readonly findings: Findings;
  readonly strategy: string;
  readonly seed: number;
  /** What was asked for: so many runs at most, and whether the first failure was to end it. */
  readonly asked: Pick<ExplorationPlan, "runs" | "stopOnFailure">;
  /** The commands that replay the failure, the best first. */
  readonly replay: readonly string[];
}

/** The report of an exploration, without a newline at its end. The same findings give the same text. */
export function renderExploration({ findings, strategy, seed, asked, replay }: ExplorationText): string {
  const { failure, uncontrolled, untracked, leaks } = findings;
  return [
    renderVerdict(findings),
    ...(failure === undefined ? describeUnseen(findings) : renderFailure(failure)),
    "",
    ...renderResults(findings),
    "",
    `${count(findings.runs, "run")}, strategy ${strategy}, seed ${seed}: ${describeEnd(findings, asked)}`,
    ...describeCoverage(findings.coverage),
    ...(untracked === undefined ? [] : [`Not all was tracked: ${untracked}`]),
    ...describeUncontrolled(uncontrolled),
    ...describeLeaks(leaks),
    ...replay.map((command, index) => `${index === 0 ? "Replay it:" : "       or:"} ${command}`),
  ].join("\n");
}

/** Where nothing was waited for there is nothing to say. */
export function describeUncontrolled(uncontrolled: Uncontrolled | undefined): readonly string[] {
  if (uncontrolled === undefined) return [];
  const { task, site, resource } = uncontrolled;
  const what = resource ?? "something";
  const where = site === undefined ? "" : ` at ${site}`;
  return [`Not all was under control: ${task} waited${where} for ${what} outside of the loop, so a replay is not promised.`];
}

export function describeLeaks(leaks: readonly string[]): readonly string[] {
  return leaks.length === 0 ? [] : ["Left behind when a run was over, and dropped:", ...leaks.map(indent)];
}

function renderVerdict({ status, runs, failures }: Findings): string {
  const of = `of ${count(runs, "run")}`;
  if (status === "failed") return `FAILED: ${format(failures)} ${of}`;
  return status === "passed" ? `passed: none ${of} failed` : `stopped: none ${of} failed until then`;
}

function describeUnseen({ status }: Findings): readonly string[] {
  return status === "failed" ? ["", indent("The time was over before it could be looked into.")] : [];
}

export function renderFailure({
  message,
  run,
  trace,
  minimised,
  granularity,
  slowestIoMs,
  explanation = [],
}: FoundFailure): readonly string[] {
  const timeline = trace.length === 0 ? [] : ["", "The smallest order found that fails, one column a task:", indent(renderTimeline(trace))];
  return [
    "",
    indent(message),
    ...timeline,
    "",
    ...(minimised === undefined
      ? [`It is the order of run ${format(run)}, the first that failed.`]
      : [
          `Made small in ${count(minimised.reruns, "rerun")}:`,
          `  before  ${describeSize(minimised.before, granularity)} (run ${format(run)}, the first that failed)`,
          `  after   ${describeSize(minimised.after, granularity)}`,
        ]),
    ...describeSlowest(slowestIoMs, minimised !== undefined),
    ...(explanation.length === 0 ? [] : ["", "What the order is about:", ...explanation.map(indent)]),
  ];
}

/** Where all of it may be fast there is nothing to say. Only of an order that was made small is it known that it needs it. */
function describeSlowest(slowestIoMs: number, isSmall: boolean): readonly string[] {
  if (slowestIoMs === 0) return [];
  return ["", isSmall ? `It needs I/O of ${format(slowestIoMs)} ms or slower.` : `Its slowest I/O took ${format(slowestIoMs)} ms.`];
}

/** `3 switches between tasks, 1 batch of I/O, 12 steps`: what there is none of is left out, but for the switches. */
export function describeSize({ switches, departures, batches, faults, steps }: Simplicity, granularity: Granularity): string {
  const what = granularity === "await" ? "I/O or an await" : "I/O";
  return [
    `${count(switches, "switch")} between tasks`,
    ...(departures === 0 ? [] : [`${count(departures, "time")} ${what} out of its order of arrival`]),
    ...(batches === 0 ? [] : [`${count(batches, "answer")} in the step of another`]),
    ...(faults === 0 ? [] : [count(faults, "injected fault")]),
    count(steps, "step"),
  ].join(", ");
}

function renderResults({ results, otherResults }: Findings): readonly string[] {
  if (results.length === 0) return ["No run came to an end."];
  const shown = results.slice(0, MAX_RESULTS);
  const width = Math.max(...shown.map(([, times]) => format(times).length));
  const hidden = results.slice(MAX_RESULTS);
  const runsOfHidden = hidden.reduce((sum, [, times]) => sum + times, otherResults);
  const others = otherResults > 0 ? `more than ${format(hidden.length)} other results` : count(hidden.length, "other result");
  return [
    "What the runs came to:",
    ...shown.map(([result, times]) => `  ${format(times).padStart(width)}  ${cut(result)}`),
    ...(runsOfHidden === 0 ? [] : [`  ${format(runsOfHidden).padStart(width)}  with ${others}`]),
  ];
}

function describeEnd({ complete, isStopped, runs, failures, failure }: Findings, asked: ExplorationText["asked"]): string {
  if (complete) return "every schedule was tried, by itself or by one that is equivalent";
  if (isStopped) return "stopped before the end";
  if (asked.stopOnFailure && failures > 0) return "until the first failure";
  if (runs === asked.runs) return "as many as were asked for";
  return failure?.kind === "divergence"
    ? "not gone on with, because nothing it finds could be replayed"
    : "nothing is left to try within the bounds";
}

export function describeCoverage({ schedules, classes, pairs, newInLast1000, chanceOfNew }: Coverage): readonly string[] {
  const what = classes === undefined ? "schedules" : "classes";
  return [
    [
      `Covered: ${format(schedules)} different ${schedules === 1 ? "schedule" : "schedules"}`,
      ...(classes === undefined ? [] : [`${count(classes, "class")} of equivalent ones`]),
      ...(pairs === undefined
        ? []
        : [`${format(pairs.bothWays)} of ${count(pairs.seen, "pair")} of neighbouring dependent steps in both orders`]),
    ].join(", "),
    `New ${what} in the last 1,000 runs: ${format(newInLast1000)}${chanceOfNew === undefined ? "" : `; chance that the next run shows one (Good-Turing): ${percent(chanceOfNew)}`}`,
  ];
}

/** Two digits that mean something. */
function percent(share: number): string {
  return `${String(Number((share * 100).toPrecision(2)))} %`;
}

function cut(text: string): string {
  return text.length <= MAX_RESULT_LENGTH ? text : `${text.slice(0, MAX_RESULT_LENGTH - 1)}…`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

export function count(number: number, what: string): string {
  const plural = /(ch|ss)$/.test(what) ? `${what}es` : `${what}s`;
  return `${format(number)} ${number === 1 ? what : plural}`;
}

/** `12,340`, whatever the locale of the machine. */
function format(number: number): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
