/** heddle/vitest: everything that `import … from "heddle/vitest"` offers. It needs vitest and fast-check beside it. */
export type { InvariantTestMeta } from "./protocol.js";
export { type InvariantTestOptions, testInvariants } from "./test-invariants.js";
export { type RecordedFailuresOptions, testRecordedFailures } from "./test-recorded-failures.js";
