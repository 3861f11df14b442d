/**
 * The built command, as a user starts it: exit codes, what goes to which stream, and what is left on disk. Longer than other test
 * files, because every test here needs the same temporary projects.
 */
import { closeSync, cpSync, existsSync, ftruncateSync, openSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Ended,
  heddle,
  makeProject,
  read,
  readJson,
  reportsOf,
  repository,
  requireBuilt,
  start,
  write,
} from "../../fixtures/command/built-command.js";
import { checkTaskGraph } from "../graph/check.js";
import { renderFailure } from "../report/failure-text.js";
import type { RecordedDecision } from "../schedule/schedule.js";
import { decodeSchedule, encodeSchedule } from "../schedule/token.js";
import type { Failure } from "../store/failure.js";
import { STRATEGY_NAMES } from "../strategy/named.js";
import type { Summary } from "./summary.js";

beforeAll(requireBuilt);

/** Each starts several processes, and a machine may have much else to do. */
vi.setConfig({ testTimeout: 120_000 });

/** The first step of every recorded schedule of a graph. */
const mainAlone: RecordedDecision = { ready: [{ name: "main", operation: "1" }], index: 0 };

const holding = `
import { testInvariants } from "heddle/vitest";
testInvariants("the loop keeps its promises");
`;

/** An invariant that is not heddle's own, and that does not hold. */
const breaking = `
import { describe } from "vitest";
import { testInvariants } from "heddle/vitest";
const nobodyIsCancelled = {
  name: "nobody-is-cancelled",
  sentence: "No task is ever cancelled.",
  judge: ({ trace }) => {
    const cancelled = trace.find(({ phase, error }) => phase === "finish" && error === "CancelledError");
    return { exercised: 1, violation: cancelled && \`\${cancelled.task} was cancelled at t=\${cancelled.t}\` };
  },
};
describe("a suite (of one)", () => {
  testInvariants("nobody is cancelled, ever?", { invariants: [nobodyIsCancelled] });
});
`;

const graph = {
  version: 1,
  cells: 1,
  futures: 0,
  tasks: [
    { name: "main", body: [["gather", [1, 2], false]] },
    {
      name: "t1",
      body: [
        ["sleep", 5],
        ["span", 0, 2],
      ],
    },
    { name: "t2", body: [["yield"], ["raise", "boom"]] },
  ],
};

const seven = ["--seed", "7", "--runs", "300"];

describe("the command", () => {
  test("tells its version and its help on standard output", async () => {
    const project = makeProject();
    const { version } = readJson<{ version: string }>(repository, "package.json");
    expect(await heddle(project, ["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const { code, stdout, stderr } = await heddle(project, ["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of ["properties", "replay", "trace", "explore"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
      expect((await heddle(project, [name, "--help"])).stdout).toContain(`Example: heddle ${name} `);
    }
  });

  test.each([
    [["propertys"], "unknown command 'propertys'\n(Did you mean properties?)"],
    [["trace"], "missing required argument 'graph.json'"],
    [["trace", "graph.json", "--sede", "1"], "unknown option '--sede'\n(Did you mean --seed?)"],
    [["trace", "graph.json", "extra"], "too many arguments"],
    [["trace", "graph.json", "--seed"], "option '--seed <n>' argument missing"],
    [["trace", "graph.json", "--seed", "seven"], '--seed: must be a whole number from 0 to 4294967295, not "seven"'],
    [["trace", "graph.json", "--seed", "4294967296"], '--seed: must be a whole number from 0 to 4294967295, not "4294967296"'],
    [["trace", "graph.json", "--seed", "-1"], '--seed: must be a whole number from 0 to 4294967295, not "-1"'],
    [["trace", "graph.json", "--strategy", "chaos"], `strategy: "chaos" is not known; known are ${STRATEGY_NAMES.join(", ")}`],
    [["trace", "nowhere.json"], "nowhere.json: there is no such file"],
    [["trace", "empty.json"], "empty.json: is empty"],
    [["trace", "huge.json"], "huge.json: has 104857600 bytes; at most 16777216 are read"],
    [["replay"], "there is no failure to replay: reports/failures holds none"],
    [["replay", "nowhere.json"], "nowhere.json: there is no such file"],
    [["replay", "graph.json"], "graph.json: "],
    [["replay", "huge.json"], "huge.json: has 104857600 bytes; at most 16777216 are read"],
    [["replay", "hd1.AAAA"], "token: "],
    [["replay", "hd2.AAAA"], 'token: version "hd2." is not known here; this heddle reads "hd1."'],
    [["properties"], "properties/: there is no property file (NAME.property.ts or .js); start the command in the folder of the project"],
  ])("refuses %j in one clear message on standard error, and writes nothing", async (args, message) => {
    const project = makeProject({ "graph.json": JSON.stringify(graph), "empty.json": "" });
    const huge = openSync(join(project, "huge.json"), "w");
    ftruncateSync(huge, 100 * 1024 * 1024);
    closeSync(huge);
    const { code, stdout, stderr } = await heddle(project, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`heddle: ${message}`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(existsSync(join(project, "reports"))).toBe(false);
  });
});

describe("heddle trace", () => {
  test("prints the trace of a graph, and a graph that fails is a result", async () => {
    const project = makeProject({ "graph.json": JSON.stringify(graph) });
    const { code, stdout, stderr } = await heddle(project, ["trace", "graph.json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchInlineSnapshot(`
      "{"t":0,"task":"main","phase":"begin"}
      {"t":0,"task":"main","op":"0","name":"gather","phase":"start"}
      {"t":0,"task":"t1","phase":"begin"}
      {"t":0,"task":"t1","op":"0","name":"sleep","phase":"start"}
      {"t":0,"task":"t2","phase":"begin"}
      {"t":0,"task":"t2","op":"0","name":"yield","phase":"start"}
      {"t":0,"task":"t2","op":"0","name":"yield","phase":"end"}
      {"t":0,"task":"t2","op":"1","name":"raise","phase":"start"}
      {"t":0,"task":"t2","op":"1","name":"raise","phase":"error","error":"RuntimeError: boom"}
      {"t":0,"task":"t2","phase":"finish","error":"RuntimeError: boom"}
      {"t":0,"task":"main","op":"0","name":"gather","phase":"error","error":"RuntimeError: boom"}
      {"t":0,"task":"main","phase":"finish","error":"RuntimeError: boom"}
      {"t":0,"task":"t1","op":"0","name":"sleep","phase":"error","error":"CancelledError"}
      {"t":0,"task":"t1","phase":"finish","error":"CancelledError"}
      {"t":0,"phase":"exit","error":"RuntimeError: boom"}
      "
    `);
  });

  test("gives the same trace for the same seed, and says the seed that it drew", async () => {
    const project = makeProject({ "graph.json": JSON.stringify(graph) });
    const drawn = await heddle(project, ["trace", "graph.json", "--strategy", "random"]);
    const [, seed = ""] = /^seed (\d+)\n$/.exec(drawn.stderr) ?? [];
    expect(await heddle(project, ["trace", "graph.json", "--strategy", "random", "--seed", seed])).toEqual({ ...drawn, stderr: "" });
  });

  test("draws a sequence diagram instead", async () => {
    const project = makeProject({ "graph.json": JSON.stringify(graph) });
    expect((await heddle(project, ["trace", "graph.json", "--mermaid"])).stdout).toMatch(/^sequenceDiagram\n/);
  });
});

describe("heddle properties", () => {
  test("holds where everything holds, with a summary, plain lines and no failure", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding });
    const { code, stdout, stderr } = await heddle(project, ["properties", ...seven]);
    // On a machine that is busy the run takes long enough to tell its progress, a line every five seconds.
    const messages = stderr.replaceAll(/^\d+ runs  .*\n/gm, "");
    expect({ code, messages }).toEqual({ code: 0, messages: "heddle properties: seed 7, 300 runs a check\n" });
    expect(stdout).toMatch(/\n300 runs in .* different schedules\n.*\n1 property, all held; seed 7; reports\/summary\.json\n$/);
    expect(reportsOf(project)).toEqual(["summary.json"]);
    expect(readJson<Summary>(project, "reports/summary.json")).toMatchObject({
      seed: 7,
      isComplete: true,
      runs: 300,
      tests: [{ file: "properties/loop.property.ts", name: "the loop keeps its promises", state: "passed" }],
    });
  });

  test("takes runs, seed, strategy and names from the environment, and what the command line says before that", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding });
    const env = { HEDDLE_RUNS: "100", HEDDLE_SEED: "8", HEDDLE_STRATEGY: "fifo", HEDDLE_ONLY: "gather-order" };
    expect((await heddle(project, ["properties"], { env })).code).toBe(0);
    expect(readJson<Summary>(project, "reports/summary.json")).toMatchObject({
      seed: 8,
      runs: 100,
      invariants: [{ name: "gather-order" }],
    });
    expect((await heddle(project, ["properties", ...seven, "--only", "lazy-start"], { env })).code).toBe(0);
    expect(readJson<Summary>(project, "reports/summary.json")).toMatchObject({ seed: 7, runs: 300, invariants: [{ name: "lazy-start" }] });
  });

  test("runs only the files and the tests that are asked for", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding, "properties/own.property.ts": breaking });
    for (const asked of [["loop"], ["--only", "promises"]]) {
      expect((await heddle(project, ["properties", ...asked, ...seven])).code).toBe(0);
      expect(readJson<Summary>(project, "reports/summary.json").tests.map(({ file }) => file)).toEqual(["properties/loop.property.ts"]);
    }
  });

  test.each([
    [[], { HEDDLE_SEED: "x" }, 'HEDDLE_SEED: must be a whole number from 0 to 4294967295, not "x"'],
    [[], { HEDDLE_RUNS: "0" }, 'HEDDLE_RUNS: must be a whole number from 1 to 1000000000, not "0"'],
    [["--runs", "1e3"], {}, '--runs: must be a whole number from 1 to 1000000000, not "1e3"'],
    [["--strategy", "chaos"], {}, `strategy: "chaos" is not known; known are ${STRATEGY_NAMES.join(", ")}`],
    [[], { HEDDLE_STRATEGY: "chaos" }, `strategy: "chaos" is not known; known are ${STRATEGY_NAMES.join(", ")}`],
    [
      [],
      { HEDDLE_REPLAY: "x.json" },
      "HEDDLE_REPLAY is set, so nothing new would be tried: unset it, or run one failure again with heddle replay",
    ],
    [
      ["--only", "no such name"],
      {},
      "no property was run: no file has a path that holds one of the texts given, or no test a name that holds the text of --only",
    ],
    [
      ["no-such-file"],
      {},
      "no property was run: no file has a path that holds one of the texts given, or no test a name that holds the text of --only",
    ],
  ])("refuses %j with %j, and leaves the summary of the run before", async (args, env, message) => {
    const project = makeProject({ "properties/loop.property.ts": holding, "reports/summary.json": "before" });
    const { code, stdout, stderr } = await heddle(project, ["properties", ...args], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n").filter((line) => !line.startsWith("heddle properties: seed"))).toEqual([`heddle: ${message}`, ""]);
    expect(read(project, "reports/summary.json")).toBe("before");
    expect(reportsOf(project)).toEqual(["summary.json"]);
  });

  test("names a file that does not load, runs the others, and does not call that complete", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding, "properties/other.property.ts": 'import "./missing.js";' });
    const { code, stderr } = await heddle(project, ["properties", ...seven]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^heddle: properties\/other\.property\.ts: cannot be run: .*missing\.js/m);
    expect(readJson<Summary>(project, "reports/summary.json")).toMatchObject({ isComplete: false, runs: 300 });
  });

  test("leaves the summary of the run before where no file loads", async () => {
    const project = makeProject({ "properties/loop.property.ts": "throw new Error('at import');", "reports/summary.json": "before" });
    const { code, stderr } = await heddle(project, ["properties", ...seven]);
    expect(code).toBe(2);
    expect(stderr).toContain("heddle: properties/loop.property.ts: cannot be run: at import\n");
    expect(read(project, "reports/summary.json")).toBe("before");
  });

  test("says what to install where vitest is missing", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding });
    // A copy of the package: a link would find what is installed beside the original.
    rmSync(join(project, "node_modules"), { recursive: true });
    for (const part of ["package.json", "dist"]) {
      cpSync(join(repository, part), join(project, "node_modules/heddle", part), { recursive: true });
    }
    for (const name of ["commander", "seedrandom", "valibot"]) {
      symlinkSync(join(repository, "node_modules", name), join(project, "node_modules", name), "junction");
    }
    const { code, stderr } = await heddle(project, ["properties", ...seven], {
      main: join(project, "node_modules/heddle/dist/cli/main.js"),
    });
    expect(code).toBe(2);
    expect(stderr).toContain(
      "heddle: heddle properties needs vitest and fast-check in the project: npm install --save-dev vitest fast-check\n",
    );
  });

  test.each([
    ["reports", "reports/.writable: cannot be written: a part of the path is a file where a folder is needed"],
    ["reports/failures", "reports/failures/.writable: cannot be written: a part of the path is a file where a folder is needed"],
  ])("does not begin when %s cannot be written", async (path, message) => {
    const project = makeProject({ "properties/loop.property.ts": holding, [path]: "mine" });
    const { code, stdout, stderr } = await heddle(project, ["properties", ...seven]);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `heddle: ${message}\n` });
    expect(read(project, path)).toBe("mine");
  });

  test("a disk that is full at the end loses neither the summary of the run before nor what was found", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding, "reports/summary.json": "before" });
    // The shell's process becomes the command's, so the shell knows how the temporary file will be called. Where there is no device
    // that is always full, a folder stands in the way.
    const blocked =
      'name="reports/summary.json.$$.tmp"; if [ -e /dev/full ]; then ln -s /dev/full "$name"; else mkdir "$name"; fi; exec "$@"';
    const { code, stdout, stderr } = await heddle(project, ["properties", ...seven], { through: ["sh", "-c", blocked, "sh"] });
    expect(code).toBe(2);
    expect(stdout).toContain("\n1 property, all held; seed 7;");
    expect(stderr).toMatch(/^heddle: reports\/summary\.json: cannot be written: (no space is left on the device|is a folder)$/m);
    expect(reportsOf(project)).toEqual(["summary.json"]);
    expect(read(project, "reports/summary.json")).toBe("before");
  });

  test("an interrupt ends it within seconds, with what is known", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding });
    const started = start(project, ["properties", "--seed", "7", "--runs", "1000000000"]);
    await started.told(" runs  "); // the first line of progress, after five seconds
    const interruptedMs = performance.now();
    started.interrupt();
    const { code, stdout, stderr } = await started.ended;
    expect(performance.now() - interruptedMs).toBeLessThan(10_000);
    expect(code).toBe(130);
    expect(stdout).toMatch(/\n1 property, none failed, but not all of them ran to the end; seed 7; reports\/summary\.json\n$/);
    expect(stderr).toMatch(/\nheddle: interrupted; the summary holds what is known \(reports\/summary\.json\)\n$/);
    const { isComplete, runs, tests } = readJson<Summary>(project, "reports/summary.json");
    expect({ isComplete, tests }).toEqual({
      isComplete: false,
      tests: [{ file: "properties/loop.property.ts", name: "the loop keeps its promises", state: "interrupted" }],
    });
    expect(runs).toBeGreaterThan(0);
    expect(reportsOf(project)).toEqual(["summary.json"]);
  });

  test("an interrupt before any property runs is one too", async () => {
    const project = makeProject({ "properties/loop.property.ts": holding });
    const started = start(project, ["properties", "--seed", "7", "--runs", "1000000000"]);
    await started.told("heddle properties: seed 7");
    started.interrupt();
    expect((await started.ended).code).toBe(130);
    expect(readJson<Summary>(project, "reports/summary.json")).toMatchObject({ isComplete: false });
  });
});

describe("a failing property", () => {
  interface Failed {
    readonly files: Readonly<Record<string, string>>;
    readonly path: string;
    readonly run: Ended;
  }
  let failed: Promise<Failed> | undefined;

  /** What a project holds where a property has failed. */
  async function failOnce(): Promise<Failed> {
    const property = { "properties/own.property.ts": breaking };
    const project = makeProject(property);
    const run = await heddle(project, ["properties", ...seven]);
    const { tests } = readJson<Summary>(project, "reports/summary.json");
    const path = tests[0]?.failure ?? "";
    const files = Object.fromEntries(["reports/summary.json", path].map((file) => [file, read(project, file)]));
    return { files: { ...property, ...files }, path, run };
  }

  /** A project of its own for each test, where a property has failed, with its failure file. */
  async function failingProject(): Promise<{
    readonly project: string;
    readonly path: string;
    readonly failure: Failure;
    readonly run: Ended;
  }> {
    failed ??= failOnce();
    const { files, path, run } = await failed;
    const project = makeProject(files);
    return { project, path, failure: readJson<Failure>(project, path), run };
  }

  test("is the same for the same seed, byte for byte, and so is the summary", async () => {
    const { project: known } = await failingProject();
    const project = makeProject({ "properties/own.property.ts": breaking });
    await heddle(project, ["properties", ...seven]);
    expect(reportsOf(project)).toEqual(reportsOf(known));
    const [failure = "", summary = ""] = reportsOf(project);
    for (const file of [join("reports/failures", failure), join("reports", summary)]) {
      expect(read(project, file)).toBe(read(known, file));
      expect(read(project, file)).not.toContain(project);
    }
  });

  test("is shown with its sentence, the smallest program, a timeline and the command that replays it", async () => {
    const { path, failure, run } = await failingProject();
    expect(run.code).toBe(1);
    const { program, error, trace, original } = failure;
    if (program.kind !== "graph" || original.program?.kind !== "graph") throw new Error("no graph was recorded");
    const graph = checkTaskGraph(program.graph);
    const shown = renderFailure({
      sentence: "nobody-is-cancelled: No task is ever cancelled.",
      message: error.message,
      graph,
      trace,
      replay: failure.replay,
    });
    expect(run.stdout.startsWith(`\n${shown}\n(made small in `)).toBe(true);
    expect(run.stdout).toMatch(/\n {2}nobody-is-cancelled +\d+ {2}BROKEN\n[^]*\n1 property, 1 failed; seed 7; reports\/summary\.json\n$/);
    expect(graph.tasks.length).toBeLessThan(checkTaskGraph(original.program.graph).tasks.length);
    expect(path).toMatch(/^reports\/failures\/nobody-is-cancelled-[0-9a-f]{8}\.json$/);
    expect(failure).toMatchObject({
      test: { file: "properties/own.property.ts", name: "a suite (of one) > nobody is cancelled, ever?" },
      seed: 7,
      replay: `npx heddle replay ${path}`,
    });
  });

  test("comes back by its file and without an argument, with the very trace, although only its test knows what must hold", async () => {
    const { project, path, failure, run } = await failingProject();
    const recorded = failure.trace.map((event) => `${JSON.stringify(event)}\n`).join("");
    for (const args of [[path], []]) {
      const replayed = await heddle(project, ["replay", ...args]);
      expect(replayed.code).toBe(1);
      expect(run.stdout).toContain(replayed.stdout.trimEnd());
      expect(replayed.stderr).toContain(`${path}: failed again, with the very trace that was recorded.\n`);
      if (args.length === 0) expect(await heddle(project, ["replay", "--trace"])).toEqual({ ...replayed, stdout: recorded });
    }
    // Nothing was written anew, and the summary is that of the run.
    expect(reportsOf(project)).toEqual([path.replace("reports/failures/", ""), "summary.json"]);
  });

  test("comes back as it was first, by the token of the original", async () => {
    const { project, path, failure } = await failingProject();
    const { code, stdout, stderr } = await heddle(project, ["replay", failure.original.schedule]);
    expect(code).toBe(1);
    expect(stdout).toContain(`Replay it: npx heddle replay ${failure.original.schedule}\n`);
    expect(stderr).toBe(`${path}: failed again.\n`);
  });

  test("holds once what it found is mended", async () => {
    const { project, path } = await failingProject();
    write(project, "properties/own.property.ts", breaking.replace('=== "CancelledError"', '=== "NoSuchError"'));
    const { code, stdout, stderr } = await heddle(project, ["replay", path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +main .*\nt=0 +begin/);
    expect(stderr).toMatch(
      /^reports\/failures\/nobody-is-cancelled-[0-9a-f]{8}\.json: held\. Broken was: nobody-is-cancelled: t\d was cancelled at t=\d+\n$/,
    );
  });

  test("cannot be replayed once its test is gone, and says so", async () => {
    const { project, path } = await failingProject();
    write(project, "properties/own.property.ts", breaking.replace("nobody is cancelled, ever?", "renamed"));
    const renamed = await heddle(project, ["replay", path]);
    expect(renamed).toEqual({
      code: 2,
      stdout: "",
      stderr: `heddle: ${path}: test: properties/own.property.ts has no test "a suite (of one) > nobody is cancelled, ever?" any more that holds the invariant that was broken\n`,
    });
    rmSync(join(project, "properties/own.property.ts"));
    expect(await heddle(project, ["replay", path])).toEqual(renamed);
  });

  test("whose graph was changed leaves its schedule, with exit code 3", async () => {
    const { project, path, failure } = await failingProject();
    const recordedTasks = ["t1", "t2"].map((name) => ({ name, operation: "begin" }));
    const edited = {
      ...failure,
      program: {
        kind: "graph",
        graph: { ...graph, tasks: graph.tasks.map(({ name, body }) => ({ name: name.replace("t1", "renamed"), body })) },
      },
      schedule: encodeSchedule({
        ...decodeSchedule(failure.schedule),
        housekeeping: "eager",
        decisions: [mainAlone, { ready: recordedTasks, index: 1 }],
      }),
    };
    write(project, path, JSON.stringify(edited));
    const { code, stdout, stderr } = await heddle(project, ["replay", path]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatchInlineSnapshot(`
      "heddle: HEDDLE_DIVERGENCE: divergence at step 2: the program left the recorded schedule.
        recorded  2 ready [t1@begin, t2@begin], ran t2@begin
        now       2 ready [renamed@begin, t2@begin]
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run.
      "
    `);
  });

  test("is run again inside a test runner by HEDDLE_REPLAY, and every other test is skipped", async () => {
    const { project, path, failure } = await failingProject();
    write(project, "properties/loop.property.ts", holding);
    write(project, "vitest.config.js", 'export default { test: { include: ["properties/**/*.property.ts"] } };');
    for (const wanted of [path, failure.schedule]) {
      const { code, stdout, stderr } = await heddle(project, ["run"], {
        main: join(repository, "node_modules/vitest/vitest.mjs"),
        env: { HEDDLE_REPLAY: wanted },
      });
      expect(code).toBe(1);
      expect(stderr).toContain(`nobody-is-cancelled: No task is ever cancelled.\n  broken: ${failure.error.message}\n`);
      expect(stdout).toContain("1 failed | 1 skipped (2)");
    }
  });

  test("of an invariant that neither heddle nor a named test knows says what to do", async () => {
    const { project, path, failure } = await failingProject();
    write(project, path, JSON.stringify({ ...failure, test: undefined }));
    expect(await heddle(project, ["replay", path])).toEqual({
      code: 2,
      stdout: "",
      stderr: `heddle: ${path}: error.invariant: "nobody-is-cancelled" is none of heddle's own, and the file names no test that knows it; run that test with HEDDLE_REPLAY=${path}\n`,
    });
  });
});

describe("heddle replay of what heddle itself knows", () => {
  const schedule = encodeSchedule({
    version: 1,
    seed: 0,
    granularity: "event",
    ioLatencyMs: 0,
    housekeeping: "inline",
    decisions: [mainAlone],
  });

  function recorded(fields: Partial<Failure>): string {
    const failure: Omit<Failure, "trace"> & { readonly trace: unknown } = {
      version: 1,
      program: { kind: "graph", graph: { version: 1, cells: 0, futures: 1, tasks: [{ name: "main", body: [["awaitFuture", 0]] }] } },
      seed: 0,
      strategy: "fifo",
      options: {},
      schedule,
      original: { schedule },
      error: { kind: "deadlock", message: "main waits" },
      trace: [],
      replay: "npx heddle replay recorded.json",
      ...fields,
    };
    return JSON.stringify(failure);
  }

  test("a graph that deadlocked deadlocks again, and one that does not any more holds", async () => {
    const project = makeProject({ "recorded.json": recorded({}), "other.json": recorded({ error: { kind: "error", message: "boom" } }) });
    const again = await heddle(project, ["replay", "recorded.json"]);
    expect(again.code).toBe(1);
    expect(again.stdout).toMatchInlineSnapshot(`
      "  broken: DeadlockError: deadlock at step 1, t=0: 1 task waits and nothing can wake it.
        main  waits for future 0
      Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other.

      The smallest program that shows it:
        1 future
         0 main  ["awaitFuture",0]

      What happened, one column a task:
              main
        t=0   begin
              0 awaitFuture …
              exit ! Deadlock: main waits at 0 awaitFuture

      Replay it: npx heddle replay recorded.json
      "
    `);
    expect((await heddle(project, ["replay", "other.json"])).code).toBe(0);
  });

  test("an invariant of heddle's own is judged without any test, and a failure of a test is left to that test", async () => {
    const project = makeProject({
      "recorded.json": recorded({ error: { kind: "invariant", invariant: "exact-time", message: "main overslept" } }),
      "test.json": recorded({ program: { kind: "test", file: "test/pool.test.ts", name: "the pool gives back" } }),
    });
    expect(await heddle(project, ["replay", "recorded.json"])).toMatchObject({
      code: 0,
      stderr: "recorded.json: held. Broken was: exact-time: main overslept\n",
    });
    expect(await heddle(project, ["replay", "test.json"])).toEqual({
      code: 2,
      stdout: "",
      stderr: 'heddle: test.json: test: test/pool.test.ts has no test "the pool gives back" any more that explores\n',
    });
  });

  test("a schedule with a decision that the graph never comes to is a divergence", async () => {
    const ready = [
      { name: "main", operation: "" },
      { name: "t1", operation: "" },
    ];
    const longer = encodeSchedule({ ...decodeSchedule(schedule), housekeeping: "eager", decisions: [mainAlone, { ready, index: 1 }] });
    const project = makeProject({ "recorded.json": recorded({ schedule: longer }) });
    const { code, stdout, stderr } = await heddle(project, ["replay", "recorded.json"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatchInlineSnapshot(`
      "heddle: HEDDLE_DIVERGENCE: divergence at step 2: the program left the recorded schedule.
        recorded  2 ready [main, t1], ran t1
        now       the end of the program
      Either the program was changed since, or something outside the loop chose the order: a real clock, Math.random, state kept from an earlier run.
      "
    `);
  });
});
