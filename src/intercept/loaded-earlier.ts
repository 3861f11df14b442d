/**
 * Packages that were loaded before heddle may have kept the platform's own timers, out of reach of the scheduler. CommonJS tells which
 * were; of ES modules nobody does.
 */
import { builtin } from "./builtin.js";

interface FileSystem {
  readFileSync(path: string, encoding: "utf8"): string;
}

interface HostProcess {
  cwd(): string;
  emitWarning(message: string, options: { readonly type: string; readonly code: string }): void;
}

/** So many are named at most. */
const MAX_NAMED = 5;

/** Runs tests and is not tested itself. */
const RUNNERS = /^(@?vitest|@?jest|mocha|ava|tap|chai|sinon|typescript|ts-node|tsx|@swc|esbuild|vite|heddle)\b/;

/** Warns once, where there is one to be named. */
export function warnOfPackagesLoadedEarlier(): void {
  const { process } = globalThis as unknown as { readonly process?: Partial<HostProcess> };
  if (typeof process?.emitWarning !== "function" || typeof process.cwd !== "function") return;
  const names = packagesLoadedEarlier(process.cwd());
  if (names.length === 0) return;
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  process.emitWarning(
    `heddle was imported after ${names.slice(0, MAX_NAMED).join(", ")}${more}, which use timers and may have kept the real ones: ` +
      "the scheduler does not reach those. Import heddle first, by its vitest plugin or with `node --import heddle/register`.",
    { type: "HeddleWarning", code: "HEDDLE_LOADED_LATE" },
  );
}

/** The dependencies of the project that CommonJS has loaded and whose files name a timer, in the order in which they were loaded. */
function packagesLoadedEarlier(project: string): readonly string[] {
  const cache = (builtin("module") as { readonly _cache?: Readonly<Record<string, unknown>> } | undefined)?._cache ?? {};
  const fs = builtin("fs") as FileSystem | undefined;
  const files = Object.keys(cache).flatMap((file) => {
    const name = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file)?.[1]?.replace("\\", "/");
    return name === undefined || RUNNERS.test(name) ? [] : [{ file, name }];
  });
  if (files.length === 0 || fs === undefined) return [];
  const dependencies = dependenciesOf(project, fs);
  const found = files.filter(({ file, name }) => dependencies.has(name) && /\bset(?:Timeout|Interval|Immediate)\b/.test(read(file, fs)));
  return [...new Set(found.map(({ name }) => name))];
}

/** What the project has asked for itself; what comes along with it is loaded by it. */
function dependenciesOf(project: string, fs: FileSystem): ReadonlySet<string> {
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(read(`${project}/package.json`, fs)) as {
      readonly dependencies?: object;
      readonly devDependencies?: object;
    };
    return new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
  } catch {
    return new Set(); // no project that could be told of
  }
}

function read(file: string, fs: FileSystem): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return ""; // was removed since
  }
}
