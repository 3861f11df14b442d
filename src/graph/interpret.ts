/**
 * Runs a task graph on a loop and tells its trace.
 */

import { asCompleted } from "../combine/as-completed.js";
import { gather } from "../combine/gather.js";
import { shield } from "../combine/shield.js";
import { type TaskGroup, taskGroup } from "../combine/task-group.js";
import { timeout } from "../combine/timeout.js";
import { wait } from "../combine/wait.js";
import { CancelledError, describeError, RuntimeError } from "../errors/errors.js";
import type { EventLoop } from "../loop/event-loop.js";
import type { Future } from "../loop/future.js";
import type { Completion } from "../loop/lifecycle.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import { Event } from "../sync/event.js";
import { Lock } from "../sync/lock.js";
import { Queue } from "../sync/queue.js";
import { Semaphore } from "../sync/semaphore.js";
import type { TraceEvent, TraceValue, TraceWaiting } from "../trace/trace.js";
import { type Operation, type PlacedOperation, placeBody, type TaskGraph } from "./task-graph.js";

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

/** What an operation gives: its value, and the `return` that ended a body in it. */
interface Outcome {
  readonly value: TraceValue;
  readonly returned?: Return | undefined;
}

const NOTHING: Outcome = { value: null };

/** Operations that hold bodies. */
type Compound = Extract<Operation, readonly ["try" | "taskGroup" | "timeout" | "withLock" | "withSemaphore", ...unknown[]]>;

/** What the tasks of a graph share. */
interface Shared {
  readonly cells: number[];
  readonly futures: readonly Future<number>[];
  readonly locks: readonly Lock[];
  readonly semaphores: readonly Semaphore[];
  readonly events: readonly Event[];
  readonly queues: readonly Queue<number>[];
}

function makeShared({ cells, futures, locks = 0, semaphores = [], events = 0, queues = [] }: TaskGraph, loop: EventLoop): Shared {
  const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
  const shared: Shared = {
    cells: new Array<number>(cells).fill(0),
    futures: times(futures, (index) => loop.createFuture<number>(`future ${index}`)),
    locks: times(locks, (index) => new Lock({ name: String(index) })),
    semaphores: semaphores.map((value, index) => new Semaphore(value, { name: String(index) })),
    events: times(events, (index) => new Event({ name: String(index) })),
    queues: queues.map((maxsize, index) => new Queue<number>(maxsize, { name: String(index) })),
  };
  const { locks: made, cells: numbers, semaphores: permits, events: flags, queues: lines } = shared;
  for (const thing of [numbers, ...made, ...permits, ...flags, ...lines]) loop.tracker?.introduce(thing);
  return shared;
}

/** One run of a graph: what its tasks share, the tasks, and the trace. */
export class GraphInterpreter {
  readonly trace: TraceEvent[] = [];
  readonly #placed: PlacedGraph;
  readonly #loop: EventLoop;
  readonly #shared: Shared;
  readonly #tasks: (Task<TraceValue> | undefined)[];
  /** The tasks that began and did not finish, with the operations that they are inside of, outermost first. */
  readonly #open = new Map<number, PlacedOperation[]>();

  constructor(placed: PlacedGraph, loop: EventLoop) {
    this.#placed = placed;
    this.#loop = loop;
    this.#shared = makeShared(placed.graph, loop);
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
        this.trace.push({ ...end, error: "Livelock" });
        return;
      case "starvation":
      case "invariant":
      case "strategy":
        this.trace.push({ ...end, error: describeError(completion.error) });
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
      let outcome: Outcome;
      try {
        const result = this.#runOperation(index, placed);
        outcome = result instanceof Promise ? await result : result;
      } catch (error) {
        this.trace.push({ t: this.#loop.time(), task, op: path, name, phase: "error", error: describeOutcome(error) });
        throw error;
      } finally {
        open.pop();
        const around = open.at(-1);
        if (around !== undefined) this.#label(around.path);
      }
      this.trace.push(withValue({ t: this.#loop.time(), task, op: path, name, phase: "end" }, outcome.value));
      if (outcome.returned !== undefined) return outcome.returned;
    }
    return undefined;
  }

  /** A promise only where the operation can suspend. */
  #runOperation(index: number, placed: PlacedOperation): Outcome | Promise<Outcome> {
    const { operation } = placed;
    switch (operation[0]) {
      case "span":
        return { value: this.#runSpan(operation[1], operation[2]) };
      case "yield":
        return awaiting(sleep(0));
      case "sleep":
        return awaiting(sleep(operation[1]));
      case "spawn":
        this.#startTask(operation[1]);
        return NOTHING;
      case "await":
        return awaiting(this.#task(operation[1]));
      case "shield":
        return awaiting(shield(this.#task(operation[1])));
      case "gather":
        return this.#runGather(operation[1], operation[2]);
      case "wait":
        return this.#runWait(operation);
      case "asCompleted":
        return this.#runAsCompleted(operation[1]);
      case "cancel":
        return { value: this.#task(operation[1]).cancel() };
      case "setResult":
        this.#future(operation[1]).setResult(operation[2]);
        return NOTHING;
      case "setException":
        this.#future(operation[1]).setException(new RuntimeError(operation[2]));
        return NOTHING;
      case "cancelFuture":
        return { value: this.#future(operation[1]).cancel() };
      case "awaitFuture":
        return awaiting(this.#future(operation[1]));
      case "setEvent":
        this.#event(operation[1]).set();
        return NOTHING;
      case "clearEvent":
        this.#event(operation[1]).clear();
        return NOTHING;
      case "waitEvent":
        return awaiting(
          this.#event(operation[1])
            .wait()
            .then(() => null),
        );
      case "put":
        return awaiting(this.#queue(operation[1]).put(operation[2]));
      case "get":
        return awaiting(this.#queue(operation[1]).get());
      case "raise":
        throw new RuntimeError(operation[1]);
      case "return":
        return { value: null, returned: { value: operation[1] } };
      case "try":
      case "taskGroup":
      case "timeout":
      case "withLock":
      case "withSemaphore":
        return this.#runCompound(index, operation, placed).then((returned) => ({ value: null, returned }));
    }
  }

  /** Runs the bodies of an operation; answers the `return` that ended one of them. */
  async #runCompound(index: number, operation: Compound, { parts }: PlacedOperation): Promise<Return | undefined> {
    const [body = []] = parts;
    const runBody = (): Promise<Return | undefined> => this.#runBody(index, body);
    switch (operation[0]) {
      case "try":
        return await this.#runTry(index, parts);
      case "taskGroup":
        return await taskGroup((group) => {
          for (const task of operation[1]) this.#startTask(task, group);
          return runBody();
        });
      case "timeout":
        return await timeout(operation[1], runBody);
      case "withLock":
        return await (this.#shared.locks[operation[1]] as Lock).withLock(runBody); // the checks have seen the index
      case "withSemaphore":
        return await (this.#shared.semaphores[operation[1]] as Semaphore).withPermit(runBody); // see above
    }
  }

  /** Python's `try … except Exception … finally`: a return in the last part overrides whatever was on its way. */
  async #runTry(index: number, [body = [], handler = [], final = []]: PlacedOperation["parts"]): Promise<Return | undefined> {
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

  #runSpan(cell: number, n: number): number {
    const { cells } = this.#shared;
    this.#loop.tracker?.touch(cells, cell, n > 0);
    let value = cells[cell] ?? 0;
    for (let added = 0; added < n; added++) {
      value = (cells[cell] ?? 0) + 1;
      cells[cell] = value;
    }
    return value;
  }

  async #runGather(indices: readonly number[], returnExceptions: boolean): Promise<Outcome> {
    const tasks = this.#started(indices);
    const results = returnExceptions ? await gather(tasks, { returnExceptions }) : await gather(tasks);
    return { value: results.map((result) => (result instanceof Error ? { error: describeOutcome(result) } : result)) };
  }

  async #runWait([, indices, returnWhen, ms]: Extract<Operation, readonly ["wait", ...unknown[]]>): Promise<Outcome> {
    const tasks = this.#started(indices);
    const { done, pending } = await wait(tasks, { returnWhen, timeoutMs: ms ?? undefined });
    const namesOf = (some: ReadonlySet<unknown>): number[] => [...new Set(indices)].filter((index) => some.has(this.#task(index)));
    return { value: [done, pending].map((some) => namesOf(some).sort((a, b) => a - b)) };
  }

  async #runAsCompleted(indices: readonly number[]): Promise<Outcome> {
    const results: TraceValue[] = [];
    for (const next of asCompleted(this.#started(indices))) results.push(await next);
    return { value: results };
  }

  #started(indices: readonly number[]): readonly Task<TraceValue>[] {
    return indices.map((index) => this.#tasks[index] ?? this.#startTask(index));
  }

  #startTask(index: number, creator: Pick<TaskGroup, "createTask"> = this.#loop): Task<TraceValue> {
    const task = creator.createTask(() => this.#runTask(index), { name: this.#nameOf(index) });
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
    return this.#shared.futures[index] as Future<number>; // the checks have seen the index
  }

  #event(index: number): Event {
    return this.#shared.events[index] as Event; // see above
  }

  #queue(index: number): Queue<number> {
    return this.#shared.queues[index] as Queue<number>; // see above
  }
}

/** The outcome of an operation that awaits one thing. */
async function awaiting(thenable: PromiseLike<TraceValue | void>): Promise<Outcome> {
  return { value: (await thenable) ?? null };
}

/** The errors whose message is no part of what asyncio promises stand without it. */
const WITHOUT_MESSAGE = new Set(["CancelledError", "TimeoutError", "InvalidStateError"]);

function describeOutcome(error: unknown): string {
  if (error instanceof RuntimeError) return `RuntimeError: ${error.message}`;
  if (error instanceof AggregateError) return `${error.name}: ${error.errors.map(describeOutcome).join("; ")}`;
  return error instanceof Error && WITHOUT_MESSAGE.has(error.name) ? error.name : describeError(error);
}

function withValue<E extends TraceEvent>(event: E, value: TraceValue): E {
  return value === null ? event : { ...event, value };
}
