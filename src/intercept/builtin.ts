/**
 * Node's modules without static imports, which would keep heddle from loading elsewhere.
 */
const { process: host } = globalThis as { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } };

/** The module, as `require` answers it; undefined where there is none. */
export function builtin(name: string): object | undefined {
  const found = host?.getBuiltinModule?.(`node:${name}`);
  // `node:module` is a function that has the rest of it as properties.
  return (typeof found === "object" || typeof found === "function") && found !== null ? found : undefined;
}
