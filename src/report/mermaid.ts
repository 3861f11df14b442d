/**
 * A trace as a Mermaid sequence diagram: who starts, waits for and wakes whom. GitHub and many editors draw it.
 */
import { isFault } from "../schedule/schedule.js";
import type { TraceEvent } from "../trace/trace.js";

/** The loop as a participant: `loop` itself is a word of Mermaid's language, and no name. */
const LOOP = "eventLoop";

/** The diagram's source. Names and values are quoted, so that nothing in them is read as syntax. */
export function renderMermaid(trace: readonly TraceEvent[]): string {
  const tasks = [...new Set(trace.flatMap(({ task }) => task ?? []))];
  const idOf = new Map(tasks.map((task, index) => [task, `p${index}`]));
  const lines = [
    "sequenceDiagram",
    `  participant ${LOOP} as the loop`,
    ...tasks.map((task) => `  participant ${idOf.get(task) ?? ""} as ${quote(task)}`),
  ];
  let lastMs: number | undefined;
  let running: string | undefined;
  for (const event of trace) {
    const id = idOf.get(event.task ?? "");
    if (event.t !== lastMs) {
      // Time passes only while no task runs.
      if (running !== undefined) lines.push(`  ${running}-->>${LOOP}: yields`);
      running = undefined;
      lines.push(`  Note over ${LOOP}: t = ${event.t}`);
      lastMs = event.t;
    }
    if (id === undefined) {
      lines.push(`  Note over ${LOOP}: exit${quote(outcomeOf(event))}`);
      continue;
    }
    if (id !== running) {
      if (running !== undefined) lines.push(`  ${running}-->>${LOOP}: yields`);
      lines.push(`  ${LOOP}->>${id}: ${event.phase === "begin" ? "starts" : "resumes"}`);
      running = id;
    }
    if (event.phase !== "begin") {
      const phase =
        event.name === "io" && isFault({ name: "", operation: event.op?.split("+")[0] ?? "" }) ? "fails (injected)" : event.phase;
      lines.push(`  Note right of ${id}: ${quote(`${event.name ?? ""} ${phase}${outcomeOf(event)}`.trim())}`);
    }
    if (event.phase === "finish") {
      lines.push(`  ${id}-->>${LOOP}: is done`);
      running = undefined;
    }
  }
  return lines.join("\n");
}

function outcomeOf({ value, error }: TraceEvent): string {
  if (error !== undefined) return ` ${error}`;
  return value === undefined ? "" : ` ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

/** Mermaid reads `#`, `;`, `:` and line breaks as syntax; entity codes are its way to write them. */
function quote(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,!?()[\]{}'"=_*/+-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
}
