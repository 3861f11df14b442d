import { expect, test } from "vitest";
import { checkTaskGraph } from "../graph/check.js";
import { runTaskGraph } from "../graph/graph-run.js";
import { decodeSchedule } from "../schedule/token.js";
import { random } from "../strategy/random.js";
import { following } from "../strategy/replay.js";
import { explore } from "./explore.js";
import type { CommandOptions } from "./options.js";
import { graphProgram, type Program, scenarioProgram } from "./program.js";

/** The results of one run in the order of arrival, and in any other order that is drawn in 50. */
async function resultsOf(program: Program, strategy = "random"): Promise<readonly string[]> {
  const results = new Set<string>();
  const options: CommandOptions = {
    ...program.options,
    mainName: program.mainName,
    strategy,
    seed: 7,
    runs: 50,
    stopOnFailure: false,
    minimise: false,
    onRun: (end) => {
      results.add(program.resultOf(end));
    },
  };
  await explore(program.scenario, options);
  return [...results].sort();
}

test("what a scenario returned is its result, as JSON; nothing is null, and what has no JSON is named", async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const returned = [undefined, null, 5, "five", [1, { a: 2 }], () => 1, 5n, cycle];
  const results = await Promise.all(
    returned.map((value) =>
      resultsOf(
        scenarioProgram(async ({ sleep }) => {
          await sleep(0);
          return value;
        }),
        "fifo",
      ),
    ),
  );
  expect(results.flat()).toEqual(["null", "null", "5", '"five"', '[1,{"a":2}]', "null", '"5"', '"[Object]"']);
});

test.each<[string, Program, string]>([
  ["an error", scenarioProgram(() => Promise.reject(new Error("boom"))), '{"error":"Error: boom"}'],
  ["a deadlock", scenarioProgram(({ createFuture }) => createFuture("never")), '{"error":"Deadlock"}'],
  [
    "a livelock",
    scenarioProgram(
      async ({ sleep }) => {
        for (;;) await sleep(0);
      },
      { maxSteps: 20 },
    ),
    '{"error":"Livelock"}',
  ],
  [
    "a rejection that nobody handled",
    scenarioProgram(() => {
      void Promise.reject(new Error("stray"));
    }),
    '{"error":"Error: stray"}',
  ],
])("%s is the result of a run that fails with it", async (_what, program, expected) => {
  expect(await resultsOf(program, "fifo")).toEqual([expected]);
});

const graph = checkTaskGraph({
  version: 1,
  cells: 1,
  futures: 1,
  tasks: [
    {
      name: "boss",
      body: [
        ["spawn", 3],
        ["taskGroup", [1, 2], [["yield"]]],
        ["span", 0, 5],
        ["return", 4],
      ],
    },
    { name: "one", body: [["yield"], ["raise", "first"]] },
    { name: "two", body: [["yield"], ["raise", "second"]] },
    { name: "beside", body: [["raise", "nobody asks"]] },
  ],
});

test("the error of a graph is told in the words of its trace", async () => {
  const results = await resultsOf(graphProgram(graph));
  expect(results).toEqual(['{"error":"ExceptionGroup: RuntimeError: first"}', '{"error":"ExceptionGroup: RuntimeError: second"}']);
  const { trace } = await runTaskGraph(graph, { strategy: random(7) });
  expect(results).toContain(JSON.stringify({ error: trace.at(-1)?.error }));
});

test("a task of a graph that fails and is not awaited is no failure of the graph", async () => {
  const spared = checkTaskGraph({
    ...graph,
    tasks: [
      { name: "boss", body: [["spawn", 1], ["yield"], ["return", 4]] },
      { ...graph.tasks[3], name: "one" },
    ],
  });
  expect(await resultsOf(graphProgram(spared))).toEqual(["4"]);
});

test("a schedule found for a graph is one of the graph's own, with its names", async () => {
  const program = graphProgram(graph);
  const options: CommandOptions = { ...program.options, mainName: program.mainName, strategy: "random", seed: 3 };
  const { failure } = await explore(program.scenario, options);
  const schedule = decodeSchedule(failure?.schedule ?? "");
  const names = new Set(schedule.decisions.flatMap(({ ready }) => ready.map(({ name }) => name)));
  expect([...names].sort()).toEqual(["beside", "boss", "one", "two"]);
  const strategy = following(schedule);
  const replayed = await runTaskGraph(graph, { strategy });
  strategy.requireComplete();
  expect(replayed.outcome).toBe("failed");
});
