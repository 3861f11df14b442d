#!/usr/bin/env node
/**
 * Shows that what was recorded replays to the same trace, byte for byte, on Node 20, 22, 24 and 26, and that all else that a seed decides comes
 * out the same there: runs `fixtures/tokens/results.js` on the built package under each of them and compares what it prints.
 *
 *     npm run build && node .ci/replay-on-all-nodes.mjs
 *
 * Where these Nodes cannot run, it says so and checks nothing. Exit code 0 when all is the same, 1 when something differs or a Node cannot be had.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTokens, scenarioNames } from "../fixtures/tokens/recorded.js";
import { CheckError, exec, findNode, folderForNodes, reasonToSkip, versionOf } from "./nodes.mjs";

const MAJORS = [20, 22, 24, 26];
const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const RESULTS = "fixtures/tokens/results.js";

/** Several times what it takes, but less than a build waits. */
const TIME_LIMIT_MS = 120_000;
const MAX_OUTPUT = 256 * 1024 * 1024;
/** So many differences are shown. */
const SHOWN = 5;

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
