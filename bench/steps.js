/** What a step costs: 200 tasks of 1,000 `sleep(0)` each, beside CPython's asyncio and native `await`. */
import { gather, random, run, sleep } from "heddle";
import { runPython } from "./cpython.js";
import { inTurn, printTable, timeMs } from "./measure.js";

const TASKS = 200;
const TURNS = 1_000;
const STEPS = TASKS * TURNS;

const PYTHON = `
async def worker():
    for _ in range(${TURNS}):
        await asyncio.sleep(0)
async def main():
    start = time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(${TASKS})])
    return (time.perf_counter() - start) / ${STEPS} * 1e9
`;

/** @param {import("heddle").RunOptions} options */
const heddle = (options) => () =>
  nsPerStep(() =>
    run(async () => {
      await gather(
        Array.from({ length: TASKS }, () => async () => {
          for (let turn = 0; turn < TURNS; turn++) await sleep(0);
        }),
      );
    }, options),
  );

const native = () =>
  nsPerStep(() =>
    Promise.all(
      Array.from({ length: TASKS }, async () => {
        for (let turn = 0; turn < TURNS; turn++) await null;
      }),
    ),
  );

/** Thenables in a ring with a drain after each, and nothing else: what any scheduler of single steps has to pay in this engine. */
const bareRing = () =>
  new Promise((resolve) => {
    setImmediate(() => {
      const drain = /** @type {{ _tickCallback: () => void }} */ (/** @type {unknown} */ (process))._tickCallback.bind(process);
      /** @type {((value: undefined) => void)[]} */
      const ring = Array.from({ length: 256 });
      let head = 0;
      let tail = 0;
      const turnOver = {
        then: (/** @type {(value: undefined) => void} */ wake) => {
          ring[tail++ & 255] = wake;
        },
      };
      const worker = async () => {
        for (let turn = 0; turn < TURNS; turn++) await turnOver;
      };
      const start = performance.now();
      for (let task = 0; task < TASKS; task++) {
        void worker();
        drain();
      }
      while (head < tail) {
        ring[head++ & 255]?.(undefined);
        drain();
      }
      resolve(((performance.now() - start) / STEPS) * 1e6);
    });
  });

const cpython = async () => runPython(PYTHON);

/** @param {() => unknown} work */
async function nsPerStep(work) {
  return ((await timeMs(work)) / STEPS) * 1e6;
}

export async function benchSteps() {
  const ns = await inTurn(
    {
      "native await null": native,
      "bare ring with drain": bareRing,
      "heddle, fifo": heddle({}),
      "heddle, fifo, no step timer": heddle({ slowStepMs: Number.POSITIVE_INFINITY }),
      "heddle, random": heddle({ strategy: random(7) }),
      "CPython asyncio": cpython,
    },
    7,
  );
  const own = ns["heddle, fifo"] ?? Number.NaN;
  printTable(`One step: ${TASKS} tasks x ${TURNS} sleep(0), median of 7`, [
    ["", "ns a step", "heddle fifo is"],
    ...Object.entries(ns).map(([name, figure]) => [name, Number.isNaN(figure) ? "not here" : figure.toFixed(0), compare(own, figure)]),
  ]);
  const bare = ns["bare ring with drain"] ?? Number.NaN;
  console.log(
    `  Of ${own.toFixed(0)} ns, ${bare.toFixed(0)} go to the engine (the await of a thenable, the synchronous drain), and ` +
      `${(own - bare).toFixed(0)} to handles, tasks, cancellation and the ready queue.`,
  );
}

/**
 * @param {number} own
 * @param {number} other
 */
function compare(own, other) {
  if (own === other || Number.isNaN(other)) return "";
  return own < other ? `${(other / own).toFixed(2)}x faster` : `${(own / other).toFixed(2)}x slower`;
}
