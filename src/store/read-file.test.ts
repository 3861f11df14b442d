import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadInputError } from "../errors/errors.js";
import { encodeSchedule } from "../schedule/token.js";
import type { Failure } from "./failure.js";
import { readFailure, readTaskGraph } from "./read-file.js";

const graph = { version: 1, cells: 1, futures: 0, tasks: [{ name: "main", body: [["sleep", 5]] }] };

const token = encodeSchedule({ version: 1, seed: 7, granularity: "event", ioLatencyMs: 0, housekeeping: "eager", decisions: [] });

const failure: Failure = {
  version: 1,
  program: { kind: "graph", graph },
  seed: 7,
  strategy: "seeded",
  options: {},
  schedule: token,
  original: { schedule: token },
  error: { kind: "invariant", invariant: "exact-time", message: "main overslept" },
  trace: [{ t: 0, task: "main", phase: "begin" }],
  replay: "npx heddle replay reports/failures/exact-time-1.json",
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "heddle-read-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What is said of the file `name` of the folder; "accepted" when it is read. */
function verdictOn(read: (path: string) => unknown, name: string): string {
  try {
    read(join(folder, name));
    return "accepted";
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    // What the JSON parser itself says differs between versions of Node.
    return error.message.replace(`${folder}/`, "").replace(/is no valid JSON \(.+\)$/, "is no valid JSON (…)");
  }
}

function verdictOnText(read: (path: string) => unknown, content: string | Uint8Array): string {
  writeFileSync(join(folder, "file.json"), content);
  return verdictOn(read, "file.json");
}

describe.each([
  ["task graph", readTaskGraph, graph],
  ["failure file", (path: string) => readFailure(path), failure],
] as const)("a %s", (_what, read, whole) => {
  const text = JSON.stringify(whole);

  test("that is whole is read, also behind a byte order mark", () => {
    expect(verdictOnText(read, text)).toBe("accepted");
    expect(verdictOnText(read, `\ufeff${text}\n`)).toBe("accepted");
  });

  test("that is missing, empty, or no file is refused", () => {
    mkdirSync(join(folder, "a-folder"), { recursive: true });
    rmSync(join(folder, "to-nowhere"), { force: true });
    symlinkSync("nowhere", join(folder, "to-nowhere"));
    writeFileSync(join(folder, "a-file"), text);
    expect(["missing.json", "to-nowhere", "a-folder", "a-file/graph.json"].map((name) => verdictOn(read, name))).toEqual([
      "missing.json: there is no such file",
      "to-nowhere: there is no such file",
      "a-folder: is no regular file",
      "a-file/graph.json: a part of the path is a file where a folder is needed",
    ]);
    expect(verdictOnText(read, "")).toBe("file.json: is empty");
    expect(verdictOnText(read, " \n\t")).toBe("file.json: is empty");
  });

  test("that was cut anywhere is refused", () => {
    for (let length = 1; length < text.length; length++) {
      expect(verdictOnText(read, text.slice(0, length)), text.slice(0, length)).toBe("file.json: is no valid JSON (…)");
    }
  });

  test("of 100 MB is refused unread", () => {
    const descriptor = openSync(join(folder, "huge.json"), "w");
    ftruncateSync(descriptor, 100 * 1024 * 1024);
    closeSync(descriptor);
    expect(verdictOn(read, "huge.json")).toBe("huge.json: has 104857600 bytes; at most 16777216 are read");
  });

  test("of binary data is refused", () => {
    expect(verdictOnText(read, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe, 0x00))).toBe("file.json: is no text in UTF-8");
    expect(verdictOnText(read, new Uint8Array(1_000))).toBe("file.json: is no valid JSON (…)");
  });

  test("that is deeply nested is refused, and brackets inside of texts do not count", () => {
    for (const depth of [501, 100_000]) {
      expect(verdictOnText(read, "[".repeat(depth))).toBe("file.json: is nested deeper than 500 levels");
      expect(verdictOnText(read, text.replace(/}$/, `,"x":${"[".repeat(depth)}${"]".repeat(depth)}}`))).toBe(
        "file.json: is nested deeper than 500 levels",
      );
    }
    expect(verdictOnText(read, text.replace('"main"', JSON.stringify(`m\\"${"[{".repeat(1_000)}`)))).toBe("accepted");
  });

  test("with a field that every object inherits is refused, wherever it stands", () => {
    for (const name of ["__proto__", "constructor", "toString"]) {
      const expected = `file.json: holds a field named "${name}", which no file of heddle has`;
      expect(verdictOnText(read, text.replace("{", `{"${name}":{"version":1},`))).toBe(expected);
      expect(verdictOnText(read, text.replace('{"name"', `{"${name}":{"name":"x"},"name"`))).toBe(expected);
    }
    expect(({} as { readonly version?: unknown }).version).toBeUndefined();
  });

  test("with NaN in it, or a number that is too large, is refused", () => {
    expect(verdictOnText(read, text.replace('"version":1', '"version":NaN'))).toBe("file.json: is no valid JSON (…)");
    expect(verdictOnText(read, text.replace('["sleep",5]', '["sleep",1e999]'))).toMatch(
      /^file\.json: tasks\[0] "main", operation 0 \(sleep\): .*, not Infinity$/,
    );
  });

  test("with a mistake in its graph is refused with the place", () => {
    const withBody = (body: string): string => verdictOnText(read, text.replace('[["sleep",5]]', body));
    expect([withBody('[["sleep",-5]]'), withBody('[["span",1,1]]'), withBody('[["spawn",0]]'), withBody('[["await",1]]')]).toEqual([
      'file.json: tasks[0] "main", operation 0 (sleep): ms must be a whole number of milliseconds, 0 or more, not -5',
      'file.json: tasks[0] "main", operation 0 (span): cell must be the index of a cell, 0 to 0, not 1',
      'file.json: tasks[0] "main", operation 0 (spawn): starts task 0 itself',
      'file.json: tasks[0] "main", operation 0 (await): t must be the index of a task, 0 to 0, not 1',
    ]);
  });

  test("in the place of which stands a pipe that nobody writes to is refused at once", () => {
    const path = join(folder, "pipe.json");
    rmSync(path, { force: true });
    expect(spawnSync("sh", ["-c", 'mkfifo "$1"', "sh", path]).status).toBe(0);
    expect(verdictOn(read, "pipe.json")).toBe("pipe.json: is no regular file");
  });
});

test("a failure file that says something else than it should is refused with the field", () => {
  const verdictWith = (fields: object): string => verdictOnText((path) => readFailure(path), JSON.stringify({ ...failure, ...fields }));
  expect([
    verdictWith({ version: 2 }),
    verdictWith({ program: undefined }),
    verdictWith({ program: { kind: "script" } }),
    verdictWith({ program: { kind: "graph", graph: [] } }),
    verdictWith({ program: { kind: "graph", graph: { ...graph, version: 2 } } }),
    verdictWith({ test: { file: "a.property.ts" } }),
    verdictWith({ seed: -1 }),
    verdictWith({ seed: "7" }),
    verdictWith({ machine: "mine" }),
    verdictWith({ error: { kind: "hang", message: "" } }),
    verdictWith({ trace: {} }),
    verdictWith({ trace: [{ t: -1, phase: "exit" }] }),
    verdictWith({ trace: [{ t: 0, phase: "exit", value: { result: 1 } }] }),
    verdictWith({ schedule: 7 }),
    verdictWith({ schedule: "hd9.AAAA" }),
    verdictWith({ schedule: token.slice(0, -1) }),
    verdictWith({ original: { schedule: "" } }),
    verdictWith({ original: { schedule: token, program: { kind: "graph", graph: { ...graph, tasks: [] } } } }),
  ]).toMatchInlineSnapshot(`
    [
      "file.json: version: Invalid type: Expected 1 but received 2",
      "file.json: program: Invalid key: Expected "program" but received undefined",
      "file.json: program.kind: Invalid type: Expected ("graph" | "module" | "test") but received "script"",
      "file.json: version: must be 1, not missing",
      "file.json: version: must be 1, not 2",
      "file.json: test.name: Invalid key: Expected "name" but received undefined",
      "file.json: seed: Invalid value: Expected >=0 but received -1",
      "file.json: seed: Invalid type: Expected number but received "7"",
      "file.json: machine: Invalid key: Expected never but received "machine"",
      "file.json: error.kind: Invalid type: Expected ("error" | "deadlock" | "livelock" | "starvation" | "divergence" | "unhandledRejection" | "invariant") but received "hang"",
      "file.json: trace: Invalid type: Expected Array but received Object",
      "file.json: trace.0.t: Invalid value: Expected >=0 but received -1",
      "file.json: trace.0.value: Invalid type: Expected (null | boolean | number | string | Array | Object) but received Object",
      "file.json: schedule: Invalid type: Expected string but received 7",
      "file.json: token: version "hd9." is not known here; this heddle reads "hd1."",
      "file.json: token: holds a character that no token has, or was cut short",
      "file.json: token: a schedule token starts with "hd1.", this one with """,
      "file.json: tasks: must hold at least main",
    ]
  `);
});

test("a failure file whose token has one other character is refused, whichever it is", () => {
  for (let index = 0; index < token.length; index++) {
    const schedule = `${token.slice(0, index)}${token[index] === "B" ? "C" : "B"}${token.slice(index + 1)}`;
    for (const fields of [{ schedule }, { original: { schedule } }]) {
      expect(verdictOnText((path) => readFailure(path), JSON.stringify({ ...failure, ...fields }))).toMatch(/^file\.json: token: /);
    }
  }
});

test("a failure file is looked up in the folder that is given, and named as it was asked for", () => {
  writeFileSync(join(folder, "whole.json"), JSON.stringify(failure));
  expect(readFailure("whole.json", folder)).toEqual(failure);
  expect(() => readFailure("other.json", folder)).toThrowErrorMatchingInlineSnapshot(`[BadInputError: other.json: there is no such file]`);
});
