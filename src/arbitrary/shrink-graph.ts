/**
 * Smaller task graphs from a task graph: fewer tasks first, then fewer operations, then simpler ones, then smaller numbers. Every
 * candidate is valid, and keeps the names of tasks, so that a schedule that goes by names still applies to it.
 *
 * Each step makes the graph smaller by a measure, the first of these that changes: tasks, operations, operations that are no turn, tasks
 * named by gathers, depths of starts, numbers and flags, cells and futures. So shrinking always ends.
 */
import { checkTaskGraph } from "../graph/check.js";
import { type Body, type Operation, placeBody, type TaskGraph, tasksNamedBy, walkBody } from "../graph/task-graph.js";

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
      if (operation[0] !== "spawn" && operation[0] !== "gather") continue;
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
  return body.flatMap((operation): Operation[] => {
    switch (operation[0]) {
      case "spawn":
      case "await":
      case "cancel": {
        const task = newIndex.get(operation[1]);
        return task === undefined ? [] : [[operation[0], task]];
      }
      case "gather": {
        const tasks = operation[1].flatMap((task) => newIndex.get(task) ?? []);
        return tasks.length === 0 ? [] : [["gather", tasks, operation[2]]];
      }
      case "try":
        return [
          ["try", renumberTasks(operation[1], newIndex), renumberTasks(operation[2], newIndex), renumberTasks(operation[3], newIndex)],
        ];
      default:
        return [operation];
    }
  });
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
    if (operation[0] !== "try") continue;
    for (const part of [operation[1], operation[2], operation[3]]) yield body.toSpliced(index, 1, ...part);
    for (const place of [1, 2, 3] as const) {
      for (const shorter of shorterBodies(operation[place])) yield body.with(index, operation.with(place, shorter) as unknown as Operation);
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
    for (const simpler of simplerOperations(operation)) yield body.with(index, simpler);
  }
}

function* simplerOperations(operation: Operation): Generator<Operation> {
  switch (operation[0]) {
    case "span":
      for (const n of smaller(operation[2])) yield ["span", operation[1], n];
      return;
    case "await":
    case "cancel":
    case "awaitFuture":
      yield ["yield"];
      return;
    case "sleep":
      yield ["yield"];
      for (const ms of smaller(operation[1])) yield ["sleep", ms];
      return;
    case "setResult":
      for (const value of smaller(operation[2])) yield ["setResult", operation[1], value];
      return;
    case "return":
      for (const value of smaller(operation[1])) yield ["return", value];
      return;
    case "gather":
      yield ["yield"];
      for (const [index] of operation[1].entries()) {
        if (operation[1].length > 1) yield ["gather", operation[1].toSpliced(index, 1), operation[2]];
      }
      if (operation[2]) yield ["gather", operation[1], false];
      return;
    case "try":
      for (const place of [1, 2, 3] as const) {
        for (const simpler of simplerBodies(operation[place])) yield operation.with(place, simpler) as unknown as Operation;
      }
      return;
    default:
  }
}

/** 0, and then ever closer to `value`. */
function* smaller(value: number): Generator<number> {
  for (let gap = Math.abs(value); gap >= 1; gap = Math.floor(gap / 2)) yield Math.sign(value) * (Math.abs(value) - gap);
}

/** Without the cells and futures that nothing names. */
function* withoutUnused(graph: TaskGraph): Generator<TaskGraph> {
  const operations = graph.tasks.flatMap(({ body }) => [...walkBody(placeBody(body))].map(({ operation }) => operation));
  const cells = renumbering(operations.flatMap((operation) => (operation[0] === "span" ? [operation[1]] : [])));
  const futures = renumbering(operations.flatMap((operation) => (namesFuture(operation) ? [operation[1]] : [])));
  if (cells.size === graph.cells && futures.size === graph.futures) return;
  const rename = (body: Body): Body =>
    body.map((operation): Operation => {
      if (operation[0] === "try") return ["try", rename(operation[1]), rename(operation[2]), rename(operation[3])];
      if (operation[0] === "span") return ["span", cells.get(operation[1]) ?? 0, operation[2]];
      return namesFuture(operation) ? (operation.with(1, futures.get(operation[1]) ?? 0) as unknown as Operation) : operation;
    });
  yield {
    ...graph,
    cells: cells.size,
    futures: futures.size,
    tasks: graph.tasks.map(({ name, body }) => ({ name, body: rename(body) })),
  };
}

type FutureOperation = Extract<Operation, readonly ["setResult" | "setException" | "cancelFuture" | "awaitFuture", ...unknown[]]>;

function namesFuture(operation: Operation): operation is FutureOperation {
  return ["setResult", "setException", "cancelFuture", "awaitFuture"].includes(operation[0]);
}

/** Numbers in ascending order, each with its place. */
function renumbering(used: readonly number[]): ReadonlyMap<number, number> {
  return new Map([...new Set(used)].sort((a, b) => a - b).map((number, place) => [number, place]));
}
