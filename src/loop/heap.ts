/**
 * A binary heap: adding an item and taking out the first cost O(log n).
 */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean;
  #items: T[] = [];

  /** `isBefore` must be a total order, or what comes out depends on how the heap was built. */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get length(): number {
    return this.#items.length;
  }

  /** The first item; undefined when there is none. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Every item, in no order that means anything. */
  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items.push(item);
    this.#siftUp(this.#items.length - 1);
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

  /** Keeps only the items that `isKept` names. A sorted list is a heap, and the order is total, so what comes next stays the same. */
  keep(isKept: (item: T) => boolean): void {
    this.#items = this.#items.filter(isKept).sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
  }

  #siftUp(start: number): void {
    const items = this.#items;
    const item = items[start] as T; // the one that was just added
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = items[parent] as T; // before place
      if (!this.#isBefore(item, above)) break;
      items[place] = above;
      place = parent;
    }
    items[place] = item;
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
