/**
 * A file that Node is about to run, instrumented, with a source map that leads to what its author wrote.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import remapping from "@jridgewell/remapping";
import { type Selection, selectedFile } from "./selection.js";
import { type Transformed, transform } from "./transform.js";

/** How Node calls what holds JavaScript, or TypeScript of which it strips the types itself. */
const FORMATS: Readonly<Record<string, "module" | "commonjs">> = {
  module: "module",
  "module-typescript": "module",
  commonjs: "commonjs",
  "commonjs-typescript": "commonjs",
};

/** The code of the file with its scheduling points; undefined where it stays as it is. Throws BadInputError where it does not parse. */
export function instrumentFile(path: string, code: string, format: string, selection: Selection): string | undefined {
  const sourceType = FORMATS[format];
  const file = sourceType && selectedFile(path, selection);
  if (file === undefined) return undefined;
  const transformed = transform(code, { file, sourceType });
  return transformed && `${transformed.code}\n//# sourceMappingURL=data:application/json;base64,${encodedMap(transformed, path, code)}`;
}

function encodedMap({ map }: Transformed, path: string, code: string): string {
  const url = pathToFileURL(path).href;
  map.sources = [url];
  const own = ownMap(code, url);
  const whole = own === undefined ? map : remapping([map.toString(), own], () => null);
  return Buffer.from(whole.toString()).toString("base64");
}

/** The map that came with the file, of a compiler that made it. One that cannot be had is not missed: places are those of the file then. */
function ownMap(code: string, url: string): string | undefined {
  const [, reference] = [...code.matchAll(/^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm)].at(-1) ?? [];
  if (reference === undefined) return undefined;
  try {
    const inline = /^data:application\/json[^,]*?(;base64)?,(.*)$/.exec(reference);
    const [, base64, data = ""] = inline ?? [];
    const text =
      inline === null
        ? readFileSync(fileURLToPath(new URL(reference, url)), "utf8")
        : base64 === undefined
          ? decodeURIComponent(data)
          : Buffer.from(data, "base64").toString();
    const map = JSON.parse(text) as { sourceRoot?: string; sources: string[] };
    const base = new URL(map.sourceRoot ?? "", inline === null ? new URL(reference, url) : url);
    return JSON.stringify({ ...map, sourceRoot: "", sources: map.sources.map((source) => new URL(source, base).href) });
  } catch {
    return undefined;
  }
}
