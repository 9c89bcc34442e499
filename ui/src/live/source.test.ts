import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Frame } from "../api/events";
import { type Link, Source, silenceMs } from "./source";

/** An EventSource whose server is the test. */
class FakeStream extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    super();
  }
  close() {
    this.closed = true;
  }
  send(type: string, data: unknown, id = "") {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId: id }));
  }
}

let streams: FakeStream[];
let frames: Frame[];
let links: Link[];
let source: Source;
const newest = () => streams.at(-1) as FakeStream;

beforeEach(() => {
  vi.useFakeTimers();
  [streams, frames, links] = [[], [], []];
  source = new Source({
    url: (after) => `/events?after=${after}`,
    open: (url) => {
      streams.push(new FakeStream(url));
      return newest() as unknown as EventSource;
    },
    onFrame: (frame) => frames.push(frame),
    onLink: (link) => links.push(link),
  });
});
afterEach(() => vi.useRealTimers());

test("resumes after the last event that was heard, without duplicates", () => {
  source.start(7);
  expect(newest().url).toBe("/events?after=7");
  newest().onopen?.();
  newest().send("event", { n: 8 }, "8");
  newest().send("snapshot", { second: 1 });
  newest().onerror?.();
  expect(links.at(-1)?.state).toBe("reconnecting");
  vi.advanceTimersByTime(2000);
  expect(newest().url).toBe("/events?after=8");
  newest().send("event", { n: 8 }, "8");
  newest().send("event", { n: 9 }, "9");
  expect(frames.map((f) => (f.type === "event" ? f.id : f.type))).toEqual([8, "snapshot", 9]);
  expect(links.at(-1)).toEqual({ state: "live" });
});

test("goes on after any number of refusals, at most 18 s apart", () => {
  source.start(0);
  for (let i = 0; i < 12; i++) {
    newest().onerror?.();
    expect(newest().closed).toBe(true);
    vi.advanceTimersByTime(18_000);
    expect(streams.length).toBe(i + 2);
  }
});

test("takes silence for a dead connection", () => {
  source.start(0);
  newest().onopen?.();
  vi.advanceTimersByTime(silenceMs - 1);
  expect(links.at(-1)?.state).toBe("live");
  vi.advanceTimersByTime(1);
  expect(links.at(-1)?.state).toBe("reconnecting");
  vi.advanceTimersByTime(2000);
  expect(streams.length).toBe(2);
});

test("tells since when it hears nothing, whatever the number of tries", () => {
  source.start(0);
  newest().onopen?.();
  const lost = Date.now();
  newest().onerror?.();
  vi.advanceTimersByTime(2000);
  newest().onerror?.();
  expect(links.at(-1)).toMatchObject({ state: "reconnecting", since: lost });
});

test("tries at once when asked to, and is quiet after stop", () => {
  source.start(0);
  newest().onerror?.();
  source.retryNow();
  expect(streams.length).toBe(2);
  source.stop();
  vi.advanceTimersByTime(60_000);
  expect(streams.length).toBe(2);
  expect(links.at(-1)).toEqual({ state: "idle" });
});
