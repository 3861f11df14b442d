/**
 * What becomes of a failure from run to run of the tests: kept, replayed first, replayed by the command, and gone when it is repaired.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { heddle, read, readJson, repository, requireBuilt, write } from "../../fixtures/command/built-command.js";
import { makeVitestProject, runVitest, startVitest, type VitestRun } from "../../fixtures/vitest/run-vitest.js";
import type { Failure } from "../store/failure.js";

beforeAll(requireBuilt);

/** Each starts vitest several times, and a machine may have much else to do. */
vi.setConfig({ testTimeout: 120_000 });

const spec = `
import { expect } from "vitest";
import * as fc from "fast-check";
import { test } from "heddle/vitest";
import { Bank } from "./bank.js";

test.explore("two withdrawals", async ({ io }) => {
  const bank = new Bank(io);
  await Promise.all([bank.withdraw(10), bank.withdraw(20)]);
  expect(bank.balance).toBe(70);
});
test.explore.prop([fc.array(fc.nat({ max: 50 }), { maxLength: 6 })])("any withdrawals", async ({ io }, amounts) => {
  const bank = new Bank(io);
  await Promise.all(amounts.map((amount) => bank.withdraw(amount)));
  expect(bank.balance).toBe(100 - amounts.reduce((sum, amount) => sum + amount, 0));
});
`;

/** A bank whose `withdraw` is this. */
const bankThat = (withdraw: string): string => `
export class Bank {
  balance = 100;
  constructor(io) { this.io = io; }
  async withdraw(amount) { ${withdraw} }
}`;
const broken = bankThat("const before = this.balance; await this.io(`withdraw ${amount}`); this.balance = before - amount;");
const edited = bankThat(
  "await this.io('log in'); const before = this.balance; await this.io(`withdraw ${amount}`); this.balance = before - amount;",
);
const repaired = bankThat("await this.io(`withdraw ${amount}`); this.balance -= amount;");

const failuresFolder = "reports/failures";
const filesIn = (project: string, folder = failuresFolder): readonly string[] =>
  readdirSync(join(project, folder)).map((name) => `${folder}/${name}`);
const endsOf = ({ tests }: VitestRun): readonly string[] => tests.map(({ status, name }) => `${status}  ${name}`);
/** How each failing test says that its failure was found. */
const foundIn = ({ stderr }: VitestRun): readonly string[] => stderr.match(/^Found in .*$/gm) ?? [];

const bothFail = ["failed  two withdrawals", "failed  any withdrawals"];
const bothPass = ["passed  two withdrawals", "passed  any withdrawals"];

/** What a project holds where both tests have failed. */
let kept: Promise<Readonly<Record<string, string>>> | undefined;

async function failOnce(): Promise<Readonly<Record<string, string>>> {
  const files = { "test/bank.test.ts": spec, "test/bank.js": broken };
  const project = makeVitestProject(files);
  await runVitest(project);
  return { ...files, ...Object.fromEntries(filesIn(project).map((file) => [file, read(project, file)])) };
}

/** A project of its own for each test, in which both failures are kept. */
async function keptProject(): Promise<string> {
  kept ??= failOnce();
  return makeVitestProject(await kept);
}

describe("a failure", () => {
  test("is kept in one file, replayed first until it is repaired, and gone then; what was recorded stays", async () => {
    const project = makeVitestProject({ "bank.test.ts": spec, "bank.js": broken });

    const first = await runVitest(project, ["--retry=2"]);
    expect(endsOf(first)).toEqual(bothFail);
    const files = filesIn(project);
    expect(files).toEqual([
      expect.stringMatching(/^reports\/failures\/any-withdrawals-[0-9a-f]{8}\.json$/),
      expect.stringMatching(/^reports\/failures\/two-withdrawals-[0-9a-f]{8}\.json$/),
    ]);
    const [drawn, plain] = files.map((file) => readJson<Failure>(project, file));
    expect(plain).toMatchObject({ program: { kind: "test", file: "bank.test.ts", name: "two withdrawals" }, error: { kind: "error" } });
    expect(plain?.schedule).toMatch(/^hd1\./);
    expect(drawn).toMatchObject({ values: expect.stringMatching(/^\[(0,1|1,0)\]$/), replay: `npx heddle replay ${files[0]}` });
    expect(drawn?.schedule).toMatch(/^hp1\./);

    const stamps = files.map((file) => [read(project, file), statSync(join(project, file)).mtimeMs]);
    const second = await runVitest(project);
    expect(foundIn(second)).toEqual(files.toReversed().map((file) => `Found in the replay of ${file}, which failed the last time.`));
    expect(filesIn(project)).toEqual(files);
    expect(files.map((file) => [read(project, file), statSync(join(project, file)).mtimeMs])).toEqual(stamps);

    // The same defect in another order of other steps: the recorded order is followed as far as it goes.
    write(project, "bank.js", edited);
    const third = await runVitest(project);
    expect(foundIn(third)).toEqual(foundIn(second));
    expect(readJson<Failure>(project, files[1]!).schedule).not.toBe(plain?.schedule);
    expect(readJson<Failure>(project, files[1]!).original).toEqual(plain?.original);

    cpSync(join(project, failuresFolder), join(project, "fixtures/schedules"), { recursive: true });
    write(project, "bank.js", repaired);
    const fourth = await runVitest(project);
    expect(endsOf(fourth)).toEqual(bothPass);
    expect(filesIn(project)).toEqual([]);
    for (const [index, name] of ["any withdrawals", "two withdrawals"].entries()) {
      expect(fourth.stdout).toContain(`heddle: ${name}: what failed the last time does not fail any more; ${files[index]} is removed`);
    }

    write(project, "bank.js", edited);
    const recorded = filesIn(project, "fixtures/schedules");
    const fifth = await runVitest(project);
    expect(foundIn(fifth)).toEqual(recorded.toReversed().map((file) => `Found in the replay of ${file}.`));
    expect(filesIn(project)).toEqual([]);
  });

  test("comes back by its file, by its token, and by the variable", async () => {
    const project = await keptProject();
    const [drawn = "", plain = ""] = filesIn(project);
    const tokens = [drawn, plain].map((file) => readJson<Failure>(project, file).schedule);
    for (const what of [plain, tokens[0] ?? ""]) {
      const { code, stdout, stderr } = await heddle(project, ["replay", what]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining("failed again, with the very trace that was recorded."),
      });
      expect(stdout).toMatch(/^AssertionError: expected \d+ to be \d+/);
      expect(stdout).toContain("the smallest that was found to fail, one column a task:\n");
    }
    // A token alone, as somebody else has pasted it, and a test that it is of.
    rmSync(join(project, "reports"), { recursive: true });
    const pasted = await runVitest(project, ["-t", "any withdrawals"], { HEDDLE_REPLAY: tokens[0]! });
    expect(foundIn(pasted)).toEqual(["Found in the replay of a token."]);
    expect(pasted.stderr).toMatch(/^The values: {2}\[(0,1|1,0)\]$/m);
    expect(pasted.stderr).toContain(`Replay it: HEDDLE_REPLAY=${tokens[0]} npx vitest run test/bank.test.ts -t "any withdrawals"`);
    const other = await runVitest(project, ["-t", "two withdrawals"], { HEDDLE_REPLAY: tokens[0]! });
    expect(other.stderr).toContain("BadInputError: the token holds drawn values, and this test draws none");

    write(project, "test/bank.js", repaired);
    const held = await runVitest(project, ["-t", "two withdrawals"], { HEDDLE_REPLAY: tokens[1]! });
    expect(endsOf(held)[0]).toBe("passed  two withdrawals");
    write(project, "test/bank.js", edited);
    const left = await runVitest(project, ["-t", "two withdrawals"], { HEDDLE_REPLAY: tokens[1]! });
    expect(left.stderr).toContain("DivergenceError: divergence at step ");
  });

  test("of a test that is not there any more is told by the command", async () => {
    const project = await keptProject();
    const [, file = ""] = filesIn(project);
    write(project, "test/bank.test.ts", spec.replace("two withdrawals", "a pair of withdrawals"));
    const { code, stderr } = await heddle(project, ["replay", file]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `heddle: ${file}: test: test/bank.test.ts has no test "two withdrawals" any more that explores\n`,
    });
  });

  test("that cannot be kept is told all the same, and what cannot be read is left out", async () => {
    const project = await keptProject();
    const [, file = ""] = filesIn(project);
    write(project, file, "{");
    const unreadable = await runVitest(project, ["-t", "two"]);
    expect(unreadable.stderr).toContain(`heddle: the failure that was kept cannot be read, and is left out: ${file}: is no valid JSON`);
    expect(readJson<Failure>(project, file).version).toBe(1);
    rmSync(join(project, "reports"), { recursive: true });
    write(project, "reports", "no folder");
    const { stderr } = await runVitest(project, ["-t", "two"]);
    expect(stderr).toMatch(
      /Replay it: HEDDLE_REPLAY=hd1\.\S+ npx vitest run test\/bank\.test\.ts -t "two withdrawals"\n\(it could not be kept: /,
    );
  });

  test("of many files at once loses none, in threads, and in two processes that run the same", async () => {
    const names = Array.from({ length: 3 }, (_, index) => `bank-${index}.test.ts`);
    const project = makeVitestProject({ ...Object.fromEntries(names.map((name) => [name, spec])), "bank.js": broken });
    await Promise.all([runVitest(project, ["--pool=threads"]), startVitest(project, ["run", "--pool=threads"]).ended]);
    const programs = filesIn(project).map((file) => readJson<Failure>(project, file).program);
    expect(programs.map((program) => program.kind === "test" && `${program.file} ${program.name}`).sort()).toEqual(
      names.flatMap((name) => [`${name} any withdrawals`, `${name} two withdrawals`]),
    );
  });

  test("of tests of one name is kept for each of them", async () => {
    const project = makeVitestProject({
      "a.test.ts": `
        import { test } from "heddle/vitest";
        for (const what of ["one", "two"]) test.explore("the same", async ({ io }) => { await io(what); throw new Error(what); });
      `,
    });
    await runVitest(project);
    expect(
      filesIn(project)
        .map((file) => readJson<Failure>(project, file).error.message)
        .sort(),
    ).toEqual(["Error: one", "Error: two"]);
  });
});

describe("a test", () => {
  test("ends in time, and says how far it came", async () => {
    const project = makeVitestProject({
      "a.test.ts": `
        import { expect } from "vitest";
        import { test } from "heddle/vitest";
        const slow = async ({ io }) => { await io("a"); for (const end = performance.now() + 20; performance.now() < end; ); };
        test.explore("takes too long", slow, { timeout: 500, runs: 10_000 });
        test.explore("is content with a time", slow, { timeLimitMs: 200, runs: 10_000 });
        test.explore("does not wait for ever for real time", async () => { await new Promise(() => {}); }, { timeout: 300, idleGraceMs: 60_000 });
        test.explore("goes on after that", async ({ io }) => { await io("a"); }, { runs: 5 });
      `,
    });
    const { tests } = await runVitest(project);
    expect(tests.map(({ status, errors }) => [status, errors[0]?.split("\n")[0]?.replace(/\d+ runs/, "N runs")])).toEqual([
      [
        "failed",
        "UsageError: the test's time limit of 500 ms was nearly over after N runs, of which none failed. Give the test more time ({ timeout }), let it make fewer runs ({ runs }), or be content with what it can do in a time ({ timeLimitMs }).",
      ],
      ["passed", undefined],
      ["failed", expect.stringMatching(/^UsageError: the test's time limit of 300 ms was nearly over after N runs/)],
      ["passed", undefined],
    ]);
  });

  test.each(["threads", "vmThreads", "vmForks"])("explores in %s, with coverage", async (pool) => {
    const project = makeVitestProject({ "bank.test.ts": spec, "bank.js": broken });
    mkdirSync(join(project, "node_modules/@vitest"));
    symlinkSync(join(repository, "node_modules/@vitest/coverage-v8"), join(project, "node_modules/@vitest/coverage-v8"), "junction");
    const coverage = ["--coverage", "--coverage.reportOnFailure", "--coverage.reporter=text", "--coverage.include=bank.js"];
    const run = await runVitest(project, [`--pool=${pool}`, ...coverage]);
    expect(endsOf(run)).toEqual(bothFail);
    expect(run.stderr).toMatch(/^ ❯ bank\.test\.ts:10:24$/m);
    expect(run.stderr).toContain("bank.js:5:");
    expect(run.stdout).toMatch(/bank\.js +\| +100 \|/);
  });

  test("runs again in watch mode when the code is edited", async () => {
    const project = makeVitestProject({ "bank.test.ts": spec, "bank.js": broken });
    const watching = startVitest(project, ["watch"]);
    onTestFinished(watching.interrupt);
    await watching.told("Tests  2 failed");
    expect(filesIn(project)).toHaveLength(2);
    write(project, "bank.js", edited);
    await watching.told("RERUN  bank.js x1");
    await watching.told("which failed the last time");
    write(project, "bank.js", repaired);
    await watching.told("Tests  2 passed");
    expect(filesIn(project)).toEqual([]);
    watching.interrupt();
    await watching.ended;
  });
});
