/** Whole runs a second, beside the scheduler of fast-check, which is the other one for JavaScript. */
import * as fc from "fast-check";
import { explore } from "heddle";
import { inTurn, printTable, timeMs } from "./measure.js";

/** @type {readonly { readonly tasks: number; readonly awaits: number; readonly runs: number; readonly aim: number }[]} */
const SHAPES = [
  { tasks: 2, awaits: 2, runs: 50_000, aim: 5 },
  { tasks: 6, awaits: 5, runs: 15_000, aim: 10 },
];

export async function benchRuns() {
  const rows = [["", "random runs/s", "default runs/s", "fast-check runs/s", "random", "default", "aim"]];
  for (const { tasks, awaits, runs, aim } of SHAPES) {
    const numbers = Array.from({ length: tasks }, (_, index) => index);
    /** @param {import("heddle").ExploreOptions} options */
    const ownPerSecond = async (options) => {
      const ms = await timeMs(() =>
        explore(
          async ({ gather, sleep }) => {
            await gather(
              numbers.map(() => async () => {
                for (let turn = 0; turn < awaits; turn++) await sleep(0);
              }),
            );
          },
          { runs, seed: 7, ...options },
        ),
      );
      return (runs / ms) * 1_000;
    };
    const perSecond = await inTurn(
      {
        random: () => ownPerSecond({ strategy: "random" }),
        default: () => ownPerSecond({}),
        fastCheck: async () => {
          const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
            const task = async () => {
              for (let turn = 0; turn < awaits; turn++) await scheduler.schedule(Promise.resolve());
            };
            await scheduler.waitFor(Promise.all(numbers.map(task)));
          });
          const ms = await timeMs(() => fc.check(property, { numRuns: runs, seed: 7 }));
          return (runs / ms) * 1_000;
        },
      },
      5,
    );
    const { random = Number.NaN, default: standard = Number.NaN, fastCheck = Number.NaN } = perSecond;
    const figures = [random, standard, fastCheck].map((figure) => figure.toFixed(0));
    const ratios = [random, standard].map((own) => `${(own / fastCheck).toFixed(1)}x`);
    rows.push([`${tasks} tasks x ${awaits} awaits`, ...figures, ...ratios, `${aim}x`]);
  }
  printTable("Whole runs under random orders, median of 5", rows);
}
