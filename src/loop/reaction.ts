/**
 * The await grain: every await of instrumented code and every callback of a promise is a handle, where at the event grain it is a microtask of the
 * step that settles what it waits for.
 *
 * A promise is waited for natively, and at the very moment at which the language would go on, a {@link Reaction} joins the ready queue instead. So
 * the order of arrival is the language's own, and a run that always takes the first is close to what happens without heddle.
 */
import type { AlternativeKind } from "../schedule/strategy.js";
import { type Context, captureContext } from "./context.js";
import { Coroutine } from "./coroutine.js";
import type { EventLoop } from "./event-loop.js";
import { Handle } from "./handle.js";
import { nativeThen } from "./native-then.js";
import { captureStack, siteOfStack } from "./site.js";
import type { Task } from "./task.js";
import { isOwnAwaitable } from "./thenable.js";
import { isEngineResolver } from "./wait.js";

type Callback = (value: never) => unknown;
type Resolve = (value: unknown) => unknown;

/**
 * An await that goes on, or a callback of a promise that is called. It is what is awaited, too: a thenable whose `then` only keeps the engine's
 * `resolve` and `reject` until the handle runs. (A promise in its place could be rejected without anybody who handles it.)
 */
export class Reaction extends Handle implements PromiseLike<never> {
  readonly name: string;
  readonly operation: string;
  /** Where in the source, if the name does not say it and somebody wants to know. */
  readonly site: string | undefined;
  readonly #reactions: Reactions;
  readonly #task: Task | undefined;
  readonly #context: Context | undefined;
  #callback: Callback | undefined = undefined;
  #value: unknown = undefined;
  #isError = false;
  #resolve: Resolve | undefined = undefined;
  #reject: Resolve | undefined = undefined;

  /** @internal Made by {@link Reactions}. */
  constructor(reactions: Reactions, name: string, operation: string, task: Task | undefined, context?: Context, site?: string) {
    super();
    this.#reactions = reactions;
    this.name = name;
    this.operation = operation;
    this.site = site;
    this.#task = task;
    this.#context = context;
  }

  /** Whose step made it: what goes on there is most often its task's. */
  override get task(): Task | undefined {
    return this.#task;
  }

  override get context(): Context | undefined {
    return this.#context;
  }

  override get kind(): AlternativeKind {
    return "reaction";
  }

  /** A chain of its own: which function goes on here nobody tells. */
  override get chain(): object {
    return this;
  }

  /** What it waited for is there: it is ready. */
  settle(value: unknown, isError: boolean, callback?: Callback): this {
    this.#value = value;
    this.#isError = isError;
    this.#callback = callback;
    this.#reactions.queue(this);
    return this;
  }

  then<Result1 = never, Result2 = never>(
    onFulfilled?: Callback | null,
    onRejected?: ((reason: unknown) => unknown) | null,
  ): Promise<Result1 | Result2> {
    // The engine calls it, in a microtask of the step in which it was made, with functions of its own, and ignores what is returned.
    this.#resolve = onFulfilled as Resolve | undefined; // which takes any value
    this.#reject = onRejected as Resolve | undefined;
    return this as unknown as Promise<Result1 | Result2>;
  }

  run(): void {
    this.#reactions.noteTaken();
    if (this.#callback === undefined) {
      (this.#isError ? this.#reject : this.#resolve)?.(this.#value);
      return;
    }
    try {
      this.#resolve?.(this.#callback(this.#value as never)); // the callback takes what its promise came to
    } catch (error) {
      this.#reject?.(error);
    }
  }
}

/** The awaits and promise reactions of one run. */
export class Reactions {
  readonly #loop: EventLoop;
  readonly #withSites: boolean;
  /** How often each name was given. */
  readonly #made = new Map<string, number>();
  #ready = 0;

  constructor(loop: EventLoop, withSites: boolean) {
    this.#loop = loop;
    this.#withSites = withSites;
  }

  /** How many are ready. */
  get ready(): number {
    return this.#ready;
  }

  /**
   * What is to be awaited in the place of `value`, by the await at `site`. Outside of the program's steps, and for what the loop itself hands out, that
   * is `value` itself.
   */
  awaiting(value: unknown, site: string): unknown {
    if (isOfTheLoop(value) || !this.#loop.isInsideStep()) return value;
    const reaction = this.#make(site);
    // As an await does: what cannot even be looked at throws here.
    void nativeThen(
      Promise.resolve(value),
      (result: unknown) => {
        reaction.settle(result, false);
      },
      (reason) => {
        reaction.settle(reason, true);
      },
    );
    return reaction;
  }

  /**
   * What is to be handed to the language's own `then` in the place of these callbacks, so that each is called in a step of its own; undefined where
   * they are to stay as they are.
   */
  reacting(onFulfilled: unknown, onRejected: unknown, what = "then"): readonly [onFulfilled: unknown, onRejected: unknown] | undefined {
    const fulfilled = isOfTheProgram(onFulfilled) ? onFulfilled : undefined;
    const rejected = isOfTheProgram(onRejected) ? onRejected : undefined;
    if ((fulfilled === undefined && rejected === undefined) || !this.#loop.isInsideStep()) return undefined;
    const name = [fulfilled?.name, rejected?.name].find((each) => each !== undefined && each !== "") ?? "";
    const reaction = this.#make(`${what}(${name})`, captureContext(), this.#withSites ? siteOfStack(captureStack(), /^\s*at /) : undefined);
    return [
      fulfilled === undefined ? onFulfilled : (value: unknown) => reaction.settle(value, false, fulfilled),
      rejected === undefined ? onRejected : (reason: unknown) => reaction.settle(reason, true, rejected),
    ];
  }

  #make(name: string, context?: Context, site?: string): Reaction {
    const occurrence = (this.#made.get(name) ?? 0) + 1;
    this.#made.set(name, occurrence);
    const reaction = new Reaction(this, name, String(occurrence), this.#loop.findAwaitingTask(), context, site);
    this.#loop.tracker?.made(reaction);
    return reaction;
  }

  /** @internal */
  queue(reaction: Reaction): void {
    // What a run leaves behind does not go on after it.
    if (this.#loop.isClosed()) return;
    this.#ready++;
    this.#loop.enqueue(reaction);
  }

  /** @internal */
  noteTaken(): void {
    this.#ready--;
  }
}

/** Whether an await of it is a scheduling point already. */
function isOfTheLoop(value: unknown): boolean {
  return typeof value === "object" && value !== null && (isOwnAwaitable in value || value instanceof Coroutine);
}

/** Whether it is a callback of the program, and not one by which the engine hands on what a promise came to. */
function isOfTheProgram(callback: unknown): callback is Callback {
  return typeof callback === "function" && !isEngineResolver(callback);
}
