/**
 * A trace as a picture for the terminal: one column a task, one line an event, time going down.
 */
import type { TraceEvent } from "../trace/trace.js";

/** Wider than this, the columns are given up for one event a line with its task's name. */
const MAX_WIDTH = 160;
const MAX_CELL = 34;
const MAX_SITE = 24;

interface Row {
  readonly t: number;
  readonly task: string | undefined;
  readonly text: string;
}

/** The timeline of a trace, without a newline at its end. The same trace gives the same text. */
export function renderTimeline(trace: readonly TraceEvent[]): string {
  const rows = rowsOf(trace);
  // A trace may have more events than a call takes arguments, so widths are found one by one.
  let timeWidth = 4;
  const columns = new Map<string, number>();
  for (const { t, task, text } of rows) {
    timeWidth = Math.max(timeWidth, String(t).length + 2);
    if (task !== undefined) columns.set(task, Math.max(columns.get(task) ?? task.length, text.length));
  }
  const tasks = [...columns.keys()];
  const widths = [...columns.values()];
  const isWide = widths.reduce((sum, width) => sum + width + 2, timeWidth) > MAX_WIDTH;
  const nameWidth = tasks.reduce((width, { length }) => Math.max(width, length), 0);
  const lines = rows.map(({ t, task, text }, index) => {
    // The same time is said once.
    const time = (index > 0 && rows[index - 1]?.t === t ? "" : `t=${t}`).padEnd(timeWidth);
    if (task === undefined) return `${time}  ${text}`;
    if (isWide) return `${time}  ${task.padEnd(nameWidth)}  ${text}`;
    return `${time}  ${tasks.map((other, column) => (other === task ? text : "").padEnd(widths[column] ?? 0)).join("  ")}`;
  });
  const head = isWide ? "" : `${" ".repeat(timeWidth)}  ${tasks.map((task, column) => task.padEnd(widths[column] ?? 0)).join("  ")}`;
  return [head, ...lines]
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}

/** An operation that nothing came between is one row, `span = 3`; otherwise its start and its end are a row each. */
function rowsOf(trace: readonly TraceEvent[]): Row[] {
  const rows: Row[] = [];
  trace.forEach((event, index) => {
    const { t, task, op } = event;
    const next = trace[index + 1];
    const before = trace[index - 1];
    const isJoined = event.phase === "start" && next?.task === task && next?.op === op && next?.phase !== "start";
    if (isJoined) return;
    const isEndOfJoined = before?.phase === "start" && before.task === task && before.op === op && event.phase !== "start";
    rows.push({ t, task, text: cut(describe(event, isEndOfJoined)) });
  });
  return rows;
}

function describe(event: TraceEvent, isWhole: boolean): string {
  const outcome = event.error === undefined ? (event.value === undefined ? "" : ` = ${JSON.stringify(event.value)}`) : ` ! ${event.error}`;
  const place = event.op === undefined ? "" : `${event.op} `;
  switch (event.phase) {
    case "begin":
      return "begin";
    case "finish":
      return `finish${outcome}`;
    case "exit":
      return `exit${outcome}${event.waiting === undefined ? "" : `: ${event.waiting.map(({ task, op, name }) => `${task} waits at ${op ?? "?"} ${name ?? ""}`.trim()).join(", ")}`}`;
    case "start":
      if (event.name === "step") return `step ${event.op ?? ""}${event.site === undefined ? "" : ` at ${shortSite(event.site)}`}`;
      return `${place}${event.name ?? ""} …`;
    case "end":
    case "error":
      if (event.name === "io") return describeGate(event.op ?? "");
      if (event.name === "timer") return `fires${event.site === undefined ? "" : ` at ${shortSite(event.site)}`}`;
      if (event.name === "reaction") return describeReaction(event.op ?? "", event.site);
      return `${place}${isWhole ? "" : "… "}${event.name ?? ""}${outcome}`;
  }
}

/** `settles`, `settles (call 2)`, `fails (injected)`, or `settles with load@2` where others settled in the same step. */
function describeGate(operation: string): string {
  const [first = "", ...others] = operation.split("+");
  const [call = "", fault] = first.split("!");
  const what = `${fault === undefined ? "settles" : "fails (injected)"}${call === "1" ? "" : ` (call ${call})`}`;
  return others.length === 0 ? what : `${what} with ${others.map((other) => other.replace(/!$/, " (fails)")).join(", ")}`;
}

/** `goes on`, `goes on (time 2) at src/a.ts:3:5`: the place where the name of the column does not say it. */
function describeReaction(operation: string, site: string | undefined): string {
  return `goes on${operation === "1" ? "" : ` (time ${operation})`}${site === undefined ? "" : ` at ${shortSite(site)}`}`;
}

/** The end of a place says more than its beginning: the file's name and the line. */
function shortSite(site: string): string {
  return site.length <= MAX_SITE ? site : `…${site.slice(1 - MAX_SITE)}`;
}

function cut(text: string): string {
  return text.length <= MAX_CELL || text.startsWith("exit") ? text : `${text.slice(0, MAX_CELL - 1)}…`;
}
