/** Ctrl-C. */

/**
 * From here on the first Ctrl-C does not end the process but calls what is handed to the function that this answers, at once where it
 * has come already. The second one ends the process.
 */
export function catchInterrupt(): (interrupt: () => void) => void {
  let isInterrupted = false;
  let onInterrupt = (): void => undefined;
  process.once("SIGINT", () => {
    isInterrupted = true;
    onInterrupt();
  });
  return (interrupt) => {
    onInterrupt = interrupt;
    if (isInterrupted) interrupt();
  };
}
