/**
 * What a random task graph is to look like.
 */

/** What tasks can wait at, beside tasks. */
export const SHARED_KINDS = ["future", "lock", "semaphore", "event", "queue"] as const;
export type SharedKind = (typeof SHARED_KINDS)[number];

/** The operations that can be weighted. `spawn` and `gather` of new tasks follow from the number of tasks. */
export type MixedOperation =
  | "span"
  | "yield"
  | "sleep"
  | "await"
  | "gather"
  | "wait"
  | "asCompleted"
  | "taskGroup"
  | "shield"
  | "timeout"
  | "cancel"
  | SharedKind
  | "raise"
  | "return"
  | "try";

/** The kinds that some graphs cannot have, whatever their weights: a group starts what it names, the others need something shared. */
export const CONDITIONAL_KINDS: readonly MixedOperation[] = ["taskGroup", ...SHARED_KINDS];

export interface GraphShape {
  readonly maxTasks: number;
  /**
   * Operations drawn for a body; starts of tasks, the gather that waits for them, completions, and cancellations that go with a completion
   * come on top.
   */
  readonly maxOperations: number;
  /** How deep bodies may be nested in operations. */
  readonly maxDepth: number;
  readonly mix: Readonly<Record<MixedOperation, number>>;
  /** Whether tasks share anything; without it each task has a cell of its own and there is nothing else to meet at. */
  readonly isSharing: boolean;
  /** Whether tasks may wait for ever; without it nothing is awaited while a lock or semaphore is held. */
  readonly mayDeadlock: boolean;
}
