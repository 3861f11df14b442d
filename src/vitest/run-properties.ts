/**
 * Running a project's property files through vitest, from the command.
 */
import { join, relative, sep } from "node:path";
// Property files need it, and that it is missing is to be said before the first of them is loaded.
import "fast-check";
import type { ViteUserConfig } from "vitest/config";
import { createVitest, type Reporter, type TestCase, type TestModule, type TestUserConfig, type Vitest } from "vitest/node";
import type { CheckProgress } from "../arbitrary/check-invariants.js";
import { BadInputError } from "../errors/errors.js";
import { onRealTimeout } from "../loop/host.js";
import { type InvariantTestMeta, PROGRESS_ANNOTATION, type ReplayTestMeta } from "./protocol.js";

/** How long an interrupt may go unheard, in milliseconds of real time. */
const CANCEL_AGAIN_MS = 200;

/** A terminal's Ctrl-C reaches every process of the group, and a worker process would die before it could say what it knows. */
const FOR_INTERRUPTS: TestUserConfig = { pool: "threads" };

/** Projects of the configuration would bring their own tests with them, whatever is included here. */
const AS_ONE_PROJECT: ViteUserConfig = {
  plugins: [
    {
      name: "heddle:one-project",
      config: (user: ViteUserConfig) => {
        if (user.test !== undefined) delete user.test.projects;
      },
    },
  ],
};

export interface PropertyTest {
  /** Relative to the project. */
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "interrupted";
  readonly errors: readonly string[];
  readonly heddle: InvariantTestMeta | undefined;
  readonly replay: ReplayTestMeta | undefined;
}

export interface PropertyRun {
  readonly tests: readonly PropertyTest[];
  readonly isInterrupted: boolean;
  /** What kept files from being loaded, a sentence each. */
  readonly loadErrors: readonly string[];
}

/** Is told of a run while it lasts. */
interface PropertyListener {
  readonly onProgress: (testId: string, progress: CheckProgress) => void;
  /** Told each failing test as it fails. */
  readonly onFailure: (test: PropertyTest) => void;
  /** Is given the function that ends the run early. */
  readonly onInterrupt: (interrupt: () => void) => void;
}

export interface PropertyRunOptions extends PropertyListener {
  readonly project: string;
  /** Only files whose path holds one of these. */
  readonly files: readonly string[];
  /** Only tests whose name holds this. */
  readonly only: string | undefined;
}

/** Runs the property files. Throws BadInputError when vitest cannot be started. */
export async function runPropertyFiles(options: PropertyRunOptions): Promise<PropertyRun> {
  const { project, files, only } = options;
  const config = {
    root: project,
    include: ["properties/**/*.property.?(c|m)[jt]s?(x)"],
    ...FOR_INTERRUPTS,
    ...(only !== undefined && { testNamePattern: escapeRegExp(only) }),
  };
  return await runVitest(options, files, config, AS_ONE_PROJECT);
}

/** One test: the path of its file relative to the project, and its name behind those of its suites. */
export interface TestToRun {
  /** A property is looked for wherever its file is; another test is found by the configuration of the project, and runs under that. */
  readonly kind: "property" | "test";
  readonly file: string;
  readonly name: string;
}

/** Runs one test of one file. */
export async function runOneTest(project: string, { kind, file, name }: TestToRun): Promise<PropertyRun> {
  const quiet: PropertyListener = { onProgress: () => undefined, onFailure: () => undefined, onInterrupt: () => undefined };
  // Versions of vitest differ in what they put between the names of suites.
  const names = name.split(" > ").map(escapeRegExp);
  const testNamePattern = `^\\s*${names.join(" (?:> )?")}$`;
  if (kind === "property") {
    const include = [file.replaceAll(/[\\()[\]{}!*?@+|]/g, String.raw`\$&`)];
    return await runVitest({ project, ...quiet }, [], { root: project, include, testNamePattern, ...FOR_INTERRUPTS }, AS_ONE_PROJECT);
  }
  const run = await runVitest({ project, ...quiet }, [join(project, file)], { root: project, testNamePattern });
  // A filter is a part of a path, and other files may have it, too.
  return { ...run, tests: run.tests.filter((test) => test.file === file) };
}

async function runVitest(
  options: PropertyListener & { readonly project: string },
  filters: readonly string[],
  config: TestUserConfig,
  viteConfig: ViteUserConfig = {},
): Promise<PropertyRun> {
  let vitest: Vitest | undefined = undefined;
  let isInterrupted = false;
  let isOver = false;
  // vitest forgets a request to cancel that comes before a worker is ready for it, so it is made again until it is heard.
  const cancel = (): void => {
    if (isOver) return;
    void vitest?.cancelCurrentRun("keyboard-input");
    onRealTimeout(cancel, CANCEL_AGAIN_MS);
  };
  options.onInterrupt(() => {
    if (isInterrupted) return;
    isInterrupted = true;
    cancel();
  });
  const reporter = new PropertyReporter(options);
  const always = { watch: false, coverage: { enabled: false }, passWithNoTests: true, testTimeout: 0, reporters: [reporter] };
  vitest = await startVitest({ ...config, ...always }, viteConfig);
  try {
    await vitest.start([...filters]);
  } catch (error) {
    // That no file matches the filters is for the caller to say.
    if ((error as { code?: unknown }).code !== "VITEST_FILES_NOT_FOUND") throw error;
  } finally {
    isOver = true;
    await vitest.close();
  }
  return { tests: reporter.tests, isInterrupted, loadErrors: reporter.loadErrors };
}

/** At the first Ctrl-C vitest ends the process by itself, before anything could be said; its listener is taken away. */
async function startVitest(config: TestUserConfig, viteConfig: ViteUserConfig): Promise<Vitest> {
  const before = process.rawListeners("SIGINT");
  try {
    return await createVitest("test", config, viteConfig);
  } catch (error) {
    throw new BadInputError(`vitest cannot be started: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    for (const listener of process.rawListeners("SIGINT")) {
      if (!before.includes(listener)) process.removeListener("SIGINT", listener as () => void); // of this event
    }
  }
}

class PropertyReporter implements Reporter {
  readonly tests: PropertyTest[] = [];
  readonly loadErrors: string[] = [];
  readonly #options: PropertyListener & { readonly project: string };

  constructor(options: PropertyListener & { readonly project: string }) {
    this.#options = options;
  }

  onTestCaseAnnotate(testCase: TestCase, { type, message }: { readonly type: string; readonly message: string }): void {
    if (type === PROGRESS_ANNOTATION) this.#options.onProgress(testCase.id, JSON.parse(message) as CheckProgress); // written by testInvariants
  }

  onTestCaseResult(testCase: TestCase): void {
    const { state, errors } = testCase.result();
    const { heddle, heddleReplay } = testCase.meta();
    // A skipped test that has told its progress was interrupted.
    if (state === "pending" || (state === "skipped" && heddle === undefined)) return;
    const test: PropertyTest = {
      file: relative(this.#options.project, testCase.module.moduleId).replaceAll(sep, "/"),
      name: testCase.fullName,
      state: state === "skipped" ? "interrupted" : state,
      errors: (errors ?? []).map(({ message, stack }) => stack ?? message),
      heddle,
      replay: heddleReplay,
    };
    this.tests.push(test);
    if (heddle !== undefined) this.#options.onProgress(testCase.id, heddle.progress);
    if (state === "failed") this.#options.onFailure(test);
  }

  onTestModuleEnd(testModule: TestModule): void {
    const file = relative(this.#options.project, testModule.moduleId);
    for (const { message } of testModule.errors()) this.loadErrors.push(`${file}: cannot be run: ${message}`);
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandledErrors: readonly { readonly message: string }[]): void {
    for (const { message } of unhandledErrors) this.loadErrors.push(`while the properties ran: ${message}`);
    // Modules end in the order of their speed; the summary must not.
    this.tests.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
