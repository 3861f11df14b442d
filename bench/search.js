/** Runs and real time until each of the known bugs is found, for every strategy and for the scheduler of fast-check. */
import { explore } from "heddle";
import { deadlock01, lastzeroInOrder, nested, reorder, runAhead, spread, twostage } from "../fixtures/search/programs.js";
import { fastCheckRunsUntilFailure } from "./fast-check-world.js";
import { median, printTable } from "./measure.js";
import { SEARCHING, scenarioFor } from "./strategy-names.js";

/** @typedef {import("../fixtures/search/programs.js").SearchProgram} SearchProgram */

/**
 * @typedef {object} Effort
 * @property {number} seeds searches at most, one for each seed
 * @property {number} cap runs of one search at most
 * @property {number} budgetMs after so much real time no further search of the cell begins
 */

/**
 * @typedef {object} Search
 * @property {number} runs
 * @property {boolean} isFound
 * @property {boolean} isOver the strategy had nothing left to try
 * @property {number} ms of the search itself, without what a report of the failure takes
 */

/** @typedef {readonly Search[]} Cell the searches of one strategy for one bug */

const PROGRAMS = [
  reorder(3),
  reorder(5),
  reorder(10),
  twostage(),
  deadlock01(),
  nested(6, 5),
  spread(6, 5),
  runAhead(6, 5),
  lastzeroInOrder(4),
];

/** @type {Effort} */
const OWN = { seeds: 50, cap: 20_000, budgetMs: 1_000 };
/** @type {Effort} */
const PEER = { seeds: 50, cap: 5_000, budgetMs: 1_500 };
const QUICK = { seeds: 10, cap: 2_000, budgetMs: 150 };

/**
 * @param {Effort} effort
 * @param {(cap: number, seed: number) => Promise<Search>} search
 * @returns {Promise<Cell>}
 */
async function searchWithSeeds({ seeds, cap, budgetMs }, search) {
  // A fresh macrotask: what the one before left in the microtask queue is not measured here.
  await new Promise((resolve) => setImmediate(resolve));
  /** @type {Search[]} */
  const searches = [];
  const start = performance.now();
  for (let seed = 1; seed <= seeds && performance.now() - start < budgetMs; seed++) searches.push(await search(cap, seed));
  return searches;
}

/** @type {(strategy: string, program: SearchProgram) => (cap: number, seed: number) => Promise<Search>} */
const withStrategy = (strategy, program) => async (cap, seed) => {
  const start = performance.now();
  let ms = 0;
  const { runs, failures } = await explore(scenarioFor(strategy, program), {
    strategy,
    tracked: true,
    runs: cap,
    seed,
    minimise: false,
    // Called for the last time before the failing run is done once more, closely, for the report.
    onProgress: () => (ms = performance.now() - start),
  });
  return { runs, isFound: failures > 0, isOver: runs < cap && failures === 0, ms };
};

/** @type {(program: SearchProgram) => (cap: number, seed: number) => Promise<Search>} */
const withFastCheck = (program) => async (cap, seed) => {
  const start = performance.now();
  const runs = await fastCheckRunsUntilFailure(program, cap, seed);
  return { runs: runs ?? cap, isFound: runs !== undefined, isOver: false, ms: performance.now() - start };
};

/** @param {Cell} cell */
const foundIn = (cell) => cell.filter(({ isFound }) => isFound).length;

/**
 * All of it by the number of finds: the mean where every search found it, and an estimate of it where some were given up.
 *
 * @param {Cell} cell
 * @param {"runs" | "ms"} what
 */
const perFind = (cell, what) => cell.reduce((sum, search) => sum + search[what], 0) / foundIn(cell);

/** @param {Cell} cell */
function formatRuns(cell) {
  const found = foundIn(cell);
  const { length } = cell;
  const runs = cell.map((search) => (search.isFound ? search.runs : Number.POSITIVE_INFINITY));
  if (found === 0) return cell.every(({ isOver }) => isOver) ? `over after ${cell[0]?.runs}` : `not in ${length} x ${cell[0]?.runs}`;
  const middle = median(runs);
  return `${formatFigure(perFind(cell, "runs"))} / ${Number.isFinite(middle) ? middle : "-"}${found === length ? "" : ` (${found} of ${length})`}`;
}

/** @param {number} figure */
const formatFigure = (figure) => (figure < 10 ? figure.toFixed(1) : figure.toFixed(0));

/** @param {{ readonly isQuick: boolean }} options */
export async function benchSearch({ isQuick }) {
  const names = [...SEARCHING, "fast-check"];
  /** @type {Record<string, Cell[]>} */
  const cells = Object.fromEntries(names.map((name) => [name, []]));
  for (const program of PROGRAMS) {
    for (const name of SEARCHING) cells[name]?.push(await searchWithSeeds(isQuick ? QUICK : OWN, withStrategy(name, program)));
    cells["fast-check"]?.push(await searchWithSeeds(isQuick ? QUICK : PEER, withFastCheck(program)));
  }
  const head = ["", ...PROGRAMS.map(({ name }) => name)];
  const peers = cells["fast-check"] ?? [];
  const tableOf = (/** @type {(cell: Cell, peer: Cell) => string} */ format) =>
    names.map((name) => [name, ...(cells[name] ?? []).map((cell, place) => format(cell, /** @type {Cell} */ (peers[place])))]);
  const { seeds, cap } = isQuick ? QUICK : OWN;
  printTable(`Runs until found, mean / median of up to ${seeds} seeds and ${cap} runs each`, [head, ...tableOf(formatRuns)]);
  printTable("Milliseconds until found, mean, and how many times sooner than fast-check", [
    head,
    ...tableOf((cell, peer) => {
      if (foundIn(cell) === 0) return "-";
      const ratio = foundIn(peer) === 0 ? "-" : `${(perFind(peer, "ms") / perFind(cell, "ms")).toFixed(1)}x`;
      return `${perFind(cell, "ms").toFixed(2)}, ${ratio}`;
    }),
  ]);
}
