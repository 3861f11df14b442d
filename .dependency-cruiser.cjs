/**
 * Imports point one way: a folder of `src/` may import itself and any folder on an earlier line of this table. Neighbours on one line
 * do not import each other. A folder that is not in the table is an error, so that a new one gets a place before it gets a file.
 */
const layers = [
  ["errors"],
  ["random"], // a bad seed is a UsageError
  ["schedule", "trace"],
  ["strategy", "loop"],
  ["combine", "sync", "shared", "intercept"],
  ["graph"],
  ["invariant", "explore"], // invariants judge runs of task graphs
  ["arbitrary", "report"],
  ["instrument", "store"],
  ["vitest"],
  // The command runs the plug-in, so it stands above it.
  ["cli"],
];

const unitTest = "\\.test\\.ts$";
const fastCheck = "(^|/)node_modules/fast-check/";
const vitest = "(^|/)node_modules/(vitest|@vitest/[^/]+)/";

const layerRules = layers.flatMap((folders, line) =>
  folders.map((folder) => {
    const allowed = [folder, ...layers.slice(0, line).flat()];
    return {
      name: `layer-${folder}`,
      comment: `src/${folder} stands on line ${line + 1} of the layers table: it may import ${allowed.join(", ")}. Unit tests may look further.`,
      severity: "error",
      from: { path: `^src/${folder}/`, pathNot: unitTest },
      to: { path: "^src/", pathNot: `^src/(${allowed.join("|")})/` },
    };
  }),
);

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: "folder-without-a-layer",
      comment: "Every folder of src/ has its line in the layers table above; index.ts is the only file beside them.",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: `^src/(index\\.ts$|(${layers.flat().join("|")})/)` },
    },
    {
      name: "entry-below-the-tools",
      comment: "The main entry offers what stands below the plug-in and the command.",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { path: `^src/(${layers.at(-1).join("|")})/` },
    },
    {
      name: "entry-without-optional-peers",
      comment: "fast-check and vitest are optional peers: whoever imports only `heddle` need not have them, not even for the types.",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { path: [fastCheck, vitest], reachable: true },
    },
    {
      name: "fast-check-only-in-arbitrary-and-vitest",
      comment: "The core knows nothing of fast-check; its generators and their use in tests do.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(arbitrary|vitest)/", unitTest] },
      to: { path: fastCheck },
    },
    {
      name: "vitest-only-in-vitest",
      comment: "Only the plug-in and the command know the test runner.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(vitest|cli)/", unitTest] },
      to: { path: vitest },
    },
    {
      name: "vitest-on-demand-in-cli",
      comment: "Only one of the commands runs tests; the others must work where vitest is not installed, so it is imported when needed.",
      severity: "error",
      from: { path: "^src/cli/", pathNot: unitTest },
      to: { path: vitest, dynamic: false, dependencyTypesNot: ["type-only"] },
    },
    {
      name: "node-built-ins-at-the-edges",
      comment: "The core runs wherever JavaScript does. host.ts drains microtasks and outside.ts carries context; the rest is the edge.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(intercept|instrument|store|vitest|cli)/", "^src/loop/(host|outside)\\.ts$", unitTest] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "source-stands-alone",
      comment: "What is published imports nothing that is not: no tests, no properties, no fixtures, no reports.",
      severity: "error",
      from: { path: "^src/", pathNot: unitTest },
      to: { path: ["^(properties|fixtures|bench|reports)/", unitTest] },
    },
    {
      name: "reports-are-written-only",
      comment: "reports/ is output. A failure that is worth keeping moves to fixtures/schedules/.",
      severity: "error",
      from: {},
      to: { path: "^reports/" },
    },
    {
      name: "properties-use-public-entries",
      comment: 'Properties import heddle as a user would: from "heddle", "heddle/arbitraries" or "heddle/vitest", never by path.',
      severity: "error",
      from: { path: "^properties/" },
      to: { path: "^(src|dist)/", dependencyTypesNot: ["aliased"] },
    },
    {
      name: "published-dependencies",
      comment: "What src/ imports is installed with heddle: a dependency or a peer, never a tool of this repository.",
      severity: "error",
      from: { path: "^src/", pathNot: unitTest },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm-peer", "type-only"] },
    },
    {
      name: "no-cycles",
      comment: "A cycle makes the order of evaluation matter. One that holds a type-only import is none at run time.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      comment: "Every import leads somewhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
