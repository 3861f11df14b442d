/**
 * Where in the source the order of a failure matters.
 */

import { stepText } from "../explore/explanation-text.js";
import type { ExploreFailure } from "../explore/outcome.js";
import { type ExplainedStep, stepsOfPattern } from "../explore/pattern.js";
import { DeadlockError } from "../loop/deadlock.js";
import { formatReadyTask } from "../schedule/schedule.js";
import { renderCodeFrame } from "./code-frame.js";

/** A place in the source with the steps that go on there. */
export interface Place {
  /** `src/bank.ts:12:5`, relative to the project. */
  readonly site: string;
  /** As sentences name them, in the order in which they ran: `rent step 2`. */
  readonly steps: readonly string[];
}

/** The source of a file as its place names it; undefined where it cannot be read. */
export type ReadSource = (file: string) => string | undefined;

/** More would be no help to the eye. */
const MAX_PLACES = 4;
/** Where nothing is known about what matters, so many of the last places. */
const MAX_UNEXPLAINED = 2;

/**
 * The places of the steps whose order matters, in the order in which they ran first; of the last steps where nothing is known about that. I/O stands where the
 * code under test asks for it, which most often is not in `testFile`, where an adapter may call `io` for it.
 */
export function placesThatMatter(
  failure: Pick<ExploreFailure, "about" | "trace" | "ioSites" | "error">,
  testFile?: string,
): readonly Place[] {
  const { about, trace, ioSites = {}, error } = failure;
  if (error instanceof DeadlockError) return placesOfDeadlock(error);
  const sites = new Map<string, string>();
  for (const [gate, calls] of Object.entries(ioSites)) {
    const site = calls.find((call) => testFile === undefined || !call.startsWith(`${testFile}:`)) ?? calls[0];
    if (site !== undefined) sites.set(gate, site);
  }
  for (const { task, op, site } of trace) if (task !== undefined && site !== undefined) sites.set(`${task}@${op ?? ""}`, site);
  const order = new Map<string, number>();
  trace.forEach(({ task, op }, index) => {
    // A batch of gates stands in the trace as the first one, with the others behind it.
    const [first = "", ...joined] = (op ?? "").split("+");
    for (const key of [`${task ?? ""}@${first}`, ...joined]) if (!order.has(key)) order.set(key, index);
  });
  const mattering = about === undefined ? [] : explainedSteps(about);
  const places = new Map<string, Set<string>>();
  const note = (key: string, text: string): void => {
    const site = sites.get(key);
    if (site !== undefined) places.set(site, (places.get(site) ?? new Set()).add(text));
  };
  const known = mattering
    .map((step) => ({ key: formatKey(step), text: stepText(step) }))
    .toSorted((a, b) => (order.get(a.key) ?? 0) - (order.get(b.key) ?? 0));
  for (const { key, text } of known) note(key, text);
  if (places.size === 0) {
    const last = [...order.keys()].filter((key) => sites.has(key)).slice(-MAX_UNEXPLAINED);
    for (const key of last) note(key, describeKey(key, ioSites));
  }
  return [...places].slice(0, MAX_PLACES).map(([site, steps]) => ({ site, steps: [...steps] }));
}

function describeKey(key: string, ioSites: object): string {
  const [, name = "", operation = ""] = /^(.*)@([^@]*)$/.exec(key) ?? [];
  return stepText({ name, operation, ...(key in ioSites && { kind: "gate" }) });
}

/** Where the tasks stand that wait for ever. */
function placesOfDeadlock({ waiting }: DeadlockError): readonly Place[] {
  return waiting.flatMap(({ task, site }) => (site === undefined ? [] : [{ site, steps: [`${task} waits`] }])).slice(0, MAX_PLACES);
}

function explainedSteps({ pairs, pattern }: NonNullable<ExploreFailure["about"]>): readonly ExplainedStep[] {
  return [...(pattern === undefined ? [] : stepsOfPattern(pattern)), ...pairs.flatMap(({ first, then }) => [first, then])];
}

/** Of a batch, the gate that was chosen first. */
function formatKey({ name, operation }: ExplainedStep): string {
  const [first = ""] = operation.split("+");
  const key = formatReadyTask({ name, operation: first });
  return first === "" ? `${key}@` : key;
}

/** Each place with its steps and the lines around it; places whose source cannot be read stand alone. */
export function renderPlaces(places: readonly Place[], readSource: ReadSource): readonly string[] {
  return places.flatMap(({ site, steps }) => {
    const [, file = "", line = "", column = ""] = /^(.*):(\d+):(\d+)$/.exec(site) ?? [];
    const source = file === "" ? undefined : readSource(file);
    const frame = source === undefined ? undefined : renderCodeFrame(source, { line: Number(line), column: Number(column) });
    return [`${site}  ${steps.join(", ")}`, ...(frame === undefined ? [] : frame.split("\n").map((row) => `  ${row}`))];
  });
}
