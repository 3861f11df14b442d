/**
 * Drawn values and an order together: fast-check draws the values, each of them is run in some orders, and what fails is made small on both
 * sides.
 *
 * A candidate of fast-check's shrinker is judged by the order that is known to fail, followed by its names as far as it applies to the other
 * values, and then by some orders of its own. With the smallest values the order is made small; with the smaller order the values may
 * shrink further, so that is done again until nothing changes. Each part is bounded by a number of runs, so the same seed ends in the same
 * failure.
 */
import type * as fc from "fast-check";
import { describeError, UsageError } from "../errors/errors.js";
import { explore, NothingToPermuteError } from "../explore/explore.js";
import { signatureOf } from "../explore/failed-run.js";
import { DEFAULT_RUNS } from "../explore/options.js";
import type { ExploreFailure, Outcome } from "../explore/outcome.js";
import type { Scenario, ScenarioEnv } from "../explore/scenario-run.js";
import { realNowMs } from "../loop/host.js";
import { framesOfOthers } from "../loop/site.js";
import { hash32 } from "../random/random.js";
import { checksumOf, type DrawnFrom, decodeToken, encodePropToken } from "../schedule/prop-token.js";
import { decodeSchedule } from "../schedule/token.js";
import type { ExplorationOptions } from "./explore-options.js";
import { loadFastCheck } from "./fast-check.js";
import { freshCopy } from "./fresh-copy.js";
import { type Found, followLoosely, type Limits, type Rerun, rerun, type Searched, type Subject, within } from "./subject.js";

/** How many values are drawn unless the options say otherwise. */
export const DEFAULT_VALUES = 100;
/** Of the order that is known to fail, followed loosely, so many runs are made with each candidate. */
const FOLLOWED_RUNS = 5;
/** All candidates together are judged by so many runs. */
const MAX_SHRINK_RUNS = 3_000;
/** How often values and order are made small in turn. */
const MAX_ROUNDS = 3;
const MAX_TEXT = 2_000;

/** A scenario with drawn values. */
export type DrawnScenario = (env: ScenarioEnv, values: unknown) => unknown;

export interface Property {
  readonly scenario: DrawnScenario;
  /** What draws all values at once. */
  readonly arbitrary: (fastCheck: typeof fc) => fc.Arbitrary<unknown>;
  readonly options: ExplorationOptions & { readonly seed: number };
  /** Whether the values are a list of arguments. */
  readonly isList: boolean;
  /** How many values are drawn. */
  readonly values: number;
  /** Values that are tried first. */
  readonly examples: readonly unknown[];
}

/** Values that fail in some order. */
interface Failing {
  readonly values: unknown;
  readonly failure: ExploreFailure;
  readonly uncontrolled: Outcome["uncontrolled"];
}

/** The subject that a property is. */
export async function propSubject(property: Property): Promise<Subject> {
  return new PropSubject(property, await loadFastCheck());
}

class PropSubject implements Subject {
  readonly #property: Property;
  readonly #fc: typeof fc;
  readonly #arbitrary: fc.Arbitrary<unknown>;

  constructor(property: Property, fastCheck: typeof fc) {
    this.#property = property;
    this.#fc = fastCheck;
    this.#arbitrary = property.arbitrary(fastCheck);
  }

  async search(limits: Limits): Promise<Searched> {
    const { options, values: asked } = this.#property;
    const { timeLimitMs = Number.POSITIVE_INFINITY, runs = DEFAULT_RUNS, ...rest } = options;
    const endMs = realNowMs() + timeLimitMs;
    const bounded: Limits = { signal: limits.signal, leftMs: () => Math.min(limits.leftMs(), endMs - realNowMs()) };
    const draws = Math.min(asked, runs);
    const perValue = Math.floor(runs / draws);
    const search = new ValueSearch();
    const details = await this.#check({ numRuns: draws, endOnFailure: true }, async (values) => {
      if (isOver(bounded)) return search.stop();
      const number = search.values++;
      const bound = this.#bind(values);
      const outcome = await search.explore(bound.scenario, {
        ...rest,
        ...within(bounded, rest),
        seed: number === 0 ? options.seed : hash32(`${options.seed}/values ${number}`),
        runs: perValue,
        stopOnFailure: true,
        minimise: false,
        // Whether it is a function of its schedule does not hang on the values, so the first ones that leave more than one order show it.
        selfCheck: !search.hasPermuted && rest.selfCheck !== false,
      });
      if (!(outcome instanceof NothingToPermuteError)) {
        search.add(outcome);
        if (outcome.status === "failed") search.fail(values, outcome);
        if (outcome.status === "stopped") return search.stop();
      }
      if (bound.isRefused()) this.#fc.pre(false);
      if (outcome instanceof NothingToPermuteError) search.addUnpermuted(outcome);
    });
    search.requireUse();
    const { failing } = search;
    if (failing === undefined) {
      if (details.failed && !search.isStopped) {
        throw new UsageError(
          `fc.pre refused nearly all values that were drawn (${details.numSkips}): draw values that fit in the first place`,
        );
      }
      search.requirePermuted();
      return search.summary(options.strategy, undefined);
    }
    const path = details.counterexamplePath ?? "0";
    const found =
      failing.failure.kind === "divergence"
        ? this.#asFound(failing, path, failing)
        : await this.#makeSmall(failing, path, bounded, perValue);
    return search.summary(options.strategy, found);
  }

  async replay(token: string, limits: Limits): Promise<Rerun> {
    return await this.#again(token, (scenario, { schedule }) => rerun(scenario, schedule, this.#property.options, limits));
  }

  async follow(token: string, limits: Limits): Promise<Rerun> {
    return await this.#again(token, (scenario, { schedule }) => followLoosely(scenario, schedule, this.#property.options, limits));
  }

  async #again(token: string, run: (scenario: Scenario, decoded: ReturnType<typeof decodeToken>) => Promise<Rerun>): Promise<Rerun> {
    const decoded = decodeToken(token);
    if (decoded.drawn === undefined) return { kind: "lost", reason: "it holds an order and no drawn values, and this test draws some" };
    const { drawn } = decoded;
    const values = await this.#draw(drawn);
    if (values === undefined) {
      return { kind: "lost", reason: "its values cannot be drawn any more, because what draws them, or fast-check, was changed" };
    }
    const { scenario } = this.#bind(values.values);
    const came = await run(scenario, decoded);
    if (came.kind !== "fails") return came;
    const text = this.#textOf(values.values);
    return {
      kind: "fails",
      found: {
        ...came.found,
        token: encodePropToken(drawn, came.found.token),
        original: encodePropToken(drawn, came.found.original),
        values: { smallest: text, first: text },
      },
    };
  }

  /** The values that a seed and a path lead to, if they are the recorded ones. */
  async #draw({ seed, path, checksum }: DrawnFrom): Promise<{ readonly values: unknown } | undefined> {
    // fast-check's `sample` walks another way than `check` does, which the path is of.
    let drawn: { readonly values: unknown } | undefined;
    const take = (values: unknown): never => {
      drawn ??= { values };
      throw new Error("the first is enough");
    };
    try {
      await this.#check({ seed: seed | 0, path, numRuns: 1, endOnFailure: true }, take);
    } catch {
      return undefined; // the path leads nowhere
    }
    return drawn !== undefined && checksumOf(this.#fc.stringify(drawn.values)) === checksum ? drawn : undefined;
  }

  /** Values and order made small in turn. */
  async #makeSmall(first: Failing, firstPath: string, limits: Limits, perValue: number): Promise<Found> {
    let [best, path] = [first, firstPath];
    let runs = 0;
    const judge = async (values: unknown): Promise<Failing | undefined> => {
      if (runs >= MAX_SHRINK_RUNS || isOver(limits)) return undefined;
      const judged = await this.#judge(values, best, limits, perValue);
      runs += judged.runs;
      return judged.failing;
    };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let isKnown = true;
      const details = await this.#check({ path, numRuns: 1, endOnFailure: false }, async (values) => {
        // The first one is what is known to fail.
        const smaller = isKnown ? best : await judge(values);
        isKnown = false;
        if (smaller === undefined) return;
        best = smaller;
        throw smaller.failure.error;
      });
      const before = path;
      path = details.counterexamplePath ?? path;
      if (round > 0 && path === before) break;
      best = await this.#withSmallOrder(best, limits);
    }
    return this.#asFound(best, path, first);
  }

  /** Whether other values fail in the same way. */
  async #judge(
    values: unknown,
    { failure }: Failing,
    limits: Limits,
    perValue: number,
  ): Promise<{ readonly failing: Failing | undefined; readonly runs: number }> {
    const { onRun: _onRun, onProgress: _onProgress, ...options } = this.#property.options;
    const { scenario } = this.#bind(values);
    const quick = { ...options, minimise: false, selfCheck: false };
    const followed = await followLoosely(scenario, decodeSchedule(failure.schedule), quick, limits, FOLLOWED_RUNS);
    const isSame = (other: ExploreFailure): boolean => sameDefect(other) === sameDefect(failure);
    if (followed.kind === "fails" && isSame(followed.found.failure)) return { failing: { values, ...followed.found }, runs: 1 };
    const outcome = await explore(scenario, {
      ...quick,
      ...within(limits, quick),
      seed: failure.seed,
      runs: perValue,
      stopOnFailure: true,
    });
    const isFailing = outcome.status === "failed" && isSame(outcome.failure);
    return {
      failing: isFailing ? { values, failure: outcome.failure, uncontrolled: outcome.uncontrolled } : undefined,
      runs: FOLLOWED_RUNS + outcome.runs,
    };
  }

  async #withSmallOrder(failing: Failing, limits: Limits): Promise<Failing> {
    const { scenario } = this.#bind(failing.values);
    const small = await rerun(scenario, decodeSchedule(failing.failure.schedule), this.#property.options, limits);
    if (small.kind !== "fails" || sameDefect(small.found.failure) !== sameDefect(failing.failure)) return failing;
    const { failure, uncontrolled } = small.found;
    return { values: failing.values, failure: { ...failure, run: failing.failure.run }, uncontrolled };
  }

  #asFound({ values, failure, uncontrolled }: Failing, path: string, first: Failing): Found {
    const { seed } = this.#property.options;
    const drawnFrom = (from: string, what: unknown): DrawnFrom => ({ seed, path: from, checksum: checksumOf(this.#fc.stringify(what)) });
    const [firstPath = "0"] = path.split(":");
    return {
      failure,
      token: encodePropToken(drawnFrom(path, values), failure.schedule),
      original: encodePropToken(drawnFrom(firstPath, first.values), first.failure.original),
      values: { smallest: this.#textOf(values), first: this.#textOf(first.values) },
      uncontrolled,
    };
  }

  #textOf(values: unknown): string {
    const { stringify } = this.#fc;
    const text = this.#property.isList ? (values as readonly unknown[]).map((value) => stringify(value)).join(", ") : stringify(values);
    return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
  }

  /** The scenario with these values, fresh ones in each run. A run that `fc.pre` ends has not failed; the values are refused. */
  #bind(values: unknown): { readonly scenario: Scenario; readonly isRefused: () => boolean } {
    const { scenario } = this.#property;
    const { PreconditionFailure, hasCloneMethod, cloneIfNeeded } = this.#fc;
    let isRefused = false;
    return {
      scenario: async (env) => {
        try {
          return await scenario(env, freshCopy(values, { hasCloneMethod, cloneIfNeeded }));
        } catch (error) {
          if (!PreconditionFailure.isFailure(error)) throw error;
          isRefused = true;
          return undefined;
        }
      },
      isRefused: () => isRefused,
    };
  }

  async #check(parameters: fc.Parameters<[unknown]>, judge: (values: unknown) => Promise<void>): Promise<fc.RunDetails<[unknown]>> {
    const property = this.#fc.asyncProperty(this.#arbitrary, async (values) => {
      await judge(values);
    });
    return await this.#fc.check(property, { path: "", ...this.#parameters(), seed: this.#property.options.seed | 0, ...parameters });
  }

  #parameters(): fc.Parameters<[unknown]> {
    return { examples: this.#property.examples.map((values): [unknown] => [values]) };
  }
}

/** What a search over values adds up to. */
class ValueSearch {
  values = 0;
  failing: Failing | undefined = undefined;
  isStopped = false;
  #runs = 0;
  #distinct = 0;
  #strategy: string | undefined = undefined;
  #leaks: readonly string[] = [];
  #misuse: { readonly error: unknown } | undefined = undefined;
  #unpermuted: NothingToPermuteError | undefined = undefined;

  add({ runs, distinct, strategy, leaks }: Outcome): void {
    this.#runs += runs;
    this.#distinct += distinct;
    this.#strategy = strategy;
    if (this.#leaks.length === 0) this.#leaks = leaks;
  }

  async explore(scenario: Scenario, options: ExplorationOptions): Promise<Outcome | NothingToPermuteError> {
    try {
      return await explore(scenario, options);
    } catch (error) {
      if (error instanceof NothingToPermuteError) return error;
      this.#misuse ??= { error };
      throw error;
    }
  }

  /** What is wrong with the scenario itself fails with any values, and is none of theirs. */
  requireUse(): void {
    if (this.#misuse !== undefined) throw this.#misuse.error;
  }

  /** Whether some values have left more than one order. */
  get hasPermuted(): boolean {
    return this.#runs > 0;
  }

  /** These values leave one order only, as an empty list does. */
  addUnpermuted(error: NothingToPermuteError): void {
    this.#unpermuted = error;
  }

  /** Throws where no values at all left more than one order. */
  requirePermuted(): void {
    if (this.#unpermuted !== undefined && !this.hasPermuted && !this.isStopped) throw this.#unpermuted;
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Tells fast-check that these values fail. */
  fail(values: unknown, { failure, uncontrolled }: Extract<Outcome, { readonly status: "failed" }>): never {
    this.failing = { values, failure: { ...failure, run: this.#runs - 1 }, uncontrolled };
    throw failure.error;
  }

  summary(strategy: ExplorationOptions["strategy"], found: Found | undefined): Searched {
    return {
      status: found !== undefined ? "failed" : this.isStopped ? "stopped" : "passed",
      found,
      runs: this.#runs,
      distinct: this.#distinct,
      complete: false,
      leaks: this.#leaks,
      strategy: this.#strategy ?? (typeof strategy === "string" ? strategy : "portfolio"),
    };
  }
}

function isOver({ signal, leftMs }: Limits): boolean {
  return signal.aborted || leftMs() <= 0;
}

/** What stays the same of a failure when the values change: messages tell values, so an error is known by its name and where it was thrown. */
function sameDefect({ kind, error }: ExploreFailure): string {
  const isThrown = kind === "error" || kind === "unhandledRejection" || kind === "invariant";
  if (!isThrown || !(error instanceof Error)) return signatureOf({ kind, error });
  const [frame] = framesOfOthers(String(error.stack)).filter((line) => !line.includes("/node_modules/"));
  return `${kind} ${error.name} ${frame?.trim() ?? describeError(error).replaceAll(/\d+/g, "#")}`;
}
