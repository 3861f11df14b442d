/**
 * Invariants that compare runs: the same schedule gives the same trace, and who shares nothing does not notice the others.
 */
import type { GraphRun } from "../graph/graph-run.js";
import { type Operation, sharedBy, walkBody } from "../graph/task-graph.js";
import { DivergenceError } from "../strategy/replay.js";
import { formatTrace, type TraceEvent, type TraceValue } from "../trace/trace.js";
import type { Invariant } from "./invariant.js";

/** @since 0.1.0 */
export const sameScheduleSameTrace: Invariant = {
  name: "same-schedule-same-trace",
  sentence: "The same graph under the same schedule gives the same trace, byte for byte.",
  judge({ run }, { replay }) {
    const again = replayed(replay);
    if (again instanceof DivergenceError) return { exercised: 1, violation: `its schedule cannot be replayed: ${again.message}` };
    const [first, second] = [formatTrace(run.trace), formatTrace(again.trace)];
    if (first === second) return { exercised: 1, violation: undefined };
    const [before, after] = [first.split("\n"), second.split("\n")];
    const line = before.findIndex((text, index) => text !== after[index]);
    return {
      exercised: 1,
      violation: `line ${line + 1} of the trace was ${lineOf(before, line)} and is ${lineOf(after, line)} when replayed`,
    };
  },
};

/** The last line of a trace is followed by an empty one. */
function lineOf(lines: readonly string[], index: number): string {
  const line = lines[index] ?? "";
  return line === "" ? "absent" : line;
}

/** @since 0.1.0 */
export const independentTasks: Invariant = {
  name: "independent-tasks",
  sentence: "Tasks that share nothing give the same results at the same times under every schedule.",
  judge({ run }, { fifo, lastFirst }) {
    if (!isSharingNothing(run)) return { exercised: 0, violation: undefined };
    const [reference, order] = run.schedule.housekeeping === "inline" ? [lastFirst(), "the last one first"] : [fifo(), "fifo"];
    for (const { name } of run.placed.graph.tasks) {
      const [here, there] = [eventsOf(run, name), eventsOf(reference, name)];
      // What main leaves behind is cut off where it happens to stand.
      if (here.some(isCut) || there.some(isCut) || here.length === 0 || there.length === 0) continue;
      if (formatTrace(here) === formatTrace(there)) continue;
      const index = here.findIndex((event, place) => JSON.stringify(event) !== JSON.stringify(there[place]));
      return {
        exercised: 1,
        violation: `${name}: line ${index + 1} of its trace is ${JSON.stringify(here[index])}, and under ${order} ${JSON.stringify(there[index])}`,
      };
    }
    return { exercised: 1, violation: undefined };
  },
};

/** A run that leaves its own schedule has broken the promise no less than one that keeps to it and has another trace. */
function replayed(replay: () => GraphRun): GraphRun | DivergenceError {
  try {
    return replay();
  } catch (error) {
    if (error instanceof DivergenceError) return error;
    throw error;
  }
}

function eventsOf(run: GraphRun, task: string): readonly TraceEvent[] {
  return run.trace.filter((event) => event.task === task).map(withoutOrder);
}

/** What of a `wait` and an `asCompleted` hangs on who is first of those that are done at the same time is left out. */
function withoutOrder(event: TraceEvent): TraceEvent {
  const { value, ...rest } = event;
  if (event.phase !== "end" || value === undefined) return event;
  if (event.name === "wait") return rest;
  return event.name === "asCompleted" && Array.isArray(value) ? { ...event, value: (value as readonly TraceValue[]).toSorted() } : event;
}

function isCut({ error }: TraceEvent): boolean {
  return error === "CancelledError";
}

/** Whether no two tasks use the same cell, lock, event or the like, and nothing fails, is cancelled or goes through a future. */
function isSharingNothing({ placed }: GraphRun): boolean {
  const owner = new Map<string, number>();
  if (placed.bodies.length < 2) return false; // nobody to be independent of
  return placed.bodies.every((body, task) =>
    [...walkBody(body)].every(({ operation }) => {
      const shared = sharedBy(operation);
      const name = `${shared ?? ""} ${String(operation[1])}`;
      const first = owner.get(name) ?? task;
      if (shared !== undefined) owner.set(name, first);
      return (shared === undefined || first === task) && !isFaultOrFuture(operation);
    }),
  );
}

function isFaultOrFuture([name]: Operation): boolean {
  return ["raise", "cancel", "timeout", "setResult", "setException", "cancelFuture", "awaitFuture"].includes(name);
}
