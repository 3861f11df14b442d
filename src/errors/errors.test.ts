import { expect, test } from "vitest";
import {
  BadInputError,
  CancelledError,
  describeError,
  HeddleError,
  InternalError,
  InvalidStateError,
  TimeoutError,
  UsageError,
} from "./errors.js";

test("what heddle reports has a stable code and its own name", () => {
  const reported = [new UsageError("a"), new BadInputError("b"), new InternalError("c")];
  expect(reported.map((error) => [error.name, error.code, error instanceof HeddleError])).toEqual([
    ["UsageError", "HEDDLE_USAGE", true],
    ["BadInputError", "HEDDLE_BAD_INPUT", true],
    ["InternalError", "HEDDLE_INTERNAL", true],
  ]);
});

test("what a program can catch keeps asyncio's name and is no report of heddle's", () => {
  const caught = [new CancelledError("a"), new InvalidStateError("b"), new TimeoutError("c")];
  expect(caught.map((error) => [error.name, error instanceof Error, error instanceof HeddleError])).toEqual([
    ["CancelledError", true, false],
    ["InvalidStateError", true, false],
    ["TimeoutError", true, false],
  ]);
});

test("the name stands in the stack, and is no property of each error", () => {
  const error = new UsageError("seed: must be a number");
  expect(error.stack?.split("\n")[0]).toBe("UsageError: seed: must be a number");
  expect(Object.keys(error)).toEqual(["code"]);
});

test("the original error is kept as the cause", () => {
  const cause = new Error("disk");
  expect(new BadInputError("cannot read", { cause }).cause).toBe(cause);
  expect(new UsageError("wrong", { cause }).cause).toBe(cause);
  expect(new InternalError("broken", { cause }).cause).toBe(cause);
});

test("an internal error asks for the seed", () => {
  expect(new InternalError("the queue is empty").message).toMatchInlineSnapshot(`
    "the queue is empty
    This is a defect of heddle: please report it together with the seed of this run."
  `);
});

test("an error is described by name and message, and by the name alone where there is no message", () => {
  expect(describeError(new TypeError("no"))).toBe("TypeError: no");
  expect(describeError(new CancelledError())).toBe("CancelledError");
});

test("what is thrown without being an Error is shown as it prints", () => {
  expect(describeError("text")).toBe("thrown: text");
  expect(describeError(undefined)).toBe("thrown: undefined");
  expect(describeError(Symbol("s"))).toBe("thrown: Symbol(s)");
});

test("an object without a prototype, and one whose constructor throws, can be described", () => {
  expect(describeError(Object.create(null))).toBe("thrown: [object]");
  const hostile = {
    get constructor(): never {
      throw new Error("hostile");
    },
  };
  expect(describeError(hostile)).toBe("thrown: [object]");
});
