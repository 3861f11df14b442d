import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { type Failure, failureSchema, traceValue } from "./failure.js";
import { writeFailure } from "./reports.js";

/** What JSON Schema calls a safe integer; valibot's action has no counterpart there. */
const SAFE_INTEGER = { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } as const;

function generateSchema(): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A failure recorded by heddle",
    ...toJsonSchema(failureSchema, {
      target: "draft-2020-12",
      definitions: { traceValue },
      overrideAction: ({ valibotAction, jsonSchema }) =>
        valibotAction.type === "safe_integer" ? { ...jsonSchema, ...SAFE_INTEGER } : undefined,
    }),
  };
}

const failure: Failure = {
  version: 1,
  program: { kind: "graph", graph: { version: 1, cells: 0, futures: 0, tasks: [{ name: "main", body: [["sleep", 5]] }] } },
  test: { file: "properties/own.property.ts", name: "nobody sleeps" },
  seed: 7,
  strategy: "seeded",
  options: { maxSteps: 10_000 },
  schedule: "hd1.AAAAAACyqjC4",
  original: { schedule: "hd1.AAAAAACyqjC4" },
  error: { kind: "invariant", invariant: "nobody-sleeps", message: "main slept at t=0" },
  trace: [
    { t: 0, task: "main", phase: "begin" },
    { t: 0, task: "main", op: "0", name: "sleep", phase: "start" },
    { t: 5, task: "main", phase: "finish", value: [1, [true, null], { error: "RuntimeError: boom" }] },
    { t: 5, phase: "exit", error: "Deadlock", waiting: [{ task: "main", op: "0", name: "sleep" }] },
  ],
  replay: "npx heddle replay reports/failures/nobody-sleeps-1.json",
};

test("the JSON Schema that the package ships is the one that heddle's own checks give", async () => {
  // To write it anew: npx vitest run src/store/failure.test.ts --update
  await expect(`${JSON.stringify(generateSchema(), undefined, 2)}\n`).toMatchFileSnapshot("failure.schema.json");
});

test.each<Failure["program"]>([
  failure.program,
  { kind: "module", file: "src/bank.mjs" },
  { kind: "test", file: "a.test.ts", name: "holds" },
])("a failure file that heddle writes satisfies the shipped JSON Schema: $kind", (program) => {
  const project = mkdtempSync(join(tmpdir(), "heddle-schema-"));
  onTestFinished(() => rmSync(project, { recursive: true }));
  const written: unknown = JSON.parse(readFileSync(join(project, writeFailure(project, { ...failure, program })), "utf8"));
  expect(problemsOf(written)).toEqual([]);
});

test.each<[string, unknown]>([
  ["another version", { ...failure, version: 2 }],
  ["a missing field", { ...failure, trace: undefined }],
  ["a field that is not known", { ...failure, machine: "mine" }],
  ["a negative seed", { ...failure, seed: -1 }],
  ["a seed with a fraction", { ...failure, seed: 0.5 }],
  ["a seed that is too large", { ...failure, seed: 2 ** 32 }],
  ["a negative time", { ...failure, trace: [{ t: -1, phase: "exit" }] }],
  ["a phase that is not known", { ...failure, trace: [{ t: 0, phase: "sleep" }] }],
  ["a value that no trace holds", { ...failure, trace: [{ t: 0, phase: "exit", value: [[{ result: 1 }]] }] }],
  ["a program of no kind", { ...failure, program: { kind: "script", file: "a.mjs" } }],
  ["a module without its file", { ...failure, program: { kind: "module" } }],
  ["a list in the place of the file", [failure]],
])("the shipped JSON Schema and heddle's own checks both refuse %s", (_what, file) => {
  const parsed: unknown = JSON.parse(JSON.stringify(file));
  expect(problemsOf(parsed)).not.toEqual([]);
  expect(v.is(failureSchema, parsed)).toBe(false);
});

/** The part of JSON Schema that the shipped one uses. */
interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

function problemsOf(value: unknown): readonly string[] {
  const shipped = JSON.parse(readFileSync(new URL("failure.schema.json", import.meta.url), "utf8")) as JsonSchema;
  return validate(value, shipped, shipped, "file");
}

/**
 * Holds a value against a schema. It reads what the file says, and nothing of valibot's, so that the schema is judged as another
 * program would read it; a keyword that it does not know fails the test.
 */
function validate(value: unknown, schema: JsonSchema, root: JsonSchema, place: string): readonly string[] {
  const fields =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  const problem = (keyword: string, isBroken: boolean): readonly string[] => (isBroken ? [`${place}: ${keyword}`] : []);
  return Object.entries(schema).flatMap(([keyword, rule]): readonly string[] => {
    switch (keyword) {
      case "$schema":
      case "title":
      case "$defs":
        return [];
      case "$ref":
        return validate(value, root.$defs![(rule as string).replace("#/$defs/", "")]!, root, place);
      case "type":
        return problem(keyword, rule !== (rule === "integer" && Number.isInteger(value) ? "integer" : typeOf(value)));
      case "const":
        return problem(keyword, value !== rule);
      case "enum":
        return problem(keyword, !(rule as unknown[]).includes(value));
      case "minimum":
        return problem(keyword, typeof value === "number" && value < (rule as number));
      case "maximum":
        return problem(keyword, typeof value === "number" && value > (rule as number));
      case "required":
        return problem(keyword, fields !== undefined && (rule as string[]).some((name) => !Object.hasOwn(fields, name)));
      case "properties":
        return Object.entries(rule as Record<string, JsonSchema>).flatMap(([name, inner]) =>
          fields !== undefined && Object.hasOwn(fields, name) ? validate(fields[name], inner, root, `${place}.${name}`) : [],
        );
      case "propertyNames":
        return Object.keys(fields ?? {}).flatMap((name) => validate(name, rule as JsonSchema, root, `${place}: the name ${name}`));
      case "additionalProperties": {
        const others = Object.keys(fields ?? {}).filter((name) => !Object.hasOwn((schema["properties"] as object | undefined) ?? {}, name));
        return rule === false
          ? problem(keyword, others.length > 0)
          : others.flatMap((name) => validate(fields?.[name], rule as JsonSchema, root, `${place}.${name}`));
      }
      case "items":
        return Array.isArray(value) ? value.flatMap((item, index) => validate(item, rule as JsonSchema, root, `${place}[${index}]`)) : [];
      case "anyOf":
        return problem(keyword, !(rule as JsonSchema[]).some((branch) => validate(value, branch, root, place).length === 0));
      case "oneOf":
        return problem(keyword, (rule as JsonSchema[]).filter((branch) => validate(value, branch, root, place).length === 0).length !== 1);
      default:
        throw new Error(`${place}: the schema uses ${keyword}, which this test cannot judge`);
    }
  });
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
