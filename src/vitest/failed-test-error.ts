/**
 * The error that a failing test throws.
 *
 * It is what the program threw, as far as the test runner looks: name, message, the fields by which it shows a difference, and a stack that begins in
 * the user's code. The order behind it stands as its cause, because vitest prints a cause last: after the message, the difference and the
 * lines around the place. Reporters that print nothing but a stack find the whole report in that.
 */
import { describeError, HeddleError } from "../errors/errors.js";
import type { FailureKind } from "../explore/outcome.js";
import { DeadlockError } from "../loop/deadlock.js";
import { framesOfOthers } from "../loop/site.js";

/** Causes of causes: what goes deeper is left out. */
const MAX_DEPTH = 8;

/** vitest puts `Caused by: ` before it, and a colon behind. */
const ORDER = "the order of steps";

export interface FailedTest {
  readonly kind: FailureKind;
  /** What the program threw. */
  readonly error: unknown;
  /** What happened, and how to see it again. */
  readonly report: string;
  /** The stack where the test was declared: where to look when what was thrown has no place in the user's code. */
  readonly declared: string;
  /** The absolute path of a place that is relative to the project. */
  readonly absolute: (site: string) => string;
}

export function failedTestError({ kind, error, report, declared, absolute }: FailedTest): Error {
  const shown = error instanceof Error ? copyOf(error) : withName("Error", describeError(error));
  if (kind === "unhandledRejection") shown.message += "\n(an exception or rejection that nobody handled)";
  if (kind === "invariant" && shown.name === "Error" && shown.message === "") shown.message = "an invariant does not hold";
  const own = framesOf(error, absolute);
  // What was thrown by a package alone, or by vitest, says nothing of the test.
  const isAtHome = own.some((frame) => !frame.includes("/node_modules/"));
  const frames = (isAtHome ? own : [...own, ...framesOfOthers(declared)]).map(withoutInferredName);
  setHidden(shown, "stack", [`${shown.name}: ${shown.message}`, "", report, ...frames].join("\n"));
  endOfCauses(shown).cause = orderError(report);
  return shown;
}

/** An error of heddle's own, shown at the place where the test was declared. */
export function pointAt(error: HeddleError, declared: string): HeddleError {
  setHidden(error, "stack", [`${error.name}: ${error.message}`, ...framesOfOthers(declared)].join("\n"));
  return error;
}

function orderError(report: string): Error {
  const order = withName(ORDER, report);
  setHidden(order, "stack", "");
  return order;
}

/** Another error that looks the same: what was thrown belongs to the program, which may throw it again. */
function copyOf(error: Error, depth = 0): Error {
  const copy = withName(read(error, "name"), read(error, "message"));
  if (!(error instanceof HeddleError)) {
    for (const key of Object.getOwnPropertyNames(error)) {
      if (key === "name" || key === "message" || key === "stack" || key === "cause") continue;
      try {
        Object.defineProperty(copy, key, {
          value: (error as unknown as Record<string, unknown>)[key],
          writable: true,
          configurable: true,
          enumerable: true,
        });
      } catch {
        // A getter of the program's that throws is no reason to lose the failure.
      }
    }
  }
  setHidden(copy, "stack", read(error, "stack"));
  const { cause } = error;
  if (cause !== undefined && depth < MAX_DEPTH) {
    copy.cause = cause instanceof Error ? copyOf(cause, depth + 1) : withName("Error", describeError(cause));
  }
  return copy;
}

/** A function that stands among the arguments of `test.explore` has no name, and the engine takes that of the call for one. */
function withoutInferredName(frame: string): string {
  return frame.replace(/^(\s*at )(?:async )?\S*\.explore\b\S* \((.*)\)$/, "$1$2");
}

function endOfCauses(error: Error): Error {
  let last = error;
  while (last.cause instanceof Error) last = last.cause;
  return last;
}

function withName(name: string, message: string): Error {
  const error = new Error(message);
  // An own name is printed like an inherited one, and not among the other fields.
  setHidden(error, "name", name);
  return error;
}

function setHidden(error: Error, key: string, value: string): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

function read(error: Error, key: "name" | "message" | "stack"): string {
  try {
    return String(error[key]);
  } catch {
    return `[${key} that cannot be shown]`;
  }
}

/** The frames of the program; of a deadlock, the places where its tasks wait. */
function framesOf(error: unknown, absolute: (site: string) => string): readonly string[] {
  if (error instanceof DeadlockError) {
    return error.waiting.flatMap(({ task, site }) => (site === undefined ? [] : [`    at ${task} (${absolute(site)})`]));
  }
  if (!(error instanceof Error)) return [];
  const stack = read(error, "stack");
  const message = read(error, "message");
  // A message may have lines that look like frames.
  const end = message === "" ? -1 : stack.indexOf(message);
  return framesOfOthers(end === -1 ? stack : stack.slice(end + message.length));
}
