/**
 * A run's trace, read as calls of operations and lives of tasks.
 */
import type { GraphRun } from "../graph/graph-run.js";
import { isStarting, type Operation, type OperationName, type PlacedOperation, tasksNamedBy, walkBody } from "../graph/task-graph.js";
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

/** Operations in which a task waits for others: it is cancelled there, and who cancels it may cancel them. */
const WAITING_FOR_TASKS: ReadonlySet<OperationName> = new Set(["await", "gather", "taskGroup"]);

/** Operations that end with CancelledError only where their own task is cancelled. */
const OWN_SUSPENSIONS: ReadonlySet<OperationName> = new Set([
  "yield",
  "sleep",
  "wait",
  "waitEvent",
  "put",
  "get",
  "withLock",
  "withSemaphore",
]);

/** The others that can suspend their task: what they wait for may be cancelled by itself. */
const OTHER_SUSPENSIONS: ReadonlySet<OperationName> = new Set(["await", "gather", "asCompleted", "shield", "awaitFuture"]);

/** Whether a task can be suspended where this operation starts; of one with a body, while it waits to come to that. */
export function canSuspend(operation: Operation): boolean {
  return OWN_SUSPENSIONS.has(operation[0]) || OTHER_SUSPENSIONS.has(operation[0]);
}

/**
 * Whether a task that is suspended in this operation, and in nothing inside of it, gets CancelledError there only by a cancellation of its
 * own.
 */
export function isOwnSuspension(operation: Operation): boolean {
  return OWN_SUSPENSIONS.has(operation[0]);
}

/** Whether cancelling a task that is suspended in this operation cancels the tasks that it names. */
export function handsOnCancellation(operation: Operation): boolean {
  return WAITING_FOR_TASKS.has(operation[0]);
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

/** What `task` is in at `index`: of operations inside of others, the innermost. */
export function innermostCallAt({ calls }: RunHistory, task: number, index: number): Call | undefined {
  return calls.findLast((call) => call.task === task && call.start < index && call.end > index);
}

/** The operation in which `task` is suspended at `index`; undefined where it is running, has not begun, or is done. */
export function suspendedIn(history: RunHistory, task: number, index: number): Call | undefined {
  const call = innermostCallAt(history, task, index);
  if (call === undefined || history.trace[index]?.task === history.nameOf(task)) return undefined;
  return canSuspend(call.operation) || call.operation[0] === "taskGroup" ? call : undefined;
}

/** The index of the next event of the task of `call` after its start; Infinity when there is none. */
export function nextEventOf({ eventsOf }: RunHistory, { task, start }: Call): number {
  return eventsOf[task]?.find((index) => index > start) ?? Number.POSITIVE_INFINITY;
}

/**
 * When the body of an operation that may have to wait first began: where the first event inside is, or the end where it is empty.
 * Infinity when it never came to that.
 */
export function enteredAt(history: RunHistory, call: Call): number {
  const next = nextEventOf(history, call);
  return next === call.end && call.outcome?.phase === "error" ? Number.POSITIVE_INFINITY : next;
}

/** How the body of an operation ended: with what was raised in it, if anything was, and where. */
export interface BodyEnd {
  readonly index: number;
  readonly t: number;
  /** Undefined when the body ran out or returned. */
  readonly error: string | undefined;
}

/** How the body of `call` ended; undefined while it runs. An operation that starts nothing else is over with its last line. */
export function bodyEndOf(history: RunHistory, call: Call): BodyEnd | undefined {
  const last = call.inside.at(-1);
  if (last === undefined) return { index: call.start, t: call.startMs, error: undefined };
  if (last.outcome === undefined) return undefined;
  const { index, t, error } = { index: last.end, t: last.outcome.t, error: last.outcome.error };
  if (error !== undefined) return { index, t, error };
  const isLast = last.placed === call.placed.parts.at(-1)?.at(-1);
  const next = history.eventsOf[call.task]?.find((place) => place > index);
  // Behind a return the body is over before its last operation.
  return isLast || next === undefined || next === call.end ? { index, t, error } : undefined;
}

/**
 * Where everything had come to rest, as indices in the trace: all events before had no other to follow them, because time passed then or
 * because nobody could go on. Who waits there must have a reason.
 */
export function* restsOf({ run, trace }: RunHistory): Generator<{ readonly index: number; readonly t: number }> {
  for (let index = 1; index < trace.length; index++) {
    const [before, after] = [trace[index - 1]?.t ?? 0, trace[index]?.t ?? 0];
    const isDeadlock = run.outcome === "deadlock" && trace[index]?.phase === "exit";
    if (after > before || isDeadlock) yield { index, t: before };
  }
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

/** The tasks that each task may come to wait for, directly or through others, so that they are cancelled with it. */
export function mayWaitFor({ run }: RunHistory): readonly ReadonlySet<number>[] {
  const direct = run.placed.bodies.map(
    (body) => new Set([...walkBody(body)].flatMap(({ operation }) => (handsOnCancellation(operation) ? tasksNamedBy(operation) : []))),
  );
  return direct.map((first) => {
    const reached = new Set<number>();
    const toVisit = [...first];
    for (let task = toVisit.pop(); task !== undefined; task = toVisit.pop()) {
      if (reached.has(task)) continue;
      reached.add(task);
      toVisit.push(...(direct[task] ?? []));
    }
    return reached;
  });
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
