import { expect, test, vi } from "vitest";
import type { Second } from "../api/types";
import { Feed } from "./feed";

const row = (second: number, backlog = 0) => ({ second, backlog }) as Second;

test("keeps seconds in order, and the last one that came of each", () => {
  const feed = new Feed();
  feed.put([row(0), row(1), row(4)]);
  feed.put([row(3), row(1, 9), row(2)]);
  feed.flush();
  expect(feed.seconds().map((s) => s.second)).toEqual([0, 1, 2, 3, 4]);
  expect(feed.seconds()[1]?.backlog).toBe(9);
  expect(feed.last()).toBe(4);
});

test("tells its readers once for many seconds", () => {
  vi.useFakeTimers();
  const feed = new Feed();
  const reader = vi.fn();
  feed.watch(reader);
  for (let i = 0; i < 50; i++) feed.put([row(i)]);
  expect(feed.seconds()).toEqual([]);
  vi.advanceTimersByTime(250);
  expect(reader).toHaveBeenCalledTimes(1);
  expect(feed.seconds().length).toBe(50);
  vi.useRealTimers();
});
