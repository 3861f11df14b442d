/**
 * The parameters of a function, read from its source. vitest sets up a fixture when a test's function takes its context apart by name, and
 * looks for that in the source of the function; a scenario has its context behind other arguments.
 */

/** The parameter at `index` as it stands in the source, without comments; undefined where the function has none there. */
export function parameterOf(fn: (...args: never) => unknown, index: number): string | undefined {
  const source = withoutComments(Function.prototype.toString.call(fn));
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source)?.[1];
  const parameters = single === undefined ? splitParameters(source) : [single];
  return parameters[index];
}

/** What stands between the first bracket and its end, cut at its own commas. */
function splitParameters(source: string): readonly string[] {
  const parameters: string[] = [];
  let depth = 0;
  let current = "";
  for (const part of partsFrom(source, source.indexOf("("))) {
    if ("([{".includes(part) && depth++ === 0) continue;
    if (")]}".includes(part) && --depth === 0) break;
    if (part === "," && depth === 1) {
      parameters.push(current.trim());
      current = "";
    } else current += part;
  }
  return [...parameters, current.trim()].filter((parameter) => parameter !== "");
}

function withoutComments(source: string): string {
  let text = "";
  for (const part of partsFrom(source, 0)) text += /^\/[/*]/.test(part) ? " " : part;
  return text;
}

/** One character after the other, but a text literal, and a comment, as a whole. */
function* partsFrom(source: string, start: number): Generator<string> {
  const whole = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
  for (let index = Math.max(start, 0); index < source.length; ) {
    whole.lastIndex = index;
    const part = whole.exec(source)?.[0] ?? source.charAt(index);
    yield part;
    index += part.length;
  }
}
