/**
 * `wrap`: a client of the outside world whose calls are events of the schedule: each reaches the other side, and is answered, when the
 * scheduler likes.
 */
import { describeValue, UsageError } from "../errors/errors.js";
import { captureContext } from "./context.js";
import { errorOf, type IoOptions, requireIo } from "./io-options.js";
import { openRealGate } from "./real-gate.js";
import { getRunningLoop } from "./running.js";

export interface WrapOptions extends IoOptions {
  /**
   * What the two gates of a call are called, before `request` and `answer`: a function of the name of the method and the arguments. Default: the
   * name.
   */
  readonly label?: (method: string, values: readonly unknown[]) => string;
}

/** The names of the methods of `T`. */
export type MethodName<T> = { [K in keyof T]-?: T[K] extends (...values: never) => unknown ? K : never }[keyof T];

/** A client whose methods `K` return promises; it has the type of the client where they all did so before. */
export type Wrapped<T, K extends keyof T> = T[K] extends (...values: never) => PromiseLike<unknown>
  ? T
  : Omit<T, K> & {
      readonly [P in K]: T[P] extends (...values: infer Values) => infer Result ? (...values: Values) => Promise<Awaited<Result>> : T[P];
    };

/**
 * A client that is `client` in all but the methods `names`: a call of one of these is two events, each a gate. At its request the real method
 * is called, on the real client; at its answer the promise that the call has returned settles, with what the method came to. So calls reach the
 * other side in any order, and are answered in any other. With `mayFail` the request may be lost, and then the method is not called, or the answer
 * may be, when it has done its work.
 *
 * The answer stands for real work as that of a {@link gate} does.
 *
 * Throws UsageError for a client that is no object, and for names that are none of its methods; a call does so outside of a run.
 *
 * @example
 * const redis = wrap(client, ["get", "set"], { label: (method, [key]) => `${method} ${key}` });
 * await Promise.all([redis.set("a", 1), redis.get("a")]);
 * @since 0.3.0
 */
export function wrap<T extends object, K extends MethodName<T>>(client: T, names: readonly K[], options: WrapOptions = {}): Wrapped<T, K> {
  if ((typeof client !== "object" && typeof client !== "function") || (client as unknown) === null) {
    throw new UsageError(`wrap: client must be an object, not ${describeValue(client)}`);
  }
  requireIo("wrap", "", options);
  const wrapped = new Map<PropertyKey, unknown>();
  for (const name of requireNames(names)) {
    const method: unknown = Reflect.get(client, name);
    if (typeof method !== "function") {
      throw new UsageError(`wrap: ${JSON.stringify(String(name))} is no method of the client, but ${describeValue(method)}`);
    }
    wrapped.set(name, calling(client, String(name), method as Method, options));
  }
  const unbound = new Map<unknown, unknown>();
  const proxy: T = new Proxy(openFormOf(client), {
    get(_, key) {
      const value: unknown = wrapped.get(key) ?? Reflect.get(client, key);
      if (typeof value !== "function" || wrapped.has(key)) return value;
      const known = unbound.get(value) ?? onClient(value as Method, () => proxy, client);
      unbound.set(value, known);
      return known;
    },
    set: (_, key, value) => Reflect.set(client, key, value),
  });
  return proxy as Wrapped<T, K>; // what is wrapped returns promises, and the rest is the client
}

type Method = (...values: readonly unknown[]) => unknown;

function requireNames<K>(names: readonly K[]): readonly K[] {
  if (Array.isArray(names)) return names as readonly K[];
  throw new UsageError(`wrap: names must be a list of names of methods, not ${describeValue(names)}`);
}

/** What calls `method` on the client, in two events. */
function calling(client: object, name: string, method: Method, { label, ...options }: WrapOptions): Method {
  return (...values) => {
    const loop = getRunningLoop(`${name}() of a wrapped client`);
    const about = label === undefined ? name : label(name, values);
    requireIo("wrap", about, options);
    const context = captureContext();
    const { maxMs, mayFail } = options;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const request = (): void => {
          openRealGate(() => method.apply(client, [...values]), `${about} answer`, options, { resolve, reject });
        };
        if (context === undefined) request();
        else context.runInAsyncScope(request, undefined, undefined);
      };
      const fail = (): void => {
        reject(errorOf(mayFail));
      };
      loop.openGate(`${about} request`, { settle, fail, mayFail: mayFail !== undefined }, maxMs);
    });
  };
}

/** A method that is not wrapped: it runs on the client itself, whose private fields a proxy does not have. A class or a function stays what it is. */
function onClient(method: Method, proxy: () => object, client: object): Method {
  return new Proxy(method, {
    apply: (_, self, values: readonly unknown[]) => Reflect.apply(method, self === proxy() ? client : self, values),
  });
}

/** What the proxy is made of. The language holds a proxy to the properties of a frozen object, so of one there has to be a copy. */
function openFormOf<T extends object>(client: T): T {
  if (!Object.isFrozen(client) || typeof client === "function") return client;
  const own = Object.getOwnPropertyDescriptors(client) as Record<PropertyKey, PropertyDescriptor>; // whatever T is
  for (const key of Reflect.ownKeys(own)) own[key] = { ...own[key], configurable: true };
  return Object.create(Object.getPrototypeOf(client) as object | null, own) as T; // has all that the client has
}
