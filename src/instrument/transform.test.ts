import { describe, expect, it } from "vitest";
import { BadInputError } from "../errors/errors.js";
import { transform } from "./transform.js";

const code = (source: string, file = "src/a.ts"): string | undefined => transform(source, { file })?.code;

describe("await transform", () => {
  it("puts a call around what is awaited, with the place of the await", () => {
    expect(code("async function f() {\n  return await g(1);\n}")).toBe(
      'async function f() {\n  return await __heddle_await__( g(1), "src/a.ts:2:10");\n}',
    );
  });

  it.each([
    ["await (a, b)", 'await __heddle_await__( (a, b), "src/a.ts:1:1")'],
    ["await(a)", 'await __heddle_await__((a), "src/a.ts:1:1")'],
    ["await[a]", 'await __heddle_await__([a], "src/a.ts:1:1")'],
    ["await await a", 'await __heddle_await__( await __heddle_await__( a, "src/a.ts:1:7"), "src/a.ts:1:1")'],
    ["await /* one */ a /* two */;", 'await __heddle_await__( /* one */ a, "src/a.ts:1:1") /* two */;'],
    ["await // why\n  a", 'await __heddle_await__( // why\n  a, "src/a.ts:1:1")'],
    ["await a\nawait b", 'await __heddle_await__( a, "src/a.ts:1:1")\nawait __heddle_await__( b, "src/a.ts:2:1")'],
    ["(await a)?.b ?? await c", '(await __heddle_await__( a, "src/a.ts:1:2"))?.b ?? await __heddle_await__( c, "src/a.ts:1:17")'],
    ["await async function () {}()", 'await __heddle_await__( async function () {}(), "src/a.ts:1:1")'],
    ["await (async () => 1)()", 'await __heddle_await__( (async () => 1)(), "src/a.ts:1:1")'],
    ["`${await a}${await b}`", '`${await __heddle_await__( a, "src/a.ts:1:4")}${await __heddle_await__( b, "src/a.ts:1:14")}`'],
    ["2 ** await a", '2 ** await __heddle_await__( a, "src/a.ts:1:6")'],
    ["await a!.b as C", 'await __heddle_await__( a!.b, "src/a.ts:1:1") as C'],
    ["await new A<B>(c)", 'await __heddle_await__( new A<B>(c), "src/a.ts:1:1")'],
    ["class A { b = async () => await c; }", 'class A { b = async () => await __heddle_await__( c, "src/a.ts:1:27"); }'],
    ["class A { [await b] = 1; }", 'class A { [await __heddle_await__( b, "src/a.ts:1:12")] = 1; }'],
    ["async (a = async () => await b) => a", 'async (a = async () => await __heddle_await__( b, "src/a.ts:1:24")) => a'],
  ])("%s", (source, expected) => {
    expect(code(source)).toBe(expected);
  });

  it("wraps what a `for await` goes through, and nothing of other loops", () => {
    expect(code("for await (const a of (b, c)) d();\nfor (const a of b) d();")).toBe(
      'for await (const a of __heddle_iterate__((b, c), "src/a.ts:1:1")) d();\nfor (const a of b) d();',
    );
    expect(code("for await (const a of(b)) d();")).toBe('for await (const a of __heddle_iterate__((b), "src/a.ts:1:1")) d();');
  });

  it("wraps what async generators yield and return, and no others", () => {
    expect(code("async function* f() { yield; yield a; yield* b; return c; }")).toBe(
      'async function* f() { yield __heddle_await__(void 0, "src/a.ts:1:23"); yield __heddle_await__(a, "src/a.ts:1:30"); ' +
        'yield* __heddle_iterate__(b, "src/a.ts:1:39"); return __heddle_await__(c, "src/a.ts:1:49"); }',
    );
    expect(code("async function* f() { return a, b; }")).toBe('async function* f() { return __heddle_await__((a, b), "src/a.ts:1:23"); }');
    expect(code("class A { async *b() { yield 1; } }")).toBe('class A { async *b() { yield __heddle_await__(1, "src/a.ts:1:24"); } }');
    expect(
      code("async function* f() { function* g() { yield 1; return 2; } async function h() { return 3; } const k = () => { return 4; }; }"),
    ).toBe(undefined);
  });

  it("puts the end of a block with `await using` into the same declaration", () => {
    expect(code("{ await using a = b(), c = d(); }")).toBe(
      '{ await using __heddle_14__ = __heddle_exit__("src/a.ts:1:15"), a = b(), __heddle_23__ = __heddle_exit__("src/a.ts:1:24"), c = d(); }',
    );
    expect(code("for (await using a of b) c(a);")).toBe(
      'for (const __heddle_5__ of b) { await using __heddle_5__e = __heddle_exit__("src/a.ts:1:6"), a = __heddle_5__; c(a); }',
    );
  });

  it("leaves a hashbang, directives and all lines where they are", () => {
    const source = '#!/usr/bin/env node\n"use strict";\nawait a;\n';
    expect(code(source)).toBe('#!/usr/bin/env node\n"use strict";\nawait __heddle_await__( a, "src/a.ts:3:1");\n');
  });

  it("counts columns as editors do, behind what takes two code units or two bytes too", () => {
    expect(code('"é🎈"; await a;')).toBe('"é🎈"; await __heddle_await__( a, "src/a.ts:1:8");');
    expect(code("\r\n\u2028await a;")).toBe('\r\n\u2028await __heddle_await__( a, "src/a.ts:3:1");');
  });

  it("answers nothing where nothing gives way, without parsing what cannot", () => {
    expect(code("export const a = 1 +;")).toBe(undefined);
    expect(code("export const f = async () => 1;")).toBe(undefined);
    expect(code("// await\nexport const a = 1;")).toBe(undefined);
  });

  it.each([
    "await a; for await (const b of c) {} { await using d = e; }",
    "async function* f() { yield; yield a; yield* b; return c; }",
    "for (await using a of b) c(a);",
  ])("leaves alone what it has transformed before: %s", (source) => {
    const once = code(source) ?? "";
    expect(once).not.toBe(source);
    expect(code(once)).toBe(undefined);
  });

  it("reads JSX, TypeScript and CommonJS by the ending of the file and what it is told", () => {
    expect(code("async () => <b>{await a}</b>", "src/a.tsx")).toContain('await __heddle_await__( a, "src/a.tsx:1:17")');
    expect(code("async () => <b>{await a}</b>", "src/a.js")).toContain('await __heddle_await__( a, "src/a.js:1:17")');
    expect(code("async (a: A): Promise<B> => await a", "src/a.mts")).toContain('await __heddle_await__( a, "src/a.mts:1:29")');
    const commonjs = transform("if (a) return; const await = b; await(c); async () => await d;", { file: "a.cjs", sourceType: "commonjs" });
    expect(commonjs?.code).toBe('if (a) return; const await = b; await(c); async () => await __heddle_await__( d, "a.cjs:1:55");');
  });

  it("refuses code that does not parse, with the place", () => {
    expect(() => code("async () => {\n  await a b;\n};")).toThrow(BadInputError);
    expect(() => code("async () => {\n  await a b;\n};")).toThrowErrorMatchingInlineSnapshot(
      `[BadInputError: src/a.ts:2:10: cannot be parsed: Expected a semicolon or an implicit semicolon after a statement, but found none]`,
    );
    expect(() => transform("await", { file: "src/a.mjs", sourceType: "module" })).toThrowErrorMatchingInlineSnapshot(
      `[BadInputError: src/a.mjs:1:6: cannot be parsed: Unexpected token]`,
    );
  });
});
