/**
 * The ways to hold something: a lock, a permit. They are the same for both: take it at once where it is free and in turn where it is not,
 * and give it back however the work with it ends.
 */
import { requireFunction } from "../errors/errors.js";
import { Coroutine } from "../loop/coroutine.js";
import { isThenable } from "../loop/thenable.js";

/** What can be held. */
export interface Holdable {
  /** Takes it if nobody has to wait for it; answers whether it did. */
  readonly tryTake: () => boolean;
  /** Waits for its turn, and takes it. */
  readonly takeInTurn: () => Promise<true>;
  readonly release: () => void;
}

/** Something that is given back at the end of the block that holds it: `using held = await lock.hold()`. */
export interface Held {
  [Symbol.dispose](): void;
}

/** Takes it; `name` is that of the coroutine. */
export function acquire({ tryTake, takeInTurn }: Holdable, name: string): Coroutine<true> {
  return new Coroutine(() => (tryTake() ? true : takeInTurn()), name);
}

/** Runs `body` while holding it; `name` is that of the method. */
export async function holdDuring<T>({ tryTake, takeInTurn, release }: Holdable, body: () => PromiseLike<T> | T, name: string): Promise<T> {
  requireFunction(body, name);
  if (!tryTake()) await takeInTurn();
  try {
    const result = body();
    return isThenable(result) ? await result : result;
  } finally {
    release();
  }
}

/**
 * Takes it until what it answers is disposed of. That releases once: a block that disposes of it early, and then again at its end, must not
 * give back what somebody else holds by then.
 */
export function hold({ tryTake, takeInTurn, release }: Holdable, name: string): Coroutine<Held> {
  let isHeld = true;
  const held: Held = {
    [Symbol.dispose]() {
      if (!isHeld) return;
      isHeld = false;
      release();
    },
  };
  return new Coroutine(async () => {
    if (!tryTake()) await takeInTurn();
    return held;
  }, name);
}
