/** The main job: what must hold of the loop, held against random task graphs under random schedules. */
import { loopInvariants } from "heddle";
import { taskGraph } from "heddle/arbitraries";
import { testInvariants } from "heddle/vitest";

testInvariants("the loop keeps its promises", { invariants: loopInvariants });

testInvariants("the loop keeps its promises to many tasks at once", {
  invariants: loopInvariants.filter(({ name }) => name !== "independent-tasks"),
  graphs: taskGraph({ maxTasks: 36, maxOperations: 8 }),
  runs: 1_000,
});
