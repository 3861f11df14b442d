/** vitest and fast-check are peers that a project may not have: what needs them is loaded when a command does. */
import { BadInputError } from "../errors/errors.js";

/** The runner of property files. Throws BadInputError when the project has no vitest or no fast-check. */
export async function loadRunner(command: string): Promise<typeof import("../vitest/run-properties.js")> {
  try {
    return await import("../vitest/run-properties.js");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new BadInputError(`heddle ${command} needs vitest and fast-check in the project: npm install --save-dev vitest fast-check`, {
      cause: error,
    });
  }
}
