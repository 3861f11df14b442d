/**
 * The checks of a task graph file. Every refusal names the operation and the rule that it breaks.
 */
import { RETURN_WHEN } from "../combine/wait.js";
import { BadInputError } from "../errors/errors.js";
import {
  isStarting,
  makeTaskGraph,
  type Operation,
  type OperationName,
  type PlacedOperation,
  placeBody,
  type SharedField,
  type TaskGraph,
  tasksNamedBy,
} from "./task-graph.js";

/** Operations that hold others may be nested so deep. */
const MAX_DEPTH = 50;
const MAX_SPAN = 1_000_000;
/** There may be so many of each thing that tasks share, and so much in it. */
const MAX_COUNT = 1_000_000;

/** What an index is of, with its article, and the field of the graph that says how many there are. */
const INDEXED = {
  cell: ["a cell", "cells"],
  future: ["a future", "futures"],
  lock: ["a lock", "locks"],
  semaphore: ["a semaphore", "semaphores"],
  event: ["an event", "events"],
  queue: ["a queue", "queues"],
  task: ["a task", "tasks"],
} as const satisfies Readonly<Record<string, readonly [string, SharedField | "tasks"]>>;

type ArgumentKind = keyof typeof INDEXED | "tasks" | "mode" | "ms" | "timeout" | "count" | "value" | "message" | "boolean" | "body";
type Arguments = readonly (readonly [kind: ArgumentKind, label: string])[];

/** What each operation takes, in order. */
const ARGUMENTS: { readonly [Name in OperationName]: Arguments } = {
  span: [
    ["cell", "cell"],
    ["count", "n"],
  ],
  yield: [],
  sleep: [["ms", "ms"]],
  spawn: [["task", "t"]],
  await: [["task", "t"]],
  gather: [
    ["tasks", "tasks"],
    ["boolean", "returnExceptions"],
  ],
  wait: [
    ["tasks", "tasks"],
    ["mode", "mode"],
    ["timeout", "timeout"],
  ],
  asCompleted: [["tasks", "tasks"]],
  taskGroup: [
    ["tasks", "tasks"],
    ["body", "body"],
  ],
  shield: [["task", "t"]],
  timeout: [
    ["ms", "ms"],
    ["body", "body"],
  ],
  cancel: [["task", "t"]],
  setResult: [
    ["future", "f"],
    ["value", "v"],
  ],
  setException: [
    ["future", "f"],
    ["message", "message"],
  ],
  cancelFuture: [["future", "f"]],
  awaitFuture: [["future", "f"]],
  withLock: [
    ["lock", "l"],
    ["body", "body"],
  ],
  withSemaphore: [
    ["semaphore", "s"],
    ["body", "body"],
  ],
  setEvent: [["event", "e"]],
  clearEvent: [["event", "e"]],
  waitEvent: [["event", "e"]],
  put: [
    ["queue", "q"],
    ["value", "v"],
  ],
  get: [["queue", "q"]],
  raise: [["message", "message"]],
  return: [["value", "v"]],
  try: [
    ["body", "body"],
    ["body", "handler"],
    ["body", "final"],
  ],
};

/**
 * Answers `value` as a task graph.
 *
 * Throws BadInputError that names the place, the rule and what was found: a wrong type, an index out of range, a task that is started
 * twice, never, or by itself, an operation that names a task whose start may not have run.
 *
 * @example
 * const graph = checkTaskGraph(JSON.parse(text));
 * @since 0.1.0
 */
export function checkTaskGraph(value: unknown): TaskGraph {
  const file = requireObject(value, "graph");
  if (file["version"] !== 1) throw refusal("version", `must be 1, not ${show(file["version"])}`);
  requireKeys(file, ["version", "cells", "futures", "locks", "semaphores", "events", "queues", "tasks"], "graph");
  const shared = {
    cells: requireCount(file["cells"] ?? 0, "cells"),
    futures: requireCount(file["futures"] ?? 0, "futures"),
    locks: requireCount(file["locks"] ?? 0, "locks"),
    semaphores: requireCounts(file["semaphores"] ?? [], "semaphores"),
    events: requireCount(file["events"] ?? 0, "events"),
    queues: requireCounts(file["queues"] ?? [], "queues"),
  };
  const limits: Limits = {
    ...shared,
    semaphores: shared.semaphores.length,
    queues: shared.queues.length,
    tasks: requireArray(file["tasks"], "tasks").length,
  };
  if (limits.tasks === 0) throw refusal("tasks", "must hold at least main");
  const names = new Set<string>();
  const tasks = requireArray(file["tasks"], "tasks").map((entry, index) => {
    const place = `tasks[${index}]`;
    const task = requireObject(entry, place);
    requireKeys(task, ["name", "body"], place);
    const { name } = task;
    if (typeof name !== "string" || name === "") throw refusal(`${place}.name`, `must be a text that is not empty, not ${show(name)}`);
    if (names.has(name)) throw refusal(`${place}.name`, `${show(name)} is the name of another task`);
    names.add(name);
    checkBody(task["body"], placeOfTask(index, name), "", limits, 1);
    return { name, body: task["body"] as Operation[] }; // checked just now
  });
  const graph = makeTaskGraph({ ...shared, tasks });
  checkStarts(graph);
  return graph;
}

/** How many there are of each that an operation can name. */
type Limits = Readonly<Record<SharedField | "tasks", number>>;

function checkBody(value: unknown, task: string, prefix: string, limits: Limits, depth: number): void {
  const where = prefix === "" ? `${task}.body` : `${task}, operation ${prefix.slice(0, -1)}`;
  if (depth > MAX_DEPTH) throw refusal(where, `is nested deeper than ${MAX_DEPTH} levels`);
  requireArray(value, where).forEach((entry, index) => {
    const path = `${prefix}${index}`;
    const [name, ...args] = requireArray(entry, `${task}, operation ${path}`);
    const isKnown = typeof name === "string" && Object.hasOwn(ARGUMENTS, name);
    const place = `${task}, operation ${path} (${isKnown ? name : show(name)})`;
    if (!isKnown) throw refusal(place, `is no operation; known are ${Object.keys(ARGUMENTS).join(" ")}`);
    const expected = ARGUMENTS[name as OperationName]; // one of its own keys
    if (args.length !== expected.length) {
      const labels = expected.map(([, label]) => label).join(", ") || "none";
      throw refusal(place, `takes ${expected.length} ${expected.length === 1 ? "argument" : "arguments"} (${labels}), not ${args.length}`);
    }
    let part = 0;
    expected.forEach(([kind, label], position) => {
      if (kind === "body") checkBody(args[position], task, `${path}.${part++}.`, limits, depth + 1);
      else checkArgument(kind, label, args[position], place, limits);
    });
  });
}

function checkArgument(kind: Exclude<ArgumentKind, "body">, label: string, value: unknown, place: string, limits: Limits): void {
  switch (kind) {
    case "cell":
    case "future":
    case "lock":
    case "semaphore":
    case "event":
    case "queue":
    case "task": {
      const [noun, field] = INDEXED[kind];
      const last = limits[field] - 1;
      if (!isWhole(value, 0, last)) {
        const range = last < 0 ? "and there are none" : `0 to ${last}`;
        throw refusal(place, `${label} must be the index of ${noun}, ${range}, not ${show(value)}`);
      }
      return;
    }
    case "tasks":
      if (!Array.isArray(value) || value.length === 0) {
        throw refusal(place, `${label} must be a list of tasks that is not empty, not ${show(value)}`);
      }
      for (const task of value) checkArgument("task", `each of ${label}`, task, place, limits);
      return;
    case "mode":
      if (!(RETURN_WHEN as readonly unknown[]).includes(value)) {
        throw refusal(place, `${label} must be one of ${RETURN_WHEN.join(" ")}, not ${show(value)}`);
      }
      return;
    case "ms":
    case "timeout":
      if (!isWhole(value, 0, Number.MAX_SAFE_INTEGER) && !(kind === "timeout" && value === null)) {
        const rule = `a whole number of milliseconds, 0 or more${kind === "timeout" ? ", or null" : ""}`;
        throw refusal(place, `${label} must be ${rule}, not ${show(value)}`);
      }
      return;
    case "count":
      if (!isWhole(value, 0, MAX_SPAN)) throw refusal(place, `${label} must be a whole number from 0 to ${MAX_SPAN}, not ${show(value)}`);
      return;
    case "value":
      if (!Number.isSafeInteger(value)) throw refusal(place, `${label} must be a safe integer, not ${show(value)}`);
      return;
    case "message":
      if (typeof value !== "string") throw refusal(place, `${label} must be a text, not ${show(value)}`);
      return;
    case "boolean":
      if (typeof value !== "boolean") throw refusal(place, `${label} must be true or false, not ${show(value)}`);
  }
}

/**
 * Every task but main is started by exactly one operation, at the top level of a body; and an operation may name only a task that
 * was started earlier in its own body or by the task group around it, or that could be named where its own task was started. So the
 * start of a task that is named has always run.
 */
function checkStarts({ tasks }: TaskGraph): void {
  const startedAt = new Map<number, string>([[0, "run()"]]);
  // One set for all bodies, or a file of ordinary size could ask for more memory than there is: what a body starts joins it after the
  // operation, and leaves it at the end of the body. A body is visited from where it is started, so it sees what its starter could name.
  const visible = new Set<number>();
  const enter = (own: number): OpenBody => ({
    own,
    rest: placeBody(tasks[own]?.body ?? [])[Symbol.iterator](),
    started: [],
    toEnter: [],
    seen: [],
  });
  const open = [enter(0)];
  for (let body = open.at(-1); body !== undefined; body = open.at(-1)) {
    const child = body.toEnter.pop();
    if (child !== undefined) {
      open.push(enter(child));
      continue;
    }
    for (const named of body.started) {
      visible.add(named);
      body.seen.push(named);
    }
    const { value: placed, done } = body.rest.next();
    if (done === true) {
      for (const named of body.seen) visible.delete(named);
      open.pop();
      continue;
    }
    body.started = checkStartsOf(placed, body.own, { tasks, visible, startedAt });
    body.toEnter = body.started.toReversed();
  }
  tasks.forEach(({ name }, index) => {
    if (!startedAt.has(index)) throw refusal(placeOfTask(index, name), "is started by no operation");
  });
}

/** A body on the way from the start of main's to the operation that is checked. */
interface OpenBody {
  readonly own: number;
  readonly rest: Iterator<PlacedOperation, undefined>;
  /** What its last operation started, and what of that is still to be entered. */
  started: readonly number[];
  toEnter: number[];
  /** All that it started before. */
  readonly seen: number[];
}

interface Starts {
  readonly tasks: TaskGraph["tasks"];
  readonly visible: ReadonlySet<number>;
  readonly startedAt: Map<number, string>;
}

/** Checks one operation at the top level of the body of task `own`; answers the tasks that it starts. */
function checkStartsOf(placed: PlacedOperation, own: number, { tasks, visible, startedAt }: Starts): readonly number[] {
  const { operation } = placed;
  const placeOf = ({ path, operation: [name] }: PlacedOperation): string =>
    `${placeOfTask(own, tasks[own]?.name ?? "")}, operation ${path} (${name})`;
  const started = isStarting(operation)
    ? [...new Set(tasksNamedBy(operation))].filter((named) => named !== own && !visible.has(named))
    : [];
  for (const named of started) {
    const elsewhere = startedAt.get(named);
    if (elsewhere !== undefined) throw refusal(placeOf(placed), `starts task ${named}, which is started by ${elsewhere}`);
    startedAt.set(named, placeOf(placed));
  }
  // What the operation has not started yet: each of what it starts goes out of it when it is first named.
  const unnamed = new Set(started);
  if (startsAll(operation)) {
    for (const named of tasksNamedBy(operation)) {
      if (!unnamed.delete(named)) throw refusal(placeOf(placed), `starts task ${named} ${named === own ? "itself" : "a second time"}`);
    }
  }
  const isStarted = new Set(started);
  const requireVisible = (inner: PlacedOperation, named: number): void => {
    if (visible.has(named) || isStarted.has(named)) return; // the second in a task group, around what is inside of it
    const problem =
      named === own
        ? "names its own task"
        : named === 0
          ? "names main"
          : `names task ${named}, whose start may not have run yet when this operation runs`;
    throw refusal(placeOf(inner), problem);
  };
  for (const named of tasksNamedBy(operation)) requireVisible(placed, named);
  for (const part of placed.parts) checkParts(part, placeOf, requireVisible);
  return started;
}

/** Whether everything that the operation names is started by it; other starts name what was started before, too. */
function startsAll([name]: Operation): boolean {
  return name === "spawn" || name === "taskGroup";
}

function checkParts(
  part: readonly PlacedOperation[],
  placeOf: (placed: PlacedOperation) => string,
  requireVisible: (placed: PlacedOperation, named: number) => void,
): void {
  for (const placed of part) {
    if (startsAll(placed.operation)) {
      throw refusal(placeOf(placed), "starts a task inside another operation; starts stand at the top level of a body");
    }
    for (const named of tasksNamedBy(placed.operation)) requireVisible(placed, named);
    for (const inner of placed.parts) checkParts(inner, placeOf, requireVisible);
  }
}

/** `tasks[2] "t2"`; a name may be long. */
function placeOfTask(index: number, name: string): string {
  return `tasks[${index}] ${show(name)}`;
}

function isWhole(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum; // isSafeInteger has checked the type
}

function requireCount(value: unknown, place: string): number {
  if (!isWhole(value, 0, MAX_COUNT)) throw refusal(place, `must be a whole number from 0 to ${MAX_COUNT}, not ${show(value)}`);
  return value as number; // checked by isWhole
}

function requireCounts(value: unknown, place: string): readonly number[] {
  const counts = requireArray(value, place);
  if (counts.length > MAX_COUNT) throw refusal(place, `must hold at most ${MAX_COUNT} numbers, not ${counts.length}`);
  return counts.map((count, index) => requireCount(count, `${place}[${index}]`));
}

function requireArray(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw refusal(place, `must be a list, not ${show(value)}`);
  return value as unknown[];
}

function requireObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refusal(place, `must be an object, not ${show(value)}`);
  return value as Record<string, unknown>; // an object that is no list
}

function requireKeys(object: Readonly<Record<string, unknown>>, known: readonly string[], place: string): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refusal(place, `has no field ${JSON.stringify(unknown.slice(0, 40))}; known are ${known.join(" ")}`);
}

/** A value for a message, cut to a readable length. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : `a ${typeof value}`;
}

function refusal(place: string, problem: string): BadInputError {
  return new BadInputError(`${place}: ${problem}`);
}
