/**
 * Task graphs as a fast-check arbitrary.
 */
import * as fc from "fast-check";
import { checkTaskGraph } from "../graph/check.js";
import type { TaskGraph } from "../graph/task-graph.js";
import { generateTaskGraph } from "./generate-graph.js";
import { CONDITIONAL_KINDS, type GraphShape, type MixedOperation } from "./graph-shape.js";
import { requireWholeNumber } from "./require-whole-number.js";
import { shrinkTaskGraph } from "./shrink-graph.js";

const DEFAULT_MIX: GraphShape["mix"] = {
  span: 4,
  yield: 4,
  sleep: 4,
  await: 3,
  gather: 1,
  wait: 2,
  asCompleted: 1,
  taskGroup: 3,
  shield: 1,
  timeout: 3,
  cancel: 2,
  future: 5,
  lock: 3,
  semaphore: 2,
  event: 3,
  queue: 4,
  raise: 1,
  return: 1,
  try: 2,
};

export interface TaskGraphConstraints {
  /** The most tasks, main included. Default 8. */
  readonly maxTasks?: number;
  /** The most operations drawn for a body. Starts of tasks, the gather that waits for them and completions come on top. Default 6. */
  readonly maxOperations?: number;
  /** How deep bodies may be nested in operations such as `try` and `timeout`. Default 2. */
  readonly maxDepth?: number;
  /** How often each kind of operation is drawn, relative to the others; 0 is never. What is left out keeps its default. */
  readonly mix?: Partial<GraphShape["mix"]>;
  /** Whether tasks share cells, futures, locks, semaphores, events and queues. Default true. */
  readonly sharing?: boolean;
  /**
   * Whether operations may fail, be cancelled or wait for ever: `raise`, `cancel`, `timeout`, and all that futures, events and queues do.
   * Default true.
   */
  readonly faults?: boolean;
}

/** A custom arbitrary, because shrinking a graph well needs to know what a valid graph is. */
class TaskGraphArbitrary extends fc.Arbitrary<TaskGraph> {
  readonly #shape: GraphShape;

  constructor(shape: GraphShape) {
    super();
    this.#shape = shape;
  }

  generate(random: fc.Random, biasFactor: number | undefined): fc.Value<TaskGraph> {
    // fast-check asks for a bias towards small values now and then, more often in the first runs.
    const isSmall = biasFactor !== undefined && random.nextInt(1, biasFactor) === 1;
    const shape = isSmall
      ? { ...this.#shape, maxTasks: Math.min(3, this.#shape.maxTasks), maxOperations: Math.min(4, this.#shape.maxOperations) }
      : this.#shape;
    return new fc.Value(
      generateTaskGraph((bound) => random.nextInt(0, bound - 1), shape),
      undefined,
    );
  }

  canShrinkWithoutContext(value: unknown): value is TaskGraph {
    try {
      checkTaskGraph(value);
      return true;
    } catch {
      return false;
    }
  }

  shrink(graph: TaskGraph): fc.Stream<fc.Value<TaskGraph>> {
    return fc.stream(shrinkTaskGraph(graph)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

/**
 * Random task graphs, which shrink to small readable ones: fewer tasks, fewer operations, smaller numbers, always valid.
 *
 * Throws UsageError when a size is no whole number or no operation has a weight.
 *
 * @example
 * fc.asyncProperty(taskGraph({ maxTasks: 20 }), schedule(), async (graph, strategy) => {
 *   const { outcome } = await runTaskGraph(graph, { strategy });
 *   return outcome !== "livelock";
 * });
 * @since 0.1.0
 */
export function taskGraph(constraints: TaskGraphConstraints = {}): fc.Arbitrary<TaskGraph> {
  const { maxTasks = 8, maxOperations = 6, maxDepth = 2, sharing = true, faults = true } = constraints;
  requireWholeNumber(maxTasks, 1, "taskGraph: maxTasks");
  requireWholeNumber(maxOperations, 0, "taskGraph: maxOperations");
  requireWholeNumber(maxDepth, 0, "taskGraph: maxDepth");
  const mix: Record<MixedOperation, number> = { ...DEFAULT_MIX, ...constraints.mix };
  if (!faults) Object.assign(mix, { raise: 0, cancel: 0, timeout: 0, future: 0, event: 0, queue: 0 });
  for (const [name, weight] of Object.entries(mix)) requireWholeNumber(weight, 0, `taskGraph: mix.${name}`);
  requireWholeNumber(
    Object.entries(mix).reduce((sum, [name, weight]) => sum + ((CONDITIONAL_KINDS as readonly string[]).includes(name) ? 0 : weight), 0),
    1,
    `taskGraph: the sum of the weights of mix, ${CONDITIONAL_KINDS.join(", ")} left out,`,
  );
  return new TaskGraphArbitrary({ maxTasks, maxOperations, maxDepth, mix, isSharing: sharing, mayDeadlock: faults });
}
