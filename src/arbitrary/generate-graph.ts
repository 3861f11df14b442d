/**
 * Drawing a random task graph. It is valid by construction: tasks are drawn where they are started, knowing what may be named there.
 *
 * The mix leans towards what breaks loops: few futures, so that completions stand beside waits and second completions are common; few
 * different delays, so that deadlines are equal; tasks that cancel their siblings while those gather; nested `try`.
 */
import type { Body, GraphTask, Operation, TaskGraph } from "../graph/task-graph.js";

/** The operations that can be weighted. `spawn` and `gather` of new tasks follow from the number of tasks. */
export type MixedOperation = "span" | "yield" | "sleep" | "await" | "gather" | "cancel" | "future" | "raise" | "return" | "try";

export interface GraphShape {
  readonly maxTasks: number;
  /** Operations drawn for a body; starts of tasks, the gather that waits for them and completions of futures come on top. */
  readonly maxOperations: number;
  /** How deep `try` may be nested. */
  readonly maxDepth: number;
  readonly mix: Readonly<Record<MixedOperation, number>>;
  /** Whether tasks share cells and futures; without it each task has a cell of its own and there are no futures. */
  readonly isSharing: boolean;
}

/** A source of whole numbers from 0 to `bound - 1`. */
export type Draw = (bound: number) => number;

const DELAYS = [0, 1, 1, 2, 5, 5, 5, 10, 10, 50];
const MESSAGES = ["boom", "crash"];

/** The share, in percent, of graphs in which each future that is awaited is completed somewhere; in the others some deadlock. */
const COMPLETED_PERCENT = 92;

/** The share, in percent, of tasks that wait for what they have started before they end. */
const JOINED_PERCENT = 60;

export function generateTaskGraph(draw: Draw, shape: GraphShape): TaskGraph {
  return new GraphGenerator(draw, shape).graph();
}

class GraphGenerator {
  readonly #draw: Draw;
  readonly #shape: GraphShape;
  readonly #cells: number;
  readonly #futures: number;
  readonly #bodies: Operation[][];
  readonly #children: readonly number[][];
  readonly #weights: readonly (readonly [MixedOperation, number])[];

  constructor(draw: Draw, shape: GraphShape) {
    this.#draw = draw;
    this.#shape = shape;
    // The larger of two draws: small graphs are what fast-check's bias is for.
    const tasks = 1 + Math.max(draw(shape.maxTasks), draw(shape.maxTasks));
    this.#cells = shape.isSharing ? 1 + draw(2) : tasks;
    this.#futures = shape.isSharing && shape.mix.future > 0 ? draw(4) : 0;
    this.#bodies = Array.from({ length: tasks }, () => []);
    this.#weights = (Object.entries(shape.mix) as [MixedOperation, number][]).filter(([name]) => name !== "future" || this.#futures > 0);
    const children: number[][] = this.#bodies.map(() => []);
    for (let task = 1; task < tasks; task++) {
      // Half of the tasks are main's own, so that graphs are wide rather than deep.
      const parent = this.#chance(50) ? 0 : draw(task);
      children[parent]?.push(task);
    }
    this.#children = children;
  }

  graph(): TaskGraph {
    this.#generateTask(0, []);
    this.#completeFutures();
    const tasks: GraphTask[] = this.#bodies.map((body, index) => ({ name: index === 0 ? "main" : `t${index}`, body }));
    return { version: 1, cells: this.#cells, futures: this.#futures, tasks };
  }

  #generateTask(task: number, visible: readonly number[]): void {
    const toStart = [...(this.#children[task] ?? [])];
    const nameable = [...visible];
    const own: number[] = [];
    const body = this.#bodies[task] ?? [];
    let plain = this.#draw(this.#shape.maxOperations + 1);
    while (toStart.length > 0 || plain > 0) {
      if (toStart.length > 0 && this.#draw(toStart.length + plain) < toStart.length) {
        const started = this.#start(toStart, nameable, body);
        for (const child of started) this.#generateTask(child, nameable);
        nameable.push(...started);
        own.push(...started);
      } else {
        plain--;
        const operation = this.#operation(task, nameable, 1);
        // An early end of main cuts every other task off, so main ends early only inside a try.
        body.push(...(task === 0 && operation.some(([name]) => name === "raise" || name === "return") ? this.#turn() : operation));
      }
    }
    if (own.length > 0 && this.#chance(JOINED_PERCENT)) body.push(["gather", own, this.#chance(50)]);
  }

  /** Adds an operation that starts some of `toStart`, which it takes out of the list and answers. */
  #start(toStart: number[], nameable: readonly number[], body: Operation[]): readonly number[] {
    if (this.#chance(60)) {
      const started = toStart.splice(0, 1);
      for (const child of started) body.push(["spawn", child]);
      return started;
    }
    const started = toStart.splice(0, 1 + this.#draw(4));
    const others = nameable.length > 0 && this.#chance(25) ? [this.#pick(nameable)] : [];
    body.push(["gather", this.#shuffle([...started, ...others]), this.#chance(40)]);
    return started;
  }

  /** One operation, or none where the kind that was drawn is not possible here and a turn is not wanted. */
  #operation(task: number, nameable: readonly number[], depth: number): readonly Operation[] {
    const kind = this.#pickKind();
    switch (kind) {
      case "span":
        return [["span", this.#shape.isSharing ? this.#draw(this.#cells) : task, 1 + this.#draw(5)]];
      case "sleep":
        return [["sleep", this.#pick(DELAYS)]];
      case "await":
      case "cancel":
        return nameable.length > 0 ? [[kind, this.#pick(nameable)]] : this.#turn();
      case "gather":
        return nameable.length > 0 ? [["gather", this.#someOf(nameable), this.#chance(50)]] : this.#turn();
      case "future":
        return [this.#futureOperation()];
      case "raise":
        return [["raise", this.#pick(MESSAGES)]];
      case "return":
        return [["return", this.#draw(10)]];
      case "try":
        return depth > this.#shape.maxDepth ? this.#turn() : [this.#try(task, nameable, depth)];
      case "yield":
        return [["yield"]];
    }
  }

  /** What stands in the place of an operation that is not possible. */
  #turn(): readonly Operation[] {
    return this.#shape.mix.yield > 0 ? [["yield"]] : [];
  }

  #try(task: number, nameable: readonly number[], depth: number): Operation {
    const part = (most: number): Body =>
      Array.from({ length: this.#draw(most + 1) }, () => this.#operation(task, nameable, depth + 1)).flat();
    return ["try", part(3), part(2), part(2)];
  }

  #futureOperation(): Operation {
    const future = this.#draw(this.#futures);
    switch (this.#draw(8)) {
      case 0:
        return ["setException", future, this.#pick(MESSAGES)];
      case 1:
        return ["cancelFuture", future];
      case 2:
      case 3:
      case 4:
        return ["setResult", future, this.#draw(10)];
      default:
        return ["awaitFuture", future];
    }
  }

  #completeFutures(): void {
    if (!this.#chance(COMPLETED_PERCENT)) return;
    const named = new Set(this.#bodies.flat().flatMap((operation) => (isFutureCompletion(operation) ? [operation[1]] : [])));
    for (let future = 0; future < this.#futures; future++) {
      if (named.has(future)) continue;
      const body = this.#pick(this.#bodies);
      body.splice(this.#draw(body.length + 1), 0, ["setResult", future, this.#draw(10)]);
    }
  }

  #pickKind(): MixedOperation {
    const total = this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.#draw(total);
    for (const [kind, weight] of this.#weights) {
      left -= weight;
      if (left < 0) return kind;
    }
    return "yield";
  }

  #someOf(tasks: readonly number[]): readonly number[] {
    return this.#shuffle(tasks).slice(0, 1 + this.#draw(Math.min(3, tasks.length)));
  }

  #shuffle(items: readonly number[]): readonly number[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.#draw(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] ?? 0, shuffled[last] ?? 0];
    }
    return shuffled;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#draw(items.length)] as T; // no caller hands in an empty list
  }

  #chance(percent: number): boolean {
    return this.#draw(100) < percent;
  }
}

function isFutureCompletion(
  operation: Operation,
): operation is Extract<Operation, readonly ["setResult" | "setException" | "cancelFuture", ...unknown[]]> {
  return operation[0] === "setResult" || operation[0] === "setException" || operation[0] === "cancelFuture";
}
