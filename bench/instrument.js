/** What instrumented code costs where no run is active, and what it costs to instrument it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import "heddle/vitest/setup"; // defines what instrumented code calls
import { transform } from "../dist/instrument/transform.js";
import { inTurn, printTable } from "./measure.js";

const AWAIT_AIM = 1.1;
const TRANSFORM_AIM_MS = 50;
const ROUNDS = 21;
const AWAITS = 200_000;

/** Each awaits once a turn; all in one file each, so that the engine knows nothing of one from another. */
const LOOPS = {
  "await of a value": "for (let turn = 0; turn < turns; turn++) await turn;",
  "await of a promise": "const ready = Promise.resolve(1); for (let turn = 0; turn < turns; turn++) await ready;",
  "await of an async function": "const give = async (value) => value; for (let turn = 0; turn < turns; turn++) await give(turn);",
  "await of an async function that awaits":
    "const get = async (key) => { const value = await table[key & 7]; return value + 1; }; const table = [1, 2, 3, 4, 5, 6, 7, 8]; " +
    "for (let turn = 0; turn < turns; turn += 2) await get(turn);",
};

/** @param {string} source */
function compile(source) {
  return /** @type {(turns: number) => Promise<void>} */ (runInThisContext(source));
}

/** @param {string} source */
function instrument(source) {
  const transformed = transform(source, { file: "src/bench.js" });
  if (transformed === undefined) throw new Error(`nothing to instrument in ${source}`);
  return transformed.code;
}

/** @param {(turns: number) => Promise<void>} loop */
const nsPerAwait = (loop) => async () => {
  const start = performance.now();
  await loop(AWAITS);
  return ((performance.now() - start) / AWAITS) * 1e6;
};

async function benchAwaits() {
  const rows = [["", "native ns", "instrumented ns", "ratio", "aim"]];
  for (const [name, body] of Object.entries(LOOPS)) {
    const source = `(async (turns) => { ${body} })`;
    const { native = Number.NaN, instrumented = Number.NaN } = await inTurn(
      { native: nsPerAwait(compile(source)), instrumented: nsPerAwait(compile(instrument(source))) },
      ROUNDS,
    );
    rows.push([name, native.toFixed(0), instrumented.toFixed(0), `${(instrumented / native).toFixed(2)}x`, `${AWAIT_AIM}x`]);
  }
  printTable(`An await without a run, median of ${ROUNDS}`, rows);
}

/** A package of 1,000 awaits in 25 files of 10 small classes each, as a store of things may look. */
function syntheticPackage() {
  return Array.from({ length: 25 }, (_, file) => {
    const classes = Array.from({ length: 10 }, (__, number) => {
      const name = `Store${file}x${number}`;
      return `export class ${name} {
  #entries = new Map();
  constructor(client) { this.client = client; }
  async get(key) {
    const known = this.#entries.get(key);
    if (known !== undefined) return await known;
    const value = await this.client.get(\`${name}/\${key}\`);
    this.#entries.set(key, value);
    return value;
  }
  async update(key, change) {
    const before = await this.get(key);
    await this.client.set(key, { ...before, ...change });
  }
}`;
    });
    return { file: `src/store-${file}.js`, code: classes.join("\n\n") };
  });
}

/**
 * The code of an installed package.
 *
 * @param {string} name
 */
function installedPackage(name) {
  const folder = fileURLToPath(new URL(`../node_modules/${name}/`, import.meta.url));
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[cm]?js$/.test(file) && !file.includes("node_modules"))
    .map((file) => ({ file, code: readFileSync(join(folder, file), "utf8") }));
}

/** @param {readonly { readonly file: string, readonly code: string }[]} files */
const transformAll = (files) => async () => {
  const start = performance.now();
  // With its map, as a loader asks for it.
  for (const { file, code } of files) transform(code, { file })?.map;
  return performance.now() - start;
};

async function benchTransform() {
  const packages = {
    "synthetic package": syntheticPackage(),
    "@vitest/runner": installedPackage("@vitest/runner"),
    tinypool: installedPackage("tinypool"),
  };
  const figures = await inTurn(Object.fromEntries(Object.entries(packages).map(([name, files]) => [name, transformAll(files)])), ROUNDS);
  const rows = [["", "awaits", "KiB", "ms", "aim"]];
  for (const [name, files] of Object.entries(packages)) {
    const code = files.map((each) => each.code).join("\n");
    const awaits = code.match(/\bawait\b/g)?.length ?? 0;
    const aim = name.startsWith("synthetic") ? `${TRANSFORM_AIM_MS} ms` : "";
    rows.push([name, String(awaits), (code.length / 1024).toFixed(0), (figures[name] ?? Number.NaN).toFixed(1), aim]);
  }
  printTable(`Instrumenting a package, with source maps, median of ${ROUNDS}`, rows);
}

export async function benchInstrument() {
  await benchAwaits();
  await benchTransform();
}
