/**
 * All lint. Three parts: typescript-eslint's strictest type-checked rules, what this project means by determinism, and the few
 * rules of style that a machine can judge. Formatting and import order belong to biome; which folder may import which, to
 * dependency-cruiser.
 */
import comments from "@eslint-community/eslint-plugin-eslint-comments";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const USE_LOOP_TIME =
  "Real time never reaches a decision, a trace or a report: use loop.time() and loop.callLater(), or what src/loop/host.ts offers.";
const USE_LOOP = "What runs next is the loop's decision: queue it there, or use what src/loop/host.ts offers.";
const USE_RANDOM = "Only what is seeded can be replayed: use the run's Random.";
const COMPARE_CODE_UNITS = "Another machine's locale gives another order or text: compare with < and >, print with String().";
const KEEP_A_LEDGER = "What the garbage collector does, and when, cannot be replayed.";

const unseededGlobals = [
  ...["Date", "performance", "setTimeout", "setInterval"].map((name) => ({ name, message: USE_LOOP_TIME })),
  ...["setImmediate", "queueMicrotask"].map((name) => ({ name, message: USE_LOOP })),
  ...["WeakRef", "FinalizationRegistry"].map((name) => ({ name, message: KEEP_A_LEDGER })),
  { name: "crypto", message: USE_RANDOM },
];

const unseededProperties = [
  { object: "Math", property: "random", message: USE_RANDOM },
  { object: "AbortSignal", property: "timeout", message: USE_LOOP_TIME },
  { property: "hrtime", message: USE_LOOP_TIME },
  ...["nextTick", "_tickCallback"].map((property) => ({ property, message: USE_LOOP })),
  ...["localeCompare", "toLocaleString"].map((property) => ({ property, message: COMPARE_CODE_UNITS })),
];

const unseededImports = [
  ...["node:timers", "node:timers/promises", "node:perf_hooks"].map((name) => ({ name, message: USE_LOOP_TIME })),
  { name: "node:process", importNames: ["default", "hrtime", "nextTick"], message: USE_LOOP },
  {
    name: "node:crypto",
    importNames: ["default", "getRandomValues", "randomBytes", "randomFill", "randomFillSync", "randomInt", "randomUUID", "webcrypto"],
    message: USE_RANDOM,
  },
];

// no-restricted-syntax is replaced, not merged, where two parts of this file name it, so each part lists all it wants.
const noDefaultExport = {
  selector: ":matches(ExportDefaultDeclaration, ExportSpecifier[exported.name='default'])",
  message: "Named exports only: each public name is listed by hand in its entry's index file.",
};
const noStarExport = {
  selector: "ExportAllDeclaration",
  message: "Each entry's index file lists every public name by hand, and no other file passes names on.",
};
const noPrivateKeyword = {
  selector: ":matches(MethodDefinition, PropertyDefinition)[accessibility]",
  message: "State is #private, which holds at run time too; what is not needs no keyword.",
};
const noModuleState = {
  selector: ":matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration[kind='let']",
  message: "Each run starts from fresh objects: no mutable module state. A counter belongs to the loop.",
};
const noAsync = [
  {
    selector: ":matches(:function[async=true], AwaitExpression, ForOfStatement[await=true])",
    message: "Decisions are made in one go: schedule, strategy and random hold no async and no await.",
  },
  {
    selector: "Identifier[name=/^Promise(Like)?$/]",
    message: "Decisions are made in one go: schedule, strategy and random hold no Promise.",
  },
];
const noFocusedOrDisabledTest = {
  selector: "MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(only|skip|todo)$/]",
  message: "Every test runs in every build: a disabled replay test blocks release.",
};

export default defineConfig(
  globalIgnores(["dist/", "coverage/", "reports/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" } },
  {
    files: ["**/*.ts", "**/*.js", "**/*.cjs", "**/*.mjs"],
    plugins: { "eslint-comments": comments },
    rules: {
      // A suppression carries its reason on the same line, and says what it suppresses.
      "eslint-comments/require-description": ["error", { ignore: ["eslint-enable"] }],
      "eslint-comments/no-unlimited-disable": "error",
    },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/explicit-module-boundary-types": "error",
      // A `default` that is written down is a decision: most operations have no parts and name no tasks.
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": "allow-with-description", minimumDescriptionLength: 10 }],
      // Numbers read well in messages; everything else that is no string must say how it is to be shown.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // heddle hands on what a program throws or rejects with, whatever it is.
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true }],
      "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true }],
      // A spread string falls into code points, the same on every machine; what Intl.Segmenter does is up to its data.
      "@typescript-eslint/no-misused-spread": ["error", { allow: ["string"] }],
      // An override that ignores what its parent takes says so with an underscore, as for the compiler. `{ gone, ...rest }` leaves something out.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Fields of unchecked data stand in brackets: their names are claims of the data, not of a type.
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      // `!` is forbidden, so where a value is known to be there, `as` and the reason say so.
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
      // A getter that a subclass overrides costs no field in every object.
      "@typescript-eslint/class-literal-property-style": "off",
      // `{ readonly [operation in Name]: … }` says what the keys are and that nobody writes; Record says neither.
      "@typescript-eslint/consistent-indexed-object-style": "off",
      // `PromiseLike<void>` needs `(value: void)`, and a function may answer a promise or nothing.
      "@typescript-eslint/no-invalid-void-type": "off",
      // `() => handle.run()` and `return this.#stuck()` confuse nobody.
      "@typescript-eslint/no-confusing-void-expression": "off",
      eqeqeq: "error",
      curly: ["error", "multi-line"],
      "no-restricted-syntax": ["error", noDefaultExport, noPrivateKeyword],
    },
  },
  {
    name: "determinism",
    files: ["src/**/*.ts"],
    ignores: ["src/intercept/**", "src/loop/host.ts", "src/**/*.test.ts"], // they are what the rest uses instead
    rules: {
      "no-restricted-globals": ["error", { globals: unseededGlobals, checkGlobalObject: true }],
      "no-restricted-properties": ["error", ...unseededProperties],
      "no-restricted-imports": ["error", { paths: unseededImports }],
    },
  },
  {
    name: "fresh objects for each run",
    files: ["src/**/*.ts"],
    // One loop at a time has the realm: these two hold the pointer to it and the queue for it.
    ignores: ["src/loop/running.ts", "src/loop/run.ts", "src/**/*.test.ts"],
    rules: { "no-restricted-syntax": ["error", noDefaultExport, noStarExport, noPrivateKeyword, noModuleState] },
  },
  {
    name: "decisions in one go",
    files: ["src/{schedule,strategy,random}/**/*.ts"],
    ignores: ["src/**/*.test.ts"],
    rules: { "no-restricted-syntax": ["error", noDefaultExport, noStarExport, noPrivateKeyword, noModuleState, ...noAsync] },
  },
  {
    name: "tests, and the programs that they run",
    files: ["**/*.test.ts", "properties/**/*.ts", "fixtures/**/*.ts"],
    rules: {
      "no-restricted-syntax": ["error", noFocusedOrDisabledTest],
      // The compiler does not see that another task writes a variable during an await; here that is the whole point.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // `await null` lets one microtask turn pass, which is what some programs are about.
      "@typescript-eslint/await-thenable": "off",
      // A task may have nothing to wait for, and a program under test may do and throw anything.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-empty-function": "off",
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      // A wrong assumption fails the test anyway.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/explicit-module-boundary-types": "off",
      // `expect.any()` and its like are any.
      "@typescript-eslint/no-unsafe-assignment": "off",
    },
  },
  {
    name: "descriptions of other people's modules, and configuration, which its tool imports by default",
    files: ["**/*.d.ts", "*.config.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
);
