/** Memory over a million runs in one process: it must not grow with their number. */
import { explore } from "heddle";
import { printTable } from "./measure.js";

const RUNS = 1_000_000;
const STAGES = 5;

export async function benchMemory() {
  const rows = [["after runs", "heap MiB", "resident MiB"]];
  for (let stage = 1; stage <= STAGES; stage++) {
    await explore(
      async ({ gather, sleep }) => {
        const task = async () => {
          await sleep(0);
          await sleep(5);
        };
        await gather(task, task, task);
      },
      { runs: RUNS / STAGES, seed: stage, strategy: "random" },
    );
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    rows.push([String((RUNS / STAGES) * stage), (heapUsed / 2 ** 20).toFixed(1), (rss / 2 ** 20).toFixed(1)]);
  }
  printTable("Memory of one process", rows);
}
