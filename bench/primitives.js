/**
 * Locks, queues, gathers and timers, beside CPython's asyncio doing the same in the same run. Each side is a process of its own for each
 * case, because the size that one case leaves a heap in changes what the next one costs.
 */
import { spawnSync } from "node:child_process";
import { argv, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { createTask, gather, Lock, Queue, run, sleep } from "heddle";
import { runPython } from "./cpython.js";
import { inTurn, printTable } from "./measure.js";

const AIM = 4;
const ROUNDS = 5;

/**
 * Each with the operation that is counted, how often it is done, the program here, and the same in Python. Both programs answer when their
 * work is done; `n` is how often.
 *
 * @type {readonly { name: string; n: number; heddle: (n: number) => PromiseLike<unknown>; python: string }[]}
 */
const CASES = [
  {
    name: "uncontended lock: take and give back",
    n: 200_000,
    heddle: async (n) => {
      const lock = new Lock();
      let value = 0;
      for (let turn = 0; turn < n; turn++) {
        await lock.withLock(() => {
          value++;
        });
      }
      return value;
    },
    python: `
async def work(n):
    lock = asyncio.Lock()
    value = 0
    for _ in range(n):
        async with lock:
            value += 1
`,
  },
  {
    name: "contended lock: 100 tasks, a turn inside",
    n: 50_000,
    heddle: async (n) => {
      const lock = new Lock();
      const worker = async () => {
        for (let turn = 0; turn < n / 100; turn++) await lock.withLock(() => sleep(0));
      };
      await gather(Array.from({ length: 100 }, () => worker));
    },
    python: `
async def work(n):
    lock = asyncio.Lock()
    async def worker():
        for _ in range(n // 100):
            async with lock:
                await asyncio.sleep(0)
    await asyncio.gather(*[worker() for _ in range(100)])
`,
  },
  {
    name: "queue ping-pong: there and back",
    n: 50_000,
    heddle: async (n) => {
      const [there, back] = [new Queue(), new Queue()];
      createTask(async () => {
        for (let turn = 0; turn < n; turn++) await back.put(await there.get());
      });
      for (let turn = 0; turn < n; turn++) {
        await there.put(turn);
        await back.get();
      }
    },
    python: `
async def work(n):
    there, back = asyncio.Queue(), asyncio.Queue()
    async def echo():
        for _ in range(n):
            await back.put(await there.get())
    task = asyncio.create_task(echo())
    for turn in range(n):
        await there.put(turn)
        await back.get()
`,
  },
  {
    name: "gather of 10,000: one task",
    n: 100_000,
    heddle: async (n) => {
      for (let round = 0; round < n / 10_000; round++) await gather(Array.from({ length: 10_000 }, (_, index) => async () => index));
    },
    python: `
async def work(n):
    async def task(index):
        return index
    for _ in range(n // 10000):
        await asyncio.gather(*[task(index) for index in range(10000)])
`,
  },
  {
    name: "100,000 sleeping timers: one sleep",
    n: 100_000,
    // 7919 is a prime: the deadlines are all different, and come in no order. In Python they are nanoseconds, so that nobody waits.
    heddle: (n) => gather(Array.from({ length: n }, (_, index) => () => sleep(((index * 7919) % n) + 1))),
    python: `
async def work(n):
    await asyncio.gather(*[asyncio.sleep((index * 7919 % n + 1) * 1e-9) for index in range(n)])
`,
  },
];

/** @param {string} work */
const timedInPython = (work, n = 0) => `${work}
async def main():
    start = time.perf_counter()
    await work(${n})
    return (time.perf_counter() - start) / ${n} * 1e9
`;

/** So often a case runs before it is measured, for the compiler. */
const WARM_UPS = 3;

/**
 * Nanoseconds for each time, here.
 *
 * @param {number} index
 */
async function measureCase(index) {
  const { n, heddle } = /** @type {typeof CASES[number]} */ (CASES[index]);
  let ns = Number.NaN;
  for (let round = 0; round <= WARM_UPS; round++) {
    ns = await run(
      async () => {
        const start = performance.now();
        await heddle(n);
        return ((performance.now() - start) / n) * 1e6;
      },
      { slowStepMs: Number.POSITIVE_INFINITY },
    );
  }
  return ns;
}

/** @param {number} index */
function measureInProcess(index) {
  const { stdout, stderr, status } = spawnSync(execPath, [fileURLToPath(import.meta.url), String(index)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`case ${index} failed: ${stderr}`);
  return Number(stdout);
}

export async function benchPrimitives() {
  const rows = [["", "heddle ns", "CPython ns", "ratio", "aim"]];
  for (const [index, { name, n, python }] of CASES.entries()) {
    const ns = await inTurn(
      { heddle: async () => measureInProcess(index), cpython: async () => runPython(timedInPython(python, n)) },
      ROUNDS,
    );
    const [own = Number.NaN, other = Number.NaN] = [ns["heddle"], ns["cpython"]];
    rows.push([name, own.toFixed(0), other.toFixed(0), `${(other / own).toFixed(1)}x`, `${AIM}x`]);
  }
  printTable(`Primitives, median of ${ROUNDS}`, rows);
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(await measureCase(Number(argv[2])));
