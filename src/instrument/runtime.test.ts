/** Programs, as their author wrote them and instrumented: they must do the same at the same moments. */
import { runInThisContext } from "node:vm";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { explore } from "../explore/explore.js";
import { installRuntime } from "./runtime.js";
import { transform } from "./transform.js";

type Program = (log: (entry: unknown) => void, later: (turns: number, value?: unknown) => Promise<unknown>) => Promise<unknown>;

const { compilerOptions } = { compilerOptions: { target: ts.ScriptTarget.ES2022, lib: ["lib.esnext.d.ts"] } };

/** An async function of `log` and `later` with this body. */
function program(body: string, { isInstrumented }: { readonly isInstrumented: boolean }): Program {
  const source = `(async (log, later) => {${body}\n})`;
  const code = isInstrumented ? (transform(source, { file: "src/a.js" })?.code ?? "") : source;
  if (isInstrumented) expect(code).toContain("__heddle_");
  // Node 20 knows no `await using`.
  return runInThisContext(ts.transpile(code, compilerOptions)) as Program;
}

/** Resolves after so many turns of the microtask queue. */
async function later(turns: number, value?: unknown): Promise<unknown> {
  for (let turn = 0; turn < turns; turn++) await null;
  return value;
}

/** What a program logs, among the ticks of a clock that counts turns of the microtask queue, and how it ends. */
async function logOf(main: Program, ticks: number): Promise<readonly unknown[]> {
  const log: unknown[] = [];
  const clock = async (): Promise<void> => {
    for (let tick = 1; tick <= ticks; tick++) {
      await null;
      log.push(`tick ${tick}`);
    }
  };
  const ended = main((entry) => log.push(entry), later).then(
    (value) => log.push({ value }),
    (error: unknown) => log.push({ error: String(error) }),
  );
  await clock();
  await ended;
  return log;
}

const programs: readonly (readonly [title: string, body: string])[] = [
  ["values and promises", "log(await 1); log(await later(2, 'a')); log(await { then: (done) => done('b') }); return await later(1, 'c');"],
  [
    "rejections",
    "try { await Promise.reject(new Error('a')); } catch (error) { log(error.message); } await later(1); await Promise.reject('b');",
  ],
  ["what throws before it is awaited", "try { await (() => { throw 'a'; })(); } catch (error) { log(error); } await null;"],
  [
    "a `constructor` that throws",
    "const odd = Promise.resolve(1); Object.defineProperty(odd, 'constructor', { get() { throw 'a'; } }); await odd;",
  ],
  ["a thenable that throws late", "log(await { then(done) { done('a'); throw 'b'; } }); await { then() { throw 'c'; } };"],
  ["a subclass of Promise", "class Own extends Promise {} log(await Own.resolve(1)); log(await Own.resolve(2).then((x) => x + 1));"],
  [
    "two that run side by side",
    "const work = async (name) => { for (let i = 0; i < 3; i++) { await i; log(name + i); } }; await Promise.all([work('a'), work('b')]);",
  ],
  ["a promise that is returned", "const give = async () => later(2, 'a'); log(await give()); return later(1, 'b');"],
  ["`for await` over values", "for await (const x of [1, later(2, 2), 3]) log(x);"],
  ["`for await` over a rejection", "for await (const x of [1, Promise.reject('a'), 3]) log(x);"],
  [
    "`for await` that breaks",
    "const all = { *[Symbol.iterator]() { try { yield 1; yield 2; } finally { log('closed'); } } }; for await (const x of all) { log(x); break; }",
  ],
  [
    "`for await` over an async iterator",
    "const all = { n: 0, [Symbol.asyncIterator]() { return this; }, async next() { return { value: this.n, done: this.n++ > 2 }; } }; for await (const x of all) log(x);",
  ],
  [
    "`for await` that throws",
    "const all = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1 }), return: async () => (log('closed'), {}) }) }; for await (const x of all) throw x;",
  ],
  [
    "`for await` over what is none",
    "try { for await (const x of 5) log(x); } catch (error) { log(error.name); } for await (const x of undefined) log(x);",
  ],
  [
    "async generators",
    "async function* count() { try { log(yield later(1, 'a')); yield 'b'; return later(1, 'c'); } finally { log('end'); } } const it = count(); log(await it.next()); log(await it.next('x')); log(await it.next()); log(await it.next());",
  ],
  [
    "async generators that are ended",
    "async function* count() { try { yield 1; yield 2; } finally { yield 3; log('end'); } } const it = count(); log(await it.next()); log(await it.return(later(1, 'r'))); log(await it.next()); log(await it.next());",
  ],
  [
    "async generators that are thrown into",
    "async function* count() { for (;;) try { yield; } catch (error) { log(error); return; } } const it = count(); await it.next(); log(await it.throw('a')); await it.throw('b');",
  ],
  [
    "`yield*`",
    "async function* inner() { const got = yield 1; log(got); yield* [2, later(1, 3)]; return 'r'; } async function* outer() { log(yield* inner()); } const it = outer(); log(await it.next()); log(await it.next('x')); for await (const x of it) log(x);",
  ],
  [
    "`yield*` that is ended",
    "async function* inner() { try { yield 1; } finally { log('end'); } } async function* outer() { yield* inner(); } for await (const x of outer()) { log(x); break; }",
  ],
  [
    "`await using`",
    "const made = (name) => ({ async [Symbol.asyncDispose]() { log('closing ' + name); await later(1); log('closed ' + name); } }); { await using a = made('a'), b = made('b'); log('inside'); await null; } log('after');",
  ],
  [
    "`await using` of nothing and of what is synchronous",
    "{ await using a = null, b = { [Symbol.dispose]() { log('b'); } }; log('inside'); } log('after');",
  ],
  [
    "`await using` in a loop",
    "const made = (name) => ({ async [Symbol.asyncDispose]() { log('closed ' + name); } }); for (await using each of [made('a'), made('b'), made('c')]) { log('in'); if (each.skip) continue; await null; } log('after');",
  ],
  [
    "`await using` whose block throws",
    "try { await using a = { async [Symbol.asyncDispose]() { log('closed'); } }; throw 'a'; } catch (error) { log(error); }",
  ],
  [
    "nested awaits",
    "log(await (await later(1, later))(2, 'a')); log([await 1, await 2, { [await 3]: await 4 }]); log(`${await 5}${(await { x: 6 }).x}`);",
  ],
  [
    "class fields, defaults and arrows",
    "class A { b = async (c = later(1, 'd')) => await c; static async *e() { yield* [await 1]; } } log(await new A().b()); for await (const x of A.e()) log(x);",
  ],
];

beforeAll(installRuntime);

describe("instrumented code", () => {
  it.each(programs)("does the same in the same turns of the microtask queue where no run is active: %s", async (_title, body) => {
    const [native, instrumented] = [program(body, { isInstrumented: false }), program(body, { isInstrumented: true })];
    expect(await logOf(instrumented, 40)).toEqual(await logOf(native, 40));
  });

  it.each(programs)("does the same in every order of a run, where there is but one: %s", async (_title, body) => {
    const native = program(body, { isInstrumented: false });
    const instrumented = program(body, { isInstrumented: true });
    if (body.includes("side by side") || body.includes("Promise.all")) return;
    const expected = await logOf(native, 0);
    const outcome = await explore(
      async () => {
        expect(await logOf(instrumented, 0)).toEqual(expected);
      },
      { granularity: "await", seed: 7, runs: 20 },
    );
    expect(outcome.failure?.error).toBe(undefined);
    expect(outcome).toMatchObject({ status: "passed", uncontrolled: undefined });
  });

  it("calls globals that nobody sees in a list and that are put in place once", () => {
    const before = globalThis as { readonly __heddle_await__?: unknown };
    const { __heddle_await__ } = before;
    installRuntime();
    expect((globalThis as typeof before).__heddle_await__).toBe(__heddle_await__);
    expect(Object.keys(globalThis).filter((name) => name.startsWith("__heddle"))).toEqual([]);
  });
});
