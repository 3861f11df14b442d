/**
 * The invariant of events.
 */
import { type Call, callsOf, isCancelled, placeOfCall, type RunHistory } from "./history.js";
import { type Invariant, judgeEach } from "./invariant.js";
import { restsOf } from "./suspension.js";

/** @since 0.2.0 */
export const eventWakesAll: Invariant = {
  name: "event-wakes-all",
  sentence:
    "Setting an event wakes all who wait for it, also when it is cleared again at once; who comes while it is set does not wait, and nobody goes on before it is set.",
  judge(history) {
    const rests = [...restsOf(history)];
    const isInOrder = history.run.schedule.housekeeping === "inline";
    const lastWoken = new Map<number, Call>();
    return judgeEach(callsOf(history, "waitEvent"), (call) => {
      const [, event] = call.operation;
      const place = placeOfCall(history, call);
      if (isSetAt(history, event, call.start)) {
        return call.end === call.start + 1 ? true : `${place}: had to wait although the event was set`;
      }
      const set = [...callsOf(history, "setEvent")].find(({ operation, end }) => operation[1] === event && end > call.start);
      const isOver = call.outcome !== undefined && !isCancelled(call.outcome);
      if (isOver && (set === undefined || set.end > call.end)) return `${place}: went on before the event was set`;
      if (set === undefined) return undefined;
      const rest = rests.find(({ index }) => index > set.end);
      if (rest !== undefined && call.end >= rest.index) {
        return `${place}: still waited after ${rest.t}, although the event was set at ${set.startMs}`;
      }
      if (!isOver) return undefined;
      const before = lastWoken.get(event);
      lastWoken.set(event, call);
      return isInOrder && before !== undefined && before.end > call.end
        ? `${place}: came after ${placeOfCall(history, before)}, and went on before it`
        : true;
    });
  },
};

/** Whether the last of the operations on the event before `index` has set it. */
function isSetAt(history: RunHistory, event: number, index: number): boolean {
  const last = [...callsOf(history, "setEvent", "clearEvent")].findLast(({ operation, end }) => operation[1] === event && end < index);
  return last?.operation[0] === "setEvent";
}
