import { HeddleError } from "../errors/errors.js";

/** A run took more steps than it was allowed. */
export class LivelockError extends HeddleError {
  constructor(maxSteps: number, timeMs: number) {
    super(
      "HEDDLE_LIVELOCK",
      `livelock at t=${timeMs}: the run took more than ${maxSteps} steps. Usually a task that polls for what never comes; ` +
        "raise maxSteps if the program really is that long.",
    );
  }

  static {
    this.prototype.name = "LivelockError";
  }
}
