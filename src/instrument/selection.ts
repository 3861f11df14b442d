/**
 * What is instrumented: the code of the user, which is whatever does not lie in a `node_modules`, and the packages that he names.
 */
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../errors/errors.js";

export interface Selection {
  /** Names of packages, as they are imported. */
  readonly packages: readonly string[];
  /** The folder of the project, absolute: sites are relative to it. */
  readonly folder: string;
}

/** heddle's own code must never ask the scheduler. */
const OWN_FOLDER = asSlashes(fileURLToPath(new URL("..", import.meta.url)));

/** What may hold JavaScript; a script without an ending may. */
const CODE = /(\.[cm]?[jt]sx?|\/[^./]+)$/;
const DECLARATIONS = /\.d\.[cm]?ts$/;

/** How sites name the file at the absolute `path`; undefined where it is left as it is. */
export function selectedFile(path: string, { packages, folder }: Selection): string | undefined {
  const file = asSlashes(path);
  if (!CODE.test(file) || DECLARATIONS.test(file)) return undefined;
  if (file.startsWith(OWN_FOLDER) && !/\.test\.[cm]?[jt]s$/.test(file)) return undefined;
  const name = packageOf(file);
  if (name !== undefined && !packages.includes(name)) return undefined;
  const root = asSlashes(folder.endsWith(sep) ? folder : `${folder}${sep}`);
  // As in every report: of what lies outside, the file and its folder.
  return file.startsWith(root) ? file.slice(root.length) : file.split("/").slice(-2).join("/");
}

/** The folder after the innermost `node_modules`, which is what the package is imported as; undefined where there is none. */
function packageOf(file: string): string | undefined {
  const [, inside] = /^.*\/node_modules\/(.*)$/.exec(file) ?? [];
  return inside && /^(@[^/]+\/)?[^/]+/.exec(inside)?.[0];
}

function asSlashes(path: string): string {
  return path.replaceAll("\\", "/");
}

/** Throws UsageError, which names `what`, for packages that are not installed for the project in `folder`. */
export function requirePackages(packages: readonly string[], folder: string, what: string): void {
  for (const name of packages) {
    if (typeof name !== "string" || !/^(@[^/\s@]+\/)?[^/\s@.][^/\s]*$/.test(name)) {
      throw new UsageError(`${what}: ${JSON.stringify(name)} is no name of a package`);
    }
    if (!isInstalled(name, folder)) {
      throw new UsageError(
        `${what}: the package ${JSON.stringify(name)} is not installed: there is no node_modules/${name} in ${folder} or above it`,
      );
    }
  }
}

function isInstalled(name: string, folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    // pnpm keeps there what only other packages depend on.
    if (["node_modules", "node_modules/.pnpm/node_modules"].some((home) => existsSync(join(at, home, name)))) return true;
    if (dirname(at) === at) return false;
  }
}
