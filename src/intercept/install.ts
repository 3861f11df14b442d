/**
 * Placing the forwarders: once, when heddle is first imported, because packages keep `setTimeout` or `setImmediate` from the time when they
 * are loaded. They forward to the platform's own functions whenever no run is active.
 *
 * An exploration looks whether they are still there, because somebody (fake timers, above all) may have put something in their place since,
 * and puts that back when it is over.
 */
import { UsageError } from "../errors/errors.js";
import { builtin } from "./builtin.js";
import { clockReplacements } from "./clocks.js";
import { warnOfPackagesLoadedEarlier } from "./loaded-earlier.js";
import { randomnessReplacements } from "./randomness.js";
import { Placement, type Replacement } from "./replacement.js";
import { timerReplacements } from "./timers.js";
import { timersPromisesReplacements } from "./timers-promises.js";

function makeReplacements(): readonly Replacement[] {
  const module = builtin("timers");
  const owners = [{ owner: globalThis, label: "globalThis" }, ...(module === undefined ? [] : [{ owner: module, label: "node:timers" }])];
  const timers = timerReplacements(owners);
  return [...timers, ...timersPromisesReplacements(timers), ...clockReplacements(), ...randomnessReplacements()];
}

const replacements = makeReplacements();

/** What `import { setTimeout } from "node:timers"` sees is a copy of what the module's object holds. */
function syncImports(): void {
  const module = builtin("module") as { readonly syncBuiltinESMExports?: () => void } | undefined;
  module?.syncBuiltinESMExports?.();
}

/** Why the forwarders cannot be placed; undefined where they are. */
const obstacle = placeForGood();

function placeForGood(): Error | undefined {
  try {
    // A placement that is never released.
    new Placement(replacements).findChanged();
    syncImports();
    warnOfPackagesLoadedEarlier();
    return undefined;
  } catch (error) {
    return error as Error; // the TypeError of Object.defineProperty
  }
}

/**
 * Has all forwarders in place until the placement that it answers is released.
 *
 * Throws UsageError where the platform's functions are frozen.
 */
export function takeOverPlatform(): Placement {
  try {
    if (obstacle !== undefined) throw obstacle;
    const placement = new Placement(replacements);
    syncImports();
    return placement;
  } catch (error) {
    throw new UsageError(
      "the platform's timers, clocks and randomness cannot be taken over, because some of them are frozen. " +
        'Import "heddle" before whatever freezes them (SES lockdown, Object.freeze).',
      { cause: error },
    );
  }
}
