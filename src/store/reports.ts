/**
 * The `reports/` folder: what a run leaves behind. Every write is atomic, so that a full disk or a killed process leaves the file
 * that was there before.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { BadInputError } from "../errors/errors.js";
import { hash32 } from "../random/random.js";
import { decodeSchedule, looksLikeToken } from "../schedule/token.js";
import type { Failure } from "./failure.js";
import { describeSystemError, readFailure } from "./read-file.js";

/** Where failures are kept, relative to the project. */
export const FAILURES_FOLDER = join("reports", "failures");

/** Where failures are looked up by token. */
const SCHEDULE_FOLDERS = [FAILURES_FOLDER, join("fixtures", "schedules")];

/**
 * Writes `text` to `path`, which is relative to `folder`, whole or not at all. Throws BadInputError that names the file and what the
 * system said.
 */
export function writeAtomically(path: string, text: string, folder = "."): void {
  const target = resolve(folder, path);
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, target);
  } catch (error) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // The folder that could not be written is gone or closed to us as well; the first error says more.
    }
    throw new BadInputError(`${path}: cannot be written: ${describeSystemError(error)}`, { cause: error });
  }
}

/** Throws BadInputError when nothing can be written to the folders of `reports/`: better before a long run than after it. */
export function requireWritableReports(project: string): void {
  for (const folder of ["reports", FAILURES_FOLDER]) {
    const probe = join(folder, ".writable");
    // A full disk still takes an empty file.
    writeAtomically(probe, " ".repeat(4_096), project);
    rmSync(join(project, probe), { force: true });
  }
}

/** Writes a failure under a name that follows from what failed; answers its path relative to `project`. */
export function writeFailure(project: string, failure: Omit<Failure, "replay">): string {
  const slug = describeWhat(failure)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  const identity = hash32(JSON.stringify([failure.program, failure.schedule]))
    .toString(16)
    .padStart(8, "0");
  const path = join(FAILURES_FOLDER, `${slug === "" ? "failure" : slug}-${identity}.json`);
  const whole: Failure = { ...failure, replay: `npx heddle replay ${path}` };
  writeAtomically(path, `${JSON.stringify(whole, undefined, 2)}\n`, project);
  return path;
}

/** What failed, in a few words. */
function describeWhat({ program, error }: Pick<Failure, "program" | "error">): string {
  if (error.invariant !== undefined) return error.invariant;
  switch (program.kind) {
    case "graph":
      return error.kind;
    case "module":
      return `${basename(program.file, extname(program.file))} ${error.kind}`;
    case "test":
      return program.name;
  }
}

/** The failure that was written last, as a path relative to `project`; undefined when there is none. */
export function latestFailure(project: string): string | undefined {
  const files = failuresIn(project, FAILURES_FOLDER).map((path) => ({
    path,
    modifiedMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
  const latest = files.toSorted((a, b) => b.modifiedMs - a.modifiedMs || (a.path < b.path ? -1 : 1))[0];
  return latest && relative(project, latest.path);
}

/** The recorded failure with this schedule, as a path relative to `project`; undefined when none has it. */
export function findFailureByToken(project: string, token: string): string | undefined {
  for (const folder of SCHEDULE_FOLDERS) {
    for (const path of failuresIn(project, folder)) {
      try {
        const { schedule, original } = readFailure(path);
        if (schedule === token || original.schedule === token) return relative(project, path);
      } catch {
        // A file that is broken or of another kind has no schedule to be found by.
      }
    }
  }
  return undefined;
}

/** A failure with the path of its file, relative to the project unless that is how it was named. */
export interface OpenedFailure {
  readonly path: string;
  readonly failure: Failure;
}

/**
 * The failure in that file, or with that token: the smallest one, or the original where the token is the original's. Throws
 * BadInputError when there is none, or it cannot be used.
 */
export function openFailure(project: string, fileOrToken: string): OpenedFailure {
  if (!looksLikeToken(fileOrToken)) return { path: fileOrToken, failure: readFailure(fileOrToken, project) };
  decodeSchedule(fileOrToken);
  const path = findFailureByToken(project, fileOrToken);
  if (path === undefined) {
    throw new BadInputError(`the token is whole, but no failure in ${SCHEDULE_FOLDERS.join(" or ")} has it; replay the failure's file`);
  }
  const failure = readFailure(path, project);
  return { path, failure: failure.schedule === fileOrToken ? failure : originalOf(failure) };
}

/** The failure as it was found first, before anything was made smaller. No trace of it was recorded. */
function originalOf(failure: Failure): Failure {
  const { program = failure.program, schedule } = failure.original;
  return { ...failure, program, schedule, trace: [], replay: `npx heddle replay ${schedule}` };
}

/** The failure files of `folder`, as absolute paths in the order of their names; none where there is no such folder. */
export function failuresIn(project: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(project, folder))
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => join(project, folder, name));
  } catch {
    return []; // no folder, no failures
  }
}
