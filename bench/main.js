/**
 * All benchmarks, one after another: `npm run bench`. What counts are the ratios, which are taken between things measured in turn in
 * the same run; the absolute figures are those of this machine at this moment.
 */
import { benchMemory } from "./memory.js";
import { benchPrimitives } from "./primitives.js";
import { benchRuns } from "./runs.js";
import { benchScale } from "./scale.js";
import { benchSteps } from "./steps.js";

await benchSteps();
await benchPrimitives();
await benchRuns();
await benchScale();
await benchMemory();
