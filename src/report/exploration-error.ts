/**
 * A failed exploration as an error that any test runner shows well: the program's own message, then the order that breaks it, at the
 * place where the program threw.
 */
import { describeError, HeddleError, isError } from "../errors/errors.js";
import type { ExploreFailure, Outcome } from "../explore/outcome.js";
import { framesOfOthers } from "../loop/site.js";
import { count, describeSize } from "./exploration-text.js";
import { renderTimeline } from "./timeline.js";

/** An outcome that has a failure. */
export type FailedOutcome = Extract<Outcome, { readonly status: "failed" }>;

/** How one runner has it told. */
export interface ExplorationErrorOptions {
  /** What to do to see the failure again. Default: `HEDDLE_REPLAY` with the token. */
  readonly replay?: string | undefined;
  /** The order as text. Default: {@link renderTimeline}. */
  readonly timeline?: string | undefined;
  /** The stack at the call of the exploration, for where the error has no frame in anybody's code, as that of a deadlock. Default: none. */
  readonly callStack?: string | undefined;
}

/** What assertion libraries keep beside the message, by which test runners show a difference: node:assert, chai, expect. */
const ASSERTION_FIELDS = ["actual", "expected", "operator", "showDiff", "generatedMessage", "diff", "matcherResult"] as const;

/** Names that say no more than that something is wrong. */
const PLAIN_NAMES = new Set(["Error", "AssertionError"]);

/**
 * What `exploreOrThrow` throws when a run failed. The message begins with the program's own, and then tells the smallest order that fails and how to
 * replay it; `cause` is what the program threw, and `outcome` all that was found out. The fields by which test runners show the difference
 * between `actual` and `expected` are those of the cause.
 *
 * @since 0.3.0
 */
export class ExplorationError extends HeddleError {
  readonly #outcome: FailedOutcome;

  constructor(outcome: FailedOutcome, { replay, timeline, callStack = "" }: ExplorationErrorOptions = {}) {
    const { error } = outcome.failure;
    super("HEDDLE_EXPLORATION", renderMessage(outcome, { replay, timeline }), { cause: error });
    this.#outcome = outcome;
    Object.assign(this, assertionFieldsOf(error));
    const own = leaveOwnFrames(error);
    this.stack = [`${this.name}: ${this.message}`, ...(own.length > 0 ? own : framesOfOthers(callStack))].join("\n");
  }

  /** All that was found out. It is no field, because runners print those. */
  get outcome(): FailedOutcome {
    return this.#outcome;
  }

  static {
    this.prototype.name = "ExplorationError";
  }
}

function renderMessage(outcome: FailedOutcome, { replay, timeline }: ExplorationErrorOptions): string {
  const { failure, failures, runs, seed, strategy, uncontrolled } = outcome;
  const { trace, minimised, explanation, slowestIoMs, schedule } = failure;
  const order = timeline ?? renderTimeline(trace);
  return [
    headline(failure),
    ...(order === "" ? [] : ["", "The smallest order found that fails, one column a task:", indent(order)]),
    ...(explanation.length === 0 ? [] : ["", "What the order is about:", ...explanation.map(indent)]),
    "",
    `Failed: ${count(failures, "run")} of ${runs}, strategy ${strategy}, seed ${seed}${minimised === undefined ? "" : `; made small: ${describeSize(minimised.after, failure.granularity)}`}`,
    ...(slowestIoMs === 0 ? [] : [`The slowest I/O takes ${slowestIoMs} ms of virtual time in it.`]),
    ...(uncontrolled === undefined
      ? []
      : [`Not all was under control: ${uncontrolled.task} waited for something outside of the loop, so a replay is not promised.`]),
    `Replay it: ${replay ?? `run this test alone with HEDDLE_REPLAY=${schedule}`}`,
  ].join("\n");
}

/** The program's own message. A name that says more than `Error` stands before it, because that of the new error takes its place. */
function headline({ kind, error }: ExploreFailure): string {
  const said = (plainMessage(error) ?? describeError(error)).trimEnd(); // that of node:assert ends with an empty line
  return kind === "unhandledRejection" ? `${said}\n(an exception or rejection that nobody handled)` : said;
}

function plainMessage(error: unknown): string | undefined {
  try {
    return isError(error) && PLAIN_NAMES.has(error.name) && error.message !== "" ? error.message : undefined;
  } catch {
    return undefined;
  }
}

function assertionFieldsOf(error: unknown): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  if (!isError(error)) return fields;
  for (const name of ASSERTION_FIELDS) {
    try {
      const value = (error as unknown as Record<string, unknown>)[name];
      if (name in error) fields[name] = value;
    } catch {
      // A getter of the program's that throws is no reason to lose the failure.
    }
  }
  return fields;
}

/**
 * The frames of an error's stack that are neither heddle's nor Node's. The error is left with only those, because test runners print a cause
 * with its whole stack.
 */
function leaveOwnFrames(error: unknown): readonly string[] {
  if (!isError(error)) return [];
  try {
    const stack = String(error.stack);
    // The message may have lines that look like frames.
    const end = error.message === "" ? -1 : stack.indexOf(error.message);
    const head = end === -1 ? describeError(error) : stack.slice(0, end + error.message.length);
    const frames = framesOfOthers(end === -1 ? stack : stack.slice(end + error.message.length));
    error.stack = [head, ...frames].join("\n");
    return frames;
  } catch {
    return []; // it is frozen, or throws whatever it is asked
  }
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
