import { expect, test } from "vitest";
import { formatReadyTask, isSameReadyTask } from "./schedule.js";

test("a ready task is shown with its operation, and without the sign where it has none", () => {
  expect(formatReadyTask({ name: "t2", operation: "1.0" })).toBe("t2@1.0");
  expect(formatReadyTask({ name: "callback", operation: "" })).toBe("callback");
});

test("ready tasks are the same by name and operation", () => {
  const task = { name: "t", operation: "1" };
  expect(isSameReadyTask(task, { ...task })).toBe(true);
  expect(isSameReadyTask(task, { name: "t", operation: "2" })).toBe(false);
  expect(isSameReadyTask(task, { name: "u", operation: "1" })).toBe(false);
  expect(isSameReadyTask(task, undefined)).toBe(false);
});
