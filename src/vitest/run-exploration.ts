/**
 * One test that explores: what was recorded of it is replayed, then what failed the last time, and then it is searched. What fails is kept
 * until it passes.
 */
import { readFileSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import type { TestContext } from "vitest";
import { BadInputError, describeError, HeddleError, UsageError } from "../errors/errors.js";
import { fromEnvironment, VARIABLES } from "../explore/environment.js";
import { realNowMs } from "../loop/host.js";
import { count, describeLeaks } from "../report/exploration-text.js";
import { renderTestFailure } from "../report/test-failure-text.js";
import { looksLikeToken } from "../schedule/token.js";
import type { Failure } from "../store/failure.js";
import { findKept, findRecorded, isSameTest, keptPath, type TestProgram } from "../store/kept-failures.js";
import { findFailureByToken, openFailure, removeFile, writeFailure } from "../store/reports.js";
import { formatTrace } from "../trace/trace.js";
import { type ExplorationOptions, resolveOptions } from "./explore-options.js";
import { failedTestError, pointAt } from "./failed-test-error.js";
import type { Found, Limits, Rerun, Searched, Subject } from "./subject.js";

/** Of a test's time limit, so much is kept back to say what was found. */
const RESERVED_SHARE = 0.1;
const MIN_RESERVED_MS = 50;
/** A larger source is no source to look at. */
const MAX_SOURCE_BYTES = 2_000_000;

/** A test that is about to explore. */
interface TestRequest {
  /** What it says itself of how it wants to be explored. */
  readonly own: ExplorationOptions;
  readonly makeSubject: (options: TestRun["options"]) => Subject | Promise<Subject>;
  readonly context: TestContext;
  /** The folder that paths are relative to. */
  readonly project: string;
  /** The stack where the test was declared. */
  readonly declared: string;
}

interface TestRun extends Omit<TestRequest, "own" | "makeSubject"> {
  readonly subject: Subject;
  readonly options: ExplorationOptions & { readonly seed: number };
}

/** Runs the test. Throws what makes it fail. */
export async function runExploration({ own, makeSubject, ...request }: TestRequest): Promise<void> {
  try {
    const options = resolveOptions(own);
    const subject = await makeSubject(options);
    await new ExplorationTest({ ...request, subject, options }).run();
  } catch (error) {
    throw error instanceof HeddleError ? pointAt(error, request.declared) : error;
  }
}

class ExplorationTest {
  readonly #run: TestRun;
  readonly #test: TestProgram;
  readonly #limits: Limits;

  constructor(run: TestRun) {
    this.#run = run;
    this.#test = testOf(run.context, run.project);
    const endMs = realNowMs() + searchMs(run.context.task.timeout);
    this.#limits = { signal: run.context.signal, leftMs: () => endMs - realNowMs() };
  }

  async run(): Promise<void> {
    const asked = fromEnvironment("replay");
    if (asked !== undefined) {
      await this.#replayAsked(asked);
      return;
    }
    await this.#replayRecorded();
    const kept = await this.#replayKept();
    const searched = await this.#run.subject.search(this.#limits);
    this.#tellMeta(searched);
    if (searched.found !== undefined) throw this.#fail(searched.found, this.#describeSearch(searched, searched.found));
    this.#run.context.signal.throwIfAborted();
    this.#requireSearched(searched);
    if (kept !== undefined) this.#forget(kept);
  }

  /** `HEDDLE_REPLAY`: this failure and nothing else. */
  async #replayAsked(asked: string): Promise<void> {
    const { context, project, subject } = this.#run;
    const token = looksLikeToken(asked) ? asked : undefined;
    const isKnown = token === undefined || findFailureByToken(project, token) !== undefined;
    const opened = isKnown ? openFailure(project, asked) : undefined;
    if (opened !== undefined && !isSameTest(this.#test, opened.failure.program)) {
      context.skip(`${opened.path} is a failure of another test`);
    }
    const rerun = await subject.replay(opened?.failure.schedule ?? asked, this.#limits);
    switch (rerun.kind) {
      case "holds":
        context.task.meta.heddleReplay = { isBroken: false, report: "", trace: "" };
        return;
      case "lost":
        throw new BadInputError(`${opened?.path ?? VARIABLES.replay}: ${rerun.reason}`);
      case "left":
        context.task.meta.heddleReplay = { divergence: rerun.error.message };
        throw rerun.error;
      case "fails": {
        const replay = opened === undefined ? this.#variableLine(asked) : `npx heddle replay ${opened.path}`;
        const error = this.#errorOf(rerun.found, opened === undefined ? "the replay of a token" : `the replay of ${opened.path}`, replay);
        context.task.meta.heddleReplay = {
          isBroken: true,
          report: `${describeError(rerun.found.failure.error)}\n\n${error.report}`,
          trace: formatTrace(rerun.found.failure.trace),
        };
        throw error.error;
      }
    }
  }

  /** What stands under `fixtures/schedules/` was repaired once, and stays. */
  async #replayRecorded(): Promise<void> {
    for (const { path, failure } of findRecorded(this.#run.project, this.#test)) {
      const rerun = await this.#replayOrFollow(failure.schedule);
      if (rerun.kind === "lost") throw new BadInputError(`${path}: ${rerun.reason}; record the failure anew, or remove the file`);
      if (rerun.kind !== "fails") continue;
      throw this.#errorOf(rerun.found, `the replay of ${path}`, `npx heddle replay ${path}`).error;
    }
  }

  /** What failed the last time; answers its file where it does not fail any more. */
  async #replayKept(): Promise<string | undefined> {
    const path = keptPath(this.#test);
    let kept: ReturnType<typeof findKept>;
    try {
      kept = findKept(this.#run.project, this.#test);
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      console.warn(`heddle: the failure that was kept cannot be read, and is left out: ${error.message}`);
      return path;
    }
    if (kept === undefined) return undefined;
    const { failure } = kept;
    const rerun = await this.#replayOrFollow(failure.schedule);
    if (rerun.kind === "fails") {
      throw this.#fail(rerun.found, `the replay of ${path}, which failed the last time`, failure);
    }
    this.#run.context.signal.throwIfAborted();
    if (rerun.kind === "lost") console.warn(`heddle: ${path}: ${rerun.reason}`);
    return path;
  }

  async #replayOrFollow(token: string): Promise<Rerun> {
    const { subject } = this.#run;
    const rerun = await subject.replay(token, this.#limits);
    return rerun.kind === "left" ? await subject.follow(token, this.#limits) : rerun;
  }

  #forget(path: string): void {
    const { project, context } = this.#run;
    removeFile(project, path);
    console.info(`heddle: ${context.task.name}: what failed the last time does not fail any more; ${toPosix(path)} is removed`);
  }

  /** Keeps the failure; answers the error to throw. `before` is the file that it comes from, if it comes from one. */
  #fail(found: Found, how: string, before?: Failure): Error {
    const { project, options } = this.#run;
    const { failure, token, original, values } = found;
    // What is expected to fail is no failure to come back to.
    if (this.#run.context.task.fails === true) return this.#errorOf(found, how, this.#variableLine(token)).error;
    // A program that is no function of its schedule has no order to be replayed.
    if (failure.kind === "divergence") return this.#errorOf(found, how, "not possible: the same order does not do the same twice").error;
    try {
      const path = writeFailure(project, {
        version: 1,
        program: this.#test,
        seed: failure.seed,
        strategy: before?.strategy ?? nameOf(options.strategy),
        options: options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps },
        schedule: token,
        original: before?.original ?? { schedule: original },
        error: { kind: failure.kind, message: describeError(failure.error) },
        ...(values !== undefined && { values: values.smallest }),
        trace: [...failure.trace] as Failure["trace"], // the same, but for readonly
      });
      return this.#errorOf(found, how, `npx heddle replay ${toPosix(path)}`).error;
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      return this.#errorOf(found, how, `${this.#variableLine(token)}\n(it could not be kept: ${error.message})`).error;
    }
  }

  #errorOf(found: Found, how: string, replay: string): { readonly error: Error; readonly report: string } {
    const { project, declared } = this.#run;
    const { failure, values, uncontrolled } = found;
    const report = renderTestFailure({
      failure,
      found: how,
      values,
      uncontrolled,
      testFile: this.#test.file,
      readSource: (file) => readSource(project, file),
      replay,
    });
    const { kind, error } = failure;
    const shown = failedTestError({ kind, error, report, declared, absolute: (site) => resolve(project, site) });
    return { error: shown, report };
  }

  #variableLine(token: string): string {
    const { file, name } = this.#test;
    return `${VARIABLES.replay}=${token} npx vitest run ${file} -t ${JSON.stringify(name)}`;
  }

  #describeSearch({ strategy }: Searched, { failure }: Found): string {
    const { options } = this.#run;
    return `run ${failure.run + 1}${options.runs === undefined ? "" : ` of at most ${count(options.runs, "run").replace(/ .*/, "")}`}, strategy ${strategy}, seed ${options.seed}`;
  }

  /** Whoever asks for so many runs is told when there were fewer, unless the limit is one of his own. */
  #requireSearched({ status, runs }: Searched): void {
    const { timeLimitMs } = this.#run.options;
    if (status !== "stopped" || (timeLimitMs !== undefined && this.#limits.leftMs() > 0 && runs > 0)) return;
    const { timeout } = this.#run.context.task;
    throw new UsageError(
      `the test's time limit of ${timeout} ms was nearly over after ${count(runs, "run")}, of which none failed. ` +
        "Give the test more time ({ timeout }), let it make fewer runs ({ runs }), or be content with what it can do in a time ({ timeLimitMs }).",
    );
  }

  #tellMeta({ runs, distinct, complete, strategy, status, leaks }: Searched): void {
    const { context, options } = this.#run;
    context.task.meta.heddleExploration = { status, runs, distinct, complete, strategy, seed: options.seed, leaks };
    if (leaks.length > 0) console.warn([`heddle: ${context.task.name}:`, ...describeLeaks(leaks)].join("\n"));
  }
}

/** How long a test may search that has so many milliseconds; none is no limit. */
function searchMs(timeoutMs: number): number {
  if (!(timeoutMs > 0) || timeoutMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return timeoutMs - Math.max(MIN_RESERVED_MS, timeoutMs * RESERVED_SHARE);
}

/** A test as failure files name it. */
function testOf({ task }: TestContext, project: string): TestProgram {
  const file = toPosix(relative(project, task.file.filepath));
  const names = namesIn(task.file);
  const nth = names
    .slice(
      0,
      names.findIndex(({ id }) => id === task.id),
    )
    .filter(({ fullTestName }) => fullTestName === task.fullTestName).length;
  const { projectName } = task.file;
  return {
    kind: "test",
    file,
    name: task.fullTestName,
    ...(projectName !== undefined && projectName !== "" && { project: projectName }),
    ...(nth > 0 && { nth }),
  };
}

interface NamedTest {
  readonly id: string;
  readonly fullTestName: string;
}

/** All tests of a file, in the order in which they stand there. */
function namesIn(suite: { readonly tasks: readonly unknown[] }): readonly NamedTest[] {
  return (suite.tasks as readonly (NamedTest & { readonly tasks?: readonly unknown[] })[]).flatMap((task) =>
    task.tasks === undefined ? [task] : namesIn({ tasks: task.tasks }),
  );
}

function readSource(project: string, file: string): string | undefined {
  const path = isAbsolute(file) ? file : resolve(project, file);
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= MAX_SOURCE_BYTES ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined; // moved, or somewhere that a place does not tell
  }
}

function nameOf(strategy: ExplorationOptions["strategy"]): string {
  return typeof strategy === "object" ? strategy.name : (strategy ?? "portfolio");
}

function toPosix(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}
