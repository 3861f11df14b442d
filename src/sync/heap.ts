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
    path.forEach((place, step) => {
      const above = path[step + 1];
      items[place] = above === undefined ? item : (items[above] as T); // on the way to the first
    });
  }

  /** Takes out the first item. */
  takeFirst(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#siftDown();
    }
    return first;
  }

  #siftDown(): void {
    const items = this.#items;
    const { length } = items;
    const item = items[0] as T; // the caller has seen that there is one
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && this.#isBefore(items[right] as T, items[child] as T)) child = right; // both are inside
      const below = items[child] as T; // inside
      if (!this.#isBefore(below, item)) break;
      items[place] = below;
      place = child;
    }
    items[place] = item;
  }
}
