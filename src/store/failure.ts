/**
 * The failure file: everything that brings a failure back, as JSON. Its format is versioned, and the package ships its JSON Schema,
 * which is made from what stands here.
 */
import * as v from "valibot";
import type { TraceEvent, TraceValue } from "../trace/trace.js";

const wholeNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Checked further by `checkTaskGraph`, which names the operation that is wrong. */
const graph = v.record(v.string(), v.unknown());

/**
 * Traces nest a value at most a few lists deep; what is deeper is refused when it is read.
 *
 * @internal For the JSON Schema, where what refers to itself needs a name.
 */
export const traceValue: v.GenericSchema<TraceValue> = v.union([
  v.null(),
  v.boolean(),
  v.number(),
  v.string(),
  v.array(v.lazy(() => traceValue)),
  v.strictObject({ error: v.string() }),
]);

const traceEvent: v.GenericSchema<unknown, TraceEvent> = v.strictObject({
  t: wholeNumber,
  task: v.exactOptional(v.string()),
  op: v.exactOptional(v.string()),
  name: v.exactOptional(v.string()),
  phase: v.picklist(["begin", "start", "end", "error", "finish", "exit"]),
  value: v.exactOptional(traceValue),
  error: v.exactOptional(v.string()),
  waiting: v.exactOptional(
    v.array(v.strictObject({ task: v.string(), op: v.exactOptional(v.string()), name: v.exactOptional(v.string()) })),
  ),
  site: v.exactOptional(v.string()),
});

const program = v.variant("kind", [
  v.strictObject({ kind: v.literal("graph"), graph }),
  /** A file that exports a scenario as default, relative to the project. */
  v.strictObject({ kind: v.literal("module"), file: v.string() }),
  /** A test, which alone can run it again: its file relative to the project, and its name behind those of its suites. */
  v.strictObject({
    kind: v.literal("test"),
    file: v.string(),
    name: v.string(),
    /** The name of its project, where the test runner knows several. */
    project: v.exactOptional(v.string()),
    /** How many tests of this name stand before it in its file. */
    nth: v.exactOptional(wholeNumber),
  }),
]);

export const failureSchema = v.strictObject({
  version: v.literal(1),
  program,
  /** The test that found it, where what it broke is known to that test alone and to no list of heddle's. */
  test: v.exactOptional(v.strictObject({ file: v.string(), name: v.string() })),
  seed: v.pipe(wholeNumber, v.maxValue(0xffff_ffff)),
  /** The strategy that found it. */
  strategy: v.string(),
  /** What the run is held to besides its schedule. */
  options: v.strictObject({ maxSteps: v.exactOptional(wholeNumber) }),
  /** The smallest schedule that fails, as a token; one that holds where its drawn values come from, too, if it has any. */
  schedule: v.string(),
  /** What failed first, before anything was made smaller. */
  original: v.strictObject({ program: v.exactOptional(program), schedule: v.string() }),
  error: v.strictObject({
    kind: v.picklist(["error", "deadlock", "livelock", "starvation", "divergence", "unhandledRejection", "invariant"]),
    /** The name of the invariant that was broken. */
    invariant: v.exactOptional(v.string()),
    message: v.string(),
  }),
  /** The drawn values as text, for whoever reads the file. */
  values: v.exactOptional(v.string()),
  trace: v.array(traceEvent),
  /** The command that replays it. */
  replay: v.string(),
});

/**
 * A recorded failure.
 *
 * @since 0.1.0
 */
export type Failure = v.InferOutput<typeof failureSchema>;
