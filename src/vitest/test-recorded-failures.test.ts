import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, expect, test } from "vitest";
import { testRecordedFailures } from "./test-recorded-failures.js";

const folder = mkdtempSync(join(tmpdir(), "heddle-recorded-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the tests below are made of: a failure that was recorded on a defect that the loop does not have. */
copyFileSync("fixtures/schedules/gather-in-completion-order.json", join(folder, "gather-in-completion-order.json"));

// Registers a test of its own, which replays the recording.
testRecordedFailures(relative(process.cwd(), folder));

test("a folder without failures is refused, because nothing would be tested", () => {
  expect(() => {
    testRecordedFailures("fixtures/readme");
  }).toThrowErrorMatchingInlineSnapshot(`[BadInputError: testRecordedFailures: fixtures/readme holds no failure file]`);
});

test("a failure that is broken again fails its test with the timeline", async () => {
  const { replayGraph } = await import("../store/replay-failure.js");
  const { readFailure } = await import("../store/read-file.js");
  const path = join(folder, "gather-in-completion-order.json");
  writeFileSync(join(folder, "unused.txt"), "not a failure, and not read");
  const failure = readFailure(path);
  if (failure.program.kind !== "graph") throw new Error("the recording is of a graph");
  const nothingIsGathered = {
    name: "nothing-is-gathered",
    sentence: "No task gathers.",
    judge: ({ calls }: { readonly calls: readonly { readonly operation: readonly unknown[] }[] }) => {
      const gathers = calls.filter(({ operation }) => operation[0] === "gather").length;
      return { exercised: 1, violation: gathers > 0 ? `${gathers} gathers` : undefined };
    },
  };
  const { isBroken, report } = await replayGraph(failure, failure.program.graph, nothingIsGathered);
  expect(isBroken).toBe(true);
  expect(report).toContain("nothing-is-gathered: No task gathers.\n  broken: 1 gathers");
});
