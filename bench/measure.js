/** Measuring several things in turn, so that a slow moment of the machine hits them all. */

/**
 * Runs each of `contestants` `rounds` times, in turn, and answers the median of what each returned. Who begins changes from round to
 * round, so that nobody always cleans up after the same neighbour.
 *
 * @param {Record<string, () => Promise<number>>} contestants each answers its own figure
 * @param {number} rounds
 * @returns {Promise<Record<string, number>>}
 */
export async function inTurn(contestants, rounds) {
  /** @type {Record<string, number[]>} */
  const figures = {};
  for (let round = 0; round <= rounds; round++) {
    const entries = Object.entries(contestants);
    for (const [name, measure] of [...entries.slice(round % entries.length), ...entries.slice(0, round % entries.length)]) {
      // A fresh macrotask: what the one before left in the microtask queue is not measured here.
      await new Promise((resolve) => setImmediate(resolve));
      const figure = await measure();
      // The first round is for the compiler.
      if (round > 0) (figures[name] ??= []).push(figure);
    }
  }
  return Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, median(values)]));
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/**
 * Milliseconds of real time that `work` takes.
 *
 * @param {() => unknown} work
 */
export async function timeMs(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * A table for the terminal.
 *
 * @param {string} title
 * @param {readonly (readonly string[])[]} rows
 */
export function printTable(title, rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const row of rows) {
    console.log(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ")}`,
    );
  }
}
