import type { Strategy } from "../schedule/strategy.js";

/**
 * asyncio's own order: first ready, first run, with the library's own handles at their place. A loop without a strategy does the
 * same.
 *
 * @example
 * await run(main, { strategy: fifo() });
 * @since 0.1.0
 */
export function fifo(): Strategy {
  return { name: "fifo", housekeeping: "inline", isFair: true, begin: () => true, pick: () => 0 };
}
