import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { taskGroup } from "../combine/task-group.js";
import { waitFor } from "../combine/wait-for.js";
import { CancelledError, describeError, QueueEmpty, QueueFull, TimeoutError, UsageError, ValueError } from "../errors/errors.js";
import { createTask } from "../loop/create-task.js";
import { currentTask } from "../loop/current-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { run, runLoop } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import type { Task } from "../loop/task.js";
import type { Strategy } from "../schedule/strategy.js";
import { fifo } from "../strategy/fifo.js";
import { random } from "../strategy/random.js";
import { LifoQueue, PriorityQueue, Queue } from "./queue.js";

/** asyncio's own order, and a hundred others. */
const schedules = (): Strategy[] => [fifo(), ...Array.from({ length: 100 }, (_, seed) => random(seed))];

/** A queue that holds `items` already. */
const filled = <T>(queue: Queue<T>, items: Iterable<T>): Queue<T> => {
  for (const item of items) queue.putNowait(item);
  return queue;
};

/** Everything that is in it, in the order in which it comes out. */
const takeAll = <T>(queue: Queue<T>): T[] => Array.from({ length: queue.qsize() }, () => queue.getNowait());

describe("without waiting", () => {
  test("a queue is empty, then not, then empty again", async () => {
    await run(async () => {
      const queue = new Queue<number>();
      expect([queue.empty(), queue.qsize()]).toEqual([true, 0]);
      await queue.put(1);
      expect([queue.empty(), queue.qsize()]).toEqual([false, 1]);
      expect([await queue.get(), queue.empty()]).toEqual([1, true]);
    });
  });

  test("only a queue with a limit is ever full, which can be read", () => {
    const [endless, small] = [filled(new Queue<number>(), [1, 2, 3]), filled(new Queue<number>(2), [1])];
    expect([endless.maxsize, endless.full(), small.maxsize, small.full()]).toEqual([0, false, 2, false]);
    small.putNowait(2);
    expect(small.full()).toBe(true);
  });

  test("items come out in the order in which they went in", async () => {
    await run(async () => {
      const queue = new Queue<number>();
      for (const item of [1, 3, 2]) await queue.put(item);
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 3, 2]);
    });
  });

  test("what can be had at once is had without a suspension", async () => {
    const log: string[] = [];
    await run(async () => {
      const queue = new Queue<string>(1);
      createTask(async () => log.push("other"));
      await queue.put("item");
      log.push(await queue.get());
      queue.taskDone();
      await queue.join();
      log.push("through");
      await sleep(0);
    });
    expect(log).toEqual(["item", "through", "other"]);
  });

  test("what would have to wait is refused, also outside of a run", () => {
    const queue = new Queue<number>(1);
    expect(() => queue.getNowait()).toThrow(QueueEmpty);
    queue.putNowait(1);
    expect(() => {
      queue.putNowait(2);
    }).toThrow(QueueFull);
    expect([queue.getNowait(), queue.qsize()]).toEqual([1, 0]);
  });

  test("undefined and other empty values are items like any others", async () => {
    await run(async () => {
      const queue = new Queue<unknown>();
      for (const item of [undefined, null, 0, ""]) await queue.put(item);
      expect([queue.qsize(), await queue.get(), queue.getNowait(), await queue.get(), queue.getNowait()]).toEqual([
        4,
        undefined,
        null,
        0,
        "",
      ]);
    });
  });

  test("an item that can be awaited is handed out as it is by getNowait; get answers what it answers, as the language has it", async () => {
    await run(async () => {
      const queue = new Queue<PromiseLike<string>>();
      const tasks = [createTask(async () => "first"), createTask(async () => "second")] as const;
      filled(queue, tasks);
      expect(queue.getNowait()).toBe(tasks[0]);
      expect(await queue.get()).toBe("second");
    });
  });

  test("ten thousand items keep their order through puts and gets in turn", () => {
    const queue = new Queue<number>();
    const taken: number[] = [];
    for (let item = 0; item < 10_000; item++) {
      queue.putNowait(item);
      if (item % 3 === 0) taken.push(queue.getNowait());
    }
    expect([queue.qsize(), taken.length]).toEqual([6_666, 3_334]);
    taken.push(...takeAll(queue));
    expect(taken).toEqual(Array.from({ length: 10_000 }, (_, item) => item));
    expect(queue.empty()).toBe(true);
  });

  test("a limit that is negative or not whole is refused", () => {
    expect(() => new Queue(-1)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: Queue: maxsize must be a whole number, 0 or more, not -1]`,
    );
    expect(() => new Queue(1.3)).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: Queue: maxsize must be a whole number, 0 or more, not 1.3]`,
    );
    expect(() => new Queue({ name: "jobs" } as unknown as number)).toThrow(UsageError);
    expect(() => new LifoQueue(Number.NaN)).toThrow(UsageError);
    expect(() => new PriorityQueue(Number.POSITIVE_INFINITY)).toThrow(UsageError);
  });
});

describe("get", () => {
  test("waits until an item is put", async () => {
    await run(async () => {
      const queue = new Queue<string>();
      const getting = createTask(queue.get());
      getRunningLoop().callLater(10, () => {
        queue.putNowait("item");
      });
      await sleep(5);
      expect(getting.done()).toBe(false);
      expect([await getting, getRunningLoop().time()]).toEqual(["item", 10]);
    });
  });

  test("is handed an item that another task puts, which goes on at once", async () => {
    await run(async () => {
      const queue = new Queue<string>();
      const getting = createTask(queue.get());
      await sleep(0);
      await queue.put("a");
      expect(getting.done()).toBe(false);
      expect(await getting).toBe("a");
      const putting = createTask(queue.put("b"));
      expect([await queue.get(), putting.done()]).toEqual(["b", true]);
    });
  });

  test("of several the first gets the first item", async () => {
    await run(async () => {
      const queue = new Queue<number>();
      const getting = gather(queue.get(), queue.get(), queue.get());
      await sleep(0);
      filled(queue, [1, 2, 3]);
      expect(await getting).toEqual([1, 2, 3]);
    });
  });

  test("that is cancelled is passed over", async () => {
    await run(async () => {
      const queue = new Queue<string>();
      const [first, second] = [createTask(queue.get()), createTask(queue.get())];
      await sleep(0);
      first.cancel();
      await sleep(0);
      expect(first.cancelled()).toBe(true);
      await queue.put("a");
      await sleep(0);
      expect(second.result()).toBe("a");
    });
  });

  test("that is cancelled just before an item comes wakes nobody who would lose the place in line", async () => {
    await run(async () => {
      const queue = new Queue<string>();
      const [a, b, c, d] = [createTask(queue.get()), createTask(queue.get()), createTask(queue.get()), createTask(queue.get())];
      await sleep(0);
      a.cancel();
      queue.putNowait("for b");
      await sleep(0);
      expect([a.cancelled(), await b, inspect(queue)]).toEqual([true, "for b", "<Queue 0 of any number, getters: 2>"]);
      filled(queue, ["for c", "for d"]);
      expect(await gather(c, d)).toEqual(["for c", "for d"]);
    });
  });

  test("that takes too long leaves nobody behind", async () => {
    await run(async () => {
      const queue = new Queue<number>(5);
      await expect(async () => await waitFor(queue.get(), 100)).rejects.toThrow(TimeoutError);
      expect([inspect(queue), getRunningLoop().time()]).toEqual(["<Queue 0 of 5>", 100]);
    });
  });

  test("that was woken and is cancelled before it goes on leaves its item in the queue", async () => {
    await run(async () => {
      const queue = new Queue<number>();
      const getting = createTask(queue.get());
      await sleep(0);
      filled(queue, [1, 2]);
      getting.cancel();
      await expect(async () => await getting).rejects.toThrow(CancelledError);
      expect([await queue.get(), await queue.get()]).toEqual([1, 2]);
    });
  });

  test("that was woken and is cancelled before it goes on wakes the next one", async () => {
    await run(async () => {
      const queue = new Queue<number>();
      const [first, second, third] = [createTask(queue.get()), createTask(queue.get()), createTask(queue.get())];
      await sleep(0);
      filled(queue, [1, 2]);
      first.cancel();
      expect(await gather([first, second, third], { returnExceptions: true })).toEqual([new CancelledError(), 1, 2]);
      expect(queue.empty()).toBe(true);
    });
  });

  test("that was woken waits again, behind the others, when somebody was quicker", async () => {
    const log: string[] = [];
    await run(async () => {
      const queue = new Queue<number>();
      const getter = (name: string) => async (): Promise<void> => {
        log.push(`${name} ${await queue.get()}`);
      };
      const both = gather(getter("a"), getter("b"));
      await sleep(0);
      queue.putNowait(1);
      log.push(`main ${queue.getNowait()}`);
      await sleep(0);
      filled(queue, [2, 3]);
      await both;
    });
    expect(log).toEqual(["main 1", "b 2", "a 3"]);
  });

  test("can be awaited twice at once by one task", async () => {
    await run(async () => {
      const queue = new Queue<number>();
      createTask(async () => filled(queue, [1, 2]));
      expect(await Promise.all([queue.get(), queue.get()])).toEqual([1, 2]);
      expect(inspect(queue)).toBe("<Queue 0 of any number>");
    });
  });
});

describe("put", () => {
  test("waits at the limit, and goes on a step after a get", async () => {
    const log: number[] = [];
    await run(async () => {
      const queue = new Queue<number>(2);
      const putting = createTask(async () => {
        for (let item = 0; item < 3; item++) {
          await queue.put(item);
          log.push(item);
        }
      });
      await sleep(0);
      await sleep(0);
      expect(log).toEqual([0, 1]);
      expect([await queue.get(), log]).toEqual([0, [0, 1]]);
      await sleep(0);
      expect([log, putting.done()]).toEqual([[0, 1, 2], true]);
      expect([await queue.get(), await queue.get()]).toEqual([1, 2]);
    });
  });

  test("on a full queue waits until somebody takes something out", async () => {
    await run(async () => {
      const queue = filled(new Queue<number>(1), [1]);
      const putting = createTask(queue.put(2));
      getRunningLoop().callLater(10, () => queue.getNowait());
      await sleep(5);
      expect(putting.done()).toBe(false);
      await putting;
      expect([getRunningLoop().time(), takeAll(queue)]).toEqual([10, [2]]);
    });
  });

  test("of several that wait puts in order, and a get wakes one of them", async () => {
    const log: string[] = [];
    await run(async () => {
      const queue = new Queue<string>(1);
      const putter = (item: string) => async (): Promise<void> => {
        await queue.put(item);
        log.push(`put ${item}`);
      };
      await gather(putter("a"), putter("b"), putter("c"), putter("d"), async () => {
        for (let count = 0; count < 4; count++) log.push(`got ${await queue.get()}`);
      });
    });
    expect(log).toEqual(["put a", "got a", "put b", "got b", "put c", "got c", "put d", "got d"]);
  });

  test("of several that wait all go on when everything is taken out at once", async () => {
    const log: string[] = [];
    await run(async () => {
      const queue = new Queue<number>(2);
      const putter = (item: number) => async (): Promise<void> => {
        await queue.put(item);
        log.push(`put ${item}`);
      };
      const getter = async (): Promise<void> => {
        await sleep(0);
        for (const item of takeAll(queue)) log.push(`got ${item}`);
      };
      await gather(getter, putter(0), putter(1), putter(2), putter(3));
      expect(queue.qsize()).toBe(2);
    });
    expect(log).toEqual(["put 0", "put 1", "got 0", "got 1", "put 2", "put 3"]);
  });

  test("that is cancelled is passed over, and its item never shows up", async () => {
    await run(async () => {
      const queue = new Queue<string>(1);
      const [a, b, c] = [createTask(queue.put("a")), createTask(queue.put("b")), createTask(queue.put("c"))];
      await sleep(0);
      expect([a.done(), b.done(), inspect(queue)]).toEqual([true, false, "<Queue 1 of 1, putters: 2>"]);
      c.cancel();
      await sleep(0);
      expect([c.cancelled(), inspect(queue)]).toEqual([true, "<Queue 1 of 1, putters: 1>"]);
      expect(queue.getNowait()).toBe("a");
      await sleep(0);
      expect(queue.getNowait()).toBe("b");
      await b;
      expect(inspect(queue)).toBe("<Queue 0 of 1>");
    });
  });

  test("that was woken and is cancelled before it goes on has not put, and raises CancelledError alone", async () => {
    await run(async () => {
      const queue = filled(new Queue<number>(1), [1]);
      const putting = createTask(queue.put(2));
      await sleep(0);
      expect(queue.getNowait()).toBe(1);
      putting.cancel("enough");
      await expect(async () => await putting).rejects.toThrow(new CancelledError("enough"));
      expect(inspect(queue)).toBe("<Queue 0 of 1>");
      await queue.put(2);
      expect(takeAll(queue)).toEqual([2]);
    });
  });

  test("that was woken and is cancelled before it goes on wakes the next one", async () => {
    await run(async () => {
      const queue = filled(new Queue<number>(1), [1]);
      const [first, second] = [createTask(queue.put(2)), createTask(queue.put(3))];
      await sleep(0);
      queue.getNowait();
      first.cancel();
      await second;
      expect([first.cancelled(), takeAll(queue)]).toEqual([true, [3]]);
    });
  });

  test("that is cancelled just before there is room wakes nobody who would lose the place in line", async () => {
    await run(async () => {
      const queue = filled(new Queue<string>(1), ["first"]);
      const tasks = ["a", "b", "c", "d"].map((item) => createTask(queue.put(item)));
      await sleep(0);
      tasks[0]!.cancel();
      expect(queue.getNowait()).toBe("first");
      await sleep(0);
      expect(inspect(queue)).toBe("<Queue 1 of 1, putters: 2>");
      const order = [await queue.get(), await queue.get(), await queue.get()];
      expect(order).toEqual(["b", "c", "d"]);
    });
  });

  test("that nobody awaits does nothing and is reported, as is a get", async () => {
    const loop = new EventLoop({ slowStepMs: Number.POSITIVE_INFINITY });
    await runLoop(loop, async () => {
      const queue = new PriorityQueue<number>();
      void queue.put(1);
      void queue.get();
      void queue.join();
      await sleep(0);
      expect(inspect(queue)).toBe("<PriorityQueue 0 of any number>");
    });
    expect(loop.completion?.kind).toBe("result");
    expect(loop.warnings).toEqual([
      "coroutine Queue.put was never awaited",
      "coroutine Queue.get was never awaited",
      "coroutine Queue.join was never awaited",
    ]);
  });
});

test("producers and consumers over a small queue all finish, in asyncio's order", async () => {
  const log: string[] = [];
  await run(async () => {
    const queue = new Queue<string>(2);
    const produce = (name: string) => async (): Promise<void> => {
      for (let number = 0; number < 3; number++) {
        await queue.put(`${name}${number}`);
        log.push(`put ${name}${number}`);
      }
    };
    const consumers = ["x", "y"].map((name) =>
      createTask(async () => {
        for (;;) {
          log.push(`${name} got ${await queue.get()}`);
          await sleep(0);
          queue.taskDone();
        }
      }),
    );
    await gather(produce("a"), produce("b"));
    await queue.join();
    log.push("joined");
    for (const consumer of consumers) consumer.cancel();
  });
  expect(log).toEqual([
    "put a0",
    "put a1",
    "x got a0",
    "y got a1",
    "put a2",
    "x got a2",
    "put b0",
    "put b1",
    "y got b0",
    "x got b1",
    "put b2",
    "y got b2",
    "joined",
  ]);
});

test("one producer and one consumer over a queue for one item both finish", async () => {
  const taken: number[] = [];
  await run(async () => {
    const queue = new Queue<number>(1);
    await taskGroup((group) => {
      group.createTask(async () => {
        for (let item = 0; item < 5; item++) await queue.put(item);
      });
      group.createTask(async () => {
        for (let count = 0; count < 5; count++) taken.push(await queue.get());
      });
    });
  });
  expect(taken).toEqual([0, 1, 2, 3, 4]);
});

test("under any schedule a woken getter or putter that is cancelled loses no item and no place", async () => {
  let woken = 0;
  for (const strategy of schedules()) {
    await run(
      async () => {
        const queue = new Queue<number>(2);
        const put: number[] = [];
        const got: number[] = [];
        const lines: { readonly put: Task[]; readonly get: Task[] } = { put: [], get: [] };
        const inLine = (line: Task[], work: () => Promise<void>): Task =>
          createTask(async () => {
            line.push(currentTask()!);
            await work();
            line.splice(line.indexOf(currentTask()!), 1);
          });
        const tasks = Array.from({ length: 8 }, (_, item) => [
          inLine(lines.put, async () => {
            await queue.put(item);
            put.push(item);
          }),
          inLine(lines.get, async () => {
            got.push(await queue.get());
          }),
        ]).flat();
        // Where there is an item and somebody waits for one, or a place and somebody waits for that, the first was woken and has not gone on.
        createTask(async () => {
          for (let turn = 0, victims = 0; turn < 30 && victims < 4; turn++, await sleep(0)) {
            const [getter, putter] = [queue.empty() ? undefined : lines.get.shift(), queue.full() ? undefined : lines.put.shift()];
            for (const victim of [getter, putter]) {
              if (victim === undefined) continue;
              victim.cancel();
              victims++;
              woken++;
            }
          }
        });
        await sleep(1);
        const left = put.length - got.length;
        expect(inspect(queue)).toMatch(new RegExp(`^<Queue ${left} of 2`));
        expect([new Set(got).size, put.filter((item) => got.includes(item)).length]).toEqual([got.length, got.length]);
        // Nobody waits for what is there.
        if (!queue.empty()) expect(lines.get).toEqual([]);
        if (!queue.full()) expect(lines.put).toEqual([]);
        for (const task of tasks) task.cancel();
        await gather(tasks, { returnExceptions: true });
        expect(inspect(queue)).toBe(`<Queue ${left} of 2>`);
      },
      { strategy },
    );
  }
  // Of 101 schedules; a put or a get leaves the canceller about an even chance to come before the task that it woke.
  expect(woken).toBeGreaterThan(100);
});

describe("last in, first out", () => {
  test("the item that was put last comes out first", async () => {
    await run(async () => {
      const queue = new LifoQueue<number>();
      for (const item of [1, 3, 2]) await queue.put(item);
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([2, 3, 1]);
    });
  });

  test("it has a limit and waits as any queue does", async () => {
    await run(async () => {
      const queue = filled(new LifoQueue<number>(2, { name: "stack" }), [1, 2]);
      expect(() => {
        queue.putNowait(3);
      }).toThrow(QueueFull);
      const putting = createTask(queue.put(3));
      await sleep(0);
      expect(inspect(queue)).toBe("<LifoQueue stack 2 of 2, putters: 1>");
      expect(await queue.get()).toBe(2);
      await putting;
      expect(takeAll(queue)).toEqual([3, 1]);
    });
  });
});

describe("the smallest first", () => {
  test("the smallest item comes out first", async () => {
    await run(async () => {
      const queue = new PriorityQueue<number>();
      for (const item of [1, 3, 2]) await queue.put(item);
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual([1, 2, 3]);
    });
  });

  test("texts, big integers and dates are compared as the language does", () => {
    expect(takeAll(filled(new PriorityQueue<string>(), ["b", "B", "a", "ab"]))).toEqual(["B", "a", "ab", "b"]);
    expect(takeAll(filled(new PriorityQueue<bigint>(), [2n, -1n, 10n]))).toEqual([-1n, 2n, 10n]);
    const [early, late] = [new Date(1_000), new Date(20_000)];
    expect(takeAll(filled(new PriorityQueue<Date>(), [late, early]))).toEqual([early, late]);
  });

  test("lists are compared by the first items that differ, then by length, however deep", () => {
    const lists: readonly (readonly unknown[])[] = [[2, "a"], [1, "b", 0], [1, "b"], [1, "a"], [], [1]];
    expect(takeAll(filled(new PriorityQueue<readonly unknown[]>(), lists))).toEqual([[], [1], [1, "a"], [1, "b"], [1, "b", 0], [2, "a"]]);
    const nested: readonly (readonly unknown[])[] = [
      [[1, 2], 0],
      [[1], 9],
      [[1, 1], 5],
    ];
    expect(takeAll(filled(new PriorityQueue<readonly unknown[]>(), nested))).toEqual([
      [[1], 9],
      [[1, 1], 5],
      [[1, 2], 0],
    ]);
  });

  test("of equal items that which was put first comes out first, also after others were taken", () => {
    const queue = new PriorityQueue<{ readonly priority: number; readonly name: string }>(0, {
      compare: (a, b) => a.priority - b.priority,
    });
    filled(
      queue,
      ["a2", "b1", "c2", "d1", "e2"].map((name) => ({ priority: Number(name[1]), name })),
    );
    const taken = [queue.getNowait().name];
    for (const name of ["f1", "g2"]) queue.putNowait({ priority: Number(name[1]), name });
    taken.push(...takeAll(queue).map(({ name }) => name));
    expect(taken).toEqual(["b1", "d1", "f1", "a2", "c2", "e2", "g2"]);
  });

  test("an order of one's own decides, the largest first for one", () => {
    expect(takeAll(filled(new PriorityQueue<number>(0, { compare: (a, b) => b - a }), [1, 3, 2]))).toEqual([3, 2, 1]);
  });

  test("ten thousand items come out sorted, and equal ones in the order of their puts", () => {
    const items = Array.from({ length: 10_000 }, (_, put) => ({ key: (put * 7_919) % 100, put }));
    const queue = filled(new PriorityQueue<(typeof items)[number]>(0, { compare: (a, b) => a.key - b.key }), items);
    expect(takeAll(queue)).toEqual(items.toSorted((a, b) => a.key - b.key || a.put - b.put));
  });

  test("it has a limit, and a getter that waits is handed the smallest of what is there when it goes on", async () => {
    await run(async () => {
      const queue = new PriorityQueue<number>(2, { name: "urgent" });
      const getting = createTask(queue.get());
      await sleep(0);
      filled(queue, [2, 1]);
      const putting = createTask(queue.put(0));
      expect(await getting).toBe(1);
      await putting;
      expect([inspect(queue), takeAll(queue)]).toEqual(["<PriorityQueue urgent 2 of 2>", [0, 2]]);
    });
  });
});

describe.each([
  ["Queue", () => new Queue<number>()],
  ["LifoQueue", () => new LifoQueue<number>()],
  ["PriorityQueue", () => new PriorityQueue<number>()],
] as const)("the work of a %s", (_name, make) => {
  test("taskDone more often than items were put is an error", () => {
    const queue = make();
    expect(() => {
      queue.taskDone();
    }).toThrow(new ValueError("taskDone() called too many times"));
    filled(queue, [1]).taskDone(); // asyncio does not ask whether the item was taken out either
    expect(() => {
      queue.taskDone();
    }).toThrow(ValueError);
  });

  test("join waits until taskDone was called for every item", async () => {
    await run(async () => {
      const queue = filled(
        make(),
        Array.from({ length: 100 }, (_, item) => item),
      );
      let sum = 0;
      let isOver = false;
      await taskGroup(async (group) => {
        for (let worker = 0; worker < 2; worker++) {
          group.createTask(async () => {
            while (!isOver) {
              const item = await queue.get();
              await sleep(1);
              sum += item;
              queue.taskDone();
            }
          });
        }
        await queue.join();
        expect([sum, getRunningLoop().time()]).toEqual([4_950, 50]);
        isOver = true;
        filled(queue, [0, 0]);
      });
    });
  });

  test("join is over at once where nothing is to be done, again and again", async () => {
    await run(async () => {
      const queue = make();
      await queue.join();
      await queue.join();
      filled(queue, [1]).taskDone();
      await queue.join();
      expect(getRunningLoop().time()).toBe(0);
    });
  });
});

test("a join that waits is not over for what is put later until that is done too", async () => {
  const log: string[] = [];
  await run(async () => {
    const queue = filled(new Queue<number>(), [1]);
    const joining = createTask(async () => {
      await queue.join();
      log.push(`joined t=${getRunningLoop().time()}`);
    });
    await sleep(1);
    queue.putNowait(2);
    queue.taskDone();
    await sleep(1);
    queue.taskDone();
    await joining;
  });
  expect(log).toEqual(["joined t=2"]);
});

test("a deadlock names the queue and what is missing", async () => {
  const message = await run(async () => {
    const [jobs, nameless] = [filled(new Queue<number>(1, { name: "jobs" }), [1]), new Queue<number>()];
    createTask(jobs.put(2), { name: "producer" });
    createTask(nameless.get(), { name: "consumer" });
    await jobs.join();
  }).catch((error: unknown) => describeError(error));
  expect(String(message).replaceAll(/\d+:\d+/g, "LINE:COLUMN")).toMatchInlineSnapshot(`
    "DeadlockError: deadlock at step 3, t=0: 3 tasks wait and nothing can wake them.
      main      waits for the items of queue jobs to be done  at src/sync/queue.test.ts:LINE:COLUMN
      producer  waits for a place in queue jobs, which is full
      consumer  waits for an item of queue, which is empty
    Usually a completion that a cancellation or an early return skipped, or two tasks that wait for each other."
  `);
});

test("a queue that was waited for in an earlier run is refused where it would have to wait, and keeps its items", async () => {
  const queue = new Queue<number>(1, { name: "kept" });
  await run(async () => {
    createTask(queue.put(1));
    await queue.get();
    createTask(queue.get());
    await sleep(0);
    filled(queue, [2]);
    await sleep(0);
    const [first, second] = [createTask(queue.put(3)), createTask(queue.put(4))];
    createTask(queue.join());
    await sleep(0);
    second.cancel();
    await first;
  });
  await run(async () => {
    await expect(async () => await queue.put(5)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for a place in queue kept, which is full: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
    await expect(async () => await queue.join()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for the items of queue kept to be done: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
    expect(await queue.get()).toBe(3);
    await expect(async () => await queue.get()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RuntimeError: Cannot wait for an item of queue kept, which is empty: it is bound to a different event loop, as it was waited for in an earlier run. Make it inside of the run that uses it.]`,
    );
  });
});

test("a queue prints its name, how much it holds and how many wait", async () => {
  const seen: string[] = [];
  await run(async () => {
    const queue = new Queue<number>(2, { name: "jobs" });
    seen.push(inspect(new Queue()), inspect(queue));
    const getting = createTask(queue.get());
    await sleep(0);
    seen.push(inspect(queue));
    filled(queue, [1, 2]);
    seen.push(inspect(queue)); // the woken one has left the line
    await getting;
    for (const item of [3, 4]) createTask(queue.put(item));
    await sleep(0);
    seen.push(inspect(queue));
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "<Queue 0 of any number>",
      "<Queue jobs 0 of 2>",
      "<Queue jobs 0 of 2, getters: 1>",
      "<Queue jobs 2 of 2>",
      "<Queue jobs 2 of 2, putters: 1>",
    ]
  `);
});

test("what has no order of its own is refused by a priority queue, unless it is handed one", () => {
  const queue = new PriorityQueue<unknown>();
  queue.putNowait({ priority: 1 });
  expect(() => {
    queue.putNowait({ priority: 2 });
  }).toThrowErrorMatchingInlineSnapshot(`[UsageError: PriorityQueue: has no order for [Object] and [Object]; pass { compare }]`);
  const other = new PriorityQueue<unknown>();
  other.putNowait(1);
  expect(() => {
    other.putNowait("a");
  }).toThrowErrorMatchingInlineSnapshot(`[UsageError: PriorityQueue: has no order for "a" and 1; pass { compare }]`);
});

test("a putter whose item cannot be compared when its turn comes gets the error, and the queue stays as it was", async () => {
  await run(async () => {
    const queue = new PriorityQueue<unknown>(2);
    for (const item of [1, 2]) queue.putNowait(item);
    const putter = createTask(() => queue.put("a"));
    await sleep(0);
    expect(queue.getNowait()).toBe(1);
    await expect(async () => await putter).rejects.toThrow("has no order for");
    expect(queue.qsize()).toBe(1);
  });
});

test("a comparison that throws while an item is taken out takes nothing out", () => {
  let isBroken = false;
  const compare = (a: number, b: number): number => {
    if (isBroken) throw new Error("no order");
    return a - b;
  };
  const queue = new PriorityQueue<number>(0, { compare });
  for (const item of [3, 1, 2, 5, 4]) queue.putNowait(item);
  isBroken = true;
  expect(() => queue.getNowait()).toThrow("no order");
  isBroken = false;
  expect(Array.from({ length: 5 }, () => queue.getNowait())).toEqual([1, 2, 3, 4, 5]);
});
