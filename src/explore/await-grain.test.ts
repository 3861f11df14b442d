import { afterEach, describe, expect, it } from "vitest";
import { transform } from "../instrument/transform.js";
import { installRuntime } from "../instrument/runtime.js";
import { explore } from "./explore.js";
import type { ExploreOptions } from "./options.js";
import type { Scenario, ScenarioEnv } from "./scenario-run.js";

installRuntime();

/** The scenario that stands in the text as a function body, instrumented. */
function instrumented(body: string): Scenario {
  const code = transform(`export const scenario = async ({ io, sleep, createTask, gather, env }) => {${body}\n};`, { file: "src/a.js" })?.code ?? "";
  const factory = new Function(`${code.replace("export const scenario =", "return")}`) as () => (env: object) => unknown;
  const scenario = factory();
  return (env: ScenarioEnv) => scenario({ io: env.io, sleep: env.sleep, createTask: env.createTask, gather: env.gather, env });
}

const AWAIT: ExploreOptions = { granularity: "await", seed: 7 };

/** How many orders a program has, once each of them was run. */
async function countOrders(scenario: Scenario): Promise<number> {
  const outcome = await explore(scenario, { ...AWAIT, strategy: "exhaustive" });
  expect(outcome).toMatchObject({ status: "passed", complete: true, runs: outcome.distinct });
  return outcome.runs;
}

const { then, finally: lastly } = Promise.prototype;

afterEach(() => {
  expect(Promise.prototype.then).toBe(then);
  expect(Promise.prototype.finally).toBe(lastly);
});

describe("the await grain", () => {
  it.each([
    [1, 2, 1],
    [2, 1, 2],
    [2, 2, 6], // 4! / (2! 2!)
    [3, 1, 6],
    [3, 2, 90], // 6! / 2!^3
    [2, 4, 70],
  ])("has each order of %i functions with %i awaits once: %i", async (functions, awaits, orders) => {
    const scenario = instrumented(`
      const work = async () => { for (let turn = 0; turn < ${awaits}; turn++) await null; };
      const all = Promise.all(Array.from({ length: ${functions} }, work));
      return all;`);
    expect(await countOrders(scenario)).toBe(orders);
  });

  it.each([
    [1, 2, 1],
    [2, 2, 6],
    [3, 2, 90],
  ])("has each order of %i chains of %i callbacks once: %i", async (chains, callbacks, orders) => {
    const scenario: Scenario = () => {
      const chain = (): Promise<unknown> => {
        let promise: Promise<unknown> = Promise.resolve();
        for (let turn = 0; turn < callbacks; turn++) promise = promise.then(() => turn);
        return promise;
      };
      return Promise.all(Array.from({ length: chains }, chain));
    };
    expect(await countOrders(scenario)).toBe(orders);
  });

  it("is the language's own order where the first is always taken", async () => {
    const log: string[] = [];
    const scenario = instrumented(`
      const work = async (name) => { for (let turn = 0; turn < 3; turn++) { await turn; env.log.push(name + turn); } };
      await Promise.all([work("a"), work("b"), Promise.resolve().then(() => env.log.push("then"))]);
      env.log.push("end");`);
    const logging: Scenario = (env) => scenario(Object.create(env, { log: { value: log }, io: { value: env.io } }) as ScenarioEnv);
    await explore(logging, { runs: 1, strategy: "fifo", selfCheck: false });
    const native = log.splice(0);
    await explore(logging, { ...AWAIT, runs: 1, strategy: "fifo", selfCheck: false });
    expect(native).toEqual(["a0", "b0", "then", "a1", "b1", "a2", "b2", "end"]);
    expect(log).toEqual(native);
  });
});
