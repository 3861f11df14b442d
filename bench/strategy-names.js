/** All strategies of the build by their names, so that a new one joins the benchmarks by itself. */

/** @type {{ readonly STRATEGY_NAMES: readonly string[], readonly strategyNamed: (name: string, seed: number) => import("heddle").Strategy }} */
const { STRATEGY_NAMES, strategyNamed } = await import(new URL("../dist/strategy/named.js", import.meta.url).href);

/** Those that search: fifo has one order and no other. */
export const SEARCHING = STRATEGY_NAMES.filter((name) => name !== "fifo");

/**
 * What a strategy explores of a program: its data is seen through only for those that ask what steps touch, because that has its price.
 *
 * @param {string} name
 * @param {import("../fixtures/search/programs.js").SearchProgram} program
 */
export const scenarioFor = (name, { scenario, untracked }) => (strategyNamed(name, 0).tracks === true ? scenario : untracked);
