import { AsyncLocalStorage } from "node:async_hooks";
import { runInThisContext } from "node:vm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../errors/errors.js";
import { installRuntime } from "../instrument/runtime.js";
import { transform } from "../instrument/transform.js";
import { takeOverReactions } from "../intercept/reactions.js";
import { renderOutcome } from "../report/outcome-text.js";
import { decodeSchedule } from "../schedule/token.js";
import { explore, replay } from "./explore.js";
import type { ExploreOptions } from "./options.js";
import type { Scenario } from "./scenario-run.js";

/** A scenario whose text has been instrumented. It can use `env`, and `log`, a list that the caller may look at. */
function instrumented(body: string, log: unknown[] = []): Scenario {
  const code = transform(`(log) => async (env) => {${body}\n}`, { file: "src/a.js" })?.code ?? "";
  const make = runInThisContext(code) as (log: unknown[]) => Scenario;
  return make(log);
}

const AWAIT: ExploreOptions = { granularity: "await", seed: 7 };

/** How many orders a program has, once each of them was run. */
async function countOrders(scenario: Scenario): Promise<number> {
  const outcome = await explore(scenario, { ...AWAIT, strategy: "exhaustive" });
  expect(outcome).toMatchObject({ status: "passed", complete: true, runs: outcome.distinct });
  return outcome.runs;
}

/** Loads that are asked for in the same turns go out together, or so its author thinks. */
const BATCHING = `
  class Loader {
    batches = [];
    #keys = [];
    load(key) {
      if (this.#keys.length === 0) void this.#dispatch();
      this.#keys.push(key);
      return key;
    }
    async #dispatch() {
      await null;
      await null; // by then all of them have asked
      this.batches.push(this.#keys);
      this.#keys = [];
    }
  }
  const loader = new Loader();
  const session = Promise.resolve({ user: 7 });
  const page = async () => loader.load("page");
  const user = async () => {
    const { user } = await session;
    return loader.load("user " + user);
  };
  await Promise.all([page(), user()]);
  await env.io("the rest");
  if (loader.batches.length !== 1) throw new Error("there are " + loader.batches.length + " batches");`;

const methods = Object.getOwnPropertyDescriptors(Promise.prototype);

beforeAll(installRuntime);

afterEach(() => {
  expect(Object.getOwnPropertyDescriptors(Promise.prototype)).toEqual(methods);
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
      return Promise.all(Array.from({ length: ${functions} }, work));`);
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

  it("counts an await of the loop's own once, as at the event grain", async () => {
    const body = `
      const work = async () => { await env.sleep(0); await env.sleep(0); };
      await env.gather(work, work);`;
    const atEventGrain = await explore(instrumented(body), { seed: 7, strategy: "exhaustive" });
    expect(await countOrders(instrumented(body))).toBe(atEventGrain.runs);
  });

  it("goes through `for await`, async generators and `finally`, each a scheduling point", async () => {
    // Two sides of which each has two points: the answer of the iterator, and that it is through.
    expect(
      await countOrders(instrumented("const go = async () => { for await (const x of [1]); }; await Promise.all([go(), go()]);")),
    ).toBe(6);
    // What is yielded, and the end of it, which is asked for and answered in one step.
    const counted = "const go = async () => { const it = (async function* () { yield 1; })(); return it.next(); };";
    expect(await countOrders(instrumented(`${counted} await Promise.all([go(), go()]);`))).toBe(2);
    const scenario: Scenario = () => Promise.all([1, 2, 3].map((each) => Promise.resolve(each).finally(() => undefined)));
    expect(await countOrders(scenario)).toBe(6);
  });

  it("is the language's own order where the first is always taken", async () => {
    const log: string[] = [];
    const scenario = instrumented(
      `
      const work = async (name) => { for (let turn = 0; turn < 3; turn++) { await turn; log.push(name + turn); } };
      await Promise.all([work("a"), work("b"), Promise.resolve().then(() => log.push("then"))]);
      log.push("end");`,
      log,
    );
    await explore(scenario, { runs: 1, strategy: "fifo", selfCheck: false });
    const native = log.splice(0);
    await explore(scenario, { ...AWAIT, runs: 1, strategy: "fifo", selfCheck: false });
    expect(native).toEqual(["a0", "b0", "then", "a1", "b1", "a2", "b2", "end"]);
    expect(log).toEqual(native);
  });

  it("finds what hangs on the number of microtask turns, and says that the event grain does not have it", async () => {
    const scenario = instrumented(BATCHING);
    expect(await explore(scenario, { seed: 7 })).toMatchObject({ status: "passed", runs: 1000 });
    const outcome = await explore(scenario, AWAIT);
    expect(outcome.failure).toMatchObject({ kind: "error", granularity: "await" });
    expect(renderOutcome(outcome)).toMatchInlineSnapshot(`
      "FAILED: 1 of 2 runs, strategy portfolio, seed 7

        Error: there are 2 batches

      The smallest order found that fails, one column a task:
              main                                src/a.js:11:7     src/a.js:12:7     src/a.js:21:22  src/a.js:24:3  the rest  src/a.js:25:3
        t=0   begin
                                                  goes on
                                                                    goes on
                                                                                      goes on
                                                  goes on (time 2)
                                                                                                      goes on
                                                                    goes on (time 2)
                                                                                                                     settles
                                                                                                                               goes on
              finish ! Error: there are 2 batch…

      Made small in 9 reruns:
        before  0 switches between tasks, 4 times I/O or an await out of its order of arrival, 5 steps (run 1, the first that failed)
        after   0 switches between tasks, 1 time I/O or an await out of its order of arrival, 9 steps

      What the order is about:
        only at the await grain (none of 1000 runs at the event grain failed): it hangs on the number of microtask turns
        order violation: await src/a.js:12:7 runs before await src/a.js:21:22
        passes if await src/a.js:12:7 runs after await src/a.js:21:22
        passes if await src/a.js:12:7 (time 2) runs after await src/a.js:25:3

      Covered: 2 different schedules
      New schedules in the last 1,000 runs: 2; chance that the next run shows one (Good-Turing): 100 %
      Replay it: await replay(scenario, "hd1.AQcACQVzbWFpbgJzMQ5zc3JjL2EuanM6MTE6Nw9zc3JjL2EuanM6MjE6MjIOc3NyYy9hLmpzOjEyOjcCczIOc3NyYy9hLmpzOjI0OjMJc3RoZSByZXN0DnNzcmMvYS5qczoyNTozCQABAAEAAAICAQMBAAABBAEBAAAAAAICBQYBAAABBAUAAAEHAQAAAAAAAQgBAJ9zGwU")"
    `);
  });

  it("makes the same runs, tokens and reports from the same seed, and replays them", async () => {
    const scenario = instrumented(BATCHING);
    const [one, two] = [await explore(scenario, AWAIT), await explore(scenario, AWAIT)];
    expect(renderOutcome(two)).toBe(renderOutcome(one));
    expect(two.failure?.trace).toEqual(one.failure?.trace);
    const token = one.failure?.schedule ?? "";
    expect(decodeSchedule(token).granularity).toBe("await");
    const again = await replay(scenario, token);
    expect(again.failure).toMatchObject({ kind: "error", granularity: "await", schedule: token, original: token });
    expect(again.failure?.trace).toEqual(one.failure?.trace);
    expect((await replay(scenario, one.failure?.original ?? "")).failure?.kind).toBe("error");
  });

  it("diverges where the code is not instrumented that was", async () => {
    const { failure } = await explore(instrumented(BATCHING), AWAIT);
    const bare = runInThisContext(`async (env) => {${BATCHING}\n}`) as Scenario;
    expect((await replay(bare, failure?.schedule ?? "")).failure?.kind).toBe("divergence");
  });

  it("takes a failure to the event grain where events alone show it, too", async () => {
    const scenario = instrumented(`
      let balance = 100;
      const withdraw = async (name, amount) => {
        const before = balance;
        await env.io(name);
        await null;
        balance = before - amount;
      };
      await Promise.all([withdraw("rent", 10), withdraw("food", 20)]);
      if (balance !== 70) throw new Error("the balance is " + balance);`);
    const { failure } = await explore(scenario, AWAIT);
    expect(failure?.granularity).toBe("event");
    expect(failure?.explanation[0]).toBe("also at the event grain: it can happen in production as it is");
    expect(decodeSchedule(failure?.schedule ?? "").granularity).toBe("event");
    expect(decodeSchedule(failure?.original ?? "").granularity).toBe("await");
    for (const token of [failure?.schedule, failure?.original]) expect((await replay(scenario, token ?? "")).status).toBe("failed");
  });

  it("says so where no order at the event grain fails", async () => {
    const { failure } = await explore(instrumented(BATCHING), { ...AWAIT, strategy: "exhaustive" });
    expect(failure?.explanation[0]).toBe(
      "only at the await grain (no order at the event grain fails): it hangs on the number of microtask turns",
    );
  });

  it("reaches code that was compiled to generators, as TypeScript does", async () => {
    const awaiter = (generator: Generator<unknown, unknown>): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const adopt = (value: unknown): Promise<unknown> => (value instanceof Promise ? value : new Promise((settle) => settle(value)));
        const fulfilled = (value: unknown): void => {
          try {
            step(generator.next(value));
          } catch (error) {
            reject(error);
          }
        };
        const rejected = (error: unknown): void => {
          try {
            step(generator.throw(error));
          } catch (another) {
            reject(another);
          }
        };
        const step = (result: IteratorResult<unknown, unknown>): void => {
          if (result.done === true) resolve(result.value);
          else void adopt(result.value).then(fulfilled, rejected);
        };
        step(generator.next());
      });
    const scenario: Scenario = async () => {
      let count = 0;
      const add = (turns: number): Promise<unknown> =>
        awaiter(
          (function* () {
            for (let turn = 0; turn < turns; turn++) yield null;
            const before = count;
            yield null;
            count = before + 1;
          })(),
        );
      // They never meet, as long as three turns are more than two.
      await Promise.all([add(0), add(3)]);
      if (count !== 2) throw new Error(`the count is ${count}`);
    };
    await expect(explore(scenario, { seed: 7 })).rejects.toThrow(
      'where microtasks are all that it waits for, granularity "await" permutes them',
    );
    const { failure } = await explore(scenario, AWAIT);
    expect(failure?.error).toMatchObject({ message: "the count is 1" });
    expect(failure?.granularity).toBe("await");
    expect(failure?.trace.map(({ task, op, site }) => `${task} ${op} ${site?.split(":")[0]}`)).toEqual(
      expect.arrayContaining(["then(fulfilled) 1 src/explore/await-grain.test.ts"]),
    );
  });

  it("blames nobody for a rejection that is handled some awaits later, and does for one that never is", async () => {
    const handled =
      "const doomed = Promise.reject(new Error('late')); await null; await null; await doomed.catch(() => log.push('handled'));";
    const log: unknown[] = [];
    expect(await explore(instrumented(handled, log), { ...AWAIT, runs: 20 })).toMatchObject({ status: "passed" });
    expect(log).toHaveLength(21); // with the run that checks the first
    const { failure } = await explore(instrumented("void Promise.reject(new Error('never')); await null;"), AWAIT);
    expect(failure).toMatchObject({ kind: "unhandledRejection", error: { message: "never" } });
    const chained: Scenario = () => void Promise.resolve().then(() => Promise.reject(new Error("at the end of a chain")));
    expect((await explore(chained, AWAIT)).failure).toMatchObject({
      kind: "unhandledRejection",
      error: { message: "at the end of a chain" },
    });
  });

  it("keeps the context of whoever gave the callback", async () => {
    const storage = new AsyncLocalStorage<string>();
    const scenario: Scenario = async () => {
      const seen = await Promise.all(
        ["a", "b"].map((name) =>
          storage.run(name, () =>
            Promise.resolve()
              .then(() => storage.getStore())
              .finally(() => undefined),
          ),
        ),
      );
      expect(seen).toEqual(["a", "b"]);
    };
    expect(await countOrders(scenario)).toBe(6 * 1);
  });

  it("makes promises of the class of the promise, and settles them as the language does", async () => {
    class Own<T> extends Promise<T> {}
    const scenario: Scenario = async () => {
      const own = Own.resolve(1).then((value) => value + 1);
      expect(own).toBeInstanceOf(Own);
      expect(await own).toBe(2);
      expect(await Promise.resolve(1).then((value) => Promise.resolve(value + 1))).toBe(2);
      await expect(Promise.reject(new Error("a")).finally(() => 3)).rejects.toThrow("a");
      expect(await Promise.resolve(1).finally(() => 3)).toBe(1);
      await expect(
        Promise.resolve(1).then(() => {
          throw new Error("b");
        }),
      ).rejects.toThrow("b");
      expect(await Promise.resolve(1).then(undefined)).toBe(1);
    };
    expect((await explore(scenario, { ...AWAIT, runs: 5 })).failure?.error).toBe(undefined);
  });

  it("leaves promises as they were after a scenario that throws, hangs or is aborted", async () => {
    const waiting: Scenario = () => new Promise(() => undefined);
    expect((await explore(waiting, { ...AWAIT, runs: 1, idleGraceMs: 1 })).failure?.kind).toBe("deadlock");
    await explore(() => Promise.reject(new Error("a")), { ...AWAIT, runs: 1 });
    await explore(() => undefined, { ...AWAIT, signal: AbortSignal.abort() });
  });

  it("lets nothing go on that a run has left behind", async () => {
    const log: unknown[] = [];
    let finish: (value?: unknown) => void = () => undefined;
    const late = new Promise((resolve) => {
      finish = resolve;
    });
    const leave = instrumented(
      "return async (late) => { void late.then(() => log.push('called')); await late; log.push('gone on'); };",
      log,
    );
    const scenario: Scenario = async (env) => {
      const left = (await leave(env)) as (promise: Promise<unknown>) => Promise<void>;
      void left(late);
      log.push("begin");
    };
    await explore(scenario, { ...AWAIT, runs: 3, selfCheck: false });
    finish();
    await late;
    await new Promise(setImmediate);
    expect(log).toEqual(["begin", "begin", "begin"]);
  });

  it("refuses to take over promises that are frozen, with the reason, and leaves all as it was", () => {
    const own = Object.getOwnPropertyDescriptor(Promise.prototype, "finally")!;
    Reflect.defineProperty(Promise.prototype, "finally", { ...own, value: undefined });
    try {
      expect(takeOverReactions).toThrow(UsageError);
      expect(takeOverReactions).toThrowErrorMatchingInlineSnapshot(
        `[UsageError: explore: granularity "await" takes over Promise.prototype.finally, which is frozen here. Usually something like a sandbox has frozen it: explore before that, or with granularity "event".]`,
      );
    } finally {
      Reflect.defineProperty(Promise.prototype, "finally", own);
    }
  });

  it("refuses a granularity that there is not", async () => {
    const granularity = "turn" as "await";
    await expect(explore(() => undefined, { granularity })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UsageError: explore: granularity must be "event" or "await", not "turn"]`,
    );
  });
});
