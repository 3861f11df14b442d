/**
 * A failure as text: what broke, the smallest program, what happened in it, and how to run it again.
 */
import type { TaskGraph } from "../graph/task-graph.js";
import type { TraceEvent } from "../trace/trace.js";
import { renderTimeline } from "./timeline.js";

export interface FailureText {
  /** What must hold, in one sentence; left out for failures that are no broken invariant. */
  readonly sentence?: string | undefined;
  /** What broke it. */
  readonly message: string;
  readonly graph?: TaskGraph | undefined;
  readonly trace: readonly TraceEvent[];
  readonly replay: string;
}

/** The report of a failure. The same failure gives the same text. */
export function renderFailure({ sentence, message, graph, trace, replay }: FailureText): string {
  return [
    ...(sentence === undefined ? [] : [sentence]),
    `  broken: ${message}`,
    ...(graph === undefined ? [] : ["", "The smallest program that shows it:", renderGraph(graph)]),
    "",
    "What happened, one column a task:",
    indent(renderTimeline(trace)),
    "",
    `Replay it: ${replay}`,
  ].join("\n");
}

/** A graph, one task a line. */
export function renderGraph({ cells, futures, locks = 0, semaphores = [], events = 0, queues = [], tasks }: TaskGraph): string {
  const width = tasks.reduce((widest, { name }) => Math.max(widest, name.length), 0);
  const shared = [
    count(cells, "cell"),
    count(futures, "future"),
    count(locks, "lock"),
    ...(semaphores.length === 0 ? [] : [`${count(semaphores.length, "semaphore")} of ${semaphores.join(", ")}`]),
    count(events, "event"),
    ...(queues.length === 0 ? [] : [`${count(queues.length, "queue")} of size ${queues.join(", ")}`]),
  ].filter((part) => part !== "");
  const lines = tasks.map(({ name, body }, index) =>
    `${String(index).padStart(2)} ${name.padEnd(width)}  ${body.map((operation) => JSON.stringify(operation)).join(" ")}`.trimEnd(),
  );
  return indent([...(shared.length > 0 ? [shared.join("; ")] : []), ...lines].join("\n"));
}

function count(number: number, what: string): string {
  return number === 0 ? "" : `${number} ${what}${number === 1 ? "" : "s"}`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
