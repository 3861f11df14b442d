/**
 * Runs a task graph on a loop and tells its trace.
 */

import { gather } from "../combine/gather.js";
import { CancelledError, describeError } from "../errors/errors.js";
import type { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import type { Completion } from "../loop/lifecycle.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { TraceEvent, TraceValue, TraceWaiting } from "../trace/trace.js";
import { type PlacedOperation, placeBody, type TaskGraph } from "./task-graph.js";

/** What a graph raises with `raise` and `setException`. */
class GraphError extends Error {
  static {
    this.prototype.name = "RuntimeError";
  }
}

/** A graph with its operations placed once, for many runs. */
export interface PlacedGraph {
  readonly graph: TaskGraph;
  readonly bodies: readonly (readonly PlacedOperation[])[];
}

export function placeGraph(graph: TaskGraph): PlacedGraph {
  return { graph, bodies: graph.tasks.map(({ body }) => placeBody(body)) };
}

/** A `return` on its way out of the bodies around it. */
interface Return {
  readonly value: number;
}

/** One run of a graph: its cells, futures, tasks and trace. */
export class GraphInterpreter {
  readonly trace: TraceEvent[] = [];
  readonly #placed: PlacedGraph;
  readonly #loop: EventLoop;
  readonly #cells: number[];
  readonly #futures: readonly Future<number>[];
  readonly #tasks: (Task<TraceValue> | undefined)[];
  /** The tasks that began and did not finish, with the operations that they are inside of, outermost first. */
  readonly #open = new Map<number, PlacedOperation[]>();

  constructor(placed: PlacedGraph, loop: EventLoop) {
    this.#placed = placed;
    this.#loop = loop;
    this.#cells = new Array<number>(placed.graph.cells).fill(0);
    this.#futures = Array.from({ length: placed.graph.futures }, (_, index) => loop.createFuture<number>(`future ${index}`));
    this.#tasks = placed.graph.tasks.map(() => undefined);
  }

  /** The name of main. */
  get mainName(): string {
    return this.#nameOf(0);
  }

  /** The body of main, for the loop to run. */
  readonly main = (): Promise<TraceValue> => this.#runTask(0);

  /** Tells the end of the run. */
  exit(completion: Completion<unknown>): void {
    const end = { t: this.#loop.time(), phase: "exit" } as const;
    switch (completion.kind) {
      case "result":
        this.trace.push(withValue(end, completion.value as TraceValue)); // what main returned
        return;
      case "deadlock":
        this.trace.push({ ...end, error: "Deadlock", waiting: this.#waiting() });
        return;
      case "error":
        this.trace.push({ ...end, error: describeOutcome(completion.error) });
        return;
      case "livelock":
      case "strategy":
        this.trace.push({ ...end, error: completion.kind === "livelock" ? "Livelock" : describeError(completion.error) });
    }
  }

  #waiting(): TraceWaiting[] {
    return [...this.#open].map(([task, operations]) => {
      const innermost = operations.at(-1);
      return { task: this.#nameOf(task), ...(innermost && { op: innermost.path, name: innermost.operation[0] }) };
    });
  }

  async #runTask(index: number): Promise<TraceValue> {
    const task = this.#nameOf(index);
    this.trace.push({ t: this.#loop.time(), task, phase: "begin" });
    this.#open.set(index, []);
    try {
      const returned = await this.#runBody(index, this.#placed.bodies[index] ?? []);
      const value = returned?.value ?? null;
      this.trace.push(withValue({ t: this.#loop.time(), task, phase: "finish" }, value));
      return value;
    } catch (error) {
      this.trace.push({ t: this.#loop.time(), task, phase: "finish", error: describeOutcome(error) });
      throw error;
    } finally {
      this.#open.delete(index);
    }
  }

  async #runBody(index: number, body: readonly PlacedOperation[]): Promise<Return | undefined> {
    const task = this.#nameOf(index);
    const open = this.#open.get(index) ?? [];
    for (const placed of body) {
      const { operation, path } = placed;
      const [name] = operation;
      this.trace.push({ t: this.#loop.time(), task, op: path, name, phase: "start" });
      open.push(placed);
      this.#label(path);
      let returned: Return | undefined;
      let value: TraceValue = null;
      try {
        if (name === "try") returned = await this.#runTry(index, placed);
        else if (name === "return") returned = { value: operation[1] };
        else {
          const result = this.#runOperation(operation);
          value = result instanceof Promise ? await result : result;
        }
      } catch (error) {
        this.trace.push({ t: this.#loop.time(), task, op: path, name, phase: "error", error: describeOutcome(error) });
        throw error;
      } finally {
        open.pop();
      }
      this.trace.push(withValue({ t: this.#loop.time(), task, op: path, name, phase: "end" }, value));
      if (returned !== undefined) return returned;
    }
    return undefined;
  }

  /** Python's `try … except Exception … finally`: a return in the last part overrides whatever was on its way. */
  async #runTry(index: number, { parts: [body = [], handler = [], final = []] }: PlacedOperation): Promise<Return | undefined> {
    let outcome: () => Return | undefined;
    try {
      const returned = await this.#runBody(index, body).catch((error: unknown) => {
        if (error instanceof CancelledError) throw error;
        return this.#runBody(index, handler);
      });
      outcome = () => returned;
    } catch (error) {
      outcome = () => {
        throw error;
      };
    }
    return (await this.#runBody(index, final)) ?? outcome();
  }

  /** Runs what is neither `try` nor `return`; a promise only where it can suspend. */
  #runOperation(
    operation: Exclude<PlacedOperation["operation"], readonly ["try" | "return", ...unknown[]]>,
  ): TraceValue | Promise<TraceValue> {
    switch (operation[0]) {
      case "span":
        return this.#runSpan(operation[1], operation[2]);
      case "yield":
        return awaiting(sleep(0));
      case "sleep":
        return awaiting(sleep(operation[1]));
      case "spawn":
        this.#startTask(operation[1]);
        return null;
      case "await":
        return awaiting(this.#task(operation[1]));
      case "gather":
        return this.#runGather(operation[1], operation[2]);
      case "cancel":
        return this.#task(operation[1]).cancel();
      case "setResult":
        this.#future(operation[1]).setResult(operation[2]);
        return null;
      case "setException":
        this.#future(operation[1]).setException(new GraphError(operation[2]));
        return null;
      case "cancelFuture":
        return this.#future(operation[1]).cancel();
      case "awaitFuture":
        return awaiting(this.#future(operation[1]));
      case "raise":
        throw new GraphError(operation[1]);
    }
  }

  #runSpan(cell: number, n: number): number {
    let value = this.#cells[cell] ?? 0;
    for (let added = 0; added < n; added++) {
      value = (this.#cells[cell] ?? 0) + 1;
      this.#cells[cell] = value;
    }
    return value;
  }

  async #runGather(indices: readonly number[], returnExceptions: boolean): Promise<TraceValue> {
    const tasks = indices.map((index) => this.#tasks[index] ?? this.#startTask(index));
    const results = returnExceptions ? await gather(tasks, { returnExceptions }) : await gather(tasks);
    return results.map((result) => (result instanceof Error ? { error: describeOutcome(result) } : result));
  }

  #startTask(index: number): Task<TraceValue> {
    const task = this.#loop.createTask(() => this.#runTask(index), { name: this.#nameOf(index) });
    task.operation = "begin";
    this.#tasks[index] = task;
    return task;
  }

  /** Tells schedules where the running task stands. */
  #label(path: string): void {
    const task = this.#loop.currentTask();
    if (task !== undefined) task.operation = path;
  }

  #nameOf(index: number): string {
    return this.#placed.graph.tasks[index]?.name ?? "";
  }

  #task(index: number): Task<TraceValue> {
    return this.#tasks[index] as Task<TraceValue>; // the checks of the graph let an operation name only what was started
  }

  #future(index: number): Future<number> {
    return this.#futures[index] as Future<number>; // the checks have seen the index
  }
}

/** A promise of what a thenable gives, null where it gives nothing. */
async function awaiting(thenable: PromiseLike<TraceValue | void>): Promise<TraceValue> {
  return (await thenable) ?? null;
}

/** The errors whose message is no part of what asyncio promises stand without it. */
const WITHOUT_MESSAGE = new Set(["CancelledError", "TimeoutError", "InvalidStateError"]);

function describeOutcome(error: unknown): string {
  if (error instanceof GraphError) return `RuntimeError: ${error.message}`;
  return error instanceof Error && WITHOUT_MESSAGE.has(error.name) ? error.name : describeError(error);
}

function withValue<E extends TraceEvent>(event: E, value: TraceValue): E {
  return value === null ? event : { ...event, value };
}
