/**
 * What happened in a run, in order, as plain data. The format is shared with other asyncio implementations: one JSON object a line.
 */

/** A value that a trace can hold. */
export type TraceValue = null | boolean | number | string | readonly TraceValue[] | { readonly error: string };

/** A task that waits in a deadlock: the innermost operation that it has not finished. */
export interface TraceWaiting {
  readonly task: string;
  readonly op?: string;
  readonly name?: string;
}

/**
 * One line of a trace. `begin` and `finish` are of a task; `start`, `end` and `error` of an operation; `exit` of the run.
 *
 * @since 0.1.0
 */
export interface TraceEvent {
  /** Virtual time in whole milliseconds. */
  readonly t: number;
  /** The task's name; only `exit` has none. */
  readonly task?: string;
  /** The operation's place in its task: indices joined by dots. */
  readonly op?: string;
  /** The operation's name. */
  readonly name?: string;
  readonly phase: "begin" | "start" | "end" | "error" | "finish" | "exit";
  /** Left out where it is null. */
  readonly value?: TraceValue;
  /** `RuntimeError: boom`; of a graph, `CancelledError`, `TimeoutError` and `InvalidStateError` stand without their message. */
  readonly error?: string;
  readonly waiting?: readonly TraceWaiting[];
  /** `src/pool.ts:41:20`: where the task stands, in traces of code that is no task graph. */
  readonly site?: string;
}

/** A trace as JSON Lines, each line ended by a newline. The same trace gives the same bytes. */
export function formatTrace(trace: readonly TraceEvent[]): string {
  return trace.map((event) => `${formatTraceEvent(event)}\n`).join("");
}

/** One line of a trace; the keys stand in the order of {@link TraceEvent}. */
export function formatTraceEvent(event: TraceEvent): string {
  const { t, task, op, name, phase, value, error, waiting, site } = event;
  return JSON.stringify({ t, task, op, name, phase, value, error, waiting, site });
}
