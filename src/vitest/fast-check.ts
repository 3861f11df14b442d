/**
 * fast-check on demand: it is an optional peer, and whoever draws nothing need not have it.
 */
import type * as fc from "fast-check";
import { UsageError } from "../errors/errors.js";

/** Throws UsageError when it is not installed. */
export async function loadFastCheck(): Promise<typeof fc> {
  try {
    return await import("fast-check");
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UsageError("values are drawn by fast-check, which is not installed: npm install --save-dev fast-check", { cause: error });
  }
}
