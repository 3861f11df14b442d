/**
 * Drawing a random task graph. It is valid by construction: tasks are drawn where they are started, knowing what may be named there.
 *
 * The mix leans towards what breaks loops: few things to meet at, so that many tasks wait at each, and second completions are common; few
 * different delays, so that deadlines are equal; cancellations in the step that wakes a waiter; tasks that cancel their siblings while
 * those gather; nested bodies.
 */
import { RETURN_WHEN } from "../combine/wait.js";
import { type Body, type GraphTask, makeTaskGraph, type Operation, type OperationName, type TaskGraph } from "../graph/task-graph.js";
import { Dice, type Draw, type Weight } from "./dice.js";
import { CONDITIONAL_KINDS, type GraphShape, type MixedOperation, SHARED_KINDS, type SharedKind } from "./graph-shape.js";
import { SharedThings } from "./shared-things.js";

const DELAYS = [0, 1, 1, 2, 5, 5, 5, 10, 10, 50];
const TIMEOUTS = [0, 0, 1, 2, 5, 5, 10];
const MESSAGES = ["boom", "crash"];

/** The share, in percent, of graphs in which what is awaited is completed somewhere and queues balance; in the others some deadlock. */
const COMPLETED_PERCENT = 95;

/** The share, in percent, of tasks that wait for what they have started before they end. */
const JOINED_PERCENT = 60;

/** The share, in percent, of operations in front of the last start of a body that complete rather than wait. */
const EARLY_PERCENT = 90;

/** The share, in percent, of graphs with something shared in which there is a place where many meet, and of tasks that begin there. */
const CROWD_PERCENT = 50;
const CROWDED_PERCENT = 35;

/** The share, in percent, of operations that may wake a task that are followed by its cancellation, in the same step. */
const WAKE_AND_CANCEL_PERCENT = 40;

/** What an operation wakes, of those that wait for the same thing. */
const WAKES: Partial<Record<OperationName, OperationName>> = {
  setResult: "awaitFuture",
  setException: "awaitFuture",
  setEvent: "waitEvent",
  put: "get",
  get: "put",
  withLock: "withLock",
  withSemaphore: "withSemaphore",
};

/** How often `gather` starts tasks, relative to the weights of `wait`, `asCompleted` and `taskGroup`. */
const GATHER_WEIGHT = 3;

/** The kinds that wait for others. */
const WAITING_KINDS: ReadonlySet<MixedOperation> = new Set(["await", "gather", "wait", "asCompleted", "shield", ...SHARED_KINDS]);

/** Where an operation is drawn for. */
interface Place {
  readonly task: number;
  /** The tasks that may be named. */
  readonly nameable: readonly number[];
  /** How many operations stand around it, itself included. */
  readonly depth: number;
  /** Whether it should not wait, as tasks are still to be started behind it. */
  readonly isEarly: boolean;
  /** The locks and semaphores that are held. */
  readonly held: readonly string[];
}

export function generateTaskGraph(draw: Draw, shape: GraphShape): TaskGraph {
  return new GraphGenerator(new Dice(draw), shape).graph();
}

class GraphGenerator {
  readonly #dice: Dice;
  readonly #shape: GraphShape;
  readonly #shared: SharedThings;
  readonly #bodies: Operation[][];
  readonly #children: readonly number[][];
  readonly #weights: readonly Weight<MixedOperation>[];
  readonly #waitingWeights: readonly Weight<MixedOperation>[];
  readonly #startWeights: readonly Weight<"gather" | "wait" | "asCompleted" | "taskGroup">[];
  /** The kind at the first of which many tasks begin with a wait. */
  readonly #crowded: SharedKind | undefined;
  /** Which tasks have an operation, by its name and what it names. */
  readonly #tasksWith = new Map<string, Set<number>>();

  constructor(dice: Dice, shape: GraphShape) {
    this.#dice = dice;
    this.#shape = shape;
    // The larger of two draws: small graphs are what fast-check's bias is for.
    const tasks = 1 + Math.max(dice.draw(shape.maxTasks), dice.draw(shape.maxTasks));
    this.#shared = new SharedThings(dice, shape, tasks);
    const { kinds } = this.#shared;
    this.#crowded = kinds.length > 0 && dice.chance(CROWD_PERCENT) ? dice.pick(kinds) : undefined;
    const isPossible = (kind: MixedOperation): boolean => !CONDITIONAL_KINDS.includes(kind) || kinds.some((shared) => shared === kind);
    this.#weights = (Object.entries(shape.mix) as Weight<MixedOperation>[]).filter(([kind, weight]) => weight > 0 && isPossible(kind));
    this.#waitingWeights = this.#weights.filter(([kind]) => WAITING_KINDS.has(kind));
    this.#startWeights = [
      ["gather", GATHER_WEIGHT],
      ["wait", shape.mix.wait],
      ["asCompleted", shape.mix.asCompleted],
      ["taskGroup", shape.maxDepth > 0 ? shape.mix.taskGroup : 0],
    ];
    this.#bodies = Array.from({ length: tasks }, () => []);
    const children: number[][] = this.#bodies.map(() => []);
    for (let task = 1; task < tasks; task++) {
      // Half of the tasks are main's own, so that graphs are wide rather than deep.
      const parent = dice.chance(50) ? 0 : dice.draw(task);
      children[parent]?.push(task);
    }
    this.#children = children;
  }

  graph(): TaskGraph {
    this.#generateTask(0, []);
    if (this.#dice.chance(COMPLETED_PERCENT)) this.#shared.complete(this.#bodies);
    const tasks = this.#bodies.map((body, index): GraphTask => ({ name: index === 0 ? "main" : `t${index}`, body }));
    return makeTaskGraph({ ...this.#shared.counts, tasks });
  }

  #generateTask(task: number, visible: readonly number[]): void {
    const toStart = [...(this.#children[task] ?? [])];
    const nameable = [...visible];
    const own: number[] = [];
    const body = this.#bodies[task] ?? [];
    const here = (isEarly: boolean): Place => ({ task, nameable, depth: 1, isEarly, held: [] });
    let plain = this.#dice.draw(this.#shape.maxOperations + 1);
    if (task > 0 && plain > 0 && this.#crowded !== undefined && this.#dice.chance(CROWDED_PERCENT)) {
      body.push(...this.#waiting(this.#crowded, here(false)));
      plain--;
    }
    while (toStart.length > 0 || plain > 0) {
      if (toStart.length > 0 && this.#dice.draw(toStart.length + plain) < toStart.length) {
        const started = this.#start(toStart, here(true), body);
        for (const child of started) this.#generateTask(child, nameable);
        nameable.push(...started);
        own.push(...started);
      } else {
        plain--;
        const drawn = this.#operations(here(toStart.length > 0 && this.#dice.chance(EARLY_PERCENT)));
        // An early end of main cuts every other task off, so main ends early only inside of another operation.
        body.push(...(task === 0 && drawn.some(([name]) => name === "raise" || name === "return") ? this.#turn() : drawn));
      }
    }
    if (own.length > 0 && this.#dice.chance(JOINED_PERCENT)) body.push(["gather", own, this.#dice.chance(50)]);
  }

  /** Adds an operation that starts some of `toStart`, which it takes out of the list and answers. */
  #start(toStart: number[], place: Place, body: Operation[]): readonly number[] {
    if (this.#dice.chance(60)) {
      const started = toStart.splice(0, 1);
      for (const child of started) body.push(["spawn", child]);
      return started;
    }
    const kind = this.#dice.pickWeighted(this.#startWeights) ?? "gather";
    const { nameable } = place;
    const started = toStart.splice(0, 1 + this.#dice.draw(4));
    if (kind === "taskGroup") {
      const inside = { ...place, nameable: [...nameable, ...started], depth: place.depth + 1, isEarly: toStart.length > 0 };
      body.push(["taskGroup", this.#dice.shuffle(started), this.#part(3, inside)]);
    } else {
      const others = nameable.length > 0 && this.#dice.chance(25) ? [this.#dice.pick(nameable)] : [];
      body.push(this.#waitingFor(kind, this.#dice.shuffle([...started, ...others])));
    }
    return started;
  }

  #waitingFor(kind: "gather" | "wait" | "asCompleted", tasks: readonly number[]): Operation {
    switch (kind) {
      case "gather":
        return ["gather", tasks, this.#dice.chance(45)];
      case "wait":
        return ["wait", tasks, this.#dice.pick(RETURN_WHEN), this.#dice.chance(40) ? null : this.#dice.pick(TIMEOUTS)];
      case "asCompleted":
        return ["asCompleted", tasks];
    }
  }

  /** An operation and what belongs to it, or none where the kind that was drawn is not possible here and a turn is not wanted. */
  #operations(place: Place, weights = this.#weights): readonly Operation[] {
    const { nameable, depth, held } = place;
    const kind = this.#dice.pickWeighted(weights) ?? "yield";
    // A task that needs what is held here would never end.
    const isAwaitable = nameable.length > 0 && (this.#shape.mayDeadlock || held.length === 0);
    switch (kind) {
      case "span":
        return [["span", this.#shape.isSharing ? this.#dice.draw(this.#shared.counts.cells) : place.task, 1 + this.#dice.draw(5)]];
      case "sleep":
        return [["sleep", this.#dice.pick(DELAYS)]];
      case "await":
      case "shield":
        return isAwaitable ? [[kind, this.#dice.pick(nameable)]] : this.#turn();
      case "cancel":
        return nameable.length > 0 ? [["cancel", this.#dice.pick(nameable)]] : this.#turn();
      case "gather":
      case "wait":
      case "asCompleted":
        return isAwaitable ? [this.#waitingFor(kind, this.#dice.someOf(nameable))] : this.#turn();
      case "future":
      case "event":
      case "queue":
        return this.#meeting(this.#shared.operation(kind, place.isEarly), place);
      case "raise":
        return [["raise", this.#dice.pick(MESSAGES)]];
      case "return":
        return [["return", this.#dice.draw(10)]];
      case "yield":
      case "taskGroup": // which only starts of tasks draw
        return [["yield"]];
      case "try":
      case "timeout":
      case "lock":
      case "semaphore":
        return depth > this.#shape.maxDepth ? this.#turn() : this.#nesting(kind, { ...place, depth: depth + 1 });
    }
  }

  /** What stands in the place of an operation that is not possible. */
  #turn(): readonly Operation[] {
    return this.#shape.mix.yield > 0 ? [["yield"]] : [];
  }

  /** An operation with bodies, for which `inside` is the place. */
  #nesting(kind: "try" | "timeout" | "lock" | "semaphore", inside: Place): readonly Operation[] {
    switch (kind) {
      case "try":
        return [["try", this.#part(3, inside), this.#part(2, inside), this.#part(2, inside)]];
      case "timeout":
        return [["timeout", this.#dice.pick(TIMEOUTS), [...this.#limited(inside), ...this.#part(1, inside)]]];
      case "lock":
      case "semaphore": {
        const index = this.#dice.draw(this.#shared.countOf(kind));
        return this.#mayTake(`${kind} ${index}`, inside.held) ? this.#holding(kind, index, inside) : this.#turn();
      }
    }
  }

  #part(most: number, place: Place): Body {
    return Array.from({ length: this.#dice.draw(most + 1) }, () => this.#operations(place)).flat();
  }

  /** What stands first in a timeout: mostly something that waits. */
  #limited(place: Place): readonly Operation[] {
    return this.#operations(place, this.#waitingWeights.length > 0 && this.#dice.chance(60) ? this.#waitingWeights : this.#weights);
  }

  /** Mostly in one order and none twice: the other way round is a deadlock that hides others. */
  #mayTake(name: string, held: readonly string[]): boolean {
    const last = held.at(-1);
    if (last === undefined) return true;
    if (!this.#shape.mayDeadlock) return false;
    return this.#dice.chance(held.includes(name) ? 5 : name > last ? 100 : 20);
  }

  #holding(kind: "lock" | "semaphore", index: number, inside: Place): readonly Operation[] {
    const body = this.#heldBody({ ...inside, held: [...inside.held, `${kind} ${index}`] });
    return this.#meeting(kind === "lock" ? ["withLock", index, body] : ["withSemaphore", index, body], inside);
  }

  /** What is done with something held: mostly something that suspends, so that others come to wait for it. */
  #heldBody(place: Place): Body {
    const body = [...this.#part(2, place)];
    const pauses: readonly Operation[] = [
      ...(this.#shape.mix.yield > 0 ? [["yield"] as const] : []),
      ...(this.#shape.mix.sleep > 0 ? [["sleep", this.#dice.pick(DELAYS)] as const] : []),
    ];
    const isPausing = body.some(([name]) => name === "yield" || name === "sleep");
    if (pauses.length > 0 && !isPausing && this.#dice.chance(70)) {
      body.splice(this.#dice.draw(body.length + 1), 0, this.#dice.pick(pauses));
    }
    return body;
  }

  /** An operation that waits at the first of a kind. */
  #waiting(kind: SharedKind, place: Place): readonly Operation[] {
    switch (kind) {
      case "future":
      case "event":
      case "queue":
        return this.#meeting(this.#shared.waiting(kind), place);
      case "lock":
      case "semaphore":
        return this.#shape.maxDepth === 0 ? this.#turn() : this.#holding(kind, 0, { ...place, depth: place.depth + 1 });
    }
  }

  /** An operation on something shared; now and then with a cancellation in the same step, of a task that may just be woken by it. */
  #meeting(operation: Operation, { task, nameable }: Place): readonly Operation[] {
    const [name, index] = operation;
    const woken = WAKES[name];
    const candidates = woken === undefined ? [] : nameable.filter((other) => this.#having(woken, index).has(other));
    this.#having(name, index).add(task);
    const isCancelling = this.#shape.mix.cancel > 0 && candidates.length > 0 && this.#dice.chance(WAKE_AND_CANCEL_PERCENT);
    if (!isCancelling) return [operation];
    // With a turn in front, so that who has just been started comes to wait.
    return [...(this.#dice.chance(50) ? this.#turn() : []), operation, ["cancel", this.#dice.pick(candidates)]];
  }

  /** The tasks that have an operation of this name on the same thing, so far. */
  #having(name: OperationName, index: unknown): Set<number> {
    const key = `${name} ${String(index)}`;
    const tasks = this.#tasksWith.get(key) ?? new Set();
    this.#tasksWith.set(key, tasks);
    return tasks;
  }
}
