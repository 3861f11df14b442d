/** What runs cost whose timers, clocks and randomness are those of the platform, taken over, beside a library of fake timers. */
import { withGlobal } from "@sinonjs/fake-timers";
import { explore } from "heddle";
import { inTurn, printTable, timeMs } from "./measure.js";

const RUN_AIM_US = 40;
const STEP_AIM_US = 1.5;
const ROUNDS = 7;
const RUNS = 1_000;
const MORE_TURNS = 50;

const fakeTimers = withGlobal(globalThis);

/** Two answers and two timers: with the begin five steps. */
async function fiveSteps(/** @type {import("heddle").ScenarioEnv} */ { io }) {
  const later = new Promise((resolve) => setTimeout(resolve, 5));
  const soon = new Promise((resolve) => setImmediate(resolve));
  await Promise.all([io("a"), io("b"), later, soon]);
}

/** @param {"setTimeout" | "io"} what each turn is a step of it */
const manySteps =
  (what) =>
  async (/** @type {import("heddle").ScenarioEnv} */ { io }) => {
    for (let turn = 0; turn < MORE_TURNS; turn++) await (what === "io" ? io("a") : new Promise((resolve) => setTimeout(resolve, 1)));
  };

/** The same number of timers on a clock of fake-timers, which knows one order only. */
async function fakeRun() {
  const clock = fakeTimers.install({ toFake: ["setTimeout", "setImmediate", "Date", "performance"] });
  const timers = [1, 2, 3, 4].map((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const all = Promise.all(timers);
  await clock.runAllAsync();
  await all;
  clock.uninstall();
}

/** @param {import("heddle").Scenario} scenario */
const usPerRun = (scenario) => async () => ((await timeMs(() => explore(scenario, { runs: RUNS, seed: 7 }))) / RUNS) * 1_000;

export async function benchPlatform() {
  const us = await inTurn(
    {
      five: usPerRun(fiveSteps),
      timers: usPerRun(manySteps("setTimeout")),
      requests: usPerRun(manySteps("io")),
      alone: async () =>
        (await timeMs(async () => {
          for (let time = 0; time < 100; time++) await explore(fiveSteps, { runs: 1, seed: time, selfCheck: false });
        })) * 10,
      fake: async () =>
        (await timeMs(async () => {
          for (let run = 0; run < 100; run++) await fakeRun();
        })) * 10,
    },
    ROUNDS,
  );
  const { five = Number.NaN, timers = Number.NaN, requests = Number.NaN, alone = Number.NaN, fake = Number.NaN } = us;
  const aim = (/** @type {number} */ figure) => `under ${figure} us`;
  printTable(`Runs on the platform's own timers, ${RUNS} in each exploration, median of ${ROUNDS}`, [
    ["", "heddle us", "fake-timers us", "ratio", "aim"],
    ["a run of five steps", five.toFixed(1), fake.toFixed(1), `${(five / fake).toFixed(2)}x`, aim(RUN_AIM_US)],
    [`a step, of ${MORE_TURNS} timers in a row`, ((timers - five) / (MORE_TURNS - 4)).toFixed(2), "", "", aim(STEP_AIM_US)],
    [`a step, of ${MORE_TURNS} answers in a row`, ((requests - five) / (MORE_TURNS - 4)).toFixed(2), "", "", aim(STEP_AIM_US)],
    ["an exploration of one run", alone.toFixed(0), "", "", ""],
  ]);
}
