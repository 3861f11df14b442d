/**
 * `node --import heddle/register app.mjs`: instruments what Node loads from then on, modules and CommonJS, so that its awaits are scheduling points of
 * explorations with `granularity: "await"`. The packages to be instrumented besides the user's own code are named by `HEDDLE_INSTRUMENT`, with
 * commas: a variable, because it reaches worker threads and child processes, too. heddle itself is loaded first, before any package can keep a timer.
 */
import "../intercept/install.js";
import * as nodeModule from "node:module";
import { cwd, env } from "node:process";
import { instrumentLoaded } from "./hooks-thread.js";
import { instrumentFile } from "./loaded-file.js";
import { installRuntime } from "./runtime.js";
import { requirePackages, type Selection } from "./selection.js";

interface Hooks {
  readonly load: <Context>(url: string, context: Context, nextLoad: (url: string, context: Context) => object) => object;
}

/** What Node's module knows that its types for Node 20 do not. */
interface NodeModule {
  /** Since 22.15: hooks in this thread, for both kinds of modules. */
  readonly registerHooks?: (hooks: Hooks) => object;
  readonly Module: { readonly prototype: { _compile: Compile } };
}

/** Compiles and runs a file of CommonJS. */
type Compile = (this: unknown, content: string, filename: string, ...rest: readonly unknown[]) => unknown;

/** Keeps a second import, by another address or of another copy, from doing it twice. */
const DONE = Symbol.for("heddle: registered");

installRuntime();
if (!(DONE in globalThis)) {
  Object.defineProperty(globalThis, DONE, { value: true });
  register(selectionOf(env["HEDDLE_INSTRUMENT"] ?? ""));
}

function selectionOf(list: string): Selection {
  const packages = list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  requirePackages(packages, cwd(), "HEDDLE_INSTRUMENT");
  return { packages, folder: cwd() };
}

function register(selection: Selection): void {
  const { registerHooks, Module } = nodeModule as unknown as NodeModule; // see there
  if (registerHooks === undefined) {
    nodeModule.register(new URL("./hooks-thread.js", import.meta.url), { data: selection });
    instrumentCommonJs(Module.prototype, selection);
  } else registerHooks({ load: (url, context, nextLoad) => instrumentLoaded(url, nextLoad(url, context), selection) });
}

/** Where hooks do not see what is required, everything of CommonJS goes through this method of every module. */
function instrumentCommonJs(prototype: { _compile: Compile }, selection: Selection): void {
  const compile = prototype._compile;
  prototype._compile = function (content, filename, ...rest) {
    // Where it requires a module, Node says so in a third argument.
    const format = typeof rest[0] === "string" ? rest[0] : "commonjs";
    const code = instrumentFile(filename, content, format, selection) ?? content;
    return Reflect.apply(compile, this, [code, filename, ...rest]);
  };
}
