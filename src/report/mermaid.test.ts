import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { TraceEvent } from "../trace/trace.js";
import { renderMermaid } from "./mermaid.js";

function traceOf(program: string): TraceEvent[] {
  const lines = readFileSync(new URL(`../../fixtures/programs/${program}.trace.jsonl`, import.meta.url), "utf8");
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as TraceEvent);
}

test("the sequence diagram of S3.3 is what heddle draws from the trace of S3.1", async () => {
  const diagram = `${renderMermaid(traceOf("s3.1-main-runs-on"))}\n`;
  await expect(diagram).toMatchFileSnapshot("../../fixtures/programs/s3.3-sequence-diagram.mmd");
});

test("who starts, waits and resumes is drawn, with each new time said once", () => {
  expect(
    renderMermaid([
      { t: 0, task: "main", phase: "begin" },
      { t: 0, task: "main", op: "0", name: "sleep", phase: "start" },
      { t: 0, task: "t1", phase: "begin" },
      { t: 0, task: "t1", phase: "finish", value: 1 },
      { t: 5, task: "main", op: "0", name: "sleep", phase: "end" },
      { t: 5, task: "main", phase: "finish", error: "RuntimeError: boom" },
      { t: 5, phase: "exit", error: "RuntimeError: boom" },
    ]),
  ).toMatchInlineSnapshot(`
    "sequenceDiagram
      participant eventLoop as the loop
      participant p0 as main
      participant p1 as t1
      Note over eventLoop: t = 0
      eventLoop->>p0: starts
      Note right of p0: sleep start
      p0-->>eventLoop: yields
      eventLoop->>p1: starts
      Note right of p1: finish 1
      p1-->>eventLoop: is done
      Note over eventLoop: t = 5
      eventLoop->>p0: resumes
      Note right of p0: sleep end
      Note right of p0: finish RuntimeError#58; boom
      p0-->>eventLoop: is done
      Note over eventLoop: exit RuntimeError#58; boom"
  `);
});

test("nothing in a name or a value is read as Mermaid's syntax", () => {
  const diagram = renderMermaid([
    { t: 0, task: "loop", phase: "begin" },
    { t: 0, task: "a;b#c:d\nend", phase: "begin" },
    {
      t: 0,
      task: "p0 ->> loop: <script>alert(1)</script> %% \u{1f9f6}",
      op: "0",
      name: "raise",
      phase: "error",
      error: "RuntimeError: x;\nloop->>p0: y",
    },
    { t: 0, phase: "exit", value: "a;b" },
  ]);
  expect(diagram).toMatchInlineSnapshot(`
    "sequenceDiagram
      participant eventLoop as the loop
      participant p0 as loop
      participant p1 as a#59;b#35;c#58;d#10;end
      participant p2 as p0 -#62;#62; loop#58; #60;script#62;alert(1)#60;/script#62; #37;#37; #129526;
      Note over eventLoop: t = 0
      eventLoop->>p0: starts
      p0-->>eventLoop: yields
      eventLoop->>p1: starts
      p1-->>eventLoop: yields
      eventLoop->>p2: resumes
      Note right of p2: raise error RuntimeError#58; x#59;#10;loop-#62;#62;p0#58; y
      Note over eventLoop: exit a#59;b"
  `);
});
