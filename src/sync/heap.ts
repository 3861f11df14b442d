/**
 * A binary heap: adding an item and taking out the first cost O(log n).
 */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  /** `isBefore` must be a total order, or what comes out depends on how the heap was built. */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Throws what `isBefore` throws, and is then as it was. */
  add(item: T): void {
    const items = this.#items;
    const path = [items.length];
    for (let place = items.length; place > 0; path.push(place)) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(item, items[parent] as T)) break; // before place
      place = parent;
    }
    this.#move(path, item);
  }

  /** Takes out the first item. Throws what `isBefore` throws, and is then as it was. */
  takeFirst(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items[items.length - 1] as T; // used only when there are two or more
    const length = items.length - 1;
    const path = [0];
    for (let child = 1; child < length; child = 2 * child + 1) {
      const right = child + 1;
      if (right < length && this.#isBefore(items[right] as T, items[child] as T)) child = right; // both are inside
      if (!this.#isBefore(items[child] as T, last)) break; // inside
      path.push(child);
    }
    this.#move(path, last);
    items.pop();
    return first;
  }

  /** Moves each item of a path to the place before it, and `item` to the last place. */
  #move(path: readonly number[], item: T): void {
    path.forEach((place, step) => {
      const next = path[step + 1];
      this.#items[place] = next === undefined ? item : (this.#items[next] as T); // on the path
    });
  }
}
