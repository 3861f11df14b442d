/**
 * `test`, or `it`, with `test.explore`: vitest's own, and beside it tests that run a scenario in many orders.
 */
import { type TestAPI, type TestContext, test as vitestTest } from "vitest";
import { describeValue, UsageError } from "../errors/errors.js";
import type { ScenarioEnv } from "../explore/scenario-run.js";
import { captureStack } from "../loop/site.js";
import { type Drawing, drawnFrom } from "./arbitraries.js";
import { type ExplorationOptions, type RunnerOptions, splitOptions } from "./explore-options.js";
import type { ExploreTest, HeddleTest, TestName } from "./explore-types.js";
import { parameterOf } from "./parameters.js";
import { DEFAULT_VALUES, type DrawnScenario, propSubject } from "./prop.js";
import { runExploration } from "./run-exploration.js";
import { type Subject, scenarioSubject } from "./subject.js";

/** One of vitest's ways to declare a test: `test`, `test.only`, `test.skip.concurrent` and so on. */
type Chain = TestAPI["only"];

/** A scenario with all its arguments, and what it is called with behind its environment. */
type AnyScenario = (env: ScenarioEnv, ...rest: readonly unknown[]) => unknown;

interface Declaration {
  readonly scenario: AnyScenario | undefined;
  readonly exploration: ExplorationOptions;
  readonly runner: RunnerOptions;
  readonly values: number;
  readonly examples: readonly unknown[];
  /** The stack at the declaration. */
  readonly declared: string;
}

/** The flags that vitest chains, each of which makes another way to declare a test. */
const FLAGS = ["only", "skip", "todo", "fails", "concurrent", "sequential"] as const;

/** Paths in reports are relative to it. A test may change the working folder later. */
const PROJECT = process.cwd();

/**
 * vitest's `test`, or one with fixtures that was made from it, with `explore` added. What `extend` makes of it has `explore`, too.
 *
 * @example
 * import { test as base } from "./fixtures.js";
 * const test = withExplore(base);
 * test.explore("two writers", async ({ io }, { store }) => { … });
 * @since 0.3.0
 */
export function withExplore<Fixtures>(test: TestAPI<Fixtures>): HeddleTest<Fixtures> {
  const explore = exploreOn(test as unknown as Chain); // what is called when it runs does not hang on the fixtures
  return new Proxy(test, {
    get(target, key, receiver): unknown {
      if (key === "explore") return explore;
      const value: unknown = Reflect.get(target, key, receiver);
      if (key !== "extend") return value;
      return (...args: readonly unknown[]): unknown => withExplore((target.extend as (...args: readonly unknown[]) => TestAPI)(...args));
    },
  }) as HeddleTest<Fixtures>; // it answers to one name more
}

/**
 * vitest's `test`, which also explores: `test.explore(name, scenario, options)`.
 *
 * @example
 * import { expect } from "vitest";
 * import { test } from "heddle/vitest";
 *
 * test.explore("a key is loaded once", async ({ io }) => {
 *   const cache = new Cache((key) => io(`load ${key}`));
 *   await Promise.all([cache.get("a"), cache.get("a")]);
 *   expect(cache.loads).toBe(1);
 * });
 * @since 0.3.0
 */
export const test: HeddleTest = withExplore(vitestTest);

function exploreOn(chain: Chain): ExploreTest {
  const explore = (name: TestName, ...args: readonly unknown[]): void => {
    declare(chain, name, declarationOf("test.explore", args), 1, (scenario, context, options) =>
      scenarioSubject((env) => scenario(env, context), options),
    );
  };
  const prop = (arbitraries: unknown) => {
    const drawn = drawnFrom(arbitraries);
    return (name: TestName, ...args: readonly unknown[]): void => {
      const declaration = declarationOf("test.explore.prop", args);
      const { values, examples } = declaration;
      declare(chain, name, declaration, 1 + drawn.parameters, (scenario, context, options) =>
        propSubject({ ...drawn, scenario: spreading(drawn, scenario, context), options, values, examples }),
      );
    };
  };
  Object.assign(explore, {
    prop,
    each: (...cases: readonly unknown[]) => forCases(chain, cases, "each"),
    for: (...cases: readonly unknown[]) => forCases(chain, cases, "for"),
    skipIf: (condition: unknown) => exploreOn(condition ? chain.skip : chain),
    runIf: (condition: unknown) => exploreOn(condition ? chain : chain.skip),
  });
  for (const flag of FLAGS) Object.defineProperty(explore, flag, { get: () => exploreOn(chain[flag]) });
  return explore as unknown as ExploreTest; // all that the type says was added above
}

/** The values of a run as the arguments that the scenario takes. */
function spreading(drawn: Drawing, scenario: AnyScenario, context: TestContext): DrawnScenario {
  return (env, values) => (drawn.isList ? scenario(env, ...(values as readonly unknown[]), context) : scenario(env, values, context));
}

type MakeSubject = (
  scenario: AnyScenario,
  context: TestContext,
  options: ExplorationOptions & { readonly seed: number },
) => Subject | Promise<Subject>;

/** Declares a test whose scenario has its context at `index`. */
function declare(chain: Chain, name: TestName, declaration: Declaration, index: number, makeSubject: MakeSubject): void {
  const { scenario, runner, exploration, declared } = declaration;
  if (scenario === undefined) {
    chain(name, runner);
    return;
  }
  const run = (context: TestContext): Promise<void> =>
    runExploration({
      own: exploration,
      context,
      declared,
      project: PROJECT,
      makeSubject: (options) => makeSubject(scenario, context, options),
    });
  chain(name, runner, withParameters(run, parameterOf(scenario, index) ?? ""));
}

/**
 * Declares a test for each case, through vitest's `for`, which makes their names as its `each` does and hands over the context as well. As
 * in vitest, `each` spreads cases that are all lists, and its function gets no context.
 */
function forCases(chain: Chain, cases: readonly unknown[], way: "each" | "for") {
  const [first] = cases;
  const isTable = Array.isArray(first) && "raw" in first;
  const isSpread = way === "each" && !isTable && Array.isArray(first) && first.every(Array.isArray);
  const declareAll = (chain.for as (...cases: readonly unknown[]) => (name: TestName, options: RunnerOptions, run: unknown) => void)(
    ...cases,
  );
  return (name: TestName, ...args: readonly unknown[]): void => {
    const { scenario, runner, exploration, declared } = declarationOf(`test.explore.${way}`, args);
    if (scenario === undefined) throw new UsageError(`test.explore.${way}: needs a scenario, (env, value) => …`);
    const run = (value: unknown, context: TestContext): Promise<void> => {
      const rest = way === "for" ? [value, context] : isSpread ? (value as readonly unknown[]) : [value];
      const makeSubject = (options: ExplorationOptions & { readonly seed: number }): Subject =>
        scenarioSubject((env) => scenario(env, ...rest), options);
      return runExploration({ own: exploration, context, declared, project: PROJECT, makeSubject });
    };
    const parameter = way === "for" ? parameterOf(scenario, 2) : undefined;
    declareAll(name, runner, withParameters(run, ["value", ...(parameter === undefined ? [] : [parameter])].join(", ")));
  };
}

/** The function, whose source seems to be one with these parameters: vitest reads there which fixtures it is to set up. */
function withParameters<F extends (...args: never) => unknown>(run: F, parameters: string): F {
  return Object.defineProperty(run, "toString", { value: () => `(${parameters}) => {}` });
}

/** What stands behind the name of a test: its scenario, and before or behind it its options, or behind it its time limit. */
function declarationOf(what: string, args: readonly unknown[]): Declaration {
  const declared = captureStack();
  const [second, third] = args;
  const [scenario, options] = typeof second === "function" || second === undefined ? [second, third] : [third, second];
  if (scenario !== undefined && typeof scenario !== "function") {
    throw new UsageError(`${what}: the scenario must be a function, not ${describeValue(scenario)}`);
  }
  if (typeof options === "function") throw new UsageError(`${what}: takes one scenario, and got two functions`);
  const given = typeof options === "number" ? { timeout: options } : (options ?? {});
  if (typeof given !== "object" || Array.isArray(given)) {
    throw new UsageError(`${what}: the options must be an object, or a number of milliseconds, not ${describeValue(options)}`);
  }
  const { values = DEFAULT_VALUES, examples = [], ...others } = given as { readonly values?: unknown; readonly examples?: unknown };
  if (typeof values !== "number" || !Number.isSafeInteger(values) || values < 1) {
    throw new UsageError(`${what}: values must be a whole number, 1 or more, not ${describeValue(values)}`);
  }
  if (!Array.isArray(examples)) throw new UsageError(`${what}: examples must be a list, not ${describeValue(examples)}`);
  return { scenario: scenario as AnyScenario | undefined, declared, values, examples, ...splitOptions(others) };
}
