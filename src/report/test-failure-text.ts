/**
 * The failing order of a test, as a person reads it who comes to it with nothing but the test's name: what happens when, what of that
 * matters, the lines of the source where it does, and one line to see it again. What the program itself said stands before it, and
 * is told by the test runner.
 */
import type { ExploreFailure } from "../explore/outcome.js";
import type { Uncontrolled } from "../loop/outside.js";
import { count, describeSize, describeUncontrolled } from "./exploration-text.js";
import { placesThatMatter, type ReadSource, renderPlaces } from "./places.js";
import { renderTimeline } from "./timeline.js";

export interface TestFailureText {
  readonly failure: ExploreFailure;
  /** How it was found: `run 3 of at most 1,000, strategy portfolio, seed 7`. */
  readonly found: string;
  /** The drawn values with which it fails, as text, and those with which it failed first. */
  readonly values?: { readonly smallest: string; readonly first: string } | undefined;
  readonly uncontrolled?: Uncontrolled | undefined;
  /** The file of the test, relative to the project. */
  readonly testFile: string;
  readonly readSource: ReadSource;
  /** What to do to see it again. */
  readonly replay: string;
}

/** The report, without a newline at its end. The same failure gives the same text. */
export function renderTestFailure({ failure, found, values, uncontrolled, testFile, readSource, replay }: TestFailureText): string {
  const { trace, explanation, slowestIoMs } = failure;
  const places = renderPlaces(placesThatMatter(failure, testFile), readSource);
  return [
    trace.length === 0 ? "no step of it is known." : "the smallest that was found to fail, one column a task:",
    ...(trace.length === 0 ? [] : ["", indent(renderTimeline(trace))]),
    "",
    ...(values === undefined
      ? []
      : [`The values:  ${values.smallest}`, ...(values.first === values.smallest ? [] : [`  at first:  ${values.first}`]), ""]),
    ...(explanation.length === 0 ? [] : ["What the order is about:", ...explanation.map(indent), ""]),
    ...(places.length === 0 ? [] : ["Where that is:", ...places.map(indent), ""]),
    `Found in ${found}.`,
    ...describeMinimised(failure),
    ...(slowestIoMs === 0 ? [] : [`The slowest I/O takes ${slowestIoMs} ms of virtual time in it.`]),
    ...describeUncontrolled(uncontrolled),
    `Replay it: ${replay}`,
  ].join("\n");
}

/** Nothing where it was as small before. */
function describeMinimised({ minimised, granularity }: ExploreFailure): readonly string[] {
  if (minimised === undefined) return [];
  const [before, after] = [describeSize(minimised.before, granularity), describeSize(minimised.after, granularity)];
  return before === after ? [] : [`Made small in ${count(minimised.reruns, "rerun")}: ${after}; at first ${before}.`];
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
