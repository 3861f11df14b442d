/** The failure of an exploration, kept for `heddle replay`. */
import { BadInputError, describeError } from "../errors/errors.js";
import type { FoundFailure } from "../explore/block.js";
import { runTaskGraph } from "../graph/graph-run.js";
import type { TaskGraph } from "../graph/task-graph.js";
import { decodeSchedule } from "../schedule/token.js";
import type { Failure } from "../store/failure.js";
import { writeFailure } from "../store/reports.js";
import { following } from "../strategy/replay.js";
import type { ProgramSource } from "./explore-worker.js";

export interface KeptFailure {
  readonly failure: FoundFailure;
  /** Its file, relative to the project; undefined where it could not be written. */
  readonly path: string | undefined;
  /** The commands that replay it. */
  readonly replay: readonly string[];
  /** Why it could not be written. */
  readonly problem: string | undefined;
}

/** Writes the failure file. A folder that cannot be written costs the file, and not what was found. */
export async function keepFailure(
  project: string,
  source: ProgramSource,
  { failure: found, strategy }: { readonly failure: FoundFailure; readonly strategy: string },
): Promise<KeptFailure> {
  const failure = source.kind === "graph" ? await asFailureOfGraph(source.graph, found) : found;
  const { kind, message, seed, schedule, original, trace } = failure;
  const file: Omit<Failure, "replay"> = {
    version: 1,
    program:
      source.kind === "graph" ? { kind: "graph", graph: { ...source.graph } } : { kind: "module", file: source.file.replaceAll("\\", "/") },
    seed,
    strategy,
    options: {},
    schedule,
    original: { schedule: original },
    error: { kind, message },
    trace: [...trace] as Failure["trace"], // the same, but for readonly
  };
  try {
    const path = writeFailure(project, file);
    return { failure, path, replay: [path, schedule].map((what) => `npx heddle replay ${what}`), problem: undefined };
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    return { failure, path: undefined, replay: [], problem: `${error.message}; the schedule of the failure is ${schedule}` };
  }
}

/** With the trace that the graph itself tells in this order, and its own words for what broke. */
async function asFailureOfGraph(graph: TaskGraph, found: FoundFailure): Promise<FoundFailure> {
  const { trace, error } = await runTaskGraph(graph, { strategy: following(decodeSchedule(found.schedule)), seed: found.seed });
  return { ...found, trace, message: describeError(error) };
}
