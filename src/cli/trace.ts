/** `heddle trace`: runs one task graph and prints its trace. */
import { runTaskGraph } from "../graph/graph-run.js";
import { freshSeed } from "../loop/host.js";
import { renderMermaid } from "../report/mermaid.js";
import { readTaskGraph } from "../store/read-file.js";
import { strategyNamed } from "../strategy/named.js";
import { formatTrace } from "../trace/trace.js";
import { EXIT } from "./exit-codes.js";

interface TraceOptions {
  readonly file: string;
  readonly strategy?: string;
  readonly seed?: number;
  readonly mermaid?: boolean;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** Answers the exit code. Throws BadInputError when the file is no task graph, or the strategy is not known. */
export async function runTrace({ file, strategy = "fifo", seed, mermaid = false, print, warn }: TraceOptions): Promise<number> {
  const graph = readTaskGraph(file);
  const chosenSeed = seed ?? freshSeed();
  const { trace } = await runTaskGraph(graph, { strategy: strategyNamed(strategy, chosenSeed) });
  if (seed === undefined && strategy !== "fifo") warn(`seed ${chosenSeed}`);
  print(mermaid ? `${renderMermaid(trace)}\n` : formatTrace(trace));
  return EXIT.held;
}
