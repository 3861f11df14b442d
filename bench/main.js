/**
 * All benchmarks, one after another: `npm run bench`, or those that are named: `npm run bench -- runs search`. What counts are the ratios, which are
 * taken between things measured in turn in the same run; the absolute figures are those of this machine at this moment. `--quick` gives a
 * rough picture of the searches in a few seconds.
 */
import { argv } from "node:process";
import { benchInstrument } from "./instrument.js";
import { benchMemory } from "./memory.js";
import { benchPlatform } from "./platform.js";
import { benchPrimitives } from "./primitives.js";
import { benchRuns } from "./runs.js";
import { benchScale } from "./scale.js";
import { benchSearch } from "./search.js";
import { benchSteps } from "./steps.js";
import { benchStrategies } from "./strategies.js";

const options = { isQuick: argv.includes("--quick") };

const benches = Object.entries({
  steps: benchSteps,
  primitives: benchPrimitives,
  runs: benchRuns,
  platform: benchPlatform,
  search: () => benchSearch(options),
  strategies: () => benchStrategies(options),
  scale: benchScale,
  instrument: benchInstrument,
  memory: benchMemory,
});

const wanted = argv.slice(2).filter((argument) => !argument.startsWith("--"));
const unknown = wanted.filter((name) => !benches.some(([known]) => known === name));
if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(", ")}; there are ${benches.map(([name]) => name).join(", ")}`);
for (const [name, bench] of benches) if (wanted.length === 0 || wanted.includes(name)) await bench();
