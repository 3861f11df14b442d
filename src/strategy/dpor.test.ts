import { expect, test } from "vitest";
import { counter, deadlock01, fourTasks, lastzero, readers, reorder, twostage } from "../../fixtures/search/programs.js";
import { explore } from "../explore/explore.js";
import type { ScenarioEnv } from "../explore/scenario-run.js";
import { noteMade, noteRead, noteWrite } from "../loop/footprint.js";
import { dpor } from "./dpor.js";
import { exhaustive } from "./exhaustive.js";

const shared = <T extends object>(target: T): T => {
  noteMade(target);
  return new Proxy(target, {
    get: (object, key) => {
      if (typeof key === "string" && key !== "length" && key !== "join") noteRead(object, key);
      return Reflect.get(object, key);
    },
    set: (object, key, value) => {
      noteWrite(object, key);
      return Reflect.set(object, key, value);
    },
  });
};
const tracked = (program: { scenario: (env: ScenarioEnv) => unknown }) => process.env["HAND"] === undefined ? program.scenario :
(env: ScenarioEnv) => program.scenario(Object.create(env, { shared: { value: shared } }) as ScenarioEnv);

test.each([readers(2), readers(4), readers(7), lastzero(2), lastzero(3), lastzero(5), lastzero(7), lastzero(10), counter(2, 1), counter(3, 1), counter(4, 1), counter(2,2), fourTasks(), deadlock01(), twostage(), reorder(3)])("$name", async (program) => {
  const t = performance.now();
  const o = await explore(tracked(program), { strategy: dpor(), stopOnFailure: false, minimise: false, seed: 7 });
  const ms = performance.now() - t;
  const { runs, classes, failures, complete, untracked } = o;
  console.log(program.name, JSON.stringify({ runs, classes, failures, complete, untracked, ms: Math.round(ms) }), JSON.stringify(program.expected), o.failure ? String(o.failure.error).slice(0,300) : "");
});
