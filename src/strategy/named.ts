/**
 * The strategies by the names that the command and the environment know.
 */
import { BadInputError } from "../errors/errors.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "./fifo.js";
import { random } from "./random.js";
import { seeded } from "./seeded.js";

const STRATEGIES: ReadonlyMap<string, (seed: number) => Strategy> = new Map([
  ["fifo", () => fifo()],
  ["random", random],
  ["seeded", (seed: number) => seeded(seed)],
]);

export const STRATEGY_NAMES: readonly string[] = [...STRATEGIES.keys()];

/** The strategy of that name. Throws BadInputError that lists the names when there is none. */
export function strategyNamed(name: string, seed: number): Strategy {
  const make = STRATEGIES.get(name);
  if (make === undefined) throw new BadInputError(`strategy: ${JSON.stringify(name)} is not known; known are ${STRATEGY_NAMES.join(", ")}`);
  return make(seed);
}
