import { faultOf } from "../schedule/schedule.js";
import type { Alternative, Decision } from "../schedule/strategy.js";
import type { Gate } from "./gate.js";
import type { Handle } from "./handle.js";
import type { ReadyQueue } from "./ready-queue.js";
import type { Tracker } from "./tracker.js";

/** What a loop knows of its own progress. */
export interface Progressing {
  readonly steps: number;
  readonly nowMs: number;
}

/** What a strategy is handed. One object serves all decisions of a loop, and its list is made only for a strategy that looks at it. */
export class OpenDecision implements Decision {
  readonly #progress: Progressing;
  readonly #queue: ReadyQueue;
  readonly #tracker: Tracker | undefined;

  constructor(progress: Progressing, queue: ReadyQueue, tracker: Tracker | undefined) {
    this.#progress = progress;
    this.#queue = queue;
    this.#tracker = tracker;
  }

  get step(): number {
    return this.#progress.steps + 1;
  }

  get timeMs(): number {
    return this.#progress.nowMs;
  }

  get count(): number {
    return this.#queue.length;
  }

  get ready(): readonly Handle[] {
    return this.#queue.list();
  }

  get ids(): readonly number[] | undefined {
    return idsOf(this.ready, this.#tracker);
  }
}

/** That time passes the gates that are open, to the next deadline; known by that. */
export function clockTo(deadlineMs: number): Alternative {
  return { kind: "clock", name: "clock", operation: String(deadlineMs) };
}

/** That a batch of gates is complete. */
export const SETTLE: Alternative = { kind: "settle", name: "settle", operation: "" };

/** Whether `gate`, which settles next, fails: it with its result, or with its fault. */
export function faultDecision({ steps, nowMs }: Progressing, gate: Gate, tracker: Tracker | undefined): Decision {
  const ids = tracker && [tracker.idOf(gate), tracker.idOfFault(gate)];
  return { kind: "fault", step: steps + 1, timeMs: nowMs, count: 2, ready: [gate, { kind: "fault", ...faultOf(gate) }], ids };
}

/** What has no lineage, because it is no step. */
const NO_ID = -1;

/** A decision about what is no ready queue: one that the clock takes part in, or which gate joins a batch. */
export function listedDecision(
  kind: "next" | "batch",
  { steps, nowMs }: Progressing,
  ready: readonly Alternative[],
  tracker: Tracker | undefined,
): Decision {
  return { kind, step: steps + 1, timeMs: nowMs, count: ready.length, ready, ids: idsOf(ready, tracker) };
}

function idsOf(ready: readonly Alternative[], tracker: Tracker | undefined): readonly number[] | undefined {
  return (
    tracker &&
    ready.map((alternative) => (alternative.kind === "clock" || alternative.kind === "settle" ? NO_ID : tracker.idOf(alternative)))
  );
}
