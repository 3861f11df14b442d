/**
 * What a failing order is about, in sentences.
 */
import { describeCycle } from "../loop/deadlock.js";
import type { Explanation, GateFact, OrderedPair } from "./explain.js";
import type { ExplainedStep, Pattern } from "./pattern.js";

/** The sentences of a report, the pattern first; none where no order was found to matter. */
export function explanationLines({ pattern, pairs, gates }: Pick<Explanation, "pattern" | "pairs" | "gates">): readonly string[] {
  // Time that passes the same gates at two places is said once.
  const lines = [...pairs.map(pairLine), ...gates.map(gateLine)];
  return [...new Set([...(pattern === undefined ? [] : [patternLine(pattern)]), ...lines])];
}

/** `t2 step 5`, `t2 at 1.0`, `io load`, `io load (call 2)`, `setTimeout(50) (call 2)`, `await src/a.ts:3:5`: a step as a sentence names it. */
export function stepText({ name, operation, kind }: ExplainedStep): string {
  if (kind === "timer") return operation === "1" ? name : `${name} (call ${operation})`;
  if (kind === "gate") {
    const [call = ""] = operation.split(/[+!]/);
    return call === "1" ? `io ${name}` : `io ${name} (call ${call})`;
  }
  if (kind === "reaction") return `${/^\w+\(/.test(name) ? name : `await ${name}`}${operation === "1" ? "" : ` (time ${operation})`}`;
  if (operation === "") return name;
  return /^\d+$/.test(operation) ? `${name} step ${operation}` : `${name} at ${operation}`;
}

function pairLine({ first, then, swapped, location, toItsEnd }: OrderedPair): string {
  const about = location === undefined ? "" : ` (both touch ${location})`;
  return `${verdictText(swapped)} if ${stepText(first)} runs after ${stepText(then)}${toItsEnd ? " and all that follows it" : ""}${about}`;
}

function gateLine({ kind, gates, otherwise }: GateFact): string {
  const names = listText(gates.map(stepText));
  switch (kind) {
    case "together":
      return `${verdictText(otherwise)} if ${names} settle one by one`;
    case "late":
      return `${verdictText(otherwise)} if ${names} ${gates.length === 1 ? "settles" : "settle"} before time passes`;
    case "fault":
      return `${verdictText(otherwise)} if ${names} does not fail`;
  }
}

const verdictText = (verdict: OrderedPair["swapped"]): string => (verdict === "passes" ? "passes" : "fails in another way");

function patternLine(pattern: Pattern): string {
  switch (pattern.kind) {
    case "lost update":
      return (
        `lost update of ${pattern.location}: ${stepText(pattern.before)} reads it, ${stepText(pattern.between)} writes it, ` +
        `and ${stepText(pattern.after)} writes over that`
      );
    case "check-then-act":
      return (
        `check-then-act on ${pattern.location}: ${stepText(pattern.before)} reads it, ${stepText(pattern.between)} changes it, ` +
        `and ${stepText(pattern.after)} acts on what was read before`
      );
    case "atomicity violation":
      return `atomicity violation: ${stepText(pattern.between)} comes between ${stepText(pattern.before)} and ${stepText(pattern.after)}, which belong together`;
    case "use after close": {
      const about = pattern.location === undefined ? "" : `, which writes ${pattern.location}`;
      return `use after close: ${stepText(pattern.use)} runs after ${stepText(pattern.close)}${about}`;
    }
    case "order violation": {
      const about = pattern.location === undefined ? "" : ` (both touch ${pattern.location})`;
      return `order violation: ${stepText(pattern.early)} runs before ${stepText(pattern.late)}${about}`;
    }
    case "deadlock cycle":
      return `deadlock cycle: ${describeCycle(pattern.cycle)}`;
  }
}

function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
