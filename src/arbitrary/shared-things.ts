/**
 * What the tasks of a random graph meet at, and the operations on it. There is little of each, so that many meet at the same.
 *
 * Most graphs are to end, and what a task waits for for ever hides what the others do. So a task that has others still to start completes
 * rather than waits, queues are given about as much as is taken, and what nobody completes is completed at the end.
 */
import { type Operation, type OperationName, placeBody, type TaskGraph, walkBody } from "../graph/task-graph.js";
import type { Dice } from "./dice.js";
import { type GraphShape, SHARED_KINDS, type SharedKind } from "./graph-shape.js";

const MESSAGES = ["boom", "crash"];

/** How many futures, locks, semaphores, events and queues there are. */
const COUNTS = [0, 0, 1, 1, 2];
/** Nobody takes a semaphore that begins with 0, so there are few of them. */
const SEMAPHORES = [0, ...new Array<number>(11).fill(1), ...new Array<number>(8).fill(2)];
const QUEUES = [0, 1, 1, 2];

/** Operations behind which a task goes on, whatever others do. */
const GOING_ON: ReadonlySet<OperationName> = new Set([
  "span",
  "yield",
  "sleep",
  "spawn",
  "cancel",
  "setEvent",
  "clearEvent",
  "cancelFuture",
]);

const FUTURE_COMPLETIONS: readonly OperationName[] = ["setResult", "setException", "cancelFuture"];

export class SharedThings {
  readonly counts: Omit<Required<TaskGraph>, "version" | "tasks">;
  /** The kinds of which there is something. */
  readonly kinds: readonly SharedKind[];
  readonly #dice: Dice;
  /** How many more puts than gets were drawn for each queue. */
  readonly #surplus: number[];

  constructor(dice: Dice, shape: GraphShape, tasks: number) {
    this.#dice = dice;
    const count = (kind: SharedKind): number => (shape.isSharing && shape.mix[kind] > 0 ? dice.pick(COUNTS) : 0);
    const sizes = (kind: SharedKind, from: readonly number[]): readonly number[] =>
      Array.from({ length: count(kind) }, () => dice.pick(from));
    this.counts = {
      cells: shape.isSharing ? 1 + dice.draw(2) : tasks,
      futures: count("future"),
      locks: count("lock"),
      semaphores: sizes("semaphore", SEMAPHORES).map((value) => (shape.mayDeadlock ? value : Math.max(1, value))),
      events: count("event"),
      queues: sizes("queue", QUEUES),
    };
    this.kinds = SHARED_KINDS.filter((kind) => this.countOf(kind) > 0);
    this.#surplus = this.counts.queues.map(() => 0);
  }

  countOf(kind: SharedKind): number {
    switch (kind) {
      case "future":
        return this.counts.futures;
      case "lock":
        return this.counts.locks;
      case "semaphore":
        return this.counts.semaphores.length;
      case "event":
        return this.counts.events;
      case "queue":
        return this.counts.queues.length;
    }
  }

  /** A random operation on one of a kind; `isEarly` for one that should not wait, as others are still to be started behind it. */
  operation(kind: "future" | "event" | "queue", isEarly: boolean): Operation {
    const index = this.#dice.draw(this.countOf(kind));
    switch (kind) {
      case "future":
        return this.#futureOperation(index, isEarly);
      case "event":
        return this.#eventOperation(index, isEarly);
      case "queue":
        return this.#queueOperation(index, isEarly);
    }
  }

  #futureOperation(future: number, isEarly: boolean): Operation {
    switch (this.#dice.draw(isEarly ? 5 : 8)) {
      case 0:
        return ["setException", future, this.#dice.pick(MESSAGES)];
      case 1:
        return ["cancelFuture", future];
      case 2:
      case 3:
      case 4:
        return ["setResult", future, this.#dice.draw(10)];
      default:
        return ["awaitFuture", future];
    }
  }

  #eventOperation(event: number, isEarly: boolean): Operation {
    switch (this.#dice.draw(isEarly ? 4 : 8)) {
      case 0:
        return ["clearEvent", event];
      case 1:
      case 2:
      case 3:
        return ["setEvent", event];
      default:
        return ["waitEvent", event];
    }
  }

  /** A put or a get, rather the one of which there are fewer. */
  #queueOperation(queue: number, isEarly: boolean): Operation {
    const surplus = this.#surplus[queue] ?? 0;
    const size = this.counts.queues[queue] ?? 0;
    return this.#putOrGet(queue, isEarly ? size === 0 || surplus < size : this.#dice.draw(4) < 2 - Math.sign(surplus));
  }

  #putOrGet(queue: number, isPut: boolean): Operation {
    this.#surplus[queue] = (this.#surplus[queue] ?? 0) + (isPut ? 1 : -1);
    return isPut ? ["put", queue, this.#dice.draw(10)] : ["get", queue];
  }

  /** An operation that waits for the first of a kind, unless it is there already. */
  waiting(kind: "future" | "event" | "queue"): Operation {
    switch (kind) {
      case "future":
        return ["awaitFuture", 0];
      case "event":
        return ["waitEvent", 0];
      case "queue":
        return this.#putOrGet(0, this.counts.queues[0] !== 0 && this.#dice.chance(50));
    }
  }

  /** Adds to the bodies what completes the futures and events that are awaited, and what balances the queues. */
  complete(bodies: readonly Operation[][]): void {
    for (let future = 0; future < this.counts.futures; future++) {
      this.#complete(bodies, "awaitFuture", FUTURE_COMPLETIONS, ["setResult", future, this.#dice.draw(10)]);
    }
    for (let event = 0; event < this.counts.events; event++) this.#complete(bodies, "waitEvent", ["setEvent"], ["setEvent", event]);
    this.counts.queues.forEach((size, queue) => {
      const surplus = this.#surplus[queue] ?? 0;
      // What waits itself does not go to main, which has tasks to start.
      for (let missing = surplus; missing < 0; missing++) {
        this.#insert(bodies, ["put", queue, this.#dice.draw(10)], size > 0 ? 0 : undefined);
      }
      if (size > 0) for (let over = surplus - size; over > 0; over--) this.#insert(bodies, ["get", queue], 0);
    });
  }

  /**
   * Adds the completion to another task than one that waits, as its own is often behind the wait: where there is none yet, and now and
   * then where the only one is in a task that may never begin.
   */
  #complete(bodies: readonly Operation[][], waiting: OperationName, completing: readonly OperationName[], completion: Operation): void {
    const tasksWith = (names: readonly OperationName[]): readonly number[] =>
      bodies.flatMap((body, task) =>
        [...walkBody(placeBody(body))].some(({ operation: [name, index] }) => names.includes(name) && index === completion[1])
          ? [task]
          : [],
      );
    const [own, ...others] = tasksWith([waiting]);
    if (own === undefined) return;
    const completers = tasksWith(completing).filter((task) => others.length > 0 || task !== own);
    const isDoubtful = completers.length === 1 && completers[0] !== 0 && this.#dice.chance(50);
    if (completers.length === 0 || isDoubtful) this.#insert(bodies, completion, own);
  }

  /** Puts an operation in front of whatever may wait for ever in a body, but not in that of task `own`; often in that of main. */
  #insert(bodies: readonly Operation[][], operation: Operation, own: number | undefined): void {
    const others = bodies.filter((_, task) => task !== own);
    const body = (this.#dice.chance(65) || others.length === 0 ? others[0] : this.#dice.pick(others)) ?? bodies[0] ?? [];
    const place = body.findIndex(([name]) => !GOING_ON.has(name));
    body.splice(this.#dice.draw((place < 0 ? body.length : place) + 1), 0, operation);
  }
}
