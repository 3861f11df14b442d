/** Running a program on CPython's asyncio, which is the peer of what asyncio has too. */
import { spawnSync } from "node:child_process";

/**
 * What `main` answers, as a number; NaN where there is no Python. The program imports asyncio and time, defines `main`, and measures itself,
 * so that neither the start of the interpreter nor that of its loop counts.
 *
 * @param {string} program defines `async def main()`, which returns nanoseconds
 */
export function runPython(program) {
  const { stdout, status } = spawnSync("python3", ["-c", `import asyncio, time\n${program}\nprint(asyncio.run(main()))`], {
    encoding: "utf8",
  });
  return status === 0 ? Number(stdout) : Number.NaN;
}
