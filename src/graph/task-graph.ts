/**
 * The task graph: a small concurrent program as data. The format is shared with other asyncio implementations, so that the same file
 * can be run by each and compared event by event; a change to it is a new `version`.
 */

/** Operations of a task, in the order in which they run. */
export type Body = readonly Operation[];

/**
 * One operation: an array whose first item is its name. `t` is a task and `f` a future, each by index; times are whole milliseconds.
 *
 * - `span cell n`: n times read the cell, add 1, write it back, without any await in between
 * - `yield`: give every other ready task its turn; `sleep ms`: suspend for that much virtual time
 * - `spawn t`: start a task; `await t`: its result, or its exception is raised
 * - `gather [t…] returnExceptions`: start those not yet started, wait for all
 * - `cancel t`: request cancellation
 * - `setResult f v`, `setException f message`, `cancelFuture f`, `awaitFuture f`
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
  | readonly ["cancel", task: number]
  | readonly ["setResult", future: number, value: number]
  | readonly ["setException", future: number, message: string]
  | readonly ["cancelFuture", future: number]
  | readonly ["awaitFuture", future: number]
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
  readonly tasks: readonly GraphTask[];
}

/** An operation with its place in its task: indices joined by dots, as traces name it. */
export interface PlacedOperation {
  readonly operation: Operation;
  readonly path: string;
  /** The parts of a `try`: body, handler and final. */
  readonly parts: readonly (readonly PlacedOperation[])[];
}

/** Places every operation of a body. */
export function placeBody(body: Body, prefix = ""): readonly PlacedOperation[] {
  return body.map((operation, index) => {
    const path = `${prefix}${index}`;
    const parts = operation[0] === "try" ? operation.slice(1).map((part, place) => placeBody(part as Body, `${path}.${place}.`)) : [];
    return { operation, path, parts }; // what follows the name of a try are bodies
  });
}

/** Every operation of a body, those inside others too, in the order of the text. */
export function* walkBody(body: readonly PlacedOperation[]): Generator<PlacedOperation> {
  for (const placed of body) {
    yield placed;
    for (const part of placed.parts) yield* walkBody(part);
  }
}

/** The tasks that an operation names. */
export function tasksNamedBy(operation: Operation): readonly number[] {
  switch (operation[0]) {
    case "spawn":
    case "await":
    case "cancel":
      return [operation[1]];
    case "gather":
      return operation[1];
    default:
      return [];
  }
}
