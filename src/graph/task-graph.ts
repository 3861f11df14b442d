/**
 * The task graph: a small concurrent program as data. The format is shared with other asyncio implementations, so that the same file
 * can be run by each and compared event by event; a change to it is a new `version`.
 */
import type { ReturnWhen } from "../combine/wait.js";

/** Operations of a task, in the order in which they run. */
export type Body = readonly Operation[];

/**
 * One operation: an array whose first item is its name. `t` is a task; `f` a future, `l` a lock, `s` a semaphore, `e` an event and `q` a
 * queue, each by index; times are whole milliseconds.
 *
 * - `span cell n`: n times read the cell, add 1, write it back, without any await in between
 * - `yield`: give every other ready task its turn; `sleep ms`: suspend for that much virtual time
 * - `spawn t`: start a task; `await t`: its result, or its exception is raised; `shield t`: the same, but a cancellation stops here
 * - `gather [t…] returnExceptions`: start those not yet started, wait for all; so do `wait [t…] mode ms|null` and `asCompleted [t…]`
 * - `taskGroup [t…] body`: start them in a group around the body; it ends when they all have
 * - `timeout ms body`: the body is cancelled after so long, and TimeoutError raised
 * - `cancel t`: request cancellation
 * - `setResult f v`, `setException f message`, `cancelFuture f`, `awaitFuture f`
 * - `withLock l body`, `withSemaphore s body`, `setEvent e`, `clearEvent e`, `waitEvent e`, `put q v`, `get q`
 * - `raise message`, `return v`
 * - `try body handler final`: the handler runs on an exception, not on a cancellation; final always
 */
export type Operation =
  | readonly ["span", cell: number, n: number]
  | readonly ["yield"]
  | readonly ["sleep", ms: number]
  | readonly ["spawn", task: number]
  | readonly ["await", task: number]
  | readonly ["gather", tasks: readonly number[], returnExceptions: boolean]
  | readonly ["wait", tasks: readonly number[], mode: ReturnWhen, ms: number | null]
  | readonly ["asCompleted", tasks: readonly number[]]
  | readonly ["taskGroup", tasks: readonly number[], body: Body]
  | readonly ["shield", task: number]
  | readonly ["timeout", ms: number, body: Body]
  | readonly ["cancel", task: number]
  | readonly ["setResult", future: number, value: number]
  | readonly ["setException", future: number, message: string]
  | readonly ["cancelFuture", future: number]
  | readonly ["awaitFuture", future: number]
  | readonly ["withLock", lock: number, body: Body]
  | readonly ["withSemaphore", semaphore: number, body: Body]
  | readonly ["setEvent", event: number]
  | readonly ["clearEvent", event: number]
  | readonly ["waitEvent", event: number]
  | readonly ["put", queue: number, value: number]
  | readonly ["get", queue: number]
  | readonly ["raise", message: string]
  | readonly ["return", value: number]
  | readonly ["try", body: Body, handler: Body, final: Body];

export type OperationName = Operation[0];

export interface GraphTask {
  readonly name: string;
  readonly body: Body;
}

/**
 * A program of tasks. `tasks[0]` is main; every other task is started by exactly one operation.
 *
 * @since 0.1.0
 */
export interface TaskGraph {
  readonly version: 1;
  /** How many shared integers there are, all 0 at the start. */
  readonly cells: number;
  /** How many plain futures there are. */
  readonly futures: number;
  /** How many locks there are. Default 0. */
  readonly locks?: number;
  /** The initial value of each semaphore. Default none. */
  readonly semaphores?: readonly number[];
  /** How many events there are. Default 0. */
  readonly events?: number;
  /** The maximum size of each queue, 0 for unbounded. Default none. */
  readonly queues?: readonly number[];
  readonly tasks: readonly GraphTask[];
}

/** An operation with its place in its task: indices joined by dots, as traces name it. */
export interface PlacedOperation {
  readonly operation: Operation;
  readonly path: string;
  /** The bodies in it: of a `try` its body, handler and final; of a `taskGroup`, `timeout`, `withLock`, `withSemaphore` the only one. */
  readonly parts: readonly (readonly PlacedOperation[])[];
}

/** The bodies that stand inside of an operation, in order. */
export function partsOf(operation: Operation): readonly Body[] {
  switch (operation[0]) {
    case "try":
      return [operation[1], operation[2], operation[3]];
    case "taskGroup":
    case "timeout":
    case "withLock":
    case "withSemaphore":
      return [operation[2]];
    default:
      return [];
  }
}

/** The same operation with other bodies inside. */
export function withParts(operation: Operation, parts: readonly Body[]): Operation {
  switch (operation[0]) {
    case "try":
      return ["try", parts[0] ?? [], parts[1] ?? [], parts[2] ?? []];
    case "taskGroup":
    case "timeout":
    case "withLock":
    case "withSemaphore":
      return operation.with(2, parts[0] ?? []) as unknown as Operation; // its second argument is its body
    default:
      return operation;
  }
}

/** Places every operation of a body. */
export function placeBody(body: Body, prefix = ""): readonly PlacedOperation[] {
  return body.map((operation, index) => {
    const path = `${prefix}${index}`;
    return { operation, path, parts: partsOf(operation).map((part, place) => placeBody(part, `${path}.${place}.`)) };
  });
}

/** Every operation of a body, those inside others too, in the order of the text. */
export function* walkBody(body: readonly PlacedOperation[]): Generator<PlacedOperation> {
  for (const placed of body) {
    yield placed;
    for (const part of placed.parts) yield* walkBody(part);
  }
}

/** The tasks that an operation names; not those that operations inside of it name. */
export function tasksNamedBy(operation: Operation): readonly number[] {
  switch (operation[0]) {
    case "spawn":
    case "await":
    case "shield":
    case "cancel":
      return [operation[1]];
    case "gather":
    case "wait":
    case "asCompleted":
    case "taskGroup":
      return operation[1];
    default:
      return [];
  }
}

/** Whether the operation starts those of the tasks that it names which were not started before. */
export function isStarting(operation: Operation): boolean {
  return ["spawn", "gather", "wait", "asCompleted", "taskGroup"].includes(operation[0]);
}

/** What tasks share: by the name of the field that says how many there are. */
export type SharedField = "cells" | "futures" | "locks" | "semaphores" | "events" | "queues";

/** What the second item of an operation is an index of, where that is shared. */
export function sharedBy(operation: Operation): SharedField | undefined {
  switch (operation[0]) {
    case "span":
      return "cells";
    case "setResult":
    case "setException":
    case "cancelFuture":
    case "awaitFuture":
      return "futures";
    case "withLock":
      return "locks";
    case "withSemaphore":
      return "semaphores";
    case "setEvent":
    case "clearEvent":
    case "waitEvent":
      return "events";
    case "put":
    case "get":
      return "queues";
    default:
      return undefined;
  }
}

/** A graph in which the optional fields stand only where there is something in them, so that the same graph is the same text. */
export function makeTaskGraph(fields: Required<Omit<TaskGraph, "version">>): TaskGraph {
  const { cells, futures, locks, semaphores, events, queues, tasks } = fields;
  return {
    version: 1,
    cells,
    futures,
    ...(locks > 0 && { locks }),
    ...(semaphores.length > 0 && { semaphores }),
    ...(events > 0 && { events }),
    ...(queues.length > 0 && { queues }),
    tasks,
  };
}
