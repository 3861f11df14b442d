/**
 * The types of `test.explore` and of all that hangs on it.
 */
import type * as fc from "fast-check";
import type { TestAPI, TestContext } from "vitest";
import type { ScenarioEnv } from "../explore/scenario-run.js";
import type { ExploreTestOptions } from "./explore-options.js";

/** The name of a test; of a function or a class, its own. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as vitest has it: a class is one, too
export type TestName = string | Function;

/** What a test hands to its scenario: vitest's context, with the fixtures that the scenario takes out of it by name. */
export type ScenarioContext<Fixtures = object> = TestContext & Fixtures;

/** A scenario of a test. It is called in every run anew; its context is the same in all of them. */
export type TestScenario<Fixtures = object> = (env: ScenarioEnv, context: ScenarioContext<Fixtures>) => unknown;

/**
 * Declares a test whose function takes `Arguments`. The options may stand before the function, as in vitest, or behind it; a number behind it is
 * the time limit in milliseconds.
 */
export interface Declare<Arguments extends readonly unknown[], Options = ExploreTestOptions> {
  (name: TestName, scenario?: (...args: Arguments) => unknown, options?: Options | number): void;
  (name: TestName, options: Options, scenario: (...args: Arguments) => unknown): void;
}

/** Options of a test with drawn values. */
export interface PropOptions<Values = unknown> extends ExploreTestOptions {
  /** How many values are drawn at most; the `runs` are shared among them. Default 100. */
  readonly values?: number;
  /** Values that are tried before any is drawn. */
  readonly examples?: readonly Values[];
}

/** Declares a test with values that fast-check draws: each an argument of its own, or all in one object. */
export interface DeclareProp<Fixtures = object> {
  <Values extends readonly [unknown, ...(readonly unknown[])]>(
    arbitraries: { readonly [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  ): Declare<[env: ScenarioEnv, ...values: Values, context: ScenarioContext<Fixtures>], PropOptions<Values>>;
  <Values extends Readonly<Record<string, unknown>>>(
    arbitraries: { readonly [Name in keyof Values]: fc.Arbitrary<Values[Name]> },
  ): Declare<[env: ScenarioEnv, values: Values, context: ScenarioContext<Fixtures>], PropOptions<Values>>;
}

/** A row of a table that is written as a template: what its columns hold is known to its author alone. */
// biome-ignore lint/suspicious/noExplicitAny: see above
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in vitest, a test must be able to use what a column holds
export type TableRow = Readonly<Record<string, any>>;

/** Declares a test for each of several cases. Cases that are all lists are spread over the arguments. */
export interface DeclareEach {
  <Case extends readonly [unknown, ...(readonly unknown[])]>(cases: readonly Case[]): Declare<[env: ScenarioEnv, ...values: Case]>;
  <Case>(cases: readonly Case[]): Declare<[env: ScenarioEnv, value: Case]>;
  (table: TemplateStringsArray, ...values: readonly unknown[]): Declare<[env: ScenarioEnv, value: TableRow]>;
}

/** Declares a test for each of several cases, which are handed over as they are, and the context with them. */
export interface DeclareFor<Fixtures = object> {
  <Case>(cases: readonly Case[]): Declare<[env: ScenarioEnv, value: Case, context: ScenarioContext<Fixtures>]>;
  (
    table: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Declare<[env: ScenarioEnv, value: TableRow, context: ScenarioContext<Fixtures>]>;
}

/** `test.explore`. */
export interface ExploreTest<Fixtures = object> extends Declare<[env: ScenarioEnv, context: ScenarioContext<Fixtures>]> {
  readonly only: ExploreTest<Fixtures>;
  readonly skip: ExploreTest<Fixtures>;
  readonly todo: ExploreTest<Fixtures>;
  /** Passes when an order is found that fails. */
  readonly fails: ExploreTest<Fixtures>;
  readonly concurrent: ExploreTest<Fixtures>;
  readonly sequential: ExploreTest<Fixtures>;
  readonly skipIf: (condition: unknown) => ExploreTest<Fixtures>;
  readonly runIf: (condition: unknown) => ExploreTest<Fixtures>;
  readonly each: DeclareEach;
  readonly for: DeclareFor<Fixtures>;
  readonly prop: DeclareProp<Fixtures>;
}

/** How a fixture of vitest lives. */
export interface FixtureOptions {
  readonly auto?: boolean;
  readonly injected?: boolean;
  readonly scope?: "test" | "file" | "worker";
}

type Fixture<All, Name extends keyof All, Fixtures> =
  | All[Name]
  | ((context: Omit<All, Name> & ScenarioContext<Fixtures>, use: (value: All[Name]) => Promise<void>) => Promise<void>);

/** vitest's `extend`, of which `explore` is left. */
export interface Extend<Fixtures = object> {
  // An overload each for functions and for values, because one for both would take a function for a value.
  /* eslint-disable @typescript-eslint/unified-signatures -- inference needs them apart */
  <Name extends string, Value>(
    name: Name,
    options: FixtureOptions,
    fixture: (context: ScenarioContext<Fixtures>, fixture: { onCleanup: (cleanup: () => unknown) => void }) => Value | Promise<Value>,
  ): HeddleTest<Fixtures & Record<Name, Value>>;
  <Name extends string, Value>(
    name: Name,
    fixture: (context: ScenarioContext<Fixtures>, fixture: { onCleanup: (cleanup: () => unknown) => void }) => Value | Promise<Value>,
  ): HeddleTest<Fixtures & Record<Name, Value>>;
  <Name extends string, Value>(name: Name, options: FixtureOptions, value: Value): HeddleTest<Fixtures & Record<Name, Value>>;
  <Name extends string, Value>(name: Name, value: Value): HeddleTest<Fixtures & Record<Name, Value>>;
  /* eslint-enable @typescript-eslint/unified-signatures */
  <All extends object>(
    fixtures: {
      [Name in keyof All]: Fixture<All, Name, Fixtures> | [Fixture<All, Name, Fixtures>, FixtureOptions?];
    },
  ): HeddleTest<Fixtures & All>;
}

/** vitest's `test`, which also explores. */
export type HeddleTest<Fixtures = object> = {
  /** Declares a test that runs its scenario in many orders, and fails with the smallest one that breaks it. */
  readonly explore: ExploreTest<Fixtures>;
  readonly extend: Extend<Fixtures>;
} & TestAPI<Fixtures>;
