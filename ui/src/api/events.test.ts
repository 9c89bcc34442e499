import { expect, test } from "vitest";
import { decodeFrame } from "./events";

const message = (type: string, data: string, lastEventId = "") => ({ type, data, lastEventId });

test("each message of the stream is read as what it is", () => {
  expect(decodeFrame(message("event", '{"id":7,"at":"","kind":"phase"}', "7"))).toEqual({
    type: "event",
    id: 7,
    data: { id: 7, at: "", kind: "phase" },
  });
  expect(decodeFrame(message("snapshot", '{"run":"r1"}'))).toEqual({ type: "snapshot", data: { run: "r1" } });
  // The browser repeats the id of the last event with every message after it.
  expect(decodeFrame(message("beat", '{"draining":true}', "7"))).toEqual({ type: "beat", data: { draining: true } });
});

test.each([
  ["a type that this page does not know", message("price", "{}")],
  ["a message without a type", message("message", "{}", "8")],
  ["an event without an id, which could not be resumed", message("event", "{}")],
  ["text that is not JSON", message("beat", "<html>")],
  ["a value that is no object", message("snapshot", "null")],
])("%s is ignored", (_, unknown) => expect(decodeFrame(unknown)).toBeUndefined());
