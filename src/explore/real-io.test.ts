/** Files and sockets inside of a scenario: they work, the run waits for them, and says so. */
import { readFile } from "node:fs";
import { mkdtemp, readFile as read, rm, writeFile } from "node:fs/promises";
import { createServer, get } from "node:http";
import { type AddressInfo, connect, createServer as createEcho } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "./explore.js";
import type { Scenario } from "./scenario-run.js";

const seed = 7;
const ownPath = fileURLToPath(import.meta.url);
const nap = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

const readOwn = (): Promise<string> =>
  new Promise((resolve, reject) => {
    readFile(ownPath, "utf8", (error, text) => {
      if (error === null) resolve(text);
      else reject(error);
    });
  });

/** What a server on the loopback interface answers. */
async function echoed(message: string): Promise<string> {
  const server = createEcho((socket) => socket.pipe(socket));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.end(message));
      let text = "";
      socket.setEncoding("utf8");
      socket.on("data", (chunk: string) => {
        text += chunk;
      });
      socket.on("close", () => {
        resolve(text);
      });
      socket.on("error", reject);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The same over HTTP. */
async function served(path: string): Promise<string> {
  const server = createServer((request, response) => response.end(`you asked for ${request.url ?? ""}`));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => {
          resolve(text);
        });
      }).on("error", reject);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

const works: Readonly<Record<string, () => Promise<void>>> = {
  "a file that is read with a callback": async () => {
    expect(await readOwn()).toContain("a file that is read with a callback");
  },
  "a file that is read with a promise": async () => {
    expect(await read(ownPath, "utf8")).toContain("a file that is read with a promise");
  },
  "a file that is written and read again": async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-real-io-"));
    try {
      await writeFile(join(folder, "written"), "the text");
      expect(await read(join(folder, "written"), "utf8")).toBe("the text");
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  "a file that is not there": async () => {
    await expect(read(`${ownPath}.not`)).rejects.toThrow("ENOENT");
  },
  "a socket on the loopback interface": async () => {
    expect(await echoed("hello")).toBe("hello");
  },
  "a request over HTTP": async () => {
    expect(await served("/path")).toBe("you asked for /path");
  },
};

describe("real I/O inside of a run is waited for", () => {
  test.each(Object.entries(works))("%s", async (_name, work) => {
    const outcome = await explore(work, { seed, runs: 2 });
    expect(outcome.failure?.error).toBeUndefined();
    expect(outcome).toMatchObject({ status: "passed", runs: 2, uncontrolled: { task: "main", timeMs: 0 } });
  });

  test.each(Object.entries(works))("%s, which no timer of the program overtakes, however long it is", async (_name, work) => {
    const log = await inRun(async ({ time }) => {
      const entries: string[] = [];
      const watchdog = setTimeout(() => entries.push("the watchdog fired"), 60_000);
      await work();
      entries.push(`done at ${time() < 60_000 ? "once" : String(time())}`);
      clearTimeout(watchdog);
      return entries;
    });
    expect(log).toEqual(["done at once"]);
  });

  test("what goes on behind it is virtual again", async () => {
    const seen = await inRun(async () => {
      await readOwn();
      const before = Date.now();
      await nap(3_600_000);
      await readOwn();
      return [Date.now() - before, new Date(before).getUTCFullYear()];
    });
    expect(seen).toEqual([3_600_000, 2024]);
  });

  test("a failure behind it is told, and marked as uncontrolled", async () => {
    const scenario: Scenario = async ({ gather }) => {
      await readOwn();
      let total = 0;
      const add = async (): Promise<void> => {
        const before = total;
        await nap(1);
        total = before + 1;
      };
      await gather(add, add);
      if (total !== 2) throw new Error(`counted ${total}`);
    };
    const { status, failure, uncontrolled } = await explore(scenario, { seed, runs: 5 });
    expect({ status, kind: failure?.kind, error: failure?.error }).toEqual({
      status: "failed",
      kind: "error",
      error: new Error("counted 1"),
    });
    expect(uncontrolled).toMatchObject({ task: "main" });
  });

  test("a scenario without any is not marked", async () => {
    const outcome = await explore(() => Promise.all([nap(5), nap(50)]), { seed, runs: 5 });
    expect(outcome.uncontrolled).toBeUndefined();
  });

  test("what is under way is named", async () => {
    const { uncontrolled } = await explore(
      async () => {
        const watchdog = setTimeout(() => undefined, 60_000);
        await readOwn();
        clearTimeout(watchdog);
      },
      { seed, runs: 1 },
    );
    expect(uncontrolled?.resource).toMatch(/^FSReq/);
  });

  test("a server that goes on listening keeps no run from its end, and no timer from its time", async () => {
    const server = createEcho();
    const { status } = await explore(
      async () => {
        if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        await nap(3_600_000);
      },
      { seed, runs: 3, selfCheck: false },
    );
    expect(status).toBe("passed");
    await new Promise((resolve) => server.close(resolve));
  });
});
