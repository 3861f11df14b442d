/**
 * The lines of a source around one place, with the place marked.
 */

export interface CodePlace {
  /** Counted from 1, as stacks count them. */
  readonly line: number;
  readonly column: number;
}

/** Longer lines, those of minified code above all, are cut to the part around the place. */
const MAX_LENGTH = 110;
/** How much of a cut line stands before the place. */
const BEFORE_PLACE = 40;

/**
 * The line of `place`, one line before and one behind it, and a caret below the place, without a newline at the end; undefined where the source has
 * no such line.
 *
 * ```text
 *     6 |     const before = balance;
 *   > 7 |     await sleep(0);
 *       |     ^
 *     8 |     balance = before - amount;
 * ```
 */
export function renderCodeFrame(source: string, { line, column }: CodePlace): string | undefined {
  const lines = source.split(/\r\n|[\n\r\u2028\u2029]/);
  const marked = lines[line - 1];
  if (marked === undefined) return undefined;
  const at = Math.min(Math.max(column - 1, 0), marked.length);
  // All lines are cut at the same column, so that what stands below each other in the source does so here.
  const from = marked.length <= MAX_LENGTH ? 0 : Math.max(0, at - BEFORE_PLACE);
  const first = Math.max(1, line - 1);
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = cut(lines[number - 1] ?? "", from);
    rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd());
    // What stands before the place is repeated as blanks, tabs as tabs, so that the caret is below it in any terminal.
    if (number === line) rows.push(`  ${" ".repeat(width)} | ${marked.slice(from, at).replaceAll(/[^\t]/g, " ")}^`);
  }
  return rows.join("\n");
}

function cut(text: string, from: number): string {
  const rest = text.slice(from);
  return rest.length <= MAX_LENGTH ? rest : `${rest.slice(0, MAX_LENGTH - 1)}…`;
}
