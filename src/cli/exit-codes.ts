/** The exit codes of the command. */
export const EXIT = { held: 0, failed: 1, badInput: 2, divergence: 3, interrupted: 130 } as const;
