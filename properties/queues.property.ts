/** Queues under every schedule, held against a list: nothing is lost, nothing comes twice, and nobody waits for what is there. */
import * as fc from "fast-check";
import { LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull, ValueError } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import {
  cancellations,
  finish,
  Line,
  type Pause,
  parameters,
  pause,
  runProgram,
  settle,
  start,
  startUntouched,
  take,
  troubledPause,
  watch,
} from "./small-programs.js";

interface Item {
  readonly priority: number;
}

const firstOf = (items: readonly Item[]): Item | undefined => items[0];
const lastOf = (items: readonly Item[]): Item | undefined => items.at(-1);
/** `toSorted` keeps the order of those that are equal. */
const smallestOf = (items: readonly Item[]): Item | undefined => items.toSorted((a, b) => a.priority - b.priority)[0];

/** A queue beside the list that says what is in it; the list changes in the same step as the queue. */
class CheckedQueue {
  readonly #queue: Queue<Item>;
  readonly #nextOf: (items: readonly Item[]) => Item | undefined;
  readonly #inside: Item[] = [];
  readonly #joining = new Line();
  #unfinished = 0;
  /** How many are in the middle of `get` and of `put`. */
  #getting = 0;
  #putting = 0;

  constructor(queue: Queue<Item>, nextOf: (items: readonly Item[]) => Item | undefined) {
    this.#queue = queue;
    this.#nextOf = nextOf;
  }

  async put(item: Item): Promise<void> {
    this.#putting++;
    try {
      await this.#queue.put(item);
    } finally {
      this.#putting--;
    }
    this.#notePut(item);
  }

  /** As put, where there is a place. */
  putNowait(item: Item): void {
    if (this.#hasPlace) {
      this.#queue.putNowait(item);
      this.#notePut(item);
    } else expect(() => this.#queue.putNowait(item)).toThrow(QueueFull);
  }

  async get(): Promise<void> {
    this.#getting++;
    let item: Item;
    try {
      item = await this.#queue.get();
    } finally {
      this.#getting--;
    }
    this.#noteGot(item);
  }

  /** As get; false where there is no item. */
  getNowait(): boolean {
    if (this.#inside.length > 0) {
      this.#noteGot(this.#queue.getNowait());
      return true;
    }
    expect(() => this.#queue.getNowait()).toThrow(QueueEmpty);
    return false;
  }

  taskDone(): void {
    this.#unfinished--;
    if (this.#unfinished === 0) this.#joining.letGo();
    this.#queue.taskDone();
  }

  async join(): Promise<void> {
    await this.#joining.pass(this.#queue.join(), this.#unfinished === 0);
  }

  /** When nothing is ready nobody waits for what is there. */
  judge(): void {
    if (this.#getting > 0 && this.#inside.length > 0) throw new Error("somebody waits for an item, and there is one");
    if (this.#putting > 0 && this.#hasPlace) throw new Error("somebody waits for a place, and there is one");
    this.#joining.judge();
  }

  /** Takes out and deals with what is left. */
  clear(): void {
    while (this.getNowait()) this.taskDone();
    expect(this.#unfinished).toBe(0);
    expect(() => this.#queue.taskDone()).toThrow(ValueError);
  }

  get #hasPlace(): boolean {
    return this.#queue.maxsize === 0 || this.#inside.length < this.#queue.maxsize;
  }

  #notePut(item: Item): void {
    expect(this.#hasPlace).toBe(true);
    this.#inside.push(item);
    this.#unfinished++;
    expect(this.#queue.qsize()).toBe(this.#inside.length);
  }

  #noteGot(item: Item): void {
    const expected = this.#nextOf(this.#inside);
    expect(item).toBe(expected);
    this.#inside.splice(this.#inside.indexOf(item), 1);
    expect(this.#queue.qsize()).toBe(this.#inside.length);
  }
}

interface Turn {
  readonly before: Pause;
  readonly afterwards: Pause;
  readonly waits: boolean;
  readonly priority: number;
}

/** What a task does at its turn: most of them wait where they have to. */
const turn = fc.record({
  before: troubledPause,
  waits: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  priority: fc.nat(2),
  afterwards: troubledPause,
});
const turns = fc.array(fc.array(turn, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });

// The rarest defects that were tried, a woken putter that does not look again and one that keeps its wake-up when it is cancelled, show in
// one program of 250: 3,600 programs miss one with p < 1e-6, the 1,440 of a build with p < 0.004. The same with a getter shows in one of 100.
test.each<[string, number, (maxsize: number) => CheckedQueue]>([
  ["a queue hands out items in the order in which they came", 0, (maxsize) => new CheckedQueue(new Queue(maxsize), firstOf)],
  ["a LIFO queue hands out the item that came last", 1, (maxsize) => new CheckedQueue(new LifoQueue(maxsize), lastOf)],
  [
    "a priority queue hands out the smallest item, and of equal ones the first",
    2,
    (maxsize) => new CheckedQueue(new PriorityQueue(maxsize, { compare: (a, b) => a.priority - b.priority }), smallestOf),
  ],
])("%s, each once, and nobody waits while it could go on, whoever is cancelled when", async (_name, variant, make) => {
  const program = fc.record({
    maxsize: fc.constantFrom(1, 0, 2, 1),
    producers: turns,
    consumers: turns,
    joiners: fc.array(pause, { maxLength: 2 }),
    cancellations,
  });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ maxsize, producers, consumers, joiners, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const queue = make(maxsize);
        const produce = async ({ before, waits, priority, afterwards }: Turn): Promise<void> => {
          await take(before);
          if (waits) await queue.put({ priority });
          else queue.putNowait({ priority });
          await take(afterwards);
        };
        const consume = async ({ before, waits, afterwards }: Turn): Promise<void> => {
          await take(before);
          if (waits) await queue.get();
          else if (!queue.getNowait()) return;
          try {
            await take(afterwards);
          } finally {
            queue.taskDone();
          }
        };
        const oneAfterAnother = (does: (one: Turn) => Promise<void>) => (plan: readonly Turn[]) => async () => {
          for (const one of plan) await does(one);
        };
        const bodies = [...producers.map(oneAfterAnother(produce)), ...consumers.map(oneAfterAnother(consume))];
        const joining = startUntouched(
          joiners.map((before) => async () => {
            await take(before);
            await queue.join();
          }),
        );
        const working = start(bodies, cancelling);
        await watch(() => {
          queue.judge();
        });
        for (const task of working) task.cancel();
        await settle();
        queue.clear();
        await settle();
        queue.judge();
        await finish([...working, ...joining, ...startUntouched([async () => queue.join()])]);
      });
    }),
    parameters(1_200, variant),
  );
});
