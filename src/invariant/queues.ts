/**
 * The invariant of queues. A put and a get are done in the step in which they end, so the order of these lines is that of the queue.
 */
import { type Call, callsOf, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, type Judgement, judgeEach } from "./invariant.js";
import { restsOf } from "./suspension.js";

/** @since 0.2.0 */
export const queueOrder: Invariant = {
  name: "queue-order",
  sentence:
    "Items come out of a queue once, in the order in which they were put; it never holds more than its size, nobody waits for an item that is there, and nobody for a place that is free.",
  judge(history) {
    if (![...callsOf(history, "put", "get")].length) return { exercised: 0, violation: undefined };
    return judgeQueues(history);
  },
};

/** What a queue holds, and how much it can. */
interface Held {
  readonly items: number[];
  readonly size: number;
}

function judgeQueues(history: RunHistory): Judgement {
  const queues = (history.run.placed.graph.queues ?? []).map(
    (maxsize): Held => ({
      items: [],
      size: maxsize === 0 ? Number.POSITIVE_INFINITY : maxsize,
    }),
  );
  const rests = new Map([...restsOf(history)].map(({ index, t }) => [index, t]));
  return judgeEach(history.trace.keys(), (index) => {
    const restMs = rests.get(index);
    const stuck = restMs === undefined ? undefined : findStuck(history, queues, index);
    if (stuck !== undefined) return `${placeOfCall(history, stuck)}: still waited after ${restMs ?? ""}, although it could go on`;
    const starting = history.startingAt.get(index);
    const ending = history.endingAt.get(index);
    const queue = queues[Number((starting ?? ending)?.operation[1])];
    if (queue === undefined) return undefined;
    if (starting !== undefined) {
      if (!canGoOn(queue, starting)) return undefined;
      return starting.end === index + 1 ? true : `${placeOfCall(history, starting)}: had to wait although it could go on`;
    }
    return ending?.outcome?.phase === "end" ? judgeDone(history, queue, ending) : undefined;
  });
}

/** Whether a put finds a place, and a get an item. */
function canGoOn({ items, size }: Held, { operation }: Call): boolean {
  return (operation[0] === "put" && items.length < size) || (operation[0] === "get" && items.length > 0);
}

/** Whether what is put finds a place, and what is got was the first. */
function judgeDone(history: RunHistory, queue: Held, call: Call): string | true | undefined {
  const { operation, outcome } = call;
  switch (operation[0]) {
    case "put":
      queue.items.push(operation[2]);
      return queue.items.length <= queue.size
        ? true
        : `${placeOfCall(history, call)}: put item ${queue.items.length} into a queue of ${queue.size}`;
    case "get": {
      const expected = queue.items.shift();
      const got = JSON.stringify(outcome?.value ?? null);
      if (expected === undefined) return `${placeOfCall(history, call)}: got ${got} from an empty queue`;
      return got === String(expected) ? true : `${placeOfCall(history, call)}: got ${got}, and the first item was ${expected}`;
    }
    default:
      return undefined;
  }
}

/** Somebody who still waits before `index` and need not. */
function findStuck({ calls }: RunHistory, queues: readonly Held[], index: number): Call | undefined {
  return calls.find((call) => {
    const { operation, start, end } = call;
    if ((operation[0] !== "put" && operation[0] !== "get") || start >= index || end < index) return false;
    const queue = queues[operation[1]];
    return queue !== undefined && canGoOn(queue, call);
  });
}
