/**
 * Replacing properties of the platform, and finding out whether they are still what was put there.
 */

/** A function of the platform: whoever forwards to it hands on whatever was given. */
export type AnyFunction = (...args: unknown[]) => unknown;

/** One property, and what is to stand there. */
export interface Replacement {
  readonly owner: object;
  readonly name: string;
  readonly value: unknown;
  /** What people call it: `globalThis.setTimeout`. */
  readonly label: string;
}

/** The replacement for `owner[name]` by what `make` makes of the function that stands there; none where there is no such function. */
export function replacing(
  owner: object | undefined,
  name: string,
  label: string,
  make: (real: AnyFunction) => unknown,
): readonly Replacement[] {
  const real = owner && (owner as { readonly [name: string]: unknown })[name];
  if (owner === undefined || typeof real !== "function") return [];
  return [{ owner, name, label, value: make(real as AnyFunction) }];
}

/** `value` with the name and the length that the platform's own has, for whoever looks. */
export function named<F extends object>(value: F, name: string, length: number): F {
  Object.defineProperties(value, { name: { value: name, configurable: true }, length: { value: length, configurable: true } });
  return value;
}

/** What stood in the place of a replacement before. */
interface Before {
  readonly replacement: Replacement;
  /** Undefined where it was inherited, or not there. */
  readonly descriptor: PropertyDescriptor | undefined;
}

/** Replacements that are in place for a while. */
export class Placement {
  readonly #before: readonly Before[];
  readonly #wasExtensible = Object.isExtensible(globalThis);

  /** Puts each of them in its place. Throws whatever the owner throws, for one that is frozen; then nothing is changed. */
  constructor(replacements: readonly Replacement[]) {
    const before: Before[] = [];
    try {
      for (const replacement of replacements) {
        const descriptor = Object.getOwnPropertyDescriptor(replacement.owner, replacement.name);
        before.push({ replacement, descriptor });
        if (!isInPlace(replacement)) place(replacement, descriptor);
      }
    } catch (error) {
      for (const each of before.reverse()) putBack(each);
      throw error;
    }
    this.#before = before;
  }

  /** The labels of those that somebody has changed meanwhile, or that can no longer be changed. */
  findChanged(): readonly string[] {
    if (this.#wasExtensible && !Object.isExtensible(globalThis)) return ["globalThis itself (it is frozen now)"];
    let changed: string[] | undefined;
    for (const { replacement } of this.#before) if (!isInPlace(replacement)) (changed ??= []).push(replacement.label);
    return changed ?? NONE;
  }

  /** Who ends fake timers that are no longer in place deletes what is there. They are ended while they are, and then never again. */
  #endFakes(): void {
    for (const { replacement } of this.#before) {
      const now = (replacement.owner as { readonly [name: string]: FakeClock | undefined })[replacement.name];
      try {
        now?.clock?.uninstall?.();
      } catch {
        // They are no clock, or one that cannot be ended.
      }
    }
  }

  /** Puts those that were changed in their places again; the labels of those that cannot be. */
  restore(): readonly string[] {
    this.#endFakes();
    return this.#before.flatMap(({ replacement, descriptor }) => {
      if (isInPlace(replacement)) return [];
      try {
        place(replacement, descriptor);
        return [];
      } catch {
        return [replacement.label]; // frozen meanwhile
      }
    });
  }

  /** Puts back what was there before; the labels of those that cannot be. */
  release(): readonly string[] {
    return this.#before.flatMap((each) => (putBack(each) ? [] : [each.replacement.label]));
  }
}

const NONE: readonly string[] = [];

/** A clock of fake-timers, which vitest, jest and sinon use. */
interface FakeClock {
  readonly clock?: { readonly uninstall?: () => unknown };
}

function isInPlace({ owner, name, value }: Replacement): boolean {
  return (owner as { readonly [name: string]: unknown })[name] === value;
}

/** As visible as what stood there `before`. Throws TypeError for a property that cannot be changed. */
function place({ owner, name, value }: Replacement, before: PropertyDescriptor | undefined): void {
  Object.defineProperty(owner, name, { value, enumerable: before?.enumerable ?? true, writable: true, configurable: true });
}

const FIELDS = ["value", "get", "set", "writable", "enumerable", "configurable"] as const;

/** Answers whether it is now as it was. */
function putBack({ replacement: { owner, name }, descriptor }: Before): boolean {
  const now = Object.getOwnPropertyDescriptor(owner, name);
  if (FIELDS.every((field) => now?.[field] === descriptor?.[field])) return true;
  try {
    if (descriptor === undefined) return Reflect.deleteProperty(owner, name);
    Object.defineProperty(owner, name, descriptor);
    return true;
  } catch {
    return false; // frozen meanwhile
  }
}
