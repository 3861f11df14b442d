/** Under construction. */
export function shared<T extends object>(object: T): T {
  return object;
}
