/** Every order of a random graph is either run by `dpor`, or equivalent to one that is: it shows every task the same, and ends the same. */
import * as fc from "fast-check";
import { type ExploreOptions, exhaustive, explore, type Strategy, type TaskGraph, type TraceEvent } from "heddle";
import { taskGraph } from "heddle/arbitraries";
import { expect, test } from "vitest";
import { graphScenario } from "../fixtures/search/graph-scenario.js";
import { parameters } from "./small-programs.js";

/** Graphs with more orders are passed over. */
const MAX_ORDERS = 1_500;

/** Small enough to be run in every order, and with all that tasks can meet at. */
const smallGraph = taskGraph({ maxTasks: 4, maxOperations: 4, maxDepth: 1 });

type End = Parameters<NonNullable<ExploreOptions["onRun"]>>[0];

/** How a run ended, and what each task saw of it; in which order they came is left out, because equivalent orders differ in that. */
function viewsOf(trace: readonly TraceEvent[], end: End): string {
  const views: Record<string, TraceEvent[]> = {};
  for (const event of trace) (views[event.task ?? ""] ??= []).push(event);
  return JSON.stringify([end.kind, end.kind === "error" ? String(end.error) : null, Object.entries(views).toSorted()]);
}

/** Runs it under a strategy to its end, or until it has made too many runs. */
async function exploreGraph(graph: TaskGraph, strategy: Strategy | string) {
  const { scenario, latestTrace } = graphScenario(graph);
  const views = new Set<string>();
  const onRun = (end: End): void => {
    views.add(viewsOf(latestTrace(), end));
  };
  const all: ExploreOptions = { stopOnFailure: false, minimise: false, selfCheck: false };
  const outcome = await explore(scenario, { ...all, strategy, seed: 7, runs: MAX_ORDERS, tracked: true, onRun });
  return { ...outcome, views: [...views].toSorted() };
}

/** Whether a timer of its own may be taken back when it is already due: there `dpor` may run more than one order of a class. */
function hasTimeLimit({ tasks }: TaskGraph): boolean {
  return /"timeout"|"(FIRST_COMPLETED|FIRST_EXCEPTION|ALL_COMPLETED)",\d/.test(JSON.stringify(tasks));
}

test("dpor shows all that all orders of a random graph show, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(smallGraph, async (graph) => {
      const every = await exploreGraph(graph, "exhaustive");
      fc.pre(every.complete);
      const { views, complete, runs } = await exploreGraph(graph, "dpor");
      expect(views).toEqual(every.views);
      expect(complete).toBe(true);
      expect(runs).toBeLessThanOrEqual(every.runs);
    }),
    parameters(500),
  );
});

test("dpor runs one order of each class of a random graph without time limits", async () => {
  await fc.assert(
    fc.asyncProperty(smallGraph, async (graph) => {
      fc.pre(!hasTimeLimit(graph));
      const every = await exploreGraph(graph, Object.assign(exhaustive(), { tracks: true }));
      fc.pre(every.runs < MAX_ORDERS);
      const { runs, classes, distinct } = await exploreGraph(graph, "dpor");
      expect({ runs, classes, distinct }).toEqual({ runs: every.classes, classes: every.classes, distinct: every.classes });
    }),
    parameters(500, 1),
  );
});
