/**
 * Recorded failures as tests of vitest: what was fixed once stays fixed.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "vitest";
import { BadInputError } from "../errors/errors.js";
import type { Invariant } from "../invariant/invariant.js";
import { loopInvariants } from "../invariant/loop-invariants.js";
import { loadScenario } from "../store/load-scenario.js";
import { readFailure } from "../store/read-file.js";
import { type Replay, replayGraphLoosely, replayScenarioLoosely } from "../store/replay-failure.js";
import { failuresIn } from "../store/reports.js";

export interface RecordedFailuresOptions {
  /** The invariants that the failures may name. Default: {@link loopInvariants}. */
  readonly invariants?: readonly Invariant[];
}

/**
 * A test for each failure file in `folder`, relative to the project: it passes when what was broken holds under the recorded
 * schedule, and fails with the timeline when it is broken again. A repair often changes what is ready when; then the recorded order
 * is followed by its names as far as it goes.
 *
 * Throws BadInputError when the folder holds no failure file, because then nothing would be tested.
 *
 * @example
 * testRecordedFailures("fixtures/schedules");
 * @since 0.1.0
 */
export function testRecordedFailures(folder: string, { invariants = loopInvariants }: RecordedFailuresOptions = {}): void {
  const paths = failuresIn(process.cwd(), folder);
  if (paths.length === 0) throw new BadInputError(`testRecordedFailures: ${folder} holds no failure file`);
  for (const path of paths) {
    test(`${basename(path, ".json")} does not fail again`, async () => {
      const failure = readFailure(path);
      const { program, error } = failure;
      if (program.kind === "test") {
        // The test itself replays it first thing, in each of its runs; what is left to be seen here is that there is one.
        requireFile(path, program.file);
        return;
      }
      if (program.kind === "module") {
        const scenario = await loadScenario(program.file, process.cwd());
        requireHeld(await replayScenarioLoosely(failure, scenario));
        return;
      }
      const invariant = invariants.find(({ name }) => name === error.invariant);
      if (error.invariant !== undefined && invariant === undefined) {
        throw new BadInputError(`${path}: error.invariant: ${JSON.stringify(error.invariant)} is not among the invariants of this test`);
      }
      requireHeld(await replayGraphLoosely(failure, program.graph, invariant));
    });
  }
}

function requireFile(path: string, file: string): void {
  if (existsSync(join(process.cwd(), file))) return;
  throw new BadInputError(
    `${path}: program.file: there is no ${file} any more, so nobody replays this failure; name its new file, or remove it`,
  );
}

function requireHeld({ isBroken, report }: Replay): void {
  if (isBroken) throw new Error(report);
}
