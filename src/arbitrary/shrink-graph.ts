/**
 * Smaller task graphs from a task graph: fewer tasks first, then fewer operations, then simpler ones, then smaller numbers. Every
 * candidate is valid, and keeps the names of tasks, so that a schedule that goes by names still applies to it.
 *
 * Each step makes the graph smaller by a measure, the first of these that changes:
 *
 * 1. tasks; 2. operations
 * 3. ranks of operations: 0 for a turn, 2 for what has a simpler relative (`wait`, `asCompleted` and `taskGroup` have `gather`, `shield`
 *    has `await`), 1 for the others
 * 4. tasks named in lists; 5. depths of starts
 * 6. numbers and flags: counts, times, values, initial values and maximum sizes as they are, `returnExceptions` as 1; of a `wait` 1 more
 *    for having a timeout, and 1 for FIRST_EXCEPTION, 2 for FIRST_COMPLETED
 * 7. cells, futures, locks, semaphores, events and queues
 *
 * So shrinking always ends.
 */
import type { ReturnWhen } from "../combine/wait.js";
import { checkTaskGraph } from "../graph/check.js";
import {
  type Body,
  isStarting,
  makeTaskGraph,
  type Operation,
  partsOf,
  placeBody,
  type SharedField,
  sharedBy,
  type TaskGraph,
  tasksNamedBy,
  walkBody,
  withParts,
} from "../graph/task-graph.js";

/** When a `wait` answers, the simplest first. */
const RETURN_WHEN: readonly ReturnWhen[] = ["ALL_COMPLETED", "FIRST_EXCEPTION", "FIRST_COMPLETED"];

/** Candidates for a smaller graph, the boldest first. */
export function* shrinkTaskGraph(graph: TaskGraph): Generator<TaskGraph> {
  for (const candidate of candidatesOf(graph)) if (isValid(candidate)) yield candidate;
}

function* candidatesOf(graph: TaskGraph): Generator<TaskGraph> {
  yield* withFewerTasks(graph);
  yield* withInlinedTasks(graph);
  yield* withFewerOperations(graph);
  yield* withLiftedStarts(graph);
  yield* withSimplerOperations(graph);
  yield* withSmallerSizes(graph);
  yield* withoutUnused(graph);
}

/** A candidate can break a rule that its original keeps: a start that was removed leaves a name behind. */
function isValid(graph: TaskGraph): boolean {
  try {
    checkTaskGraph(graph);
    return true;
  } catch {
    return false;
  }
}

/** Half of the tasks, a quarter, … and each alone, with all that they start. */
function* withFewerTasks(graph: TaskGraph): Generator<TaskGraph> {
  const count = graph.tasks.length - 1;
  for (let size = count; size >= 1; size = Math.floor(size / 2)) {
    for (let end = count; end >= 1; end -= size) {
      const first = Math.max(1, end - size + 1);
      yield withoutTasks(
        graph,
        Array.from({ length: end - first + 1 }, (_, offset) => first + offset),
      );
    }
  }
}

/** The graph without `removed`, without what those start, and without every operation that names one of them. */
export function withoutTasks(graph: TaskGraph, removed: readonly number[]): TaskGraph {
  const gone = new Set(removed);
  // A start comes before the start of what it starts, but an index does not: repeat until nothing is added.
  for (let size = -1; size !== gone.size; ) {
    size = gone.size;
    for (const index of [...gone]) for (const started of startedBy(graph, index)) gone.add(started);
  }
  const newIndex = new Map<number, number>();
  graph.tasks.forEach((_, index) => {
    if (!gone.has(index)) newIndex.set(index, newIndex.size);
  });
  const tasks = graph.tasks.filter((_, index) => !gone.has(index)).map(({ name, body }) => ({ name, body: renumberTasks(body, newIndex) }));
  return { ...graph, tasks };
}

/** The tasks that `index` starts: those named at its top level that it could not have named before. */
function startedBy(graph: TaskGraph, index: number): readonly number[] {
  const starter = starters(graph);
  return graph.tasks.flatMap((_, task) => (starter.get(task) === index ? [task] : []));
}

/** Which task starts which. */
function starters(graph: TaskGraph): ReadonlyMap<number, number> {
  const starter = new Map<number, number>();
  const queue = [0];
  for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
    for (const operation of graph.tasks[task]?.body ?? []) {
      if (!isStarting(operation)) continue;
      for (const named of tasksNamedBy(operation)) {
        if (named === 0 || starter.has(named)) continue;
        starter.set(named, task);
        queue.push(named);
      }
    }
  }
  return starter;
}

function renumberTasks(body: Body, newIndex: ReadonlyMap<number, number>): Body {
  return body.flatMap((operation): Body => {
    const parts = partsOf(operation).map((part) => renumberTasks(part, newIndex));
    const named = tasksNamedBy(operation);
    const left = named.flatMap((task) => newIndex.get(task) ?? []);
    if (named.length > 0 && left.length === 0) return parts.flat(); // of a task group its body is left, of others nothing
    return [withTasks(withParts(operation, parts), left)];
  });
}

/** The same operation that names other tasks, as many as it can name. */
function withTasks(operation: Operation, tasks: readonly number[]): Operation {
  switch (operation[0]) {
    case "spawn":
    case "await":
    case "shield":
    case "cancel":
      return [operation[0], tasks[0] ?? operation[1]];
    case "gather":
    case "wait":
    case "asCompleted":
    case "taskGroup":
      return operation.with(1, tasks) as unknown as Operation; // its first argument is the list of them
    default:
      return operation;
  }
}

/**
 * A task whose body stands in the place of its start, in the body of the one that starts it, so that there is a task less to follow.
 * With a turn behind it, too: where the starter waited for the task, what matters may be that others went on meanwhile.
 */
function* withInlinedTasks(graph: TaskGraph): Generator<TaskGraph> {
  for (const [task, by] of starters(graph)) {
    const body = graph.tasks[by]?.body ?? [];
    const inlined = graph.tasks[task]?.body ?? [];
    const at = body.findIndex((operation) => tasksNamedBy(operation).includes(task));
    for (const turn of [[], [["yield"]]] as const) {
      const merged = withBody(graph, by, [...body.slice(0, at), ...inlined, ...turn, ...body.slice(at)]);
      // Emptied first, or what it starts would go with it; the start itself names the task, and goes.
      yield withoutTasks(withBody(merged, task, []), [task]);
    }
  }
}

/** Without a run of operations: half of a body, a quarter, … and each alone. What a removed operation starts goes with it. */
function* withFewerOperations(graph: TaskGraph): Generator<TaskGraph> {
  for (let task = 0; task < graph.tasks.length; task++) {
    const body = graph.tasks[task]?.body ?? [];
    for (const shorter of shorterBodies(body)) yield* withBodyAndStarts(graph, task, shorter);
  }
}

/** The graph with another body for `task`, and without the tasks that nothing starts any more. */
function* withBodyAndStarts(graph: TaskGraph, task: number, body: Body): Generator<TaskGraph> {
  const changed = withBody(graph, task, body);
  const reachable = starters(changed);
  const lost = graph.tasks.flatMap((_, index) => (index !== 0 && !reachable.has(index) ? [index] : []));
  yield lost.length === 0 ? changed : withoutTasks(changed, lost);
}

function withBody(graph: TaskGraph, task: number, body: Body): TaskGraph {
  return { ...graph, tasks: graph.tasks.map((entry, index) => (index === task ? { ...entry, body } : entry)) };
}

function* shorterBodies(body: Body): Generator<Body> {
  for (let size = body.length; size >= 1; size = Math.floor(size / 2)) {
    for (let start = body.length - size; start > -size; start -= size) {
      const from = Math.max(0, start);
      yield body.toSpliced(from, start + size - from);
    }
  }
  for (const [index, operation] of body.entries()) {
    const parts = partsOf(operation);
    for (const part of parts) yield body.toSpliced(index, 1, ...part);
    for (const [place, part] of parts.entries()) {
      for (const shorter of shorterBodies(part)) yield body.with(index, withParts(operation, parts.with(place, shorter)));
    }
  }
}

/** A task that is started by one that main starts can often be started by main itself, after which the one between can go. */
function* withLiftedStarts(graph: TaskGraph): Generator<TaskGraph> {
  const starter = starters(graph);
  for (const [task, by] of starter) {
    const grand = starter.get(by);
    const body = graph.tasks[by]?.body ?? [];
    const at = body.findIndex((operation) => operation[0] === "spawn" && operation[1] === task);
    if (grand === undefined || at < 0) continue;
    const above = graph.tasks[grand]?.body ?? [];
    const place = above.findIndex((operation) => tasksNamedBy(operation).includes(by));
    const without = withBody(graph, by, body.toSpliced(at, 1));
    yield withBody(without, grand, above.toSpliced(place + 1, 0, ["spawn", task]));
  }
}

function* withSimplerOperations(graph: TaskGraph): Generator<TaskGraph> {
  for (let task = 0; task < graph.tasks.length; task++) {
    for (const body of simplerBodies(graph.tasks[task]?.body ?? [])) yield* withBodyAndStarts(graph, task, body);
  }
}

function* simplerBodies(body: Body): Generator<Body> {
  for (const [index, operation] of body.entries()) {
    for (const simpler of simplerForms(operation)) yield body.toSpliced(index, 1, ...simpler);
    const parts = partsOf(operation);
    for (const [place, part] of parts.entries()) {
      for (const simpler of simplerBodies(part)) yield body.with(index, withParts(operation, parts.with(place, simpler)));
    }
  }
}

/** What may stand in the place of an operation: no more operations than before, and simpler ones. */
function* simplerForms(operation: Operation): Generator<Body> {
  const turn = ["yield"] as const;
  switch (operation[0]) {
    case "await":
    case "cancel":
    case "awaitFuture":
    case "waitEvent":
    case "get":
      yield [turn];
      break;
    case "shield":
      yield [turn];
      yield [["await", operation[1]]];
      break;
    case "sleep":
    case "put":
    case "gather":
      yield [turn];
      break;
    case "wait":
    case "asCompleted":
      yield [turn];
      yield [["gather", operation[1], false]];
      break;
    case "taskGroup":
      yield [["gather", operation[1], false], ...operation[2]];
      yield [...operation[2], ["gather", operation[1], false]];
      break;
    case "withLock":
    case "withSemaphore":
      // A task that came to wait there let others go on, which may be what matters.
      yield [turn, ...operation[2]];
      break;
    default:
  }
  for (const simpler of simplerArguments(operation)) yield [simpler];
}

/** The same operation with fewer tasks, smaller numbers, flags that are not set. */
function* simplerArguments(operation: Operation): Generator<Operation> {
  const tasks = tasksNamedBy(operation);
  if (tasks.length > 1) for (const [index] of tasks.entries()) yield withTasks(operation, tasks.toSpliced(index, 1));
  switch (operation[0]) {
    case "span":
    case "setResult":
    case "put":
      for (const number of smaller(operation[2])) yield operation.with(2, number) as unknown as Operation; // its second argument is a number
      return;
    case "sleep":
    case "return":
    case "timeout":
      for (const number of smaller(operation[1])) yield operation.with(1, number) as unknown as Operation; // its first argument is a number
      return;
    case "gather":
      if (operation[2]) yield ["gather", operation[1], false];
      return;
    case "wait": {
      const [, named, mode, ms] = operation;
      for (const simpler of RETURN_WHEN.slice(0, RETURN_WHEN.indexOf(mode))) yield ["wait", named, simpler, ms];
      if (ms === null) return;
      yield ["wait", named, mode, null];
      for (const number of smaller(ms)) yield ["wait", named, mode, number];
      return;
    }
    default:
  }
}

/** 0, and then ever closer to `value`. */
function* smaller(value: number): Generator<number> {
  for (let gap = Math.abs(value); gap >= 1; gap = Math.floor(gap / 2)) yield Math.sign(value) * (Math.abs(value) - gap);
}

/** With smaller initial values of semaphores and maximum sizes of queues. */
function* withSmallerSizes(graph: TaskGraph): Generator<TaskGraph> {
  for (const field of ["semaphores", "queues"] as const) {
    const sizes = graph[field] ?? [];
    for (const [index, size] of sizes.entries()) for (const number of smaller(size)) yield { ...graph, [field]: sizes.with(index, number) };
  }
}

/** Without what is shared but named by nothing. */
function* withoutUnused(graph: TaskGraph): Generator<TaskGraph> {
  const operations = graph.tasks.flatMap(({ body }) => [...walkBody(placeBody(body))].map(({ operation }) => operation));
  const used = (field: SharedField): ReadonlyMap<unknown, number> =>
    renumbering(operations.flatMap((operation) => (sharedBy(operation) === field ? [Number(operation[1])] : []))); // which is an index
  const fields = {
    cells: used("cells"),
    futures: used("futures"),
    locks: used("locks"),
    semaphores: used("semaphores"),
    events: used("events"),
    queues: used("queues"),
  };
  const rename = (body: Body): Body =>
    body.map((operation) => {
      const inner = withParts(operation, partsOf(operation).map(rename));
      const field = sharedBy(inner);
      if (field === undefined) return inner;
      return (inner as readonly unknown[]).with(1, fields[field].get(inner[1]) ?? 0) as unknown as Operation; // with another index
    });
  const smallest = makeTaskGraph({
    cells: fields.cells.size,
    futures: fields.futures.size,
    locks: fields.locks.size,
    semaphores: graph.semaphores?.filter((_, index) => fields.semaphores.has(index)) ?? [],
    events: fields.events.size,
    queues: graph.queues?.filter((_, index) => fields.queues.has(index)) ?? [],
    tasks: graph.tasks.map(({ name, body }) => ({ name, body: rename(body) })),
  });
  if (countShared(smallest) < countShared(graph)) yield smallest;
}

function countShared({ cells, futures, locks = 0, semaphores = [], events = 0, queues = [] }: TaskGraph): number {
  return cells + futures + locks + semaphores.length + events + queues.length;
}

/** Numbers in ascending order, each with its place. */
function renumbering(used: readonly number[]): ReadonlyMap<number, number> {
  return new Map([...new Set(used)].sort((a, b) => a - b).map((number, place) => [number, place]));
}
