import { expect, test } from "vitest";
import { Random } from "../random/random.js";
import { CallbackHandle } from "./handle.js";
import { Timers } from "./timers.js";

const handle = (name: string): CallbackHandle => new CallbackHandle(name, () => undefined, 0);

test("timers come out by deadline, and by creation where the deadlines are equal", () => {
  const timers = new Timers();
  const random = new Random(7, "timers");
  const made: { deadlineMs: number; sequence: number }[] = [];
  for (let sequence = 0; sequence < 500; sequence++) {
    const deadlineMs = random.below(20);
    made.push({ deadlineMs, sequence });
    timers.add(deadlineMs, handle(String(sequence)));
  }
  made.sort((a, b) => a.deadlineMs - b.deadlineMs || a.sequence - b.sequence);
  for (const { deadlineMs, sequence } of made) {
    expect(timers.nextDeadlineMs()).toBe(deadlineMs);
    expect(timers.takeDue(deadlineMs - 1)).toBeUndefined();
    expect(timers.takeDue(deadlineMs)?.name).toBe(String(sequence));
  }
  expect(timers.nextDeadlineMs()).toBeUndefined();
  expect(timers.takeDue(Number.MAX_SAFE_INTEGER)).toBeUndefined();
});

test("cancelled timers never come out, do not count, and are swept away without changing the order", () => {
  const timers = new Timers();
  const handles = Array.from({ length: 2_000 }, (_, index) => {
    const timer = handle(String(index));
    timers.add(index % 50, timer);
    if (index % 10 !== 0) timer.cancel();
    return timer;
  });
  expect(timers.countLive()).toBe(200);
  const order: number[] = [];
  for (let due = timers.takeDue(50); due !== undefined; due = timers.takeDue(50)) order.push(Number(due.name));
  const live = handles.flatMap((timer, index) => (timer.cancelled() ? [] : [index]));
  expect(order).toEqual(live.sort((a, b) => (a % 50) - (b % 50) || a - b));
});
