import { randomInt } from "node:crypto";
import { MAX_SEED } from "../random/random.js";

/** A seed for whoever gave none. It must be printed. */
export function freshSeed(): number {
  return randomInt(MAX_SEED + 1);
}
