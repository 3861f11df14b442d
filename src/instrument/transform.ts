/**
 * The await transform: every place where code gives way gets a call around what it waits for, and nothing else is touched.
 *
 * | written | becomes |
 * | --- | --- |
 * | `await x` | `await __heddle_await__( x, "src/a.ts:12:5")` |
 * | `for await (const x of y)`, `yield* y` in an async generator | `__heddle_iterate__(y, site)` in the place of `y` |
 * | `yield x`, `return x` in an async generator | `__heddle_await__(x, site)` in the place of `x` |
 * | `await using x = y` | `await using __heddle_exit_12_5__ = __heddle_exit__(site), x = y`: the end of the block waits for it after `x` |
 *
 * The functions are globals (runtime.ts). The engine inlines a global that never changes, and a global needs no import, so what a file is
 * (CommonJS, a module in a cycle, a function that is hoisted above all imports) makes no difference. Without a run they hand their argument back, and
 * what is awaited is what was awaited before: no turn of the microtask queue is added.
 *
 * Nothing is inserted but text within a line, so lines stay, and so do directives and a hashbang. The parser is oxc-parser, because it reads
 * TypeScript and JSX, as a plug-in that comes before all others must, and takes a third of the time of the ones in JavaScript.
 */
import MagicString, { type SourceMap } from "magic-string";
import {
  type ArrowFunctionExpression,
  type AwaitExpression,
  type ForOfStatement,
  type Function as FunctionNode,
  type OxcError,
  type ParseResult,
  parseSync,
  type ReturnStatement,
  type VariableDeclaration,
  Visitor,
  type YieldExpression,
} from "oxc-parser";
import { BadInputError } from "../errors/errors.js";
import { AWAIT, EXIT, ITERATE } from "./runtime-names.js";

export interface TransformOptions {
  /** How sites and errors name the file: relative to the project, with slashes. Its ending says what language it is in. */
  readonly file: string;
  /** `"either"`, the default, is for who does not know: CommonJS is what does not parse as a module. */
  readonly sourceType?: "module" | "commonjs" | "either" | undefined;
}

export interface Transformed {
  readonly code: string;
  /** Made when it is asked for. */
  readonly map: SourceMap;
}

/** What is written down of a node, as far as it is used here. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where there is neither word nothing can give way, and parsing is spared. */
const MAY_GIVE_WAY = /\bawait\b|\basync\b/;

/**
 * The code with its scheduling points; undefined where there is none, or where they are there already.
 *
 * Throws BadInputError, with the place, for code that does not parse.
 */
export function transform(code: string, { file, sourceType = "either" }: TransformOptions): Transformed | undefined {
  if (!MAY_GIVE_WAY.test(code)) return undefined;
  const lines = new Lines(code);
  const parsed = parse(code, file, sourceType, lines);
  const edited = new MagicString(code);
  const instrumentation = new Instrumentation(code, edited, (offset) => `${file}:${lines.placeOf(offset)}`);
  instrumentation.visit(parsed);
  if (!edited.hasChanged()) return undefined;
  return {
    code: edited.toString(),
    get map() {
      return edited.generateMap({ source: file, includeContent: true, hires: "boundary" });
    },
  };
}

function parse(code: string, file: string, sourceType: "module" | "commonjs" | "either", lines: Lines): ParseResult {
  const lang = languageOf(file);
  const parsed = parseSync(file, code, { lang, sourceType: sourceType === "either" ? "module" : sourceType });
  const error = parsed.errors.find(isError);
  if (error === undefined) return parsed;
  if (sourceType === "either") {
    const other = parseSync(file, code, { lang, sourceType: "commonjs" });
    if (!other.errors.some(isError)) return other;
  }
  const offset = error.labels[0]?.start ?? 0;
  throw new BadInputError(`${file}:${lines.placeOf(offset)}: cannot be parsed: ${error.message}`);
}

const isError = ({ severity }: OxcError): boolean => (severity as string) === "Error"; // an enum of the parser's that has no value at run time

function languageOf(file: string): "js" | "jsx" | "ts" | "tsx" | "dts" {
  if (/\.d\.[cm]?ts$/.test(file)) return "dts";
  if (/\.[cm]?ts$/.test(file)) return "ts";
  if (file.endsWith(".tsx")) return "tsx";
  // JSX is often found in a .js, and means nothing else there.
  return "jsx";
}

/** Lines and columns, both counted from 1. */
class Lines {
  readonly #code: string;
  #starts: readonly number[] | undefined = undefined;

  constructor(code: string) {
    this.#code = code;
  }

  /** `12:5` */
  placeOf(offset: number): string {
    const starts = (this.#starts ??= startsOfLines(this.#code));
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return `${low + 1}:${offset - (starts[low] ?? 0) + 1}`;
  }
}

function startsOfLines(code: string): readonly number[] {
  const starts = [0];
  for (const { index, 0: end } of code.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(index + end.length);
  return starts;
}

/** One walk through a file. What closes a call is written when a node is left, so that the inner call is closed before the outer one. */
class Instrumentation {
  readonly #code: string;
  readonly #edited: MagicString;
  readonly #siteOf: (offset: number) => string;
  /** Of the functions around: whether each is an async generator. */
  readonly #functions: boolean[] = [];
  /** The heads of `for (await using x of y)`, which have no place for another declaration. */
  readonly #heads = new Set<VariableDeclaration>();

  constructor(code: string, edited: MagicString, siteOf: (offset: number) => string) {
    this.#code = code;
    this.#edited = edited;
    this.#siteOf = siteOf;
  }

  visit({ program }: ParseResult): void {
    const enter = (node: FunctionNode | ArrowFunctionExpression): void => {
      this.#functions.push(node.async && node.type !== "ArrowFunctionExpression" && node.generator);
    };
    const leave = (): void => {
      this.#functions.pop();
    };
    new Visitor({
      FunctionDeclaration: enter,
      "FunctionDeclaration:exit": leave,
      FunctionExpression: enter,
      "FunctionExpression:exit": leave,
      ArrowFunctionExpression: enter,
      "ArrowFunctionExpression:exit": leave,
      ForOfStatement: (node) => this.#enterForOf(node),
      "ForOfStatement:exit": (node) => this.#leaveForOf(node),
      "AwaitExpression:exit": (node) => this.#await(node),
      "YieldExpression:exit": (node) => this.#yield(node),
      "ReturnStatement:exit": (node) => this.#return(node),
      "VariableDeclaration:exit": (node) => this.#declare(node),
    }).visit(program);
  }

  get #isInAsyncGenerator(): boolean {
    return this.#functions.at(-1) === true;
  }

  #await({ start, end, argument }: AwaitExpression): void {
    if (isCallOf(AWAIT, argument)) return;
    // Right behind the keyword: comments and parentheses that stand before the operand come inside.
    this.#call(AWAIT, start, { start: start + "await".length, end });
  }

  #yield({ start, end, argument, delegate }: YieldExpression): void {
    if (!this.#isInAsyncGenerator) return;
    const name = delegate ? ITERATE : AWAIT;
    if (argument === null) this.#edited.appendLeft(end, ` ${AWAIT}(void 0, ${this.#quotedSite(start)})`);
    else if (!isCallOf(name, argument)) this.#call(name, start, argument);
  }

  #return({ start, argument }: ReturnStatement): void {
    if (!this.#isInAsyncGenerator || argument === null || isCallOf(AWAIT, argument)) return;
    this.#call(AWAIT, start, argument, argument.type === "SequenceExpression");
  }

  #enterForOf({ left }: ForOfStatement): void {
    if (isAwaitUsing(left)) this.#heads.add(left);
  }

  #leaveForOf({ start, await: isAsync, left, right, body }: ForOfStatement): void {
    if (isAsync && !isCallOf(ITERATE, right)) this.#call(ITERATE, start, right);
    if (!isAwaitUsing(left)) return;
    const [declared] = left.declarations;
    if (declared === undefined) return;
    const { id } = declared;
    const name = this.#code.slice(id.start, id.end);
    const unique = this.#uniqueName(left.start);
    this.#edited.overwrite(left.start, id.end, `const ${unique}`);
    const exit = `${unique}e = ${EXIT}(${this.#quotedSite(left.start)})`;
    this.#edited.appendRight(body.start, `{ await using ${exit}, ${name} = ${unique}; `);
    this.#edited.appendLeft(body.end, " }");
  }

  #declare(node: VariableDeclaration): void {
    if (!isAwaitUsing(node) || this.#heads.has(node)) return;
    const [first] = node.declarations;
    if (first?.init !== undefined && isCallOf(EXIT, first.init)) return;
    for (const { start } of node.declarations) {
      this.#edited.appendRight(start, `${this.#uniqueName(start)} = ${EXIT}(${this.#quotedSite(start)}), `);
    }
  }

  /** Puts a call of `name` around `span`. */
  #call(name: string, siteAt: number, span: Span, isList = false): void {
    this.#edited.appendRight(span.start, span.start > siteAt && isKeywordBefore(this.#code, span.start) ? ` ${name}(` : `${name}(`);
    if (isList) this.#edited.appendRight(span.start, "(");
    this.#edited.appendLeft(span.end, `${isList ? ")" : ""}, ${this.#quotedSite(siteAt)})`);
  }

  #uniqueName(offset: number): string {
    return `__heddle_${offset}__`;
  }

  #quotedSite(offset: number): string {
    return JSON.stringify(this.#siteOf(offset));
  }
}

/** Whether a word ends right before `offset`, so that another one must not begin there: `yield[1]`, `await(x)`. */
function isKeywordBefore(code: string, offset: number): boolean {
  return /\w/.test(code.charAt(offset - 1));
}

function isAwaitUsing(node: { readonly type: string }): node is VariableDeclaration {
  return node.type === "VariableDeclaration" && (node as VariableDeclaration).kind === "await using";
}

/** Whether it is a call that this transform has written. */
function isCallOf(name: string, node: { readonly type: string } | null): boolean {
  if (node?.type !== "CallExpression") return false;
  const { callee } = node as unknown as { readonly callee: { readonly type: string; readonly name?: string } };
  return callee.type === "Identifier" && callee.name === name;
}
