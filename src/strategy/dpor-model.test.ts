/**
 * Dpor against exhaustive search, on random programs of a model of the loop that is small enough to be judged by eye: tasks whose steps look at
 * shared variables and branch on what they see, locks, spawning, sleeps, code that tells nothing, steps that end the run, and I/O gates with
 * batches and a clock.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Alternative, type Footprint, type StepRecord, type Strategy, WORLD } from "../schedule/strategy.js";
import { dpor } from "./dpor.js";
import { exhaustive } from "./exhaustive.js";

/** What a step does, one after another. `wait`, `sleep`, `turn` and `io` end it; what follows is the next step of the task. */
type Op =
  | readonly ["read", variable: number]
  | readonly ["write", variable: number, value: number]
  | readonly ["add", variable: number]
  | readonly ["if", variable: number, value: number, then: readonly Op[], otherwise: readonly Op[]]
  | readonly ["hidden", value: number]
  | readonly ["count"]
  | readonly ["look", value: number, then: readonly Op[]]
  | readonly ["spawn", body: readonly Op[]]
  | readonly ["release", lock: number]
  | readonly ["later", body: readonly Op[]]
  | readonly ["cancel"]
  | readonly ["stop"]
  | readonly ["turn"]
  | readonly ["acquire", lock: number]
  | readonly ["sleep", delayMs: number]
  | readonly ["io", maxMs: number];

type Program = readonly (readonly Op[])[];

/** A task, and what is left of it. */
interface Task {
  readonly name: string;
  rest: readonly Op[];
  steps: number;
  seen: string;
}

/** Something that can run: the next step of a task. */
interface Ready extends Alternative {
  readonly id: number;
  readonly task: Task;
  readonly latestMs: number;
  causes: number[];
}

/** Numbers for lineages, as the tracker of the loop gives them. */
class Ids {
  readonly #numbers = new Map<string, number>();

  of(parent: number, place: number): number {
    const key = `${parent} ${place}`;
    const known = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, known);
    return known;
  }
}

const LOCKS = 100;
const CALLBACK = 200;
const COUNTER = 300;

/** One run of a program. */
class Run {
  readonly records: (Pick<StepRecord, "timeMs" | "step"> & {
    readonly id: number;
    readonly footprint: Footprint;
    readonly causes: readonly number[];
  })[] = [];
  readonly #strategy: Strategy;
  readonly #ids: Ids;
  readonly #maxSteps: number;
  readonly #variables = [0, 0, 0, 0, 0];
  readonly #locks = [0, 1].map(() => ({ isLocked: false, waiters: [] as Ready[] }));
  readonly #tasks: Task[] = [];
  #ready: Ready[] = [];
  #sleeping: { readonly atMs: number; readonly ready: Ready }[] = [];
  #callback: Ready | undefined = undefined;
  #hidden = 0;
  #counter = 0;
  #timeMs = 0;
  #isStopped = false;
  // Of one step.
  #id = 0;
  #made = 0;
  #order: number[] = [];

  constructor(strategy: Strategy, ids: Ids, program: Program, maxSteps: number) {
    this.#strategy = strategy;
    this.#ids = ids;
    this.#maxSteps = maxSteps;
    for (const body of program) this.#spawn(body);
  }

  /** Everything that the program can tell its orders apart by. */
  get outcome(): string {
    const tasks = this.#tasks.map(({ name, seen, rest }) => `${name}:${seen}:${rest.length}`).sort();
    return JSON.stringify([this.#variables, this.#hidden, this.#counter, this.#timeMs, tasks]);
  }

  get isCutOff(): boolean {
    return this.records.length === this.#maxSteps;
  }

  run(): this {
    while (!this.#isStopped && !this.isCutOff) {
      if (this.#ready.length === 0 && !this.#passTime()) break;
      const batch = this.#choose();
      if (batch !== undefined) this.#step(batch);
    }
    return this;
  }

  #passTime(): boolean {
    const atMs = Math.min(...this.#sleeping.map((sleeper) => sleeper.atMs));
    if (atMs === Number.POSITIVE_INFINITY) return false;
    this.#timeMs = atMs;
    this.#ready.push(...this.#sleeping.filter((sleeper) => sleeper.atMs === atMs).map(({ ready }) => ready));
    this.#sleeping = this.#sleeping.filter((sleeper) => sleeper.atMs !== atMs);
    return true;
  }

  #decide(kind: "next" | "batch", ready: readonly (Alternative & { readonly id?: number })[]): number {
    const ids = ready.map(({ id = -1 }) => id);
    return this.#strategy.pick({ kind, step: this.records.length + 1, timeMs: this.#timeMs, count: ready.length, ready, ids });
  }

  /** What runs next; undefined when time has passed in its place. */
  #choose(): readonly Ready[] | undefined {
    const atMs = Math.min(...this.#sleeping.map((sleeper) => sleeper.atMs));
    const hasClock = Number.isFinite(atMs) && this.#ready.every(({ kind, latestMs }) => kind === "gate" && atMs <= latestMs);
    const clock: Alternative = { kind: "clock", name: "clock", operation: String(atMs) };
    const alternatives = hasClock ? [...this.#ready, clock] : this.#ready;
    const index = alternatives.length > 1 ? this.#decide("next", alternatives) : 0;
    const chosen = this.#ready[index];
    if (chosen === undefined) {
      this.#passTime();
      return undefined;
    }
    const batch = [chosen];
    this.#ready = this.#ready.filter((other) => other !== chosen);
    for (let gates = this.#gates(); chosen.kind === "gate" && gates.length > 0 && batch.length < 3; gates = this.#gates()) {
      const joins = gates[this.#decide("batch", [{ kind: "settle", name: "settle", operation: "" }, ...gates]) - 1];
      if (joins === undefined) break;
      batch.push(joins);
      this.#ready = this.#ready.filter((other) => other !== joins);
    }
    return batch;
  }

  #gates(): readonly Ready[] {
    return this.#ready.filter(({ kind }) => kind === "gate");
  }

  #step(batch: readonly Ready[]): void {
    const [first] = batch as readonly [Ready];
    const ready = this.#ready.length + 1;
    this.#id = batch.reduce((id, other) => (id === 0 ? other.id : this.#ids.of(id, -other.id)), 0);
    this.#made = 0;
    this.#order = batch.length === 1 ? [] : [~WORLD];
    for (const { task } of batch) {
      if (first === this.#callback) this.#touch(CALLBACK, false);
      task.steps++;
      this.#execute(task);
    }
    const writes = this.#order.filter((access) => access < 0).map((access) => ~access);
    const reads = this.#order.filter((access) => access >= 0 && !writes.includes(access));
    const footprint: Footprint = { reads, writes, order: this.#order };
    const record = {
      id: this.#id,
      footprint,
      causes: batch.flatMap(({ causes }) => causes),
      timeMs: this.#timeMs,
      step: this.records.length + 1,
    };
    this.records.push(record);
    this.#strategy.observe?.({ ...record, name: first.name, operation: first.operation, kind: first.kind, chain: first.chain, ready });
  }

  #execute(task: Task): void {
    while (task.rest.length > 0) {
      const [op, ...rest] = task.rest as readonly [Op, ...Op[]];
      task.rest = rest;
      if (this.#isEndOfStep(op, task)) return;
    }
  }

  #isEndOfStep(op: Op, task: Task): boolean {
    switch (op[0]) {
      case "turn":
        this.#ready.push(this.#next(task));
        return true;
      case "sleep":
        this.#sleeping.push({ atMs: this.#timeMs + op[1], ready: this.#next(task) });
        return true;
      case "io":
        this.#ready.push(this.#next(task, "gate", op[1]));
        return true;
      case "acquire":
        return this.#isWaiting(op[1], task);
      case "if":
        this.#touch(op[1], false);
        task.rest = [...(this.#variables[op[1]] === op[2] ? op[3] : op[4]), ...task.rest];
        return false;
      case "look":
        this.#touch(COUNTER, true);
        if (this.#counter === op[1]) task.rest = [...op[2], ...task.rest];
        return false;
      default:
        this.#do(op, task);
        return false;
    }
  }

  #do(op: Exclude<Op, readonly ["turn" | "sleep" | "io" | "acquire" | "if" | "look", ...unknown[]]>, task: Task): void {
    switch (op[0]) {
      case "read":
        this.#touch(op[1], false);
        task.seen += this.#variables[op[1]];
        return;
      case "write":
        this.#touch(op[1], true);
        this.#variables[op[1]] = op[2];
        return;
      case "add":
        this.#touch(op[1], true);
        this.#variables[op[1]]! += 1;
        return;
      case "hidden":
        this.#touch(WORLD, true);
        this.#hidden = this.#hidden * 3 + op[1];
        return;
      case "count":
        // In whatever order it is counted, it is the same: so counting reads, and looking writes.
        this.#touch(COUNTER, false);
        this.#counter++;
        return;
      case "spawn":
        this.#spawn(op[1]);
        return;
      case "release":
        this.#release(op[1]);
        return;
      case "later":
        this.#callLater(op[1]);
        return;
      case "cancel":
        this.#cancel();
        return;
      case "stop":
        this.#touch(WORLD, true);
        this.#isStopped = true;
    }
  }

  /** A lock is taken when it is free, and handed over otherwise. */
  #isWaiting(number: number, task: Task): boolean {
    const lock = this.#locks[number]!;
    this.#touch(LOCKS + number, true);
    if (!lock.isLocked) {
      lock.isLocked = true;
      return false;
    }
    lock.waiters.push(this.#next(task));
    return true;
  }

  #release(number: number): void {
    const lock = this.#locks[number]!;
    this.#touch(LOCKS + number, true);
    const first = lock.waiters.shift();
    lock.isLocked = first !== undefined;
    if (first === undefined) return;
    first.causes.push(this.records.length + 1);
    this.#ready.push(first);
  }

  /** Makes a callback ready, unless it did so before. */
  #callLater(body: readonly Op[]): void {
    this.#touch(CALLBACK, true);
    if (this.#callback !== undefined) return;
    const task: Task = { name: "callback", rest: body, steps: 0, seen: "" };
    this.#tasks.push(task);
    this.#callback = this.#next(task);
    this.#ready.push(this.#callback);
  }

  /** Takes the callback out of what is ready. */
  #cancel(): void {
    this.#touch(CALLBACK, true);
    this.#ready = this.#ready.filter((other) => other !== this.#callback);
  }

  #touch(location: number, isWrite: boolean): void {
    const isKnown = this.#order.includes(~location) || (!isWrite && this.#order.includes(location));
    if (!isKnown) this.#order.push(isWrite ? ~location : location);
  }

  #spawn(body: readonly Op[]): void {
    const task: Task = { name: `t${this.#ids.of(this.#id, this.#made)}`, rest: body, steps: 0, seen: "" };
    this.#tasks.push(task);
    this.#ready.push(this.#next(task));
  }

  #next(task: Task, kind: "task" | "gate" = "task", maxMs = 0): Ready {
    const id = this.#ids.of(this.#id, this.#made++);
    const causes = this.#id === 0 ? [] : [this.records.length + 1];
    return { kind, name: task.name, operation: String(task.steps + 1), chain: task, id, task, causes, latestMs: this.#timeMs + maxMs };
  }
}

/** The class of a run: its steps, and each pair of dependent ones in their order. */
function classOf({ records }: Run): string {
  const parts: string[] = [];
  for (const [place, { id, footprint, timeMs }] of records.entries()) {
    parts.push(`${id}: ${footprint.reads.toSorted()} ${footprint.writes.toSorted()} at ${timeMs}`);
    for (const earlier of records.slice(0, place)) if (areDependent(earlier.footprint, footprint)) parts.push(`${earlier.id} < ${id}`);
  }
  return parts.sort().join("\n");
}

function areDependent(a: Footprint, b: Footprint): boolean {
  const writes = ({ writes: some }: Footprint, { reads, writes: others }: Footprint): boolean =>
    some.some((location) => location === WORLD || reads.includes(location) || others.includes(location));
  return writes(a, b) || writes(b, a);
}

interface Explored {
  readonly runs: number;
  readonly isComplete: boolean;
  readonly outcomes: ReadonlySet<string>;
  readonly classes: ReadonlySet<string>;
}

/** All runs that a strategy makes of a program, undefined when there are more than `maxRuns`. */
function exploreProgram(
  program: Program,
  strategy: Strategy,
  { ids = new Ids(), maxRuns = 2_000, maxSteps = 50 } = {},
): Explored | undefined {
  const [outcomes, classes] = [new Set<string>(), new Set<string>()];
  for (let runs = 0; ; runs++) {
    if (!strategy.begin(runs)) return { runs, isComplete: strategy.leavesOut !== true, outcomes, classes };
    if (runs >= maxRuns) return undefined;
    const run = new Run(strategy, ids, program, maxSteps).run();
    outcomes.add(run.outcome);
    classes.add(classOf(run));
    strategy.end?.({ run: runs, failed: false, steps: run.records.length, isCutOff: run.isCutOff });
  }
}

const variable = fc.integer({ min: 1, max: 4 });
const lock = fc.nat(1);

/** Bodies of tasks of so many operations at most, out of what `extra` gives besides reads, writes, branches and turns. */
function bodies(extra: readonly fc.Arbitrary<readonly Op[]>[], maxLength: number): fc.Arbitrary<readonly Op[]> {
  const simple: fc.Arbitrary<Op> = fc.oneof(
    fc.tuple(fc.constant("read" as const), variable),
    fc.tuple(fc.constant("write" as const), variable, fc.integer({ min: 1, max: 2 })),
    fc.tuple(fc.constant("add" as const), variable),
    fc.constant(["turn"] as const),
  );
  const branch: fc.Arbitrary<Op> = fc.tuple(
    fc.constant("if" as const),
    variable,
    fc.nat(1),
    fc.array(simple, { maxLength: 2 }),
    fc.array(simple, { maxLength: 2 }),
  );
  const part: fc.Arbitrary<readonly Op[]> = fc.oneof(
    { weight: 4, arbitrary: simple.map((op) => [op]) },
    { weight: 3, arbitrary: branch.map((op) => [op]) },
    ...extra.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return fc.array(part, { minLength: 1, maxLength }).map((parts) => parts.flat());
}

const locking = lock.map((number): readonly Op[] => [["acquire", number], ["turn"], ["release", number]]);
const trying = lock.map((number): readonly Op[] => [
  ["acquire", number],
  ["add", number + 1],
  ["release", number],
]);
const spawning = bodies([], 2).map((body): readonly Op[] => [["spawn", body]]);
const sleeping = fc.integer({ min: 1, max: 2 }).map((delayMs): readonly Op[] => [["sleep", delayMs]]);
const hiding = fc.integer({ min: 1, max: 2 }).map((value): readonly Op[] => [["hidden", value]]);
const counting = fc.constant<readonly Op[]>([["count"]]);
const looking = fc.tuple(fc.nat(2), bodies([counting], 2)).map(([value, body]): readonly Op[] => [["look", value, body]]);
const stopping = fc.constant<readonly Op[]>([["stop"]]);
const calling = bodies([], 2).map((body): readonly Op[] => [["later", body]]);
const cancelling = fc.constant<readonly Op[]>([["cancel"]]);
const waiting = fc.nat(3).map((maxMs): readonly Op[] => [["io", maxMs]]);

const programs = (extra: readonly fc.Arbitrary<readonly Op[]>[], maxTasks: number, maxLength: number): fc.Arbitrary<Program> =>
  fc.array(bodies(extra, maxLength), { minLength: 2, maxLength: maxTasks });

/** Compares all runs of both searches on random programs. */
function compare(
  arbitrary: fc.Arbitrary<Program>,
  judge: (ours: Explored, theirs: Explored) => void,
  options: { readonly maxSteps?: number } = {},
): void {
  fc.assert(
    fc.property(arbitrary, (program) => {
      const ids = new Ids(); // the same step has the same number in both
      const theirs = exploreProgram(program, exhaustive(), { ...options, ids });
      fc.pre(theirs !== undefined);
      const ours = exploreProgram(program, dpor(), { ...options, ids, maxRuns: theirs.runs + 1 });
      expect(ours).toBeDefined();
      judge(ours!, theirs);
      if (options.maxSteps !== undefined && !ours!.isComplete) return;
      expect([...ours!.outcomes].sort()).toEqual([...theirs.outcomes].sort());
      expect([...ours!.classes].sort()).toEqual([...theirs.classes].sort());
      expect(ours!.isComplete).toBe(true);
    }),
    { numRuns: 60, seed: 7, maxSkipsPerRun: 1_000 },
  );
}

const runsOnePerClass = ({ runs, classes }: Explored): void => {
  expect(runs).toBe(classes.size);
};

describe("on random programs it sees every outcome and every class of exhaustive search", () => {
  test("with one run per class where steps read, write, lock, spawn and sleep", () => {
    compare(programs([locking, trying, spawning, sleeping], 4, 4), runsOnePerClass);
  });
  test("variables only", () => {
    compare(programs([], 4, 4), runsOnePerClass);
  });
  test("where steps count something, which commutes, and look at the count", () => {
    compare(programs([counting, looking, looking], 4, 4), runsOnePerClass);
  });
  test("where some steps tell nothing of what they do", () => {
    compare(programs([hiding, hiding, locking, sleeping], 4, 4), runsOnePerClass);
  });
  test("where a step may end the run", () => {
    compare(programs([stopping, locking, spawning], 4, 4), () => {});
  });
  test("where runs are cut off", () => {
    compare(programs([locking], 3, 5), () => {}, { maxSteps: 6 });
  });
  test("where what is ready may be taken away", () => {
    compare(programs([calling, cancelling, cancelling, locking], 4, 4), () => {});
  });
  test("with gates, batches and a clock", () => {
    compare(programs([waiting, waiting, sleeping, hiding], 3, 4), () => {});
  });
});
