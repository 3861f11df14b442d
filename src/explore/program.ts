/**
 * What can be explored by the command, in one shape: the scenario of a module, or a task graph.
 */
import { describeError, describeValue } from "../errors/errors.js";
import { GraphInterpreter, placeGraph } from "../graph/interpret.js";
import type { TaskGraph } from "../graph/task-graph.js";
import { getRunningLoop } from "../loop/running.js";
import type { CommandOptions, ExploreOptions } from "./options.js";
import type { Scenario, ScenarioEnd } from "./scenario-run.js";

export interface Program {
  readonly scenario: Scenario;
  /** The name of the main task, where it is not `"main"`. */
  readonly mainName?: string;
  /** Options that its author gave with it. */
  readonly options: CommandOptions;
  /** What a run came to, as JSON: what main returned, or `{"error": …}`. To be asked right after the run. */
  readonly resultOf: (end: ScenarioEnd) => string;
}

/** The program of a module that exports a scenario. */
export function scenarioProgram(scenario: Scenario, options: ExploreOptions = {}): Program {
  return { scenario, options, resultOf: (end) => (end.kind === "passed" ? toJson(end.value) : errorAsJson(end)) };
}

/**
 * A graph has no loops, so it comes to its end in any order, and a bound of steps is only for what a defect of the loop may add. (Scenarios
 * of a program are held to far fewer, because they can run in circles.)
 */
const MAX_GRAPH_STEPS = 1_000_000;

/**
 * The program that a task graph is. Tasks, operations and errors have the names that they have in the graph's trace, so that a schedule found
 * here is one of the graph's. The graph must have been checked.
 */
export function graphProgram(graph: TaskGraph): Program {
  const placed = placeGraph(graph);
  const [{ name: mainName } = { name: "main" }] = graph.tasks;
  let latest: GraphInterpreter | undefined;
  return {
    mainName,
    // A graph shares nothing but what the loop and the interpreter see.
    options: { maxSteps: MAX_GRAPH_STEPS, tracked: true, mayBeOneStep: true },
    scenario: () => {
      const loop = getRunningLoop();
      // An exception that nobody retrieves is told in asyncio, and ends nothing; what main comes to is the result of a graph.
      loop.setExceptionHandler(() => undefined);
      latest = new GraphInterpreter(placed, loop);
      return latest.main();
    },
    resultOf: (end) => {
      if (end.kind === "passed") return toJson(end.value);
      const finish =
        end.kind === "error" ? latest?.trace.findLast(({ phase, task }) => phase === "finish" && task === mainName) : undefined;
      return finish?.error === undefined ? errorAsJson(end) : JSON.stringify({ error: finish.error });
    },
  };
}

function toJson(value: unknown): string {
  try {
    // In a list, what has no text in JSON is null: nothing at all, a function, a symbol.
    return JSON.stringify([value]).slice(1, -1);
  } catch {
    return JSON.stringify(describeValue(value)); // a cycle, or a BigInt
  }
}

/** The places of a deadlock differ from order to order, and what it is does not; see the report of the failure for them. */
function errorAsJson(end: Exclude<ScenarioEnd, { readonly kind: "passed" }>): string {
  switch (end.kind) {
    case "deadlock":
      return '{"error":"Deadlock"}';
    case "livelock":
      return '{"error":"Livelock"}';
    case "error":
    case "unhandledRejection":
    case "invariant":
    case "starvation":
    case "divergence":
      return JSON.stringify({ error: describeError(end.error) });
  }
}
