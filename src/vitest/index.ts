/** heddle/vitest: everything that `import … from "heddle/vitest"` offers. It needs vitest and fast-check beside it. */
export { type InvariantTestMeta, type InvariantTestOptions, testInvariants } from "./test-invariants.js";
