/**
 * `test.explore` as a user sees it: vitest runs whole projects in processes of their own, with the built package installed. The project of
 * `fixtures/vitest/project` is also run by `.ci/explore-on-all-vitests.mjs`, under vitest 5 and on newer Nodes.
 */
import { beforeAll, expect, test } from "vitest";
import { requireBuilt } from "../../fixtures/command/built-command.js";
import { makeVitestProject, runVitest } from "../../fixtures/vitest/run-vitest.js";

beforeAll(requireBuilt);

test("the whole API", async () => {
  const project = makeVitestProject({}, "project");
  const { tests, stdout, stderr } = await runVitest(project);
  console.log(stdout.slice(0, 5000), stderr.slice(0, 12000));
  expect(tests.map(({ status, name }) => `${status}  ${name}`)).toEqual([]);
});
