/**
 * Reading files that somebody else wrote: missing, empty, huge, binary and hostile ones get one clear sentence.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import * as v from "valibot";
import { BadInputError } from "../errors/errors.js";
import { checkTaskGraph } from "../graph/check.js";
import type { TaskGraph } from "../graph/task-graph.js";
import { decodeToken } from "../schedule/prop-token.js";
import { type Failure, failureSchema } from "./failure.js";

/** A larger file is refused unread. */
const MAX_BYTES = 16 * 1024 * 1024;

/** JSON is nested at most so deep: graphs stop at 50 levels of `try`, each of three brackets. */
const MAX_NESTING = 500;

/** Reads a task graph. Throws BadInputError that names the file and what is wrong in it. */
export function readTaskGraph(path: string): TaskGraph {
  return inFile(path, () => checkTaskGraph(readJson(path)));
}

/**
 * Reads a failure file, its graphs and tokens included; `path` is relative to `folder`. Throws BadInputError that names the file and
 * what is wrong in it.
 */
export function readFailure(path: string, folder = "."): Failure {
  return inFile(path, () => {
    const parsed = v.safeParse(failureSchema, readJson(resolve(folder, path)), { abortEarly: true });
    if (!parsed.success) {
      const [issue] = parsed.issues;
      throw new BadInputError(`${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
    }
    const failure = parsed.output;
    for (const { program, schedule } of [failure, failure.original]) {
      decodeToken(schedule);
      if (program?.kind === "graph") checkTaskGraph(program.graph);
    }
    return failure;
  });
}

function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadInputError) throw new BadInputError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

function readJson(path: string): unknown {
  const text = readText(path);
  if (text.trim() === "") throw new BadInputError("is empty");
  requireShallow(text);
  try {
    return JSON.parse(text, refuseInheritedName) as unknown;
  } catch (error) {
    if (error instanceof BadInputError) throw error;
    throw new BadInputError(`is no valid JSON (${error instanceof Error ? error.message.replaceAll(/\s+/g, " ").slice(0, 120) : ""})`, {
      cause: error,
    });
  }
}

/** A field with the name of something that every object has, `__proto__` above all, would pass where only missing fields are looked for. */
function refuseInheritedName(name: string, value: unknown): unknown {
  if (name in Object.prototype) throw new BadInputError(`holds a field named ${JSON.stringify(name)}, which no file of heddle has`);
  return value;
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    // One descriptor for size and content, so that a file which grows meanwhile cannot be larger than what was checked. Opening a pipe
    // that nobody writes to would wait for ever.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) throw new BadInputError("is no regular file");
      if (stat.size > MAX_BYTES) throw new BadInputError(`has ${stat.size} bytes; at most ${MAX_BYTES} are read`);
      bytes = Buffer.alloc(stat.size);
      readSync(descriptor, bytes, 0, stat.size, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof BadInputError) throw error;
    throw new BadInputError(describeSystemError(error), { cause: error });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new BadInputError("is no text in UTF-8", { cause: error });
  }
}

/** JSON.parse itself survives any depth, but what walks the result afterwards would not. */
function requireShallow(text: string): void {
  let depth = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (isInText) {
      if (character === 0x5c) index++;
      else if (character === 0x22) isInText = false;
    } else if (character === 0x22) isInText = true;
    else if (character === 0x5b || character === 0x7b) {
      if (++depth > MAX_NESTING) throw new BadInputError(`is nested deeper than ${MAX_NESTING} levels`);
    } else if (character === 0x5d || character === 0x7d) depth--;
  }
}

/** `cannot be read: no such file` and the like: what the system said, without its own copy of the path. */
export function describeSystemError(error: unknown): string {
  const { code } = error as { code?: unknown };
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
    case "EDQUOT":
      return "no space is left on the device";
    case "EISDIR":
      return "is a folder";
    case "ENOTDIR":
    case "EEXIST":
      return "a part of the path is a file where a folder is needed";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
