/**
 * `heddle explore`, built, as a user starts it. Longer than other test files, because everything here needs the same programs.
 */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Ended,
  heddle,
  makeProject,
  read,
  readJson,
  reportsOf,
  requireBuilt,
  start,
  write,
} from "../../fixtures/command/built-command.js";
import { explore as exploreHere } from "../explore/explore.js";
import type { ScenarioEnv } from "../explore/scenario-run.js";
import type { Failure } from "../store/failure.js";

beforeAll(requireBuilt);

/** Two tasks that take two locks in opposite order, with a turn between any two operations: 16 schedules, 4 of them deadlocks. */
const crossedLocks = JSON.stringify({
  version: 1,
  cells: 0,
  futures: 0,
  locks: 2,
  tasks: [
    {
      name: "bank",
      body: [
        ["gather", [1, 2], false],
        ["return", 7],
      ],
    },
    { name: "in", body: [["withLock", 0, [["yield"], ["withLock", 1, [["yield"]]], ["yield"]]]] },
    { name: "out", body: [["withLock", 1, [["yield"], ["withLock", 0, [["yield"]]], ["yield"]]]] },
  ],
});

/** Two setters and a checker that reads one variable after the other: 172 schedules, in 18 of which it sees half of a change. */
const reorder = `
export default async ({ gather, sleep }) => {
  let [a, b, isWhole] = [0, 0, false];
  const set = async () => {
    a = 1;
    await sleep(0);
    b = -1;
  };
  const check = async () => {
    if (a === 0) {
      await sleep(0);
      if (b === 0) {
        isWhole = true;
        return;
      }
    }
    await sleep(0);
    if (a !== 1) return;
    await sleep(0);
    isWhole = b === -1;
  };
  await gather(set, set, check);
  if (!isWhole) throw new Error("half of a change was seen");
  return [a, b];
};
`;

/** Fails where the reader comes after all ten steps of the writer: in one of 2^10 runs under random picks. 11 schedules. */
const rare = `
export default async ({ gather, sleep }) => {
  let seen = -1;
  let at = 0;
  await gather(
    async () => { for (; at < 9; at++) await sleep(0); },
    async () => { seen = at; },
  );
  if (seen === 9) throw new Error("the last one was seen");
  return seen;
};
`;

const endless = "export default async ({ sleep }) => { for (;;) await sleep(1); };";

interface Answer {
  readonly status: string;
  readonly runs: number;
  readonly failures: number;
  readonly complete: boolean;
  readonly distinct: number;
  readonly classes: number | null;
  readonly outcomes: readonly { readonly result: unknown; readonly count: number }[];
  readonly failure: { readonly kind: string; readonly message: string; readonly run: number; readonly [field: string]: unknown } | null;
  readonly strategy: string;
  readonly seed: number;
}

function answerOf({ stdout }: Ended): Answer {
  return JSON.parse(stdout) as Answer; // the command that is under test says so
}

describe("heddle explore", () => {
  test("covers a graph, tells how often it fails, and keeps what brings the failure back", async () => {
    const project = makeProject({ "bank.json": crossedLocks });
    const args = ["explore", "bank.json", "--strategy", "exhaustive", "--seed", "7"];
    const { code, stdout, stderr } = await heddle(project, args);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "heddle explore: bank.json, seed 7, strategy exhaustive, until nothing is left to try\n",
    });
    const [file = ""] = reportsOf(project);
    const { schedule, program } = readJson<Failure>(project, join("reports/failures", file));
    expect(program).toEqual({ kind: "graph", graph: JSON.parse(crossedLocks) as unknown });
    expect(stdout).toMatch(/^FAILED: 4 of 16 runs\n\n {2}DeadlockError: deadlock at step \d+, t=0: 3 tasks wait/);
    expect(stdout).toMatch(/\nThe smallest order found that fails, one column a task:\n {8}bank {8}(in +out|out +in)\n {2}t=0 {3}begin\n/);
    expect(
      stdout.slice(stdout.indexOf("What the runs came to:")).replaceAll(file, "FILE").replaceAll(schedule, "TOKEN"),
    ).toMatchInlineSnapshot(`
      "What the runs came to:
        12  7
         4  {"error":"Deadlock"}

      16 runs, strategy exhaustive, seed 7: every schedule was tried, by itself or by one that is equivalent
      Covered: 16 different schedules
      New schedules in the last 1,000 runs: 16
      Replay it: npx heddle replay reports/failures/FILE
             or: npx heddle replay TOKEN
      "
    `);
    const json = answerOf(await heddle(project, [...args, "--json"]));
    expect(json).toMatchObject({
      status: "failed",
      runs: 16,
      failures: 4,
      complete: true,
      distinct: 16,
      outcomes: [
        { result: 7, count: 12 },
        { result: { error: "Deadlock" }, count: 4 },
      ],
      failure: { kind: "deadlock", seed: 7, schedule, replay: `npx heddle replay reports/failures/${file}` },
      strategy: "exhaustive",
      seed: 7,
    });
    for (const what of [`reports/failures/${file}`, schedule]) {
      const replayed = await heddle(project, ["replay", what]);
      expect(replayed.code).toBe(1);
      expect(replayed.stderr).toBe(`reports/failures/${file}: failed again, with the very trace that was recorded.\n`);
    }
  });

  test("covers the scenario of a module with the counts that are known of it", async () => {
    const project = makeProject({ "reorder.mjs": reorder });
    const ended = await heddle(project, ["explore", "reorder.mjs", "--strategy", "exhaustive", "--json"]);
    expect(ended.code).toBe(1);
    expect(answerOf(ended)).toMatchObject({
      status: "failed",
      runs: 172,
      failures: 18,
      complete: true,
      distinct: 172,
      outcomes: [
        { result: [1, -1], count: 154 },
        { result: { error: "Error: half of a change was seen" }, count: 18 },
      ],
      failure: { kind: "error", message: "Error: half of a change was seen" },
    });
  });

  test("the failure of a module comes back by its file, by its token, and without an argument; holds once it is mended; and is told apart from a change", async () => {
    const project = makeProject({ "src/reorder.mjs": reorder });
    const { stdout } = await heddle(project, ["explore", "src/reorder.mjs", "--seed", "7"]);
    const [file = ""] = reportsOf(project);
    expect(file).toMatch(/^reorder-error-[0-9a-f]{8}\.json$/);
    const path = `reports/failures/${file}`;
    const failure = readJson<Failure>(project, path);
    expect(failure).toMatchObject({ program: { kind: "module", file: "src/reorder.mjs" }, seed: 7, replay: `npx heddle replay ${path}` });
    expect(read(project, path)).not.toContain(project);
    expect(stdout).toContain(`Replay it: npx heddle replay ${path}\n       or: npx heddle replay ${failure.schedule}\n`);
    for (const args of [[path], [failure.schedule], []]) {
      const again = await heddle(project, ["replay", ...args]);
      expect(again.code).toBe(1);
      expect(again.stdout).toContain("broken: Error: half of a change was seen");
      expect(again.stderr).toContain(`${path}: failed again, with the very trace that was recorded.\n`);
    }
    write(project, "src/reorder.mjs", reorder.replace("throw new Error", "new Error"));
    expect(await heddle(project, ["replay", path])).toEqual({
      code: 0,
      stdout: "",
      stderr: `${path}: held. Broken was: error: Error: half of a change was seen\n`,
    });
    write(project, "src/reorder.mjs", reorder.replace("gather(set, set, check)", "gather(set, check)"));
    const changed = await heddle(project, ["replay", path]);
    expect(changed).toMatchObject({ code: 3, stdout: "" });
    expect(changed.stderr).toContain("HEDDLE_DIVERGENCE");
  });

  test("finds the same with any number of threads", async () => {
    const project = makeProject({ "rare.mjs": rare });
    const args = ["explore", "rare.mjs", "--strategy", "random", "--seed", "7", "--runs", "11000"];
    for (const flags of [["--json"], ["--stop-on-failure"]]) {
      const [alone, three] = [
        await heddle(project, [...args, ...flags, "--workers", "1"]),
        await heddle(project, [...args, ...flags, "--workers", "3"]),
      ];
      expect(alone.code).toBe(1);
      expect(three).toEqual(alone);
    }
    // No run of 11,000 fails with p < 3e-5.
    const all = answerOf(await heddle(project, [...args, "--json"]));
    expect(all.runs).toBe(11_000);
    expect(all.outcomes.reduce((sum, { count }) => sum + count, 0)).toBe(11_000);
    expect(all.distinct).toBe(11);
    const first = answerOf(await heddle(project, [...args, "--json", "--stop-on-failure"]));
    expect(first).toMatchObject({ runs: (all.failure?.run ?? 0) + 1, failures: 1, failure: all.failure });
  });

  test("makes the runs that explore() makes with the same seed, where they fit into one block", async () => {
    const project = makeProject({ "count.mjs": `export default ${String(countOrders)}` });
    const answer = answerOf(await heddle(project, ["explore", "count.mjs", "--strategy", "random", "--seed", "11", "--json"]));
    const counts = new Map<unknown, number>();
    const { distinct } = await exploreHere(countOrders, {
      strategy: "random",
      seed: 11,
      stopOnFailure: false,
      onRun: (end) => {
        const result = end.kind === "passed" ? end.value : undefined;
        counts.set(result, (counts.get(result) ?? 0) + 1);
      },
    });
    expect(new Map(answer.outcomes.map(({ result, count }) => [result, count]))).toEqual(counts);
    expect(answer.outcomes.map(({ count }) => count)).toEqual(answer.outcomes.map(({ count }) => count).toSorted((a, b) => b - a));
    expect(answer).toMatchObject({ status: "passed", runs: 1_000, failures: 0, complete: false, distinct, failure: null });
  });

  test("takes the options that the module exports, and what the command line says before that", async () => {
    const project = makeProject({
      "own.mjs": `export const options = { runs: 20, seed: 3, strategy: "random", maxSteps: 50, stopOnFailure: true };\n${endless}`,
    });
    const stated = answerOf(await heddle(project, ["explore", "own.mjs", "--json"]));
    expect(stated).toMatchObject({ runs: 1, failures: 1, seed: 3, strategy: "random", failure: { kind: "livelock" } });
    expect(stated.failure?.message).toContain("50");
    const flags = ["--runs", "5", "--seed", "4", "--strategy", "fifo", "--max-steps", "60"];
    const asked = answerOf(await heddle(project, ["explore", "own.mjs", "--json", ...flags]));
    expect(asked).toMatchObject({ runs: 1, seed: 4, strategy: "fifo" });
    expect(asked.failure?.message).toContain("60");
  });

  test("takes a strategy object of the module, which goes on where it was", async () => {
    const project = makeProject({
      "own.mjs": `
        const strategy = { name: "one by one", isSystematic: true, begin: (run) => run < 6000, pick: ({ ready }) => ready.length - 1 };
        export const options = { strategy };
        export default async ({ gather }) => { await gather(async () => 1, async () => 2); };
      `,
    });
    const { code, stdout, stderr } = await heddle(project, ["explore", "own.mjs", "--seed", "1", "--json"]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "heddle explore: own.mjs, seed 1, strategy one by one, until nothing is left to try\n",
    });
    expect(JSON.parse(stdout)).toMatchObject({ status: "passed", runs: 6_000, complete: true, strategy: "one by one" });
  });

  test("writes what the program prints to standard error, so that standard output is the answer alone", async () => {
    const project = makeProject({
      "loud.mjs":
        'console.log("at import"); export default async ({ sleep }) => { console.log("in a run"); await sleep(1); process.stdout.write("raw\\n"); };',
    });
    const { code, stdout, stderr } = await heddle(project, ["explore", "loud.mjs", "--runs", "2", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ runs: 2, outcomes: [{ result: null, count: 2 }] });
    for (const line of ["at import", "in a run", "raw"]) expect(stderr).toContain(`${line}\n`);
  });

  test("loads CommonJS, also what a compiler made, and takes its default export", async () => {
    const project = makeProject({
      "plain.cjs": "module.exports = ({ sleep }) => sleep(1).then(() => 1);",
      "compiled.cjs":
        'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = ({ sleep }) => sleep(1).then(() => 2);',
    });
    for (const [index, file] of ["plain.cjs", "compiled.cjs"].entries()) {
      const answer = answerOf(await heddle(project, ["explore", file, "--runs", "1", "--json"]));
      expect(answer.outcomes).toEqual([{ result: index + 1, count: 1 }]);
    }
  });

  test("runs TypeScript where Node does, and says so where it does not", async () => {
    const project = makeProject({
      "typed.ts": "export default ({ sleep }: { sleep(ms: number): Promise<void> }): Promise<number> => sleep(1).then(() => 5);",
    });
    const { code, stdout, stderr } = await heddle(project, ["explore", "typed.ts", "--runs", "1", "--json"]);
    // @types/node is that of the oldest Node that is supported, which has no such feature.
    const isRun = Boolean((process.features as { readonly typescript?: unknown }).typescript);
    expect(code).toBe(isRun ? 0 : 2);
    if (isRun) expect(JSON.parse(stdout)).toMatchObject({ outcomes: [{ result: 5, count: 1 }] });
    else {
      expect(stdout).toBe("");
      expect(stderr).toBe(
        `heddle: typed.ts: Node ${process.versions.node} runs no TypeScript: take Node 22.18 or later, or name the JavaScript that tsc makes of it\n`,
      );
    }
  });

  test("a time limit ends it with what is known, and is no failure", async () => {
    const project = makeProject({ "fine.mjs": "export default async ({ sleep }) => { await sleep(5); };" });
    const { code, stdout, stderr } = await heddle(project, [
      "explore",
      "fine.mjs",
      "--runs",
      "1000000000",
      "--time-limit",
      "300",
      "--json",
    ]);
    expect(code).toBe(0);
    const { status, runs, outcomes } = JSON.parse(stdout) as Answer;
    expect({ status, outcomes }).toEqual({ status: "stopped", outcomes: [{ result: null, count: runs }] });
    expect(runs).toBeGreaterThan(0);
    expect(stderr).toMatch(/\nheddle: the time limit ended it after [\d,]+ runs?\n$/);
  });

  test("an interrupt ends it with what is known", async () => {
    const project = makeProject({
      "fine.mjs": 'export default async ({ sleep }) => { globalThis.told ??= [console.log("running")]; await sleep(5); };',
    });
    const started = start(project, ["explore", "fine.mjs", "--runs", "1000000000"]);
    await started.told("running");
    started.interrupt();
    const { code, stdout, stderr } = await started.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^stopped: none of [\d,]+ runs? failed until then\n/);
    expect(stderr).toMatch(/\nheddle: interrupted after [\d,]+ runs?\n$/);
  });

  test("a step that never ends is given up by a time limit and by an interrupt, and does not keep the command from ending", async () => {
    const project = makeProject({ "stuck.mjs": 'export default () => { console.log("stuck"); for (;;); };' });
    const limited = await heddle(project, ["explore", "stuck.mjs", "--time-limit", "200"]);
    expect(limited.code).toBe(1); // by the hard limit of a step, before it is given up
    expect(limited.stderr).toContain("heddle: a run was given up because a step of it did not come to its end");
    expect(limited.stdout).toContain("FAILED: 1 of 1 run\n\n  The time was over before it could be looked into.\n");
    const started = start(project, ["explore", "stuck.mjs"]);
    await started.told("heddle explore: stuck.mjs");
    started.interrupt();
    const { code, stdout } = await started.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^stopped: none of 0 runs failed until then\n/);
  });

  test("a program that runs out of memory takes its thread with it and not the command", async () => {
    const project = makeProject({
      "hungry.mjs": "export default () => { const all = []; for (;;) all.push(new Array(100_000).fill(0.5)); };",
    });
    const { code, stdout, stderr } = await heddle(project, ["explore", "hungry.mjs"], {
      env: { NODE_OPTIONS: "--max-old-space-size=100" },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/\nheddle: hungry\.mjs: has ended its thread: Worker terminated due to reaching memory limit.*\n$/);
  });

  test("an interrupt while the module is being loaded is one too", async () => {
    const project = makeProject({ "slow.mjs": 'console.error("loading"); await new Promise((resolve) => setTimeout(resolve, 60_000));' });
    const started = start(project, ["explore", "slow.mjs"]);
    await started.told("loading");
    started.interrupt();
    expect(await started.ended).toEqual({ code: 130, stdout: "", stderr: "loading\nheddle: interrupted before the first run\n" });
  });

  test("a folder that cannot be written costs the file and not what was found", async () => {
    const project = makeProject({ "bank.json": crossedLocks, reports: "mine" });
    const { code, stdout, stderr } = await heddle(project, ["explore", "bank.json", "--json"]);
    expect(code).toBe(1);
    const { failure } = JSON.parse(stdout) as Answer;
    expect(failure).toMatchObject({ kind: "deadlock", file: null, replay: null });
    expect(stderr).toContain(
      `cannot be written: a part of the path is a file where a folder is needed; the schedule of the failure is ${String(failure?.["schedule"])}\n`,
    );
    expect(read(project, "reports")).toBe("mine");
  });

  test.each([
    [["explore"], "missing required argument 'graph.json|module'"],
    [["explroe", "bank.json"], "unknown command 'explroe'\n(Did you mean explore?)"],
    [["explore", "bank.json", "--worker", "2"], "unknown option '--worker'\n(Did you mean --workers?)"],
    [["explore", "bank.json", "--workers", "0"], '--workers: must be a whole number from 1 to 1024, not "0"'],
    [["explore", "bank.json", "--runs", "many"], '--runs: must be a whole number from 1 to 1000000000, not "many"'],
    [["explore", "bank.json", "--seed", "-1"], '--seed: must be a whole number from 0 to 4294967295, not "-1"'],
    [["explore", "bank.json", "--max-steps", "0"], '--max-steps: must be a whole number from 1 to 1000000000, not "0"'],
    [["explore", "bank.json", "--time-limit", "1s"], '--time-limit: must be a whole number from 1 to 2147483647, not "1s"'],
    [["explore", "bank.json", "--strategy", "chaos"], 'strategy: "chaos" is not known; known are '],
    [["explore", "nowhere.json"], "nowhere.json: there is no such file"],
    [["explore", "cut.json"], "cut.json: is no valid JSON ("],
    [["explore", "nowhere.mjs"], "nowhere.mjs: there is no such file"],
    [
      ["explore", "notes.txt"],
      "notes.txt: is neither a task graph (.json) nor a module (.js, .mjs, .cjs, .ts, .mts, .cts) by the end of its name",
    ],
    [["explore", "syntax.mjs"], "syntax.mjs: cannot be loaded: SyntaxError: "],
    [["explore", "throws.mjs"], "throws.mjs: cannot be loaded: Error: at import"],
    [["explore", "typo.mjs"], "typo.mjs: options.rums: is no option of a scenario; known are runs, seed, "],
    [["explore", "leaves.mjs"], "leaves.mjs: has ended its thread, as process.exit() does, in the middle of an exploration"],
    [
      ["explore", "leaves-at-once.mjs"],
      "leaves-at-once.mjs: has ended its thread, as process.exit() does, in the middle of an exploration",
    ],
    [["explore", "strategy.mjs"], "strategy.mjs: strategy own: begin(run) must answer true, or false when nothing is left to try, not 1"],
  ])("refuses %j in one clear message on standard error, and writes nothing", async (args, message) => {
    const scenario = "export default () => 1;";
    const project = makeProject({
      "bank.json": crossedLocks,
      "cut.json": crossedLocks.slice(0, 90),
      "notes.txt": "notes",
      "syntax.mjs": "export default (",
      "throws.mjs": 'throw new Error("at import");',
      "typo.mjs": `export const options = { rums: 5 }; ${scenario}`,
      "leaves.mjs": "export default () => process.exit(0);",
      "leaves-at-once.mjs": "process.exit(0);",
      "strategy.mjs": `export const options = { strategy: { name: "own", begin: () => 1, pick: () => 0 } }; ${scenario}`,
    });
    const { code, stdout, stderr } = await heddle(project, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`heddle: ${message}`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).not.toContain(project);
    expect(reportsOf(project)).toEqual([]);
  });

  test("tells its help with an example", async () => {
    const { code, stdout } = await heddle(makeProject(), ["explore", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Example: heddle explore ");
    for (const flag of ["--strategy", "--runs", "--seed", "--workers", "--json", "--max-steps", "--time-limit", "--stop-on-failure"]) {
      expect(stdout).toContain(flag);
    }
  });
});

/** Answers in which order three tasks ran. Its text is the scenario of a module, too, so it uses nothing from outside. */
async function countOrders({ gather, sleep }: ScenarioEnv): Promise<string> {
  let order = "";
  const write = (letter: string) => async (): Promise<void> => {
    await sleep(0);
    order += letter;
  };
  await gather(write("a"), write("b"), write("c"));
  return order;
}
