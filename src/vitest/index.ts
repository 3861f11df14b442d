/** heddle/vitest: everything that `import … from "heddle/vitest"` offers. It needs vitest beside it, and fast-check where values are drawn. */
export { configureExplore, type ExplorationOptions, type ExploreTestOptions, type ProvidedOptions } from "./explore-options.js";
export { test, test as it, withExplore } from "./explore-test.js";
export type { ExploreTest, HeddleTest, PropOptions, ScenarioContext, TestScenario } from "./explore-types.js";
export type { ExplorationTestMeta, InvariantTestMeta } from "./protocol.js";
export { type InvariantTestOptions, testInvariants } from "./test-invariants.js";
export { type RecordedFailuresOptions, testRecordedFailures } from "./test-recorded-failures.js";
