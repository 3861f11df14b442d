/** Real time, in which the command lives: its time limit, and its patience with a thread that does not answer. */

/** Calls back after `delayMs` of real time, unless the function that it answers is called before. */
export function afterRealMs(delayMs: number, callback: () => void): () => void {
  // A timer takes at most 2^31 - 1 ms, about 25 days.
  // eslint-disable-next-line no-restricted-globals -- no run sees it: it only says when the command stops waiting
  const timer = setTimeout(callback, Math.min(delayMs, 0x7fff_ffff));
  return () => {
    clearTimeout(timer);
  };
}
