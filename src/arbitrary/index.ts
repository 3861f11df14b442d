/** heddle/arbitraries: everything that `import … from "heddle/arbitraries"` offers. It needs fast-check beside it. */
export {
  type CheckOptions,
  type CheckProgress,
  type CheckResult,
  checkInvariants,
  DEFAULT_RUNS,
  type InvariantFailure,
} from "./check-invariants.js";
export { schedule } from "./schedule.js";
export { type TaskGraphConstraints, taskGraph } from "./task-graph.js";
