/**
 * The strategies by the names that the command and the environment know; some take a number behind a colon (`delay:3`).
 */
import { BadInputError } from "../errors/errors.js";
import type { Strategy } from "../schedule/strategy.js";
import { delayBounded } from "./delay.js";
import { dpor } from "./dpor.js";
import { exhaustive } from "./exhaustive.js";
import { fifo } from "./fifo.js";
import { laggards } from "./laggards.js";
import { pct } from "./pct.js";
import { portfolio } from "./portfolio.js";
import { pos } from "./pos.js";
import { random } from "./random.js";
import { seeded } from "./seeded.js";
import { urw } from "./urw.js";

/** What may stand behind the colon. */
interface Parameter {
  /** `the number of delays, a whole number from 0 to 1000` */
  readonly rule: string;
  readonly allows: (value: number) => boolean;
}

interface Named {
  readonly parameter?: Parameter;
  readonly make: (seed: number, parameter: number | undefined) => Strategy;
}

const STRATEGIES: ReadonlyMap<string, Named> = new Map<string, Named>([
  ["portfolio", { make: portfolio }],
  ["random", { make: random }],
  [
    "pct",
    {
      parameter: wholeNumber("the depth", 1, 1_000),
      make: (seed, depth) => pct(seed, { ...(depth !== undefined && { depth }) }),
    },
  ],
  ["pos", { make: pos }],
  ["urw", { make: urw }],
  [
    "delay",
    {
      parameter: wholeNumber("the number of delays", 0, 1_000),
      make: (_, delays) => delayBounded({ ...(delays !== undefined && { delays }) }),
    },
  ],
  [
    "laggards",
    {
      parameter: { rule: "the share of laggards, a number from 0 to 1", allows: (value) => value <= 1 },
      make: (seed, share) => laggards(seed, { ...(share !== undefined && { share }) }),
    },
  ],
  [
    "exhaustive",
    {
      parameter: wholeNumber("the number of preemptions", 0, 1_000),
      make: (_, preemptions) => exhaustive({ ...(preemptions !== undefined && { preemptions }) }),
    },
  ],
  [
    "dpor",
    {
      parameter: wholeNumber("the number of preemptions", 0, 1_000),
      make: (_, preemptions) => dpor({ ...(preemptions !== undefined && { preemptions }) }),
    },
  ],
  ["fifo", { make: fifo }],
  ["seeded", { make: (seed) => seeded(seed) }],
]);

/** Without what may stand behind a colon. */
export const STRATEGY_NAMES: readonly string[] = [...STRATEGIES.keys()];

/**
 * The strategy of that name, such as `random` or `exhaustive:2`. Throws BadInputError that lists the names when there is none, and one that
 * says what is allowed when what stands behind the colon is not.
 */
export function strategyNamed(name: string, seed: number): Strategy {
  const colon = name.indexOf(":");
  const plain = colon < 0 ? name : name.slice(0, colon);
  const named = STRATEGIES.get(plain);
  if (named === undefined) {
    throw new BadInputError(`strategy: ${JSON.stringify(name)} is not known; known are ${STRATEGY_NAMES.join(", ")}`);
  }
  return named.make(seed, colon < 0 ? undefined : readParameter(name, plain, named.parameter));
}

function readParameter(name: string, plain: string, parameter: Parameter | undefined): number {
  if (parameter === undefined) throw new BadInputError(`strategy: ${JSON.stringify(name)}: nothing may stand behind ${plain}`);
  const text = name.slice(plain.length + 1);
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && parameter.allows(value)) return value;
  throw new BadInputError(`strategy: ${JSON.stringify(name)}: behind the colon stands ${parameter.rule}, not ${JSON.stringify(text)}`);
}

function wholeNumber(what: string, least: number, most: number): Parameter {
  return {
    rule: `${what}, a whole number from ${least} to ${most}`,
    allows: (value) => Number.isInteger(value) && value >= least && value <= most,
  };
}
