/**
 * What Node 20 loads into its thread for hooks: modules are instrumented here. CommonJS is not, because for that there is another way (register.ts), and
 * to hand out its source here would take it off Node's own loader.
 */
import { fileURLToPath } from "node:url";
import { instrumentFile } from "./loaded-file.js";
import type { Selection } from "./selection.js";

interface Loaded {
  readonly format?: string | null | undefined;
  readonly source?: string | ArrayBuffer | NodeJS.TypedArray | null | undefined;
}

type NextLoad<Context> = (url: string, context: Context) => Loaded | Promise<Loaded>;

/** The selection, once it is known. */
const selections: Selection[] = [];

/** Called by Node with what `register` was given. */
export function initialize(selection: Selection): void {
  selections.push(selection);
}

/** Called by Node for each module. */
export async function load<Context>(url: string, context: Context, nextLoad: NextLoad<Context>): Promise<Loaded> {
  const loaded = await nextLoad(url, context);
  return loaded.format === "module" ? instrumentLoaded(url, loaded, selections[0]) : loaded;
}

function hasSource(source: Loaded["source"]): source is NonNullable<Loaded["source"]> {
  return source !== undefined && source !== null;
}

/** The same with its source instrumented, where it is a file that was selected and has a source here. */
export function instrumentLoaded(url: string, loaded: Loaded, selection: Selection | undefined): Loaded {
  const { format, source } = loaded;
  if (selection === undefined || !hasSource(source) || typeof format !== "string" || !url.startsWith("file:")) return loaded;
  const code = typeof source === "string" ? source : Buffer.from(source as Uint8Array).toString(); // a buffer of any kind holds its bytes
  const instrumented = instrumentFile(fileURLToPath(url), code, format, selection);
  return instrumented === undefined ? loaded : { ...loaded, source: instrumented };
}
