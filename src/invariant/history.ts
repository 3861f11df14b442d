/**
 * A run's trace, read as calls of operations and lives of tasks.
 */
import type { GraphRun } from "../graph/graph-run.js";
import { isStarting, type Operation, type PlacedOperation, tasksNamedBy, walkBody } from "../graph/task-graph.js";
import type { TraceEvent } from "../trace/trace.js";

/** One execution of an operation. `start` and `end` are indices in the trace. */
export interface Call {
  readonly task: number;
  readonly placed: PlacedOperation;
  readonly operation: Operation;
  readonly start: number;
  readonly startMs: number;
  /** The operation around it, whose body it stands in. */
  readonly parent: Call | undefined;
  /** The operations of its bodies that were started, in order; not those inside of these. */
  readonly inside: Call[];
  /** Infinity while the operation is unfinished when the trace ends. */
  end: number;
  outcome: TraceEvent | undefined;
}

/** The life of a task, as indices in the trace: Infinity where it did not come to that. */
export interface Life {
  begin: number;
  finish: number;
  outcome: TraceEvent | undefined;
}

/** What invariants look at. */
export interface RunHistory {
  readonly run: GraphRun;
  readonly trace: readonly TraceEvent[];
  /** In the order in which they started. */
  readonly calls: readonly Call[];
  /** By the index of the task. */
  readonly lives: readonly Life[];
  readonly nameOf: (task: number) => string;
  /** The call that starts, and the call that ends, at an index of the trace. */
  readonly startingAt: ReadonlyMap<number, Call>;
  readonly endingAt: ReadonlyMap<number, Call>;
  /** The indices of the events of a task, in order. */
  readonly eventsOf: readonly (readonly number[])[];
}

export function isCancelled(event: TraceEvent | undefined): boolean {
  return event?.error === "CancelledError";
}

/** Reads the trace of a run. */
export function historyOf(run: GraphRun): RunHistory {
  const { graph, bodies } = run.placed;
  const indices = new Map(graph.tasks.map(({ name }, index) => [name, index]));
  const operations = bodies.map((body) => new Map([...walkBody(body)].map((placed) => [placed.path, placed])));
  const lives = graph.tasks.map((): Life => ({ begin: Number.POSITIVE_INFINITY, finish: Number.POSITIVE_INFINITY, outcome: undefined }));
  const calls: Call[] = [];
  // Of each task the calls that it is in, outermost first.
  const open = graph.tasks.map((): Call[] => []);
  const eventsOf = graph.tasks.map((): number[] => []);
  const startingAt = new Map<number, Call>();
  const endingAt = new Map<number, Call>();
  run.trace.forEach((event, index) => {
    const task = indices.get(event.task ?? "");
    const life = lives[task ?? -1];
    if (task === undefined || life === undefined) return;
    eventsOf[task]?.push(index);
    if (event.phase === "begin") life.begin = index;
    if (event.phase === "finish") [life.finish, life.outcome] = [index, event];
    const placed = event.op === undefined ? undefined : operations[task]?.get(event.op);
    if (placed === undefined) return;
    const inside = open[task] ?? [];
    if (event.phase === "start") {
      const around = inside.findLast((other) => other.placed.parts.some((part) => part.includes(placed)));
      const call: Call = {
        task,
        placed,
        operation: placed.operation,
        start: index,
        startMs: event.t,
        parent: around,
        inside: [],
        end: Number.POSITIVE_INFINITY,
        outcome: undefined,
      };
      calls.push(call);
      around?.inside.push(call);
      startingAt.set(index, call);
      inside.push(call);
    } else {
      const place = inside.findLastIndex((call) => call.placed === placed);
      const call = inside[place];
      if (call === undefined) return;
      [call.end, call.outcome] = [index, event];
      endingAt.set(index, call);
      inside.splice(place, 1);
    }
  });
  return { run, trace: run.trace, calls, lives, nameOf: (task) => graph.tasks[task]?.name ?? "?", startingAt, endingAt, eventsOf };
}

/** The calls of one kind of operation, with their arguments. */
export function* callsOf<Name extends Operation[0]>(
  { calls }: RunHistory,
  ...names: readonly Name[]
): Generator<Call & { readonly operation: Extract<Operation, readonly [Name, ...unknown[]]> }> {
  for (const call of calls) {
    if ((names as readonly string[]).includes(call.operation[0])) {
      yield call as Call & { readonly operation: Extract<Operation, readonly [Name, ...unknown[]]> }; // its name was compared
    }
  }
}

/** `t1 at 0.2 (span)`: a call in a sentence. */
export function placeOfCall({ nameOf }: RunHistory, { task, placed, operation }: Call): string {
  return `${nameOf(task)} at ${placed.path} (${operation[0]})`;
}

/** Whether the operation that started `task` ran only after main had ended: such a task was not there to be cancelled. */
export function isStartedAfterMain(history: RunHistory, task: number): boolean {
  const mainFinish = history.lives[0]?.finish ?? Number.POSITIVE_INFINITY;
  return (
    task !== 0 &&
    !history.calls.some(({ operation, start }) => start < mainFinish && isStarting(operation) && tasksNamedBy(operation).includes(task))
  );
}

/** Where each future is known to be done: the first completion that was accepted, or the first waiter that got its outcome. */
export function completionsOf(history: RunHistory): ReadonlyMap<number, number> {
  const done = new Map<number, number>();
  const note = (future: number, index: number): void => {
    done.set(future, Math.min(done.get(future) ?? Number.POSITIVE_INFINITY, index));
  };
  for (const call of callsOf(history, "setResult", "setException", "cancelFuture", "awaitFuture")) {
    const { operation, outcome, end } = call;
    if (outcome === undefined || isCancelled(outcome)) continue;
    const isAccepted = operation[0] === "cancelFuture" ? outcome.value === true : operation[0] === "awaitFuture" || outcome.phase === "end";
    if (isAccepted) note(operation[1], end);
  }
  return done;
}
