import { expect, test } from "vitest";
import { renderCodeFrame } from "./code-frame.js";

const source = ["const a = 1;", "const b = 2;", "await a;", "done();"].join("\n");

test("shows the line, one before and one behind, and a caret below the place", () => {
  expect(`\n${renderCodeFrame(source, { line: 3, column: 7 })}`).toMatchInlineSnapshot(`
    "
      2 | const b = 2;
    > 3 | await a;
        |       ^
      4 | done();"
  `);
});

test("the first and the last line have one neighbour, and the caret stays within the line", () => {
  expect(renderCodeFrame(source, { line: 1, column: 0 })).toBe("> 1 | const a = 1;\n    | ^\n  2 | const b = 2;");
  expect(renderCodeFrame(source, { line: 4, column: 999 })).toBe("  3 | await a;\n> 4 | done();\n    |        ^");
  expect(renderCodeFrame("", { line: 1, column: 1 })).toBe("> 1 |\n    | ^");
});

test("a line that is not there has no frame", () => {
  expect(renderCodeFrame(source, { line: 5, column: 1 })).toBeUndefined();
  expect(renderCodeFrame(source, { line: 0, column: 1 })).toBeUndefined();
});

test("numbers of different width stand in one column, and tabs stay tabs", () => {
  const lines = Array.from({ length: 11 }, (_, index) => `\tline ${index + 1}`).join("\r\n");
  expect(renderCodeFrame(lines, { line: 10, column: 2 })).toBe("   9 | \tline 9\n> 10 | \tline 10\n     | \t^\n  11 | \tline 11");
});

test("a long line is cut around the place, and its neighbours at the same column", () => {
  const long = `${"x".repeat(300)}HERE${"y".repeat(300)}`;
  const [before = "", marked = "", caret = "", behind] =
    renderCodeFrame(`${"b".repeat(302)}\n${long}\nshort`, { line: 2, column: 301 })?.split("\n") ?? [];
  expect(before).toBe(`  1 | ${"b".repeat(42)}`);
  expect(marked.indexOf("HERE")).toBe(caret.indexOf("^"));
  expect(marked).toMatch(/^> 2 \| x{40}HEREy+…$/);
  expect(marked).toHaveLength("> 2 | ".length + 110);
  expect(behind).toBe("  3 |");
});
