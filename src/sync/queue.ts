/**
 * Queues: `Queue`, `LifoQueue` and `PriorityQueue`, as in asyncio.
 *
 * Invariant: who waits in `get` was there when the queue was empty, who waits in `put` when it was full. Each item that comes wakes one
 * getter, each that goes one putter; a woken one that is cancelled before it goes on wakes the next. Whoever calls in between may be
 * first all the same, and then the woken one waits again.
 */
import { describeValue, QueueEmpty, QueueFull, UsageError, ValueError } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import { noteRead, noteWrite } from "../loop/footprint.js";
import { inspectKey } from "../loop/inspect.js";
import { Heap } from "./heap.js";
import { Primitive } from "./primitive.js";
import { Takers } from "./takers.js";
import { nameOf, type PrimitiveOptions, Waiters } from "./waiters.js";

/** Where a queue keeps its items, in the order in which they come out. */
interface Items<T> {
  readonly length: number;
  add(item: T): void;
  /** Takes out the next one; called only when there is one. */
  take(): T;
}

/** First in, first out. Items are taken from a moving head, so that both ends cost O(1). */
class Fifo<T> implements Items<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    const item = this.#items[this.#head] as T; // it has one
    this.#items[this.#head++] = undefined as T; // nobody reads it again, and what it held can be collected
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

/** Last in, first out. */
class Lifo<T> implements Items<T> {
  readonly #items: T[] = [];

  get length(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.pop() as T; // it has one
  }
}

/** The smallest first; of equal ones, that which came first. */
class Sorted<T> implements Items<T> {
  readonly #heap: Heap<{ readonly item: T; readonly sequence: number }>;
  #sequence = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#heap = new Heap((a, b) => {
      const order = compare(a.item, b.item);
      return order < 0 || (order === 0 && a.sequence < b.sequence);
    });
  }

  get length(): number {
    return this.#heap.length;
  }

  add(item: T): void {
    this.#heap.add({ item, sequence: this.#sequence++ });
  }

  take(): T {
    return (this.#heap.takeFirst() as { readonly item: T }).item; // it has one
  }
}

/** Under this key the classes below hand in how they keep their items; nobody else has it. */
const ITEMS: unique symbol = Symbol("heddle: items of a queue");

/**
 * First in, first out. `maxsize` items at most, 0 for any number.
 *
 * The constructor throws UsageError unless `maxsize` is a whole number from 0 on.
 *
 * @example
 * const jobs = new Queue<string>(10);
 * createTask(async () => {
 *   for (;;) { await handle(await jobs.get()); jobs.taskDone(); }
 * });
 * await jobs.put("a");
 * await jobs.join(); // until taskDone() was called for each item
 * @since 0.2.0
 */
export class Queue<T = unknown> extends Primitive {
  readonly #name: string | undefined;
  readonly #maxsize: number;
  readonly #items: Items<T>;
  readonly #getters: Takers<T, undefined>;
  readonly #putters: Takers<void, T>;
  readonly #joiners: Waiters;
  #unfinished = 0;

  constructor(maxsize = 0, options: PrimitiveOptions = {}) {
    const { name } = options;
    super("queue", name);
    const { [ITEMS]: items } = options as { readonly [ITEMS]?: Items<T> }; // see above
    if (!Number.isSafeInteger(maxsize) || maxsize < 0) {
      throw new UsageError(`Queue: maxsize must be a whole number, 0 or more, not ${describeValue(maxsize)}`);
    }
    this.#maxsize = maxsize;
    this.#name = name;
    this.#items = items ?? new Fifo<T>();
    this.#getters = new Takers(this, () => `an item of queue${nameOf(name)}, which is empty`, {
      isPossible: () => !this.empty(),
      take: () => this.getNowait(),
    });
    this.#putters = new Takers(this, () => `a place in queue${nameOf(name)}, which is full`, {
      isPossible: () => !this.full(),
      take: (item) => {
        this.putNowait(item);
      },
    });
    this.#joiners = new Waiters(() => `the items of queue${nameOf(name)} to be done`);
  }

  /** How many items it can hold; 0 for any number. */
  get maxsize(): number {
    return this.#maxsize;
  }

  /** How many items it holds. */
  qsize(): number {
    noteRead(this);
    return this.#items.length;
  }

  empty(): boolean {
    noteRead(this);
    return this.#isEmpty;
  }

  full(): boolean {
    noteRead(this);
    return this.#isFull;
  }

  /** Adds an item; waits as long as the queue is full. */
  put(item: T): Coroutine<void> {
    return new Coroutine(() => {
      if (this.#isFull) return this.#putters.join(item);
      this.putNowait(item);
      return undefined;
    }, "Queue.put");
  }

  /** Adds an item. Throws QueueFull where {@link put} would wait. */
  putNowait(item: T): void {
    if (this.#isFull) {
      noteRead(this);
      throw new QueueFull();
    }
    noteWrite(this);
    this.#items.add(item);
    this.#unfinished++;
    this.#getters.wakeNext();
  }

  /**
   * Takes out the next item; waits as long as the queue is empty. An item that is a promise or a future is awaited on the way out, which
   * the language does to every result; {@link getNowait} hands it out as it is. In a `Promise.all` of several gets a cancellation loses the item
   * of one that was woken; `gather` makes each a task of its own.
   */
  get(): Coroutine<T> {
    return new Coroutine(() => (this.#isEmpty ? this.#getters.join(undefined) : this.getNowait()), "Queue.get");
  }

  /** Takes out the next item. Throws QueueEmpty where {@link get} would wait. */
  getNowait(): T {
    if (this.#isEmpty) {
      noteRead(this);
      throw new QueueEmpty();
    }
    noteWrite(this);
    const item = this.#items.take();
    this.#putters.wakeNext();
    return item;
  }

  /** Says that an item that was taken out is dealt with. Throws ValueError when there were not so many. */
  taskDone(): void {
    noteWrite(this);
    if (this.#unfinished <= 0) throw new ValueError("taskDone() called too many times");
    this.#unfinished--;
    if (this.#unfinished === 0) this.#joiners.wake(Number.POSITIVE_INFINITY);
  }

  /** Waits until {@link taskDone} was called for every item that was put. */
  join(): Coroutine<void> {
    return new Coroutine(() => {
      noteRead(this);
      return this.#unfinished > 0 ? this.#joinInTurn() : undefined;
    }, "Queue.join");
  }

  [inspectKey](): string {
    const waiting = `${describeCount("getters", this.#getters.length)}${describeCount("putters", this.#putters.length)}`;
    return `<${this.constructor.name}${nameOf(this.#name)} ${this.qsize()} of ${this.#maxsize === 0 ? "any number" : this.#maxsize}${waiting}>`;
  }

  get #isEmpty(): boolean {
    return this.#items.length === 0;
  }

  get #isFull(): boolean {
    return this.#maxsize > 0 && this.#items.length >= this.#maxsize;
  }

  /** Whoever was woken goes on, also when another item was put meanwhile. */
  async #joinInTurn(): Promise<void> {
    const waiter = this.#joiners.join();
    try {
      await waiter;
    } finally {
      this.#joiners.leave(waiter);
    }
  }
}

function withItems<T>(options: PrimitiveOptions, items: Items<T>): PrimitiveOptions {
  return { ...options, [ITEMS]: items } as PrimitiveOptions; // with one more that only Queue looks at
}

function describeCount(what: string, count: number): string {
  return count === 0 ? "" : `, ${what}: ${count}`;
}

/**
 * Last in, first out.
 *
 * @since 0.2.0
 */
export class LifoQueue<T = unknown> extends Queue<T> {
  constructor(maxsize = 0, options: PrimitiveOptions = {}) {
    super(maxsize, withItems(options, new Lifo<T>()));
  }
}

export interface PriorityQueueOptions<T> extends PrimitiveOptions {
  /**
   * Negative when `a` comes out before `b`. Default: numbers and texts by `<`, lists by their first items that differ; for anything else
   * putting it throws UsageError.
   */
  readonly compare?: (a: T, b: T) => number;
}

/**
 * The smallest item first; of equal ones, that which was put first.
 *
 * @example
 * const jobs = new PriorityQueue<[number, string]>();
 * jobs.putNowait([2, "later"]);
 * jobs.putNowait([1, "sooner"]);
 * jobs.getNowait(); // [1, "sooner"]
 * @since 0.2.0
 */
export class PriorityQueue<T = unknown> extends Queue<T> {
  constructor(maxsize = 0, { compare = compareItems, ...options }: PriorityQueueOptions<T> = {}) {
    super(maxsize, withItems(options, new Sorted<T>(compare)));
  }
}

/** As Python compares: lists by the first items that differ, then by length. */
function compareItems(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (const [index, item] of a.entries()) {
      if (index >= b.length) return 1;
      const order = compareItems(item, b[index]);
      if (order !== 0) return order;
    }
    return a.length === b.length ? 0 : -1;
  }
  const [left, right] = [a, b].map((item) => (typeof item === "object" && item !== null ? item.valueOf() : item));
  const isOrdered = typeof left === typeof right && ORDERED.has(typeof left) && !Number.isNaN(left) && !Number.isNaN(right);
  if (!isOrdered) throw new UsageError(`PriorityQueue: has no order for ${describeValue(a)} and ${describeValue(b)}; pass { compare }`);
  const [x, y] = [left as number, right as number]; // or two of another type that the language compares
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The types of which any two can be compared. A date is a number by its value. */
const ORDERED: ReadonlySet<string> = new Set(["number", "string", "bigint", "boolean"]);
