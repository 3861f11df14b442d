/**
 * The `reports/` folder: what a run leaves behind. Every write is atomic, so that a full disk or a killed process leaves the file
 * that was there before.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { threadId } from "node:worker_threads";
import { BadInputError } from "../errors/errors.js";
import { hash32 } from "../random/random.js";
import { decodeToken } from "../schedule/prop-token.js";
import { looksLikeToken } from "../schedule/token.js";
import type { Failure } from "./failure.js";
import { describeSystemError, readFailure } from "./read-file.js";

/** Where failures are kept, relative to the project. */
export const FAILURES_FOLDER = join("reports", "failures");

/** Where failures stand that were repaired, relative to the project: every build replays them. */
export const RECORDED_FOLDER = join("fixtures", "schedules");

/** Where failures are looked up by token. */
const SCHEDULE_FOLDERS = [FAILURES_FOLDER, RECORDED_FOLDER];

/**
 * Writes `text` to `path`, which is relative to `folder`, whole or not at all. Throws BadInputError that names the file and what the
 * system said.
 */
export function writeAtomically(path: string, text: string, folder = "."): void {
  const target = resolve(folder, path);
  // Worker threads of a process have one id, and may write the same file.
  const temporary = `${target}.${process.pid}${threadId === 0 ? "" : `-${threadId}`}.tmp`;
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

/**
 * Writes a failure under a name that follows from what failed; answers its path relative to `project`. A file that holds the very same
 * already is left alone.
 */
export function writeFailure(project: string, failure: Omit<Failure, "replay">): string {
  const path = pathOfFailure(failure);
  const whole: Failure = { ...failure, replay: `npx heddle replay ${path}` };
  const text = `${JSON.stringify(whole, undefined, 2)}\n`;
  if (textOf(join(project, path)) !== text) writeAtomically(path, text, project);
  return path;
}

/** Where a failure is kept, relative to the project. A test has one file, whatever fails in it, so that nothing grows while it keeps failing. */
export function pathOfFailure(failure: Pick<Failure, "program" | "error" | "schedule">): string {
  const { program, schedule } = failure;
  const slug = describeWhat(failure)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, "");
  const identity = hash32(JSON.stringify(program.kind === "test" ? program : [program, schedule]))
    .toString(16)
    .padStart(8, "0");
  return join(FAILURES_FOLDER, `${slug === "" ? "failure" : slug}-${identity}.json`);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // none, or none that can be read
  }
}

/** Removes a file, if it is there. Throws BadInputError that names the file and what the system said. */
export function removeFile(project: string, path: string): void {
  try {
    rmSync(resolve(project, path), { force: true });
  } catch (error) {
    throw new BadInputError(`${path}: cannot be removed: ${describeSystemError(error)}`, { cause: error });
  }
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
  decodeToken(fileOrToken);
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
