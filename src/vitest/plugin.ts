/**
 * The plug-in for vite.config and vitest.config. It loads heddle before every test file, and instruments code for explorations at the await grain.
 *
 * This is an entry of its own because a configuration must not load what `heddle/vitest` offers to tests: vitest's `test` works in a worker only.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin, ViteUserConfig } from "vitest/config";
import { describeValue, UsageError } from "../errors/errors.js";
import { requirePackages, selectedFile } from "../instrument/selection.js";
import { transform } from "../instrument/transform.js";

export interface HeddlePluginOptions {
  /**
   * Which code gets scheduling points for `granularity: "await"`: true for the user's own, or the packages whose code gets them as well. vitest is
   * told to inline these, which it must to transform them. Default: none.
   */
  readonly instrument?: boolean | readonly string[];
}

/** The setup file beside this one, which is TypeScript in heddle's own repository. */
const SETUP_FILE = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./setup.ts" : "./setup.js", import.meta.url));

/**
 * Loads heddle before what is tested, and instruments what is asked for.
 *
 * Throws UsageError for an option that is none, and, when the configuration is read, for a package that is not installed.
 *
 * @example
 * // vitest.config.ts
 * import { heddle } from "heddle/vitest/plugin";
 * import { defineConfig } from "vitest/config";
 *
 * export default defineConfig({ plugins: [heddle({ instrument: ["p-queue"] })] });
 * @since 0.3.0
 */
export function heddle(options: HeddlePluginOptions = {}): Plugin {
  const { instrument = false } = requirePluginOptions(options);
  const packages = typeof instrument === "boolean" ? [] : instrument;
  let folder = "";
  return {
    name: "heddle",
    // Before TypeScript is stripped and `await using` is rewritten, so that places are those of the source.
    enforce: "pre",
    config(config: ViteUserConfig) {
      folder = resolve(config.root ?? ".");
      requirePackages(packages, folder, "heddle: instrument");
      const test = (config.test ??= {});
      // Changed in place, because what a plug-in answers comes behind what is there, and this must be the first.
      test.setupFiles = [SETUP_FILE, ...[test.setupFiles ?? []].flat()];
      if (packages.length > 0) inline(test, packages);
    },
    configResolved({ root }) {
      folder = root;
    },
    transform(code, id) {
      // Neither what another plug-in has made up nor what was asked for as a text.
      if (instrument === false || id.startsWith("\0") || /[?&](raw|url|inline)\b/.test(id)) return undefined;
      const file = selectedFile(id.replace(/[?#].*$/, ""), { packages, folder });
      if (file === undefined) return undefined;
      const transformed = transform(code, { file });
      return transformed && { code: transformed.code, map: transformed.map };
    },
  };
}

type TestConfig = NonNullable<ViteUserConfig["test"]>;

function inline(test: TestConfig, packages: readonly string[]): void {
  const deps = ((test.server ??= {}).deps ??= {});
  if (deps.inline !== true) deps.inline = [...(deps.inline ?? []), ...packages];
}

function requirePluginOptions(options: HeddlePluginOptions): HeddlePluginOptions {
  if (typeof options !== "object" || (options as unknown) === null) {
    throw new UsageError(`heddle: options must be an object, not ${describeValue(options)}`);
  }
  const unknown = Object.keys(options).find((name) => name !== "instrument");
  if (unknown !== undefined) throw new UsageError(`heddle: ${unknown} is no option; there is instrument`);
  const { instrument = false } = options;
  if (typeof instrument === "boolean" || Array.isArray(instrument)) return options;
  throw new UsageError(`heddle: instrument must be true, false or a list of packages, not ${describeValue(instrument)}`);
}
