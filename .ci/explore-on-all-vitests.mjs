#!/usr/bin/env node
/**
 * Shows that `test.explore` is the same under vitest 5, which needs a newer Node than the rest of the build: runs `fixtures/vitest/project` with
 * the built package on Node 22 and 24, holds the end of each test against `expected.json`, replays what was kept by its file, and compiles the
 * project against vitest 5's types.
 *
 *     npm run build && node .ci/explore-on-all-vitests.mjs
 *
 * Where these Nodes cannot run, it says so and checks nothing. Exit code 0 when all is as expected, 1 when something differs or cannot be had.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CheckError, exec, findNode, findPackages, folderForNodes, reasonToSkip, versionOf } from "./nodes.mjs";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const FIXTURE = join(PROJECT, "fixtures/vitest/project");
const VITEST = "vitest@5";
const WAYS = [
  { major: 22, pool: "threads" },
  { major: 24, pool: "forks" },
];
/** Several times what it takes, but less than a build waits. */
const TIME_LIMIT_MS = 120_000;

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/**
 * A project with the fixture in it, where heddle is installed as a user has it: a copy, because a link would find the vitest of this folder.
 *
 * @param {string} packages the folder that holds what heddle and the fixture need
 */
function makeProject(packages) {
  const project = mkdtempSync(join(tmpdir(), "heddle-vitest-5-"));
  cpSync(FIXTURE, project, { recursive: true });
  const modules = join(project, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(packages, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(packages, "node_modules", name), join(modules, name), "junction");
  }
  for (const path of ["dist", "package.json"]) cpSync(join(PROJECT, path), join(modules, "heddle", path), { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  return project;
}

/**
 * What a command prints and with which code it ends.
 *
 * @param {string} node
 * @param {readonly string[]} args
 * @param {string} cwd
 */
async function run(node, args, cwd) {
  const env = { PATH: `${dirname(node)}:${process.env["PATH"]}`, HOME: process.env["HOME"], TMPDIR: tmpdir(), NO_COLOR: "1" };
  return await exec(node, [...args], { cwd, env, timeout: TIME_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error) => ({ code: error.code, text: `${error.stdout}${error.stderr}` }),
  );
}

/** @param {string} file */
function endsIn(file) {
  if (!existsSync(file)) return [];
  /** @type {{ testResults: { assertionResults: { status: string, ancestorTitles: string[], title: string }[] }[] }} */
  const { testResults } = readJson(file);
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ status, ancestorTitles, title }) => `${status}  ${[...ancestorTitles, title].join(" > ")}`),
  );
}

/**
 * @param {string} node
 * @param {string} pool
 * @param {string} packages
 */
async function check(node, pool, packages) {
  const began = performance.now();
  const project = makeProject(packages);
  try {
    const vitest = join(packages, "node_modules/vitest");
    const { version } = readJson(join(vitest, "package.json"));
    const where = `vitest ${version} in ${pool} on Node ${await versionOf(node)}`;
    const args = ["run", `--pool=${pool}`, "--reporter=default", "--reporter=json", "--outputFile.json=results.json"];
    const { text } = await run(node, ["node_modules/vitest/vitest.mjs", ...args], project);
    const [actual, expected] = [endsIn(join(project, "results.json")), readJson(join(FIXTURE, "expected.json"))];
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      const wrong = actual.filter((end) => !expected.includes(end));
      throw new CheckError(`${where}: ${wrong.length === 0 ? "tests are missing" : `unexpected: ${wrong.join("; ")}`}\n${text}`);
    }
    for (const part of ["Caused by: the order of steps", "Replay it: npx heddle replay reports/failures/a-lost-update-is-found-"]) {
      if (!text.includes(part))
        throw new CheckError(`${where}: the failure does not read as it should: no ${JSON.stringify(part)} in\n${text}`);
    }
    const kept = readdirSync(join(project, "reports/failures")).map((name) => `reports/failures/${name}`);
    for (const file of kept) {
      const replay = await run(node, ["node_modules/heddle/dist/cli/main.js", "replay", file], project);
      if (replay.code !== 1 || !replay.text.includes("failed again, with the very trace that was recorded")) {
        throw new CheckError(`${where}: ${file} is not replayed (exit code ${replay.code}):\n${replay.text}`);
      }
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${where}: ${actual.length} tests end as expected, ${kept.length} failures replayed, in ${seconds} s`);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/**
 * @param {string} packages
 */
async function checkTypes(packages) {
  const project = makeProject(packages);
  try {
    const compilerOptions = {
      ...{ target: "ES2023", lib: ["ES2023", "ESNext.Disposable"], module: "NodeNext", moduleResolution: "NodeNext", types: ["node"] },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true, noEmit: true },
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "src"] }));
    const { code, text } = await run(process.execPath, [join(PROJECT, "node_modules/typescript/bin/tsc"), "-p", project], project);
    if (code !== 0) throw new CheckError(`the fixture does not compile against ${VITEST}:\n${text}`);
    console.log(`types: the fixture compiles against ${VITEST}`);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

async function main() {
  const skip = reasonToSkip();
  if (skip !== undefined) {
    console.log(`explore on all vitests: skipped, because ${skip}`);
    return;
  }
  if (!existsSync(join(PROJECT, "dist/index.js"))) throw new CheckError("dist/ is missing: run `npm run build` first");
  const folder = folderForNodes();
  const { dependencies, devDependencies } = readJson(join(PROJECT, "package.json"));
  const needed = { ...dependencies, "fast-check": devDependencies["fast-check"], "@types/node": "^22.0.0" };
  const specs = [VITEST, ...Object.entries(needed).map(([name, range]) => `${name}@${range}`)];
  const packages = await findPackages(folder, "vitest-5", specs);
  const nodes = await Promise.all(WAYS.map(({ major }) => findNode(folder, major)));
  await checkTypes(packages);
  for (const [place, { pool }] of WAYS.entries()) await check(nodes[place] ?? "", pool, packages);
}

await main().catch((error) => {
  if (!(error instanceof CheckError)) throw error;
  console.error(`explore on all vitests: ${error.message}`);
  process.exitCode = 1;
});
