import { describe, expect, test } from "vitest";
import { inRun } from "../../fixtures/in-run.js";
import { explore } from "../explore/explore.js";

type Timer = ReturnType<typeof setTimeout>;

/** The methods that disposal calls, where the language has it. */
const dispose = (Symbol as { readonly dispose?: symbol }).dispose ?? Symbol();

/** What was logged until `afterMs`. */
const logged = (body: (log: (entry: string) => void) => void, afterMs = 50): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const entries: string[] = [];
    body((entry) => entries.push(entry));
    setTimeout(resolve, afterMs, entries);
  });

/** The moments at which the timer that `body` makes fires, until `untilMs`. */
const firings = (body: (fire: () => void) => void, untilMs: number): Promise<readonly number[]> =>
  inRun(
    ({ time }) =>
      new Promise<readonly number[]>((resolve) => {
        const moments: number[] = [];
        body(() => moments.push(time()));
        setTimeout(resolve, untilMs, moments);
      }),
  );

const after = (delayMs: number, call: () => unknown): void => {
  setTimeout(() => void call(), delayMs);
};

describe("a timer has what Node's have", () => {
  test.each([
    ["setTimeout", () => setTimeout(() => undefined, 1)],
    ["setInterval", () => setInterval(() => undefined, 1)],
    ["setImmediate", () => setImmediate(() => undefined)],
  ])("as %s answers them", async (_name, make) => {
    const look = (): unknown => {
      const timer = make();
      const found = {
        kind: timer.constructor.name,
        tag: typeof timer,
        methods: ["ref", "unref", "hasRef", dispose].map((name) => typeof (timer as unknown as Record<string | symbol, unknown>)[name]),
        isRef: [timer.hasRef(), timer.unref() === timer, timer.hasRef(), timer.ref() === timer, timer.hasRef()],
      };
      (timer as unknown as Record<symbol, () => void>)[dispose]?.();
      return found;
    };
    const expected = look();
    expect(expected).toHaveProperty("isRef", [true, true, false, true, true]);
    expect(await inRun(look)).toEqual(expected);
  });

  test("a timeout and an interval can be refreshed and closed, and are a number", async () => {
    const look = (): unknown =>
      [setTimeout(() => undefined, 1), setInterval(() => undefined, 1)].map((timer) => {
        const found = [typeof timer.refresh, timer.refresh() === timer, typeof timer.close, Number.isSafeInteger(Number(timer))];
        const isSame = Number(timer) === Number(timer);
        return [...found, isSame, timer.close() === timer];
      });
    const expected = look();
    expect(await inRun(look)).toEqual(expected);
  });

  test("two timers are two numbers", async () => {
    const [first, second] = await inRun(() => [Number(setTimeout(() => undefined, 1)), Number(setTimeout(() => undefined, 1))]);
    expect(first).not.toBe(second);
  });
});

describe("a timer is ended", () => {
  const ways: readonly (readonly [string, (timer: Timer) => void])[] = [
    ["clearTimeout", clearTimeout],
    ["clearInterval", clearInterval],
    ["its number", (timer) => clearTimeout(Number(timer))],
    ["its number as a text", (timer) => clearTimeout(String(Number(timer)))],
    ["its number, of an interval", (timer) => clearInterval(Number(timer))],
    ["close()", (timer) => timer.close()],
    ["disposal", (timer) => (timer as unknown as Record<symbol, () => void>)[dispose]?.()],
    ["being cleared twice", (timer) => [1, 2].forEach(() => clearTimeout(timer))],
  ];

  test.each(dispose.description === undefined ? ways.filter(([way]) => way !== "disposal") : ways)(
    "by %s, before it fires, and also by another timer",
    async (_way, end) => {
      const program = (): Promise<readonly string[]> =>
        logged((log) => {
          end(setTimeout(log, 5, "at once"));
          end(setInterval(log, 5, "interval at once"));
          const later = setTimeout(log, 20, "later");
          const interval = setInterval(log, 20, "interval later");
          after(10, () => {
            log("ends them");
            end(later);
            end(interval);
          });
        });
      expect(await inRun(program)).toEqual(["ends them"]);
      expect(await program()).toEqual(["ends them"]);
    },
  );

  test("an immediate by clearImmediate and by disposal", async () => {
    const program = (): Promise<readonly string[]> =>
      logged((log) => {
        clearImmediate(setImmediate(log, "cleared"));
        const disposed = setImmediate(log, "disposed") as unknown as Record<symbol, (() => void) | undefined>;
        if (dispose.description === undefined) clearImmediate(disposed as unknown as NodeJS.Immediate);
        else disposed[dispose]?.();
        setImmediate(log, "stays");
      });
    expect(await inRun(program)).toEqual(["stays"]);
  });

  test("after it has fired, which does nothing", async () => {
    const program = (): Promise<readonly string[]> =>
      logged((log) => {
        const timer = setTimeout(log, 1, "fired");
        after(10, () => clearTimeout(timer));
        after(11, () => timer.close());
      });
    expect(await inRun(program)).toEqual(["fired"]);
  });
});

describe("refresh", () => {
  test("starts the time anew", async () => {
    const moments = await firings((fire) => {
      const timer = setTimeout(fire, 10);
      after(6, () => timer.refresh());
      after(12, () => timer.refresh());
    }, 100);
    expect(moments).toEqual([22]);
  });

  test("starts an interval anew, too", async () => {
    const moments = await firings((fire) => {
      const timer = setInterval(fire, 10);
      after(16, () => timer.refresh());
      after(40, () => clearInterval(timer));
    }, 100);
    expect(moments).toEqual([10, 26, 36]);
  });

  test("arms a timer again that has fired", async () => {
    const moments = await firings((fire) => {
      const timer = setTimeout(fire, 10);
      after(30, () => timer.refresh());
    }, 100);
    expect(moments).toEqual([10, 40]);
  });

  test("arms it again inside of its own callback, as a heartbeat does", async () => {
    const moments = await firings((fire) => {
      let left = 3;
      const timer = setTimeout(() => {
        fire();
        if (--left > 0) timer.refresh();
      }, 10);
    }, 100);
    expect(moments).toEqual([10, 20, 30]);
  });

  test("inside of its callback an interval has still one life", async () => {
    const moments = await firings((fire) => {
      const timer = setInterval(() => {
        fire();
        timer.refresh();
      }, 10);
      after(35, () => clearInterval(timer));
    }, 100);
    expect(moments).toEqual([10, 20, 30]);
  });

  test("leaves a timer alone that was cleared", async () => {
    const moments = await firings((fire) => {
      const timer = setTimeout(fire, 10);
      clearTimeout(timer);
      timer.refresh();
    }, 100);
    expect(moments).toEqual([]);
  });
});

describe("a timer that keeps nothing alive", () => {
  test("fires as long as something else goes on", async () => {
    const moments = await firings((fire) => {
      setTimeout(fire, 10).unref();
      setInterval(fire, 15).unref();
    }, 40);
    expect(moments).toEqual([10, 15, 30]);
  });

  test.each([
    ["a timeout", () => new Promise((resolve) => setTimeout(resolve, 10).unref())],
    ["an interval", () => new Promise((resolve) => setInterval(resolve, 10).unref())],
    [
      "a timeout that was made so twice",
      () =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, 10).unref();
          timer.ref();
          timer.unref();
        }),
    ],
    [
      "a timeout that it is refreshed as",
      () =>
        new Promise((resolve) => {
          setTimeout(resolve, 10).unref().refresh();
        }),
    ],
  ])("%s is waited for in vain: a deadlock", async (_name, scenario) => {
    const { failure } = await explore(scenario, { seed: 7, runs: 2, minimise: false });
    expect(failure?.kind).toBe("deadlock");
  });

  test.each([
    ["that is made to keep it alive again", (timer: Timer) => timer.unref().ref()],
    ["that is asked only", (timer: Timer) => timer.hasRef()],
  ])("not one %s", async (_name, touch) => {
    expect(await inRun(() => new Promise((resolve) => touch(setTimeout(resolve, 10, "fired"))))).toBe("fired");
  });
});

describe("a timer that outlives its run", () => {
  test("is dropped with it, and whatever is done to it afterwards does nothing", async () => {
    const log: string[] = [];
    const kept: Timer[] = [];
    await inRun(() => {
      kept.push(
        setTimeout(() => log.push("timeout"), 10),
        setInterval(() => log.push("interval"), 10),
      );
    });
    for (const timer of kept) {
      expect(timer.ref().unref().hasRef()).toBe(false);
      timer.refresh();
      clearTimeout(timer);
      timer.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(log).toEqual([]);
  });

  test("lives on in the next run, where that refreshes it: modules keep timers of theirs", async () => {
    let kept: Timer | undefined;
    let wake: () => void = () => undefined;
    const program = (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
        if (kept === undefined) kept = setTimeout(() => wake(), 10);
        else kept.refresh();
      });
    await inRun(program);
    expect(await inRun(async ({ time }) => await program().then(time))).toBe(10);
  });

  test("immediates that a run leaves behind run at its end", async () => {
    const log: string[] = [];
    await inRun(() => {
      setImmediate(() => {
        log.push("first");
        setImmediate(() => log.push("second"));
      });
    });
    expect(log).toEqual(["first", "second"]);
  });

  test("and those that set one another for ever end all the same", async () => {
    const again = (): void => {
      setImmediate(again);
    };
    await expect(inRun(again)).resolves.toBeUndefined();
  });
});
