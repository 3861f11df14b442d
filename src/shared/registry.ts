/**
 * Which proxy stands for which object, so that an object has one proxy and one place where its accesses are told, however it is reached.
 *
 * Both tables belong to the objects and not to the program: an entry lives as long as its object, and a run whose objects are fresh finds
 * no other's.
 */
import { findRunningLoop } from "../loop/running.js";
import type { Subject } from "./subject.js";

/** What is known of an object that was shared, or found in a shared one. */
export interface Entry {
  readonly subject: Subject | undefined;
  /** The object itself where it needs none. */
  proxy: object;
  /** Whether it was told who made it. */
  isIntroduced: boolean;
  /** Tells that the running step has made it. */
  introduce(): void;
}

/** How what is found in a shared object is shared. */
export interface Sharing {
  /** The proxy of `object`, which was found in `region` where that is one location. */
  share(object: object, region: Subject | undefined): object;
  /** The running step puts `value` into a shared object: what is reached through it was made by that step. */
  adopt(value: unknown): void;
}

const entries = new WeakMap<object, Entry>();
const originals = new WeakMap<object, object>();

export function register(original: object, entry: Entry): void {
  entries.set(original, entry);
  if (entry.proxy !== original) originals.set(entry.proxy, original);
}

export function findEntry(original: object): Entry | undefined {
  return entries.get(original);
}

export function isProxy(value: object): boolean {
  return originals.has(value);
}

/** What a proxy stands for; anything else as it is. */
export function originalOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? (originals.get(value) ?? value) : value;
}

/** Whether anybody wants to know what is accessed. What is done only to tell it is done under this. */
export function isTracking(): boolean {
  return findRunningLoop()?.tracker !== undefined;
}
