/**
 * Running a project's property files through vitest, from the command.
 */
import { relative } from "node:path";
// Property files need it, and that it is missing is to be said before the first of them is loaded.
import "fast-check";
import { createVitest, type Reporter, type TestCase, type TestModule } from "vitest/node";
import type { CheckProgress } from "../arbitrary/check-invariants.js";
import { type InvariantTestMeta, PROGRESS_ANNOTATION } from "./protocol.js";

export interface PropertyTest {
  /** Relative to the project. */
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped" | "pending";
  readonly errors: readonly string[];
  readonly heddle: InvariantTestMeta | undefined;
}

export interface PropertyRun {
  readonly tests: readonly PropertyTest[];
  readonly isInterrupted: boolean;
  /** What kept files from being loaded, a sentence each. */
  readonly loadErrors: readonly string[];
}

export interface PropertyRunOptions {
  readonly project: string;
  /** Only files whose path holds one of these. */
  readonly files: readonly string[];
  /** Only tests whose name holds this. */
  readonly only: string | undefined;
  readonly onProgress: (testId: string, progress: CheckProgress) => void;
  /** Told each failing test as it fails. */
  readonly onFailure: (test: PropertyTest) => void;
  /** Is given the function that ends the run early. */
  readonly onInterrupt: (interrupt: () => void) => void;
}

/** Runs the property files. Rejects only for what vitest itself cannot do. */
export async function runPropertyFiles(options: PropertyRunOptions): Promise<PropertyRun> {
  const { project, files, only } = options;
  const reporter = new PropertyReporter(options);
  const vitest = await createVitest(
    "test",
    {
      root: project,
      watch: false,
      // A terminal's Ctrl-C reaches every process of the group, and a worker process would die before it could say what it knows.
      pool: "threads",
      coverage: { enabled: false },
      passWithNoTests: true,
      testTimeout: 0,
      include: ["properties/**/*.property.?(c|m)[jt]s?(x)"],
      ...(only !== undefined && { testNamePattern: escapeRegExp(only) }),
      reporters: [reporter],
    },
    {},
  );
  let isInterrupted = false;
  options.onInterrupt(() => {
    isInterrupted = true;
    void vitest.cancelCurrentRun("keyboard-input");
  });
  try {
    await vitest.start([...files]);
  } finally {
    await vitest.close();
  }
  return { tests: reporter.tests, isInterrupted, loadErrors: reporter.loadErrors };
}

class PropertyReporter implements Reporter {
  readonly tests: PropertyTest[] = [];
  readonly loadErrors: string[] = [];
  readonly #options: PropertyRunOptions;

  constructor(options: PropertyRunOptions) {
    this.#options = options;
  }

  onTestCaseAnnotate(testCase: TestCase, { type, message }: { readonly type: string; readonly message: string }): void {
    if (type === PROGRESS_ANNOTATION) this.#options.onProgress(testCase.id, JSON.parse(message) as CheckProgress); // written by testInvariants
  }

  onTestCaseResult(testCase: TestCase): void {
    const { state, errors } = testCase.result();
    if (state === "skipped") return;
    const test: PropertyTest = {
      file: relative(this.#options.project, testCase.module.moduleId),
      name: testCase.fullName,
      state,
      errors: (errors ?? []).map(({ message, stack }) => stack ?? message),
      heddle: testCase.meta().heddle,
    };
    this.tests.push(test);
    if (test.heddle !== undefined) this.#options.onProgress(testCase.id, test.heddle.progress);
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
