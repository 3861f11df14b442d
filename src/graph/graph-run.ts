/**
 * One run of a task graph as plain data: its trace, its schedule, and what the loop did with its handles.
 */
import { describeError, InternalError, UsageError } from "../errors/errors.js";
import { EventLoop, type LoopObserver } from "../loop/event-loop.js";
import type { Handle } from "../loop/handle.js";
import { detectQuiescence, onNextMacrotask } from "../loop/host.js";
import type { Completion } from "../loop/lifecycle.js";
import { continueDriving, takeTurn } from "../loop/run.js";
import { interceptStrays } from "../loop/strays.js";
import { requireSeed } from "../random/random.js";
import type { Schedule } from "../schedule/schedule.js";
import { formatReadyTask } from "../schedule/schedule.js";
import type { StepRecord, Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { recording } from "../strategy/recording.js";
import type { TraceEvent } from "../trace/trace.js";
import { checkTaskGraph } from "./check.js";
import { GraphInterpreter, type PlacedGraph, placeGraph } from "./interpret.js";
import { type TaskGraph, tasksNamedBy, walkBody } from "./task-graph.js";

/**
 * A run of more steps is a livelock. A graph has no loops, so a task takes a step to begin and for each operation as many as it may be
 * woken there: once, or once for each task that it names, for its time limit, and for each item that another took before it. The rest
 * is for what a defect may add before it is called one.
 */
function maxStepsOf({ bodies }: PlacedGraph): number {
  const operations = bodies.flatMap((body) => [...walkBody(body)].map(({ operation }) => operation));
  const named = operations.reduce((sum, operation) => sum + tasksNamedBy(operation).length, 0);
  return 100 + 4 * (bodies.length + operations.length + named);
}

/** How a run of a graph ended. */
export type GraphOutcome = "finished" | "failed" | "deadlock" | "livelock";

/** Everything that a run of a task graph left behind. */
export interface GraphRun {
  readonly placed: PlacedGraph;
  readonly outcome: GraphOutcome;
  /** The error that ended it; undefined when it finished. */
  readonly error: unknown;
  readonly trace: readonly TraceEvent[];
  readonly schedule: Schedule;
  /** The steps of tasks, in order. */
  readonly steps: readonly StepRecord[];
  /** Handles that ran more than once, and handles that never ran although the loop found nothing left to run. */
  readonly ranTwice: readonly string[];
  readonly neverRan: readonly string[];
  /** What the exception handler was told: `Task exception was never retrieved (task t1)`. */
  readonly reports: readonly string[];
}

export interface GraphRunOptions {
  /** Default: asyncio's order. */
  readonly strategy?: Strategy;
  /** Seed that the schedule is stored with. Default 0: a graph draws no random numbers. */
  readonly seed?: number;
}

/**
 * Runs a graph once.
 *
 * Throws BadInputError when it is not a valid graph, UsageError for a seed that is none, and what the strategy throws (a DivergenceError of a replay).
 *
 * @example
 * const { trace, outcome } = await runTaskGraph({ version: 1, cells: 0, futures: 0, tasks: [{ name: "main", body: [["sleep", 5]] }] });
 * @since 0.1.0
 */
export async function runTaskGraph(graph: TaskGraph, options: GraphRunOptions = {}): Promise<GraphRun> {
  if (options.seed !== undefined) requireSeed(options.seed);
  const placed = placeGraph(checkTaskGraph(graph));
  const release = await takeTurn("runTaskGraph()");
  const execution = new GraphExecution(placed, options);
  const putBack = interceptStrays((error) => {
    execution.noteStray(error);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      onNextMacrotask(() => {
        try {
          execution.start();
          continueDriving(execution.loop, resolve);
        } catch (error) {
          reject(error);
        }
      });
    });
    return execution.finish();
  } finally {
    putBack();
    release();
  }
}

/** Runs a graph to its end without a pause. Only from a macrotask of a runtime that can drain microtasks; the caller has the realm. */
export function runTaskGraphNow(placed: PlacedGraph, options: GraphRunOptions = {}): GraphRun {
  const execution = new GraphExecution(placed, options);
  execution.start();
  for (;;) {
    const progress = execution.loop.advance(Number.POSITIVE_INFINITY);
    if (progress === "ended") return execution.finish();
    if (progress === "outside") execution.loop.endAsDeadlock(0);
    if (progress === "hop") throw new InternalError("a task graph was run where microtasks cannot be drained");
  }
}

/** A graph has no invariants of its own; one that is kept from ending by an unfair strategy has not ended either. */
function outcomeOf({ kind }: Completion<unknown>): GraphOutcome {
  switch (kind) {
    case "result":
      return "finished";
    case "deadlock":
      return "deadlock";
    case "livelock":
    case "starvation":
      return "livelock";
    case "error":
    case "invariant":
    case "strategy":
      return "failed";
  }
}

/** One run on its way. */
class GraphExecution implements LoopObserver {
  readonly loop: EventLoop;
  readonly #placed: PlacedGraph;
  readonly #seed: number;
  readonly #strategy: ReturnType<typeof recording>;
  readonly #interpreter: GraphInterpreter;
  readonly #queued = new Set<Handle>();
  readonly #ran = new Set<Handle>();
  readonly #ranTwice: string[] = [];
  readonly #steps: StepRecord[] = [];
  readonly #reports: string[] = [];

  constructor(placed: PlacedGraph, options: GraphRunOptions) {
    this.#placed = placed;
    this.#seed = options.seed ?? 0;
    this.#strategy = recording(options.strategy ?? fifo());
    this.loop = new EventLoop({
      strategy: this.#strategy,
      maxSteps: maxStepsOf(placed),
      slowStepMs: Number.POSITIVE_INFINITY,
      sites: false,
      observer: this,
    });
    this.loop.setExceptionHandler((_loop, { message, future }) => {
      this.#reports.push(future === undefined ? message : `${message} (${future.describe()})`);
    });
    this.#interpreter = new GraphInterpreter(placed, this.loop);
  }

  /** A graph leaves no rejection behind, so it is of other code of the process; it is told and not hidden. */
  noteStray(error: unknown): void {
    this.#reports.push(`Unhandled rejection or exception: ${describeError(error)}`);
  }

  /** A wait that finds nothing when it goes on is queued again, but never while it is queued. */
  queued(handle: Handle): void {
    if (this.#queued.has(handle)) this.#ranTwice.push(formatReadyTask(handle));
    this.#queued.add(handle);
    this.#ran.delete(handle);
  }

  running(handle: Handle, ready: number): void {
    if (this.#ran.has(handle)) this.#ranTwice.push(formatReadyTask(handle));
    this.#queued.delete(handle);
    this.#ran.add(handle);
    if (handle.task === undefined) return;
    this.#steps.push({ name: handle.name, operation: handle.operation, step: this.#steps.length + 1, timeMs: this.loop.time(), ready });
  }

  start(): void {
    if (!this.#strategy.begin(0)) throw new UsageError(`strategy ${this.#strategy.name} has no run left to make; make a new one`);
    this.loop.start(this.#interpreter.main, detectQuiescence(), this.#interpreter.mainName);
  }

  /** Throws what the strategy threw, if that ended the run. */
  finish(): GraphRun {
    const { completion } = this.loop;
    if (completion === undefined) throw new InternalError("a run was finished before its loop had ended");
    if (completion.kind === "strategy") throw completion.error;
    this.#interpreter.exit(completion);
    const outcome = outcomeOf(completion);
    this.#strategy.end?.({ run: 0, failed: outcome !== "finished", steps: this.#steps.length });
    const isCutShort = outcome === "deadlock";
    return {
      placed: this.#placed,
      outcome,
      error: completion.kind === "result" ? undefined : completion.error,
      trace: this.#interpreter.trace,
      schedule: {
        version: 1,
        seed: this.#seed,
        granularity: "event",
        ioLatencyMs: 0,
        housekeeping: this.loop.housekeeping,
        decisions: this.#strategy.decisions,
      },
      steps: this.#steps,
      ranTwice: this.#ranTwice,
      neverRan: isCutShort ? [...this.#queued].filter((handle) => !handle.cancelled()).map(formatReadyTask) : [],
      reports: this.#reports,
    };
  }
}
