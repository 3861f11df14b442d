/**
 * Copies of drawn values. A value is drawn once and run in many orders, and a run must not see what an earlier one did to it.
 */
import type * as fc from "fast-check";

/** Of fast-check, which is loaded by whoever needs it. */
type Cloning = Pick<typeof fc, "hasCloneMethod" | "cloneIfNeeded">;

/**
 * The same data in fresh arrays, plain objects, Maps, Sets, Dates and binary views. Whatever else there is (functions, instances of classes)
 * stays the same object, unless fast-check knows how to clone it.
 */
export function freshCopy<T>(value: T, cloning: Cloning): T {
  return copy(value, new Map(), cloning) as T; // of the same shape, all the way down
}

function copy(value: unknown, copies: Map<object, unknown>, cloning: Cloning): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const remember = <C>(made: C): C => {
    copies.set(value, made);
    return made;
  };
  if (cloning.hasCloneMethod(value)) return remember(cloning.cloneIfNeeded(value));
  if (Array.isArray(value)) {
    const made = remember<unknown[]>(new Array(value.length));
    // Only what is there, so that a hole stays one.
    for (const index of Object.keys(value)) made[Number(index)] = copy(value[Number(index)], copies, cloning);
    return made;
  }
  if (Object.prototype.toString.call(value) === "[object Date]") return remember(structuredClone(value));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return remember(structuredClone(value));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Map.prototype) {
    const made = remember(new Map());
    for (const [key, item] of value as Map<unknown, unknown>) made.set(copy(key, copies, cloning), copy(item, copies, cloning));
    return made;
  }
  if (prototype === Set.prototype) {
    const made = remember(new Set());
    for (const item of value as Set<unknown>) made.add(copy(item, copies, cloning));
    return made;
  }
  if (prototype !== Object.prototype && prototype !== null) return value;
  const made = remember(Object.create(prototype) as object);
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined) continue;
    Object.defineProperty(
      made,
      key,
      "value" in descriptor ? { ...descriptor, value: copy(descriptor.value, copies, cloning) } : descriptor,
    );
  }
  return made;
}
