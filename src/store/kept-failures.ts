/**
 * The failures of one test: the one that was kept when it failed last, and those that were recorded for good.
 */
import { existsSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { BadInputError } from "../errors/errors.js";
import type { Failure } from "./failure.js";
import { readFailure } from "./read-file.js";
import { failuresIn, type OpenedFailure, pathOfFailure, RECORDED_FOLDER } from "./reports.js";

/** A test as failure files name it. */
export type TestProgram = Extract<Failure["program"], { readonly kind: "test" }>;

/** Whether both are the same test. */
export function isSameTest(a: TestProgram, b: Failure["program"]): boolean {
  return b.kind === "test" && a.file === b.file && a.name === b.name && a.project === b.project && (a.nth ?? 0) === (b.nth ?? 0);
}

/** Where the failure of this test is kept, relative to the project. */
export function keptPath(test: TestProgram): string {
  return pathOfFailure({ program: test, schedule: "", error: { kind: "error", message: "" } });
}

/** The failure that was kept when the test failed last. Throws BadInputError when its file is there and cannot be used. */
export function findKept(project: string, test: TestProgram): OpenedFailure | undefined {
  const path = keptPath(test);
  if (!existsSync(join(project, path))) return undefined;
  return { path, failure: readFailure(path, project) };
}

/** What was read from a file, as long as it stays the same: every test asks for every recorded failure. */
interface Known {
  readonly stamp: string;
  /** Undefined for a file that is none of ours, which whoever replays the folder will say. */
  readonly failure: Failure | undefined;
}

const known = new Map<string, Known>();

/** The failures of this test under `fixtures/schedules/`, in the order of their names. */
export function findRecorded(project: string, test: TestProgram): readonly OpenedFailure[] {
  return failuresIn(project, RECORDED_FOLDER).flatMap((path) => {
    const failure = readOnce(path);
    return failure !== undefined && isSameTest(test, failure.program) ? [{ path: relative(project, path), failure }] : [];
  });
}

function readOnce(path: string): Failure | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  const stamp = `${stat?.mtimeMs ?? 0} ${stat?.size ?? 0}`;
  const before = known.get(path);
  if (before?.stamp === stamp) return before.failure;
  let failure: Failure | undefined;
  try {
    failure = readFailure(path);
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
  }
  known.set(path, { stamp, failure });
  return failure;
}
