/**
 * `shared`: what the steps of a program read and write of the objects that its tasks share.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { shareRoot } from "./sharing.js";

/**
 * A proxy of `object` that behaves as the object does, and tells what each step reads and writes of it. Whatever is found in it is shared as
 * well. Two steps that touch different properties, or only read, are then known to be independent, which is what strategies like `dpor` live on.
 *
 * Each property is a location of its own, as is each index of an array and each key of a Map or a Set. Where a proxy sees too little (dates,
 * typed arrays, a class with `#private` fields) the whole object is one location, and all that is found in it belongs to it. The primitives,
 * futures and promises are handed out as they are. What goes on behind the proxy is not seen: accesses to the object itself, what functions
 * have closed over, and what an asynchronous method of a class with `#private` fields does after its first await. `structuredClone` copies no
 * proxy.
 *
 * Make it inside the scenario. The same object has the same proxy; outside of a run, or where nobody tracks, it only passes on.
 *
 * Throws UsageError for anything but an object.
 *
 * @example
 * await explore(async ({ shared, sleep, gather }) => {
 *   const account = shared({ balance: 0 });
 *   const deposit = async () => {
 *     const before = account.balance;
 *     await sleep(0);
 *     account.balance = before + 1;
 *   };
 *   await gather(deposit, deposit);
 *   if (account.balance !== 2) throw new Error("a deposit was lost");
 * }, { strategy: "dpor" });
 * @since 0.2.0
 */
export function shared<T extends object>(object: T): T {
  const value: unknown = object;
  if (typeof value !== "object" || value === null) {
    throw new UsageError(`shared: needs an object, whose properties the tasks share, not ${describeValue(value)}`);
  }
  return shareRoot(value) as T; // the proxy behaves as the object does
}
