/** The globals that instrumented code calls. */

export const AWAIT = "__heddle_await__";
export const ITERATE = "__heddle_iterate__";
export const EXIT = "__heddle_exit__";
