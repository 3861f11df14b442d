/**
 * What footprints promise of the primitives: independent steps can be swapped, and nothing is different afterwards. Random small programs are
 * run in every order, and all orders in which dependent steps come in the same order must show every task the same, and end the same.
 */
import { expect, test } from "vitest";
import { Attempts } from "../../fixtures/search/attempts.js";
import { gather } from "../combine/gather.js";
import { createTask } from "../loop/create-task.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import { Random } from "../random/random.js";
import type { Footprint } from "../schedule/strategy.js";
import { Barrier } from "./barrier.js";
import { Condition } from "./condition.js";
import { Event } from "./event.js";
import { Lock } from "./lock.js";
import { PriorityQueue, Queue } from "./queue.js";
import { BoundedSemaphore, Semaphore } from "./semaphore.js";

const makeThings = () => ({
  lock: new Lock(),
  other: new Lock(),
  semaphore: new Semaphore(1),
  bounded: new BoundedSemaphore(1),
  event: new Event(),
  condition: new Condition(),
  barrier: new Barrier(2),
  queue: new Queue<number>(1),
  sorted: new PriorityQueue<number>(2),
});

interface World extends ReturnType<typeof makeThings> {
  readonly tasks: Task[];
}

type Operation = (world: World, n: number) => unknown;

/** Grouped by what they work on, so that a program has a chance to meet itself. `n` is different in every operation of a program. */
const GROUPS: readonly (readonly Operation[])[] = [
  [
    ({ lock }) => lock.acquire(),
    ({ lock }) => lock.release(),
    ({ lock }) => lock.locked(),
    ({ lock }) => lock.withLock(() => sleep(0)),
    ({ lock, other }) => other.withLock(() => lock.withLock(() => 0)),
    ({ lock, other }) => lock.withLock(() => other.withLock(() => 0)),
    ({ tasks }) => tasks[0]?.cancel(),
  ],
  [
    ({ semaphore }) => semaphore.acquire(),
    ({ semaphore }) => semaphore.release(),
    ({ semaphore }) => semaphore.locked(),
    ({ semaphore }) => semaphore.withPermit(() => sleep(0)),
    ({ bounded }) => bounded.release(),
    ({ bounded }) => bounded.acquire(),
    ({ tasks }) => tasks[0]?.cancel(),
  ],
  [
    ({ event }) => event.wait(),
    ({ event }) => event.set(),
    ({ event }) => event.clear(),
    ({ event }) => event.isSet(),
    ({ tasks }) => tasks[0]?.cancel(),
  ],
  [
    ({ queue }, n) => queue.put(n),
    ({ queue }) => queue.get(),
    ({ queue }, n) => queue.putNowait(n),
    ({ queue }) => queue.getNowait(),
    ({ queue }) => queue.qsize(),
    ({ queue }) => queue.full(),
    ({ queue }) => queue.join(),
    ({ queue }) => queue.taskDone(),
    ({ tasks }) => tasks[0]?.cancel(),
  ],
  [
    ({ sorted }, n) => sorted.put(100 - n),
    ({ sorted }) => sorted.get(),
    ({ sorted }) => sorted.empty(),
    ({ sorted }) => sorted.getNowait(),
  ],
  [
    ({ condition }) => condition.withLock(() => condition.wait()),
    ({ condition }) => condition.withLock(() => condition.notify()),
    ({ condition }) => condition.withLock(() => condition.notifyAll()),
    ({ condition }) => condition.locked(),
    ({ condition }) => condition.notify(),
    ({ tasks }) => tasks[0]?.cancel(),
  ],
  [
    ({ barrier }) => barrier.wait(),
    ({ barrier }) => barrier.nWaiting,
    ({ barrier }) => barrier.broken,
    ({ barrier }) => barrier.abort(),
    ({ barrier }) => barrier.reset(),
    ({ tasks }) => tasks[0]?.cancel(),
  ],
];

interface Step {
  readonly name: string;
  readonly operation: string;
  readonly footprint?: Footprint | undefined;
}

const isDependent = ({ footprint: a }: Step, { footprint: b }: Step): boolean =>
  a!.writes.some((location) => b!.writes.includes(location) || b!.reads.includes(location)) ||
  b!.writes.some((location) => a!.reads.includes(location));

function classOf(steps: readonly Step[]): string {
  const orders = steps.flatMap((later, place) =>
    steps
      .slice(0, place)
      .filter((earlier) => isDependent(earlier, later))
      .map((earlier) => [earlier, later].map(({ name, operation }) => `${name}.${operation}`).join("<")),
  );
  return orders.sort().join();
}

/** A task that does `operations`, a turn before each but the first, and notes in `seen` what each of them answers, or how it fails. */
function startTask(world: World, task: number, operations: readonly Operation[], seen: string[]): void {
  const work = async (): Promise<void> => {
    for (const [place, operation] of operations.entries()) {
      if (place > 0) await sleep(0);
      try {
        seen.push(`${task}.${place}: ${JSON.stringify(await operation(world, 10 * task + place)) ?? "nothing"}`);
      } catch (error) {
        seen.push(`${task}.${place}: ${String(error)}`);
      }
    }
  };
  world.tasks.push(createTask(work, { name: `t${task}` }));
}

// Each of 120 programs has a pair of dependent steps whose order shows, with p > 0.8.
test("runs in which dependent steps come in the same order show and leave the same", { timeout: 60_000 }, async () => {
  const dice = new Random(7, "footprints of primitives");
  let [runs, classes] = [0, 0];
  for (let program = 0; program < 120; program++) {
    const group = GROUPS[program % GROUPS.length]!;
    const bodies = [2, 2, 1].map((length) => Array.from({ length }, () => group[dice.below(group.length)]!));
    let seen: string[] = [];
    const main = async (): Promise<void> => {
      seen = [];
      const world: World = { ...makeThings(), tasks: [] };
      for (const [task, operations] of bodies.entries()) startTask(world, task, operations, seen);
      await gather(world.tasks, { returnExceptions: true });
    };
    const known = new Map<string, string>();
    for await (const { steps, end } of new Attempts(main, { isTracked: true }).everyRun()) {
      const [itsClass, result] = [classOf(steps), [end, ...seen.sort()].join("\n")];
      if (known.has(itsClass)) expect(result, bodies.map((body) => body.map(String).join(" / ")).join("\n")).toBe(known.get(itsClass));
      known.set(itsClass, result);
      runs++;
    }
    classes += known.size;
  }
  // Not one class for each run: there was something to compare.
  expect(runs).toBeGreaterThan(1.3 * classes);
});
