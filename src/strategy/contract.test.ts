/** The contract that every strategy keeps; a new one is a line in the table. */
import { describe, expect, test } from "vitest";
import { gather } from "../combine/gather.js";
import { createTask } from "../loop/create-task.js";
import { EventLoop } from "../loop/event-loop.js";
import { runLoop } from "../loop/run.js";
import { getRunningLoop } from "../loop/running.js";
import { sleep } from "../loop/sleep.js";
import { hashToUnit } from "../random/random.js";
import { type Alternative, type StepRecord, type Strategy, WORLD } from "../schedule/strategy.js";
import { delayBounded } from "./delay.js";
import { dpor } from "./dpor.js";
import { exhaustive } from "./exhaustive.js";
import { fair } from "./fair.js";
import { fifo } from "./fifo.js";
import { laggards } from "./laggards.js";
import { pct } from "./pct.js";
import { portfolio } from "./portfolio.js";
import { pos } from "./pos.js";
import { random } from "./random.js";
import { seeded } from "./seeded.js";
import { urw } from "./urw.js";

/** A loaded machine makes slow steps, whose warnings are not what is tested here. */
const slowStepMs = Number.POSITIVE_INFINITY;

/** By their names; what is made fair has the name of what it was. */
const strategies: readonly { readonly title: string; readonly make: (seed: number) => Strategy }[] = [
  { title: "fifo", make: () => fifo() },
  { title: "random", make: random },
  { title: "seeded", make: (seed) => seeded(seed) },
  { title: "pct", make: (seed) => pct(seed) },
  { title: "pct:5", make: (seed) => pct(seed, { depth: 5 }) },
  { title: "pos", make: pos },
  { title: "urw", make: urw },
  { title: "portfolio", make: portfolio },
  { title: "laggards", make: (seed) => laggards(seed, { share: [0, 0.25, 0.9] }) },
  { title: "laggards:0.5", make: (seed) => laggards(seed, { share: 0.5 }) },
  { title: "delay", make: () => delayBounded() },
  { title: "exhaustive", make: () => exhaustive() },
  { title: "exhaustive:2", make: () => exhaustive({ preemptions: 2 }) },
  { title: "dpor", make: () => dpor() },
  { title: "dpor:2", make: () => dpor({ preemptions: 2 }) },
  { title: "dpor, made fair", make: () => fair(dpor(), { starvationBound: 5 }) },
  { title: "laggards, made fair", make: (seed) => fair(laggards(seed), { starvationBound: 20 }) },
  { title: "exhaustive, made fair", make: () => fair(exhaustive(), { starvationBound: 5 }) },
];

/**
 * Runs of a program that is a function of its schedule, without a loop: what a step does hangs on its name. Tasks spawn others, queue callbacks,
 * take callbacks out of the queue, wait for gates, of which some may fail, and for reactions; there are timers for the clock to pass to.
 */
class Simulation {
  /** How often each kind of alternative was offered, and how often one vanished that had been ready. */
  readonly seen = { task: 0, callback: 0, gate: 0, timer: 0, reaction: 0, clock: 0, settle: 0, fault: 0, vanished: 0 };
  readonly #strategy: Strategy;
  readonly #ids = new Map<string, number>();
  #picks: string[] = [];
  #ready: SimulatedStep[] = [];
  #step = 0;
  #timeMs = 0;

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
  }

  /** One run: the picks and what they were among. */
  run(): string {
    this.#picks = [];
    this.#step = 0;
    this.#timeMs = 0;
    this.#ready = ["a", "b", "c"].map((name) => this.#make("task", name, 1, {}));
    while (this.#ready.length > 0) this.#advance();
    this.#strategy.end?.({ run: 0, failed: false, steps: this.#step });
    return this.#picks.join(" ");
  }

  #advance(): void {
    const gates = this.#ready.filter(({ kind }) => kind === "gate");
    const deadlineMs = this.#timeMs + 2;
    const mayPass = gates.length === this.#ready.length && deadlineMs <= 8 && gates.every(({ latestMs }) => deadlineMs <= latestMs);
    const clock: Alternative = { kind: "clock", name: "clock", operation: String(deadlineMs) };
    const taken = this.#ask("next", mayPass ? [...this.#ready, clock] : this.#ready);
    const step = this.#ready.find((each) => each === taken);
    if (step === undefined) {
      this.#timeMs = deadlineMs;
      this.#ready.push(this.#make("timer", `tick ${deadlineMs}`, 1, {}));
      return;
    }
    const count = this.#ready.length;
    const steps = [step];
    this.#take(step);
    for (let open = this.#openGates(); step.kind === "gate" && open.length > 0 && steps.length < 3; open = this.#openGates()) {
      const joins = this.#ask("batch", [{ kind: "settle", name: "settle", operation: "" }, ...open]) as SimulatedStep; // or settle, which has no step
      if (!open.includes(joins)) break;
      this.#take(joins);
      steps.push(joins);
    }
    const failed = steps.filter((each) => each.kind === "gate" && this.#fails(each));
    for (const each of failed) steps[steps.indexOf(each)] = { ...each, operation: `${each.operation}!`, waits: undefined };
    this.#step++;
    const isOpaque = steps.map((each) => this.#perform(each)).includes(true) || steps.length > 1;
    this.#observe(steps[0]!, count, isOpaque);
  }

  #fails(gate: SimulatedStep): boolean {
    if (hashToUnit(`${gate.name}/may fail`) < 0.5) return false;
    return this.#ask("fault", [gate, { kind: "fault", name: gate.name, operation: `${gate.operation}!` }]) !== gate;
  }

  #openGates(): readonly SimulatedStep[] {
    return this.#ready.filter(({ kind }) => kind === "gate");
  }

  #take(step: SimulatedStep): void {
    this.#ready = this.#ready.filter((each) => each !== step);
  }

  #ask(kind: "next" | "batch" | "fault", ready: readonly Alternative[]): Alternative {
    let index = 0;
    if (ready.length > 1) {
      const ids = this.#strategy.tracks === true ? ready.map((each) => this.#idOf(each)) : undefined;
      index = this.#strategy.pick({ kind, step: this.#step + 1, timeMs: this.#timeMs, count: ready.length, ready, ids });
      if (!(Number.isInteger(index) && index >= 0 && index < ready.length)) throw new Error(`picked ${index} of ${ready.length}`);
      this.#picks.push(`${index}/${ready.length}`);
      for (const each of ready) this.seen[each.kind ?? "task"]++;
    }
    return ready[index]!;
  }

  #idOf({ kind, name, operation }: Alternative): number {
    if (kind === "clock" || kind === "settle") return -1;
    const key = `${name}@${operation}`;
    if (!this.#ids.has(key)) this.#ids.set(key, this.#ids.size + 1);
    return this.#ids.get(key)!;
  }

  #make(
    kind: "task" | "callback" | "gate" | "timer" | "reaction",
    name: string,
    operation: number,
    chain: object,
    waits?: SimulatedStep,
  ): SimulatedStep {
    return { kind, name, operation: String(operation), chain, madeBy: this.#step, latestMs: this.#timeMs + 3, waits };
  }

  /** Answers whether it did what cannot be told from what it touched. */
  #perform({ kind, name, operation, chain, waits }: SimulatedStep): boolean {
    if (waits !== undefined) this.#ready.push({ ...waits, madeBy: this.#step });
    if (kind !== "task") return kind === "reaction";
    const draw = (what: string): number => hashToUnit(`${name}@${operation}/${what}`);
    const part = `${name}.${operation}`;
    if (draw("spawn") < 0.4 && name.length < 5) this.#ready.push(this.#make("task", part, 1, {}));
    if (draw("due") < 0.1) this.#ready.push(this.#make("timer", `due ${part}`, 1, {}));
    if (draw("call") < 0.3) this.#ready.push(this.#make("callback", `call ${part}`, 1, {}));
    const next = this.#make("task", name, Number(operation) + 1, chain);
    if (draw("wait") < 0.3) this.#ready.push(this.#make("gate", `load ${part}`, 1, {}, next));
    else if (draw("wait") < 0.4) this.#ready.push(this.#make("reaction", `await ${part}`, 1, {}, next));
    else if (Number(operation) < 4 * draw("last")) this.#ready.push(next);
    if (draw("cancel") > 0.3) return false;
    // By name and not by place, which would make the order of the steps that queued them matter to more than they touch.
    const [cancelled] = this.#ready.filter((each) => each.kind === "callback").toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (cancelled === undefined) return true;
    this.seen.vanished++;
    this.#take(cancelled);
    return true;
  }

  #observe(step: SimulatedStep, ready: number, isOpaque: boolean): void {
    const { kind, name, operation, chain } = step;
    const location = 1 + Math.floor(hashToUnit(`${name}@${operation}/location`) * 3);
    const isWrite = hashToUnit(`${name}@${operation}/write`) < 0.5;
    const tracked = {
      id: this.#idOf(step),
      footprint: { reads: isWrite ? [] : [location], writes: [...(isWrite ? [location] : []), ...(isOpaque ? [WORLD] : [])] },
      causes: step.madeBy === 0 ? [] : [step.madeBy],
    };
    this.#strategy.observe?.({
      ...{ kind, name, operation, chain, step: this.#step, timeMs: this.#timeMs, ready },
      ...(this.#strategy.tracks === true && tracked),
    });
  }
}

interface SimulatedStep extends Alternative {
  readonly chain: object;
  /** The step that made it ready; 0 for none. */
  readonly madeBy: number;
  /** Until when it may be held back, as a gate. */
  readonly latestMs: number;
  /** What goes on after it. */
  readonly waits: SimulatedStep | undefined;
}

/** Several runs of the simulated program, or all that there are. */
function simulate(strategy: Strategy, runs: number): { readonly picks: readonly string[]; readonly seen: Simulation["seen"] } {
  const simulation = new Simulation(strategy);
  const picks: string[] = [];
  for (let run = 0; run < runs && strategy.begin(run); run++) picks.push(simulation.run());
  return { picks, seen: simulation.seen };
}

/** A program whose order of steps shows in its log: tasks that come, go, wait for each other and are cancelled. */
async function program(): Promise<string[]> {
  const log: string[] = [];
  const worker = (name: string, turns: number) => async (): Promise<string> => {
    for (let turn = 0; turn < turns; turn++) {
      log.push(`${name}${turn}`);
      await sleep(turn % 2);
    }
    if (turns > 2) await createTask(async () => log.push(`${name} child`));
    return name;
  };
  const doomed = createTask(worker("x", 50), { name: "x" });
  const results = await gather(worker("a", 1), worker("b", 2), worker("c", 3), worker("d", 4));
  doomed.cancel();
  await sleep(1);
  return [...log, ...results, `t=${getRunningLoop().time()}`];
}

async function runWith(strategy: Strategy): Promise<string[]> {
  const loop = new EventLoop({ slowStepMs, strategy });
  strategy.begin(0);
  await runLoop(loop, program);
  expect(loop.warnings).toEqual([]);
  const { completion } = loop;
  if (completion?.kind !== "result") throw completion?.error;
  return completion.value as string[]; // the result of program
}

describe.each(strategies)("$title", ({ title, make }) => {
  test("it is known by its name, and a run can begin", () => {
    const strategy = make(7);
    expect(strategy.name).toBe(title.replace(", made fair", ""));
    expect(strategy.begin(0)).toBe(true);
  });

  test("its index is in range while tasks, callbacks, gates, reactions and the clock come and go, and the same seed gives the same picks; exhaustive search takes no run twice", () => {
    const { picks, seen } = simulate(make(7), 200);
    expect(picks).toHaveLength(200);
    // Partial-order reduction counts classes; where gates batch it may come to one again.
    const { isSystematic = false, tracks = false } = make(7);
    if (isSystematic && !tracks) expect(new Set(picks).size).toBe(200);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
    expect(simulate(make(7), 200).picks).toEqual(picks);
  });

  test("it begins alike each time that it is begun with run 0", () => {
    const strategy = make(7);
    const { picks } = simulate(strategy, 20);
    expect(simulate(strategy, 20).picks).toEqual(picks);
  });

  test("the same seed gives the same order of a program", async () => {
    const log = await runWith(make(7));
    expect(log.slice(-5)).toEqual(["a", "b", "c", "d", "t=3"]);
    expect(await runWith(make(7))).toEqual(log);
  });
});

test("fifo is what a loop does without a strategy", async () => {
  const loop = new EventLoop({ slowStepMs });
  await runLoop(loop, program);
  expect(loop.completion).toEqual({ kind: "result", value: await runWith(fifo()) });
});

test("random gives other orders under other seeds", async () => {
  const orders = await Promise.all(Array.from({ length: 20 }, async (_, seed) => (await runWith(random(seed))).join()));
  // 20 of far more than a thousand orders: that no more than 15 differ has p < 1e-6, and the seeds are fixed.
  expect(new Set(orders).size).toBeGreaterThan(15);
});

test("random takes each of four ready tasks as often as any other", () => {
  const strategy = random(7);
  const ready = ["a", "b", "c", "d"].map((name) => ({ name, operation: "1" }));
  const taken = [0, 0, 0, 0];
  for (let step = 1; step <= 4_000; step++) taken[strategy.pick({ step, timeMs: 0, count: 4, ready })]! += 1;
  // Each is binomial with mean 1,000 and sigma 27.4: outside 5 sigma with p < 3e-6, and the seed is fixed.
  for (const count of taken) expect(Math.abs(count - 1_000)).toBeLessThan(137);
});

test("random settles a batch with probability 0.7, and else takes any of the gates", () => {
  const strategy = random(7);
  const ready = ["settle", "g", "h", "i"].map((name) => ({ name, operation: "1" }));
  const taken = [0, 0, 0, 0];
  for (let step = 1; step <= 4_000; step++) taken[strategy.pick({ kind: "batch", step, timeMs: 0, count: 4, ready })]! += 1;
  // Binomial with mean 2,800 and sigma 29, and with mean 400 and sigma 19: outside 5 sigma with p < 3e-6, and the seed is fixed.
  taken.forEach((count, index) => {
    expect(Math.abs(count - (index === 0 ? 2_800 : 400))).toBeLessThan(index === 0 ? 145 : 95);
  });
});

test("random draws in each run how likely gates fail that may: a half, a quarter or a tenth", () => {
  const strategy = random(7);
  const ready = [
    { kind: "gate", name: "g", operation: "1" },
    { kind: "fault", name: "g", operation: "1!" },
  ] as const;
  const counts = new Map<number, number>();
  for (let run = 0; run < 60; run++) {
    strategy.begin(run);
    let failed = 0;
    for (let step = 1; step <= 1_000; step++) failed += strategy.pick({ kind: "fault", step, timeMs: 0, count: 2, ready });
    // Binomial with a sigma of at most 16 around 500, 250 or 100: none is further away than 5 sigma with p < 4e-5 in all, and the seed is fixed.
    const nearest = [500, 250, 100].find((mean) => Math.abs(failed - mean) < 80) ?? failed;
    counts.set(nearest, (counts.get(nearest) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([100, 250, 500]);
  // Each is binomial with mean 20 and sigma 3.7: below 5 with p < 1e-4, and the seed is fixed.
  for (const count of counts.values()) expect(count).toBeGreaterThan(5);
});

test("random refuses a seed that is none", () => {
  expect(() => random(1.5)).toThrowErrorMatchingInlineSnapshot(`[UsageError: seed: must be a whole number from 0 to 4294967295, not 1.5]`);
});

test.each([-1, 3, 0.5, Number.NaN])("a strategy that answers index %s ends the run with a usage error", async (index) => {
  const loop = new EventLoop({ slowStepMs, strategy: { name: "broken", begin: () => true, pick: () => index } });
  await runLoop(loop, async () => {
    createTask(async () => {});
    createTask(async () => {});
    await sleep(0);
  });
  expect(loop.completion?.kind).toBe("strategy");
  expect((loop.completion as { error: Error }).error).toMatchObject({
    code: "HEDDLE_USAGE",
    message: `strategy broken: picked ${index} of 3 ready tasks`,
  });
});

test.each(["drain", "macrotask"] as const)(
  "a strategy that throws ends the run with its error under %s, in pick and in observe",
  async (quiescence) => {
    const fails = (): never => {
      throw new Error("boom");
    };
    for (const hooks of [{ pick: fails }, { pick: () => 0, observe: fails }]) {
      const loop = new EventLoop({ slowStepMs, strategy: { name: "broken", begin: () => true, ...hooks } });
      await runLoop(
        loop,
        async () => {
          await gather(
            async () => {},
            async () => {},
          );
        },
        quiescence,
      );
      expect(loop.completion).toEqual({ kind: "strategy", error: new Error("boom") });
      expect(loop.isRunning()).toBe(false);
    }
  },
);

test("a strategy sees the ready tasks in the order of arrival, with step and time, and is asked only when there are two", async () => {
  const seen: string[] = [];
  const last: Strategy = {
    name: "lifo",
    begin: () => true,
    pick: ({ step, timeMs, count, ready }) => {
      seen.push(`${step} t=${timeMs} ${count}: ${ready.map(({ name, operation }) => `${name}@${operation}`).join(" ")}`);
      return ready.length - 1;
    },
  };
  const loop = new EventLoop({ slowStepMs, strategy: last });
  await runLoop(loop, async () => {
    for (const name of ["a", "b"]) {
      createTask(
        async () => {
          await sleep(5);
        },
        { name },
      );
    }
    getRunningLoop().callSoon(function ping() {});
    await sleep(5);
    await sleep(1);
  });
  expect(seen).toMatchInlineSnapshot(`
    [
      "2 t=0 3: a@1 b@1 ping@1",
      "3 t=0 2: a@1 b@1",
      "5 t=5 3: main@2 b@2 a@2",
      "6 t=5 2: main@2 b@2",
    ]
  `);
});

test.each(["drain", "macrotask"] as const)(
  "a strategy that observes is told of each step as it was decided, under %s",
  async (quiescence) => {
    const decided: string[] = [];
    const observed: StepRecord[] = [];
    const strategy: Strategy = {
      name: "watching",
      begin: () => true,
      pick: ({ step, count, ready }) => {
        decided.push(`${step} ${count} ${ready[count - 1]!.name}@${ready[count - 1]!.operation}`);
        return count - 1;
      },
      observe: (step) => observed.push(step),
    };
    const loop = new EventLoop({ slowStepMs, strategy });
    await runLoop(loop, program, quiescence);
    expect(observed.map(({ step }) => step)).toEqual(Array.from({ length: loop.steps }, (_, index) => index + 1));
    const chosen = observed
      .filter(({ ready }) => ready > 1)
      .map(({ step, ready, name, operation }) => `${step} ${ready} ${name}@${operation}`);
    expect(chosen).toEqual(decided);
    expect(decided.length).toBeGreaterThan(15);
  },
);
