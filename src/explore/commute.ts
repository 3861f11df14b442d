/**
 * Commuting steps without running the program: of all orders that keep what has to be kept, one that switches least from task to task.
 *
 * A task that can go on does: a step moved forward to where its task runs anyway costs no switch, and whatever waits for it has it sooner.
 * So an order is a list of tasks, each run as far as it can go, and the search is over these lists alone: A* (Hart, Nilsson, Raphael 1968),
 * whose estimate is that every task that is not through needs one more switch at least. The problem is that of the jump number of an order,
 * which is NP-hard, so the search is bounded, and goes on without looking back once it has looked at too much.
 */
import { isArrival } from "../schedule/strategy.js";
import { Heap } from "../sync/heap.js";
import type { Edge, PartialOrder, Vertex } from "./partial-order.js";

/** Orders are compared by switches first, then by departures of gates. There are fewer departures than this. */
const SWITCH = 1_000_000;

/** So many items are looked at, all states together; then it goes on from the best one without looking back. */
const MAX_WORK = 60_000;

/** An order that was begun. */
interface State {
  /** How many items of each chain it has taken. */
  readonly taken: readonly number[];
  /** The task that ran last. */
  readonly current: number;
  readonly cost: number;
  readonly estimate: number;
  /** What was taken since `previous`. */
  readonly items: readonly number[];
  readonly done: number;
  readonly previous: State | undefined;
  readonly number: number;
}

/**
 * The items, by index, in an order that keeps `edges`, with the fewest switches, and then the fewest departures of gates, that were found.
 */
export function fewestSwitches(order: PartialOrder, edges: readonly Edge[] = order.edges): readonly number[] {
  return new Linearization(order, edges).search();
}

class Linearization {
  readonly #vertices: readonly Vertex[];
  readonly #members: readonly (readonly number[])[];
  /** What each item comes after, besides its chain. */
  readonly #before: readonly (readonly number[])[];
  readonly #isTask: readonly boolean[];
  readonly #gates: readonly number[];
  /** Whose turn ends the search for the best: the last item, where the run was cut short. */
  readonly #goal: number | undefined;
  #states = 0;

  constructor({ vertices, chains, isCutShort }: PartialOrder, edges: readonly Edge[]) {
    this.#vertices = vertices;
    const members = Array.from({ length: chains }, (): number[] => []);
    vertices.forEach(({ chain }, index) => members[chain]?.push(index));
    this.#members = members;
    const before = vertices.map(({ causes }) => [...causes]);
    for (const edge of edges) before[edge.after]?.push(edge.before);
    this.#before = before;
    this.#isTask = members.map(([first]) => first !== undefined && ["task", "callback"].includes(vertices[first]?.item.kind ?? "task"));
    this.#gates = vertices
      .flatMap(({ item }, index) => (isArrival(item.kind) ? [index] : []))
      .sort((a, b) => this.#arrival(a) - this.#arrival(b));
    this.#goal = isCutShort ? vertices.length - 1 : undefined;
  }

  search(): readonly number[] {
    const frontier = new Heap<State>((a, b) => (a.estimate === b.estimate ? a.number > b.number : a.estimate < b.estimate));
    const seen = new Set<string>();
    const start = this.#advanced(undefined, -1);
    let best = start;
    frontier.add(start);
    const maxStates = Math.max(1, Math.floor(MAX_WORK / (this.#vertices.length + this.#members.length + 1)));
    for (let looked = 0; looked < maxStates; looked++) {
      const state = frontier.takeFirst();
      if (state === undefined) break;
      const key = `${state.taken.join()} ${state.current}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (this.#isOver(state)) return itemsOf(this.#completed(state));
      if (state.done > best.done) best = state;
      // Where estimates are equal the state made last is looked at first: that of the first in the order of arrival.
      const followers = this.#nextItems(state)
        .toReversed()
        .map((next) => this.#advanced(state, next));
      const ending = followers.findLast((follower) => this.#endsItsTask(follower));
      for (const follower of ending === undefined ? followers : [ending]) frontier.add(follower);
    }
    return itemsOf(this.#completed(best));
  }

  #isOver({ done, taken }: State): boolean {
    return this.#goal === undefined ? done === this.#vertices.length : this.#isTaken(this.#goal, taken);
  }

  /**
   * Whether a task that can be run to its end was: it needs a switch at some time, and what waits for it has it sooner, so nothing is lost
   * when it is done now. Not where only a part has to run at all.
   */
  #endsItsTask({ current, taken, previous }: State): boolean {
    return (
      this.#goal === undefined &&
      current !== previous?.current &&
      this.#isTask[current] === true &&
      taken[current] === this.#members[current]?.length
    );
  }

  /** Goes on to the end, each time with what is best at the moment. */
  #completed(state: State): State {
    let last = state;
    for (;;) {
      const [first, ...others] = this.#nextItems(last).map((next) => this.#advanced(last, next));
      if (first === undefined) return last;
      last = others.reduce((best, other) => (other.estimate < best.estimate ? other : best), first);
    }
  }

  /**
   * What can come next: the next step of every other task, and gates that something waits for. A gate that nothing waits for need not
   * depart from the order of arrival, and in which order those come that one thing waits for makes no difference to what they cost.
   */
  #nextItems({ taken, done }: State): readonly number[] {
    const next = new Set<number>();
    const firstOpen = this.#firstOpenGate(taken, done);
    const wanted = [...(firstOpen === undefined ? [] : [firstOpen]), ...(this.#goal === undefined ? [] : [this.#goal])];
    for (const [chain, members] of this.#members.entries()) {
      const own = members[taken[chain] ?? 0];
      if (own === undefined || isArrival(this.#vertex(own).item.kind)) continue;
      if (this.#isEnabled(own, taken, done)) next.add(own);
      else wanted.push(own);
    }
    for (const blocked of wanted) {
      const unblocking = this.#unblocking(blocked, taken, done);
      if (unblocking !== undefined) next.add(unblocking);
    }
    return [...next];
  }

  /** Something that can come next and that `blocked` waits for, directly or not. */
  #unblocking(blocked: number, taken: readonly number[], done: number): number | undefined {
    let at: number | undefined = blocked;
    while (at !== undefined && !this.#isEnabled(at, taken, done)) {
      const { chain, earlier }: Vertex = this.#vertex(at);
      const isLeft = (index: number): boolean => !this.#isTaken(index, taken);
      const previous: number | undefined = this.#members[chain]?.[taken[chain] ?? 0];
      at =
        earlier > done
          ? this.#vertices.findIndex((_, index) => isLeft(index))
          : ((this.#before[at] ?? []).find(isLeft) ?? (previous === at ? undefined : previous));
    }
    return at;
  }

  /** The state after `next`, and after all that costs nothing then: its task goes on, and gates settle in their order of arrival. */
  #advanced(previous: State | undefined, next: number): State {
    const taken = previous === undefined ? this.#members.map(() => 0) : [...previous.taken];
    const items: number[] = [];
    let { cost = 0, current = -1, done = 0 } = previous ?? {};
    const take = (index: number): void => {
      const { chain } = this.#vertex(index);
      taken[chain] = (taken[chain] ?? 0) + 1;
      items.push(index);
      done++;
    };
    if (next >= 0) {
      const { chain } = this.#vertex(next);
      if (this.#isTask[chain] === true) {
        if (current >= 0) cost += SWITCH;
        current = chain;
      } else if (this.#firstOpenGate(taken, done) !== next && isArrival(this.#vertex(next).item.kind)) cost++;
      take(next);
    }
    for (;;) {
      const own = this.#members[current]?.[taken[current] ?? 0];
      const free = own !== undefined && this.#isEnabled(own, taken, done) ? own : this.#firstOpenGate(taken, done);
      if (free === undefined || !this.#isEnabled(free, taken, done)) break;
      take(free);
    }
    const estimate = cost + this.#switchesLeft(taken, current) * SWITCH;
    return { taken, current, cost, estimate, items, done, previous, number: this.#states++ };
  }

  #switchesLeft(taken: readonly number[], current: number): number {
    if (this.#goal !== undefined) return 0;
    let left = 0;
    for (const [chain, members] of this.#members.entries()) {
      if (this.#isTask[chain] === true && chain !== current && (taken[chain] ?? 0) < members.length) left++;
    }
    return current < 0 ? left - 1 : left;
  }

  /** The first in the order of arrival of the gates that were opened and have not settled. */
  #firstOpenGate(taken: readonly number[], done: number): number | undefined {
    return this.#gates.find((gate) => {
      const { earlier, causes } = this.#vertex(gate);
      return !this.#isTaken(gate, taken) && earlier <= done && causes.every((cause) => this.#isTaken(cause, taken));
    });
  }

  #isEnabled(index: number, taken: readonly number[], done: number): boolean {
    const { chain, place, earlier } = this.#vertex(index);
    return earlier <= done && place === taken[chain] && (this.#before[index] ?? []).every((other) => this.#isTaken(other, taken));
  }

  #isTaken(index: number, taken: readonly number[]): boolean {
    const { chain, place } = this.#vertex(index);
    return (taken[chain] ?? 0) > place;
  }

  #arrival(index: number): number {
    return this.#vertex(index).arrival;
  }

  #vertex(index: number): Vertex {
    return this.#vertices[index] as Vertex; // only indices of items are asked for
  }
}

function itemsOf(state: State): readonly number[] {
  const parts: (readonly number[])[] = [];
  for (let at: State | undefined = state; at !== undefined; at = at.previous) parts.push(at.items);
  return parts.reverse().flat();
}
