import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

/** Tests of what changes the process, or needs heddle as a user has it. */
const apart = ["src/{cli,instrument,intercept,store,vitest}/**/*.test.ts"];

export default defineConfig({
  resolve: {
    // Tests import the package by its name, as a user would, and run its source. The compiler has the same table in tsconfig.json.
    alias: [
      { find: /^heddle$/, replacement: source("index.ts") },
      { find: /^heddle\/arbitraries$/, replacement: source("arbitrary/index.ts") },
      { find: /^heddle\/vitest$/, replacement: source("vitest/index.ts") },
    ],
  },
  test: {
    projects: [
      // What is pure code shares its modules from file to file: loading heddle takes longer than most of these tests.
      { extends: true, test: { name: "code", include: ["src/**/*.test.ts"], exclude: apart, isolate: false } },
      {
        extends: true,
        test: {
          name: "apart",
          include: [...apart, "fixtures/**/*.test.ts", "properties/**/*.property.ts"],
          globalSetup: "fixtures/command/install-built.ts",
        },
      },
    ],
    // Threads work as well, but a run drains microtasks by a function of Node's own, and where that goes wrong Node aborts the whole
    // process: a fork takes one test file with it, a thread the test runner. Signals and the working folder are a fork's own, too.
    // The same properties in every build, at a smaller size; `heddle properties`, which says what it wants, has its own.
    env:
      process.env["HEDDLE_PROGRESS"] === undefined
        ? { HEDDLE_RUNS: process.env["HEDDLE_RUNS"] ?? "1500", HEDDLE_SEED: process.env["HEDDLE_SEED"] ?? "7" }
        : {},
    pool: "forks",
    // By default vitest leaves a core to itself, which on two cores is half of the machine.
    maxWorkers: "100%",
    testTimeout: 30_000,
    coverage: {
      // A step takes about 1.7 times as long under coverage, so a property that counts runs stays true and one that counts seconds may not.
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: [
        "src/**/*.test.ts",
        // Run by src/cli/main.test.ts and by the property files in processes and workers of their own, where this coverage does not see.
        "src/cli/{main,properties,replay,trace,load-runner,exit-codes}.ts",
        "src/cli/{explore,explore-threads,explore-worker,explore-json,keep-failure,interrupt,real-timer}.ts",
        "src/vitest/test-invariants.ts",
        // The same of src/vitest/explore-test.test.ts, src/vitest/run-exploration.test.ts and fixtures/readme.
        "src/vitest/{arbitraries,explore-options,explore-test,failed-test-error,parameters,plugin,prop,run-exploration,subject}.ts",
        "src/instrument/{hooks-thread,loaded-file,register,selection}.ts",
      ],
      reporter: ["text-summary"],
      thresholds: { lines: 98, functions: 97, statements: 97, branches: 91 },
    },
  },
});
